#!/usr/bin/env bash
# run.sh [NAME…]: the case files through each binding (c, cpp, python, go; all by default), compared case by case with
# what the command line says itself. Called by `make test`.
#
# A folder beside this script is a binding's if it has an executable `cases`: it is run as `cases [--jobs] POLICY` and
# speaks the lines of `gatepost test --through`. An executable `build` beside it is run first, and an executable `test`
# afterwards: tests of the binding's own, which print `N passed, N failed` and exit with 0 or another code. All find in
# the environment: GATEPOST_RELEASE, the folder with libgatepost.so, libgatepost.a and gatepost; and GATEPOST_BUILD, a
# folder of the binding's own for what is built, target/bindings/NAME.
#
# GATEPOST_RELEASE (default: target/release) is also where the command line is taken from. GATEPOST_CASES: other case
# files, separated by spaces.
set -uo pipefail
cd "$(dirname "$0")/../.."
top=$PWD
release=$(cd "${GATEPOST_RELEASE:-${CARGO_TARGET_DIR:-$top/target}/release}" 2>/dev/null && pwd) || {
    echo "run.sh: there is no release build; run make build first, or set GATEPOST_RELEASE" >&2
    exit 1
}
built=${CARGO_TARGET_DIR:-$top/target}/bindings
mkdir -p "$built"
built=$(cd "$built" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a cases <<<"${GATEPOST_CASES:-$(echo tests/cases/*.json)}"

# Programs ask for the library by its SONAME. `make build` makes that link; `cargo test` does not, and leaves the library
# in deps.
if [ ! -e "$release/libgatepost.so.0" ]; then
    mkdir -p "$built/lib"
    for name in libgatepost.so libgatepost.a gatepost; do
        from=$release/$name
        [ -e "$from" ] || from=$release/deps/$name
        [ -e "$from" ] || { echo "run.sh: $release has no $name; run make build first" >&2; exit 1; }
        ln -sfn "$from" "$built/lib/$name"
    done
    ln -sfn libgatepost.so "$built/lib/libgatepost.so.0"
    release=$built/lib
fi
export GATEPOST_RELEASE=$release

# Twice: what differs between two runs of the same (ids, drawn at random) need not be the same through a binding.
for turn in 1 2; do
    "$release/gatepost" test --json "${cases[@]}" >"$work/plain$turn"
    status=$?
    if [ $status -ne 0 ] && [ $status -ne 3 ]; then
        echo "run.sh: the plain run failed" >&2
        exit 1
    fi
done

python3 tests/bindings/compare_test.py "$work/plain1" "$work/plain2" || {
    echo "run.sh: compare.py does not find what it must" >&2
    exit 1
}

failed=0
ran=0
for name in "${@:-c cpp python go}"; do
    # shellcheck disable=SC2086 # the default is a list
    for name in $name; do
        folder=$top/tests/bindings/$name
        if [ ! -x "$folder/cases" ]; then
            echo "$name: there is no tests/bindings/$name/cases that can be run"
            failed=1
            continue
        fi
        export GATEPOST_BUILD=$built/$name
        mkdir -p "$GATEPOST_BUILD"
        if [ -x "$folder/build" ] && ! "$folder/build" >"$work/build.log" 2>&1; then
            cat "$work/build.log"
            echo "$name: its case program does not build"
            failed=1
            continue
        fi
        for mode in "" --jobs; do
            ran=$((ran + 1))
            label=$name${mode:+ $mode}
            if ! python3 tests/bindings/exchanges.py "$folder/cases" $mode; then
                echo "$label: it does not speak as it must"
                failed=1
                continue
            fi
            "$release/gatepost" test --json --through "'$folder/cases' $mode" "${cases[@]}" >"$work/through"
            status=$?
            if [ $status -ne 0 ] && [ $status -ne 3 ]; then
                echo "$label: the case files could not be run through it"
                failed=1
                continue
            fi
            python3 tests/bindings/compare.py "$label" "$work/plain1" "$work/plain2" "$work/through" || failed=1
        done
        if [ -x "$folder/test" ]; then
            "$folder/test" || failed=1
        fi
    done
done
[ $ran -gt 0 ] || { echo "run.sh: no binding was run" >&2; failed=1; }
exit $failed
