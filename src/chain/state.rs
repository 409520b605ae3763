//! The chain's tables and how they are read: an instrument, an expiry or a root in, its state out.

use super::{
    Calendar, Delivery, Expiry, Instrument, NO_EXPIRY, NO_ROOT, Quote, Root, Series, Tape, Totals,
    Universe,
    apply::product,
    name_of,
    universe::{Clock, Limits},
    variance::calendar_years,
};
use crate::wire::{
    NO_INSTRUMENT, Price, Timestamp,
    market::{Class, Greeks, VolStatus},
};
use alloc::{vec, vec::Vec};

/// The class of an index that nobody defined.
pub(super) const NOBODY: Class = Class(0);

// One cache line an instrument: all that a quote or a print touches.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Live {
    pub(super) bid: f64,
    pub(super) ask: f64,
    pub(super) last: f64,
    pub(super) ts: Timestamp,
    pub(super) volume: u64,
    pub(super) bid_size: u32,
    pub(super) ask_size: u32,
    pub(super) generation: u32,
    pub(super) expiry: u16,
    pub(super) row: u16,
    pub(super) source: u16,
    pub(super) status: u16,
    pub(super) class: Class,
    pub(super) reserved: [u8; 3],
}

impl Live {
    const NONE: Live = Live {
        bid: f64::NAN,
        ask: f64::NAN,
        last: f64::NAN,
        ts: 0,
        volume: 0,
        bid_size: 0,
        ask_size: 0,
        generation: 0,
        expiry: NO_EXPIRY,
        row: 0,
        source: 0,
        status: 0,
        class: NOBODY,
        reserved: [0; 3],
    };
}

const NO_GREEKS: Greeks = Greeks {
    iv: 0.0,
    price: 0.0,
    delta: 0.0,
    gamma: 0.0,
    theta: 0.0,
    vega: 0.0,
    status: VolStatus::UNKNOWN,
    reserved: [0; 3],
};

/// The market as known: a plain function of the events that it was given.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The chain's time, ns UTC: never goes back, 0 before the first event with a time.
    pub now: Timestamp,
    /// What was counted.
    pub totals: Totals,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) rate: f64,
    pub(super) calendars: Vec<Calendar>,
    pub(super) roots: Vec<Root>,
    pub(super) default: Option<Root>,
    pub(super) spots: Vec<u32>,
    pub(super) instruments: Vec<Instrument>,
    pub(super) live: Vec<Live>,
    pub(super) interests: Vec<i64>,
    pub(super) greeks: Vec<Greeks>,
    pub(super) expiries: Vec<Expiry>,
    pub(super) expiries_used: usize,
    pub(super) dirty: Vec<u64>,
    pub(super) series: Vec<Series>,
    /// When the next observation that waits for its time becomes known.
    pub(super) series_due: Timestamp,
    /// What quotes of a session must carry to be fresh.
    pub(super) generations: Vec<u32>,
    /// What quotes of a session are given: behind `generations` while it is stale.
    pub(super) stamps: Vec<u32>,
}

impl Chain {
    /// All tables, empty, as large as the universe allows.
    pub fn new(universe: &Universe) -> Chain {
        let limits = universe.limits.clone();
        let mut roots = Vec::with_capacity(limits.roots_max);
        roots.extend(universe.roots.iter().cloned());
        Chain {
            now: 0,
            totals: Totals::default(),
            clock: universe.clock,
            rate: universe.rates.rate,
            calendars: universe.calendars.clone(),
            roots,
            default: universe.default.clone(),
            spots: vec![NO_INSTRUMENT; limits.roots_max],
            instruments: vec![nobody(); limits.instruments_max],
            live: vec![Live::NONE; limits.instruments_max],
            interests: vec![0; limits.instruments_max],
            greeks: vec![NO_GREEKS; limits.instruments_max],
            expiries: (0..limits.expiries_max).map(|_| Expiry::new(universe)).collect(),
            expiries_used: 0,
            dirty: vec![0; limits.expiries_max.div_ceil(64)],
            series: universe.series.iter().map(Series::new).collect(),
            series_due: Timestamp::MAX,
            generations: vec![0; limits.sessions_max],
            stamps: vec![0; limits.sessions_max],
            limits,
        }
    }

    /// Terms of an instrument, `None` where nobody defined it.
    #[inline]
    pub fn instrument(&self, index: u32) -> Option<&Instrument> {
        self.instruments.get(index as usize).filter(|found| found.class != NOBODY)
    }

