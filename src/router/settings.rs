//! What the router goes by: `[router]`, `[[weight]]` and `[[budget]]`, with bounds and units.

use super::regime::Readings;
use crate::{
    book::Horizon,
    config::{Reader, Span, TimeOfDay},
    feature::{Column, Row, Schema},
};
use alloc::{format, string::String, vec::Vec};

crate::section! {
    /// How entries are sized and which are let go.
    pub struct Settings {
        /// Capital that an entry may lose at its worst: the fixed fraction.
        pub fraction: f64 = 0.02, in 0.0..=1.0, "of capital";
        /// Volatility a year that an entry may bring to the capital; 0 leaves it out.
        pub volatility_target: f64 = 0.0, in 0.0..=10.0, "of capital";
        /// Share of the Kelly fraction that is bet; 0 leaves it out.
        pub kelly_share: f64 = 0.0, in 0.0..=1.0, "of Kelly";
        /// Closed packages of a strategy from which on its own wins and losses are its edge,
        /// instead of its `[[edge]]`; 0 for never.
        pub kelly_trades_min: u32 = 30, in 0..=1_000_000, "packages";
        /// Most that the Kelly bet may lose, whatever the edge.
        pub kelly_max: f64 = 0.02, in 0.0..=1.0, "of capital";
        /// Column of features with the level of the volatility index, such as `VIX.value`; without
        /// one it is the volatility at the money of the strategy's front expiry, in percent.
        pub index: String = String::new(), "-";
        /// Column with the rank of implied volatility in its year, such as `VIX.rank_252`; without
        /// one it is the rank among the samples that the strategy has kept.
        pub rank: String = String::new(), "-";
        /// Column with realised volatility a year; without one it is that of the samples.
        pub realised: String = String::new(), "-";
        /// Column with the trend, cut to -1 to 1; without one it is the last hour's.
        pub trend: String = String::new(), "-";
        /// Below this level of the volatility index, and below `rank_low`, volatility is low.
        pub index_low: f64 = 15.0, in 0.0..=1_000.0, "points";
        /// Above it, or above `rank_high`, volatility is high.
        pub index_high: f64 = 25.0, in 0.0..=1_000.0, "points";
        /// Rank of implied volatility in its year.
        pub rank_low: f64 = 0.3, in 0.0..=1.0, "1";
        /// The same.
        pub rank_high: f64 = 0.8, in 0.0..=1.0, "1";
        /// Realised over implied volatility above this, with a rank above ½, is an expansion.
        pub ratio_expansion: f64 = 0.9, in 0.0..=10.0, "1";
        /// Below this, with a rank below ½, it is a contraction.
        pub ratio_contraction: f64 = 0.6, in 0.0..=10.0, "1";
        /// |trend| above this is a trend, anything else a range.
        pub trend_min: f64 = 0.4, in 0.0..=1.0, "1";
        /// How far a bound must be passed back, as a share of it, before its regime ends.
        pub hysteresis: f64 = 0.05, in 0.0..=0.5, "of bound";
        /// Weight where a regime is not known.
        pub unknown_weight: f64 = 0.5, in 0.0..=1.0, "1";
        /// Weight of the scorer of volatility in the vote,
        pub vote_volatility: f64 = 1.0, in 0.0..=100.0, "1";
        /// of direction,
        pub vote_direction: f64 = 1.0, in 0.0..=100.0, "1";
        /// of timing,
        pub vote_timing: f64 = 1.0, in 0.0..=100.0, "1";
        /// of execution,
        pub vote_execution: f64 = 1.0, in 0.0..=100.0, "1";
        /// of risk,
        pub vote_risk: f64 = 1.0, in 0.0..=100.0, "1";
        /// and of each model.
        pub vote_model: f64 = 1.0, in 0.0..=100.0, "1";
        /// An entry whose vote is below this does not go.
        pub score_min: f64 = -0.5, in -1.0..=1.0, "1";
        /// Spread of the legs, as a share of their premium, at which execution scores −1.
        pub spread_max: f64 = 0.5, in 0.001..=10.0, "of premium";
        /// Loss of the session at which risk scores −1.
        pub loss_max: f64 = 0.02, in 0.000_1..=1.0, "of capital";
        /// Correlation that signals on the same underlying, direction and volatility are taken to
        /// have,
        pub correlation: f64 = 0.7, in 0.0..=1.0, "1";
        /// while they are no older than this.
        pub together: Span = Span(1_800_000_000_000), "-";
        /// From this time of day on an intraday entry counts as one that is held over night.
        pub overnight_from: TimeOfDay = TimeOfDay(57_000), "-";
    }
}

