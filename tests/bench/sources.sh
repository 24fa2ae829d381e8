# Sourced by the build benchmarks: a copy of the checkout to compile, so that the checkout stays as it is. What the
# compiler reads from build/ and the page comes along.
copy=$PWD/build/bench-src

make_copy() {
  rm -rf "$copy"
  mkdir -p "$copy/build"
  git ls-files -z -- CMakeLists.txt CMakePresets.json deploy libs apps tools ':!tools/camel-agent' schemas tests | xargs -0 cp --parents -t "$copy"
  cp -r --parents apps/server/ui/dist build/generated "$copy"
  export CCACHE_BASEDIR=$copy
}

# seconds COMMAND…: runs it and prints how long it took.
seconds() {
  local begin end
  begin=$(date +%s.%N)
  "$@" >&2 || return 1
  end=$(date +%s.%N)
  awk -v begin="$begin" -v end="$end" 'BEGIN { printf "%.1f", end - begin }'
}
