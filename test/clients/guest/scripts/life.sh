# The life of a disk under the kernel's client. The programs of busybox with the same names as those in
# /programs are poorer, and its shell prefers them. PORT: a writable export of 128 MiB. The file system takes the first
# 64 MiB; what lies behind them is written and discarded without one.
step() {
  echo "GUEST: $*"
}

# nbd-client comes back before the kernel is done, in both directions.
appears() {
  until [ -e /sys/block/nbd0/pid ] && [ "$(blockdev --getsize64 /dev/nbd0)" -gt 0 ]; do sleep 0.1; done
}
vanishes() {
  while [ -e /sys/block/nbd0/pid ]; do sleep 0.1; done
}

/programs/nbd-client 10.0.2.2 "$PORT" /dev/nbd0 -C 2
appears
[ "$(blockdev --getsize64 /dev/nbd0)" = 134217728 ]
[ "$(blockdev --getro /dev/nbd0)" = 0 ]
step "connected twice over netlink"

/programs/mke2fs -q -t ext4 /dev/nbd0 64M
mount -t ext4 /dev/nbd0 /mnt
step "made a file system"

for index in $(seq 1 50); do
  mkdir -p "/mnt/folder-$((index % 7))"
  dd if=/dev/urandom of="/mnt/folder-$((index % 7))/file-$index" bs=1237 count=$((index * 3)) 2> /dev/null
done
dd if=/dev/urandom of=/mnt/large bs=1M count=16 conv=fsync 2> /dev/null
rm -r /mnt/folder-3
(cd /mnt && find . -type f -exec sha256sum {} +) > /sums
fstrim /mnt
umount /mnt
step "wrote and trimmed"

/programs/nbd-client -d /dev/nbd0
vanishes
step "disconnected"

/programs/nbd-client -L 10.0.2.2 "$PORT" /dev/nbd0
appears
mount -t ext4 -o ro /dev/nbd0 /mnt
(cd /mnt && sha256sum -c /sums > /dev/null)
umount /mnt
step "found all again over the old interface"

tr '\0' 'Z' < /dev/zero | dd of=/dev/nbd0 bs=1M seek=96 count=16 iflag=fullblock conv=fsync 2> /dev/null
/programs/blkdiscard -f -o 100M -l 4M /dev/nbd0
/programs/blkdiscard -f -z -o 106M -l 1M /dev/nbd0
echo 3 > /proc/sys/vm/drop_caches
dd if=/dev/nbd0 bs=1M skip=100 count=4 2> /dev/null | cmp -n 4194304 - /dev/zero
dd if=/dev/nbd0 bs=1M skip=106 count=1 2> /dev/null | cmp -n 1048576 - /dev/zero
step "discarded and zeroed"

/programs/nbd-client -d /dev/nbd0
