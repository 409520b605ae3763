#!/usr/bin/env bash
# Builds and runs the main job, prints the latency report, and replays the journal to prove it.
#   scripts/launch.sh                                             the embedded market, about 60 s
#   scripts/launch.sh --replay FILE.dbn.zst --underlying FILE.dbn.zst [--speed 60|max]
#   scripts/launch.sh --config config/host.toml                   the dedicated host, real venues
#   scripts/launch.sh --resume runs/DIR …                         takes up the run in DIR again
# Further options go to `zomma run` (see `zomma help`): --for 30s, --set run.threads=shared, …
set -euo pipefail
cd "$(dirname "$0")/.."

config=config/sim.toml market=(--simulate config/market.toml) wants_market=yes speed=60
pass=() again=
while (($#)); do
    case "$1" in
        --replay) config=config/recorded.toml market=(--replay "${2:?--replay needs a file}"); shift 2 ;;
        --underlying) market+=(--underlying "${2:?--underlying needs a file}"); shift 2 ;;
        --speed) speed=${2:?--speed needs a number or max}; shift 2 ;;
        --config) config=${2:?--config needs a file} wants_market=no; shift 2 ;;
        --resume) again=${2:?--resume needs the directory of a run} pass+=(--resume); shift 2 ;;
        -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) pass+=("$1"); shift ;;
    esac
done
[[ ${market[0]} == --replay ]] && market+=(--speed "$speed")
market+=(--wait-orders)

command -v cargo >/dev/null || { echo "launch: no cargo; install a Rust toolchain first" >&2; exit 3; }
cargo build --release --locked -p zomma
bin=${CARGO_TARGET_DIR:-target}/release
run=${again:-runs/$(date -u +%Y%m%d-%H%M%S)-$$}

if [[ $wants_market == yes ]]; then
    cargo build --release --locked -p zomma-market
    export DATABENTO_API_KEY=${DATABENTO_API_KEY:-loopback-key-of-no-value-0000001}
    mkdir -p "$run"
    "$bin/zomma-market" "${market[@]}" --stats "$run/wire.json" >"$run/market.log" 2>&1 &
    market_pid=$!
    trap 'kill "$market_pid" 2>/dev/null || true' EXIT
    until grep -qs '^ready' "$run/market.log"; do
        kill -0 "$market_pid" 2>/dev/null || { cat "$run/market.log" >&2; exit 3; }
        sleep 0.1
    done
fi

"$bin/zomma" run --config "$config" --dir "$run" "${pass[@]}"
if [[ $wants_market == yes ]]; then kill -INT "$market_pid" 2>/dev/null || true; wait "$market_pid" 2>/dev/null || true; fi
"$bin/zomma" report "$run" --html "$run/report.html" --json "$run/report.json"
"$bin/zomma" replay "$run" --verify
echo "report  $run/report.html"
echo "journal $run"
