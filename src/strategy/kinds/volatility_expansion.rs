//! Volatility expansion: a long straddle or strangle where volatility is cheap against what it was.

use super::{Declared, Entry, Exit, Pick, Reason};
use crate::strategy::{ExpiryRule, StrikeRule};

crate::section! {
    /// A long straddle or strangle: `[[volatility_expansion]]`.
    pub struct VolatilityExpansion {
        ..entry: Entry;
        ..exit: Exit;
        /// Expiry of both legs.
        pub expiry: ExpiryRule = ExpiryRule::Days(1, 14), "-";
        /// Strikes of the put and the call: "money" is a straddle, anything else a strangle.
        pub offset: StrikeRule = StrikeRule::Money(0.0), "-";
    }
}

impl Declared for VolatilityExpansion {
    const SECTION: &'static str = "volatility_expansion";
    const ABOUT: &'static str =
        "buys a straddle or strangle where volatility is low against its range";
    const PRESET: &'static str = r#"
        name = "volatility expansion"
        entry_when = ["iv_rank < 0.3"]
        exit_when = ["iv_rank > 0.8"]
        profit_target = 0.5
        stop = 0.4
    "#;
}

super::recipe!(VolatilityExpansion {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let expiry = pick.expiry(self.expiry)?;
        pick.strangle(expiry, self.offset, 1)
    }
});
