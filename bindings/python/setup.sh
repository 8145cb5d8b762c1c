#!/usr/bin/env bash
# setup.sh: puts into target/python an environment with the package and everything that its tests need: PyPI's at the
# versions and digests of tests/requirements.txt, the package as the wheel of the library in GATEPOST_RELEASE (default:
# target/release). Nothing of it is compiled. Can be run any number of times; prints the environment's folder.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(realpath "$here/../..")
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
folder=$target/python
GATEPOST_RELEASE=$(realpath -m "${GATEPOST_RELEASE:-$target/release}")
export GATEPOST_RELEASE CARGO_TARGET_DIR=$target

fail() {
    echo "bindings/python: $1" >&2
    exit 1
}

[ -e "$GATEPOST_RELEASE/libgatepost.so" ] || fail "$GATEPOST_RELEASE holds no libgatepost.so; run: make build"
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
wanted=$(sha256sum <"$here/tests/requirements.txt")
if [ "$(cat "$folder/installed" 2>/dev/null || true)" != "$wanted" ] || [ ! -d "$folder/needed" ]; then
    rm -rf "$folder/venv" "$folder/installed" "$folder/packed" "$folder/needed"
    python3 -m venv "$folder/venv" || fail "no Python environment could be made (python3-venv)"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --retries 10 --only-binary :all: --no-deps --require-hashes \
        -r "$here/tests/requirements.txt" || fail "PyPI did not give what bindings/python/tests/requirements.txt names"
    # What the wheel needs, for the test that installs it: it asks nobody.
    awk '/^[a-z]/ { ours = /^(cffi|pycparser)==/ } ours' "$here/tests/requirements.txt" >"$folder/needed.txt"
    "$folder/venv/bin/pip" download --quiet --disable-pip-version-check --retries 10 --only-binary :all: --no-deps --require-hashes \
        --dest "$folder/needed" -r "$folder/needed.txt" || fail "PyPI did not give what the wheel needs"
    echo "$wanted" >"$folder/installed"
fi
packed=$({
    stat -L -c '%n %s %Y' "$GATEPOST_RELEASE/libgatepost.so"
    find "$here" "$root/include/gatepost.h" "$root/Cargo.toml" -type f ! -path '*/__pycache__/*' ! -path '*/licenses/*' -exec sha256sum {} + | sort
} | sha256sum)
if [ "$(cat "$folder/packed" 2>/dev/null || true)" != "$packed" ]; then
    rm -rf "$folder/wheel"
    PATH=$folder/venv/bin:$PATH "$here/build.sh" "$folder/wheel" >"$folder/build.log" 2>&1 ||
        { cat "$folder/build.log" >&2; fail "the wheel was not built"; }
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall \
        "$folder"/wheel/gatepost-*.whl || fail "the wheel cannot be installed"
    echo "$packed" >"$folder/packed"
fi
echo "$folder/venv"
