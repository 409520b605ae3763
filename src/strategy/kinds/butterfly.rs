//! Butterflies, even or with a broken wing, which follow the market by opening anew around it.

use super::{Declared, Entry, Exit, Pick, Reason};
use crate::strategy::{ExpiryRule, Premium, Right, StrikeRule};

crate::section! {
    /// A butterfly of calls or puts: `[[butterfly]]`. Wings of different widths break it.
    pub struct Butterfly {
        ..entry: Entry;
        ..exit: Exit;
        /// Expiry of all legs.
        pub expiry: ExpiryRule = ExpiryRule::Today, "-";
        /// Calls or puts.
        pub right: Right = Right::Call, "-";
        /// "debit" buys the wings and sells the body twice, "credit" the reverse.
        pub premium: Premium = Premium::Debit, "-";
        /// Strike of the body.
        pub body: StrikeRule = StrikeRule::Money(0.0), "-";
        /// Distance of the lower wing.
        pub lower: StrikeRule = StrikeRule::Points(20.0, 10.0), "-";
        /// Distance of the upper wing.
        pub upper: StrikeRule = StrikeRule::Points(20.0, 10.0), "-";
    }
}

impl Declared for Butterfly {
    const SECTION: &'static str = "butterfly";
    const ABOUT: &'static str =
        "opens a butterfly or broken wing and adjusts its strikes to the market";
    const PRESET: &'static str = r#"
        name = "butterfly"
        horizon = "expiry"
        adjust_when = ["|short_distance| > 0.004"]
        profit_target = 0.4
        stop = 0.5
    "#;
}

super::recipe!(Butterfly {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let expiry = pick.expiry(self.expiry)?;
        let body = pick.strike(expiry, self.right, self.body)?;
        let low = pick.strike_from(expiry, Right::Put, self.lower, body)?;
        let high = pick.strike_from(expiry, Right::Call, self.upper, body)?;
        let one = if self.premium == Premium::Debit { 1 } else { -1 };
        pick.leg(expiry, self.right, low, one)?;
        pick.leg(expiry, self.right, body, -2 * one)?;
        pick.leg(expiry, self.right, high, one)
    }
});
