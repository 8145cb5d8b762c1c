#!/usr/bin/env bash
# nginx under wrk. First a small static file on one worker: nobody looking, Gatepost, auth_basic, auth_request; each row
# beside the same request with nobody looking at it, in turns, and once more in windows of 5 ms (benches/windows.c), whose
# quickest tenth tells the ratio for the moments in which nobody else has the core. Then the same file without
# authentication while eight clients log in on the same worker as fast as they can, beside nginx's own auth_basic with
# bcrypt. The ratios count, the absolute figures are this machine's.
#
# SECONDS_EACH=3 CONNECTIONS=32 ROUNDS=3 benches/servers_nginx.sh
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

work=$(mktemp -d)
chmod 755 "$work"
servers=()
clients=()
finish() {
    for pid in "${clients[@]}" "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
GATEPOST_RELEASE=$release bindings/nginx/build.sh >/dev/null
module=$(realpath "${CARGO_TARGET_DIR:-target}")/nginx/ngx_http_gatepost_module.so
[ -e "$release/libgatepost.so.0" ] || ln -s "$release/libgatepost.so" "$work/libgatepost.so.0"
cc -std=c11 -O2 -Wall -Wextra benches/windows.c -o "$work/windows"
export LD_LIBRARY_PATH=$work${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

. benches/servers_policy.sh
for name in rita user0 user1 user2 user3 user4 user5 user6 user7; do
    echo "$password" | "$gatepost" user add "$name" --role clerk --policy "$policy" >/dev/null 2>&1
done
key=$("$gatepost" key issue bench --user rita --policy "$policy" --json 2>/dev/null | grep -o 'gp_[A-Za-z0-9_-]\{20,\}' | head -n 1)
es256=$("$gatepost" token issue --user rita --policy "$policy" 2>/dev/null | grep -o 'ey[A-Za-z0-9_.-]*' | head -n 1)
hs256=$(examples/demo/mint.sh "$work/accounts.key" sam clerk 3600)
basic=$(printf 'rita:%s' "$password" | base64 -w0)
# The same without remembering, for the logins; on the same state.
{ cat "$policy"; printf '[password]\nremember = "0s"\n'; } >"$work/forgetful.toml"
printf 'rita:{PLAIN}%s\n' "$password" >"$work/plain"
htpasswd -bcm "$work/apr1" rita "$password" 2>/dev/null
for n in 0 1 2 3 4 5 6 7; do htpasswd -bB -C 10 $([ "$n" = 0 ] && echo -c) "$work/bcrypt" "user$n" "$password" 2>/dev/null; done

for path in none pub orders plain apr1 bcrypt asked login; do
    mkdir -p "$work/html/$path"
    echo 'one order' >"$work/html/$path/7.txt"
done
mkdir -p "$work/html/orders/login"
echo 'one order' >"$work/html/orders/login/7.txt"

# serve NAME POOL: starts an nginx with one worker, and sets $port.
serve() {
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    mkdir -p "$work/tmp"
    cat >"$work/$1.conf" <<CONFIG
load_module $module;
worker_processes 1;
pid $work/$1.pid;
error_log $work/$1.log error;
$([ "$(id -u)" -ne 0 ] || echo "user root;")
${3:-}
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path $work/tmp/a; proxy_temp_path $work/tmp/b; fastcgi_temp_path $work/tmp/c;
    uwsgi_temp_path $work/tmp/d; scgi_temp_path $work/tmp/e;
    keepalive_requests 100000000;
    root $work/html;
    sendfile on;
    open_file_cache max=100;
    $2
    server {
        listen 127.0.0.1:$port;
        location /none/ { }
        location /pub/ { gatepost_policy $policy; gatepost on; }
        location /orders/ { gatepost_policy $policy; gatepost on; }
        location /orders/login/ { gatepost_policy $work/forgetful.toml; gatepost on; }
        location /plain/ { auth_basic Orders; auth_basic_user_file $work/plain; }
        location /apr1/ { auth_basic Orders; auth_basic_user_file $work/apr1; }
        location /bcrypt/ { auth_basic Orders; auth_basic_user_file $work/bcrypt; }
        location /asked/ { auth_request /ask; }
        location = /ask { internal; proxy_pass http://127.0.0.1:$port/yes; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
        location = /yes { return 204; }
    }
}
CONFIG
    ${pin:-} nginx -p "$work" -c "$work/$1.conf" -e "$work/$1.log" -g 'daemon off;' >"$work/$1.out" 2>&1 &
    servers+=("$!")
    for _ in $(seq 200); do
        curl -s -o /dev/null "http://127.0.0.1:$port/none/7.txt" && return
        kill -0 "${servers[-1]}" 2>/dev/null || { cat "$work/$1.out" >&2; exit 1; }
        sleep 0.05
    done
    exit 1
}

stop() {
    for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done
    servers=()
}

# ticks: processor time of the worker so far, in hundredths of a second.
ticks() {
    awk '{print $14 + $15}' "/proc/$(pgrep -P "${servers[-1]}" | head -n 1)/stat"
}

# load PATH FIELD: requests per second, the latencies p50 and p99, and the worker's processor time for each request, in µs.
load() {
    local before
    before=$(ticks)
    taskset -c 1 wrk -t1 -c"$connections" -d"${seconds}s" --latency -H "$2" "http://127.0.0.1:$port/$1/7.txt" >"$work/wrk"
    if grep -q 'Non-2xx' "$work/wrk"; then
        echo "$1: requests were refused:" >&2
        cat "$work/wrk" >&2
        exit 1
    fi
    awk -v ticks="$(($(ticks) - before))" 'function us(t) {return t ~ /us$/ ? t + 0 : t ~ /ms$/ ? t * 1000 : t * 1000000}
        /Requests\/sec/ {rps = $2} / requests in / {n = $1} $1 == "50%" {p50 = us($2)} $1 == "99%" {p99 = us($2)}
        END {print rps, p50, p99, ticks * 10000 / n}' "$work/wrk"
}

# median COLUMN FILE
median() { sort -n -k"$1,$1" "$2" | awk -v c="$1" '{v[NR] = $c} END {print v[int((NR + 1) / 2)]}'; }

# row NAME PATH FIELD: in turns with the same request where nobody looks; the medians of all rounds, and the
# ratio in quiet moments.
row() {
    local quiet
    quiet=$(taskset -c 1 "$work/windows" "$connections" 5 $((rounds * 100)) "$3" "$port/none/7.txt" "$port/$2/7.txt" | awk 'END {print $3}')
    : >"$work/with" && : >"$work/without"
    for _ in $(seq "$rounds"); do
        load none "$3" >>"$work/without"
        load "$2" "$3" >>"$work/with"
    done
    awk -v name="$1" -v with="$(median 1 "$work/with")" -v without="$(median 1 "$work/without")" -v cpu="$(median 4 "$work/with")" -v bare="$(median 4 "$work/without")" \
        -v quiet="$quiet" \
        'BEGIN {printf "| %-44s | %8.0f | %8.0f | %5.2f | %6.2f | %6.2f | %5.2f | %5s |\n", name, with, without, with / without, cpu, bare, bare / cpu, quiet}'
}

pin="taskset -c 0"
serve table "" ""
# On a busy machine the last four columns hold: what the worker itself spends on a request, and the ratio of short windows.
echo "| nginx, one worker on one core | requests/s | nobody looking | ratio | µs of the worker | nobody looking | ratio | in quiet moments |"
echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
load none "X-Warm: 1" >/dev/null
row "Gatepost, public route" pub "X-Nothing: 1"
row "Gatepost, bearer token HS256, remembered" orders "Authorization: Bearer $hs256"
row "Gatepost, bearer token ES256, remembered" orders "Authorization: Bearer $es256"
row "Gatepost, API key" orders "X-API-Key: $key"
row "Gatepost, Basic, remembered" orders "Authorization: Basic $basic"
row "auth_basic, plain text" plain "Authorization: Basic $basic"
row "auth_basic, apr1" apr1 "Authorization: Basic $basic"
row "auth_request, return 204 on the same worker" asked "Authorization: Basic $basic"
stop
pin=

# Each of eight clients is a user of its own: equal passwords of one user would be hashed once for all.
cat >"$work/logins.lua" <<LUA
local users = { $(for n in 0 1 2 3 4 5 6 7; do printf '"%s",' "$(printf 'user%s:%s' "$n" "$password" | base64 -w0)"; done) }
local n = 0
request = function()
    n = n + 1
    return wrk.format("GET", nil, { Authorization = "Basic " .. users[n % 8 + 1] })
end
LUA

# meanwhile NAME LOGIN CLIENTS: the static file alone, and while so many clients log in; medians of all rounds.
meanwhile() {
    : >"$work/alone" && : >"$work/busy" && : >"$work/logins"
    for _ in $(seq "$rounds"); do
        load none "X-Nothing: 1" >>"$work/alone"
        wrk -t1 -c"$3" -d"$((seconds + 2))s" --timeout 60s -s "$work/logins.lua" "http://127.0.0.1:$port/$2/7.txt" >"$work/login.out" &
        clients=("$!")
        sleep 1
        load none "X-Nothing: 1" >>"$work/busy"
        wait "${clients[0]}" || true
        clients=()
        ! grep -q 'Non-2xx' "$work/login.out" || { cat "$work/login.out" >&2; exit 1; }
        awk '/Requests\/sec/ {print $2}' "$work/login.out" >>"$work/logins"
    done
    awk -v name="$1" -v a="$(median 1 "$work/alone")" -v b="$(median 1 "$work/busy")" -v pa="$(median 3 "$work/alone")" \
        -v pb="$(median 3 "$work/busy")" -v l="$(median 1 "$work/logins")" \
        'BEGIN {printf "| %-44s | %8.0f | %8.0f | %6.4f | %8.0f | %8.0f | %6.1f | %6.1f |\n", name, a, b, b / a, pa, pb, pb / pa, l}'
}

echo
echo "| static requests while clients log in | alone | meanwhile | ratio | p99 alone, µs | p99 meanwhile | times | logins/s |"
echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
serve own "gatepost_pool threads=2 queue=256;" ""
meanwhile "Gatepost, Argon2id, 8 clients" orders/login 8
stop
serve threads "gatepost_pool thread_pool=hashing threads=2 queue=256;" "thread_pool hashing threads=2;"
meanwhile "the same in a thread pool of nginx's" orders/login 8
stop
serve bcrypt "" ""
meanwhile "auth_basic, bcrypt cost 10, 1 client" bcrypt 1
meanwhile "auth_basic, bcrypt cost 10, 8 clients" bcrypt 8
stop
