//! The short straddle or strangle, with far wings that bound its loss, or without.

use super::{Declared, Entry, Exit, Pick, Reason};
use crate::strategy::{ExpiryRule, Right, StrikeRule};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

crate::section! {
    /// A short straddle or strangle: `[[short_strangle]]`.
    pub struct ShortStrangle {
        ..entry: Entry;
        ..exit: Exit;
        /// Expiry of all legs.
        pub expiry: ExpiryRule = ExpiryRule::Today, "-";
        /// Strikes of the put and the call: "money" is a straddle, anything else a strangle.
        pub offset: StrikeRule = StrikeRule::Delta(0.16, 0.10), "-";
        /// Distance of the wings from them.
        pub wing: StrikeRule = StrikeRule::Points(50.0, 50.0), "-";
        /// No wings: the loss has no bound, which RISK refuses unless its limits say otherwise.
        pub naked: bool = false, "-";
    }
}

impl Declared for ShortStrangle {
    const SECTION: &'static str = "short_strangle";
    const ABOUT: &'static str = "sells a straddle or strangle, with wings that bound the loss";
    const PRESET: &'static str = r#"
        name = "short strangle"
        horizon = "expiry"
        credit_min = 0.50
        exit_when = ["short_delta > 0.60"]
    "#;

    fn mistakes(&self) -> Vec<(&'static str, String)> {
        let what = "must be 0 where naked is true: no share of capital bounds the loss".to_string();
        let wrong = self.naked && self.entry.risk_share > 0.0;
        if wrong { Vec::from([("risk_share", what)]) } else { Vec::new() }
    }
}

super::recipe!(ShortStrangle {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let expiry = pick.expiry(self.expiry)?;
        if self.naked {
            return pick.strangle(expiry, self.offset, -1);
        }
        let put = pick.strike(expiry, Right::Put, self.offset)?;
        let call = pick.strike(expiry, Right::Call, self.offset)?;
        pick.winged(expiry, (put, call), self.wing)
    }
});
