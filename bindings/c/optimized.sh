#!/usr/bin/env bash
# optimized.sh: the library of `make build` once more, trained (profile-guided optimization): compiled with counters, run
# through the case files and through decisions of every kind, and compiled again so that what they need is inlined and
# lies together. Leaves libgatepost.so, libgatepost.a and the command line of `make build` in target/optimized. Takes
# some six minutes on two cores, three from the second time on. Wants rustup's component llvm-tools, of the compiler in use.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo=${CARGO:-cargo}
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
built=$target/optimized
host=$(rustc -vV | sed -n 's/^host: //p')
split=()
case $host in x86_64-*-linux-*) split=(-Cllvm-args=-enable-split-machine-functions) ;; esac
profdata=$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata
[ -x "$profdata" ] || { echo "optimized.sh: llvm-profdata is missing; run: rustup component add llvm-tools" >&2; exit 1; }
case $target in *[[:space:]]*) echo "optimized.sh: there is white space in $target" >&2; exit 1 ;; esac
gatepost=$target/release/gatepost
[ -x "$gatepost" ] || { echo "optimized.sh: $gatepost is missing; run make build first" >&2; exit 1; }
if [ -e "$built/gatepost" ] && [ -z "$(find src Cargo.toml Cargo.lock build.rs tests/cases tests/bindings/c benches/decide.c \
    benches/orders.toml bindings/c/optimized.sh -newer "$built/gatepost" -print -quit)" ]; then
    echo "optimized.sh: $built is up to date" >&2
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/begun"

# Of the library alone: its dependencies stay as they are, and what it takes from them by inlining is its own.
library() { $cargo rustc --quiet --release --lib --target-dir "$target/training" -- "$@"; }

echo "optimized.sh: compiling with counters" >&2
library "-Cprofile-generate=$work/counts"
mkdir "$work/lib"
cp "$target/training/release/libgatepost.so" "$work/lib/"
ln -s libgatepost.so "$work/lib/libgatepost.so.0"

echo "optimized.sh: training" >&2
cp benches/orders.toml "$work/"
# The same without a memory for tokens: each is verified as if it were new. How often each path is taken decides what the
# compiler puts where: with these numbers all of them gain.
sed 's/^\[engine\]/&\ntoken_cache_kib = 0/' benches/orders.toml >"$work/unremembered.toml"
(umask 077; openssl rand -hex 32 >"$work/accounts.key")
# Not through a pipe: where nobody reads it, its writer would be what ends the script, without a word.
"$gatepost" user add rita --role clerk --policy "$work/orders.toml" >/dev/null <<<'four cups of green tea each noon'
key=$("$gatepost" key issue training --user rita --policy "$work/orders.toml" --json 2>/dev/null | sed -n 's/.*"\(gp_[A-Za-z0-9_-]*\)".*/\1/p')
token=$(examples/demo/mint.sh "$work/accounts.key" sam clerk 3600)
cc -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -I include benches/decide.c -o "$work/decide" -L "$work/lib" -lgatepost -Wl,-rpath,"$work/lib"
"$work/decide" "$work/unremembered.toml" "$token" "$key" hs256 1000000
for path in public basic api-key hs256; do "$work/decide" "$work/orders.toml" "$token" "$key" "$path" 300000; done
# A host with a port, as services of one's own have it.
cc -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -DHOST='"127.0.0.1:8443"' -I include benches/decide.c -o "$work/decide-port" \
    -L "$work/lib" -lgatepost -Wl,-rpath,"$work/lib"
for path in public hs256; do "$work/decide-port" "$work/orders.toml" "$token" "$key" "$path" 200000; done
for path in anonymous refused unknown; do "$work/decide" "$work/orders.toml" "$token" "$key" "$path" 200000; done
for path in public basic api-key hs256; do FLAT=1 "$work/decide" "$work/orders.toml" "$token" "$key" "$path" 60000; done
GATEPOST_RELEASE=$work/lib GATEPOST_BUILD=$work tests/bindings/c/build
"$gatepost" test --through "$work/cases" tests/cases/*.json >"$work/cases.log" || { tail -n 20 "$work/cases.log" >&2; exit 1; }
"$profdata" merge -o "$target/training/gatepost.profdata" "$work/counts"

echo "optimized.sh: compiling with what was counted" >&2
# What was never needed goes far away from what was, also within a function: less of the caches is used up.
library "-Cprofile-use=$target/training/gatepost.profdata" "${split[@]}"
mkdir -p "$built"
cp -f "$target/training/release/libgatepost.so" "$built/libgatepost.so.new"
cp -f "$target/training/release/libgatepost.a" "$built/libgatepost.a.new"
cp -f "$gatepost" "$built/gatepost.new"
# As old as what was compiled: what was edited meanwhile is not in it.
touch -r "$work/begun" "$built/gatepost.new"
for file in libgatepost.so libgatepost.a gatepost; do mv -f "$built/$file.new" "$built/$file"; done
ln -sfn libgatepost.so "$built/libgatepost.so.0"
echo "optimized.sh: $built" >&2
