#!/usr/bin/env bash
# test.sh [pytest arguments]: sets up, builds the wheel of the library in GATEPOST_RELEASE (default: target/release), and
# runs the package's tests with it: types by mypy, everything else by pytest. Called by `make test`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(realpath "$here/../..")
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
GATEPOST_RELEASE=$(realpath -m "${GATEPOST_RELEASE:-$target/release}")
export GATEPOST_RELEASE CARGO_TARGET_DIR=$target PYTHONDONTWRITEBYTECODE=1
venv=$("$here/setup.sh")
cd "$here"
"$venv/bin/mypy" --cache-dir "$target/python/mypy"
export PATH=$venv/bin:$PATH
exec python -m pytest -p no:cacheprovider -q --durations=5 tests "$@"
