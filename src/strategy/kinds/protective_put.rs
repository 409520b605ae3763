//! The protective put: the underlying, and a put bought below it.
//!
//! As with the covered call, a call less a put at one strike stands for what cannot be traded.

use super::{Declared, Entry, Exit, Pick, Reason};
use crate::strategy::{ExpiryRule, Right, StrikeRule};

crate::section! {
    /// A protective put: `[[protective_put]]`.
    pub struct ProtectivePut {
        ..entry: Entry;
        ..exit: Exit;
        /// Expiry of all legs.
        pub expiry: ExpiryRule = ExpiryRule::Days(7, 45), "-";
        /// Strike of the put that is bought.
        pub floor: StrikeRule = StrikeRule::Delta(0.30, 0.15), "-";
    }
}

impl Declared for ProtectivePut {
    const SECTION: &'static str = "protective_put";
    const ABOUT: &'static str =
        "holds the underlying, or a synthetic of an index, and buys a put below it";
    const PRESET: &'static str = r#"
        name = "protective put"
        horizon = "swing"
        open_max = 1
        hold_days = 30
        premium_min = 10.0
        profit_target = 1.0
        stop = 0.8
    "#;
}

super::recipe!(ProtectivePut {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let expiry = pick.expiry(self.expiry)?;
        let floor = pick.strike(expiry, Right::Put, self.floor)?;
        pick.underlying(expiry)?;
        pick.leg(expiry, Right::Put, floor, 1)
    }
});
