//! The boundaries of the chain's American options, kept between ticks: a block's volatilities in;
//! what early exercise adds to its calls and puts out.
//!
//! A boundary serves until a volatility of its block has moved by 1 %, or a 128th of its time has
//! passed; what a volatility moves until then is added by the premium's own vega. Solving
//! takes tens of µs, so it happens on the beat, a few blocks in turn. A block whose boundary is not
//! solved yet, or for which there is no room, is valued as European.

use super::{Added, Boundary, Carry, Early, Quick};
use crate::{
    chain::Universe,
    greeks::math::{V, all, exp},
};
use alloc::{boxed::Box, vec, vec::Vec};

const POINTS: usize = 16;
// Of the volatility, of rate and yield together, and of the time.
const VOL_STEP: f64 = 0.01;
const RATE_STEP: f64 = 0.0025;
const TIME_STEP: f64 = 1.0 / 128.0;
// Of the spot: less is reported as European.
const NIL: f64 = 1e-6;
const NONE: u32 = u32::MAX;

/// What an expiry's options have in common for their early exercise.
#[derive(Clone, Copy, Debug)]
pub(in crate::greeks) struct Terms {
    /// Spot, dividends to come included.
    pub(in crate::greeks) spot: f64,
    pub(in crate::greeks) r: f64,
    /// The dividends up to expiry as an even yield.
    pub(in crate::greeks) q: f64,
    pub(in crate::greeks) years: f64,
    /// √ of volatility's time over the calendar's.
    pub(in crate::greeks) pace: f64,
}

impl Terms {
    /// What exercising a put early earns a year, or a call, at most: a put interest on the strike
    /// and a negative yield, a call the yield and negative interest.
    fn rate(&self, call: bool) -> f64 {
        let (earned, saved) = if call { (self.q, self.r) } else { (self.r, self.q) };
        earned.max(0.0) + (-saved).max(0.0)
    }
}

/// A block of eight rows as the cache knows it.
#[derive(Clone, Copy, Debug)]
pub(in crate::greeks) struct Place {
    pub(in crate::greeks) expiry: u16,
    pub(in crate::greeks) block: usize,
}

/// What early exercise adds to eight options of one side.
#[derive(Clone, Copy, Debug)]
pub(in crate::greeks) struct Lift {
    /// At the volatility of the cached boundary.
    added: Added,
    /// That volatility.
    vol: V,
    /// Lanes that are exercised at once.
    pub(in crate::greeks) exercised: V,
}

impl Lift {
    /// The premium at a volatility near by; for NaN at that of the boundary.
    #[inline(always)]
    pub(in crate::greeks) fn price(&self, vol: V) -> V {
        let moved = vol - self.vol;
        let moved = moved.is_nan().select(all(0.0), moved);
        moved.mul_add(self.added.vega, self.added.price)
    }

    /// What is added at the boundary's volatility.
    #[inline(always)]
    pub(in crate::greeks) fn added(&self) -> &Added {
        &self.added
    }
}

#[derive(Clone, Debug)]
struct Entry {
    carry: Carry<POINTS>,
    boundary: Boundary<POINTS>,
    // From this ln(S/K) up the premium is nil.
    nil: V,
}

/// Boundaries by expiry, block and side.
#[derive(Clone, Debug)]
pub(in crate::greeks) struct Cache {
    rule: Box<Quick>,
    entries: Vec<Entry>,
    free: Vec<u32>,
    slots: Box<[[u32; 2]]>,
    blocks: usize,
}

impl Cache {
    pub(in crate::greeks) fn new(universe: &Universe, lanes: usize) -> Cache {
        let blocks = universe.limits.strikes_max.div_ceil(lanes);
        let room = universe.revaluation.boundaries_max;
        Cache {
            rule: Box::default(),
            entries: Vec::with_capacity(room),
            free: Vec::with_capacity(room),
            slots: vec![[NONE; 2]; universe.limits.expiries_max * blocks].into(),
            blocks,
        }
    }

    fn slot(&self, place: Place, call: bool) -> u32 {
        self.slots[place.expiry as usize * self.blocks + place.block][usize::from(call)]
    }

    fn entry(&self, place: Place, call: bool) -> Option<&Entry> {
        self.entries.get(self.slot(place, call) as usize)
    }

