//! Mean reversion of implied volatility: premium is sold where its rank is high, bought where it
//! is low, and left where it has come back.

use super::{Declared, Entry, Exit, Pick, Reason};
use crate::strategy::{Code, ExpiryRule, Held, Right, Sight, StrikeRule};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

crate::section! {
    /// Mean reversion of the rank of implied volatility: `[[iv_rank]]`.
    pub struct IvRank {
        ..entry: Entry;
        ..exit: Exit;
        /// Expiry of all legs.
        pub expiry: ExpiryRule = ExpiryRule::Today, "-";
        /// Rank from which on premium is sold, as an iron condor.
        pub rank_high: f64 = 0.8, in 0.0..=1.0, "1";
        /// Rank up to which premium is bought, as a strangle.
        pub rank_low: f64 = 0.2, in 0.0..=1.0, "1";
        /// Rank at which either is left.
        pub rank_exit: f64 = 0.5, in 0.0..=1.0, "1";
        /// Strikes that are sold.
        pub short: StrikeRule = StrikeRule::Delta(0.20, 0.12), "-";
        /// Distance of the wings from them.
        pub wing: StrikeRule = StrikeRule::Points(10.0, 10.0), "-";
        /// Strikes that are bought where the rank is low.
        pub long: StrikeRule = StrikeRule::Delta(0.35, 0.15), "-";
    }
}

impl Declared for IvRank {
    const SECTION: &'static str = "iv_rank";
    const ABOUT: &'static str = "sells premium at a high rank of volatility, buys it at a low one";
    const PRESET: &'static str = r#"
        name = "IV rank"
        horizon = "expiry"
    "#;

    fn mistakes(&self) -> Vec<(&'static str, String)> {
        let ordered = self.rank_low < self.rank_exit && self.rank_exit < self.rank_high;
        let what = "must lie between rank_low and rank_high".to_string();
        if ordered { Vec::new() } else { Vec::from([("rank_exit", what)]) }
    }
}

super::recipe!(IvRank {
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason> {
        let expiry = pick.expiry(self.expiry)?;
        let rank = pick.sight().iv_rank();
        if rank >= self.rank_high {
            let put = pick.strike(expiry, Right::Put, self.short)?;
            let call = pick.strike(expiry, Right::Call, self.short)?;
            return pick.winged(expiry, (put, call), self.wing);
        }
        if rank <= self.rank_low {
            return pick.strangle(expiry, self.long, 1);
        }
        Err((Code::NO_SIGNAL, rank, 0.0))
    }

    fn is_over(&self, sight: &Sight<'_>, held: &Held<'_>) -> bool {
        let sold = held.structure.legs().iter().any(|leg| leg.side < 0);
        let rank = sight.iv_rank();
        if sold { rank <= self.rank_exit } else { rank >= self.rank_exit }
    }
});
