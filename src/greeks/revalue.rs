//! The stage that keeps the chain's forwards, volatilities and Greeks: events in; the same events
//! out, with FORWARD, GREEKS and, on beats, SMILE before the one that ends a batch.
//!
//! At a batch's end the nearest expiries are looked at, and on each beat a few of the others in
//! turn, so the cost of a tick has a bound. A row that was quoted gets its volatility from the side
//! out of the money, one for call and put. When the forward has moved or time has passed, the whole
//! expiry is valued anew with its strikes' volatilities held. All Greeks of an expiry refer to the
//! forward and the years that its last FORWARD carried: delta and gamma to the spot that goes with
//! it when no dividend falls before settlement (or escrowed ones do), theta to a fixed forward.

use super::{
    american::{Cache, Place},
    forward::{Fit, fit},
    slate::{LANES, Slate},
    surface::Turns,
};
use crate::{
    chain::{Chain, Revaluation, Style, Universe},
    stage::{Emit, Stage},
    wire::{
        Event, Kind, Timestamp,
        control::Timer,
        market::{Forward, Greeks, VolStatus},
    },
};
use alloc::vec::Vec;

// Blocks looked at on a beat for a boundary that has aged.
const LOOKS_MAX: usize = 16;
// Near settlement time counts as passed sooner: after this share of what is left.
const STEP_SHARE: u64 = 64;

/// Computes what a batch has changed.
#[derive(Clone, Debug)]
pub struct Revalue {
    settings: Revaluation,
    slates: Vec<Slate>,
    // Expiries by settlement; those before `front` are settled.
    order: Vec<u16>,
    front: usize,
    turn: usize,
    smiles: Turns,
    cache: Cache,
    // Where the search for aged boundaries goes on: a place of `order`, and a block.
    oldest: (usize, usize),
}

/// How much of an expiry is valued.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Extent {
    Dirty,
    Whole,
}

impl Revalue {
    /// Columns for every expiry that the universe allows.
    pub fn new(universe: &Universe) -> Revalue {
        let expiries = universe.limits.expiries_max;
        Revalue {
            settings: universe.revaluation.clone(),
            slates: (0..expiries).map(|_| Slate::new(universe)).collect(),
            order: Vec::with_capacity(expiries),
            front: 0,
            turn: 0,
            smiles: Turns::new(universe),
            cache: Cache::new(universe, LANES),
            oldest: (0, 0),
        }
    }

    /// Brings everything up to date that this event's batch has touched and that is its turn.
    pub fn batch<K: AsMut<Chain>>(
        &mut self,
        known: &mut K,
        cause: &Event,
        out: &mut impl Emit<K, Event>,
    ) {
        self.sort(known.as_mut());
        let now = known.as_mut().now;
        while let Some(&index) = self.order.get(self.front) {
            if known.as_mut().expiry(index).settles > now {
                break;
            }
            self.settle(known, cause, index, out);
            self.front += 1;
        }
        let active = self.order.len().min(self.front + self.settings.active);
        for at in self.front..active {
            self.expiry(known, cause, self.order[at], out);
        }
        if cause.kind == Kind::TIMER && cause.body::<Timer>().id == Timer::BEAT {
            self.others(known, cause, active, out);
            self.boundaries(known, cause, out);
            self.smiles.on_beat(known, cause, &self.order[self.front..], out);
        }
    }

    // Definitions made expiries since the last batch.
    fn sort(&mut self, chain: &Chain) {
        let count = chain.expiries_len();
        if self.order.len() == count {
            return;
        }
        self.order.extend(self.order.len() as u16..count as u16);
        self.order.sort_unstable_by_key(|index| (chain.expiry(*index).settles, *index));
        let settled = |index: &&u16| self.slates[**index as usize].done;
        self.front = self.order.iter().take_while(settled).count();
    }

    fn others<K: AsMut<Chain>>(
        &mut self,
        known: &mut K,
        cause: &Event,
        first: usize,
        out: &mut impl Emit<K, Event>,
    ) {
        let count = self.order.len() - first;
        for _ in 0..self.settings.turns.min(count) {
            self.turn = (self.turn + 1) % count;
            self.expiry(known, cause, self.order[first + self.turn], out);
        }
    }

