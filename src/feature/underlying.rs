//! One option root with its underlying: inputs in, its price and its part of a row out.

use super::block::{Blocks, See, Setup, Subject};
use crate::{
    chain::{Chain, Day},
    wire::{Event, Kind, market::Trade},
};

/// A root's blocks, and what they are told of.
#[derive(Debug)]
pub(super) struct Underlying {
    /// Index of the root in the chain.
    pub(super) root: u16,
    price: f64,
    day: Day,
    blocks: Blocks,
}

impl Underlying {
    pub(super) fn new(root: u16, setup: &Setup<'_>) -> Underlying {
        Underlying { root, price: f64::NAN, day: Day::default(), blocks: Blocks::new(setup) }
    }

    /// How many columns it has.
    pub(super) fn width(&self) -> usize {
        self.blocks.width()
    }

    /// Time has passed: the chain's time may lie in another day.
    #[inline(always)]
    pub(super) fn advance(&mut self, chain: &Chain) {
        if !self.day.holds(chain.now) {
            let calendar = chain.calendar(self.root);
            self.day = calendar.map(|calendar| calendar.day(chain.now)).unwrap_or_default();
        }
    }

    /// An input about its underlying or one of its options.
    #[inline(always)]
    pub(super) fn on(&mut self, chain: &Chain, event: &Event, of: &Subject) {
        if let Subject::Underlying = of {
            self.take_price(chain, event);
        }
        self.blocks.on(&self.see(chain), event, of);
    }

    // The mid of a firm quote; the last print until there was one.
    fn take_price(&mut self, chain: &Chain, event: &Event) {
        let quote = chain.quote(event.instrument);
        if quote.is_firm() {
            self.price = quote.mid();
        } else if event.kind == Kind::TRADE && self.price.is_nan() {
            self.price = event.body::<Trade>().price.to_f64();
        }
    }

    /// Its part of a row.
    #[inline(always)]
    pub(super) fn fill(&mut self, chain: &Chain, row: &mut [f64]) {
        let see = self.see(chain);
        self.blocks.fill(&see, row);
    }

    #[inline(always)]
    fn see<'a>(&self, chain: &'a Chain) -> See<'a> {
        See { chain, root: self.root, now: chain.now, price: self.price, day: self.day }
    }
}
