//! One expiry of one root: its strikes in order, each with the call and the put, and dirty marks.

use super::Universe;
use crate::wire::{
    NO_INSTRUMENT, Timestamp,
    market::{Forward, Smile},
};
use alloc::{boxed::Box, vec};

/// Rows of strikes that settle together. Columns are padded to whole blocks of [`Expiry::LANES`].
#[derive(Clone, Debug)]
pub struct Expiry {
    /// Which root of the chain.
    pub root: u16,
    /// When it settles, ns UTC.
    pub settles: Timestamp,
    /// Forward price to that instant; NaN where it is not known.
    pub forward: f64,
    /// Discount factor to that instant; NaN where it is not known.
    pub discount: f64,
    /// Years to that instant when the forward was taken.
    pub years: f64,
    /// The same on the clock that volatility runs by.
    pub vol_years: f64,
    /// Years of volatility's clock a calendar year at that moment.
    pub vol_pace: f64,
    /// Spread of the pairs' forwards around it, and how many pairs took part.
    pub fit: (f32, u32),
    /// Its smile as last fitted; no points where there is none.
    pub smile: Smile,
    /// Changes whenever a row is inserted: what is kept beside the rows must be laid out anew.
    pub layout: u32,
    rows: usize,
    strikes: Box<[f64]>,
    calls: Box<[u32]>,
    puts: Box<[u32]>,
    dirty: Box<[u64]>,
}

impl Expiry {
    /// Rows of a block: what one step of a kernel takes.
    pub const LANES: usize = 8;

    /// An empty expiry with room for the universe's strikes.
    pub(super) fn new(universe: &Universe) -> Expiry {
        let room = universe.limits.strikes_max.next_multiple_of(Expiry::LANES);
        Expiry {
            root: 0,
            settles: 0,
            forward: f64::NAN,
            discount: f64::NAN,
            years: f64::NAN,
            vol_years: f64::NAN,
            vol_pace: 1.0,
            fit: (0.0, 0),
            smile: bytemuck::Zeroable::zeroed(),
            layout: 0,
            rows: 0,
            strikes: vec![f64::NAN; room].into(),
            calls: vec![NO_INSTRUMENT; room].into(),
            puts: vec![NO_INSTRUMENT; room].into(),
            dirty: vec![0; room.div_ceil(64)].into(),
        }
    }

    /// How many strikes there are.
    #[inline(always)]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Strike of a row; they ascend. NaN past the last row.
    #[inline(always)]
    pub fn strike(&self, row: usize) -> f64 {
        self.strikes[row]
    }

    /// The same, NaN for any row that there is no room for either.
    #[inline(always)]
    pub fn strike_or_nan(&self, row: usize) -> f64 {
        self.strikes.get(row).copied().unwrap_or(f64::NAN)
    }

    /// All strikes, ascending.
    #[inline(always)]
    pub fn strikes(&self) -> &[f64] {
        &self.strikes[..self.rows]
    }

    /// The call of a row.
    #[inline(always)]
    pub fn call(&self, row: usize) -> Option<u32> {
        Some(self.calls[row]).filter(|index| *index != NO_INSTRUMENT)
    }

    /// The put of a row.
    #[inline(always)]
    pub fn put(&self, row: usize) -> Option<u32> {
        Some(self.puts[row]).filter(|index| *index != NO_INSTRUMENT)
    }

    /// First row whose strike is at least `price`; the number of rows where there is none.
    #[inline]
    pub fn row_at(&self, price: f64) -> usize {
        self.strikes().partition_point(|strike| *strike < price)
    }

    /// Row of exactly this strike.
    #[inline]
    pub fn row_of(&self, strike: f64) -> Option<usize> {
        let row = self.row_at(strike);
        (row < self.rows && self.strikes[row] == strike).then_some(row)
    }

    /// Rows whose quotes changed since their marks were cleared, 64 a word.
    #[inline(always)]
    pub fn dirty(&self) -> &[u64] {
        &self.dirty[..self.rows.div_ceil(64)]
    }

    /// Clears all marks.
    #[inline]
    pub fn clean(&mut self) {
        let words = self.rows.div_ceil(64);
        self.dirty[..words].fill(0);
    }

    #[inline(always)]
    pub(super) fn mark(&mut self, row: usize) {
        self.dirty[row / 64] |= 1 << (row % 64);
    }

    pub(super) fn take(&mut self, forward: &Forward, vol_years: f64, vol_pace: f64) {
        self.forward = forward.forward;
        self.discount = forward.discount;
        self.years = forward.years;
        (self.vol_years, self.vol_pace) = (vol_years, vol_pace);
        self.fit = (forward.spread, forward.strikes);
    }

    /// The row for a strike, made where it is missing; `None` where there is no room. `moved` is
    /// called with every instrument whose row changed.
    pub(super) fn insert(&mut self, strike: f64, mut moved: impl FnMut(u32, u16)) -> Option<usize> {
        if let Some(row) = self.row_of(strike) {
            return Some(row);
        }
        if self.rows == self.strikes.len() {
            return None;
        }
        let at = self.row_at(strike);
        for row in (at..self.rows).rev() {
            let lanes = (self.calls[row], self.puts[row]);
            self.strikes[row + 1] = self.strikes[row];
            (self.calls[row + 1], self.puts[row + 1]) = lanes;
            for index in [lanes.0, lanes.1] {
                moved(index, (row + 1) as u16);
            }
        }
        self.strikes[at] = strike;
        (self.calls[at], self.puts[at]) = (NO_INSTRUMENT, NO_INSTRUMENT);
        self.rows += 1;
        self.layout += 1;
        self.dirty_from(at);
        Some(at)
    }

    // Rows moved: the marks of all of them are set rather than shifted.
    fn dirty_from(&mut self, row: usize) {
        (row..self.rows).for_each(|row| self.mark(row));
    }

    pub(super) fn set(&mut self, row: usize, call: bool, instrument: u32) {
        let lane = if call { &mut self.calls } else { &mut self.puts };
        lane[row] = instrument;
    }
}
