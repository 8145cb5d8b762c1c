#!/usr/bin/env bash
# The event-loop server of examples/c under wrk: requests with a bearer token, first alone, then while four clients log
# in with passwords as fast as they can. Shows that hashing does not hold up the loop. Both runs are on loopback, with a
# fixed number of connections and seconds; the ratio counts, the absolute figures are this machine's.
#
# SECONDS_EACH=5 CONNECTIONS=16 benches/event_loop.sh
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
seconds=${SECONDS_EACH:-5}
connections=${CONNECTIONS:-16}

make --no-print-directory --silent build
target=${CARGO_TARGET_DIR:-$top/target}
gatepost=$target/release/gatepost
work=$(mktemp -d)
server=
clients=()
finish() {
    for pid in "${clients[@]}" $server; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT

cc -O2 -I include examples/c/event_loop.c -o "$work/event_loop" \
    -L "$target/release" -lgatepost -Wl,-rpath,"$target/release" $(pkg-config --cflags --libs libevent) -pthread
cp examples/demo/orders.toml "$work/"
(umask 077; openssl rand -hex 32 >"$work/accounts.key")
policy=$work/orders.toml
echo 'four cups of green tea each noon' | "$gatepost" user add rita --role clerk --policy "$policy" >/dev/null
token=$(examples/demo/mint.sh "$work/accounts.key" sam clerk 3600)

"$work/event_loop" "$policy" 0 >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 100); do
    grep -q '^listening on ' "$work/server.log" && break
    sleep 0.05
done
url=http://$(sed -n 's/^listening on //p' "$work/server.log" | head -n 1)

# load NAME: wrk with the token; prints requests per second and the latencies.
load() {
    wrk -t1 -c"$connections" -d"${seconds}s" --latency -H "Authorization: Bearer $token" "$url/orders/7" >"$work/$1.txt"
    if grep -q 'Non-2xx' "$work/$1.txt"; then
        echo "$1: requests were refused:" >&2
        cat "$work/$1.txt" >&2
        exit 1
    fi
    awk -v name="$1" '/Requests\/sec/ {rps=$2} $1=="50%" {p50=$2} $1=="99%" {p99=$2} END {printf "%-34s %10.0f requests/s   p50 %8s   p99 %8s\n", name, rps, p50, p99}' "$work/$1.txt"
}

# Logs in over and over on one connection, and counts.
log_in() {
    trap 'echo "$count" >"$work/logins.$1"; exit 0' TERM
    count=0
    while :; do
        curl -s -o /dev/null -u 'rita:four cups of green tea each noon' "$url/orders/7" && count=$((count + 1))
    done
}

load "tokens alone"
for n in 1 2 3 4; do
    log_in "$n" &
    clients+=("$!")
done
sleep 0.5
started=$(date +%s%N)
load "tokens while four clients log in"
for pid in "${clients[@]}"; do kill -TERM "$pid"; done
for pid in "${clients[@]}"; do wait "$pid" || true; done
elapsed=$(($(date +%s%N) - started))
clients=()
logins=$(cat "$work"/logins.* | awk '{n += $1} END {print n}')
awk -v n="$logins" -v ns="$elapsed" 'BEGIN {printf "%-34s %10.1f logins/s\n", "meanwhile", n / (ns / 1e9 + 0.5)}'
paste <(grep Requests/sec "$work/tokens alone.txt") <(grep Requests/sec "$work/tokens while four clients log in.txt") |
    awk '{printf "%-34s %10.2f\n", "while / alone", $4 / $2}'
