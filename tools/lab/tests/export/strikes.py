"""A day's export with its chain at each row in; where interest and volume lie among the
strikes of the three nearest expiries, how the nearest one's last hours look, and what was bought in
delta and vega, reckoned anew with NumPy and SciPy; the worst difference of each out.

Not here: exposures and levels, whose strikes without a volatility of their own take the smile's,
which the file does not hold; the engine's own tests set them against a plain program."""
import sys

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import norm

FOLDER, ROOT = sys.argv[1], sys.argv[2]
PLACES, AGO, NEAR = 3, 300, 0.02
# Sums over some hundred strikes in double precision; Greeks come in single, and as they came.
LIMIT = 1e-9
worst = {}

features, chain = (pq.read_table(f"{FOLDER}/{name}.parquet") for name in ["features", "chain"])
row_seq, number = features["seq"].to_numpy(), features["number"].to_numpy()
C = {name: chain[name].to_numpy(zero_copy_only=False) for name in ["seq", "interest", "volume", "instrument"]}
for name in ["bid", "ask", "iv", "theta", "delta", "vega", "forward", "vol_years"]:
    C[name] = chain[name].to_numpy(zero_copy_only=False).astype(float)
C["settles"] = chain["settles"].cast("int64").to_numpy()
C["strike"] = np.array([float(strike) for strike in chain["strike"].to_pylist()])
C["call"] = np.array([cp == "C" for cp in chain["cp"].to_pylist()])
C["ok"] = np.array([status == "ok" for status in chain["status"].to_pylist()])
C["mine"] = np.array([root == ROOT for root in chain["root"].to_pylist()])
starts = dict(zip(*np.unique(C["seq"], return_index=True)))
counts = dict(zip(*np.unique(C["seq"], return_counts=True)))
assert all(seq in starts for seq in row_seq), "a row without its chain"


class Expiry:
    """One expiry at one row: its strikes, ascending, and what there is at each, call and put."""

    def __init__(self, at):
        self.settles = C["settles"][at[0]]
        self.forward, self.vol_years = C["forward"][at[0]], C["vol_years"][at[0]]
        self.strikes = np.unique(C["strike"][at])
        self.sides = []
        for call in [True, False]:
            side = at[C["call"][at] == call]
            places = np.searchsorted(self.strikes, C["strike"][side])
            has = np.full(len(self.strikes), -1)
            has[places] = side
            self.sides.append(has)

    def column(self, name, side, without):
        at = self.sides[side]
        return np.where(at >= 0, C[name][at], without)

    def at_the_money(self):
        """(iv, theta a day, mid) of the pair nearest to the forward; nothing where one is unpriced."""
        above = np.searchsorted(self.strikes, self.forward)
        near = [row for row in [above - 1, above] if 0 <= row < len(self.strikes)]
        row = min(near, key=lambda row: abs(self.strikes[row] - self.forward))
        call, put = self.sides[0][row], self.sides[1][row]
        if call < 0 or put < 0 or not (C["ok"][call] and C["ok"][put]):
            return None
        theta = C["theta"][call] + C["theta"][put]
        mids = [(C["bid"][i] + C["ask"][i]) / 2 for i in (call, put)]
        return C["iv"][call], theta / 365, sum(mids)


def chain_at(seq):
    """The nearest expiries of the root, the first to settle first."""
    at = np.arange(starts[seq], starts[seq] + counts[seq])
    at = at[C["mine"][at]]
    return [Expiry(at[C["settles"][at] == settles]) for settles in np.unique(C["settles"][at])[:PLACES]]


