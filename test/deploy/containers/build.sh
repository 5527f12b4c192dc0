#!/usr/bin/env bash
# Makes a base image of Debian's packages, with the Node of this checkout and the npm of this machine, and on it the image of the
# container file. npm is told what authorities this machine trusts, since its registry may be behind one of its own.
set -euo pipefail
source "$ROOT/test/deploy/containers/podman.sh"

tree="$SCRATCH/tree"
mmdebstrap --quiet --variant=minbase --include=ca-certificates,libatomic1 bookworm "$tree"
install -D "$("$ROOT/node_modules/.bin/node" -p process.execPath)" "$tree/usr/local/bin/node"
mkdir -p "$tree/usr/local/lib/node_modules" "$tree/usr/local/etc"
cp -r "$(npm root --global)/npm" "$tree/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$tree/usr/local/bin/npm"
authorities=/etc/ssl/certs/ca-certificates.crt
cp "$authorities" "$tree$authorities"
echo "cafile=$authorities" > "$tree/usr/local/etc/npmrc"
tar --create --directory "$tree" . | podman import --quiet - localhost/base > "$SCRATCH/imported"
rm -r "$tree"
step "a base image of Debian's packages"

cd "$ROOT"
podman build --layers=false --format docker --network host --build-arg PACK_IMAGE=localhost/base --build-arg BASE_IMAGE=localhost/base \
  --file deploy/container/Containerfile --tag tidemark . > "$SCRATCH/built" 2>&1 || {
  cat "$SCRATCH/built"
  exit 1
}
step "the image: $(podman image inspect tidemark --format '{{.User}}, health {{.HealthCheck.Test}}')"
