//! Columns of the blocks before in; how unusual they are against their own past, and how they
//! stand to one another, out.

use super::{
    block::{Block, See, Setup},
    table::{Axis, REAL, Stat, Table, all_by, stat},
};
use crate::{
    greeks::math::{Lanes, V},
    wire::NANOS_PER_SECOND,
};
use alloc::{vec, vec::Vec};

/// The columns whose past is kept.
const SOURCES: &[&str] = &[
    "rsi_14_1s",
    "rsi_14_1m",
    "rsi_14_5m",
    "adx_14_1m",
    "natr_14_1m",
    "natr_14_5m",
    "bb_width_20_1m",
    "bb_width_20_5m",
    "roc_20_1s",
    "roc_20_1m",
    "roc_20_5m",
    "roc_5_15m",
    "donchian_20_1m",
    "efficiency_20_1m",
    "slope_20_1m",
    "slope_50_1s",
    "rv_close_20_1s",
    "rv_close_20_1m",
    "rv_close_50_1m",
    "rv_bipower_20_1m",
    "rv_parkinson_20_5m",
    "skewness_50_1m",
    "kurtosis_50_1m",
    "jump_share_50_1m",
    "volume_ratio_20_1m",
    "volume_tide_20_1m",
    "bar_ticks_1m",
    "vwap_gap_20_1m",
    "atm_iv_1",
    "atm_iv_2",
    "iv_slope_1",
    "rr_25_1",
    "bf_25_1",
    "basis_1",
    "iv_term_12",
    "expected_move_1",
    "smile_error_1",
    "session_range",
    "session_place",
    "macd_1m",
];

/// Rows that an exponential average weighs: `2/(n + 1)` is its share.
const SPANS: [(&str, f64); 3] = [("60", 60.0), ("600", 600.0), ("3600", 3_600.0)];

const Z: &[Stat] = &[stat(
    "z",
    "1",
    REAL,
    "(x − m)/s over rows: m += a·(x − m), s² = (1 − a)·(s² + a·(x − m)²), a = 2/(n + 1)",
)
.after(|_| 2)
.by("West 1979; pandas ewm(span=n, adjust=False, bias=True) up to the row before")];

const RANK: &[Stat] =
    &[stat("rank", "1", [0.0, 1.0], "share of the last 60 minutes' values (one a minute) below x")
        .after(|_| 2)
        .by("scipy.stats.percentileofscore, strict")];

const LANES: usize = 8;
const BLOCKS: usize = SOURCES.len() / LANES;
const _: () = assert!(SOURCES.len().is_multiple_of(LANES));

/// Where the sources lie in a root's columns; those that the settings leave out lie nowhere.
#[derive(Clone, Debug)]
struct Sources(Vec<usize>);

impl Sources {
    fn new(setup: &Setup<'_>, names: &[&str]) -> Sources {
        let place = |name: &&str| setup.place(name).unwrap_or(usize::MAX);
        Sources(names.iter().map(place).collect())
    }

    #[inline(always)]
    fn take(&self, done: &[f64]) -> [V; BLOCKS] {
        core::array::from_fn(|block| {
            V::from_fn(|lane| {
                let at = self.0[block * LANES + lane];
                done.get(at).copied().unwrap_or(f64::NAN)
            })
        })
    }
}

/// Distances from exponential averages, in their deviations.
#[derive(Debug)]
pub(super) struct Scores {
    sources: Sources,
    mean: [[V; BLOCKS]; SPANS.len()],
    variance: [[V; BLOCKS]; SPANS.len()],
}

