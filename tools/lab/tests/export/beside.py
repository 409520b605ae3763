"""An export in; the columns of an external series, of pairs and of all roots together, reckoned anew
with NumPy and SciPy from the archive and the quotes, and the worst difference of each out."""
import pathlib
import sys

import numpy as np
import pyarrow.parquet as pq
import scipy.stats

import ticks

FOLDER, DATA = sys.argv[1], pathlib.Path(sys.argv[2])
WINDOWS = {"r10": 10, "r60": 60, "r300": 300, "r1800": 1_800}
# Sums of at most 1,800 numbers in double precision, whose differences cancel four digits.
LIMIT = 1e-9
STALE = 4 * ticks.DAY

rows = pq.read_table(f"{FOLDER}/features.parquet")
names = set(rows.column_names)
row_seq, row_time = rows["seq"].to_numpy(), rows["time"].cast("int64").to_numpy()
count = len(row_seq)
worst = {}


def compare(name, ours, slack=0.0):
    """`slack`: what the declared rounding of returns to 1e-9 may add, relative, by row."""
    theirs = rows[name].to_numpy(zero_copy_only=False).astype(float)
    ours = np.where(np.isfinite(ours), ours, np.nan)
    unknown = np.isnan(ours) != np.isnan(theirs)
    assert not unknown.any(), f"{name}: row {unknown.argmax()}: {ours[unknown.argmax()]} here, {theirs[unknown.argmax()]} there"
    both = ~np.isnan(ours)
    size = np.abs(ours[both])
    off = np.abs(ours[both] - theirs[both]) / np.maximum(size, max(np.median(size), 1e-12)) if size.size else size
    over = off > LIMIT + (slack[both] if np.ndim(slack) else slack)
    assert not over.any(), f"{name}: {theirs[both][over.argmax()]} for {ours[both][over.argmax()]}, {over.sum()} rows off, worst {off.max():.1e}"
    worst[name] = (off.max() if off.size else 0.0, off.size)


def series(name):
    """The archive's closes, each known two hours later."""
    folder = DATA if (DATA / "vix-daily.csv").exists() else DATA / "vix-daily"
    closes = [line.split() for time, line in ticks.closes(folder, DATA == folder)]
    known, value = (np.array([line[at] for line in closes], kind) for at, kind in [(1, np.int64), (3, float)])
    seen = np.searchsorted(known, row_time, side="right")
    states = {n: standing(value[:n]) for n in np.unique(seen)}
    for at, stat in enumerate(["value", "change", "change_5", "return_20", "z_20", "rank_252", "percentile_252"]):
        compare(f"{name}.{stat}", np.array([states[n][at] for n in seen]))
    has = seen > 0
    age = np.where(has, (row_time - known[seen - 1]) / 1e9, np.nan)
    compare(f"{name}.age", age)
    compare(f"{name}.stale", (~has | (age > STALE / 1e9)).astype(float))


def standing(values):
    """Columns that hang on the numbers that are known."""
    at = lambda back: values[-back] if len(values) >= back else np.nan
    z = rank = percentile = np.nan
    if len(values) >= 20:
        with np.errstate(all="ignore"):
            z = scipy.stats.zscore(values[-20:])[-1]
    if len(values) >= 252:
        year = values[-252:]
        rank = (year[-1] - year.min()) / np.ptp(year)
        percentile = scipy.stats.percentileofscore(year[:-1], year[-1], kind="strict") / 100
    return at(1), at(1) - at(2), at(1) - at(6), at(1) / at(21) - 1, z, rank, percentile


def prices():
    """Each side's price at each row: an underlying's mid, a series' latest number."""
    quotes = pq.read_table(f"{FOLDER}/quotes.parquet")
    roots = {i["instrument"]: i["root"] for i in pq.read_table(f"{FOLDER}/instruments.parquet").to_pylist()}
    seq, of = quotes["seq"].to_numpy(), quotes["instrument"].to_numpy()
    mid = np.array([(float(b) + float(a)) / 2 for b, a in zip(quotes["bid"].to_pylist(), quotes["ask"].to_pylist())])
    found = {}
    for instrument in np.unique(of):
        mine = of == instrument
        place = np.searchsorted(seq[mine], row_seq, side="right") - 1
        found[roots[instrument]] = np.where(place >= 0, mid[mine][place], np.nan)
    if "CLOSES.value" in names:
        found["CLOSES"] = rows["CLOSES.value"].to_numpy(zero_copy_only=False).astype(float)
    return found


