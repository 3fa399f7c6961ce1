#!/bin/sh
# Counts the instructions a field of each stage, with NEON and AVX2, under qemu. "make count-aarch64" runs this in its
# Debian; see tests/support/aarch64.sh.
#
# qemu writes a line for each instruction. A text goes through a stage once and three times: half the difference is the
# stage alone.
set -eu

build() {
    cargo build --locked --quiet --release --package csvfeed-bench --bin instructions --target "$1-unknown-linux-gnu"
}

# lines MACHINE SIMD TABLE STAGE ROUNDS
lines() {
    CSVFEED_SIMD=$2 "qemu-$1" -cpu max -one-insn-per-tb -d exec,nochain \
        "$CARGO_TARGET_DIR/$1-unknown-linux-gnu/release/instructions" "$3" "$4" "$5" 2>&1 >/dev/null | wc -l
}

build aarch64
build x86_64
echo '| text | stage | NEON | AVX2 |'
echo '|---|---|---:|---:|'
for table in xy wide6 higgs repr; do
    fields=$("qemu-x86_64" -cpu max "$CARGO_TARGET_DIR/x86_64-unknown-linux-gnu/release/instructions" $table index 0)
    for stage in index number; do
        row="| $table | $stage |"
        for machine in aarch64:neon x86_64:avx2; do
            once=$(lines ${machine%:*} ${machine#*:} $table $stage 1)
            thrice=$(lines ${machine%:*} ${machine#*:} $table $stage 3)
            row="$row $(((10 * (thrice - once) / 2 / fields + 5) / 10)) |"
        done
        echo "$row"
    done
done
