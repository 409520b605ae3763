#!/usr/bin/env bash
# All benchmarks, each beside its peers in the same run: scripts/bench.sh [NAME…]
set -euo pipefail
cd "$(dirname "$0")/.."
names=("$@")
((${#names[@]})) || mapfile -t names < <(sed -n '/^\[\[bench\]\]/{n;s/name = "\(.*\)"/\1/p}' Cargo.toml)
for name in "${names[@]}"; do
    printf '\n== %s\n' "$name"
    cargo bench --locked -p zomma --bench "$name"
done
