"""An export of real bars' ticks in; every column over bars, at each resolution and window, held
against TA-Lib, SciPy and NumPy on bars that are made here from the archive, and the worst difference
of each family out."""
import pathlib
import sys
import tomllib

import numpy as np
import pyarrow.parquet as pq
import scipy.stats
import talib
from numpy.lib.stride_tricks import sliding_window_view

import ticks

FOLDER, DATA = sys.argv[1], pathlib.Path(sys.argv[2])
DAILY = (DATA / "vix-daily.csv").exists()
ROOT = "VIX" if DAILY else "SPY"
WINDOWS = [5, 14, 20, 50, 100]
SECOND, DAY = ticks.SECOND, ticks.DAY
OPEN, LENGTH = 13.5 * 3_600 * SECOND, int(6.5 * 3_600 * SECOND)
FULL = {"vol": 2_000_000.0, "usd": 300_000_000.0}
EPSILON = np.finfo(float).eps
# The sum of a hundred numbers in double precision is right to 1e-14; where numbers nearly cancel,
# as variances of prices do, five digits more are lost. A wrong definition differs by 1e-3.
LIMIT = 1e-9

rows = pq.read_table(f"{FOLDER}/features.parquet")
row_seq, row_time = rows["seq"].to_numpy(), rows["time"].cast("int64").to_numpy()
prints = pq.read_table(f"{FOLDER}/trades.parquet")
P = {
    "seq": prints["seq"].to_numpy(),
    "time": prints["ts_recv"].cast("int64").to_numpy(),
    "size": prints["size"].to_numpy().astype(float),
    "price": np.array([float(p) for p in prints["price"].to_pylist()]),
}
told = set()
worst = {}


class Kind:
    """Bars of one kind: arrays of their parts, and how many of them each row has seen."""

    def __init__(self, name, bars, a_year, seen):
        self.name, self.a_year, self.seen = name, a_year, seen
        parts = np.array(bars, float).reshape(-1, 10).T
        self.o, self.h, self.l, self.c, self.v, self.t, self.n = parts[:7]
        self.begins, self.ends, self.bars = parts[7], parts[8], len(bars)


def group(slots, inside, until):
    """Bars of the prints inside, one for each run of equal slots."""
    bars, edges = [], []
    for slot in np.unique(slots[inside]):
        at = np.flatnonzero(inside & (slots == slot))
        p, size = P["price"][at], P["size"][at]
        turnover = 0.0
        for x in p * size:
            turnover += x
        bars.append([p[0], p.max(), p.min(), p[-1], size.sum(), turnover, len(at), P["time"][at[0]], until(slot), 0])
        edges.append(P["seq"][at[-1]])
    return bars, np.array(edges)