def pair(name, a, b):
    """Windows of rows; those before both prices were known count for nothing."""
    both = ~np.isnan(a) & ~np.isnan(b)
    begins = both.argmax()
    assert both[begins:].all()
    a, b = a[begins:], b[begins:]
    x, y, ratio = a[1:] / a[:-1] - 1, b[1:] / b[:-1] - 1, (a / b)[1:]
    spread = lambda values: np.concatenate([np.full(begins + 1, np.nan), values])
    compare(f"{name}.ratio", np.concatenate([np.full(begins, np.nan), a / b]))
    for window, w in WINDOWS.items():
        if len(x) < w:
            for stat in ["correlation", "beta", "ratio_z", "relative_return"]:
                compare(f"{name}.{stat}_{window}", np.full(count, np.nan))
            continue
        wx, wy, wr = (np.lib.stride_tricks.sliding_window_view(v, w) for v in (x, y, ratio))
        full = lambda values: spread(np.concatenate([np.full(w - 1, np.nan), values]))
        dx, dy = wx - wx.mean(axis=1, keepdims=True), wy - wy.mean(axis=1, keepdims=True)
        sx, sy, sxy = (dx**2).mean(axis=1), (dy**2).mean(axis=1), (dx * dy).mean(axis=1)
        with np.errstate(all="ignore"):
            correlation, beta = sxy / np.sqrt(sx * sy), sxy / sy
            # Half a unit on each return, against the returns' own size.
            rounded = 0.5e-9 * (1 / np.sqrt(sx) + 1 / np.sqrt(sy))
            z = (wr[:, -1] - wr.mean(axis=1)) / wr.std(axis=1)
        typical = lambda v: np.nanmedian(np.abs(v))
        compare(f"{name}.correlation_{window}", full(correlation), full(2 * rounded / typical(correlation)))
        grows = (1 + np.sqrt(sx / sy) / max(typical(beta), 1e-12)) * 2 * rounded
        compare(f"{name}.beta_{window}", full(beta), full(grows))
        compare(f"{name}.ratio_z_{window}", full(z))
        relative = wx.sum(axis=1) - wy.sum(axis=1)
        compare(f"{name}.relative_return_{window}", full(relative), full(w * 1e-9 / typical(relative) + 0 * relative))


def together(prices):
    """Of all roots: how many rose, and how far their returns lie apart."""
    for window, w in WINDOWS.items():
        sums = []
        for price in prices:
            known = np.flatnonzero(~np.isnan(price))
            steps = np.full(count, np.nan)
            steps[known[1:]] = price[known[1:]] / price[known[:-1]] - 1
            total = np.full(count, np.nan)
            running = np.concatenate([[0.0], np.cumsum(steps[known[1:]])])
            if len(running) > w:
                total[known[w:]] = running[w:] - running[:-w]
            sums.append(total)
        sums = np.array(sums)
        compare(f"ALL.breadth_{window}", np.sign(np.where(np.abs(sums) < 1e-15, 0, sums)).sum(axis=0) / len(sums) + 0 * sums.sum(axis=0))
        dispersion = sums.std(axis=0)
        typical = np.nanmedian(dispersion) if (~np.isnan(dispersion)).any() else 1.0
        compare(f"ALL.dispersion_{window}", dispersion, w * 0.5e-9 / typical)


if "CLOSES.value" in names:
    series("CLOSES")
found = prices() if any("/" in name for name in names) else {}
for name in sorted({name.split(".")[0] for name in names if "/" in name}):
    pair(name, *(found[side] for side in name.split("/")))
if any(name.startswith("ALL.") for name in names):
    together([found["SPY"], found["ES"]])
print(f"parity: {len(worst)} columns over {count} rows")
for name, (off, values) in sorted(worst.items(), key=lambda item: -item[1][0]):
    print(f"  {name}: worst {off:.1e} of {values} values")
