#!/usr/bin/env bash
# Plays the main job on a real server: builds, makes a policy, a state file and two users in a temporary folder, starts
# the event-loop server of examples/c on 127.0.0.1 and sends it requests with curl. Leaves nothing running.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

# GATEPOST_RELEASE names a folder in which library and command line are already.
release=${GATEPOST_RELEASE:-}
if [ -z "$release" ]; then
    echo "building the library, the command line and the server (the first time takes some minutes)"
    make --no-print-directory --silent build
    release=${CARGO_TARGET_DIR:-$top/target}/release
fi
gatepost=$release/gatepost

work=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT

cc -O2 -Wall -Wextra -I include examples/c/event_loop.c -o "$work/event_loop" \
    -L "$release" -lgatepost -Wl,-rpath,"$release" $(pkg-config --cflags --libs libevent)

cp "$here/orders.toml" "$work/"
(umask 077; openssl rand -hex 32 >"$work/accounts.key")
policy=$work/orders.toml
"$gatepost" check "$policy"
# Two made-up people; the passwords come from standard input, as they would from a prompt.
echo 'correct horse battery staple' | "$gatepost" user add alice --role admin --policy "$policy" >/dev/null
echo 'four cups of green tea each noon' | "$gatepost" user add rita --role clerk --policy "$policy" >/dev/null
api_key=$("$gatepost" key issue ci --user rita --policy "$policy" 2>/dev/null)
good=$("$here/mint.sh" "$work/accounts.key" sam clerk 300)
expired=$("$here/mint.sh" "$work/accounts.key" sam clerk -300)

"$work/event_loop" "$policy" 0 >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 1200); do
    grep -q '^listening on ' "$work/server.log" && break
    kill -0 "$server" 2>/dev/null || { cat "$work/server.log" >&2; exit 1; }
    sleep 0.05
done
url=http://$(sed -n '/^listening on /{s///p;q;}' "$work/server.log")
echo "the server listens on $url"
echo

failed=0
# play WHAT STATUS REASON CURL-ARGUMENTS…: sends one request, prints one line, and notes where the answer is another.
play() {
    local what=$1 status=$2 reason=$3
    shift 3
    local got seen time
    got=$(curl -s --path-as-is -D "$work/headers" -o "$work/body" -w '%{http_code} %{time_total}' "$@")
    time=$(awk '{printf "%.1f ms", $2 * 1000}' <<<"$got")
    seen=$(tr -d '\r' <"$work/headers" | sed -n 's/^X-Gatepost-Reason: //Ip')
    printf '%-44s %s  %-20s %9s\n' "$what" "${got%% *}" "$seen" "$time"
    if [ "${got%% *} $seen" != "$status $reason" ]; then
        echo "  expected $status $reason" >&2
        failed=1
    fi
}

alice='alice:correct horse battery staple'
rita='rita:four cups of green tea each noon'
printf '%-44s %s\n' request 'status and reason, time taken'
play 'GET /health                 nobody'           200 public               "$url/health"
play 'GET /orders/7               nobody'           401 credentials_missing  "$url/orders/7"
play 'GET /orders/7               wrong password'   401 credentials_invalid  -u 'rita:no idea at all' "$url/orders/7"
play 'GET /orders/7               right password'   200 allowed              -u "$rita" "$url/orders/7"
play 'GET /admin/users            a clerk'          403 role_missing         -u "$rita" "$url/admin/users"
play 'GET /orders/7               expired token'    401 token_expired        -H "Authorization: Bearer $expired" "$url/orders/7"
play 'GET /orders/7               good token'       200 allowed              -H "Authorization: Bearer $good" "$url/orders/7"
play 'GET /orders/7               API key'          200 allowed              -H "X-API-Key: $api_key" "$url/orders/7"
play 'DELETE /orders/7            API key'          403 method_not_granted   -X DELETE -H "X-API-Key: $api_key" "$url/orders/7"
play 'GET /files/..%2Fadmin/users ambiguous'        400 target_ambiguous     "$url/files/..%2Fadmin/users"
play 'GET /admin/users            alice, admin'     200 allowed              -u "$alice" "$url/admin/users"
"$gatepost" user revoke alice admin --policy "$policy" >/dev/null
play 'GET /admin/users            alice, revoked'   403 role_missing         -u "$alice" "$url/admin/users"
for _ in 1 2 3 4; do
    curl -s -o /dev/null -u 'mallory:a guess after a guess' "$url/orders/7"
done
play 'GET /orders/7               the fifth guess'  429 throttled            -u 'mallory:a guess after a guess' "$url/orders/7"

echo
echo "$ gatepost decide orders.toml GET /admin/users --user 'rita:…' --explain"
"$gatepost" decide "$policy" GET /admin/users --user "$rita" --explain || [ $? -eq 3 ]
echo
echo "The command line is $gatepost; README.md goes on from here."
exit "$failed"
