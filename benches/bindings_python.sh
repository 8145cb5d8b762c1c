#!/usr/bin/env bash
# What the Python package costs: a decision over the same call in C, a service with the middleware over the same without,
# and a token over PyJWT. GATEPOST_RELEASE names a folder in which library and command line are already. TURNS (5) and
# SECONDS_EACH (2): how often and how long the services are asked.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
target=$(realpath -m "${CARGO_TARGET_DIR:-$top/target}")
if [ -z "${GATEPOST_RELEASE:-}" ]; then
    make --no-print-directory --silent build
    GATEPOST_RELEASE=$target/release
fi
GATEPOST_RELEASE=$(realpath "$GATEPOST_RELEASE")
export GATEPOST_RELEASE CARGO_TARGET_DIR=$target PYTHONDONTWRITEBYTECODE=1
venv=$(bindings/python/setup.sh)
.ci/oracles >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cc -std=c11 -O2 -Wall -Wextra benches/windows.c -o "$work/windows"
cc -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -Wall -Wextra -shared -fPIC -I include benches/bindings/python/loop.c -o "$work/loop.so"
gatepost=$GATEPOST_RELEASE/gatepost
cp benches/orders.toml "$work/"
policy=$work/orders.toml
(umask 077; openssl rand -hex 32 >"$work/accounts.key")
echo 'four cups of green tea each noon' | "$gatepost" user add rita --role clerk --policy "$policy" >/dev/null
key=$("$gatepost" key issue bench --user rita --policy "$policy" --json | sed -n 's/.*"\(gp_[A-Za-z0-9_-]*\)".*/\1/p')
token=$(examples/demo/mint.sh "$work/accounts.key" sam clerk 36000)

"$venv/bin/python" benches/bindings/python/decide.py "$work/loop.so" "$policy" "$token" "$key"
echo
"$venv/bin/python" benches/bindings/python/tokens.py "$work" "$(echo "$target"/differential/python/lib/python3*/site-packages)"
echo
if command -v valgrind >/dev/null; then
    cc -O2 -shared -fPIC benches/bindings/python/switch.c -o "$work/switch.so"
    mkdir "$work/counted"
    # Names of attributes lie in the same order each time.
    PYTHONHASHSEED=0 valgrind -q --tool=callgrind --instr-atstart=no --callgrind-out-file="$work/counted/c" \
        "$venv/bin/python" benches/bindings/python/count.py run "$work/switch.so" "$policy" "$token" 2>"$work/valgrind" ||
        { cat "$work/valgrind" >&2; exit 1; }
    "$venv/bin/python" benches/bindings/python/count.py read "$work/counted"
else
    echo "instructions: DID NOT RUN: valgrind is missing"
fi
echo
if command -v wrk >/dev/null; then
    "$venv/bin/python" benches/bindings/python/middleware.py "$policy" "$token" "${TURNS:-5}" "${SECONDS_EACH:-2}" "$work/windows"
else
    echo "middleware: DID NOT RUN: wrk is missing"
fi
