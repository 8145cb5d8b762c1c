#!/usr/bin/env bash
# build.sh FOLDER: the wheel, put into FOLDER. Wants maturin and cffi on the PATH. With GATEPOST_RELEASE the library in that
# folder is packed as it is; without, maturin builds a release.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -m "$1")
target=$(realpath -m "${CARGO_TARGET_DIR:-$here/../../target}")
[ -z "${GATEPOST_RELEASE:-}" ] || GATEPOST_RELEASE=$(realpath "$GATEPOST_RELEASE")
cd "$here"
mkdir -p "$target"
python3 declare.py --check
# maturin reads the declarations here; from them cffi makes gatepost/_native/ffi.py.
python3 declare.py --cdef "$target/header.h"
# The terms of all that the library holds go along; maturin takes them from below this folder alone.
python3 ../c/bill.py "$target/python/bill" >/dev/null
mkdir -p licenses
cp ../../LICENSE-APACHE ../../LICENSE-MIT "$target/python/bill/THIRD-PARTY.txt" licenses/
if [ -n "${GATEPOST_RELEASE:-}" ]; then
    CARGO=$PWD/prebuilt maturin build --quiet --release --target-dir "$target" --out "$out"
else
    maturin build --release --target-dir "$target" --out "$out"
fi
