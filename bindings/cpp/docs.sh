#!/usr/bin/env bash
# docs.sh: writes the reference of gatepost.hpp to target/docs/cpp. A comment that is missing or wrong is an error.
# GATEPOST_DOCS names another folder.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v doxygen >/dev/null || { echo "docs.sh: doxygen is missing: apt-get install doxygen" >&2; exit 1; }
OUT=${GATEPOST_DOCS:-${CARGO_TARGET_DIR:-target}/docs/cpp}
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
export OUT VERSION
mkdir -p "$OUT"
doxygen bindings/cpp/Doxyfile
echo "$OUT/index.html"