    #[inline]
    fn expiry<K: AsMut<Chain>>(
        &mut self,
        known: &mut K,
        cause: &Event,
        index: u16,
        out: &mut impl Emit<K, Event>,
    ) {
        let chain = known.as_mut();
        let due = self.is_due(chain, index);
        if !due && !chain.is_dirty(index) {
            return;
        }
        let moved = self.moved(chain, index, due);
        if let Some(forward) = moved {
            let event = Event::caused_by(cause, Kind::FORWARD, index.into(), forward);
            known.as_mut().apply(&event);
            out.emit(known, &event);
        }
        if known.as_mut().expiry(index).forward.is_nan() {
            // Marks stay, so every row is solved once there is a forward.
            return;
        }
        let extent = if moved.is_some() { Extent::Whole } else { Extent::Dirty };
        self.rows(known, cause, index, extent, out);
        known.as_mut().clean(index);
    }

    /// Whether enough time has passed to value the whole expiry, quoted or not.
    fn is_due(&self, chain: &Chain, index: u16) -> bool {
        let slate = &self.slates[index as usize];
        let passed = chain.now.saturating_sub(slate.valued);
        let left = chain.expiry(index).settles.saturating_sub(chain.now);
        slate.valued != 0 && passed >= self.settings.step.nanos().min(left / STEP_SHARE)
    }

    /// The forward where it has to be told: the first, one that moved, or time that passed.
    fn moved(&mut self, chain: &Chain, index: u16, due: bool) -> Option<Forward> {
        let expiry = chain.expiry(index);
        let held = expiry.forward;
        let slate = &self.slates[index as usize];
        let touched = due || held.is_nan() || any_dirty(expiry.dirty(), slate.window);
        let early = |row: usize| slate.early(row);
        let found = if touched { fit(chain, index, &self.settings, &early) } else { None };
        match found {
            Some(fit) => {
                let step = self.settings.move_min * chain.tick(expiry.root, 0.0);
                let moved = held.is_nan() || (fit.forward.forward - held).abs() > step;
                (moved || due).then(|| self.take(chain.now, index, fit))
            }
            // Pairs are gone: the forward is held, marked as known from no strike.
            None if due && held.is_finite() => {
                let years = chain.years(index);
                let discount = super::forward::discount(chain.rate(), years);
                self.slates[index as usize].valued = chain.now;
                let (spread, strikes) = (f32::NAN, 0);
                Some(Forward { forward: held, discount, years, spread, strikes })
            }
            None => None,
        }
    }

    fn take(&mut self, now: Timestamp, index: u16, fit: Fit) -> Forward {
        let slate = &mut self.slates[index as usize];
        (slate.valued, slate.window) = (now, fit.window);
        fit.forward
    }

    fn rows<K: AsMut<Chain>>(
        &mut self,
        known: &mut K,
        cause: &Event,
        index: u16,
        extent: Extent,
        out: &mut impl Emit<K, Event>,
    ) {
        let slate = &mut self.slates[index as usize];
        let shared = slate.shared(known.as_mut(), index);
        let blocks = known.as_mut().expiry(index).rows().div_ceil(LANES);
        for at in 0..blocks {
            let chain: &Chain = known.as_mut();
            let expiry = chain.expiry(index);
            let dirty = (expiry.dirty()[at / LANES] >> (at % LANES * LANES)) as u8;
            if dirty == 0 && extent == Extent::Dirty {
                continue;
            }
            let lifts = slate.lifts(&self.cache, &shared, Place { expiry: index, block: at });
            if dirty != 0 {
                slate.solve(chain, expiry, &shared, at, dirty, &lifts);
            }
            let values = slate.value(&shared, at, &lifts);
            tell(known, cause, index, at, &values, out);
        }
    }

