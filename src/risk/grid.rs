//! Held lines and an order in; what they lose in the worst scenario of spot, volatility and time
//! out, by full revaluation.
//!
//! Each scenario moves the forward by a share, each option's own volatility by a share of it, and
//! lets time pass; an option is worth what Black's formula gives then, discounted as now, and an
//! American one no less than its intrinsic value. The book's side is kept: a line is valued when it
//! is first held, and anew in turn on the beat. An order's legs are valued at once.

use super::{
    dollars::{Wide, reference},
    ledger::LINES_MAX,
    limits::Limits,
};
use crate::{
    book::Desk,
    chain::{Chain, Instrument, Style},
    greeks::{
        lanes::{Lanes, V},
        options::Options,
        sets::{Model, Price},
    },
    wire::{
        PRICE_SCALE, Timestamp,
        market::{Class, VolStatus},
    },
};
use alloc::{vec, vec::Vec};

/// Most scenarios of the grid that orders are measured against.
pub(super) const SCENARIOS_MAX: usize = 64;

/// A move of the forward and of volatility as a share, and days that pass.
pub(super) type Moves = [f64; 3];

/// The worst scenario: loss in 1e-9 of currency of what could be valued, how many lines could not,
/// and the age of the oldest line, ns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worst {
    pub(super) loss: Wide,
    pub(super) unknown: usize,
    pub(super) age: u64,
}

/// A line with its profit in each scenario, currency a unit.
#[derive(Clone, Copy, Debug)]
struct Row<const N: usize> {
    units: i64,
    known: bool,
    profits: [f64; N],
}

/// Where the row of an instrument is, and when it was valued.
#[derive(Clone, Copy, Debug)]
struct Place {
    instrument: u32,
    row: u32,
    at: Timestamp,
}

/// See the module's documentation. `N` is the most scenarios that it has room for.
#[derive(Debug)]
pub(super) struct Grid<const N: usize> {
    /// Factors of the forward and of volatility, and years that pass, eight scenarios each.
    blocks: Vec<[V; 3]>,
    /// Where nothing moves.
    still: usize,
    count: usize,
    turns: usize,
    next: usize,
    /// Of the lines that are held, by instrument.
    places: Vec<Place>,
    rows: Vec<Row<N>>,
    free: Vec<u32>,
    sums: [Wide; N],
    unknown: usize,
    oldest: Timestamp,
}

/// Every move of the spot with every change of volatility and every span of time.
pub(super) fn product(limits: &Limits) -> Vec<Moves> {
    let mut scenarios = Vec::new();
    for &spot in &limits.grid_spots {
        for &vol in &limits.grid_vols {
            scenarios.extend(limits.grid_days.iter().map(|&days| [spot, vol, days]));
        }
    }
    scenarios
}

impl<const N: usize> Grid<N> {
    /// Of so many scenarios as there is room for with the one in which nothing moves; `turns` lines
    /// are valued anew on a beat.
    pub(super) fn new(mut scenarios: Vec<Moves>, turns: usize) -> Grid<N> {
        scenarios.truncate(N - 1);
        let still = scenarios.iter().position(|moves| *moves == [0.0; 3]);
        let still = still.unwrap_or_else(|| {
            scenarios.push([0.0; 3]);
            scenarios.len() - 1
        });
        let count = scenarios.len();
        // The last block is filled up with what is there.
        let padded = count.next_multiple_of(V::COUNT);
        scenarios.resize(padded, [0.0; 3]);
        let block = |block: &[Moves]| {
            let column = |at: usize, add: f64, scale: f64| {
                V::from_fn(|lane| (add + block[lane][at] * scale).max(0.0))
            };
            [column(0, 1.0, 1.0), column(1, 1.0, 1.0), column(2, 0.0, 1.0 / 365.0)]
        };
        Grid {
            blocks: scenarios.chunks(V::COUNT).map(block).collect(),
            still,
            count,
            turns,
            next: 0,
            places: Vec::with_capacity(LINES_MAX),
            rows: vec![Row { units: 0, known: false, profits: [0.0; N] }; LINES_MAX],
            free: (0..LINES_MAX as u32).rev().collect(),
            sums: [0; N],
            unknown: 0,
            oldest: 0,
        }
    }

    /// Takes over what is held now; lines that were held before keep their values.
    pub(super) fn renew(&mut self, desk: &Desk) {
        self.let_go(desk);
        let old = self.places.len();
        for line in desk.book.holdings() {
            let (instrument, units) = (line.instrument, line.held.saturating_mul(line.multiplier));
            match self.places[..old].binary_search_by_key(&instrument, |place| place.instrument) {
                Ok(at) => self.resize(self.places[at].row as usize, units),
                // Of more lines than there is room for the ledger knows nothing either.
                Err(_) => drop(self.take_in(desk, instrument, units)),
            }
        }
        if self.places.len() > old {
            self.places.sort_unstable_by_key(|place| place.instrument);
        }
        self.find_oldest();
    }

    /// Frees the rows of what is not held any more.
    fn let_go(&mut self, desk: &Desk) {
        let mut places = core::mem::take(&mut self.places);
        places.retain(|place| {
            let held = desk.book.position(place.instrument).line.held != 0;
            if !held {
                self.add(place.row as usize, -1);
                self.free.push(place.row);
            }
            held
        });
        self.places = places;
    }

