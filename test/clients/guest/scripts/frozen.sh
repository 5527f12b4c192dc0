# The kernel's client on a read-only export. PORT: the server; NAME: the export, whose first MiB has the SHA-256 SUM.
step() {
  echo "GUEST: $*"
}

/programs/nbd-client 10.0.2.2 "$PORT" /dev/nbd0 -N "$NAME"
[ "$(blockdev --getro /dev/nbd0)" = 1 ]
step "sees that it is read-only"

[ "$(dd if=/dev/nbd0 bs=64k count=16 2> /dev/null | sha256sum)" = "$SUM  -" ]
step "reads"

if dd if=/dev/zero of=/dev/nbd0 bs=4k count=1 conv=fsync 2> /dev/null; then
  exit 1
fi
step "cannot write"

if /programs/nbd-client -N other 10.0.2.2 "$PORT" /dev/nbd1; then
  exit 1
fi
step "is refused another name"

/programs/nbd-client -d /dev/nbd0
