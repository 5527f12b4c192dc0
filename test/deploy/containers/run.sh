#!/usr/bin/env bash
# The container file and the compose file at work: as root, test/deploy/containers/run.sh
#
# It takes Debian's packages podman, runc, catatonit, mmdebstrap, libnbd-bin, iproute2, openssl and prometheus. It builds the
# image, on a Debian of its own in place of the images that the file names, which may be out of reach; then it starts the three roles as
# compose.yaml says, in a network of their own. Every step is told; what fails ends it with a status other than 0. All that it
# makes lies in one temporary folder, which goes in the end. It is no part of a suite: kernels differ in what they let containers do.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
scratch="$(mktemp -d)"
export SCRATCH="$scratch"
export ROOT="$(cd "$here/../../.." && pwd)"
source "$here/podman.sh"
trap 'clean_up' EXIT

"$here/build.sh"
# No other program of this machine has their ports, nor is in the way of theirs.
unshare --net "$here/roles.sh"
