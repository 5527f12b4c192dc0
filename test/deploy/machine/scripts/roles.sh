# A unit per role, as docs/install.md says: remote.sh at the remote site, site.sh on the other machine. Here both are one machine.
. ./steps.sh
. ./three-roles.sh

site=http://127.0.0.1:7880
tidemark volume add data --source /dev/vdb
is_copied() {
  tidemark status --json | grep -q '"baseMissing":false' && tidemark status --json --api $site | grep -q '"lagRecords":0'
}
until_it is_copied
tidemark mode data sync --api $site

sh -eu ./attach.sh
[ "$(cat /srv/data/letter)" = "dear reader" ]
step "a disk is protected, and attached"

for role in remote local interceptor; do
  systemctl kill --signal KILL --kill-whom main tidemark-$role
  until_it is_back tidemark-$role
  until_it grep -q ' /srv/data ' /proc/mounts
  echo "after the end of $role" > /srv/data/$role
  sync /srv/data/$role
  step "$role killed, back by itself, and written to"
done

sed -i 's/^log:/log:\n  level: warn/' /etc/tidemark-remote/tidemark.yaml /etc/tidemark/tidemark.yaml
for role in remote local interceptor; do
  systemctl reload tidemark-$role
  has_read_it() {
    journalctl --unit tidemark-$role --boot --output cat | grep -q 'in force now: log.level'
  }
  until_it has_read_it
  main=$(property tidemark-$role MainPID)
  systemctl restart tidemark-$role
  [ "$main" != "$(property tidemark-$role MainPID)" ]
  until_it grep -q ' /srv/data ' /proc/mounts
  [ "$(cat /srv/data/$role)" = "after the end of $role" ]
done
step "each has read its configuration again, and was restarted"

for role in interceptor local remote; do
  systemctl stop tidemark-$role
  has_ended_well tidemark-$role
done
! grep -q /srv/data /proc/mounts
step "all stopped in order"
