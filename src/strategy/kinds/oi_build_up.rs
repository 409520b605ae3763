//! Open interest against price: a vertical against a move that the put/call ratio of open contracts
//! does not confirm.

use super::{Declared, Entry, Exit, Pick, Reason};
use crate::{
    config::Span,
    strategy::{Code, Direction, ExpiryRule, Premium, StrikeRule},
    wire::NANOS_PER_SECOND,
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

crate::section! {
    /// Open-interest build-up with a diverging put/call ratio: `[[oi_build_up]]`.
    pub struct OiBuildUp {
        ..entry: Entry;
        ..exit: Exit;
        /// Expiry of both legs.
        pub expiry: ExpiryRule = ExpiryRule::Days(1, 14), "-";
        /// Over which time the price must have moved.
        pub frame: Span = Span(3_600 * NANOS_PER_SECOND), "-";
        /// Least move, as a share.
        pub move_min: f64 = 0.002, in 0.0..=1.0, "1";
        /// Put/call ratio of open contracts from which on a fall is not believed.
        pub pcr_high: f64 = 1.2, in 0.0..=100.0, "1";
        /// Ratio up to which a rise is not believed.
        pub pcr_low: f64 = 0.8, in 0.0..=100.0, "1";
        /// Least growth of the open contracts since the first sample; −1 asks for none.
        pub build_min: f64 = 0.02, in -1.0..=100.0, "1";
        /// "debit" or "credit" vertical.
        pub premium: Premium = Premium::Debit, "-";
        /// The near strike.
        pub near: StrikeRule = StrikeRule::Money(0.0), "-";
        /// Distance of the far strike from it.
        pub width: StrikeRule = StrikeRule::Points(20.0, 20.0), "-";
    }
}

impl Declared for OiBuildUp {
    const SECTION: &'static str = "oi_build_up";
    const ABOUT: &'static str = "fades moves that open interest and its put/call ratio contradict";
    const PRESET: &'static str = r#"
        name = "OI build-up"
        horizon = "swing"
        hold_days = 3
        profit_target = 0.6
        stop = 0.5
    "#;

    fn mistakes(&self) -> Vec<(&'static str, String)> {
        let what = "must be above pcr_low".to_string();
        if self.pcr_high > self.pcr_low { Vec::new() } else { Vec::from([("pcr_high", what)]) }
    }
}

super::recipe!(OiBuildUp {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let expiry = pick.expiry(self.expiry)?;
        let sight = pick.sight();
        let (ratio, build) = (sight.pcr(), sight.build_up());
        let change = sight.change(self.frame.nanos() / NANOS_PER_SECOND);
        let falls = change <= -self.move_min && ratio >= self.pcr_high;
        let rises = change >= self.move_min && ratio <= self.pcr_low;
        // Growth that is not known is none.
        if !(build >= self.build_min && (falls || rises)) {
            return Err((Code::NO_SIGNAL, ratio, change));
        }
        let direction = if falls { Direction::Bull } else { Direction::Bear };
        pick.spread(expiry, direction, self.premium, self.near, self.width)
    }
});
