//! Gamma scalping: a long straddle whose delta is hedged by bands, so that what the underlying
//! moves to and fro is earned.

use super::{Declared, Entry, Exit, Pick, Reason};
use crate::strategy::{ExpiryRule, Hedge, StrikeRule};

crate::section! {
    /// Gamma scalping: `[[gamma_scalping]]`.
    pub struct GammaScalping {
        ..entry: Entry;
        ..exit: Exit;
        ..hedge: Hedge;
        /// Expiry of the straddle and of its hedges.
        pub expiry: ExpiryRule = ExpiryRule::Days(1, 14), "-";
        /// Strikes of the long put and the long call.
        pub offset: StrikeRule = StrikeRule::Money(0.0), "-";
    }
}

impl Declared for GammaScalping {
    const SECTION: &'static str = "gamma_scalping";
    const ABOUT: &'static str =
        "buys a straddle and hedges its delta by bands, with the underlying or with synthetics";
    const PRESET: &'static str = r#"
        name = "gamma scalping"
        quantity = 4
        profit_target = 0.3
        stop = 0.3
        open_max = 1
    "#;
}

super::recipe!(GammaScalping {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let expiry = pick.expiry(self.expiry)?;
        pick.strangle(expiry, self.offset, 1)
    }

    fn hedge(&self) -> Option<&Hedge> {
        Some(&self.hedge)
    }
});
