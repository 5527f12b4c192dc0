# In a container, whose kernel and devices are those of the machine around it: a volume that is a file, and nothing attached.
. ./steps.sh
. ./versions.sh
# Each is a new one.
protect() {
  tidemark volume add small --source "/var/lib/tidemark/$1.img" --size 64M
  until_it is_ready
}

sh -eu ./install.sh
[ "$(property tidemark ActiveState)" = active ]
is_confined tidemark
step "installed and started, as a user that may do little"
step "exposure of tidemark: $(exposure tidemark)"

protect first
tidemark story small
tidemark mark small --name before
if tidemark up --config /etc/tidemark/tidemark.yaml 2> refused; then exit 1; fi
grep -q '^tidemark: /var/lib/tidemark belongs to the user with the number .* --as-root$' refused
step "a file was deleted on a volume, and has come back"

systemctl kill --signal KILL --kill-whom main tidemark
until_it is_back tidemark
until_it is_ready
step "killed, and back by itself"

[ "$(tidemark --version)" = "tidemark $first" ]
sh -eu ./upgrade.sh
[ "$(tidemark --version)" = "tidemark $second" ]
runs "$first"
systemctl restart tidemark
until_it is_ready
runs "$second"
is_confined tidemark
tidemark points small | grep before
tidemark story small
step "another version runs in its place, and has what was before"

systemctl stop tidemark
has_ended_well tidemark
journalctl --unit tidemark --boot --output cat | grep '^stopped:'
step "stopped in order"

. ./three-roles.sh
protect second
tidemark mode small sync --api http://127.0.0.1:7880
until_it write_block
for role in remote local interceptor; do
  systemctl kill --signal KILL --kill-whom main tidemark-$role
  until_it is_back tidemark-$role
  until_it write_block
  step "$role killed, back by itself, and written to"
done
for role in interceptor local remote; do
  systemctl stop tidemark-$role
  has_ended_well tidemark-$role
done
step "all stopped in order"
