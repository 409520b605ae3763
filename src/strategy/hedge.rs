//! The delta of what is held and its bands in; the hedge that brings it back out.
//!
//! Where the underlying can be traded, its shares are bought and sold within the package itself, to
//! the nearest share, and one order closes both. An index cannot be traded: there a hedge is made
//! of options, a synthetic at the money (call less put, delta 1) with a far option that bounds its
//! loss, because the gate lets nothing unbounded out. It is a package of its own.

use super::{Pick, Right, codes::Reason, rule::StrikeRule};

crate::section! {
    /// How the delta of a package is hedged, by bands.
    pub struct Hedge {
        /// |delta| of all that is held for the package, in contracts of the underlying, beyond
        /// which it is brought back: to the nearest share, or whole contract of synthetics.
        pub hedge_band: f64 = 0.75, in 0.5..=1_000.0, "contracts";
        /// Pause between two hedges.
        pub hedge_every: crate::config::Span = crate::config::Span(60_000_000_000), "-";
        /// Distance of the option that bounds a synthetic's loss from its strike.
        pub hedge_wing: StrikeRule = StrikeRule::Points(50.0, 50.0), "-";
        /// Synthetic hedges held at once for a package.
        pub hedges_max: u32 = 8, in 1..=64, "packages";
    }
}

impl Hedge {
    /// The legs of a synthetic hedge with a delta of about +1 (`up`) or −1 at one expiry.
    pub(super) fn choose(&self, pick: &mut Pick<'_>, expiry: u16, up: bool) -> Result<(), Reason> {
        let money = pick.strike(expiry, Right::Call, StrikeRule::Money(0.0))?;
        let (long, short) = if up { (Right::Call, Right::Put) } else { (Right::Put, Right::Call) };
        let wing = pick.strike_from(expiry, short, self.hedge_wing, money)?;
        pick.leg(expiry, long, money, 1)?;
        pick.leg(expiry, short, money, -1)?;
        pick.leg(expiry, short, wing, 1)
    }
}
