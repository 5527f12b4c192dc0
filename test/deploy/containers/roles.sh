#!/usr/bin/env bash
# The three roles of compose.yaml, in a network that has nothing but them: a host writes over NBD, containers are killed, restarted
# and stopped, and nothing is lost.
set -euo pipefail
source "$ROOT/test/deploy/containers/podman.sh"
ip link set lo up

# The compose file, with a token of its own.
cp -r "$ROOT/deploy" "$SCRATCH/deploy"
cd "$SCRATCH/deploy/container"
openssl rand -hex 32 | install -m 600 -o 10001 /dev/stdin "$SCRATCH/token"
sed -i "s|/etc/tidemark/container.token|$SCRATCH/token|" compose.yaml
in_role() {
  podman exec "tidemark_$1_1" "${@:2}"
}
until_it() {
  until "$@" > /dev/null 2>&1; do sleep 0.2; done
}
is_healthy() {
  podman healthcheck run "tidemark_$1_1"
}
for role in remote local interceptor; do
  node "$ROOT/test/deploy/containers/compose.js" $role
done
for role in remote local interceptor; do
  until_it is_healthy $role
  [[ "$(in_role $role cat /proc/1/status | grep -c '^CapEff:.0*$')" = 1 ]]
  [[ "$(in_role $role id -u)" = 10001 ]]
  if in_role $role sh -c 'echo > /etc/written' 2> /dev/null; then exit 1; fi
  step "$role is healthy, is nobody on this machine, and cannot write but to its volume"
done

in_role interceptor tidemark volume add disk --source /var/lib/tidemark/disk.img --size 256M
in_role local tidemark mode disk sync --api http://127.0.0.1:7880
dd if=/dev/urandom of="$SCRATCH/first" bs=1M count=128 2> /dev/null
nbdcopy --flush "$SCRATCH/first" nbd://127.0.0.1/disk
step "a host has written 128 MiB in sync"

# What an export holds at its beginning, next to a file.
same() {
  nbdcopy "$1" "$SCRATCH/read" && cmp --bytes=$((128 * 1024 * 1024)) "$SCRATCH/read" "$SCRATCH/$2"
}
for role in remote local interceptor; do
  podman kill "tidemark_$role""_1" > "$SCRATCH/killed"
  podman start "tidemark_$role""_1" > "$SCRATCH/killed"
  until_it is_healthy $role
  until_it same nbd://127.0.0.1/disk first
  step "$role killed and started again"
done

in_role interceptor tidemark view open disk@now --name then --api http://127.0.0.1:7881
dd if=/dev/urandom of="$SCRATCH/second" bs=1M count=128 2> /dev/null
nbdcopy --flush "$SCRATCH/second" nbd://127.0.0.1/disk
same nbd://127.0.0.1/disk second
uri="$(in_role remote tidemark view ls --json --api http://127.0.0.1:7881 | sed -n 's/.*"uri":"\([^"]*\)".*/\1/p')"
step "written anew; the view of what was before is at $uri"
volume="$(podman volume inspect tidemark_remote --format '{{.Mountpoint}}')"
same "nbd+unix:///then?socket=$volume/views.sock" first
step "and holds it"

mkdir -p "$SCRATCH/prometheus/rules"
cp prometheus.yml "$SCRATCH/prometheus/"
cp ../prometheus/tidemark.rules.yml "$SCRATCH/prometheus/rules/"
prometheus --config.file="$SCRATCH/prometheus/prometheus.yml" --storage.tsdb.path="$SCRATCH/prometheus/data" \
  --web.listen-address=127.0.0.1:9090 > "$SCRATCH/prometheus/log" 2>&1 &
prometheus=$!
asked() {
  node -e 'fetch("http://127.0.0.1:9090/api/v1/query?query=" + encodeURIComponent(process.argv[1])).then(async (answer) => {
    const { data } = await answer.json();
    process.exit(data.result[0]?.value[1] === process.argv[2] ? 0 : 1);
  })' "$1" "$2"
}
until_it asked 'sum(up)' 3
until_it asked 'count(tidemark_build_info)' 3
until_it asked 'min(tidemark_ready)' 1
step "Prometheus has them all"
kill $prometheus

for role in interceptor local remote; do
  podman stop --time 120 "tidemark_$role""_1" > "$SCRATCH/stopped"
  [[ "$(podman inspect "tidemark_$role""_1" --format '{{.State.ExitCode}}')" = 0 ]]
  podman logs "tidemark_$role""_1" 2>&1 | grep '^stopped' | tail -n 1
done
step "all stopped in order"
