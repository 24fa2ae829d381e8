#!/usr/bin/env bash
# A clean build of the server and its engine program as users run them, without ccache, and the size of the result.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/sources.sh"
make_copy
export CCACHE_DISABLE=1
target=$PWD/build/bench-clean
rm -rf "$target"
cd "$copy"
configure=$(seconds sh -c 'cmake --preset release -B "$1" -Wno-dev >/dev/null' sh "$target")
compile=$(seconds ninja -C "$target" -j "$(nproc)" --quiet)
echo "clean release build on $(nproc) cores, no ccache: configure $configure s, compile and link $compile s, $(find . -name '*.cpp' -not -path './tests/*' | wc -l) sources"
for program in cameleer-server cameleer-clickhouse; do
  file=$target/bin/$program
  strip -o "$file.stripped" "$file"
  printf '  %-20s %6.1f MiB, %5.1f MiB stripped\n' $program "$(stat -c %s "$file" | awk '{print $1/1048576}')" "$(stat -c %s "$file.stripped" | awk '{print $1/1048576}')"
done
rm -rf "$target" "$copy"
