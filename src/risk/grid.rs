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
use alloc::vec::Vec;

/// Most scenarios of a grid.
pub(super) const SCENARIOS_MAX: usize = 64;

/// The worst scenario: loss in 1e-9 of currency of what could be valued, how many lines could not,
/// and the age of the oldest line, ns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worst {
    pub(super) loss: Wide,
    pub(super) unknown: usize,
    pub(super) age: u64,
}

/// Profit of one unit of a line in each scenario, currency.
type Profits = [f64; SCENARIOS_MAX];

#[derive(Clone, Copy, Debug)]
struct Row {
    instrument: u32,
    units: i64,
    /// When it was valued.
    at: Timestamp,
    known: bool,
    profits: Profits,
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Grid {
    /// Factors of the forward and of volatility, and years that pass, eight scenarios each.
    blocks: Vec<[V; 3]>,
    /// Where nothing moves.
    still: usize,
    count: usize,
    turns: usize,
    next: usize,
    rows: Vec<Row>,
    spare: Vec<Row>,
    sums: [Wide; SCENARIOS_MAX],
    unknown: usize,
    oldest: Timestamp,
}

impl Grid {
    pub(super) fn new(limits: &Limits) -> Grid {
        let mut scenarios = Vec::new();
        for &spot in &limits.grid_spots {
            for &vol in &limits.grid_vols {
                scenarios.extend(limits.grid_days.iter().map(|&days| [spot, vol, days]));
            }
        }
        scenarios.truncate(SCENARIOS_MAX - 1);
        let still = scenarios.iter().position(|moves| *moves == [0.0; 3]);
        let still = still.unwrap_or_else(|| {
            scenarios.push([0.0; 3]);
            scenarios.len() - 1
        });
        let count = scenarios.len();
        // The last block is filled up with what is there.
        let padded = count.next_multiple_of(V::COUNT);
        scenarios.resize(padded, [0.0; 3]);
        let block = |block: &[[f64; 3]]| {
            let column = |at: usize, add: f64, scale: f64| {
                V::from_fn(|lane| (add + block[lane][at] * scale).max(0.0))
            };
            [column(0, 1.0, 1.0), column(1, 1.0, 1.0), column(2, 0.0, 1.0 / 365.0)]
        };
        Grid {
            blocks: scenarios.chunks(V::COUNT).map(block).collect(),
            still,
            count,
            turns: limits.grid_turns,
            next: 0,
            rows: Vec::with_capacity(LINES_MAX),
            spare: Vec::with_capacity(LINES_MAX),
            sums: [0; SCENARIOS_MAX],
            unknown: 0,
            oldest: 0,
        }
    }

    /// Takes over what is held now; lines that were held before keep their values.
    pub(super) fn renew(&mut self, desk: &Desk) {
        let mut rows = core::mem::take(&mut self.spare);
        rows.clear();
        for line in desk.book.holdings().take(LINES_MAX) {
            let (instrument, units) = (line.instrument, line.held.saturating_mul(line.multiplier));
            let kept = self.rows.binary_search_by_key(&instrument, |row| row.instrument);
            rows.push(match kept {
                Ok(at) => Row { units, ..self.rows[at] },
                Err(_) => self.value_row(&desk.chain, instrument, units),
            });
        }
        rows.sort_unstable_by_key(|row| row.instrument);
        self.spare = core::mem::replace(&mut self.rows, rows);
        self.add_up();
    }

    /// Values some lines anew, in turn.
    pub(super) fn turn(&mut self, desk: &Desk) {
        for _ in 0..self.turns.min(self.rows.len()) {
            self.next = (self.next + 1) % self.rows.len();
            let Row { instrument, units, .. } = self.rows[self.next];
            let row = self.value_row(&desk.chain, instrument, units);
            let before = core::mem::replace(&mut self.rows[self.next], row);
            self.add(&before, -1);
            self.add(&row, 1);
        }
        self.oldest = self.rows.iter().map(|row| row.at).min().unwrap_or(0);
    }

    fn add_up(&mut self) {
        (self.sums, self.unknown) = ([0; SCENARIOS_MAX], 0);
        for at in 0..self.rows.len() {
            let row = self.rows[at];
            self.add(&row, 1);
        }
        self.oldest = self.rows.iter().map(|row| row.at).min().unwrap_or(0);
    }

    fn add(&mut self, row: &Row, sign: i128) {
        if !row.known {
            self.unknown = self.unknown.saturating_add_signed(sign as isize);
            return;
        }
        for (sum, profit) in self.sums[..self.count].iter_mut().zip(&row.profits) {
            *sum += sign * money(*profit, row.units);
        }
    }

    fn value_row(&self, chain: &Chain, instrument: u32, units: i64) -> Row {
        let mut row =
            Row { instrument, units, at: chain.now, known: false, profits: [0.0; SCENARIOS_MAX] };
        let terms = chain.instrument(instrument);
        row.known = terms.is_some_and(|t| self.value(chain, t, instrument, &mut row.profits));
        row
    }

    /// Profits of one unit; false where it cannot be valued.
    #[inline]
    fn value(
        &self,
        chain: &Chain,
        terms: &Instrument,
        instrument: u32,
        profits: &mut Profits,
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
        let mut profits = [0.0; SCENARIOS_MAX];
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
        let age = if self.rows.is_empty() { 0 } else { chain.now.saturating_sub(self.oldest) };
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
