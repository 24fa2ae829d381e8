#!/usr/bin/env bash
# What an acknowledgement costs: the journal's commits beside fdatasync of the same bytes (bench_journal, built as the release is), and the
# latency of data requests in both modes (journal.mjs). CAMELEER_BENCH_DISK: a directory on the disk to measure; build/bench by default.
set -euo pipefail
if [ ! -e build/bench/build.ninja ]; then cmake --preset release -B build/bench -DCAMELEER_TESTS=ON -Wno-dev --log-level=ERROR >/dev/null; fi
ninja -C build/bench -j "$(nproc)" --quiet bench_journal >&2
disk=$(mktemp -d "${CAMELEER_BENCH_DISK:-$PWD/build/bench}/journal-XXXXXX")
trap 'rm -rf "$disk"' EXIT
chmod 711 "$disk"  # as root PostgreSQL runs as postgres, which passes it
build/bench/tests/bench/bench_journal "$disk"
CAMELEER_BENCH_DISK=$disk node "$(dirname "${BASH_SOURCE[0]}")/journal.mjs"
