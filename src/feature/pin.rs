//! The nearest expiry's strikes and volatilities in; how its last hours look, out: where it may be
//! pinned, how fast premium melts, what volatility will be lost when it is gone.

use super::{
    block::{Block, See, Setup},
    nearest::nearest,
    table::{Axis, POSITIVE, REAL, Stat, Table, stat},
};
use crate::{
    chain::{Chain, Expiry},
    greeks::math::{cdf, ln, one},
    wire::market::VolStatus,
};

const CHAIN: &str = "the nearest expiry's strikes";

const STATS: &[Stat] = &[
    stat(
        "pin_distance",
        "1",
        [-NEAR, NEAR],
        "pin strike / F − 1: most open interest within 2 % of the forward",
    )
    .by(CHAIN),
    stat("pin_sigmas", "1", REAL, "ln(pin strike / F) / (iv·√T)").by(CHAIN),
    stat(
        "pin_risk",
        "1",
        [0.0, 1.0],
        "probability to settle within half a strike's step of the pin strike: N(d2) − N(d2')",
    )
    .by("Black 1976 at the volatility at the money"),
    stat("pin_interest", "1", [0.0, 1.0], "open interest of the pin strike / the expiry's")
        .by(CHAIN),
    stat("straddle", "1", POSITIVE, "mid of call and put at the money / F").by(CHAIN),
    stat("theta_share", "1/day", REAL, "their theta a day / their mid").by(CHAIN),
    stat(
        "theta_acceleration",
        "1",
        REAL,
        "their theta / what it was 300 rows ago − 1, both at the money then",
    )
    .by(CHAIN),
    stat(
        "iv_crush",
        "1",
        REAL,
        "iv at the money − iv from its settlement to the next: √((w2 − w1)/(T2 − T1))",
    )
    .by("forward variance, Gatheral 2006"),
];

/// How far from the forward a pin is looked for.
const NEAR: f64 = 0.02;
const AGO: usize = 300;

/// Thetas at the money of the last rows.
#[derive(Debug)]
pub(super) struct Pin {
    thetas: [f64; AGO],
    rows: usize,
    of: Option<u16>,
}

/// Call and put of a strike, and their volatility.
struct Pair {
    iv: f64,
    theta_day: f64,
    mid: f64,
}

/// The pair whose strike is nearest to the forward.
fn at_the_money(chain: &Chain, expiry: &Expiry) -> Option<Pair> {
    let above = expiry.row_at(expiry.forward);
    let off = |row: &usize| (expiry.strike(*row) - expiry.forward).abs();
    let rows = [above.checked_sub(1), Some(above)].into_iter().flatten();
    let row = rows.filter(|row| *row < expiry.rows()).min_by(|a, b| off(a).total_cmp(&off(b)))?;
    let sides = [expiry.call(row)?, expiry.put(row)?];
    let [call, put] = sides.map(|index| chain.greeks(index));
    let (call, put) = (call?, put?);
    if call.status != VolStatus::OK || put.status != VolStatus::OK {
        return None;
    }
    let theta = f64::from(call.theta) + f64::from(put.theta);
    let mid = sides.map(|index| chain.quote(index).mid());
    Some(Pair { iv: call.iv, theta_day: theta / 365.0, mid: mid[0] + mid[1] })
}

/// The strike near the forward with the most open interest, its row, its share.
fn pin(chain: &Chain, expiry: &Expiry) -> Option<(usize, f64)> {
    let open = |row: usize| {
        let held = |index: Option<u32>| index.map_or(0, |index| chain.tape(index).interest.max(0));
        held(expiry.call(row)) + held(expiry.put(row))
    };
    let (mut best, mut all) = ((0, 0), 0);
    for row in 0..expiry.rows() {
        let held = open(row);
        all += held;
        let near = (expiry.strike(row) / expiry.forward - 1.0).abs() <= NEAR;
        if near && held > best.1 {
            best = (row, held);
        }
    }
    (best.1 > 0).then(|| (best.0, best.1 as f64 / all as f64))
}

