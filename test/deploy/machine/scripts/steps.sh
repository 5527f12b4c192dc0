# What the scripts have in common.
step() {
  echo "GUEST: $*"
}
# Waits for an event, looking for it now and then.
until_it() {
  until "$@" > /dev/null 2>&1; do sleep 0.2; done
}
property() {
  systemctl show --property "$2" --value "$1"
}
# The program answers again, as another process than before. systemd has started it, once.
is_back() {
  [ "$(property "$1" ActiveState)" = active ] && [ "$(property "$1" NRestarts)" -ge 1 ]
}
has_ended_well() {
  [ "$(property "$1" ActiveState)" = inactive ] && [ "$(property "$1" Result)" = success ]
}
# What the kernel lets its main process do: nothing that the unit does not name.
is_confined() {
  status="/proc/$(property "$1" MainPID)/status"
  grep -q "^Uid:.$(id -u tidemark)" "$status"
  grep -q '^CapEff:.0*$' "$status"
  grep -q '^CapBnd:.0*$' "$status"
  grep -q '^NoNewPrivs:.1$' "$status"
  grep -q '^Seccomp:.2$' "$status"
}
exposure() {
  systemd-analyze security --no-pager "$1" | sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p'
}
# The view that shows the mark. Where the machine is slow the command ends before it is there, and says that it may still come.
open_then() {
  tidemark view open data@mark:before --name then || echo "waiting for it"
  until_it is_open
}
is_open() {
  tidemark view ls --json | grep '"name":"then"' | grep -q '"state":"open"'
}
is_ready() {
  tidemark status --json | grep -q '"ready":true'
}
# That version.
runs() {
  tidemark status --json | grep -q "\"version\":\"$1\""
}
# As a host: what it has written is durable when this ends.
write_block() {
  node write-block.mjs
}
