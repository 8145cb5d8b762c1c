#!/usr/bin/env bash
# A table of what one decision costs through the C interface of the release library: nanoseconds by the clock (what a
# tenth of 2,001 windows of 100 were quicker than, with the decision's view and end), instructions by callgrind (the
# difference between two runs, so that start-up does not count; "-" where valgrind is missing). A job is never needed on
# these paths.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

# GATEPOST_RELEASE names a folder in which library and command line are already.
release=${GATEPOST_RELEASE:-}
if [ -z "$release" ]; then
    make --no-print-directory --silent build
    release=${CARGO_TARGET_DIR:-$top/target}/release
fi
gatepost=$release/gatepost
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cc -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -Wall -Wextra ${CFLAGS:-} -I include benches/decide.c -o "$work/decide" \
    -L "$release" -lgatepost -Wl,-rpath,"$release"
cp benches/orders.toml "$work/"
policy=$work/orders.toml
(umask 077; openssl rand -hex 32 >"$work/accounts.key")
echo 'four cups of green tea each noon' | "$gatepost" user add rita --role clerk --policy "$policy" >/dev/null
key=$("$gatepost" key issue bench --user rita --policy "$policy" --json | sed -n 's/.*"\(gp_[A-Za-z0-9_-]*\)".*/\1/p')
token=$(examples/demo/mint.sh "$work/accounts.key" sam clerk 3600)

# Instructions of a whole run that takes COUNT decisions on a path.
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$work/decide" "$policy" "$token" "$key" "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

printf '%-12s %14s %24s\n' path 'ns/decision' 'instructions/decision'
"$work/decide" "$policy" "$token" "$key" | while read -r path ns; do
    count=-
    if [ -z "${WITHOUT_INSTRUCTIONS:-}" ] && command -v valgrind >/dev/null; then
        count=$((($(instructions "$path" 3000) - $(instructions "$path" 1000)) / 2000))
    fi
    printf '%-12s %14s %24s\n' "$path" "$ns" "$count"
done
