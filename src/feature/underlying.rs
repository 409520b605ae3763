//! One option root with its underlying: inputs in, its price, its bars and its part of a row out.

use super::{
    bar::{Bars, Priced, Tick},
    block::{Blocks, See, Setup, Subject},
};
use crate::{
    chain::{Chain, Day},
    wire::{Event, Kind, Timestamp, market::Interest},
};
use alloc::{vec, vec::Vec};

/// Open interest that nobody has told yet.
const UNTOLD: i64 = i64::MIN;

/// A root's blocks, and what they are told of.
#[derive(Debug)]
pub(super) struct Underlying {
    /// Index of the root in the chain.
    pub(super) root: u16,
    priced: Priced,
    day: Day,
    bars: Vec<Bars>,
    /// When the first of the open bars ends.
    ends: Timestamp,
    interests: Vec<i64>,
    blocks: Blocks,
}

impl Underlying {
    pub(super) fn new(root: u16, setup: &Setup<'_>) -> Underlying {
        Underlying {
            root,
            priced: Priced::NONE,
            day: Day::default(),
            bars: Bars::all(setup.settings).collect(),
            ends: Timestamp::MAX,
            interests: vec![UNTOLD; setup.limits.instruments_max],
            blocks: Blocks::new(setup),
        }
    }

    /// How many columns it has.
    pub(super) fn width(&self) -> usize {
        self.blocks.width()
    }

    /// Time has passed: bars may have ended, and the chain's time may lie in another day.
    #[inline(always)]
    pub(super) fn advance(&mut self, chain: &Chain) {
        if chain.now >= self.ends {
            self.close_due(chain);
        }
        if !self.day.holds(chain.now) {
            let calendar = chain.calendar(self.root);
            self.day = calendar.map(|calendar| calendar.day(chain.now)).unwrap_or_default();
        }
    }

    fn close_due(&mut self, chain: &Chain) {
        let see = self.see(chain);
        for (kind, bars) in self.bars.iter_mut().enumerate() {
            if chain.now >= bars.ends() {
                bars.close(chain.now);
                self.blocks.on_bar(&see, kind, bars);
            }
        }
        self.ends = self.next_end();
    }

    fn next_end(&self) -> Timestamp {
        self.bars.iter().map(Bars::ends).min().unwrap_or(Timestamp::MAX)
    }

    /// An input about its underlying or one of its options.
    #[inline(always)]
    pub(super) fn on(&mut self, chain: &Chain, event: &Event, of: &Subject) {
        match (of, event.kind) {
            (Subject::Underlying, Kind::QUOTE | Kind::TRADE) => {
                let quote = chain.quote(event.instrument);
                for tick in self.priced.ticks(&quote, event).into_iter().flatten() {
                    self.tick(chain, tick);
                }
            }
            (Subject::Option(_), Kind::INTEREST) => self.on_interest(chain, event),
            _ => {}
        }
        self.blocks.on(&self.see(chain), event, of);
    }

    // The first report of a contract is no change.
    fn on_interest(&mut self, chain: &Chain, event: &Event) {
        let contracts = event.body::<Interest>().contracts;
        let Some(held) = self.interests.get_mut(event.instrument as usize) else { return };
        let before = core::mem::replace(held, contracts);
        if before != UNTOLD && before != contracts {
            self.tick(chain, Tick::Interest((contracts - before) as f64));
        }
    }

    /// A batch has ended: where there is no underlying, its forwards give the price.
    #[inline(always)]
    pub(super) fn on_batch(&mut self, chain: &Chain) {
        if chain.underlying(self.root).is_none() {
            let price = discounted_forward(chain, self.root);
            if price > 0.0 && price != self.priced.price {
                self.priced.price = price;
                self.tick(chain, Tick::Price(price));
            }
        }
    }

    #[inline(always)]
    fn tick(&mut self, chain: &Chain, tick: Tick) {
        let now = chain.now;
        if now < self.day.opens || now >= self.day.closes {
            return;
        }
        let see = self.see(chain);
        self.blocks.on_tick(&see, tick);
        for (kind, bars) in self.bars.iter_mut().enumerate() {
            if bars.take(tick, now, &self.day) {
                bars.close(now);
                self.blocks.on_bar(&see, kind, bars);
            }
            self.ends = self.ends.min(bars.ends());
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
        See { chain, root: self.root, now: chain.now, price: self.priced.price, day: self.day }
    }
}

/// The forward of the nearest expiry that has one, times its discount factor; NaN without any.
fn discounted_forward(chain: &Chain, root: u16) -> f64 {
    let mine = chain.expiries().map(|(_, expiry)| expiry);
    let mine = mine.filter(|expiry| expiry.root == root && expiry.settles > chain.now);
    let known = mine.filter(|expiry| expiry.forward.is_finite());
    let nearest = known.min_by_key(|expiry| expiry.settles);
    nearest.map_or(f64::NAN, |expiry| expiry.forward * expiry.discount)
}
