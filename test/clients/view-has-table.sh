#!/usr/bin/env bash
# Whether the database on a view has a table, for `tidemark bisect` and `drill`: view-has-table.sh TABLE, as root. The database is a
# cluster of Debian's PostgreSQL in the folder `cluster` of a file system. Ends with 0 where it has the table, with 1 where it has not,
# and with 125 where that cannot be told.
set -euo pipefail

table="$1"
status=125
device=""
started=""
folder="$(mktemp -d -t tidemark-view-XXXXXX)"
programs="$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)"

as_its_user() {
  setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"
}

clean_up() {
  set +e
  [[ -z $started ]] || as_its_user "$programs/pg_ctl" -D "$folder/mount/cluster" -w -s -m immediate stop
  # Those that served clients may end later than the one that was waited for.
  until ! mountpoint -q "$folder/mount" || umount "$folder/mount" 2> /dev/null; do sleep 0.1; done
  [[ -z $device ]] || losetup -d "$device"
  ! mountpoint -q "$folder/fuse" || fusermount3 -u "$folder/fuse"
  wait
  rm -rf "$folder"
  exit "$status"
}
trap clean_up EXIT

mkdir "$folder/fuse" "$folder/mount" "$folder/socket"
chmod 711 "$folder"
chown postgres "$folder/socket"

# Where this is killed it goes too: whoever touches a mount that outlives its server hangs.
setpriv --pdeathsig KILL -- nbdfuse "$folder/fuse/disk" "$TIDEMARK_URI" &
until [[ -e $folder/fuse/disk ]]; do
  kill -0 $! || exit
  sleep 0.05
done
device="$(losetup --find --show "$folder/fuse/disk")"
mount "$device" "$folder/mount"
# It names the server of the disk itself: if that runs on this machine, this one would not start beside it, or would end it.
rm -f "$folder/mount/cluster/postmaster.pid"
started=yes
as_its_user "$programs/pg_ctl" -D "$folder/mount/cluster" -w -s -l "$folder/socket/log" \
  -o "-k $folder/socket -c listen_addresses=" start
question="select to_regclass('$table') is not null"
case "$(as_its_user "$programs/psql" -h "$folder/socket" -U postgres -X -A -t -c "$question" postgres)" in
  t) status=0 ;;
  f) status=1 ;;
esac