def sessions():
    """Which prints lie in a session, and the opening of the day of each."""
    opens = P["time"] // DAY * DAY + int(OPEN)
    inside = (P["time"] >= opens) & (P["time"] < opens + LENGTH)
    if DAILY:
        closed = pathlib.Path(__file__).parents[4] / "config/universe.toml"
        calendar = tomllib.loads(closed.read_text())["calendar"][0]
        days = {ticks.midnight(day) for day in calendar["holidays"]}
        inside = ~np.isin(P["time"] // DAY * DAY, list(days))
    return inside, opens


def in_time(name, seconds):
    """Bars on the grid that begins with the session. Those of minutes and longer come from the
    archive's bars, those of seconds from the prints."""
    inside, opens = sessions()
    if DAILY:
        days = np.unique(P["time"][inside] // DAY)
        bars, _ = group(P["time"] // DAY, inside, lambda day: 0)
        archived = {ticks.midnight(date) // DAY: prices for date, *prices in ticks.vix(DATA)}
        for bar, day in zip(bars, days):
            # On some days of 1990 to 1992 and others the archive's open is beyond its high or low.
            o, h, l, c = (x / 1e9 for x in archived[day])
            bar[:4] = o, max(o, h, l, c), min(o, h, l, c), c
            # The close is New York's: an hour's difference moves no bar behind the next day's row.
            bar[8] = day * DAY + 21 * 3_600 * SECOND
        a_year = 252.0
    else:
        length = min(int(seconds * SECOND), LENGTH)
        slots = opens + (P["time"] - opens) // length * length
        close = lambda slot: min(slot + length, slot // DAY * DAY + int(OPEN) + LENGTH)
        bars, _ = group(slots, inside, close)
        if seconds >= 60:
            from_archive(bars, length)
        a_year = 252.0 * (1 if seconds * SECOND > LENGTH else LENGTH / length)
    ends = np.array([bar[8] for bar in bars])
    return Kind(name, bars, a_year, np.searchsorted(ends, row_time, side="right"))


def from_archive(bars, length):
    """The same bars from the archive's minutes instead, which the engine has never seen."""
    made = {}
    for time, fields in ticks.archive(ticks.spy(DATA), "trade"):
        opens = time // DAY * DAY + int(OPEN)
        if opens <= time < opens + LENGTH:
            o, h, l, c = (int(x) / 10_000 for x in fields[:4])
            bar = made.setdefault(opens + (time - opens) // length * length, [o, h, l, c, 0.0])
            bar[1], bar[2], bar[3], bar[4] = max(bar[1], h), min(bar[2], l), c, bar[4] + float(fields[4])
    assert len(made) == len(bars), (len(made), len(bars))
    for bar, other in zip(bars, made.values()):
        assert bar[:5] == other, f"prints do not make the archive's bar: {bar} {other}"
        bar[:5] = other


def filled(name):
    """Bars that end with the print that fills them, over the ends of sessions."""
    inside, _ = sessions()
    slots, slot, full = np.zeros(len(inside), int), 0, 0.0
    for at in np.flatnonzero(inside):
        full += P["size"][at] * (P["price"][at] if name == "usd" else 1.0)
        slots[at] = slot
        if full >= FULL[name]:
            slot, full = slot + 1, 0.0
    bars, edges = group(slots, inside & (slots < slot), lambda slot: 0)
    for bar, edge in zip(bars, edges):
        bar[8] = P["time"][np.searchsorted(P["seq"], edge)]
    return Kind(name, bars, 1.0, np.searchsorted(edges, row_seq, side="right"))


def compare(family, column, values, by_row=None, slack=None):
    """Holds a column against values by bar (or by row). `slack` is what the other library's own
    rounding may add, relative, by bar."""
    kind, name = column
    theirs = rows[f"{ROOT}.{name}"].to_numpy(zero_copy_only=False).astype(float)
    told.add(f"{ROOT}.{name}")
    if by_row is None:
        spread = lambda v: np.where(kind.seen > 0, np.concatenate([v, [np.nan]])[kind.seen - 1], np.nan)
        ours = spread(np.asarray(values, float)) if kind.bars else np.full(len(theirs), np.nan)
        slack = 0.0 if slack is None or not kind.bars else spread(slack)
    else:
        ours, slack = by_row, 0.0
    ours = np.where(np.isfinite(ours), ours, np.nan)
    unknown = np.isnan(ours) != np.isnan(theirs)
    assert not unknown.any(), f"{name}: row {unknown.argmax()}: {ours[unknown.argmax()]} here, {theirs[unknown.argmax()]} there"
    both = ~np.isnan(ours)
    if not both.any():
        worst.setdefault(family, [0.0, "", 0, 0.0])
        return
    size = np.abs(ours[both])
    # Relative to the number, or to the column's usual size where it is near zero.
    off = np.abs(ours[both] - theirs[both]) / np.maximum(size, max(np.median(size), 1e-12))
    allowed = LIMIT + (slack[both] if np.ndim(slack) else slack)
    over = off > allowed
    at = over.argmax()
    assert not over.any(), f"{name}: {theirs[both][at]} for {ours[both][at]}, off by {off[at]:.1e} in {over.sum()} of {over.size} rows, worst {off.max():.1e}"
    found = worst.setdefault(family, [0.0, "", 0, 0.0])
    found[2] += int(both.sum())
    if off.max() >= found[0]:
        found[0], found[1] = off.max(), name


def over(a, b):
    """A quotient, 0 where nothing is divided by nothing, as the columns declare."""
    with np.errstate(all="ignore"):
        return np.where(b == 0, np.where(np.isnan(a), np.nan, 0.0), a / b)


def last(values, w):
    """Windows of w, one for each element, NaN before there are as many."""
    padded = np.concatenate([np.full(w - 1, np.nan), values])
    return sliding_window_view(padded, w)


def technical(kind, w):
    o, h, l, c, v, t = kind.o, kind.h, kind.l, kind.c, kind.v, kind.t
    typical = (h + l + c) / 3
    closes = last(c, w)
    flat = np.ptp(closes, axis=1) == 0
    sigma = closes.std(axis=1)
    upper, middle, lower = talib.BBANDS(c, w, 2, 2, 0)
    high, low = talib.MAX(h, w), talib.MIN(l, w)
    ago = np.concatenate([np.full(w, np.nan), c[:-w]])[: len(c)]
    path = last(np.concatenate([[np.nan], np.abs(np.diff(c))]), w).sum(axis=1)
    volume, turnover = last(v, w).sum(axis=1), last(t, w).sum(axis=1)
    sign = np.concatenate([[0.0], np.sign(np.diff(c))])
    _, k = talib.STOCHF(h, l, c, w, 3, 0)
    _, d = talib.STOCH(h, l, c, w, 3, 0, 3, 0)
    time = np.arange(w, dtype=float)
    with np.errstate(all="ignore"):
        # TA-Lib makes σ² from Σx² − (Σx)²/w of sums that run on: the whole of C²·w cancels.
        cancelled = np.where(flat, 0.0, 64 * EPSILON * w * (c / sigma) ** 2)
        # And its slope from Σxy, of which all but 6·slope/C·w⁻² does.
        slope = talib.LINEARREG_SLOPE(c, w)
        usual = np.nanmedian(np.abs(slope)) if (~np.isnan(slope)).any() else 1.0
        summed = 16 * EPSILON * c / np.maximum(np.abs(slope), usual)
        flat_typical = np.ptp(last(typical, w), axis=1) < 1e-12 * c
        yield "sma_gap", c / talib.SMA(c, w) - 1, None
        yield "ema_gap", c / talib.EMA(c, w) - 1, None
        yield "wma_gap", c / talib.WMA(c, w) - 1, None
        yield "rsi", talib.RSI(c, w), None
        yield "bb_place", np.where(flat, 0.0, (c - lower) / (upper - lower)), cancelled
        yield "bb_width", np.where(flat, 0.0, (upper - lower) / middle), cancelled
        yield "natr", talib.NATR(h, l, c, w), None
        yield "roc", talib.ROC(c, w), None
        yield "willr", talib.WILLR(h, l, c, w), None
        yield "stoch_k", k, None
        yield "stoch_d", d, None
        yield "plus_di", talib.PLUS_DI(h, l, c, w), None
        yield "minus_di", talib.MINUS_DI(h, l, c, w), None
        yield "adx", talib.ADX(h, l, c, w), None
        # Of one price over and over TA-Lib divides rounding by rounding.
        yield "cci", np.where(flat_typical, 0.0, talib.CCI(h, l, c, w)), None
        yield "aroon", talib.AROONOSC(h, l, w), None
        yield "donchian", (high - low) / c, None
        yield "slope", slope / c, summed
        yield "r_squared", fit(time, closes), None
        yield "efficiency", over(c - ago, path), None
        yield "vwap_gap", c / (turnover / volume) - 1, None
        yield "volume_ratio", v / talib.SMA(v, w), None
        yield "volume_tide", last(sign * v, w).sum(axis=1) / volume, None


def fit(time, closes):
    """The squared correlation with time, of every 50th window by SciPy and of all by NumPy."""
    off = closes - closes.mean(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        found = (off @ (time - time.mean())) ** 2 / ((off**2).sum(axis=1) * ((time - time.mean()) ** 2).sum())
    found = np.where(np.ptp(closes, axis=1) == 0, 0.0, found)
    for at in range(len(time) - 1, len(closes), 50):
        by_scipy = scipy.stats.linregress(time, closes[at]).rvalue ** 2 if np.ptp(closes[at]) else 0.0
        assert abs(by_scipy - found[at]) < LIMIT, f"r_squared: {by_scipy} by SciPy, {found[at]} by NumPy"
    return found


def volatility(kind, w):
    o, h, l, c = kind.o, kind.h, kind.l, kind.c
    before = np.concatenate([[np.nan], c[:-1]])
    r, gap, body = np.log(c / before), np.log(o / before), np.log(c / o)
    r1 = np.concatenate([[np.nan], r[:-1]])
    returns, count = last(r, w), kind.a_year
    mean = lambda values: last(values, w).mean(axis=1)
    total = lambda values: last(values, w).sum(axis=1)
    span = np.log(h / l) ** 2
    klass = 0.5 * span - (2 * np.log(2) - 1) * body**2
    rogers = mean(np.log(h / c) * np.log(h / o) + np.log(l / c) * np.log(l / o))
    variance = lambda values: last(values, w).var(axis=1, ddof=1)
    k = 0.34 / (1.34 + (w + 1) / (w - 1))
    yang = variance(gap) + k * variance(body) + (1 - k) * rogers
    bipower, squares = np.pi / 2 * total(np.abs(r) * np.abs(r1)), total(r**2)
    annual = lambda v: np.sqrt(count * np.maximum(v, 0.0))
    whole = ~np.isnan(returns).any(axis=1)

    def moment(of):
        """Of whole windows; of returns that are all the same there is none, which is 0 here."""
        found = np.full(len(returns), np.nan)
        still = np.ptp(returns[whole], axis=1) == 0
        found[whole] = np.where(still, 0.0, of(np.where(still[:, None], np.arange(w), returns[whole]), axis=1))
        return found

    yield "rv_close", annual(variance(r)), None
    yield "rv_parkinson", annual(mean(span) / (4 * np.log(2))), None
    yield "rv_garman_klass", annual(mean(klass)), None
    yield "rv_rogers_satchell", annual(rogers), None
    yield "rv_yang_zhang", annual(yang), None
    yield "rv_bipower", annual(bipower / w), None
    yield "jump_share", over(squares - bipower, squares), None
    yield "down_share", over(total(np.where(r < 0, r**2, 0 * r)), squares), None
    yield "sharpe", over(mean(r), returns.std(axis=1, ddof=1)), None
    yield "skewness", moment(scipy.stats.skew), None
    yield "kurtosis", moment(scipy.stats.kurtosis), None
    yield "autocorrelation", over(total(r * r1), squares), None
    yield "rv_absolute", np.sqrt(count * np.pi / 2) * mean(np.abs(r)), None


def bars_alone(kind):
    o, h, l, c, v, t = kind.o, kind.h, kind.l, kind.c, kind.v, kind.t
    line, _, hist = talib.MACD(c, 12, 26, 9)
    known = kind.seen > 0
    at = lambda values: np.where(known, np.concatenate([values, [np.nan]])[kind.seen - 1], np.nan)
    price = P["price"][np.searchsorted(P["seq"], row_seq, side="right") - 1]
    with np.errstate(all="ignore"):
        yield "return", talib.ROCP(c, 1), None
        yield "live_return", None, price / at(c) - 1
        yield "bar_range", (h - l) / c, None
        yield "bar_body", over(c - o, h - l), None
        yield "bar_place", np.where(h > l, (c - l) / (h - l), 0.5), None
        yield "bar_ticks", kind.n, None
        yield "bar_volume", v, None
        yield "bar_vwap_gap", c / (t / v) - 1, None
        yield "bar_interest", np.zeros(kind.bars), None
        yield "macd", line / c, None
        yield "macd_hist", hist / c, None
        if not DAILY:
            yield "bar_seconds", (kind.ends - kind.begins) / 1e9, None
            yield "bar_age", None, (row_time - at(kind.ends)) / 1e9


def kinds():
    if DAILY:
        return [in_time("1d", 86_400)]
    spans = {"1s": 1, "5s": 5, "1m": 60, "5m": 300, "15m": 900, "1h": 3_600, "1d": 86_400}
    return [in_time(name, seconds) for name, seconds in spans.items()] + [filled("vol"), filled("usd")]


for kind in kinds():
    for stat, values, by_row in bars_alone(kind):
        compare(stat, (kind, f"{stat}_{kind.name}"), values, by_row)
    for w in WINDOWS:
        for stat, values, slack in [*technical(kind, w), *volatility(kind, w)]:
            compare(stat, (kind, f"{stat}_{w}_{kind.name}"), values, slack=slack)
    print(f"{kind.name}: {kind.bars} bars")
print(f"parity: {len(told)} columns of {ROOT} over {len(row_seq)} rows")
for family, (off, name, values, _) in sorted(worst.items(), key=lambda item: -item[1][0]):
    print(f"  {family}: worst {off:.1e} of {values} values ({name})")
