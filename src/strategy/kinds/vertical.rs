//! The vertical spread: two strikes of one right, for a credit or a debit, up or down.

use super::{Declared, Entry, Exit, Pick, Reason};
use crate::strategy::{Direction, ExpiryRule, Premium, StrikeRule};

crate::section! {
    /// A vertical spread: `[[vertical]]`.
    pub struct Vertical {
        ..entry: Entry;
        ..exit: Exit;
        /// Expiry of both legs.
        pub expiry: ExpiryRule = ExpiryRule::Today, "-";
        /// Which way the underlying must go, or at least stay.
        pub direction: Direction = Direction::Bull, "-";
        /// "credit" sells the near strike, "debit" buys it.
        pub premium: Premium = Premium::Credit, "-";
        /// The near strike.
        pub near: StrikeRule = StrikeRule::Delta(0.25, 0.15), "-";
        /// Distance of the far strike from it.
        pub width: StrikeRule = StrikeRule::Points(10.0, 10.0), "-";
    }
}

impl Declared for Vertical {
    const SECTION: &'static str = "vertical";
    const ABOUT: &'static str = "sells or buys a vertical spread in a direction";
    const PRESET: &'static str = r#"
        name = "vertical"
        horizon = "expiry"
    "#;
}

super::recipe!(Vertical {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let expiry = pick.expiry(self.expiry)?;
        pick.spread(expiry, self.direction, self.premium, self.near, self.width)
    }
});
