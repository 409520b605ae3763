#!/usr/bin/env bash
# The ring under the model checker: as it is, where all models must hold, and with each ordering
# and each bound weakened in turn, where at least one model must fail. The first run builds the
# dependencies for loom; a mutation then rebuilds this package alone.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
export RUSTFLAGS="-Ctarget-cpu=x86-64-v3 --cfg loom"
export LOOM_MAX_PREEMPTIONS="${LOOM_MAX_PREEMPTIONS:-3}"

# Builds the models, with one mutation if named, and prints where the binary is.
build() {
  cargo rustc --quiet --lib --profile test --message-format=json -- \
    ${1:+--cfg "weaken=\"$1\""} |
    grep -o '"executable":"[^"]*"' | tail -1 | cut -d'"' -f4
}

binary=$(build)
timeout 600 "$binary" --quiet rt::ring::loom || { echo "loom: a model of the ring fails"; exit 1; }
[[ $("$binary" --list rt::ring::loom) == *": test"* ]] || { echo "loom: no model"; exit 1; }

missed=0
for mutation in mark_store mark_load head_store head_load \
  mark_before_message lap capacity give_back_early; do
  binary=$(build "$mutation")
  if output=$(timeout 300 "$binary" --quiet rt::ring::loom 2>&1); then
    echo "loom: NOT caught: $mutation"
    missed=1
  elif grep -q 'test result: FAILED' <<<"$output"; then
    echo "loom: caught: $mutation ($(grep -Eo '[0-9]+ failed' <<<"$output" | head -1))"
  else
    printf '%s\n' "$output" | tail -20
    echo "loom: $mutation did not end"
    missed=1
  fi
done
exit "$missed"
