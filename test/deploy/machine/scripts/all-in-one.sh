# All roles in one process, installed as docs/install.md says (install.sh). /dev/vdb has an ext4 file system, and a letter on it.
. ./steps.sh

sh -eu ./install.sh
[ "$(property tidemark ActiveState)" = active ]
is_confined tidemark
[ "$(stat -c '%U %a' /var/lib/tidemark /run/tidemark)" = "$(printf 'tidemark 700\ntidemark 750')" ]
step "installed and started, as a user that may do little"
step "exposure of tidemark: $(exposure tidemark)"

tidemark volume add data --source /dev/vdb --mode async
tidemark volume add small --source /var/lib/tidemark/small.img --size 64M
is_copied() {
  tidemark volume ls --json | grep -q '"baseMissing":false.*"baseMissing":false'
}
until_it is_copied
step "a disk and a file are protected"

sh -eu ./attach.sh
grep -q '^/dev/nbd0 /srv/data ext4 ' /proc/mounts
[ "$(cat /srv/data/letter)" = "dear reader" ]
# Something that uses the disk, as docs/install.md says.
cat > /etc/systemd/system/reader.service << 'END'
[Unit]
BindsTo=tidemark-attach@data.service
After=tidemark-attach@data.service
[Service]
WorkingDirectory=/srv/data
ExecStart=/bin/sleep infinity
END
systemctl start reader
step "attached by its unit, with what was on it"

tidemark mark data --name before --quiesce 'fsfreeze -f /srv/data' --release 'fsfreeze -u /srv/data'
rm /srv/data/letter
echo "a second letter" > /srv/data/second
sync
fstrim /srv/data
open_then
tidemark attach then --mount /srv/then
[ "$(cat /srv/then/letter)" = "dear reader" ]
tidemark detach then
tidemark view close then
tidemark restore data@mark:before --to /var/lib/tidemark/restored.img
[ "$(debugfs -R 'cat letter' /var/lib/tidemark/restored.img 2> /dev/null)" = "dear reader" ]
step "what was deleted is there in a view, and in a copy"

is_read() {
  grep -q ' /srv/data ' /proc/mounts && [ "$(property reader ActiveState)" = active ]
}
systemctl reload tidemark
main=$(property tidemark MainPID)
systemctl restart tidemark
[ "$main" != "$(property tidemark MainPID)" ]
until_it is_read
[ "$(cat /srv/data/second)" = "a second letter" ]
e2fsck -fn /var/lib/tidemark/restored.img > /dev/null
step "restarted, and attached again"

systemctl kill --signal KILL --kill-whom main tidemark
until_it is_back tidemark
until_it is_read
[ "$(cat /srv/data/second)" = "a second letter" ]
echo "a third letter" > /srv/data/third
sync /srv/data/third
step "killed, back by itself, and attached again"

systemctl stop tidemark
has_ended_well tidemark
! grep -q /srv/data /proc/mounts
journalctl --unit tidemark --boot --output cat | grep -q '^stopped:'
step "stopped in order, and detached before"

systemctl start tidemark tidemark-attach@data
[ "$(cat /srv/data/third)" = "a third letter" ]
step "started once more"
