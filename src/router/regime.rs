//! Readings of the market in; the regime that the rules make of them, which does not flutter, out.
//!
//! | volatility | rule, the first that holds |
//! |---|---|
//! | low | index below 15 and rank below 0.3 |
//! | high | index above 25 or rank above 0.8 |
//! | expansion | realised over implied above 0.9 and rank above 0.5 |
//! | contraction | realised over implied below 0.6 and rank below 0.5 |
//! | neutral | none of these |
//!
//! A regime that holds is left only when its bounds are passed back by `hysteresis` of each. High
//! needs one of its two readings, the others all three; what is not known makes no regime.

use super::settings::{Settings, Weight};

/// What regimes go by; NaN where it is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Readings {
    /// Level of the volatility index, points (implied volatility a year in percent).
    pub index: f64,
    /// Rank of implied volatility in its year, 0 to 1.
    pub rank: f64,
    /// Realised over implied volatility.
    pub ratio: f64,
    /// The underlying's trend, −1 to 1: how much of its way was in one direction.
    pub trend: f64,
}

impl Readings {
    /// Nothing known.
    pub const NONE: Readings =
        Readings { index: f64::NAN, rank: f64::NAN, ratio: f64::NAN, trend: f64::NAN };
}

/// Regime of volatility.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[allow(missing_docs, reason = "the file's table says it")]
pub enum Volatility {
    #[default]
    Unknown,
    Low,
    High,
    Expansion,
    Contraction,
    Neutral,
}

/// Regime of the underlying.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Trend {
    /// The trend is not known.
    #[default]
    Unknown,
    /// It rises.
    Up,
    /// It falls.
    Down,
    /// It does neither.
    Range,
}

/// Both.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Regime {
    /// Of volatility.
    pub volatility: Volatility,
    /// Of the underlying.
    pub trend: Trend,
}

impl Regime {
    /// The regime after these readings.
    pub fn after(self, now: &Readings, set: &Settings) -> Regime {
        Regime { volatility: self.volatility(now, set), trend: self.trend(now, set) }
    }

    fn volatility(self, now: &Readings, set: &Settings) -> Volatility {
        // What holds is left later: a bound that was passed counts as further back.
        let slack = |held: Volatility| if self.volatility == held { set.hysteresis } else { 0.0 };
        let below = |x: f64, bound: f64, held| x < bound * (1.0 + slack(held));
        let above = |x: f64, bound: f64, held| x > bound * (1.0 - slack(held));
        let Readings { index, rank, ratio, .. } = *now;
        let low = Volatility::Low;
        if below(index, set.index_low, low) && below(rank, set.rank_low, low) {
            return low;
        }
        let high = Volatility::High;
        if above(index, set.index_high, high) || above(rank, set.rank_high, high) {
            return high;
        }
        if index.is_nan() || rank.is_nan() || ratio.is_nan() {
            return Volatility::Unknown;
        }
        let (wide, narrow) = (Volatility::Expansion, Volatility::Contraction);
        if above(ratio, set.ratio_expansion, wide) && above(rank, 0.5, wide) {
            wide
        } else if below(ratio, set.ratio_contraction, narrow) && below(rank, 0.5, narrow) {
            narrow
        } else {
            Volatility::Neutral
        }
    }

    fn trend(self, now: &Readings, set: &Settings) -> Trend {
        let back = set.trend_min * (1.0 - set.hysteresis);
        let bound = |held: Trend| if self.trend == held { back } else { set.trend_min };
        match now.trend {
            trend if trend.is_nan() => Trend::Unknown,
            trend if trend > bound(Trend::Up) => Trend::Up,
            trend if -trend > bound(Trend::Down) => Trend::Down,
            _ => Trend::Range,
        }
    }

    /// The weight of a strategy with this row, or none.
    pub(super) fn weight(self, row: Option<&Weight>, unknown: f64) -> f64 {
        let of = |value: fn(&Weight) -> f64| row.map_or(1.0, value);
        let volatility = match self.volatility {
            Volatility::Unknown => unknown,
            Volatility::Low => of(|row| row.low_vol),
            Volatility::High => of(|row| row.high_vol),
            Volatility::Expansion => of(|row| row.iv_expansion),
            Volatility::Contraction => of(|row| row.iv_contraction),
            Volatility::Neutral => of(|row| row.neutral),
        };
        let trend = match self.trend {
            Trend::Unknown => unknown,
            Trend::Up => of(|row| row.trending_up),
            Trend::Down => of(|row| row.trending_down),
            Trend::Range => of(|row| row.range_bound),
        };
        volatility * trend
    }
}
