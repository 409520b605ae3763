"""An export in; the columns that are made of other columns, reckoned anew from those as the file has
them: distances from exponential averages with their weights written out, ranks by SciPy, ratios,
differences and products by NumPy; and the worst difference of each kind out."""
import re
import sys

import numpy as np
import pyarrow.parquet as pq
import scipy.stats

FOLDER = sys.argv[1]
SPANS = [60, 600, 3_600]
MINUTE = 60 * 10**9
# Weighted sums of some thousand numbers in double precision, less what cancels.
LIMIT = 1e-9

rows = pq.read_table(f"{FOLDER}/features.parquet")
about = {field.name: (field.metadata or {}).get(b"about", b"").decode() for field in rows.schema}
minutes = rows["time"].cast("int64").to_numpy() // MINUTE
worst = {}


def column(name):
    return rows[name].to_numpy(zero_copy_only=False).astype(float)


def compare(kind, name, ours, theirs):
    ours = np.where(np.isfinite(ours), ours, np.nan)
    unknown = np.isnan(ours) != np.isnan(theirs)
    assert not unknown.any(), f"{name}: place {unknown.argmax()}: {ours[unknown.argmax()]} here, {theirs[unknown.argmax()]} there"
    both = ~np.isnan(ours)
    off = np.abs(ours[both] - theirs[both]) / np.maximum(1.0, np.abs(ours[both]))
    found = worst.setdefault(kind, [0.0, "-", 0, 0])
    found[2], found[3] = found[2] + 1, found[3] + off.size
    if off.size and off.max() >= found[0]:
        found[0], found[1] = off.max(), name
    assert not (off > LIMIT).any(), f"{name}: off by {off.max():.1e}"


def scores(root, source, x):
    """At every 53rd row: mean and variance of the known rows before it, each with its weight."""
    known = np.flatnonzero(np.isfinite(x))
    sample = np.arange(0, len(x), 53)
    for span in SPANS:
        a, ours = 2 / (span + 1), np.full(len(sample), np.nan)
        for place, row in enumerate(sample):
            past = x[known[: np.searchsorted(known, row)]]
            if not np.isfinite(x[row]) or len(past) == 0:
                continue
            weights = a * (1 - a) ** np.arange(len(past))[::-1]
            weights[0] /= a
            mean = weights @ past
            variance = weights @ (past - mean) ** 2
            # What never moved has no deviation: the quotient is not finite, so not known.
            flat = np.ptp(past) == 0
            ours[place] = np.nan if flat else (x[row] - mean) / np.sqrt(variance)
        name = f"{root}.z_{source}_{span}"
        compare(f"z over {span} rows", name, ours, column(name)[sample])


def rank(root, source, x):
    """The first row of each minute against those of the sixty minutes' before it."""
    firsts = np.flatnonzero(np.diff(minutes, prepend=-1))
    ranks = np.full(len(firsts), np.nan)
    for at, row in enumerate(firsts):
        past = x[firsts[max(0, at - 60) : at]]
        past = past[~np.isnan(past)]
        if len(past) and not np.isnan(x[row]):
            ranks[at] = scipy.stats.percentileofscore(past, x[row], kind="strict") / 100
    held = ranks[np.searchsorted(firsts, np.arange(len(x)), side="right") - 1]
    compare("rank among an hour's", f"{root}.rank_{source}", held, column(f"{root}.rank_{source}"))


HOW = {"Ratio": np.divide, "Difference": np.subtract, "Product": np.multiply}
for name, text in about.items():
    root, _, stat = name.partition(".")
    has = lambda source: column(f"{root}.{source}") if f"{root}.{source}" in about else np.full(len(rows), np.nan)
    if stat.startswith("rank_") and text.startswith("share of the last 60"):
        source = stat.removeprefix("rank_")
        scores(root, source, has(source))
        rank(root, source, has(source))
    if made := re.match(r"(\S+) (Ratio|Difference|Product) (\S+) \(", text):
        with np.errstate(all="ignore"):
            ours = HOW[made[2]](has(made[1]), has(made[3]))
        compare(made[2].lower(), name, ours, column(name))
print(f"parity: {sum(found[2] for found in worst.values())} derived columns over {len(rows)} rows")
for kind, (off, name, columns, values) in sorted(worst.items()):
    print(f"  {kind}: {columns} columns, worst {off:.1e} of {values} values ({name})")
