#!/usr/bin/env bash
# What the verification of tokens costs: builds bench_identity as the release is built; identity.mjs runs it.
set -euo pipefail
if [ ! -e build/bench/build.ninja ]; then cmake --preset release -B build/bench -DCAMELEER_TESTS=ON -Wno-dev --log-level=ERROR >/dev/null; fi
ninja -C build/bench -j "$(nproc)" --quiet bench_identity >&2
CAMELEER_BENCH_IDENTITY=$PWD/build/bench/tests/bench/bench_identity exec node "$(dirname "${BASH_SOURCE[0]}")/identity.mjs"
