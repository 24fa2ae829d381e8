#!/usr/bin/env bash
# `./dev bench [name…]`: every benchmark when no name is given: http, start, agent, change, peers, identity, license, schema, ingest, journal, retention, rollups, and build (a clean build,
# minutes). `./dev` has built the release and exported what is needed. docs/benchmarks.md explains the figures.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
export CAMELEER_BUILD=$PWD/build/release

for name in "$@"; do
  case $name in
    http | start | agent | change | peers | identity | license | schema | ingest | journal | retention | rollups | build | all) ;;
    *) echo "bench: there is no benchmark '$name': http, start, agent, change, peers, identity, license, schema, ingest, journal, retention, rollups, build, all" >&2; exit 2 ;;
  esac
done
if [ $# = 0 ] || [ "$*" = all ]; then set -- http start agent change peers identity license schema ingest journal retention rollups build; fi

# alone COMMAND…: in a network of its own where that is allowed, out of reach of the machine's packet filters.
alone() {
  if [ "$(id -u)" = 0 ] && unshare -n ip link set lo up 2>/dev/null; then
    unshare -n sh -c 'ip link set lo up && exec "$@"' sh "$@"
  else
    "$@"
  fi
}

one() {
  case $1 in
    http | start | agent | schema | ingest | retention) alone node "$here/$1.mjs" ;;
    peers | identity | rollups) alone "$here/$1.sh" ;;
    *) "$here/$1.sh" ;;
  esac
}

failed=()
for name in "$@"; do
  printf '\n== %s (load %s)\n' "$name" "$(cut -d' ' -f1 /proc/loadavg)"
  one "$name" || failed+=("$name")
done
if [ ${#failed[@]} -gt 0 ]; then echo "did not end well: ${failed[*]}" >&2; exit 1; fi