/// The chance to settle within half a step of a row's strike.
fn chance(expiry: &Expiry, row: usize, iv: f64) -> f64 {
    let strike = expiry.strike(row);
    let below = row.checked_sub(1).map_or(f64::NAN, |row| strike - expiry.strike(row));
    let above = expiry.strike_or_nan(row + 1) - strike;
    // At an end of the chain the step on the other side counts.
    let half = |step: f64, other: f64| 0.5 * if step.is_nan() { other } else { step };
    let spread = iv * expiry.vol_years.sqrt();
    let beyond = |strike: f64| {
        let d2 = one(ln, expiry.forward / strike) / spread - 0.5 * spread;
        one(cdf, d2)
    };
    beyond(strike - half(below, above)) - beyond(strike + half(above, below))
}

impl Pin {
    /// The theta of 300 rows ago makes room for this one's.
    fn accelerated(&mut self, index: u16, theta: f64) -> f64 {
        if self.of != Some(index) {
            (self.of, self.rows) = (Some(index), 0);
        }
        let place = &mut self.thetas[self.rows % AGO];
        let before = core::mem::replace(place, theta);
        self.rows += 1;
        if self.rows > AGO { theta / before - 1.0 } else { f64::NAN }
    }
}

/// Volatility between two settlements, by the variances up to them.
fn between(near: (f64, f64), far: (f64, f64)) -> f64 {
    let variance = |(iv, years): (f64, f64)| iv * iv * years;
    // A negative forward variance has no root: NaN.
    ((variance(far) - variance(near)) / (far.1 - near.1)).sqrt()
}

impl Block for Pin {
    const TABLE: &'static Table =
        &Table { family: "expiry", outer: Axis::One, inner: Axis::One, stats: STATS };

    fn new(_: &Setup<'_>) -> Pin {
        Pin { thetas: [f64::NAN; AGO], rows: 0, of: None }
    }

    fn fill(&mut self, see: &See<'_>, _: &[f64], out: &mut [f64]) {
        out.fill(f64::NAN);
        let [Some(first), next, _] = nearest(see) else { return };
        let expiry = see.chain.expiry(first);
        if !(expiry.forward > 0.0 && expiry.vol_years > 0.0) {
            return;
        }
        let pair = at_the_money(see.chain, expiry);
        let iv = pair.as_ref().map_or(f64::NAN, |pair| pair.iv);
        if let Some((row, share)) = pin(see.chain, expiry) {
            let strike = expiry.strike(row);
            out[0] = strike / expiry.forward - 1.0;
            out[1] = one(ln, strike / expiry.forward) / (iv * expiry.vol_years.sqrt());
            out[2] = chance(expiry, row, iv);
            out[3] = share;
        }
        let Some(pair) = pair else { return };
        out[4] = pair.mid / expiry.forward;
        out[5] = pair.theta_day / pair.mid;
        out[6] = self.accelerated(first, pair.theta_day);
        let later = next.map(|next| see.chain.expiry(next));
        let later = later.filter(|later| later.vol_years > expiry.vol_years);
        let far = later.and_then(|later| {
            at_the_money(see.chain, later).map(|pair| (pair.iv, later.vol_years))
        });
        if let Some(far) = far {
            out[7] = iv - between((iv, expiry.vol_years), far);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_volatility_between_makes_up_the_whole() {
        let (near, far) = ((0.4, 0.1), (0.3, 0.4));
        let iv = between(near, far);
        let whole = near.0 * near.0 * near.1 + iv * iv * (far.1 - near.1);
        assert!((whole - far.0 * far.0 * far.1).abs() < 1e-15);
        assert!(between((0.9, 0.1), (0.2, 0.2)).is_nan(), "calendar arbitrage has none");
    }
}
