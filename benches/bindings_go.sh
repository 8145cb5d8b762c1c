#!/usr/bin/env bash
# What the Go module costs: one decision over the same by C alone, a service of net/http with the middleware beside the
# same without it (wrk, where it is installed), and a token verified beside golang-jwt. What is compared takes turns; of many
# short windows a figure is what a tenth were quicker than, of wrk's seconds the median. TURNS (7) and SECONDS_EACH (2): how
# often and how long the service is asked.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v go >/dev/null || { echo "Go: DID NOT RUN: Go 1.24 or newer is needed: https://go.dev/dl/"; exit 0; }
release=${GATEPOST_RELEASE:-}
if [ -z "$release" ]; then
    make --no-print-directory --silent build
    release=${CARGO_TARGET_DIR:-target}/release
fi
GATEPOST_RELEASE=$(cd "$release" && pwd)
export GATEPOST_RELEASE
bindings/go/archive.sh
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
cc -std=c11 -O2 -Wall -Wextra benches/windows.c -o "$work/windows"
(cd benches/bindings/go && CGO_ENABLED=1 go build -o "$work/bench" .)

gatepost=$GATEPOST_RELEASE/gatepost
cp benches/orders.toml "$work/"
policy=$work/orders.toml
(umask 077; openssl rand -hex 32 >"$work/accounts.key")
echo 'four cups of green tea each noon' | "$gatepost" user add rita --role clerk --policy "$policy" >/dev/null
key=$("$gatepost" key issue bench --user rita --policy "$policy" --json 2>/dev/null | sed -n 's/.*"\(gp_[A-Za-z0-9_-]*\)".*/\1/p')
token=$(examples/demo/mint.sh "$work/accounts.key" sam clerk 3600)

echo "Go: one decision"
"$work/bench" decide "$policy" "$token" "$key"
echo
echo "Go: a token, beside golang-jwt"
mkdir -m 700 "$work/tokens"
"$work/bench" tokens "$work/tokens"
echo
if ! command -v wrk >/dev/null; then
    echo "Go: wrk is not here, so that the middleware is not measured" >&2
    exit 0
fi
echo "Go: requests a second of one service, without and with the middleware"
mkfifo "$work/hold"
"$work/bench" serve "$policy" <"$work/hold" >"$work/addresses" &
server=$!
exec 9>"$work/hold"
for _ in $(seq 100); do
    [ "$(wc -l <"$work/addresses")" = 2 ] && break
    sleep 0.1
done
{ read -r plain; read -r guarded; } <"$work/addresses"
# The server's processor time too: what a request costs, whatever else the machine does.
rate() { # ADDRESS TARGET HEADER: requests a second, and microseconds of the server's processor time for each
    local before after
    before=$(awk '{ print $14 + $15 }' "/proc/$server/stat")
    wrk -t 1 -c 8 -d "${SECONDS_EACH:-2}s" -H "$3" "http://$1$2" >"$work/wrk"
    after=$(awk '{ print $14 + $15 }' "/proc/$server/stat")
    awk -v ticks=$((after - before)) -v hertz="$(getconf CLK_TCK)" '
        /Non-2xx/ { exit 1 } / requests in / { count = $1 } /^Requests\/sec/ { print $2, ticks / hertz * 1e6 / count }' "$work/wrk"
}
measure() { # NAME TARGET HEADER
    local quiet
    quiet=$("$work/windows" 8 5 $((${TURNS:-7} * 80)) "$3" "${plain##*:}$2" "${guarded##*:}$2" | awk 'END { print $3 }')
    for _ in $(seq "${TURNS:-7}"); do
        one=$(rate "$plain" "$2" "$3") two=$(rate "$guarded" "$2" "$3")
        [ -n "$one" ] && [ -n "$two" ] || { echo "bindings_go.sh: $1 is not answered with 200" >&2; exit 1; }
        echo "$one $two"
    done | awk -v name="$1" -v quiet="$quiet" '
        function median(values,   i, j, swap) {
            for (i = 2; i <= NR; i++) for (j = i; j > 1 && values[j - 1] > values[j]; j--) { swap = values[j]; values[j] = values[j - 1]; values[j - 1] = swap }
            return values[int((NR + 1) / 2)]
        }
        { without[NR] = $1; with[NR] = $3; ratio[NR] = $3 / $1; cost_without[NR] = $2; cost_with[NR] = $4; cost[NR] = $2 / $4 }
        END {
            if (!NR) exit 1
            printf "%-8s %9.0f %9.0f  ratio %.3f, in quiet moments %s   processor time of the server, us each: %5.1f %5.1f  ratio %.3f\n",
                name, median(without), median(with), median(ratio), quiet, median(cost_without), median(cost_with), median(cost)
        }'
}
measure public /health "X-None: 1"
measure hs256 /orders/7 "Authorization: Bearer $token"
measure basic /orders/7 "Authorization: Basic cml0YTpmb3VyIGN1cHMgb2YgZ3JlZW4gdGVhIGVhY2ggbm9vbg=="