    /// What is added to the calls or puts of a block; `log` is ln(S/K).
    #[inline]
    pub(in crate::greeks) fn lift(
        &self,
        place: Place,
        call: bool,
        terms: &Terms,
        strike: V,
        log: V,
    ) -> Option<Lift> {
        let entry = self.entry(place, call).filter(|_| terms.rate(call) * terms.years > NIL)?;
        let x = if call { -log } else { log };
        let counts = x.simd_lt(entry.nil);
        if !counts.any() {
            return None;
        }
        let exercised = x.simd_le(entry.boundary.edge);
        let vol = entry.boundary.vol * all(1.0 / terms.pace);
        let free = counts & !exercised;
        if !free.any() {
            return Some(Lift { added: Added::NONE, vol, exercised });
        }
        let premium = entry.carry.premium(&entry.boundary, x);
        let added = premium.of(call, all(terms.spot), strike).masked(free);
        let added = Added { vega: added.vega * all(terms.pace), ..added };
        Some(Lift { added, vol, exercised })
    }

    /// Solves the boundary of a block's calls or puts where what is held has aged; whether it did.
    pub(in crate::greeks) fn refresh(
        &mut self,
        place: Place,
        call: bool,
        terms: &Terms,
        vol: V,
    ) -> bool {
        let (r, q) = if call { (terms.q, terms.r) } else { (terms.r, terms.q) };
        if terms.rate(call) * terms.years <= NIL {
            return false;
        }
        let Some(vol) = usable(vol * all(terms.pace)) else { return false };
        if Early::of(r, q) != Early::Below || self.is_fresh(place, call, terms, (r, q), vol) {
            return false;
        }
        let Some(carry) = self.rule.carry(r, q, terms.years) else { return false };
        let boundary = self.rule.boundary(&self.rule.grid(&carry), vol);
        let nil = nil(&carry, &boundary);
        self.keep(place, call, Entry { carry, boundary, nil });
        true
    }

    fn is_fresh(
        &self,
        place: Place,
        call: bool,
        terms: &Terms,
        (r, q): (f64, f64),
        vol: V,
    ) -> bool {
        let Some(entry) = self.entry(place, call) else {
            return self.free.is_empty() && self.entries.len() == self.entries.capacity();
        };
        let moved = (vol - entry.boundary.vol).abs().simd_gt(entry.boundary.vol * all(VOL_STEP));
        let held = &entry.carry;
        let passed = (held.years - terms.years).abs() > held.years * TIME_STEP;
        let apart = (r - held.r).abs() + (q - held.q).abs();
        !(moved.any() || passed || apart > RATE_STEP * (r.abs() + q.abs()))
    }

    fn keep(&mut self, place: Place, call: bool, entry: Entry) {
        let mut at = self.slot(place, call);
        if at == NONE {
            at = self.free.pop().unwrap_or(self.entries.len() as u32);
            let slot = &mut self.slots[place.expiry as usize * self.blocks + place.block];
            slot[usize::from(call)] = at;
        }
        match self.entries.get_mut(at as usize) {
            Some(held) => *held = entry,
            None => self.entries.push(entry),
        }
    }

    /// Gives back what a settled expiry held.
    pub(in crate::greeks) fn release(&mut self, expiry: u16) {
        let first = expiry as usize * self.blocks;
        for slot in self.slots[first..first + self.blocks].as_flattened_mut() {
            if *slot != NONE {
                self.free.push(*slot);
                *slot = NONE;
            }
        }
    }
}

/// The volatilities with those that are unknown replaced by one that is known.
fn usable(vol: V) -> Option<V> {
    let known = |vol: &f64| vol.is_finite() && *vol > 0.0;
    let first = vol.to_array().into_iter().find(known)?;
    Some(V::new(vol.to_array().map(|vol| if known(&vol) { vol } else { first })))
}

/// The ln(S/K) from which on the premium is less than a millionth of the spot.
fn nil(carry: &Carry<POINTS>, boundary: &Boundary<POINTS>) -> V {
    let reach = boundary.vol * all(8.0 * carry.years.sqrt());
    let (mut low, mut high) = (boundary.edge, boundary.edge + reach + all(0.1));
    for _ in 0..8 {
        let middle = (low + high) * all(0.5);
        let scale = exp(middle).fast_min(all(1.0));
        let more = carry.value(boundary, middle).simd_gt(scale * all(NIL));
        (low, high) = (more.select(middle, low), more.select(high, middle));
    }
    high
}
