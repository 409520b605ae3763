//! The flyagonal: a call butterfly with a broken wing above the market and a put diagonal below it.
//! Six options a package, the body of the butterfly counted twice.

use super::{Declared, Entry, Exit, Pick, Reason};
use crate::strategy::{ExpiryRule, Right, StrikeRule};

crate::section! {
    /// A flyagonal: `[[flyagonal]]`.
    pub struct Flyagonal {
        ..entry: Entry;
        ..exit: Exit;
        /// Expiry of the butterfly and of the put that is sold.
        pub near: ExpiryRule = ExpiryRule::Days(0, 10), "-";
        /// Expiry of the put that is bought, among those after it.
        pub far: ExpiryRule = ExpiryRule::Nth(1), "-";
        /// Strike of the butterfly's body.
        pub body: StrikeRule = StrikeRule::Move(0.7), "-";
        /// Distance of the butterfly's lower wing from its body.
        pub lower: StrikeRule = StrikeRule::Points(20.0, 10.0), "-";
        /// Distance of its upper wing: wider, which is what breaks it.
        pub upper: StrikeRule = StrikeRule::Points(30.0, 10.0), "-";
        /// Strike of the put that is sold.
        pub put: StrikeRule = StrikeRule::Move(0.7), "-";
        /// Distance of the put that is bought from it.
        pub put_long: StrikeRule = StrikeRule::Points(20.0, 10.0), "-";
    }
}

impl Declared for Flyagonal {
    const SECTION: &'static str = "flyagonal";
    const ABOUT: &'static str = "buys a broken-wing call butterfly and a put diagonal, six options";
    const PRESET: &'static str = r#"
        name = "flyagonal"
        premium_min = 2.0
        profit_target = 0.3
        stop = 0.5
    "#;
}

super::recipe!(Flyagonal {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let near = pick.expiry(self.near)?;
        let far = pick.expiry_beyond(near, self.far)?;
        let body = pick.strike(near, Right::Call, self.body)?;
        let low = pick.strike_from(near, Right::Put, self.lower, body)?;
        let high = pick.strike_from(near, Right::Call, self.upper, body)?;
        pick.leg(near, Right::Call, low, 1)?;
        pick.leg(near, Right::Call, body, -2)?;
        pick.leg(near, Right::Call, high, 1)?;
        let put = pick.strike(near, Right::Put, self.put)?;
        let long = pick.strike_from(far, Right::Put, self.put_long, put)?;
        pick.leg(near, Right::Put, put, -1)?;
        pick.leg(far, Right::Put, long, 1)
    }
});
