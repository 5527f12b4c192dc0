# A volume under a mounted file system, as `tidemark attach` connects it, whose server falls silent: what `tidemark detach` does
# then, in its order. CONNECT, DISCONNECT: the arguments of nbd-client, with commas between them. PORT: the server's.
step() {
  echo "GUEST: $*"
}
words() {
  echo "$1" | tr ',' ' '
}

/programs/nbd-client $(words "$CONNECT")
until [ -e /sys/block/nbd0/pid ] && [ "$(blockdev --getsize64 /dev/nbd0)" -gt 0 ]; do sleep 0.1; done
# All is written here: what the kernel would write by itself later could run into the client's time limit before the steps below.
/programs/mke2fs -q -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 /dev/nbd0
mount -t ext4 /dev/nbd0 /mnt
echo "dear reader" > /mnt/letter
sync
step "mounted"

# A server that stands still takes connections, and greets nobody.
until [ -z "$(timeout 20 nc 10.0.2.2 "$PORT" < /dev/null | head -c 8)" ]; do sleep 0.2; done
step "the server is silent"

echo "never to arrive" > /mnt/letter
umount /mnt &
unmounting=$!
sleep 5
kill -0 "$unmounting"
step "unmounting hangs"

/programs/nbd-client $(words "$DISCONNECT")
umount -l /mnt 2> /dev/null || true
! grep -q /dev/nbd0 /proc/mounts
wait "$unmounting" || true
step "cut off, and nothing hangs"

while [ -e /sys/block/nbd0/pid ]; do sleep 0.1; done
step "the device is free"
