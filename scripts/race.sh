#!/usr/bin/env bash
# The ring under ThreadSanitizer, on stable Rust: as it is, where nothing may be reported, and with
# each ordering weakened in turn, where a race must be. The first run builds the dependencies.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/race"
export RUSTC_BOOTSTRAP=1 # the sanitizers' switch is unstable; the compiler is the stable one
export RUSTFLAGS="-Ctarget-cpu=x86-64-v3 -Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer"
export TSAN_OPTIONS="halt_on_error=1 exitcode=66"

# Builds the program, with one mutation if named, and prints where it is.
build() {
  cargo rustc --quiet --test race --target x86_64-unknown-linux-gnu --message-format=json -- \
    ${1:+--cfg "weaken=\"$1\""} |
    grep -o '"executable":"[^"]*race-[^"]*"' | tail -1 | cut -d'"' -f4
}

binary=$(build)
timeout 300 "$binary" || { echo "race: reported in the ring as it is, or it failed"; exit 1; }

missed=0
for mutation in mark_store mark_load head_store head_load; do
  binary=$(build "$mutation")
  code=0
  output=$(timeout 300 "$binary" 2>&1) || code=$?
  if [[ $code == 66 && $output == *"data race"* ]]; then
    echo "race: reported: $mutation"
  else
    echo "race: NOT reported (exit $code): $mutation"
    missed=1
  fi
done
exit "$missed"
