//! What is known of one instrument: its terms, its quote, its prints.

use crate::wire::{Timestamp, market::Class};

/// The expiry of an instrument that has none.
pub const NO_EXPIRY: u16 = u16::MAX;

/// The root of an instrument whose root has no rule.
pub const NO_ROOT: u16 = u16::MAX;

/// Terms of an instrument: the definition and the universe's rules together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instrument {
    /// Call, put, future, stock, index.
    pub class: Class,
    /// Which root of the chain, [`NO_ROOT`] where there is no rule for it.
    pub root: u16,
    /// Which expiry of the chain, or [`NO_EXPIRY`].
    pub expiry: u16,
    /// Row of that expiry.
    pub row: u16,
    /// Strike; NaN where it is no option.
    pub strike: f64,
    /// When it settles, ns UTC; 0 where it does not.
    pub settles: Timestamp,
    /// Currency per point of one contract.
    pub multiplier: f64,
    /// Root or ticker as the feed wrote it.
    pub name: [u8; 8],
    /// The venue's own number.
    pub venue_id: u32,
    /// A symbol mapping alone named it so far.
    pub mapped: bool,
}

/// Best bid and ask as last seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quote {
    /// Best bid, NaN where there is none.
    pub bid: f64,
    /// Best ask, NaN where there is none.
    pub ask: f64,
    /// Contracts (or shares) at the bid.
    pub bid_size: u32,
    /// Contracts (or shares) at the ask.
    pub ask_size: u32,
    /// Chain time of the last update, 0 for never.
    pub ts: Timestamp,
    /// Its session was lost, stalled or had a gap since.
    pub stale: bool,
}

impl Quote {
    /// Never quoted.
    pub const NONE: Quote =
        Quote { bid: f64::NAN, ask: f64::NAN, bid_size: 0, ask_size: 0, ts: 0, stale: false };

    /// Both sides are there, the bid is below the ask, and the session is sound.
    #[inline(always)]
    pub fn is_firm(&self) -> bool {
        self.bid < self.ask && !self.stale
    }

    /// The bid is above the ask.
    #[inline(always)]
    pub fn is_crossed(&self) -> bool {
        self.bid > self.ask
    }

    /// Half way between bid and ask; NaN where a side is absent.
    #[inline(always)]
    pub fn mid(&self) -> f64 {
        0.5 * (self.bid + self.ask)
    }
}

/// Prints and open interest of an instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tape {
    /// Last print, NaN for none.
    pub last: f64,
    /// Contracts (or shares) printed.
    pub volume: u64,
    /// Open contracts by the last report, 0 before one.
    pub interest: i64,
    /// DBN's trading status action, 0 before one.
    pub status: u16,
}

impl Tape {
    /// Nothing was printed.
    pub const NONE: Tape = Tape { last: f64::NAN, volume: 0, interest: 0, status: 0 };
}
