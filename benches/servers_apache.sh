#!/usr/bin/env bash
# Apache httpd under wrk: a small static file without authentication, behind mod_auth_basic, and behind Gatepost. One
# child of the event MPM on one core, wrk on another; each row in turns with the same request, field by field, to a place
# that is open to everybody (`Require all granted` in a block of its own, so that httpd merges as much configuration for
# it). The ratios count, the absolute figures are this machine's. The two columns before the last are the processor
# time that the child took for a request, which other work on the machine disturbs less; the last is the ratio in windows of
# 5 ms (benches/windows.c), of the quickest tenth.
#
# SECONDS_EACH=3 CONNECTIONS=32 ROUNDS=3 benches/servers_apache.sh
# GATEPOST_RELEASE: a folder with libgatepost.so and gatepost; left out: target/release, built first.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
seconds=${SECONDS_EACH:-3}
connections=${CONNECTIONS:-32}
rounds=${ROUNDS:-3}
[ -n "${GATEPOST_RELEASE:-}" ] || make --no-print-directory --silent build
release=${GATEPOST_RELEASE:-${CARGO_TARGET_DIR:-$top/target}/release}
release=$(cd "$release" && pwd)
gatepost=$release/gatepost
apxs=${APXS:-apxs}
httpd=$("$apxs" -q SBINDIR)/$("$apxs" -q PROGNAME)
modules=$("$apxs" -q LIBEXECDIR)

