#!/usr/bin/env bash
# What a licence costs, beside `openssl speed ed25519` in turns. Ends with 1 below 0.9 of OpenSSL's verifications (the
# signature alone), or when reading a limit takes more than 50 ns.
set -euo pipefail
rounds=${CAMELEER_BENCH_ROUNDS:-9}
if [ ! -e build/bench/build.ninja ]; then cmake --preset release -B build/bench -DCAMELEER_TESTS=ON -Wno-dev --log-level=ERROR >/dev/null; fi
ninja -C build/bench -j "$(nproc)" --quiet bench_license >&2

printf '%-8s %14s %14s %8s %14s %12s\n' round openssl/s signature/s ratio validate/s 'read ns'
for round in $(seq "$rounds"); do
  # The last column of its table: verifications a second.
  openssl=$(openssl speed -seconds 1 ed25519 2>/dev/null | awk '/EdDSA/ { rate = $NF } END { print rate }')
  read -r signature whole nanoseconds < <(build/bench/tests/bench/bench_license)
  echo "$round $openssl $signature $whole $nanoseconds"
done | awk '
  function median(values, count,   i, j, held) {
    for (i = 2; i <= count; i++) for (j = i; j > 1 && values[j - 1] > values[j]; j--) { held = values[j]; values[j] = values[j - 1]; values[j - 1] = held }
    return values[int((count + 1) / 2)]
  }
  { ratios[NR] = $3 / $2; reads[NR] = $5; printf "%-8s %14.0f %14.0f %8.2f %14.0f %12.1f\n", $1, $2, $3, $3 / $2, $4, $5 }
  END {
    ratio = median(ratios, NR); read_time = median(reads, NR)
    printf "median: %.2f of the verifications of openssl speed, a limit in %.1f ns\n", ratio, read_time
    exit !(ratio >= 0.9 && read_time <= 50)
  }'
