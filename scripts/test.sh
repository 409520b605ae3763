#!/usr/bin/env bash
# All tests: format, lints, tests of every package, the ring under the model checker and the race
# detector, documentation. Prints the totals at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp); trap 'rm -f "$log"' EXIT
step() { printf '\n== %s\n' "$*"; "$@" 2>&1 | tee -a "$log"; }

step cargo fmt --all --check
# Package by package: --workspace would unify the tools' features into the engine.
for package in zomma zomma-market zomma-interop zomma-lab; do
    step cargo clippy --locked -p "$package" --all-targets -- -D warnings
done
step env RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps -p zomma
for package in zomma zomma-market zomma-interop zomma-lab; do step cargo test --locked -p "$package"; done
step scripts/loom.sh
step scripts/race.sh

awk '/^test result:/ { p += $4; f += $6; i += $8 }
     /^skipped: /    { s++ }
     END { printf "\n%d passed, %d failed, %d skipped\n", p, f, i + s; exit f > 0 }' "$log"