impl Block for Scores {
    const TABLE: &'static Table = &Table {
        family: "derived",
        outer: Axis::Named(&[SPANS[0].0, SPANS[1].0, SPANS[2].0]),
        inner: Axis::Named(SOURCES),
        stats: Z,
    };

    fn new(setup: &Setup<'_>) -> Scores {
        let unknown = [[V::splat(f64::NAN); BLOCKS]; SPANS.len()];
        let variance = [[V::splat(0.0); BLOCKS]; SPANS.len()];
        Scores { sources: Sources::new(setup, SOURCES), mean: unknown, variance }
    }

    fn fill(&mut self, _: &See<'_>, done: &[f64], out: &mut [f64]) {
        let values = self.sources.take(done);
        let places = out.chunks_exact_mut(SOURCES.len());
        let held = self.mean.iter_mut().zip(&mut self.variance).zip(SPANS);
        for (out, ((mean, variance), (_, rows))) in places.zip(held) {
            let a = V::splat(2.0 / (rows + 1.0));
            let keep = V::splat(1.0) - a;
            let blocks = values.iter().zip(mean).zip(variance);
            for (out, ((x, mean), variance)) in out.chunks_exact_mut(LANES).zip(blocks) {
                let off = *x - *mean;
                let z = off / variance.sqrt();
                out.copy_from_slice(&z.to_array());
                let known = off.is_finite();
                let next = keep * (a * off).mul_add(off, *variance);
                *variance = known.select(next, *variance);
                let moved = a.mul_add(off, *mean);
                // The first value is the mean; one that is not known changes nothing.
                *mean = known.select(moved, mean.is_nan().select(*x, *mean));
            }
        }
    }
}

const MINUTE: u64 = 60 * NANOS_PER_SECOND;
const MINUTES: usize = 60;

/// Where values stand among those of the last hour.
#[derive(Debug)]
pub(super) struct Ranks {
    sources: Sources,
    past: Vec<[V; BLOCKS]>,
    count: usize,
    minute: u64,
    ranks: Vec<f64>,
}

impl Block for Ranks {
    const TABLE: &'static Table =
        &Table { family: "derived", outer: Axis::One, inner: Axis::Named(SOURCES), stats: RANK };

    fn new(setup: &Setup<'_>) -> Ranks {
        Ranks {
            sources: Sources::new(setup, SOURCES),
            past: vec![[V::splat(f64::NAN); BLOCKS]; MINUTES],
            count: 0,
            minute: 0,
            ranks: vec![f64::NAN; SOURCES.len()],
        }
    }

    fn fill(&mut self, see: &See<'_>, done: &[f64], out: &mut [f64]) {
        let minute = see.now / MINUTE;
        if minute != self.minute {
            self.minute = minute;
            let values = self.sources.take(done);
            let kept = &self.past[..self.count.min(MINUTES)];
            let places = self.ranks.chunks_exact_mut(LANES).zip(values).enumerate();
            for (block, (ranks, x)) in places {
                ranks.copy_from_slice(&below(kept, block, x).to_array());
            }
            self.past[self.count % MINUTES] = values;
            self.count += 1;
        }
        out.copy_from_slice(&self.ranks);
    }
}

/// Share of the known values below `x`.
fn below(kept: &[[V; BLOCKS]], block: usize, x: V) -> V {
    let (none, one) = (V::splat(0.0), V::splat(1.0));
    let (mut below, mut known) = (none, none);
    for row in kept {
        below += row[block].simd_lt(x).select(one, none);
        known += row[block].is_nan().select(none, one);
    }
    x.is_nan().select(x, below / known)
}

/// How two columns are brought together.
#[derive(Clone, Copy, Debug)]
enum With {
    Ratio,
    Difference,
    Product,
}

macro_rules! pairs {
    ($($name:literal = $a:literal $with:ident $b:literal;)*) => {
        const PAIRS: &[(&str, With, &str)] = &[$(($a, With::$with, $b)),*];

        const PAIR_STATS: &[Stat] = &all_by("the columns named", [$(stat(
            $name,
            "a∘b",
            REAL,
            concat!($a, " ", stringify!($with), " ", $b),
        )),*]);
    };
}

