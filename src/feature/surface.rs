//! Smiles and forwards of the nearest expiries in; level, skew, wings and curvature of each, the
//! term structure between them, and where the level stands in its own past, out.
//!
//! A smile is as GREEKS last fitted it, and unknown five minutes after that; a volatility is that
//! of the time that was left then. When the nearest expiry has settled, its past goes with it.

use super::{
    block::{Block, See, Setup},
    nearest::{NEAREST, nearest},
    past::Past,
    table::{Axis, POSITIVE, REAL, Stat, Table, all_by, stat},
};
use crate::{
    chain::Expiry,
    greeks::surface::{Smile, smile_of},
    wire::{NANOS_PER_SECOND, Timestamp, market},
};

const EACH: &[Stat] = &all_by(
    "raw SVI, Gatheral 2004",
    [
        stat("atm_iv", "1/√year", POSITIVE, "σ(0), the smile at the forward"),
        stat("iv_slope", "1/√year", REAL, "dσ/dk at the forward, k = ln(K/F)"),
        stat("iv_curvature", "1/√year", REAL, "d²σ/dk² at the forward"),
        stat("rr_25", "1/√year", REAL, "σ of the 25-delta call − σ of the 25-delta put"),
        stat("bf_25", "1/√year", REAL, "mean σ of the 25-delta call and put − σ(0)"),
        stat("rr_10", "1/√year", REAL, "σ of the 10-delta call − σ of the 10-delta put"),
        stat("bf_10", "1/√year", REAL, "mean σ of the 10-delta call and put − σ(0)"),
        stat("skew_ratio", "1", POSITIVE, "σ of the 25-delta put / σ of the 25-delta call"),
        stat(
            "smile_error",
            "half-spreads",
            POSITIVE,
            "root mean square distance of the quotes from the smile",
        ),
        stat("smile_points", "options", POSITIVE, "options that the smile was fitted to"),
        stat(
            "smile_density",
            "1",
            REAL,
            "least value of Durrleman's g, below 0 for butterfly arbitrage",
        ),
        stat("basis", "1", REAL, "forward / price − 1"),
        stat(
            "parity_spread",
            "1",
            POSITIVE,
            "half the interquartile range of the pairs' forwards / forward",
        ),
        stat("expected_move", "1", POSITIVE, "σ(0)·√T, T on the volatility's clock"),
    ],
);

const TERM: &[Stat] = &all_by(
    "raw SVI, Gatheral 2004",
    [
        stat("iv_term_12", "1/√year", REAL, "atm_iv_1 − atm_iv_2"),
        stat("iv_term_23", "1/√year", REAL, "atm_iv_2 − atm_iv_3"),
        stat("iv_ratio_13", "1", POSITIVE, "atm_iv_1 / atm_iv_3"),
        stat(
            "forward_iv_12",
            "1/√year",
            POSITIVE,
            "√((w₂ − w₁)/(T₂ − T₁)), w = σ(0)²·T; NaN for w₂ < w₁",
        ),
        stat("forward_iv_23", "1/√year", POSITIVE, "√((w₃ − w₂)/(T₃ − T₂))"),
        stat("skew_term_12", "1/√year", REAL, "rr_25_1 − rr_25_2"),
        stat("iv_change_1m", "1/√year", REAL, "atm_iv_1 − that of 1 minute ago, on the minute"),
        stat("iv_change_5m", "1/√year", REAL, "atm_iv_1 − that of 5 minutes ago"),
        stat("iv_change_30m", "1/√year", REAL, "atm_iv_1 − that of 30 minutes ago"),
        stat(
            "iv_rank",
            "1",
            [0.0, 1.0],
            "(x − min)/(max − min) of atm_iv_1 over the last 390 minutes, on the minute",
        ),
        stat(
            "iv_percentile",
            "1",
            [0.0, 1.0],
            "share of the last 390 minutes with a smaller atm_iv_1, on the minute",
        ),
        stat(
            "iv_volatility",
            "1/√year",
            POSITIVE,
            "standard deviation of the minute's changes of atm_iv_1 over 30",
        ),
        stat(
            "skew_rank",
            "1",
            [0.0, 1.0],
            "(x − min)/(max − min) of rr_25_1 over the last 390 minutes, on the minute",
        ),
    ],
);

const MINUTE: u64 = 60 * NANOS_PER_SECOND;
const SESSION_MINUTES: usize = 390;

/// What a smile gives, kept until there is another.
#[derive(Clone, Copy, Debug)]
struct Known {
    fitted: market::Smile,
    // When it was first seen.
    since: Timestamp,
    values: [f64; 9],
}

/// A smile that is older is not taken for the present one: too few options had firm quotes for
/// another.
const FRESH: u64 = 5 * MINUTE;

/// Per expiry.
#[derive(Debug)]
pub(super) struct Surface {
    known: [Known; NEAREST],
}

impl Known {
    const NONE: Known = Known {
        fitted: market::Smile {
            a: 0.0,
            b: 0.0,
            rho: 0.0,
            m: 0.0,
            sigma: 0.0,
            rms: 0.0,
            butterfly: 0.0,
            points: 0,
            crossed: 0,
        },
        since: 0,
        values: [f64::NAN; 9],
    };

