#!/usr/bin/env bash
# bindings.sh [NAME…]: what one decision costs in each language beside the C call, in one run; all that are there by
# default, C++ among them in any case, since it measures the C call.
#
# A folder below benches/bindings is a language's if it has an executable `measure`: it is run as
# `measure POLICY TOKEN KEY` and prints lines `LABEL PATH NANOSECONDS`, separated by tabs, for the paths public, basic,
# api-key, hs256 and refused. It finds in the environment GATEPOST_RELEASE, and GATEPOST_BUILD, a folder of its own for
# what it builds. All take their turn, TURNS (3) times over; told is the median of the turns.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
if [ -z "${GATEPOST_RELEASE:-}" ]; then
    make --no-print-directory --silent build
    GATEPOST_RELEASE=${CARGO_TARGET_DIR:-$top/target}/release
fi
GATEPOST_RELEASE=$(cd "$GATEPOST_RELEASE" && pwd)
export GATEPOST_RELEASE
gatepost=$GATEPOST_RELEASE/gatepost
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp benches/orders.toml "$work/"
policy=$work/orders.toml
(umask 077; openssl rand -hex 32 >"$work/accounts.key")
echo 'four cups of green tea each noon' | "$gatepost" user add rita --role clerk --policy "$policy" >/dev/null
key=$("$gatepost" key issue bench --user rita --policy "$policy" --json 2>/dev/null | sed -n 's/.*"\(gp_[A-Za-z0-9_-]*\)".*/\1/p')
token=$(examples/demo/mint.sh "$work/accounts.key" sam clerk 3600)

names=()
for measure in benches/bindings/*/measure; do
    name=$(basename "$(dirname "$measure")")
    if [ $# -eq 0 ] || [ "$name" = cpp ] || [[ " $* " == *" $name "* ]]; then
        names+=("$name")
    fi
done
for ((turn = 0; turn < ${TURNS:-3}; turn++)); do
    for name in "${names[@]}"; do
        export GATEPOST_BUILD=$work/$name
        mkdir -p "$GATEPOST_BUILD"
        "benches/bindings/$name/measure" "$policy" "$token" "$key" >>"$work/figures"
    done
done
python3 - "$work/figures" <<'END'
import statistics
import sys

figures = {}
for line in open(sys.argv[1], encoding="utf-8"):
    label, path, ns = line.rstrip("\n").split("\t")
    figures.setdefault((label, path), []).append(float(ns))
median = {key: statistics.median(values) for key, values in figures.items()}
labels = list(dict.fromkeys(label for label, _ in median))
paths = list(dict.fromkeys(path for _, path in median))
print(f"{'ns/decision':<14}" + "".join(f"{path:>24}" for path in paths))
for label in labels:
    cells = []
    for path in paths:
        ns, c = median.get((label, path)), median.get(("c", path))
        if ns is None:
            cells.append("-")
        elif label == "c" or c is None:
            cells.append(f"{ns:.0f}")
        else:
            cells.append(f"{ns:.0f} ({ns / c:.2f}, {ns - c:+.0f})")
    print(f"{label:<14}" + "".join(f"{cell:>24}" for cell in cells))
END
