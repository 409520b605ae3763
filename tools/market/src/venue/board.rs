//! Records in; the best prices and what is left of their sizes out, by dense index.

use crate::record::{UNDEF_PRICE, bbo};

/// Best bid and ask of one instrument. A side without a price is [`UNDEF_PRICE`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Touch {
    /// Best bid, 1e-9.
    pub bid: i64,
    /// Best ask, 1e-9.
    pub ask: i64,
    /// Contracts left at the bid.
    pub bid_size: u32,
    /// Contracts left at the ask.
    pub ask_size: u32,
}

impl Touch {
    const NONE: Touch = Touch { bid: UNDEF_PRICE, ask: UNDEF_PRICE, bid_size: 0, ask_size: 0 };

    /// The price and the contracts that one who buys (+1) or sells (−1) meets; `None` for a side
    /// that is not there.
    pub fn against(&self, side: i8) -> Option<(i64, u32)> {
        let (price, size) =
            if side > 0 { (self.ask, self.ask_size) } else { (self.bid, self.bid_size) };
        (price != UNDEF_PRICE).then_some((price, size))
    }
}

/// The current quote of every instrument.
#[derive(Debug, Default)]
pub struct Board(Vec<Touch>);

impl Board {
    /// A board without quotes.
    pub fn new(instruments: usize) -> Board {
        Board(vec![Touch::NONE; instruments])
    }

    /// Takes a record; whether it was a quote.
    #[inline]
    pub fn on_record(&mut self, index: u32, record: &[u8]) -> bool {
        let Some((bid, ask, bid_size, ask_size)) = bbo(record) else { return false };
        match self.0.get_mut(index as usize) {
            Some(touch) => *touch = Touch { bid, ask, bid_size, ask_size },
            None => return false,
        }
        true
    }

    /// The quote of an instrument.
    pub fn touch(&self, index: u32) -> Touch {
        self.0.get(index as usize).copied().unwrap_or(Touch::NONE)
    }

    /// Takes what was traded off the quote; the next quote says anew what there is.
    pub fn consume(&mut self, index: u32, side: i8, contracts: u32) {
        if let Some(touch) = self.0.get_mut(index as usize) {
            let size = if side > 0 { &mut touch.ask_size } else { &mut touch.bid_size };
            *size = size.saturating_sub(contracts);
        }
    }
}
