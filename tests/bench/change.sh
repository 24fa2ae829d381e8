#!/usr/bin/env bash
# From a changed line in a feature's .cpp to a linked server. The first build of each preset is not measured and may
# come from ccache; the changed file never does.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/sources.sh"
make_copy
cd "$copy"
file=apps/server/agents/agent_service.cpp
for preset in release dev; do
  cmake --preset "$preset" -B "build/$preset" -DCAMELEER_TESTS=OFF -Wno-dev --log-level=ERROR >/dev/null
  ninja -C "build/$preset" -j "$(nproc)" --quiet cameleer-server >&2
  times=()
  for turn in 1 2 3 4 5; do
    echo "namespace { [[maybe_unused]] constexpr int ${preset}_line_$turn = $turn; }" >> $file
    elapsed=$(CCACHE_DISABLE=1 seconds ninja -C "build/$preset" --quiet cameleer-server)
    times+=("$elapsed")
  done
  sorted=$(printf '%s\n' "${times[@]}" | sort -n | tr '\n' ' ')
  echo "one line in $file, preset $preset: $(echo "$sorted" | cut -d' ' -f3) s median, $(echo "$sorted" | cut -d' ' -f1) s best   aim: under 20"
done
rm -rf "$copy"