def look(expiry):
    off = expiry.strikes / expiry.forward - 1
    calls, puts = (np.maximum(expiry.column("interest", side, 0), 0).astype(float) for side in (0, 1))
    bought, sold = (expiry.column("volume", side, 0).astype(float) for side in (0, 1))
    both, volume = calls + puts, bought + sold
    with np.errstate(all="ignore"):
        share = both / both.sum()
        center = share @ off
        width = np.sqrt(share @ (off - center) ** 2)
        traded = volume / volume.sum()
    peak = lambda held: off[held.argmax()] if held.max() > 0 else np.nan
    # What holders of all contracts would be paid at each strike, the least of it first.
    k = expiry.strikes
    pain = np.maximum(k[:, None] - k, 0) @ calls + np.maximum(k - k[:, None], 0) @ puts
    outside = bought[off > 0].sum() + sold[off <= 0].sum()
    with np.errstate(all="ignore"):
        return {
            "oi_calls": calls.sum(), "oi_puts": puts.sum(), "pcr_oi": puts.sum() / calls.sum(),
            "oi_concentration": np.sort(share)[-3:].sum(), "oi_herfindahl": share @ share,
            "oi_center": center, "oi_width": width, "oi_skewness": share @ (off - center) ** 3 / width**3,
            "call_peak": peak(calls), "put_peak": peak(puts),
            "max_pain_distance": off[pain.argmin()] if both.sum() > 0 else np.nan,
            "volume_peak": peak(volume), "volume_center": traded @ off,
            "volume_interest": volume.sum() / both.sum(), "otm_volume_share": outside / volume.sum(),
        }


def pin(expiries, thetas):
    expiry, found = expiries[0], {}
    pair = expiry.at_the_money()
    iv = pair[0] if pair else np.nan
    held = sum(np.maximum(expiry.column("interest", side, 0), 0) for side in (0, 1))
    k, forward, spread = expiry.strikes, expiry.forward, iv * np.sqrt(expiry.vol_years)
    near = np.where(np.abs(k / forward - 1) <= NEAR, held, -1)
    if near.max() > 0:
        row = near.argmax()
        below = k[row] - k[row - 1] if row > 0 else k[row + 1] - k[row]
        above = k[row + 1] - k[row] if row + 1 < len(k) else below
        beyond = lambda strike: norm.cdf(np.log(forward / strike) / spread - spread / 2)
        found |= {
            "pin_distance": k[row] / forward - 1, "pin_sigmas": np.log(k[row] / forward) / spread,
            "pin_risk": beyond(k[row] - below / 2) - beyond(k[row] + above / 2),
            "pin_interest": near[row] / held.sum(),
        }
    if pair:
        thetas.append(pair[1])
        found |= {"straddle": pair[2] / forward, "theta_share": pair[1] / pair[2]}
        if len(thetas) > AGO:
            found["theta_acceleration"] = pair[1] / thetas[-1 - AGO] - 1
        later = expiries[1] if len(expiries) > 1 and expiries[1].vol_years > expiry.vol_years else None
        if later and (far := later.at_the_money()):
            variance = far[0] ** 2 * later.vol_years - iv**2 * expiry.vol_years
            if variance >= 0:
                found["iv_crush"] = iv - np.sqrt(variance / (later.vol_years - expiry.vol_years))
    return found


def compare(name, ours, limit=LIMIT):
    theirs = features[f"{ROOT}.{name}"].to_numpy(zero_copy_only=False).astype(float)
    ours = np.array(ours, float)
    ours = np.where(np.isfinite(ours), ours, np.nan)
    unknown = np.isnan(ours) != np.isnan(theirs)
    assert not unknown.any(), f"{name}: place {unknown.argmax()}: {ours[unknown.argmax()]} here, {theirs[unknown.argmax()]} there"
    both = ~np.isnan(ours)
    off = np.abs(ours[both] - theirs[both]) / np.maximum(np.abs(ours[both]), max(np.median(np.abs(ours[both])), 1e-12)) if both.any() else np.zeros(0)
    assert not (off > limit).any(), f"{name}: {theirs[both][off.argmax()]} for {ours[both][off.argmax()]}, off by {off.max():.1e}"
    worst[name] = (off.max() if off.size else 0.0, off.size)