crate::section! {
    /// How much of its size a strategy has in each regime: `[[weight]]`. 0 bans it.
    pub struct Weight {
        /// The strategy's name; empty for all that have no row.
        pub strategy: String = String::new(), "-";
        /// Volatility is low.
        pub low_vol: f64 = 1.0, in 0.0..=10.0, "1";
        /// Volatility is high.
        pub high_vol: f64 = 1.0, in 0.0..=10.0, "1";
        /// Realised volatility catches up with a high implied one.
        pub iv_expansion: f64 = 1.0, in 0.0..=10.0, "1";
        /// Implied volatility is overstated, and low.
        pub iv_contraction: f64 = 1.0, in 0.0..=10.0, "1";
        /// None of these.
        pub neutral: f64 = 1.0, in 0.0..=10.0, "1";
        /// The underlying rises.
        pub trending_up: f64 = 1.0, in 0.0..=10.0, "1";
        /// It falls.
        pub trending_down: f64 = 1.0, in 0.0..=10.0, "1";
        /// It does neither.
        pub range_bound: f64 = 1.0, in 0.0..=10.0, "1";
    }
}

crate::section! {
    /// Capital that worst cases may tie up together: `[[budget]]`, of a strategy or a horizon.
    pub struct Budget {
        /// The strategy's name; empty for a budget of a horizon.
        pub strategy: String = String::new(), "-";
        /// The horizon, read where there is no strategy.
        pub horizon: Horizon = Horizon::Intraday, "-";
        /// Share of the capital.
        pub share: f64, in 0.0..=1.0, "of capital";
    }
}

crate::section! {
    /// What a strategy is thought to win, until it has closed enough packages: `[[edge]]`.
    pub struct Odds {
        /// The strategy's name.
        pub strategy: String, "-";
        /// Chance to win.
        pub win: f64, in 0.0..=1.0, "1";
        /// Won for each unit that is lost otherwise.
        pub odds: f64, in 0.001..=1_000.0, "1";
    }
}

/// The columns that the regime is read from, where they are named.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs {
    index: Option<Column>,
    rank: Option<Column>,
    realised: Option<Column>,
    trend: Option<Column>,
}

impl Inputs {
    fn find(set: &Settings, schema: &Schema, reader: &mut Reader) -> Inputs {
        let mut find = |key: &str, name: &str| {
            if name.is_empty() {
                return None;
            }
            let found = schema.resolve(name);
            found.map_err(|what| reader.refuse(&format!("[router] {key}"), what)).ok()
        };
        Inputs {
            index: find("index", &set.index),
            rank: find("rank", &set.rank),
            realised: find("realised", &set.realised),
            trend: find("trend", &set.trend),
        }
    }

    /// The readings with what the columns say; a column that is not known is no reading.
    pub fn over(&self, row: &Row, own: &Readings) -> Readings {
        let or = |column: Option<Column>, own: f64| column.map_or(own, |column| row.get(column));
        // The strategy's own index is the volatility at the money, in percent.
        let implied = own.index / 100.0;
        Readings {
            index: or(self.index, own.index),
            rank: or(self.rank, own.rank),
            ratio: self.realised.map_or(own.ratio, |column| row.get(column) / implied),
            trend: or(self.trend, own.trend).clamp(-1.0, 1.0),
        }
    }
}

/// All of it; without a `[router]` everything goes as it is asked for.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// `[router]`.
    pub router: Option<Settings>,
    /// `[[weight]]`.
    pub weights: Vec<Weight>,
    /// `[[budget]]`.
    pub budgets: Vec<Budget>,
    /// `[[edge]]`.
    pub edges: Vec<Odds>,
    /// The columns that `[router]` names.
    pub inputs: Inputs,
}

impl Rules {
    /// Takes what a file has of it; columns are looked up in `schema`.
    pub fn read(&mut self, reader: &mut Reader, schema: &Schema) {
        if let Some(settings) = reader.optional::<Settings>("router") {
            if self.router.is_some() {
                reader.refuse("[router]", "stands in another file of the run already");
            }
            check(&settings, reader);
            self.inputs = Inputs::find(&settings, schema, reader);
            self.router = Some(settings);
        }
        self.weights.extend(reader.list::<Weight>("weight"));
        self.budgets.extend(reader.list::<Budget>("budget"));
        self.edges.extend(reader.list::<Odds>("edge"));
    }
}

fn check(set: &Settings, reader: &mut Reader) {
    for (low, high, key, below) in [
        (set.index_low, set.index_high, "index_high", "index_low"),
        (set.rank_low, set.rank_high, "rank_high", "rank_low"),
        (set.ratio_contraction, set.ratio_expansion, "ratio_expansion", "ratio_contraction"),
    ] {
        if low >= high {
            let what = format!("must be above {below}, which is {low}");
            reader.refuse(&format!("[router] {key}"), what);
        }
    }
}