    fn take_in(&mut self, desk: &Desk, instrument: u32, units: i64) -> Option<()> {
        let row = self.free.pop()?;
        self.value_row(&desk.chain, row as usize, instrument, units);
        self.add(row as usize, 1);
        self.places.push(Place { instrument, row, at: desk.chain.now });
        Some(())
    }

    fn resize(&mut self, row: usize, units: i64) {
        if self.rows[row].units != units {
            self.add(row, -1);
            self.rows[row].units = units;
            self.add(row, 1);
        }
    }

    /// Values some lines anew, in turn.
    pub(super) fn turn(&mut self, desk: &Desk) {
        for _ in 0..self.turns.min(self.places.len()) {
            self.next = (self.next + 1) % self.places.len();
            let Place { instrument, row, .. } = self.places[self.next];
            let row = row as usize;
            self.add(row, -1);
            self.value_row(&desk.chain, row, instrument, self.rows[row].units);
            self.add(row, 1);
            self.places[self.next].at = desk.chain.now;
        }
        self.find_oldest();
    }

    fn find_oldest(&mut self) {
        self.oldest = self.places.iter().map(|place| place.at).min().unwrap_or(0);
    }

    /// Integers: what is added and taken away again leaves nothing behind.
    fn add(&mut self, row: usize, sign: i128) {
        let row = &self.rows[row];
        if !row.known {
            self.unknown = self.unknown.saturating_add_signed(sign as isize);
            return;
        }
        for (sum, profit) in self.sums[..self.count].iter_mut().zip(&row.profits) {
            *sum += sign * money(*profit, row.units);
        }
    }

    fn value_row(&mut self, chain: &Chain, row: usize, instrument: u32, units: i64) {
        let mut profits = [0.0; N];
        let terms = chain.instrument(instrument);
        let known = terms.is_some_and(|t| self.value(chain, t, instrument, &mut profits));
        self.rows[row] = Row { units, known, profits };
    }

    /// Profit of what is held in each scenario, and how many lines could not be valued. Scenarios
    /// are in the order in which they were given.
    pub(super) fn profits(&self) -> (&[Wide], usize) {
        (&self.sums[..self.count], self.unknown)
    }

    /// Profits of one unit; false where it cannot be valued.
    #[inline]
    fn value(
        &self,
        chain: &Chain,
        terms: &Instrument,
        instrument: u32,
        profits: &mut [f64; N],
    ) -> bool {
        if !terms.class.is_option() {
            let Some(price) = reference(chain, terms, instrument) else { return false };
            for (block, to) in self.blocks.iter().zip(profits.chunks_mut(V::COUNT)) {
                let moved = (block[0] - V::splat(1.0)) * V::splat(price);
                to.iter_mut().enumerate().for_each(|(lane, to)| *to = moved.lane(lane));
            }
            return true;
        }
        let greeks = chain.greeks(instrument).filter(|g| g.status == VolStatus::OK);
        let Some(greeks) = greeks else { return false };
        let expiry = chain.expiry(terms.expiry);
        let (forward, discount) = (expiry.forward, expiry.discount);
        let years = chain.vol_years(terms.expiry);
        let american = chain.root(terms.root).is_some_and(|root| root.style == Style::American);
        let call = terms.class == Class::CALL;
        let zero = V::splat(0.0);
        let strike = V::splat(terms.strike);
        for (block, to) in self.blocks.iter().zip(profits.chunks_mut(V::COUNT)) {
            let spot = V::splat(forward) * block[0];
            let options = Options {
                spot,
                strike,
                years: (V::splat(years) - block[2]).fast_max(zero),
                r: zero,
                q: zero,
                vol: V::splat(greeks.iv) * block[1],
            };
            let valued = options.value(Model::Spot);
            let side = if call { valued.call::<Price>() } else { valued.put::<Price>() };
            let inside = if call { spot - strike } else { strike - spot };
            let worth = side.price * V::splat(discount);
            // NaN must not be lost in a maximum.
            let worth =
                if american { worth.is_nan().select(worth, worth.fast_max(inside)) } else { worth };
            to.iter_mut().enumerate().for_each(|(lane, to)| *to = worth.lane(lane));
        }
        let now = profits[self.still];
        profits[..self.count].iter_mut().for_each(|profit| *profit -= now);
        profits[..self.count].iter().all(|profit| profit.is_finite())
    }

    /// The worst scenario of what is held with so many units of each leg.
    pub(super) fn worst<'a>(
        &self,
        chain: &Chain,
        legs: impl Iterator<Item = (u32, Option<&'a Instrument>, i64)>,
    ) -> Worst {
        let mut sums = self.sums;
        let mut unknown = self.unknown;
        let mut profits = [0.0; N];
        for (instrument, terms, units) in legs {
            if !terms.is_some_and(|t| self.value(chain, t, instrument, &mut profits)) {
                unknown += 1;
                continue;
            }
            for (sum, profit) in sums[..self.count].iter_mut().zip(&profits) {
                *sum += money(*profit, units);
            }
        }
        let least = sums[..self.count].iter().min().copied().unwrap_or(0);
        let age = if self.places.is_empty() { 0 } else { chain.now.saturating_sub(self.oldest) };
        Worst { loss: -least, unknown, age }
    }
}

/// Profit of so many units, 1e-9 of currency.
#[inline(always)]
fn money(profit: f64, units: i64) -> Wide {
    let scaled = profit * units as f64 * PRICE_SCALE as f64;
    // Far beyond this every limit is broken; the cast saturates.
    Wide::from(scaled as i64)
}
