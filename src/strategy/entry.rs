//! When a strategy enters and how its entry order is worked: the keys that all strategies share.

use super::{Window, condition::Condition};
use crate::{book::Horizon, config::Span};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

const SECOND: u64 = 1_000_000_000;

crate::section! {
    /// Entries: when, on what quotes, for how much, at which price.
    pub struct Entry {
        /// Name in reports.
        pub name: String = "strategy".to_string(), "-";
        /// How long it holds: which limits of size and loss it has.
        pub horizon: Horizon = Horizon::Intraday, "-";
        /// Option root.
        pub root: String, "-";
        /// When it may enter, in the exchange's zone; one entry at most in each.
        pub entry_windows: Vec<Window> = day(), "-";
        /// What must hold besides, all of it; what is not known does not hold.
        pub entry_when: Vec<Condition> = Vec::new(), "-";
        /// How often the underlying and its volatility are remembered for what measures compare
        /// with.
        pub sample_every: Span = Span(60 * SECOND), "-";
        /// Entries that are tried in a window.
        pub attempts_max: u32 = 3, in 1..=1_000, "entries";
        /// Pause after an attempt that failed and after an exit.
        pub cooldown: Span = Span(60 * SECOND), "-";
        /// How often a new entry is looked for.
        pub look_every: Span = Span(SECOND / 4), "-";
        /// Packages held or worked at once, hedges apart.
        pub open_max: u32 = 2, in 1..=64, "packages";
        /// Least credit of what is opened for one; 0 asks for none.
        pub credit_min: f64 = 0.0, in 0.0..=10_000.0, "currency/unit";
        /// Least credit as a share of the most that the legs can cost at settlement.
        pub credit_width_share_min: f64 = 0.0, in 0.0..=1.0, "of width";
        /// Most that is paid; 0 is no bound.
        pub debit_max: f64 = 0.0, in 0.0..=1_000_000.0, "currency/unit";
        /// A leg's spread may be as wide as this,
        pub leg_spread_max: f64 = 0.30, in 0.0..=1_000.0, "currency/unit";
        /// or as this share of its mid, whichever is wider.
        pub leg_spread_share_max: f64 = 0.25, in 0.0..=2.0, "of mid";
        /// Contracts that must be displayed on each side of each leg.
        pub size_min: u32 = 1, in 0..=1_000_000, "contracts";
        /// Oldest quote of a leg.
        pub quote_age_max: Span = Span(5 * SECOND), "-";
        /// Packages of an entry, at most.
        pub quantity: u32 = 1, in 1..=100_000, "packages";
        /// Capital that an entry may lose; 0 takes `quantity` as it is.
        pub risk_share: f64 = 0.02, in 0.0..=1.0, "of capital";
        /// Steps of the entry's limit from the mid to the far side of the legs' quotes.
        pub entry_steps: u32 = 4, in 1..=100, "steps";
        /// How long a step works before it is canceled for the next.
        pub reprice_after: Span = Span(3 * SECOND), "-";
        /// How much longer a step's quotes may be too old, wide, small or one-sided for the next.
        pub quote_wait: Span = Span(15 * SECOND), "-";
    }
}

fn day() -> Vec<Window> {
    Vec::from([Window { from: 35_100, until: 55_800 }])
}

impl Entry {
    /// Mistakes that only several keys together show: key and what is wrong.
    pub(super) fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let ordered = self.entry_windows.windows(2).all(|pair| pair[0].until <= pair[1].from);
        if self.entry_windows.is_empty() || !ordered {
            let what = "must be one or more stretches, in the order of the day, without overlap";
            found.push(("entry_windows", what.to_string()));
        }
        if let Some(condition) = self.entry_when.iter().find(|condition| condition.is_of_package())
        {
            let what = alloc::format!("{condition:?} is of a package that is held");
            found.push(("entry_when", what));
        }
        found
    }
}
