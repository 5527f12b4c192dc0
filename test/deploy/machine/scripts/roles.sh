# A unit per role, as docs/install.md says: remote.sh at the remote site, site.sh on the other machine. Here both are one machine,
# so the remote site's has a folder of its own for its configuration, and one for its data.
. ./steps.sh

sh -eu ./install.sh
systemctl disable --now tidemark
rm -r /var/lib/tidemark /etc/tidemark

mkdir /etc/systemd/system/tidemark-remote.service.d
cat > /etc/systemd/system/tidemark-remote.service.d/here.conf << 'END'
[Service]
BindReadOnlyPaths=/etc/tidemark-remote:/etc/tidemark
StateDirectory=tidemark-remote
Environment=TIDEMARK_DATA=/var/lib/tidemark-remote TIDEMARK_STORE_FOLDER=/var/lib/tidemark-remote/objects
Environment=TIDEMARK_HTTP_PORT=7881
END
systemctl daemon-reload
install -d /etc/tidemark-remote
sh -eu ./remote.sh
is_confined tidemark-remote
step "the remote appliance runs"
step "exposure of tidemark-remote: $(exposure tidemark-remote)"

install -d /etc/tidemark
cp /etc/tidemark-remote/token /etc/tidemark-remote/remote-cert.pem /etc/tidemark/
sh -eu ./site.sh
is_confined tidemark-local
is_confined tidemark-interceptor
step "interceptor and local appliance run"
step "exposure of tidemark-local: $(exposure tidemark-local)"
step "exposure of tidemark-interceptor: $(exposure tidemark-interceptor)"

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
