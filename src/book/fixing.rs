//! Mids of underlyings as they pass in; the price that an expiry settles on, by its root's rule,
//! out.
//!
//! The level of an expiry is its underlying's mid, or its own forward where the feed has no
//! underlying. It is watched from `average_over` before the settlement instant on.

use crate::{
    chain::{Chain, Fixing, Instrument},
    wire::{Price, Timestamp},
};
use alloc::{vec, vec::Vec};

/// More expiries than a universe can have.
const EXPIRIES: usize = 4_096;

/// What was seen of an expiry's level before its settlement.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// When it was looked at last; 0 for never.
    at: Timestamp,
    /// The last level up to the settlement instant, 1e-9; undefined for none.
    level: Price,
    /// Levels times ns, and ns, within the window.
    sum: i128,
    time: u64,
}

/// All expiries.
#[derive(Clone, Debug)]
pub(super) struct Fixings(Vec<Seen>);

impl Fixings {
    pub(super) fn new() -> Fixings {
        Fixings(vec![Seen { at: 0, level: Price::UNDEF, sum: 0, time: 0 }; EXPIRIES])
    }

    /// When the watch of a contract's expiry begins.
    pub(super) fn from(chain: &Chain, terms: &Instrument) -> Timestamp {
        let over = chain.root(terms.root).map_or(0, |root| root.average_over);
        terms.settles.saturating_sub(over)
    }

    /// Notes the level of an expiry now.
    pub(super) fn watch(&mut self, chain: &Chain, terms: &Instrument) {
        let Some(seen) = self.0.get_mut(usize::from(terms.expiry)) else { return };
        let from = Fixings::from(chain, terms).max(seen.at);
        let until = chain.now.min(terms.settles);
        if seen.at != 0 && seen.level.is_defined() && until > from {
            seen.sum += i128::from(seen.level.0) * i128::from(until - from);
            seen.time += until - from;
        }
        seen.at = chain.now;
        let level = level(chain, terms);
        if level.is_defined() && (chain.now <= terms.settles || !seen.level.is_defined()) {
            seen.level = level;
        }
    }

    /// The settlement price, 1e-9; `None` before the instant, and where it is not known yet.
    pub(super) fn price(&self, chain: &Chain, terms: &Instrument) -> Option<i64> {
        if chain.now < terms.settles {
            return None;
        }
        let seen = self.0.get(usize::from(terms.expiry))?;
        let price = match chain.root(terms.root)?.fixing {
            Fixing::Open => Some(level(chain, terms)).filter(|_| is_fresh(chain, terms))?,
            Fixing::Average if seen.time > 0 => Price(mean(seen.sum, seen.time)),
            Fixing::Average | Fixing::Last => seen.level,
        };
        price.is_defined().then_some(price.0)
    }
}

/// Half away from zero.
fn mean(sum: i128, time: u64) -> i64 {
    let time = i128::from(time);
    super::money::fit((2 * sum + sum.signum() * time) / (2 * time))
}

/// Mid of the underlying, or the expiry's forward.
fn level(chain: &Chain, terms: &Instrument) -> Price {
    let spot = Price::from_f64(chain.spot(terms.root));
    if spot.is_defined() {
        return spot;
    }
    let known = usize::from(terms.expiry) < chain.expiries_len();
    Price::from_f64(if known { chain.expiry(terms.expiry).forward } else { f64::NAN })
}

/// Whether the underlying was quoted since the settlement instant, or there is none.
fn is_fresh(chain: &Chain, terms: &Instrument) -> bool {
    chain.underlying(terms.root).is_none_or(|under| chain.quote(under).ts >= terms.settles)
}
