//! Held lines and an order in; what they lose in the worst scenario of spot, volatility and time
//! out, by full revaluation.
//!
//! Each scenario moves the forward by a share, each option's own volatility by a share of it, and
//! lets time pass; an option is worth what Black's formula gives then, discounted as now, and an
//! American one no less than its intrinsic value. The book's side is kept: a line is valued when it
//! is first held, and anew in turn on the beat. An order's legs are valued at once.

use super::{
    dollars::{Wide, known_greeks, reference, whole},
    draft::View,
    ledger::LINES_MAX,
    limits::Limits,
};
use crate::{
    book::Desk,
    chain::{Chain, Instrument, Style},
    greeks::{
        black::Parts,
        lanes::{Lanes, V},
        math::{ln, ln_ratio},
    },
    wire::{
        PRICE_SCALE, Timestamp,
        market::{Class, Greeks},
    },
};
use alloc::{vec, vec::Vec};

/// Most scenarios of the grid that orders are measured against, and blocks of eight that they are.
pub(super) const SCENARIOS_MAX: usize = 64;
pub(super) const BLOCKS_MAX: usize = SCENARIOS_MAX / V::COUNT;

/// The largest profit or loss of a scenario, 1e-9 of currency.
const MONEY_MAX: f64 = 1e30;

/// Less deviation than this is none.
const DEVIATION_MIN: f64 = 1e-30;

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

/// Eight scenarios: factors of the forward (and their logarithms) and of volatility, years that
/// pass.
#[derive(Clone, Copy, Debug)]
struct Block {
    forward: V,
    log: V,
    vol: V,
    years: V,
    /// Volatility and time move as in the block before it.
    alike: bool,
}

impl Block {
    fn all(scenarios: &[Moves]) -> Vec<Block> {
        let mut blocks: Vec<Block> = scenarios.chunks(V::COUNT).map(Block::new).collect();
        for at in 1..blocks.len() {
            let (one, other) = (&scenarios[(at - 1) * V::COUNT..][..V::COUNT], at * V::COUNT);
            let pairs = one.iter().zip(&scenarios[other..]);
            blocks[at].alike = pairs.into_iter().all(|(a, b)| a[1..] == b[1..]);
        }
        blocks
    }

    fn new(moves: &[Moves]) -> Block {
        let factor = |at: usize| V::from_fn(|lane| (1.0 + moves[lane][at]).max(0.0));
        let forward = factor(0);
        let none = V::splat(f64::NEG_INFINITY);
        Block {
            forward,
            log: forward.simd_gt(V::splat(0.0)).select(ln(forward), none),
            vol: factor(1),
            years: V::from_fn(|lane| (moves[lane][2] / 365.0).max(0.0)),
            alike: false,
        }
    }
}

/// A line with its profit in each scenario, currency a unit; `None` where it cannot be valued.
#[derive(Clone, Copy, Debug)]
struct Row<const B: usize> {
    units: i64,
    profits: Option<[V; B]>,
}

/// Where the row of an instrument is, and when it was valued.
#[derive(Clone, Copy, Debug)]
struct Place {
    instrument: u32,
    row: u32,
    at: Timestamp,
}

