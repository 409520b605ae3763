#!/usr/bin/env bash
# All benchmarks, each beside its peers in the same run: scripts/bench.sh [NAME…]
#   scripts/bench.sh peers     every crate and Python library that a user could pick, as one table
#   scripts/bench.sh avx512    our kernels built for x86-64-v4 beside the build that ships
set -euo pipefail
cd "$(dirname "$0")/.."

peers=(cargo run --release --locked --quiet --manifest-path benches/peers/Cargo.toml --target-dir)

# Python of a version: on the path, or one that pyenv has.
interpreter() {
    if "python$1" -c '' 2>/dev/null; then
        command -v "python$1"
    else
        command -v pyenv >/dev/null && ls "$(pyenv root)/versions/$(pyenv latest "$1")/bin/python"
    fi 2>/dev/null
}

# One table: what the Python libraries take is measured first and read in.
peers() {
    local version only python with=()
    while read -r version only; do
        if ! python=$(interpreter "$version"); then
            echo "skipped: no python$version for $only"
            continue
        fi
        local venv=${XDG_CACHE_HOME:-$HOME/.cache}/zomma-peers-$version lines=target/peers-$version.csv
        [[ -x $venv/bin/python ]] || "$python" -m venv "$venv"
        "$venv/bin/pip" install -q -r benches/peers/python/requirements.txt
        "$venv/bin/python" benches/peers/python/peers.py --only "$only" --out "$lines"
        with+=(--with "$lines")
    done <benches/peers/python/versions
    "${peers[@]}" target/peers -- "${with[@]}"
}

# The bits of every kernel must be the same, or a journal would not replay.
avx512() {
    if ! grep -qw avx512f /proc/cpuinfo; then
        echo "skipped: this CPU has no AVX-512"
        return
    fi
    local build
    for build in v3 v4; do
        printf '\nx86-64-%s\n' "$build"
        RUSTFLAGS="-Ctarget-cpu=x86-64-$build" "${peers[@]}" "target/peers-$build" -- --ours
        RUSTFLAGS="-Ctarget-cpu=x86-64-$build" "${peers[@]}" "target/peers-$build" -- --bits \
            >"target/bits-$build"
    done
    diff target/bits-v3 target/bits-v4 && echo "the same bits"
}

names=("$@")
((${#names[@]})) || mapfile -t names < <(sed -n '/^\[\[bench\]\]/{n;s/name = "\(.*\)"/\1/p}' Cargo.toml)
for name in "${names[@]}"; do
    printf '\n== %s\n' "$name"
    case $name in
        peers | avx512) "$name" ;;
        *) cargo bench --locked -p zomma --bench "$name" ;;
    esac
done
