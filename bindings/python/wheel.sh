#!/usr/bin/env bash
# wheel.sh: the wheel for release, in target/wheel; the library is built by maturin, which comes from PyPI with the rest
# of tests/requirements.txt.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=$(realpath -m "${CARGO_TARGET_DIR:-$here/../../target}")
tools=$target/python/tools
if [ ! -x "$tools/bin/maturin" ]; then
    mkdir -p "$target/python"
    python3 -m venv "$tools"
    awk '/^[a-z]/ { wanted = /^(maturin|cffi|pycparser)==/ } wanted' "$here/tests/requirements.txt" >"$target/python/tools.txt"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --retries 10 --only-binary :all: --no-deps --require-hashes \
        -r "$target/python/tools.txt"
fi
unset GATEPOST_RELEASE
export CARGO_TARGET_DIR=$target
PATH=$tools/bin:$PATH "$here/build.sh" "$target/wheel"
