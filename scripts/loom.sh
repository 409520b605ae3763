#!/usr/bin/env bash
# The ring under the model checker: as it is, where all models must hold, and with each ordering
# and each bound weakened in turn, where at least one model must fail. A few minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

target="${CARGO_TARGET_DIR:-target}/loom"
base="-Ctarget-cpu=x86-64-v3 --cfg loom"
export LOOM_MAX_PREEMPTIONS="${LOOM_MAX_PREEMPTIONS:-3}"

# Prints what loom said; its exit code is whether all models held.
models() {
  RUSTFLAGS="$base ${1:+--cfg weaken=\"$1\"}" \
    timeout 600 cargo test --quiet --target-dir "$target" --lib rt::ring::loom 2>&1
}

output=$(models "") || { printf '%s\n' "$output"; echo "loom: a model of the ring fails"; exit 1; }
grep -q 'test result: ok. [1-9]' <<<"$output" || { echo "loom: no model was run"; exit 1; }
echo "loom: $(grep -o '[0-9]* passed' <<<"$output") as it is"

missed=0
for mutation in mark_store mark_load head_store head_load \
  mark_before_message lap capacity give_back_early; do
  if output=$(models "$mutation"); then
    echo "loom: NOT caught: $mutation"
    missed=1
  elif grep -q 'test result: FAILED' <<<"$output"; then
    echo "loom: caught: $mutation ($(grep -o '[0-9]* failed' <<<"$output" | head -1))"
  else
    printf '%s\n' "$output"
    echo "loom: $mutation did not build or did not end"
    missed=1
  fi
done
exit "$missed"
