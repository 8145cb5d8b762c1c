#!/usr/bin/env bash
# What a decision on a bearer token costs through the C interface, cold and remembered, beside other libraries and the
# bare primitive: nanoseconds, and their ratio to the primitive's. All are measured in turn, several times over, and the
# median of these counts, so that what else the machine does falls on all of them.
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
head -c 32 /dev/urandom >"$work/HS256.key"
chmod 600 "$work/HS256.key"
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/RS256.private.pem" 2>/dev/null ||
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/RS256.private.pem" 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/ES256.private.pem"
openssl genpkey -algorithm ED25519 -out "$work/EdDSA.private.pem"
for name in RS256 ES256 EdDSA; do
    openssl pkey -in "$work/$name.private.pem" -pubout -out "$work/$name.pem"
done
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

for _ in $(seq "$turns"); do
    cargo bench --quiet --bench tokens -- measure "$work"
    "$work/ours" gatepost-cold "$work/cold.toml" "$work" "$seconds"
    "$work/ours" gatepost-remembered "$work/cached.toml" "$work" "$seconds"
    "$work/with_libjwt" "$work" "$seconds"
    [ -z "$go" ] || "$work/with_golang" "$work" "$seconds"
    "$python" benches/tokens/with_pyjwt.py "$work" "$seconds"
done | awk '
    { values[$1, $2] = values[$1, $2] " " $3; if (!($1 in seen)) { seen[$1] = 1; order[++count] = $1 } }
    function median(text,   parts, n, i, j, swap) {
        n = split(text, parts, " ")
        for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (parts[j] + 0 < parts[i] + 0) {
            swap = parts[i]; parts[i] = parts[j]; parts[j] = swap
        }
        return parts[int((n + 1) / 2)]
    }
    END {
        split("HS256 RS256 ES256 EdDSA", algorithms, " ")
        printf "%-20s", "ns (to primitive)"
        for (a = 1; a <= 4; a++) printf " %18s", algorithms[a]
        print ""
        for (who = 1; who <= count; who++) {
            printf "%-20s", order[who]
            for (a = 1; a <= 4; a++) {
                key = order[who] SUBSEP algorithms[a]
                if (!(key in values)) { printf " %18s", "-"; continue }
                value = median(values[key])
                printf " %18s", sprintf("%d (%.2f)", value, value / median(values["primitive", algorithms[a]]))
            }
            print ""
        }
    }'
