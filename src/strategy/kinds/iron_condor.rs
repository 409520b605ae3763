//! The short iron condor: a put and a call spread sold together on contracts that settle today.

use super::{Declared, Entry, Exit, Pick, Reason};
use crate::strategy::{Code, ExpiryRule, Right, StrikeRule};
use alloc::{format, string::String, vec::Vec};

crate::section! {
    /// A short iron condor: `[[iron_condor]]`. The short legs by |delta|, the wings by distance.
    pub struct IronCondor {
        ..entry: Entry;
        ..exit: Exit;
        /// Expiry of all legs.
        pub expiry: ExpiryRule = ExpiryRule::Today, "-";
        /// Wanted |delta| of the short legs.
        pub short_delta: f64 = 0.12, in 0.001..=0.5, "delta";
        /// How far a short leg's |delta| may be from it.
        pub short_delta_tolerance: f64 = 0.05, in 0.0..=0.5, "delta";
        /// Distance of the wings from the short legs; the next strike beyond it is taken.
        pub wing_width: f64 = 5.0, in 0.01..=10_000.0, "points";
        /// Greatest distance.
        pub wing_width_max: f64 = 10.0, in 0.01..=10_000.0, "points";
    }
}

impl Declared for IronCondor {
    const SECTION: &'static str = "iron_condor";
    const ABOUT: &'static str = "sells a put and a call spread around the market";
    const PRESET: &'static str = r#"
        name = "iron condor"
        horizon = "expiry"
        entry_windows = ["09:45-10:00", "11:00-11:15", "12:30-12:45", "14:00-14:15"]
        credit_min = 0.30
        credit_width_share_min = 0.06
    "#;

    fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
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

super::recipe!(IronCondor {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let expiry = pick.expiry(self.expiry)?;
        let short = StrikeRule::Delta(self.short_delta, self.short_delta_tolerance);
        let wing = StrikeRule::Points(self.wing_width, self.wing_width_max - self.wing_width);
        let put = pick.strike(expiry, Right::Put, short)?;
        let call = pick.strike(expiry, Right::Call, short)?;
        if put == call {
            return Err((Code::NO_SHORT, put, call));
        }
        pick.winged(expiry, (put, call), wing)
    }
});
