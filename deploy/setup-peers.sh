#!/usr/bin/env bash
# Brings the programs that the tests talk to: `setup-peers.sh short` or `setup-peers.sh long`, and those that benchmarks
# compare with: `setup-peers.sh bench`. Installs only what is missing, only as root and only from Debian's packages;
# otherwise names in words what a root user has to run. Tests whose program is missing are skipped and say so, so that is no
# failure.
set -euo pipefail

suite="${1:-short}"
if [[ $# -gt 1 || ! $suite =~ ^(short|long|bench)$ ]]; then
  echo "Usage: setup-peers.sh [short|long|bench]" >&2
  exit 2
fi

# A plain user's PATH leaves out where mkfs and nbd-client are.
PATH="$PATH:/usr/sbin:/sbin"
list="$(dirname "${BASH_SOURCE[0]}")/peers.txt"

missing_commands=()
missing_packages=()
while read -r command package needed_by; do
  [[ -z $command || $command == \#* ]] && continue
  # What the short suite needs all need.
  [[ $needed_by != short && $needed_by != "$suite" ]] && continue
  command -v "$command" > /dev/null && continue
  missing_commands+=("$command")
  [[ " ${missing_packages[*]-} " == *" $package "* ]] || missing_packages+=("$package")
done < "$list"

if [[ ${#missing_commands[@]} -eq 0 ]]; then
  exit 0
fi
if ! command -v apt-get > /dev/null; then
  echo "Some tests will be skipped: they need ${missing_commands[*]}, which this system's own packages have to bring."
  exit 0
fi
install=(apt-get install -y --no-install-recommends "${missing_packages[@]}")
if [[ $(id -u) -ne 0 ]]; then
  echo "Some tests will be skipped; to run them, first run as root: ${install[*]}"
  exit 0
fi

echo "Installing what the tests talk to: ${missing_packages[*]}"
export DEBIAN_FRONTEND=noninteractive
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
# Another apt may be at work, as on a machine that was just started.
options=(-qq -o DPkg::Lock::Timeout=120)
if ! { apt-get "${options[@]}" update && "${install[0]}" "${options[@]}" "${install[@]:1}"; } > "$log" 2>&1 < /dev/null; then
  cat "$log" >&2
  echo "Installing did not succeed. Mend what apt-get says above, or install by hand: ${missing_packages[*]}" >&2
  exit 1
fi