/// See the module's documentation. `B` is the most blocks of eight scenarios that it has room for.
#[derive(Debug)]
pub(super) struct Grid<const B: usize> {
    blocks: Vec<Block>,
    /// Where nothing moves.
    still: usize,
    count: usize,
    turns: usize,
    next: usize,
    /// Of the lines that are held, by instrument.
    places: Vec<Place>,
    rows: Vec<Row<B>>,
    free: Vec<u32>,
    sums: Vec<Wide>,
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

impl<const B: usize> Grid<B> {
    /// Of so many scenarios as there is room for with the one in which nothing moves; `turns` lines
    /// are valued anew on a beat.
    pub(super) fn new(mut scenarios: Vec<Moves>, turns: usize) -> Grid<B> {
        scenarios.truncate(B * V::COUNT - 1);
        let still = scenarios.iter().position(|moves| *moves == [0.0; 3]);
        let still = still.unwrap_or_else(|| {
            scenarios.push([0.0; 3]);
            scenarios.len() - 1
        });
        let count = scenarios.len();
        // The last block is filled up with what is there.
        let padded = count.next_multiple_of(V::COUNT);
        scenarios.resize(padded, [0.0; 3]);
        Grid {
            blocks: Block::all(&scenarios),
            still,
            count,
            turns,
            next: 0,
            places: Vec::with_capacity(LINES_MAX),
            rows: vec![Row { units: 0, profits: None }; LINES_MAX],
            free: (0..LINES_MAX as u32).rev().collect(),
            sums: vec![0; count],
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
        let Some(profits) = &row.profits else {
            self.unknown = self.unknown.saturating_add_signed(sign as isize);
            return;
        };
        for (sums, profits) in self.sums.chunks_mut(V::COUNT).zip(profits) {
            let profits = *profits * V::splat(row.units as f64);
            sums.iter_mut().enumerate().for_each(|(i, sum)| *sum += sign * money(profits.lane(i)));
        }
    }

    fn value_row(&mut self, chain: &Chain, row: usize, instrument: u32, units: i64) {
        let profits = chain.instrument(instrument).and_then(|terms| {
            let spot = reference(chain, terms, instrument).unwrap_or(f64::NAN);
            self.value(chain, terms, spot, known_greeks(chain, instrument).as_ref())
        });
        self.rows[row] = Row { units, profits };
    }

    /// Profit of what is held in each scenario, and how many lines could not be valued. Scenarios
    /// are in the order in which they were given.
    pub(super) fn profits(&self) -> (&[Wide], usize) {
        (&self.sums, self.unknown)
    }

    /// Profits of one unit; `None` where it cannot be valued.
    #[inline]
    fn value(
        &self,
        chain: &Chain,
        terms: &Instrument,
        spot: f64,
        greeks: Option<&Greeks>,
    ) -> Option<[V; B]> {
        let mut profits = [V::splat(0.0); B];
        if !terms.class.is_option() {
            let usable = spot.is_finite();
            for (to, block) in profits.iter_mut().zip(&self.blocks) {
                *to = (block.forward - V::splat(1.0)) * V::splat(spot);
            }
            return usable.then_some(profits);
        }
        let vol = greeks?.iv;
        let expiry = chain.expiry(terms.expiry);
        let (forward, discount) = (expiry.forward, expiry.discount);
        let usable = |value: &f64| value.is_finite() && *value > 0.0;
        let years = chain.vol_years(terms.expiry);
        let known = [forward, discount, terms.strike, vol].iter().all(usable) && years.is_finite();
        // Where nothing moves nothing is gained.
        if !known || self.count == 1 {
            return known.then_some(profits);
        }
        let american = chain.root(terms.root).is_some_and(|root| root.style == Style::American);
        let strike = V::splat(terms.strike);
        let option = Shaken {
            forward: V::splat(forward),
            strike,
            log: ln_ratio(V::splat(forward), strike),
            vol: V::splat(vol),
            years: V::splat(years),
            sign: V::splat(if terms.class == Class::CALL { 0.0 } else { -0.0 }),
            discount: V::splat(discount),
            american,
        };
        let mut width = option.width(&self.blocks[0]);
        for (to, block) in profits.iter_mut().zip(&self.blocks) {
            width = if block.alike { width } else { option.width(block) };
            *to = option.worth(block, &width);
        }
        let now = V::splat(profits[self.still / V::COUNT].lane(self.still % V::COUNT));
        profits.iter_mut().for_each(|profit| *profit -= now);
        Some(profits).filter(|profits| !profits.iter().any(|profit| (!profit.is_finite()).any()))
    }

    /// The worst scenario of what is held with an order's legs.
    pub(super) fn worst(&self, chain: &Chain, legs: &[View<'_>]) -> Worst {
        let mut ours = [V::splat(0.0); B];
        let mut unknown = self.unknown;
        for leg in legs {
            let value = |terms| self.value(chain, terms, leg.spot, leg.greeks.as_ref());
            let Some(profits) = leg.terms.and_then(value) else {
                unknown += 1;
                continue;
            };
            let units = V::splat(leg.units() as f64);
            let sums = ours.iter_mut().zip(&profits).take(self.blocks.len());
            sums.for_each(|(sum, one)| *sum = one.mul_add(units, *sum));
        }
        let with = |(held, ours): (&[Wide], &V)| {
            held.iter().enumerate().map(|(i, held)| held + money(ours.lane(i))).min()
        };
        let least = self.sums.chunks(V::COUNT).zip(&ours).filter_map(with).min().unwrap_or(0);
        let age = if self.places.is_empty() { 0 } else { chain.now.saturating_sub(self.oldest) };
        Worst { loss: -least, unknown, age }
    }
}

/// An option that scenarios are applied to, the same in all lanes.
#[derive(Clone, Copy, Debug)]
struct Shaken {
    forward: V,
    strike: V,
    /// ln(F/K).
    log: V,
    vol: V,
    years: V,
    /// 0.0 for a call, −0.0 for a put.
    sign: V,
    discount: V,
    american: bool,
}

/// How wide prices spread in eight scenarios: σ√T, its inverse, and where it is not nothing.
#[derive(Clone, Copy, Debug)]
struct Width {
    s: V,
    inv_s: V,
    live: V,
}

impl Shaken {
    #[inline(always)]
    fn width(&self, block: &Block) -> Width {
        let one = V::splat(1.0);
        let left = (self.years - block.years).fast_max(V::splat(0.0));
        let s = self.vol * block.vol * left.sqrt();
        let live = s.simd_gt(V::splat(DEVIATION_MIN));
        let s = live.select(s, one);
        Width { s, inv_s: one / s, live }
    }

    /// What it is worth in eight scenarios.
    #[inline(always)]
    fn worth(&self, block: &Block, width: &Width) -> V {
        let zero = V::splat(0.0);
        let forward = self.forward * block.forward;
        let x = self.log + block.log;
        let live = width.live & x.is_finite();
        let x = live.select(x, zero);
        let parts = Parts::new(forward, self.strike, x, width.s, width.inv_s);
        let (a, b) = parts.side(self.sign);
        let inside = ((forward - self.strike) ^ self.sign).fast_max(zero);
        let worth = live.select((a - b) ^ self.sign, inside) * self.discount;
        if self.american { worth.fast_max(inside) } else { worth }
    }
}

/// Money of a sum in units of currency. Far beyond the integers every limit is broken, and what is
/// no number is such a loss.
#[inline(always)]
fn money(amount: f64) -> Wide {
    let scaled = amount * PRICE_SCALE as f64;
    if scaled.is_nan() { -MONEY_MAX as Wide } else { whole(scaled.clamp(-MONEY_MAX, MONEY_MAX)) }
}