    /// One more than the highest dense index that the tables hold.
    pub fn instruments_max(&self) -> usize {
        self.instruments.len()
    }

    /// Best bid and ask; [`Quote::NONE`] where there never was one.
    #[inline]
    pub fn quote(&self, index: u32) -> Quote {
        let Some(live) = self.live.get(index as usize) else { return Quote::NONE };
        let generation = self.generations.get(live.source as usize).copied().unwrap_or(0);
        Quote {
            bid: live.bid,
            ask: live.ask,
            bid_size: live.bid_size,
            ask_size: live.ask_size,
            ts: live.ts,
            stale: live.ts != 0 && generation != live.generation,
        }
    }

    /// Prints, open interest and status.
    pub fn tape(&self, index: u32) -> Tape {
        let Some(live) = self.live.get(index as usize) else {
            return Tape::NONE;
        };
        let interest = self.interests[index as usize];
        Tape { last: live.last, volume: live.volume, interest, status: live.status }
    }

    /// Implied volatility and Greeks, `None` before the first computation.
    #[inline]
    pub fn greeks(&self, index: u32) -> Option<Greeks> {
        self.greeks.get(index as usize).copied().filter(|g| g.status != VolStatus::UNKNOWN)
    }

    /// All expiries, in the order in which they were met, with their indices.
    pub fn expiries(&self) -> impl Iterator<Item = (u16, &Expiry)> {
        self.expiries[..self.expiries_used].iter().enumerate().map(|(i, e)| (i as u16, e))
    }

    /// How many expiries there are.
    #[inline(always)]
    pub fn expiries_len(&self) -> usize {
        self.expiries_used
    }

    /// An expiry by its index.
    #[inline(always)]
    pub fn expiry(&self, index: u16) -> &Expiry {
        &self.expiries[index as usize]
    }

    /// Years from now to an expiry's settlement, ACT/365 in seconds; 0 from then on.
    #[inline]
    pub fn years(&self, expiry: u16) -> f64 {
        calendar_years(self.now, self.expiries[expiry as usize].settles)
    }

    /// Years from now to an expiry's settlement on the clock that its volatility runs by.
    #[inline]
    pub fn vol_years(&self, expiry: u16) -> f64 {
        self.vol_clock(expiry, self.now).0
    }

    /// Years of volatility's clock that pass in a calendar year at the pace of now.
    #[inline]
    pub fn vol_pace(&self, expiry: u16) -> f64 {
        self.vol_clock(expiry, self.now).1
    }

    /// Years to an expiry's settlement on the clock that its volatility runs by, and that clock's
    /// pace, at an instant.
    pub(super) fn vol_clock(&self, expiry: u16, at: Timestamp) -> (f64, f64) {
        let expiry = &self.expiries[expiry as usize];
        match self.calendar(expiry.root) {
            Some(calendar) => {
                let variance = &calendar.variance;
                (variance.years_between(at, expiry.settles), variance.pace(at))
            }
            None => (calendar_years(at, expiry.settles), 1.0),
        }
    }

    /// A root by its index.
    pub fn root(&self, root: u16) -> Option<&Root> {
        self.roots.get(root as usize)
    }

    /// How many roots there are, listed or met.
    pub fn roots_len(&self) -> usize {
        self.roots.len()
    }

    /// Index of the root of this name.
    pub fn find_root(&self, name: &str) -> Option<u16> {
        self.root_named(name_of(name))
    }

    pub(super) fn root_named(&self, name: [u8; 8]) -> Option<u16> {
        self.roots.iter().position(|root| root.name == name).map(|at| at as u16)
    }

    /// The option that its terms name: root, expiration date as 20151224, strike, call or put.
    pub fn option(&self, root: [u8; 8], date: u32, strike: Price, class: Class) -> Option<u32> {
        let root = self.root_named(root)?;
        let mut expiries = self.expiries().filter(|(_, expiry)| {
            expiry.root == root && self.local(root, expiry.settles).0 == date
        });
        expiries.find_map(|(_, expiry)| {
            let row = expiry.row_of(strike.to_f64())?;
            if class == Class::CALL { expiry.call(row) } else { expiry.put(row) }
        })
    }

    /// Tick size of a root at a price; NaN for an unknown root.
    #[inline]
    pub fn tick(&self, root: u16, price: f64) -> f64 {
        self.roots.get(root as usize).map_or(f64::NAN, |rules| rules.tick(price))
    }