pairs! {
    "rv_iv_1s" = "rv_close_50_1s" Ratio "atm_iv_1";
    "rv_iv_1m" = "rv_close_20_1m" Ratio "atm_iv_1";
    "rv_iv_5m" = "rv_close_20_5m" Ratio "atm_iv_1";
    "rv_iv_15m" = "rv_close_20_15m" Ratio "atm_iv_1";
    "rv_iv_1d" = "rv_close_20_1d" Ratio "atm_iv_2";
    "vrp_1m" = "atm_iv_1" Difference "rv_yang_zhang_20_1m";
    "vrp_5m" = "atm_iv_1" Difference "rv_yang_zhang_20_5m";
    "vrp_far" = "atm_iv_2" Difference "rv_close_50_5m";
    "rv_fast_slow_1s" = "rv_close_14_1s" Ratio "rv_close_100_1s";
    "rv_fast_slow_1m" = "rv_close_14_1m" Ratio "rv_close_100_1m";
    "rv_fast_slow_5m" = "rv_close_5_5m" Ratio "rv_close_50_5m";
    "rv_scale_1s_1m" = "rv_close_100_1s" Ratio "rv_close_20_1m";
    "rv_scale_1m_5m" = "rv_close_100_1m" Ratio "rv_close_20_5m";
    "rv_scale_1m_15m" = "rv_close_100_1m" Ratio "rv_close_20_15m";
    "range_close_1m" = "rv_parkinson_20_1m" Ratio "rv_close_20_1m";
    "range_close_5m" = "rv_parkinson_20_5m" Ratio "rv_close_20_5m";
    "rsi_fast_slow_1m" = "rsi_5_1m" Difference "rsi_50_1m";
    "rsi_fast_slow_5m" = "rsi_5_5m" Difference "rsi_50_5m";
    "rsi_1m_5m" = "rsi_14_1m" Difference "rsi_14_5m";
    "rsi_5m_1h" = "rsi_14_5m" Difference "rsi_14_1h";
    "ema_cross_1s" = "ema_gap_100_1s" Difference "ema_gap_14_1s";
    "ema_cross_1m" = "ema_gap_100_1m" Difference "ema_gap_14_1m";
    "ema_cross_5m" = "ema_gap_100_5m" Difference "ema_gap_14_5m";
    "di_1m" = "plus_di_14_1m" Difference "minus_di_14_1m";
    "di_5m" = "plus_di_14_5m" Difference "minus_di_14_5m";
    "di_15m" = "plus_di_14_15m" Difference "minus_di_14_15m";
    "trend_strength_1m" = "adx_14_1m" Product "efficiency_14_1m";
    "trend_strength_5m" = "adx_14_5m" Product "efficiency_14_5m";
    "move_used" = "session_range" Ratio "expected_move_1";
    "move_done" = "session_return" Ratio "expected_move_1";
    "skew_level" = "rr_25_1" Ratio "atm_iv_1";
    "wing_level" = "bf_25_1" Ratio "atm_iv_1";
    "skew_trend" = "rr_25_1" Product "roc_20_1m";
    "iv_trend" = "iv_change_5m" Product "roc_5_1m";
    "squeeze_1m" = "bb_width_20_1m" Ratio "natr_20_1m";
    "squeeze_5m" = "bb_width_20_5m" Ratio "natr_20_5m";
    "late_trend" = "session_share" Product "session_return";
    "late_skew" = "session_share" Product "rr_25_1";
    "iv_clock" = "atm_iv_1" Product "dte_1";
    "term_clock" = "iv_term_12" Product "dte_1";
    "pressure_1m" = "volume_tide_20_1m" Product "roc_20_1m";
    "effort_1m" = "volume_ratio_20_1m" Ratio "bar_range_1m";
    "jump_iv" = "jump_share_50_1m" Product "atm_iv_1";
    "tail_skew" = "skewness_50_1m" Product "rr_25_1";
}

/// Ratios, differences and products of columns.
#[derive(Debug)]
pub(super) struct Pairs {
    places: Vec<(usize, usize)>,
}

impl Block for Pairs {
    const TABLE: &'static Table =
        &Table { family: "derived", outer: Axis::One, inner: Axis::One, stats: PAIR_STATS };

    fn new(setup: &Setup<'_>) -> Pairs {
        let place = |name: &str| setup.place(name).unwrap_or(usize::MAX);
        Pairs { places: PAIRS.iter().map(|(a, _, b)| (place(a), place(b))).collect() }
    }

    fn fill(&mut self, _: &See<'_>, done: &[f64], out: &mut [f64]) {
        let of = |at: usize| done.get(at).copied().unwrap_or(f64::NAN);
        for (out, ((a, b), (_, with, _))) in out.iter_mut().zip(self.places.iter().zip(PAIRS)) {
            let (a, b) = (of(*a), of(*b));
            *out = match with {
                With::Ratio => a / b,
                With::Difference => a - b,
                With::Product => a * b,
            };
        }
    }
}
