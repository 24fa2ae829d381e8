#!/usr/bin/env bash
# What roll-ups cost and what they save: a day of executions rolled up as the server does it, and the day's figures from
# roll-ups beside the same from the rows, in turns, on an engine of its own. Ends with 1 when the two answers differ.
set -euo pipefail
if [ ! -e build/bench/build.ninja ]; then cmake --preset release -B build/bench -DCAMELEER_TESTS=ON -Wno-dev --log-level=ERROR >/dev/null; fi
ninja -C build/bench -j "$(nproc)" --quiet bench_rollups >&2
exec build/bench/tests/bench/bench_rollups "${CAMELEER_BENCH_ROWS:-1000000}" "${CAMELEER_BENCH_ROUNDS:-6}" schemas/clickhouse