    /// Tick size of an instrument at a price: that of its root, or of the root whose underlying it
    /// is; NaN for an unknown one.
    #[inline]
    pub fn tick_of(&self, instrument: u32, price: f64) -> f64 {
        let Some(terms) = self.instrument(instrument) else { return f64::NAN };
        if terms.class.is_option() {
            return self.tick(terms.root, price);
        }
        self.root(self.root_on(terms)).map_or(f64::NAN, |root| root.underlying_tick)
    }

    /// The root that an instrument moves with: its own, or the first one whose underlying it is;
    /// [`NO_ROOT`] where there is none.
    pub fn root_on(&self, terms: &Instrument) -> u16 {
        if terms.class.is_option() {
            return terms.root;
        }
        let product = product(terms.name);
        let future = terms.class == Class::FUTURE;
        let is_on = |root: &Root| {
            let wanted = root.underlying;
            wanted != [0; 8] && (wanted == terms.name || future && wanted == product)
        };
        self.roots.iter().position(is_on).map_or(NO_ROOT, |at| at as u16)
    }

    /// Mid of the underlying; NaN where it is not quoted on both sides or its session is not sound.
    #[inline]
    pub fn spot(&self, root: u16) -> f64 {
        let index = self.spots.get(root as usize).copied().unwrap_or(NO_INSTRUMENT);
        let quote = self.quote(index);
        if quote.stale { f64::NAN } else { quote.mid() }
    }

    /// The instrument that a root's spot comes from.
    pub fn underlying(&self, root: u16) -> Option<u32> {
        self.spots.get(root as usize).copied().filter(|index| *index != NO_INSTRUMENT)
    }

    /// The underlying of a root where it can be traded: what options deliver can be, what they are
    /// settled in cash for is an index.
    pub fn traded_underlying(&self, root: u16) -> Option<u32> {
        self.root(root).filter(|rules| rules.delivery == Delivery::Physical)?;
        let index = self.underlying(root)?;
        let class = self.instrument(index)?.class;
        [Class::STOCK, Class::FUTURE].contains(&class).then_some(index)
    }

    /// Continuous risk-free rate a year.
    #[inline(always)]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// The wall clock of a root's exchange: date as 20151224 and second of the day.
    pub fn local(&self, root: u16, ts: Timestamp) -> (u32, u32) {
        self.calendar(root).map_or((0, 0), |calendar| calendar.local(ts))
    }

    /// Seconds until the session of a root's exchange closes; `None` for an unknown root.
    pub fn closes_in(&self, root: u16, ts: Timestamp) -> Option<u32> {
        self.calendar(root).map(|calendar| calendar.closes_in(ts))
    }

    /// The calendar that a root trades by.
    pub fn calendar(&self, root: u16) -> Option<&Calendar> {
        self.roots.get(root as usize).map(|rules| &self.calendars[rules.calendar as usize])
    }

    /// The external series of this name.
    pub fn find_series(&self, name: &str) -> Option<u16> {
        self.series.iter().position(|series| series.name() == name).map(|at| at as u16)
    }

    /// An external series by its place in the universe's list, as known at the chain's time.
    #[inline]
    pub fn series(&self, series: u16) -> Option<&Series> {
        self.series.get(usize::from(series))
    }

    /// Whether any row of an expiry was quoted since [`Chain::clean`].
    #[inline(always)]
    pub fn is_dirty(&self, expiry: u16) -> bool {
        self.dirty[expiry as usize / 64] >> (expiry % 64) & 1 == 1
    }

    /// Expiries with marked rows, 64 a word.
    #[inline(always)]
    pub fn dirty(&self) -> &[u64] {
        &self.dirty
    }

    /// Clears the marks of an expiry.
    #[inline]
    pub fn clean(&mut self, expiry: u16) {
        self.dirty[expiry as usize / 64] &= !(1 << (expiry % 64));
        self.expiries[expiry as usize].clean();
    }

    #[inline(always)]
    pub(super) fn mark(&mut self, expiry: u16, row: u16) {
        self.dirty[expiry as usize / 64] |= 1 << (expiry % 64);
        self.expiries[expiry as usize].mark(row as usize);
    }
}

fn nobody() -> Instrument {
    Instrument {
        class: NOBODY,
        root: NO_ROOT,
        expiry: NO_EXPIRY,
        row: 0,
        strike: f64::NAN,
        settles: 0,
        multiplier: f64::NAN,
        name: [0; 8],
        venue_id: 0,
        mapped: false,
    }
}
