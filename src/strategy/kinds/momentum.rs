//! Momentum of the underlying: a vertical in the direction on which several timeframes agree.

use super::{Declared, Entry, Exit, Pick, Reason, frames::Frames};
use crate::strategy::{Code, Direction, ExpiryRule, Held, Premium, Sight, StrikeRule};
use alloc::{string::String, vec::Vec};

crate::section! {
    /// Momentum through verticals: `[[momentum]]`.
    pub struct Momentum {
        ..entry: Entry;
        ..exit: Exit;
        ..frames: Frames;
        /// Expiry of both legs.
        pub expiry: ExpiryRule = ExpiryRule::Today, "-";
        /// "debit" or "credit" vertical.
        pub premium: Premium = Premium::Debit, "-";
        /// The near strike.
        pub near: StrikeRule = StrikeRule::Money(0.0), "-";
        /// Distance of the far strike from it.
        pub width: StrikeRule = StrikeRule::Points(10.0, 10.0), "-";
    }
}

impl Declared for Momentum {
    const SECTION: &'static str = "momentum";
    const ABOUT: &'static str = "follows moves on which several timeframes agree, by verticals";
    const PRESET: &'static str = r#"
        name = "momentum"
        horizon = "expiry"
        profit_target = 0.5
        stop = 0.4
        trail_from = 0.3
    "#;

    fn mistakes(&self) -> Vec<(&'static str, String)> {
        self.frames.mistakes()
    }
}

super::recipe!(Momentum {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let expiry = pick.expiry(self.expiry)?;
        let votes = self.frames.votes(pick.sight());
        if !self.frames.are_enough(votes) {
            return Err((Code::NO_SIGNAL, f64::from(votes), f64::from(self.frames.agree)));
        }
        let direction = if votes > 0 { Direction::Bull } else { Direction::Bear };
        pick.spread(expiry, direction, self.premium, self.near, self.width)
    }

    /// The frames agree on the other direction.
    fn is_over(&self, sight: &Sight<'_>, held: &Held<'_>) -> bool {
        let votes = self.frames.votes(sight);
        let delta = held.structure.greek(sight.chain, |greeks| greeks.delta);
        self.frames.are_enough(votes) && f64::from(votes) * delta < 0.0
    }
});
