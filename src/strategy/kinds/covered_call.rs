//! The covered call: the underlying, and a call sold above it.
//!
//! Where the root delivers something that can be traded, that is bought in one order with the
//! call. Where it is an index, a call less a put at one strike stands for it: that pays what the
//! index pays less its price today, so the package settles as a covered call does.

use super::{Declared, Entry, Exit, Pick, Reason};
use crate::strategy::{ExpiryRule, Right, StrikeRule};

crate::section! {
    /// A covered call: `[[covered_call]]`.
    pub struct CoveredCall {
        ..entry: Entry;
        ..exit: Exit;
        /// Expiry of all legs.
        pub expiry: ExpiryRule = ExpiryRule::Days(7, 45), "-";
        /// Strike of the call that is sold.
        pub short: StrikeRule = StrikeRule::Delta(0.30, 0.15), "-";
    }
}

impl Declared for CoveredCall {
    const SECTION: &'static str = "covered_call";
    const ABOUT: &'static str =
        "holds the underlying, or a synthetic of an index, and sells a call above it";
    const PRESET: &'static str = r#"
        name = "covered call"
        horizon = "swing"
        open_max = 1
        risk_share = 0.0
        hold_days = 30
        premium_min = 10.0
        profit_target = 0.8
        stop = 1.0
    "#;
}

super::recipe!(CoveredCall {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let expiry = pick.expiry(self.expiry)?;
        let call = pick.strike(expiry, Right::Call, self.short)?;
        pick.underlying(expiry)?;
        pick.leg(expiry, Right::Call, call, -1)
    }
});