    /// Solves a few boundaries of American options that have aged, and values their blocks anew.
    /// The budget is a count, so a replay solves the same ones.
    fn boundaries<K: AsMut<Chain>>(
        &mut self,
        known: &mut K,
        cause: &Event,
        out: &mut impl Emit<K, Event>,
    ) {
        let mut left = self.settings.boundaries;
        for _ in 0..LOOKS_MAX {
            if left == 0 {
                return;
            }
            let Some(place) = self.next_place(known.as_mut()) else { return };
            let slate = &mut self.slates[place.expiry as usize];
            let shared = slate.shared(known.as_mut(), place.expiry);
            let solved = slate.refresh(&mut self.cache, &shared, place);
            if solved > 0 {
                left = left.saturating_sub(solved);
                let chain: &Chain = known.as_mut();
                let expiry = chain.expiry(place.expiry);
                let lifts = slate.lifts(&self.cache, &shared, place);
                let rows = (expiry.rows() - place.block * LANES).min(LANES);
                let marks = u8::MAX >> (LANES - rows);
                slate.solve(chain, expiry, &shared, place.block, marks, &lifts);
                let values = slate.value(&shared, place.block, &lifts);
                tell(known, cause, place.expiry, place.block, &values, out);
            }
        }
    }

    /// The next block of an American expiry that has a forward, round and round.
    fn next_place(&mut self, chain: &Chain) -> Option<Place> {
        for _ in self.front..=self.order.len() {
            let (at, block) = self.oldest;
            let found =
                self.order.get(at.max(self.front)).map(|index| (*index, chain.expiry(*index)));
            let Some((index, expiry)) = found else {
                self.oldest = (self.front, 0);
                continue;
            };
            let american =
                chain.root(expiry.root).is_some_and(|root| root.style == Style::American);
            if american && !expiry.forward.is_nan() && block * LANES < expiry.rows() {
                self.oldest = (at.max(self.front), block + 1);
                return Some(Place { expiry: index, block });
            }
            self.oldest = (at.max(self.front) + 1, 0);
        }
        None
    }

    // Once, at the settlement: what is left of every option is its floor.
    fn settle<K: AsMut<Chain>>(
        &mut self,
        known: &mut K,
        cause: &Event,
        index: u16,
        out: &mut impl Emit<K, Event>,
    ) {
        self.slates[index as usize].done = true;
        let held = known.as_mut().expiry(index).forward;
        if held.is_nan() {
            return;
        }
        let forward =
            Forward { forward: held, discount: 1.0, years: 0.0, spread: f32::NAN, strikes: 0 };
        let event = Event::caused_by(cause, Kind::FORWARD, index.into(), forward);
        known.as_mut().apply(&event);
        out.emit(known, &event);
        known.as_mut().clean(index);
        self.cache.release(index);
        self.rows(known, cause, index, Extent::Whole, out);
    }
}

/// Whether a marked row lies between the first and the last of `window`.
fn any_dirty(words: &[u64], window: (usize, usize)) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let low = window.0.saturating_sub(at * 64).min(64) as u32;
        let high = window.1.saturating_add(1).saturating_sub(at * 64).min(64) as u32;
        let below = |bits: u32| 1u64.checked_shl(bits).map_or(u64::MAX, |bit| bit - 1);
        word & below(high) & !below(low) != 0
    })
}

/// Emits the Greeks of a block that are not what the chain holds already.
fn tell<K: AsMut<Chain>>(
    known: &mut K,
    cause: &Event,
    index: u16,
    at: usize,
    values: &[[Greeks; LANES]; 2],
    out: &mut impl Emit<K, Event>,
) {
    for (lane, (call, put)) in values[0].iter().zip(&values[1]).enumerate() {
        let row = at * LANES + lane;
        let chain = known.as_mut();
        let expiry = chain.expiry(index);
        if row >= expiry.rows() {
            return;
        }
        for (instrument, value) in [(expiry.call(row), call), (expiry.put(row), put)] {
            let Some(instrument) = instrument else { continue };
            let chain = known.as_mut();
            let same = match chain.greeks(instrument) {
                Some(held) => held == *value,
                None => value.status == VolStatus::UNKNOWN,
            };
            if same {
                continue;
            }
            let event = Event::caused_by(cause, Kind::GREEKS, instrument, *value);
            chain.apply(&event);
            out.emit(known, &event);
        }
    }
}

impl<K: AsMut<Chain>> Stage<K> for Revalue {
    type In = Event;
    type Out = Event;

    #[inline]
    fn on(&mut self, known: &mut K, event: &Event, out: &mut impl Emit<K, Event>) {
        if event.ends_batch() {
            self.batch(known, event, out);
        }
        out.emit(known, event);
    }
}
