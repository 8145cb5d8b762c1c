#!/usr/bin/env bash
# docs.sh: the reference of the module as text, made from its comments: target/docs/go.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."
docs=${CARGO_TARGET_DIR:-target}/docs
mkdir -p "$docs"
docs=$(cd "$docs" && pwd)
command -v go >/dev/null || { echo "docs.sh: Go 1.24 or newer is needed: https://go.dev/dl/" >&2; exit 1; }
(cd bindings/go && go doc -all .) >"$docs/go.txt.new"
mv "$docs/go.txt.new" "$docs/go.txt"
echo "the reference of the Go module: $docs/go.txt"