expiries = [chain_at(seq) for seq in row_seq]
looks = [[look(expiry) for expiry in found] for found in expiries]
for place in range(PLACES):
    # One place a row, in turn: what a row says is that of the last turn, if the expiry still stands
    # at that place.
    settles = [found[place].settles if len(found) > place else None for found in expiries]
    last = [
        next((r for r in range(row, max(row - PLACES, -1), -1) if number[r] % PLACES == place), None)
        for row in range(len(row_seq))
    ]
    last = [r if r is not None and settles[r] == settles[row] is not None else None for row, r in enumerate(last)]
    for stat in looks[0][0]:
        compare(f"{stat}_e{place + 1}", [np.nan if r is None else looks[r][place][stat] for r in last])
thetas = []
pins = [pin(found, thetas) for found in expiries]
for stat in ["pin_distance", "pin_sigmas", "pin_risk", "pin_interest", "straddle", "theta_share", "theta_acceleration", "iv_crush"]:
    compare(stat, [found.get(stat, np.nan) for found in pins])


def bought():
    """Contracts bought less sold between two rows, at the Greeks of the later one."""
    trades, quotes = (pq.read_table(f"{FOLDER}/{name}.parquet") for name in ["trades", "quotes"])
    kind = {i["instrument"]: i for i in pq.read_table(f"{FOLDER}/instruments.parquet").to_pylist()}
    stood, told = {}, list(zip(*(quotes[c].to_pylist() for c in ["seq", "instrument", "bid", "ask"])))
    sums = {bucket: np.zeros((2, len(row_seq))) for bucket in ["0dte", "week", "later"]}
    net, place = {}, 0
    for seq, instrument, price, size, side in zip(*(trades[c].to_pylist() for c in ["seq", "instrument", "price", "size", "side"])):
        if seq > row_seq[-1] or not kind[instrument]["cp"] or kind[instrument]["root"] != ROOT:
            continue
        while place < len(told) and told[place][0] < seq:
            stood[told[place][1]] = told[place][2:]
            place += 1
        bid, ask = (np.nan if side is None else float(side) for side in stood.get(instrument, (None, None)))
        sign = {"B": 1, "A": -1}.get(side, 0)
        if sign == 0 and bid < ask:
            sign = int(np.sign(round(2 * float(price) - bid - ask, 9)))
        row = np.searchsorted(row_seq, seq)
        net[row, instrument] = net.get((row, instrument), 0) + sign * size
    for (row, instrument), contracts in net.items():
        at = starts[row_seq[row]] + np.flatnonzero(C["instrument"][starts[row_seq[row]]:][: counts[row_seq[row]]] == instrument)
        if contracts == 0 or len(at) == 0 or not C["ok"][at[0]]:
            continue
        days = (kind[instrument]["settles"].date() - day).days
        bucket = "0dte" if days <= 0 else "week" if days <= 7 else "later"
        units = contracts * float(kind[instrument]["multiplier"])
        # Whole thousandths of a unit and whole currency for a whole point, cut towards zero.
        sums[bucket][0, row] += int(units * C["delta"][at[0]] * 1_000)
        sums[bucket][1, row] += int(units * C["vega"][at[0]])
    return sums


day = features["time"].to_pylist()[0].date()
sums = bought()
for bucket, (delta, vega) in sums.items():
    for window, w in {"r10": 10, "r60": 60, "r300": 300, "r1800": 1_800}.items():
        rolled = lambda v: np.array([v[r - w + 1 : r + 1].sum() if r >= w - 1 else np.nan for r in range(len(v))])
        compare(f"delta_bought_{window}_{bucket}", rolled(delta) / 1_000)
        compare(f"vega_bought_{window}_{bucket}", rolled(vega) / 100)
never = sum(values == 0 for _, values in worst.values())
# A day of minutes has fewer rows than the two longest windows and what is 300 rows ago.
print(f"parity: {len(worst)} columns over {len(row_seq)} rows, {never} of them never known")
for name, (off, values) in sorted(worst.items(), key=lambda item: -item[1][0]):
    print(f"  {name}: worst {off:.1e} of {values} values")