work=$(mktemp -d)
chmod 755 "$work"
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
GATEPOST_RELEASE=$release RPATH=1 bindings/apache/build.sh -o "$work" >/dev/null
[ -e "$release/libgatepost.so.0" ] || ln -s "$release/libgatepost.so" "$work/libgatepost.so.0"
cc -std=c11 -O2 -Wall -Wextra benches/windows.c -o "$work/windows"
export LD_LIBRARY_PATH=$work${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

. benches/servers_policy.sh
echo "$password" | "$gatepost" user add rita --role clerk --policy "$policy" >/dev/null 2>&1
key=$("$gatepost" key issue bench --user rita --policy "$policy" --json 2>/dev/null | grep -o 'gp_[A-Za-z0-9_-]\{20,\}' | head -n 1)
es256=$("$gatepost" token issue --user rita --policy "$policy" 2>/dev/null | grep -o 'ey[A-Za-z0-9_.-]*' | head -n 1)
hs256=$(examples/demo/mint.sh "$work/accounts.key" sam clerk 3600)
basic=$(printf 'rita:%s' "$password" | base64 -w0)
htpasswd -bcm "$work/apr1" rita "$password" 2>/dev/null
htpasswd -bcB -C 10 "$work/bcrypt" rita "$password" 2>/dev/null

for path in none pub orders apr1 bcrypt; do
    mkdir -p "$work/htdocs/$path"
    echo 'one order' >"$work/htdocs/$path/7.txt"
done
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
{
    for name in mpm_event authn_core authz_core authz_user auth_basic authn_file mime; do
        echo "LoadModule ${name}_module $modules/mod_$name.so"
    done
    [ "$(id -u)" -ne 0 ] || printf 'User www-data\nGroup www-data\n'
    cat <<CONFIG
LoadModule gatepost_module $work/mod_gatepost.so
ServerRoot $work
DefaultRuntimeDir $work
PidFile $work/pid
ServerName localhost
Listen 127.0.0.1:$port
ErrorLog $work/error.log
TypesConfig $work/types
DocumentRoot $work/htdocs
MaxKeepAliveRequests 0
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
<Directory />
    AllowOverride None
    Require all denied
</Directory>
<Directory $work/htdocs>
    Require all granted
</Directory>
<Location /none>
    Require all granted
</Location>
<Location /pub>
    GatepostPolicy $policy
    Gatepost on
</Location>
<Location /orders>
    GatepostPolicy $policy
    Gatepost on
</Location>
<Location /apr1>
    AuthType Basic
    AuthName Orders
    AuthUserFile $work/apr1
    Require valid-user
</Location>
<Location /bcrypt>
    AuthType Basic
    AuthName Orders
    AuthUserFile $work/bcrypt
    Require valid-user
</Location>
CONFIG
} >"$work/httpd.conf"
echo 'text/plain txt' >"$work/types"
[ "$(id -u)" -ne 0 ] || chown -R www-data "$work"
taskset -c 0 "$httpd" -f "$work/httpd.conf" -DFOREGROUND >"$work/output" 2>&1 &
server=$!
for _ in $(seq 100); do
    grep -q 'resuming normal' "$work/error.log" 2>/dev/null && break
    kill -0 "$server" 2>/dev/null || { cat "$work/output" >&2; exit 1; }
    sleep 0.05
done

# Nanoseconds of processor time that the child has taken so far.
spent() { cat /proc/"$(pgrep -P "$server" | head -n 1)"/task/*/schedstat | awk '{sum += $1} END {printf "%.0f", sum}'; }

# load PATH FIELD: requests per second, the median latency, and microseconds of processor time for each.
load() {
    local before
    before=$(spent)
    taskset -c 1 wrk -t1 -c"$connections" -d"${seconds}s" --latency -H "$2" "http://127.0.0.1:$port/$1/7.txt" >"$work/wrk"
    if grep -q 'Non-2xx' "$work/wrk"; then
        echo "$1: requests were refused:" >&2
        cat "$work/wrk" >&2
        tail -n 3 "$work/error.log" >&2
        exit 1
    fi
    awk -v spent="$(($(spent) - before))" '/Requests\/sec/ {rps = $2} $1 == "50%" {p50 = $2} $2 == "requests" {count = $1}
        END {print rps, p50, spent / count / 1000}' "$work/wrk"
}

# median FILE COLUMN
median() { sort -n -k "$2,$2" "$1" | awk -v column="$2" '{v[NR] = $column} END {print v[int((NR + 1) / 2)]}'; }

# row NAME PATH FIELD: in turns with the same request where nobody looks; the medians of all rounds, and the
# ratio in quiet moments.
row() {
    local quiet=-
    [ "$2" = bcrypt ] || quiet=$(taskset -c 1 "$work/windows" "$connections" 5 $((rounds * 100)) "$3" "$port/none/7.txt" "$port/$2/7.txt" | awk 'END {print $3}')
    : >"$work/with" && : >"$work/without"
    for _ in $(seq "$rounds"); do
        load none "$3" >>"$work/without"
        load "$2" "$3" >>"$work/with"
    done
    awk -v name="$1" -v with="$(median "$work/with" 1)" -v without="$(median "$work/without" 1)" \
        -v p50="$(median "$work/with" 2)" -v took="$(median "$work/with" 3)" -v alone="$(median "$work/without" 3)" -v quiet="$quiet" \
        'BEGIN {printf "| %-40s | %8.0f | %8.0f | %6.4f | %8s | %6.1f | %6.1f | %5s |\n", name, with, without, with / without, p50, took, alone, quiet}'
}

echo "| httpd, event MPM, one core                | requests/s | without | ratio | p50 | µs | without | ratio in quiet moments |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
load none "X-Warm: 1" >/dev/null
row "Gatepost, public route" pub "X-Nothing: 1"
row "Gatepost, bearer token HS256" orders "Authorization: Bearer $hs256"
row "Gatepost, bearer token ES256" orders "Authorization: Bearer $es256"
row "Gatepost, API key" orders "X-API-Key: $key"
row "Gatepost, Basic, remembered" orders "Authorization: Basic $basic"
row "mod_auth_basic, apr1" apr1 "Authorization: Basic $basic"
[ "$seconds" -ge 8 ] || seconds=8 # some twenty a second, and each connection wants one
row "mod_auth_basic, bcrypt cost 10" bcrypt "Authorization: Basic $basic"
