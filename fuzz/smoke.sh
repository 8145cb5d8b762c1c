#!/usr/bin/env bash
# smoke.sh [TARGET…]: builds the targets with libFuzzer's coverage and runs each for FUZZ_SECONDS (30) from its seeds.
# A stable toolchain will do: the coverage is LLVM's, which rustc can be asked for by name. What is found is left in
# target/fuzz/found/TARGET, and what is learned in target/fuzz/corpus/TARGET for the next run.
set -euo pipefail
cd "$(dirname "$0")/.."
targets=(token claims jwk pem json dpop)
[ $# -eq 0 ] || targets=("$@")
seconds=${FUZZ_SECONDS:-30}
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/fuzz
cargo=${CARGO:-cargo}
host=$(rustc -vV | sed -n 's/^host: //p')

# As cargo-fuzz sets them, less the address sanitizer, which only a nightly toolchain has: our own code is safe Rust.
# --target keeps them away from build scripts.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1"
"$cargo" build --quiet --release --locked --manifest-path fuzz/Cargo.toml --target-dir "$target" --target "$host"
unset RUSTFLAGS

failed=()
for name in "${targets[@]}"; do
    corpus=$target/corpus/$name found=$target/found/$name log=$target/$name.log
    mkdir -p "$corpus" "$found"
    started=$(find "$found" -type f | wc -l)
    code=0
    "$target/$host/release/$name" "$corpus" "fuzz/seeds/$name" -dict=fuzz/words.dict -max_len=16384 -timeout=10 \
        -rss_limit_mb=2048 -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$found/" \
        >"$log" 2>&1 || code=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)
    if [ "$code" -eq 0 ] && [ "${covered:-0}" -gt 0 ] && [ "$(find "$found" -type f | wc -l)" -eq "$started" ]; then
        printf '%-7s %9s runs in %s s, %s points of the code reached\n' "$name" "$runs" "$seconds" "$covered"
    else
        failed+=("$name")
        printf '%-7s FAILED (exit code %s); the whole log is %s\n' "$name" "$code" "$log"
        grep -E 'panicked|SUMMARY|Test unit written|ERROR' -A 2 "$log" | head -n 20 || true
    fi
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "fuzz-smoke: ${failed[*]} failed. To see one again: $target/$host/release/TARGET $target/found/TARGET/FILE" >&2
    exit 1
fi
