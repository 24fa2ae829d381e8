#!/usr/bin/env bash
# What hostile peers cost a healthy client: builds bench_hostile_peers as the release is built, and runs it.
set -euo pipefail
if [ ! -e build/bench/build.ninja ]; then cmake --preset release -B build/bench -DCAMELEER_TESTS=ON -Wno-dev --log-level=ERROR >/dev/null; fi
ninja -C build/bench -j "$(nproc)" --quiet bench_hostile_peers >&2
exec build/bench/tests/bench/bench_hostile_peers
