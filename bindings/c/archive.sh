#!/usr/bin/env bash
# archive.sh RUST_ARCHIVE SYMBOLS OUT: makes a static archive that exports the functions of the C interface and nothing
# else.
#
# An archive as cargo makes it carries the Rust runtime and the C libraries that we bundle, each with global symbols that
# clash with a host's own copy. Here everything is linked into one object; all but our functions becomes local.
set -euo pipefail
archive=$1 symbols=$2 out=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

keep=()
while read -r name; do
    keep+=(-u "$name")
done <"$symbols"
[ ${#keep[@]} -gt 0 ] || { echo "archive.sh: $symbols names no symbol" >&2; exit 1; }

# Only what our functions reach is taken from the archive. Sections that hold nothing of it go, so that one object
# does not pull everything into every program.
ld -r --gc-sections "${keep[@]}" -o "$work/whole.o" "$archive"
# Bitcode that a compiler left beside the machine code is of no use to the host and trips older tools.
objcopy --keep-global-symbols="$symbols" --strip-unneeded --remove-section=.llvmbc --remove-section=.llvmcmd \
    "$work/whole.o" "$work/gatepost.o"
rm -f "$out"
ar rcsD "$out" "$work/gatepost.o"