    /// Whether there is a smile that is fresh enough.
    fn refresh(&mut self, expiry: &Expiry, now: Timestamp) -> bool {
        if expiry.smile != self.fitted {
            (self.fitted, self.since) = (expiry.smile, now);
            self.values = smile_of(expiry).map_or([f64::NAN; 9], |smile| shape(&smile));
        }
        expiry.smile.points > 0 && now.saturating_sub(self.since) <= FRESH
    }
}

/// Level, slope, curvature, both wings, the skew's ratio, the level's total deviation.
fn shape(smile: &Smile) -> [f64; 9] {
    let (w, first, second) = smile.svi.slopes(0.0);
    let root = (w * smile.years).sqrt();
    let (near, far) = (smile.wing(Smile::DELTA_25), smile.wing(Smile::DELTA_10));
    [
        smile.level(),
        first / (2.0 * root),
        second / (2.0 * root) - first * first / (4.0 * w * root),
        near.risk_reversal,
        near.butterfly,
        far.risk_reversal,
        far.butterfly,
        near.vol.1 / near.vol.0,
        w.sqrt(),
    ]
}

impl Block for Surface {
    const TABLE: &'static Table = &Table {
        family: "surface",
        outer: Axis::Named(&["1", "2", "3"]),
        inner: Axis::One,
        stats: EACH,
    };

    fn new(_: &Setup<'_>) -> Surface {
        Surface { known: [Known::NONE; NEAREST] }
    }

    fn fill(&mut self, see: &See<'_>, _: &[f64], out: &mut [f64]) {
        let places = out.chunks_exact_mut(EACH.len()).zip(&mut self.known);
        for ((out, known), index) in places.zip(nearest(see)) {
            let Some(index) = index else {
                out.fill(f64::NAN);
                continue;
            };
            let expiry = see.chain.expiry(index);
            let fresh = known.refresh(expiry, see.now);
            let if_fresh = |value: f64| if fresh { value } else { f64::NAN };
            let values = known.values.map(if_fresh);
            out[..8].copy_from_slice(&values[..8]);
            out[8..].copy_from_slice(&[
                if_fresh(expiry.smile.rms.into()),
                if_fresh(expiry.smile.points.into()),
                if_fresh(expiry.smile.butterfly.into()),
                expiry.forward / see.price - 1.0,
                f64::from(expiry.fit.0) / expiry.forward,
                values[8],
            ]);
        }
    }
}

/// Between the expiries, and through time.
#[derive(Debug)]
pub(super) struct Term {
    // Whose past it is: that of another expiry is no measure for this one.
    of: Option<u16>,
    level: Past,
    skew: Past,
    change: Past,
    minute: u64,
    // Rank and percentile of the level, volatility of its changes, rank of the skew.
    standing: [f64; 4],
}

// Places in the block above.
const LEVEL: usize = 0;
const SKEW: usize = 3;
const TOTAL: usize = 13;

impl Term {
    fn forget(&mut self) {
        for past in [&mut self.level, &mut self.skew, &mut self.change] {
            past.clear();
        }
        (self.minute, self.standing) = (0, [f64::NAN; 4]);
    }

    /// One value a minute: the first row of each.
    fn remember(&mut self, see: &See<'_>, level: f64, skew: f64) {
        let minute = see.now / MINUTE;
        if minute == self.minute || level.is_nan() {
            return;
        }
        self.minute = minute;
        self.change.push(level - self.level.ago(0));
        self.level.push(level);
        self.skew.push(skew);
        self.standing = [
            self.level.rank(level),
            self.level.percentile(level),
            self.change.deviation(),
            self.skew.rank(skew),
        ];
    }
}

impl Block for Term {
    const TABLE: &'static Table =
        &Table { family: "surface", outer: Axis::One, inner: Axis::One, stats: TERM };

    fn new(_: &Setup<'_>) -> Term {
        let past = || Past::new(SESSION_MINUTES);
        Term {
            of: None,
            level: past(),
            skew: past(),
            change: Past::new(30),
            minute: 0,
            standing: [f64::NAN; 4],
        }
    }

    fn fill(&mut self, see: &See<'_>, done: &[f64], out: &mut [f64]) {
        let width = NEAREST * EACH.len();
        let each = &done[done.len() - width..];
        let of = |expiry: usize, stat: usize| each[expiry * EACH.len() + stat];
        let level = [0, 1, 2].map(|expiry| of(expiry, LEVEL));
        // T = w/σ², from the smile's own level and total deviation.
        let total = [0, 1, 2].map(|expiry| of(expiry, TOTAL) * of(expiry, TOTAL));
        let years = |expiry: usize| total[expiry] / (level[expiry] * level[expiry]);
        let forward = |near: usize, far: usize| {
            ((total[far] - total[near]) / (years(far) - years(near))).sqrt()
        };
        let first = nearest(see)[0];
        if first != self.of {
            self.of = first;
            self.forget();
        }
        self.remember(see, level[0], of(0, SKEW));
        let change = |minutes: usize| level[0] - self.level.ago(minutes);
        let [iv_rank, iv_percentile, iv_volatility, skew_rank] = self.standing;
        out.copy_from_slice(&[
            level[0] - level[1],
            level[1] - level[2],
            level[0] / level[2],
            forward(0, 1),
            forward(1, 2),
            of(0, SKEW) - of(1, SKEW),
            change(1),
            change(5),
            change(30),
            iv_rank,
            iv_percentile,
            iv_volatility,
            skew_rank,
        ]);
    }
}
