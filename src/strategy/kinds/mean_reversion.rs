//! Mean reversion of the underlying over several timeframes: a vertical against a stretched move.

use super::{Declared, Entry, Exit, Pick, Reason, frames::Frames};
use crate::{
    config::Span,
    strategy::{Code, Direction, ExpiryRule, Held, Premium, Sight, StrikeRule},
    wire::NANOS_PER_SECOND,
};
use alloc::{string::String, vec::Vec};

crate::section! {
    /// Mean reversion through verticals: `[[mean_reversion]]`.
    pub struct MeanReversion {
        ..entry: Entry;
        ..exit: Exit;
        ..frames: Frames;
        /// Expiry of both legs.
        pub expiry: ExpiryRule = ExpiryRule::Today, "-";
        /// Over which time the trend is taken,
        pub trend: Span = Span(4 * 3_600 * NANOS_PER_SECOND), "-";
        /// which a vertical must not go against where it is stronger than this.
        pub trend_max: f64 = 0.01, in 0.0..=1.0, "1";
        /// "debit" or "credit" vertical.
        pub premium: Premium = Premium::Credit, "-";
        /// The near strike.
        pub near: StrikeRule = StrikeRule::Delta(0.30, 0.15), "-";
        /// Distance of the far strike from it.
        pub width: StrikeRule = StrikeRule::Points(10.0, 10.0), "-";
    }
}

impl Declared for MeanReversion {
    const SECTION: &'static str = "mean_reversion";
    const ABOUT: &'static str =
        "fades moves that are stretched over several timeframes, by verticals";
    const PRESET: &'static str = r#"
        name = "mean reversion"
        horizon = "expiry"
        moves = [0.001, 0.0015, 0.003]
        credit_min = 0.0
    "#;

    fn mistakes(&self) -> Vec<(&'static str, String)> {
        self.frames.mistakes()
    }
}

super::recipe!(MeanReversion {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let expiry = pick.expiry(self.expiry)?;
        let sight = pick.sight();
        let votes = self.frames.votes(sight);
        // A trend that is not known yet stands against nothing.
        let trend = sight.change(self.trend.nanos() / NANOS_PER_SECOND);
        let against = trend.abs() > self.trend_max && trend * f64::from(votes) > 0.0;
        if against || !self.frames.are_enough(votes) {
            return Err((Code::NO_SIGNAL, f64::from(votes), f64::from(self.frames.agree)));
        }
        let direction = if votes > 0 { Direction::Bear } else { Direction::Bull };
        pick.spread(expiry, direction, self.premium, self.near, self.width)
    }

    /// The move has come back: the frames agree on the direction that was taken.
    fn is_over(&self, sight: &Sight<'_>, held: &Held<'_>) -> bool {
        let votes = self.frames.votes(sight);
        let delta = held.structure.greek(sight.chain, |greeks| greeks.delta);
        self.frames.are_enough(votes) && f64::from(votes) * delta > 0.0
    }
});
