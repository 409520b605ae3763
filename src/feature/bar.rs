//! Ticks in; one kind of bars, the last ones of it, and sums over their windows, out.
//!
//! A bar begins with its first tick and exists only where there was one. Bars of time end on the
//! grid that the session's open begins and at its close; ticks outside of a session make none. Bars
//! of volume and turnover end with the print that fills them, which is not split.

use super::{
    settings::{Resolution, Settings},
    windows::{Terms, Windows},
};
use crate::{
    chain::{Day, Quote},
    wire::{Event, Kind, Timestamp, market::Trade},
};

/// One bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Units printed.
    pub volume: f64,
    /// Sum of price times units printed.
    pub turnover: f64,
    /// Change of the open interest of the root's options, contracts.
    pub interest: f64,
    /// Prices taken.
    pub ticks: f64,
    /// When the first of them came.
    pub begins: Timestamp,
    /// When it ends, or ended.
    pub ends: Timestamp,
}

impl Bar {
    /// No tick yet.
    pub const NONE: Bar = Bar {
        open: f64::NAN,
        high: f64::NAN,
        low: f64::NAN,
        close: f64::NAN,
        volume: 0.0,
        turnover: 0.0,
        interest: 0.0,
        ticks: 0.0,
        begins: 0,
        ends: Timestamp::MAX,
    };

    /// Volume-weighted average of its prints, NaN without one.
    pub fn vwap(&self) -> f64 {
        self.turnover / self.volume
    }

    #[inline(always)]
    fn take(&mut self, price: f64) {
        if self.ticks == 0.0 {
            (self.open, self.high, self.low) = (price, price, price);
        }
        self.high = if price > self.high { price } else { self.high };
        self.low = if price < self.low { price } else { self.low };
        self.close = price;
        self.ticks += 1.0;
    }
}

/// What ends a bar.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Time(Resolution),
    Volume(f64),
    Turnover(f64),
}

/// What came of the market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tick {
    /// A price.
    Price(f64),
    /// A print: price and units.
    Print(f64, f64),
    /// Contracts by which the open interest of the root's options has changed.
    Interest(f64),
}

/// The price of an instrument: the mid of its last firm quote, or its last print until there was
/// one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Priced {
    /// NaN before the first.
    pub(super) price: f64,
    quoted: bool,
}

impl Priced {
    /// Neither quoted nor printed.
    pub(super) const NONE: Priced = Priced { price: f64::NAN, quoted: false };

    /// What a quote or a print of the instrument amounts to: a price, and the print. A print is a
    /// tick at the mid.
    #[inline(always)]
    pub(super) fn ticks(&mut self, quote: &Quote, event: &Event) -> [Option<Tick>; 2] {
        match event.kind {
            Kind::QUOTE if quote.is_firm() => {
                (self.price, self.quoted) = (quote.mid(), true);
                [Some(Tick::Price(self.price)), None]
            }
            Kind::TRADE => {
                let trade: &Trade = event.body();
                let price = trade.price.to_f64();
                if price.is_nan() {
                    return [None, None];
                }
                self.price = if self.quoted { self.price } else { price };
                let print = Tick::Print(price, f64::from(trade.size));
                [Some(Tick::Price(self.price)), Some(print)]
            }
            _ => [None, None],
        }
    }
}

/// One kind of bars.
#[derive(Clone, Debug)]
pub struct Bars {
    end: End,
    /// The bar that is being made.
    open: Bar,
    /// The last whole one.
    pub last: Bar,
    /// The one before it.
    pub before: Bar,
    /// Whole ones so far.
    pub count: u64,
    /// What the last one adds to the sums.
    pub terms: Terms,
    /// Sums over the last ones, for every window.
    pub windows: Windows,
}

impl Bars {
    fn new(end: End, settings: &Settings) -> Bars {
        let windows = Windows::new(&settings.windows);
        let (open, last, before) = (Bar::NONE, Bar::NONE, Bar::NONE);
        Bars {
            end,
            open,
            last,
            before,
            count: 0,
            terms: Terms::of(&before, &before, &last),
            windows,
        }
    }

    /// All kinds that are configured, in the order of the axis.
    pub(super) fn all(settings: &Settings) -> impl Iterator<Item = Bars> {
        let time = settings.resolutions.iter().map(|resolution| End::Time(*resolution));
        let volume = Some(settings.volume_bar).filter(|full| *full > 0.0).map(End::Volume);
        let turnover = Some(settings.dollar_bar).filter(|full| *full > 0.0).map(End::Turnover);
        time.chain(volume).chain(turnover).map(move |end| Bars::new(end, settings))
    }

    /// When the open bar ends; never where there is none.
    #[inline(always)]
    pub(super) fn ends(&self) -> Timestamp {
        self.open.ends
    }

    /// Takes a tick of a session; whether it has filled the bar.
    #[inline(always)]
    pub(super) fn take(&mut self, tick: Tick, now: Timestamp, day: &Day) -> bool {
        match tick {
            Tick::Price(price) => {
                if self.open.ticks == 0.0 {
                    (self.open.begins, self.open.ends) = (now, self.end_of(now, day));
                }
                self.open.take(price);
                false
            }
            Tick::Print(price, units) => {
                self.open.volume += units;
                self.open.turnover += price * units;
                self.is_full()
            }
            Tick::Interest(change) => {
                self.open.interest += change;
                false
            }
        }
    }

    fn end_of(&self, now: Timestamp, day: &Day) -> Timestamp {
        match self.end {
            End::Time(Resolution::SESSION) => day.closes,
            End::Time(Resolution(nanos)) => {
                let passed = (now - day.opens) / nanos + 1;
                day.closes.min(day.opens.saturating_add(passed * nanos))
            }
            // One that is not full when the session ends goes on in the next.
            End::Volume(_) | End::Turnover(_) => Timestamp::MAX,
        }
    }

    #[inline(always)]
    fn is_full(&self) -> bool {
        let has = match self.end {
            End::Time(_) => false,
            End::Volume(full) => self.open.volume >= full,
            End::Turnover(full) => self.open.turnover >= full,
        };
        has && self.open.ticks > 0.0
    }

    /// Ends the open bar, which has a tick.
    pub(super) fn close(&mut self, now: Timestamp) {
        let ends = self.open.ends.min(now);
        let bar = core::mem::replace(&mut self.open, Bar::NONE);
        self.push(Bar { ends, ..bar });
    }

    /// Takes a whole bar.
    pub fn push(&mut self, bar: Bar) {
        let earlier = core::mem::replace(&mut self.before, self.last);
        self.last = bar;
        self.count += 1;
        self.terms = Terms::of(&earlier, &self.before, &self.last);
        self.windows.push(&self.terms, &self.last);
    }
}
