//! The pin on the day of expiry: premium sold around the strike of max pain, for its time decay.

use super::{Declared, Entry, Exit, Pick, Reason};
use crate::strategy::{ExpiryRule, Right, StrikeRule};

crate::section! {
    /// A pin at max pain: `[[expiry_pin]]`.
    pub struct ExpiryPin {
        ..entry: Entry;
        ..exit: Exit;
        /// Expiry of all legs.
        pub expiry: ExpiryRule = ExpiryRule::Today, "-";
        /// Strike that the underlying is drawn to.
        pub pin: StrikeRule = StrikeRule::Pain, "-";
        /// Distance of the short strikes from it: "money" sells at the pin itself.
        pub away: StrikeRule = StrikeRule::Money(0.0), "-";
        /// Distance of the wings from the short strikes.
        pub wing: StrikeRule = StrikeRule::Points(20.0, 10.0), "-";
    }
}

impl Declared for ExpiryPin {
    const SECTION: &'static str = "expiry_pin";
    const ABOUT: &'static str = "sells premium around max pain on the day of expiry";
    const PRESET: &'static str = r#"
        name = "expiry pin"
        horizon = "expiry"
        entry_windows = ["12:00-14:30"]
        entry_when = ["|pain_distance| < 0.004"]
        exit_when = ["|pain_distance| > 0.008"]
        profit_target = 0.3
        stop = 0.5
        credit_min = 0.50
    "#;
}

super::recipe!(ExpiryPin {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let expiry = pick.expiry(self.expiry)?;
        let pin = pick.strike(expiry, Right::Call, self.pin)?;
        let put = pick.strike_from(expiry, Right::Put, self.away, pin)?;
        let call = pick.strike_from(expiry, Right::Call, self.away, pin)?;
        pick.winged(expiry, (put, call), self.wing)
    }
});
