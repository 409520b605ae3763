//! Calendars and diagonals: a near option sold, a later one bought, at one strike or two.

use super::{Declared, Entry, Exit, Pick, Reason};
use crate::strategy::{ExpiryRule, Right, StrikeRule};

crate::section! {
    /// A calendar or a diagonal: `[[calendar]]`. What is left when the near leg settles is closed.
    pub struct Calendar {
        ..entry: Entry;
        ..exit: Exit;
        /// Expiry of the option that is sold.
        pub near: ExpiryRule = ExpiryRule::Today, "-";
        /// Expiry of the one that is bought, among those after it.
        pub far: ExpiryRule = ExpiryRule::Nth(1), "-";
        /// Calls or puts.
        pub right: Right = Right::Put, "-";
        /// Strike of the option that is sold.
        pub short: StrikeRule = StrikeRule::Money(0.0), "-";
        /// Strike of the one that is bought, from that one: "money" is the same, a calendar.
        pub long: StrikeRule = StrikeRule::Money(0.0), "-";
    }
}

impl Declared for Calendar {
    const SECTION: &'static str = "calendar";
    const ABOUT: &'static str =
        "sells a near option and buys a later one: a calendar or a diagonal";
    const PRESET: &'static str = r#"
        name = "calendar"
        horizon = "expiry"
        profit_target = 0.25
        stop = 0.4
        exit_when = ["|short_distance| > 0.01"]
    "#;
}

super::recipe!(Calendar {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let near = pick.expiry(self.near)?;
        let far = pick.expiry_beyond(near, self.far)?;
        let short = pick.strike(near, self.right, self.short)?;
        let long = pick.strike_from(far, self.right, self.long, short)?;
        pick.leg(far, self.right, long, 1)?;
        pick.leg(near, self.right, short, -1)
    }
});
