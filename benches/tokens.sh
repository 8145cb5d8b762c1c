#!/usr/bin/env bash
# What a decision on a bearer token costs through the C interface, cold and remembered, beside other libraries and the
# bare primitive, for each algorithm: nanoseconds, and in brackets their ratio to the primitive's; "-" where a library
# lacks the algorithm. All are measured in turn, several times over, and the median of these counts, so that what else
# the machine does falls on all of them.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
turns=${TURNS:-5}
seconds=${SECONDS_EACH:-0.2}
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
release=${GATEPOST_RELEASE:-$target/release}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -n "${GATEPOST_RELEASE:-}" ] || make --no-print-directory --silent build
cargo bench --quiet --no-run --bench tokens
cargo bench --quiet --bench tokens -- prepare "$work"

build() {
    cc -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -Wall -Wextra "$1" -o "$2" "${@:3}"
}
build benches/tokens/ours.c "$work/ours" -I include -L "$release" -lgatepost -Wl,-rpath,"$release"
build benches/tokens/with_libjwt.c "$work/with_libjwt" -ljwt
python=$target/differential/python/bin/python
go=
if command -v go >/dev/null; then
    (cd benches/tokens/golang && CGO_ENABLED=0 go build -o "$work/with_golang" .) && go=there
fi
[ -n "$go" ] || echo "golang-jwt is left out: Go 1.21 or newer is not here" >&2

algorithms="HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA ML-DSA-44 ML-DSA-65 ML-DSA-87"
for _ in $(seq "$turns"); do
    cargo bench --quiet --bench tokens -- measure "$work"
    "$work/ours" gatepost-cold "$work/cold.toml" "$work" "$seconds" $algorithms
    "$work/ours" gatepost-remembered "$work/cached.toml" "$work" "$seconds" $algorithms
    "$work/with_libjwt" "$work" "$seconds" $algorithms
    [ -z "$go" ] || "$work/with_golang" "$work" "$seconds" $algorithms
    "$python" benches/tokens/with_pyjwt.py "$work" "$seconds" $algorithms
done | awk -v algorithms="$algorithms" '
    { values[$1, $2] = values[$1, $2] " " $3; if (!($1 in seen)) { seen[$1] = 1; order[++count] = $1 } }
    function median(text,   parts, n, i, j, swap) {
        n = split(text, parts, " ")
        for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (parts[j] + 0 < parts[i] + 0) {
            swap = parts[i]; parts[i] = parts[j]; parts[j] = swap
        }
        return parts[int((n + 1) / 2)]
    }
    END {
        n = split(algorithms, each, " ")
        printf "%-10s", "ns"
        for (who = 1; who <= count; who++) printf " %19s", order[who]
        print ""
        for (a = 1; a <= n; a++) {
            bare = median(values["primitive", each[a]])
            printf "%-10s", each[a]
            for (who = 1; who <= count; who++) {
                key = order[who] SUBSEP each[a]
                value = key in values ? median(values[key]) : 0
                printf " %19s", value ? sprintf("%d (%.2f)", value, value / bare) : "-"
            }
            print ""
        }
    }'
