#!/usr/bin/env bash
# dist.sh: from the release build to what is installed, in target/dist: the static archive, the command line, man pages,
# completions, the bill of materials. Run by `make build`. GATEPOST_RELEASE and GATEPOST_DIST name other folders.
set -euo pipefail
cd "$(dirname "$0")/../.."
built=${CARGO_TARGET_DIR:-target}
release=${GATEPOST_RELEASE:-$built/release}
dist=${GATEPOST_DIST:-$built/dist}
mkdir -p "$dist"

archive=$release/libgatepost.a
if [ "$archive" -nt "$dist/libgatepost.a" ] || [ tests/abi/symbols.txt -nt "$dist/libgatepost.a" ]; then
    bindings/c/archive.sh "$archive" tests/abi/symbols.txt "$dist/libgatepost.a"
fi
cp -f "$release/gatepost" "$dist/gatepost"
rm -rf "$dist/man" "$dist/completions"
"$dist/gatepost" generate "$dist"
if [ Cargo.lock -nt "$dist/THIRD-PARTY.txt" ] || [ bindings/c/bill.py -nt "$dist/THIRD-PARTY.txt" ]; then
    python3 bindings/c/bill.py "$dist"
fi
