"""A folder of an export in; every column of the tape's families, reckoned anew with numpy from the
raw quotes, prints and open interest, held against the features file, and the worst difference of
each out. It shares nothing with the engine but the words of `zomma features`."""
import sys

import numpy as np
import pyarrow.parquet as pq

FOLDER = sys.argv[1]
ROOT = sys.argv[2]
WINDOWS = {"r10": 10, "r60": 60, "r300": 300, "r1800": 1800}
LIMIT = 1e-9
EVERY = 1.0  # seconds between rows
BLOCK, BUCKET = 1000, 500

worst = {}


def read(name):
    return pq.read_table(f"{FOLDER}/{name}.parquet")


def whole(column, scale=10**9):
    """A decimal column as whole numbers of 1e-9; absent ones are the least there is."""
    nothing = np.iinfo(np.int64).min
    return np.array([nothing if v is None else int(v * scale) for v in column.to_pylist()], np.int64)


def compare(name, ours):
    theirs = features[f"{ROOT}.{name}"].to_numpy(zero_copy_only=False).astype(float)
    ours = np.where(np.isfinite(ours), ours, np.nan)
    unknown = np.isnan(ours) != np.isnan(theirs)
    assert not unknown.any(), f"{name}: row {unknown.argmax()}: {ours[unknown.argmax()]} here, {theirs[unknown.argmax()]} there"
    both = ~np.isnan(ours)
    off = np.abs(ours[both] - theirs[both]) / np.maximum(1.0, np.abs(ours[both]))
    worst[name] = (off.max() if off.size else np.nan, int(both.sum()))
    assert worst[name][0] is np.nan or not worst[name][0] > LIMIT, f"{name}: off by {worst[name][0]}"


def per_row(values, seq):
    """Sums of what came after the row before and up to each row."""
    total = np.concatenate([[0], np.cumsum(np.asarray(values, object if np.asarray(values).dtype == object else None))])
    ends = np.searchsorted(seq, row_seq, side="right")
    return np.diff(np.concatenate([[0], total[ends]]))


def rolled(rows, window):
    total = np.concatenate([[0], np.cumsum(rows)])
    out = np.full(len(rows), np.nan)
    if len(rows) >= window:
        out[window - 1 :] = total[window:] - total[:-window]
    return out


features = read("features")
row_seq = features["seq"].to_numpy()
row_time = features["time"].cast("int64").to_numpy()
rows = len(row_seq)
instruments = read("instruments").to_pylist()
kind = {i["instrument"]: i for i in instruments}
of_root = {i["instrument"] for i in instruments if i["cp"] and i["root"] == ROOT}
under = {i["instrument"] for i in instruments if not i["cp"]}

quotes, trades, interest = read("quotes"), read("trades"), read("interest")
Q = {c: quotes[c].to_numpy(zero_copy_only=False) for c in ["seq", "instrument", "bid_size", "ask_size"]}
Q["bid"], Q["ask"] = whole(quotes["bid"]), whole(quotes["ask"])
T = {c: trades[c].to_numpy(zero_copy_only=False) for c in ["seq", "instrument", "size"]}
T["price"], T["side"] = whole(trades["price"]), trades["side"].to_pylist()
NOTHING = np.iinfo(np.int64).min


def group_of(instrument):
    if instrument in under:
        return "under"
    if instrument in of_root:
        return "calls" if kind[instrument]["cp"] == "C" else "puts"
    return None


quote_group = np.array([group_of(i) for i in Q["instrument"]])
trade_group = np.array([group_of(i) for i in T["instrument"]])
firm = (Q["bid"] != NOTHING) & (Q["ask"] != NOTHING) & (Q["bid"] < Q["ask"])

# The quote of the same instrument before each quote, and before each print.
previous = np.full(len(firm), -1)
at_trade = np.full(len(T["seq"]), -1)
last, t = {}, 0
for q in range(len(firm)):
    while t < len(T["seq"]) and T["seq"][t] < Q["seq"][q]:
        at_trade[t] = last.get(T["instrument"][t], -1)
        t += 1
    previous[q] = last.get(Q["instrument"][q], -1)
    last[Q["instrument"][q]] = q
