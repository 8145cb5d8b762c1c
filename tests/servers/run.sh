#!/usr/bin/env bash
# run.sh [pytest arguments]: the tests against real servers on loopback. Puts pytest, at the versions and digests of
# requirements.txt, into target/servers; everything that the tests make lies there or in a temporary folder.
# GATEPOST_RELEASE names a folder with libgatepost.so and gatepost; left out: target/release of this repository.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/tests/servers
target=$(realpath -m "${CARGO_TARGET_DIR:-$top/target}")
folder=$target/servers

fail() {
    echo "tests/servers: $1" >&2
    exit 1
}

GATEPOST_RELEASE=$(realpath -m "${GATEPOST_RELEASE:-$target/release}")
[ -e "$GATEPOST_RELEASE/libgatepost.so" ] && [ -x "$GATEPOST_RELEASE/gatepost" ] ||
    fail "$GATEPOST_RELEASE holds no libgatepost.so and gatepost; run: make build"
# The loader asks for the name with the number of the interface; `make build` makes it, `cargo test` does not.
if [ ! -e "$GATEPOST_RELEASE/libgatepost.so.0" ]; then
    mkdir -p "$folder/release"
    ln -sf "$GATEPOST_RELEASE/gatepost" "$folder/release/gatepost"
    ln -sf "$GATEPOST_RELEASE/libgatepost.so" "$folder/release/libgatepost.so"
    ln -sf "$GATEPOST_RELEASE/libgatepost.so" "$folder/release/libgatepost.so.0"
    GATEPOST_RELEASE=$folder/release
fi
export GATEPOST_RELEASE

wanted=$(sha256sum <"$here/requirements.txt")
if [ "$(cat "$folder/installed" 2>/dev/null || true)" != "$wanted" ]; then
    rm -rf "$folder/python" "$folder/installed"
    mkdir -p "$folder"
    python3 -m venv "$folder/python" || fail "no Python environment could be made (python3-venv)"
    "$folder/python/bin/pip" install --quiet --disable-pip-version-check --retries 10 --only-binary :all: --no-deps --require-hashes \
        -r "$here/requirements.txt" || fail "PyPI did not give what tests/servers/requirements.txt names"
    echo "$wanted" >"$folder/installed"
fi
cd "$here"
export PYTHONDONTWRITEBYTECODE=1
exec "$folder/python/bin/python" -m pytest -p no:cacheprovider "$@"
