#!/usr/bin/env bash
# Starts the server with its embedded engines and a demo Camel system (orders, warehouse) with the agent attached.
# Called by `./dev run`. Ends everything it started on Ctrl-C or SIGTERM.
set -euo pipefail
binaries=$1 orders=$2 agent=$3
shift 3
state=${CAMELEER_DEMO_DIR:-$PWD/build/run}
port=${CAMELEER_DEMO_PORT:-8081} orders_port=${CAMELEER_DEMO_ORDERS_PORT:-8091} warehouse_port=${CAMELEER_DEMO_WAREHOUSE_PORT:-8092}
url=http://127.0.0.1:$port
address=${CAMELEER_DEMO_ADDRESS:-127.0.0.1}
mkdir -p "$state"
# PostgreSQL refuses root, so its user must be able to reach the data; below /root it cannot.
if [ "$(id -u)" = 0 ] && [ -z "${CAMELEER_DEMO_DIR:-}" ] &&
   ! setpriv --reuid=postgres --regid=postgres --clear-groups test -x "$state"; then
  state=/var/lib/cameleer-demo/$(printf %s "$PWD" | sha256sum | cut -c1-12)
  mkdir -p "$state"
  chmod 755 /var/lib/cameleer-demo "$state"
  rmdir build/run 2>/dev/null || true
  ln -sfn "$state" build/run
fi
children=()

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }

# A process group of its own, so that Ctrl-C ends the applications before the server; and no orphan if this script is killed.
own_group() { exec setsid setpriv --pdeathsig TERM "$@"; }

stop() {
  trap - EXIT INT TERM
  say "stopping"
  local pid
  # Applications first: their last executions and their farewell still reach the server.
  for ((i = ${#children[@]} - 1; i >= 0; i--)); do
    pid=${children[i]}
    kill -TERM "$pid" 2>/dev/null || continue
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  done
  wait 2>/dev/null || true
}
trap stop EXIT
trap 'exit 0' INT TERM

# wait_for WHAT SECONDS COMMAND…: until the command succeeds.
wait_for() {
  local what=$1 end=$(($(date +%s) + $2)); shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$end" ] || { say "$what did not come up; see the logs in $state"; exit 1; }
    sleep 0.2
  done
}

say "starting the server (log: $state/server.log)"
own_group "$binaries/bin/cameleer-server" --http.listen="$address:$port" --data-dir="$state/data" \
  --engines.clickhouse-library="$CAMELEER_CHDB_LIBRARY" "$@" >>"$state/server.log" 2>&1 &
server=$!
children+=("$server")
ready() { kill -0 "$server" || exit 1; curl -fsS "$url/health/ready"; }
kill -0 "$server" 2>/dev/null
wait_for "the server" 90 ready

secret() { sed -n "s/^$1=//p" "$state/data/first-start.txt"; }
[ -e "$state/data/first-start.txt" ] || { say "$state/data/first-start.txt is gone: the demo needs its API key"; exit 1; }

export CAMELEER_API_KEY CAMELEER_AGENT_SERVERURL=$url CAMELEER_AGENT_ENVIRONMENT=default
CAMELEER_API_KEY=$(secret api-key)

say "starting the applications warehouse and orders (logs: $state/warehouse.log, $state/orders.log)"
WAREHOUSE_PORT=$warehouse_port CAMELEER_AGENT_APPLICATION=warehouse \
  own_group java -javaagent:"$agent" -jar "$orders/warehouse.jar" >"$state/warehouse.log" 2>&1 &
children+=($!)
ORDERS_PORT=$orders_port WAREHOUSE_URL=http://127.0.0.1:$warehouse_port CAMELEER_AGENT_APPLICATION=orders \
  own_group java -javaagent:"$agent" -jar "$orders/orders/orders.jar" >"$state/orders.log" 2>&1 &
children+=($!)
# An application says so once Camel has started its routes; its port answers earlier.
wait_for "the warehouse application" 60 grep -q "warehouse listening on" "$state/warehouse.log"
wait_for "the orders application" 60 grep -q "orders listening on" "$state/orders.log"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
say "sending 40 orders, some of which fail on purpose"
"$here/tests/fixtures/orders/load.sh" "http://127.0.0.1:$orders_port" 40 | tail -n 1 >&2

cat <<TEXT

  Cameleer    $url
  sign in     $(secret username) / $(secret password)
  API key     $CAMELEER_API_KEY
  orders      http://127.0.0.1:$orders_port    warehouse  http://127.0.0.1:$warehouse_port
  secrets     $state/data/first-start.txt

  An order every two seconds from now on. Ctrl-C stops everything; the data stays in $state.

TEXT
while kill -0 "$server" 2>/dev/null; do
  "$here/tests/fixtures/orders/load.sh" "http://127.0.0.1:$orders_port" 1 >/dev/null 2>&1 || true
  sleep 2 & wait $!
done
say "the server ended; see $state/server.log"
exit 1