while t < len(T["seq"]):
    at_trade[t] = last.get(T["instrument"][t], -1)
    t += 1

firm_trade = np.array([q >= 0 and firm[q] for q in at_trade], bool)
twice_mid_trade = np.where(firm_trade, Q["bid"][at_trade] + Q["ask"][at_trade], 0)
side = np.zeros(len(T["seq"]), int)
side[firm_trade] = np.sign(2 * T["price"] - twice_mid_trade)[firm_trade]
for t, word in enumerate(T["side"]):
    side[t] = {"B": 1, "A": -1}.get(word, side[t])


def microstructure():
    has = (previous >= 0) & firm
    has[has] = firm[previous[has]]
    before = np.where(has, previous, 0)
    b0, a0, bs0, as0 = (Q[c][before].astype(np.int64) for c in ["bid", "ask", "bid_size", "ask_size"])
    b1, a1, bs1, as1 = (Q[c].astype(np.int64) for c in ["bid", "ask", "bid_size", "ask_size"])
    flow = (b1 >= b0) * bs1 - (b1 <= b0) * bs0 - (a1 <= a0) * as1 + (a1 >= a0) * as0
    flow = np.where(has, flow, 0)
    moved = np.where(has, b1 + a1 - b0 - a0, 0)
    spread = np.where(firm, a1 - b1, 0)
    depth = np.where(firm, bs1 + as1, 0)
    # Whole millionths, cut towards zero, as the column is declared to be exact in.
    lean = np.where(firm, np.trunc((bs1 - as1) * 1e6 / np.maximum(depth, 1)), 0).astype(np.int64)
    for group in ["under", "calls", "puts"]:
        mine, prints = quote_group == group, trade_group == group
        quote_sum = lambda v: per_row(np.where(mine, v, 0), Q["seq"])
        trade_sum = lambda v: per_row(np.where(prints, v, 0), T["seq"])
        inside = firm_trade & (T["price"] > Q["bid"][at_trade]) & (T["price"] < Q["ask"][at_trade])
        shown = np.where(side > 0, Q["ask_size"][at_trade], Q["bid_size"][at_trade]).astype(np.int64)
        size = T["size"].astype(np.int64)
        hidden = np.where(inside, size, np.where(firm_trade, np.maximum(size - shown, 0), 0))
        paid = np.where(firm_trade, np.abs(2 * T["price"] - twice_mid_trade) // 1000 * size, 0)
        tally = {
            "flow": quote_sum(flow), "quotes": quote_sum(firm), "up": quote_sum(moved > 0),
            "down": quote_sum(moved < 0), "move": quote_sum(moved), "path": quote_sum(np.abs(moved)),
            "spread": quote_sum(spread), "depth": quote_sum(depth), "lean": quote_sum(lean),
            "trades": trade_sum(np.ones(len(size))), "volume": trade_sum(size),
            "bought": trade_sum(np.where(side > 0, size, 0)), "sold": trade_sum(np.where(side < 0, size, 0)),
            "hidden": trade_sum(hidden), "paid": trade_sum(paid),
            "compared": trade_sum(np.where(firm_trade, size, 0)),
        }
        x = tally["bought"] - tally["sold"]
        y = np.trunc(np.trunc(tally["move"] / 2) / 1000)
        tally["xx"], tally["xy"] = x * x, x * y
        for name, window in WINDOWS.items():
            s = {key: rolled(value, window) for key, value in tally.items()}
            with np.errstate(all="ignore"):
                columns = {
                    "ofi": s["flow"],
                    "ofi_depth": s["flow"] / (s["depth"] / s["quotes"] / 2),
                    "quote_rate": s["quotes"] / window,
                    "tick_momentum": (s["up"] - s["down"]) / (s["up"] + s["down"]),
                    "mid_move": s["move"] / 2e9,
                    "efficiency": np.abs(s["move"]) / s["path"],
                    "spread": s["spread"] / s["quotes"] / 1e9,
                    "book_lean": s["lean"] / s["quotes"] / 1e6,
                    "trade_rate": s["trades"] / window,
                    "volume": s["volume"],
                    "trade_lean": (s["bought"] - s["sold"]) / (s["bought"] + s["sold"]),
                    "impact": s["xy"] / s["xx"] / 1e6,
                    "illiquidity": s["path"] / s["volume"] / 2e9,
                    "paid_spread": s["paid"] / s["compared"] / 1e6,
                    "hidden_share": s["hidden"] / s["compared"],
                }
            for stat, values in columns.items():
                compare(f"{stat}_{name}_{group}", values)


def buckets(t):
    """The group of expiries of each print, by the day of its row's time."""
    found = []
    for instrument, time in zip(T["instrument"], t):
        settles = kind[instrument]["settles"] if instrument in of_root else None
        if settles is None:
            found.append(None)
            continue
        days = (settles.date() - np.datetime64(int(time), "ns").astype("datetime64[D]").item()).days
        found.append("0dte" if days <= 0 else "week" if days <= 7 else "later")
    return np.array(found, object)


def flow():
    # All of a recorded session lies in one day of the exchange and of UTC.
    times = row_time[np.minimum(np.searchsorted(row_seq, T["seq"]), rows - 1)]
    groups = buckets(times)
    call = np.array([kind[i]["cp"] == "C" if i in of_root else False for i in T["instrument"]])
    size, strike = T["size"].astype(np.int64), [kind[i]["strike"] for i in T["instrument"]]
    signed = side * size
    cents = np.array([int(float(kind[i]["multiplier"] or 0) * 100.0 * (p / 1e9) * s) for i, p, s in zip(T["instrument"], T["price"], signed)])
    stamps = trades["ts_event"].cast("int64").to_numpy(zero_copy_only=False)
    # Sweeps: three strikes of one right and side within five seconds, told once.
    swept, recent = np.zeros(len(size), bool), {}
    for t in range(len(size)):
        if side[t] == 0 or T["instrument"][t] not in of_root:
            continue
        prints = recent.setdefault((side[t], call[t]), [])
        prints.append((chain_time(T["seq"][t], stamps[t]), strike[t]))
        del prints[:-16]
        now = prints[-1][0]
        if len({k for at, k in prints if now - at <= 5_000_000_000}) >= 3:
            swept[t] = True
            prints.clear()
    block = np.where(size >= BLOCK, size, 0)
    bullish = np.where(call, side, -side)
    for group in ["0dte", "week", "later"]:
        mine = groups == group
        total = lambda v: per_row(np.where(mine, v, 0), T["seq"])
        calls, puts = total(np.where(call, size, 0)), total(np.where(call, 0, size))
        cs, ps = total(np.where(call, signed, 0)), total(np.where(call, 0, signed))
        cc, pc = total(np.where(call, cents, 0)), total(np.where(call, 0, cents))
        prints, blocks = total(np.ones(len(size))), total(block > 0)
        in_blocks, signed_blocks = total(block), total(side * block)
        sweeps, smart = total(swept), total(np.where(swept | (block > 0), bullish * size, 0))
        day = np.cumsum(calls + puts) / np.arange(1, rows + 1)
        for name, window in WINDOWS.items():
            r = lambda v: rolled(v, window)
            with np.errstate(all="ignore"):
                volume = r(calls + puts)
                columns = {
                    "call_volume": r(calls), "put_volume": r(puts), "pcr_volume": r(puts) / r(calls),
                    "call_lean": r(cs) / r(calls), "put_lean": r(ps) / r(puts),
                    "call_premium": r(cc) / 100, "put_premium": r(pc) / 100,
                    "print_size": volume / r(prints), "blocks": r(blocks),
                    "block_share": r(in_blocks) / volume, "block_imbalance": r(signed_blocks) / r(in_blocks),
                    "sweeps": r(sweeps), "smart_money_flow": r(smart),
                    "volume_acceleration": volume / window / day,
                }
            for stat, values in columns.items():
                compare(f"{stat}_{name}_{group}", values)


# The chain's time at an input: the latest exchange time of any quote or print up to it.
both_seq = np.concatenate([Q["seq"], T["seq"]])
both_time = np.concatenate([c["ts_event"].cast("int64").fill_null(0).to_numpy() for c in [quotes, trades]])
order = np.argsort(both_seq, kind="stable")
both_seq, both_time = both_seq[order], np.maximum.accumulate(both_time[order])


def chain_time(seq, _):
    return both_time[np.searchsorted(both_seq, seq, side="right") - 1]


def toxicity():
    for group in ["under", "calls", "puts"]:
        ended, filled, lean = [], 0, 0
        for t in np.flatnonzero(trade_group == group):
            left = min(int(T["size"][t]), BUCKET * 51)
            while left > 0:
                part = min(left, BUCKET - filled)
                filled, lean, left = filled + part, lean + int(side[t]) * part, left - part
                if filled == BUCKET:
                    ended.append((T["seq"][t], abs(lean)))
                    filled = lean = 0
        uneven = np.array([lean for _, lean in ended], float)
        count = np.searchsorted([seq for seq, _ in ended], row_seq, side="right") if ended else np.zeros(rows, int)
        mean = lambda n: np.array([uneven[c - n : c].sum() / n / BUCKET if c >= n else np.nan for c in count])
        compare(f"vpin_50_{group}", mean(50))
        compare(f"vpin_10_{group}", mean(10))
        compare(f"toxicity_rise_{group}", mean(10) - mean(50))


def open_interest():
    I = {c: interest[c].to_numpy(zero_copy_only=False) for c in ["seq", "instrument", "contracts"]}
    held, level, change = {}, [], []
    for i, contracts in zip(I["instrument"], np.maximum(I["contracts"], 0)):
        mine = i in of_root
        level.append(contracts - held.get(i, 0) if mine else 0)
        change.append(contracts - held[i] if mine and i in held else 0)
        held[i] = contracts
    put = np.array([kind[i]["cp"] == "P" if i in kind else False for i in I["instrument"]])
    total = lambda v, right: per_row(np.where(put == right, v, 0), I["seq"])
    calls, puts = np.cumsum(total(level, False)), np.cumsum(total(level, True))
    dc, dp = total(change, False), total(change, True)
    # The underlying's price at each row: the mid of its last firm quote.
    good = firm & (quote_group == "under")
    place = np.searchsorted(Q["seq"][good], row_seq, side="right") - 1
    mids = (Q["bid"] / 1e9 + Q["ask"] / 1e9)[good] / 2
    price = np.where(place >= 0, mids[np.maximum(place, 0)], np.nan) if good.any() else np.full(rows, np.nan)
    with np.errstate(all="ignore"):
        step = np.concatenate([[np.nan], np.diff(price)]) * 1e9
        move = np.trunc(np.nan_to_num(step))
    for name, window in WINDOWS.items():
        c, p, m = rolled(dc, window), rolled(dp, window), rolled(move, window) / 1e9
        minutes, known = window * EVERY / 60, np.isnan(rolled(dc, window))
        with np.errstate(all="ignore"):
            now, then = puts / calls, (puts - p) / (calls - c)
            flag = lambda holds: np.where(known | np.isnan(price), np.nan, holds.astype(float))
            columns = {
                "oi_velocity_calls": c / minutes, "oi_velocity_puts": p / minutes,
                "oi_growth": (c + p) / (calls - c + puts - p), "pcr_oi_change": now - then,
                "pcr_divergence": (now - then) / then + m / (price - m),
                "long_build_up": flag((m > 0) & (c + p > 0)), "short_build_up": flag((m < 0) & (c + p > 0)),
                "short_covering": flag((m > 0) & (c + p < 0)), "long_unwinding": flag((m < 0) & (c + p < 0)),
            }
        for stat, values in columns.items():
            compare(f"{stat}_{name}", values)


microstructure()
flow()
toxicity()
open_interest()
known = sum(count for _, count in worst.values())
off = max((w for w, _ in worst.values() if w == w), default=0.0)
never = sum(1 for _, count in worst.values() if count == 0)
print(f"parity: {len(worst)} columns, {rows} rows, {known} values, worst difference {off:.1e}, {never} columns never known")
for name, (w, count) in sorted(worst.items(), key=lambda item: -np.nan_to_num(item[1][0]))[:5]:
    print(f"  {name}: {w:.1e} over {count} values")
