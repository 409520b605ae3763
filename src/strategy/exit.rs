//! When a strategy leaves and how its closing orders are worked: keys that all strategies share.

use super::{condition::Condition, entry::Entry};
use crate::config::{Span, TimeOfDay};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

const SECOND: u64 = 1_000_000_000;

crate::section! {
    /// Exits: profit, loss, time, rules; and adjustments. Profit and loss are reckoned at the mid
    /// and are shares of the premium: the credit that came in, or the debit that was paid.
    pub struct Exit {
        /// Least premium that shares are taken of: some packages cost next to nothing.
        pub premium_min: f64 = 0.05, in 0.01..=100_000.0, "currency/unit";
        /// Closed when so much is earned; 0 for no target.
        pub profit_target: f64 = 0.5, in 0.0..=1_000.0, "of premium";
        /// Closed when so much is lost; 0 for no stop.
        pub stop: f64 = 1.0, in 0.0..=1_000.0, "of premium";
        /// The stop must have held this long: legs are not quoted at one instant.
        pub stop_confirm: Span = Span(SECOND), "-";
        /// Profit from which on the stop trails; 0 for never.
        pub trail_from: f64 = 0.0, in 0.0..=1_000.0, "of premium";
        /// What may be given back of the best profit from then on.
        pub trail_back: f64 = 0.2, in 0.0..=1_000.0, "of premium";
        /// Closed at this time of day in any case,
        pub time_exit: TimeOfDay = TimeOfDay(15 * 3600 + 45 * 60), "-";
        /// so many calendar days after the entry; what settles before is held to it.
        pub hold_days: u32 = 0, in 0..=3_650, "days";
        /// Closed when any of these holds.
        pub exit_when: Vec<Condition> = Vec::new(), "-";
        /// Closed and opened anew where the market is now when any of these holds.
        pub adjust_when: Vec<Condition> = Vec::new(), "-";
        /// How often an entry is adjusted.
        pub adjust_max: u32 = 2, in 0..=1_000, "times";
        /// Steps of a profit-taking or adjusting limit from the mid to the far side.
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
    }
}

impl Exit {
    /// Mistakes that only several keys together show: key and what is wrong.
    pub(super) fn mistakes(&self, entry: &Entry) -> Vec<(&'static str, String)> {
        let late = |window: &super::Window| window.until > self.time_exit.0;
        let mut found = Vec::new();
        if self.hold_days == 0 && entry.entry_windows.iter().any(late) {
            found.push(("time_exit", "is before the end of an entry window".to_string()));
        }
        found
    }
}
