//! What an iron condor is to be: every parameter, with bounds and units.

use crate::{
    book::Horizon,
    config::{Span, TimeOfDay},
    strategy::Window,
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

const SECOND: u64 = 1_000_000_000;

crate::section! {
    /// A short iron condor on contracts that settle today: `[[iron_condor]]`.
    pub struct Settings {
        /// Name in reports.
        pub name: String = "iron condor".to_string(), "-";
        /// Option root.
        pub root: String, "-";
        /// When it may enter, in the exchange's zone; one entry at most in each.
        pub entry_windows: Vec<Window> = default_windows(), "-";
        /// Entries that are tried in a window.
        pub attempts_max: u32 = 3, in 1..=1_000, "entries";
        /// Pause after an attempt that failed and after an exit.
        pub cooldown: Span = Span(60 * SECOND), "-";
        /// How often a new entry is looked for.
        pub look_every: Span = Span(SECOND / 4), "-";
        /// Packages held or worked at once.
        pub open_max: u32 = 2, in 1..=64, "packages";
        /// Wanted |delta| of the short legs.
        pub short_delta: f64 = 0.12, in 0.001..=0.5, "delta";
        /// How far a short leg's |delta| may be from it.
        pub short_delta_tolerance: f64 = 0.05, in 0.0..=0.5, "delta";
        /// Distance of the wings from the short legs; the next strike beyond it is taken.
        pub wing_width: f64 = 5.0, in 0.01..=10_000.0, "points";
        /// Greatest distance.
        pub wing_width_max: f64 = 10.0, in 0.01..=10_000.0, "points";
        /// Least credit.
        pub credit_min: f64 = 0.30, in 0.0..=10_000.0, "currency/unit";
        /// Least credit as a share of the wider wing.
        pub credit_width_share_min: f64 = 0.06, in 0.0..=1.0, "of width";
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
        /// Closed when the cost to close is down by this share of the credit.
        pub profit_target: f64 = 0.5, in 0.01..=1.0, "of credit";
        /// Closed when the cost to close is this multiple of the credit.
        pub stop: f64 = 2.0, in 1.0..=1_000.0, "of credit";
        /// The stop must have held this long: legs are not quoted at one instant.
        pub stop_confirm: Span = Span(SECOND), "-";
        /// Closed at this time of day in any case.
        pub time_exit: TimeOfDay = TimeOfDay(15 * 3600 + 45 * 60), "-";
        /// Steps of a profit-taking limit from the mid to the far side.
        pub target_steps: u32 = 3, in 1..=100, "steps";
        /// How long a closing order works before it is canceled for a more eager one.
        pub exit_reprice_after: Span = Span(2 * SECOND), "-";
        /// Ticks beyond each leg's far side that a closing order may go at last.
        pub exit_ticks_beyond: u32 = 3, in 0..=100, "ticks";
        /// Pause after a closing order that was refused or could not be priced.
        pub exit_retry: Span = Span(SECOND), "-";
        /// An unanswered cancel is asked for again after this time.
        pub cancel_again_after: Span = Span(3 * SECOND), "-";
        /// Whether the operator's stop closes what is open; otherwise it is kept.
        pub flatten_on_stop: bool = true, "-";
        /// How long it holds: which limits of size and loss it has.
        pub horizon: Horizon = Horizon::Expiry, "-";
    }
}

fn default_windows() -> Vec<Window> {
    let window = |from: u32, until: u32| Window { from: from * 60, until: until * 60 };
    Vec::from([window(585, 600), window(660, 675), window(750, 765), window(840, 855)])
}

impl Settings {
    /// Mistakes that only several keys together show: key and what is wrong.
    pub fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let ordered = self.entry_windows.windows(2).all(|pair| pair[0].until <= pair[1].from);
        if self.entry_windows.is_empty() || !ordered {
            let what = "must be one or more stretches, in the order of the day, without overlap";
            found.push(("entry_windows", what.to_string()));
        }
        if self.entry_windows.iter().any(|window| window.until > self.time_exit.0) {
            found.push(("time_exit", "is before the end of an entry window".to_string()));
        }
        if self.wing_width_max < self.wing_width {
            let what = format!("is below wing_width, which is {}", self.wing_width);
            found.push(("wing_width_max", what));
        }
        if self.short_delta_tolerance >= self.short_delta {
            let what = format!("must be below short_delta, which is {}", self.short_delta);
            found.push(("short_delta_tolerance", what));
        }
        found
    }
}
