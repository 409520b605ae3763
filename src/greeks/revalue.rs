//! The stage that keeps the chain's forwards, volatilities and Greeks: events in; the same events
//! out, with FORWARD, GREEKS and, on beats, SMILE before the one that ends a batch.
//!
//! At a batch's end the active expiries ([`Window`]) are looked at, and on each beat those that
//! have waited longest, so the cost of a tick has a bound, and the wait has one:
//! [`Revaluation::rounds`] beats. A row that was quoted gets its volatility from the side out of
//! the money, one for call and put, and only its block of eight is valued. When the forward has
//! moved or time has passed, strikes near the money are valued anew at once with their volatilities
//! held, those far from it with the expiry's next turn. All Greeks of an expiry that waits for
//! nothing refer to the forward and the years that its last FORWARD carried: delta and gamma to the
//! spot that goes with it when no dividend falls before settlement (or escrowed ones do), theta to
//! a fixed forward.

use super::{
    american::{Cache, Place},
    forward::{Fit, fit},
    slate::{LANES, Reach, Slate},
    surface::Turns,
    window::Window,
};
use crate::{
    chain::{Chain, Revaluation, Style, Universe},
    stage::{Emit, Stage},
    wire::{
        Event, Kind,
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
    reach: Reach,
    slates: Vec<Slate>,
    window: Window,
    smiles: Turns,
    cache: Cache,
    // Where the search for aged boundaries goes on: a place among the live expiries, and a block.
    oldest: (usize, usize),
}

/// Why an expiry is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Look {
    /// A batch has ended, and it is active.
    Batch,
    /// It is its turn: nothing of it is left waiting.
    Turn,
}

/// Which blocks are valued beside those with quoted rows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Extent {
    Quoted,
    /// Those near the money; the others are left waiting.
    Near,
    Waiting,
    Whole,
}

impl Revalue {
    /// Columns for every expiry that the universe allows.
    pub fn new(universe: &Universe) -> Revalue {
        let expiries = universe.limits.expiries_max;
        let settings = universe.revaluation.clone();
        Revalue {
            reach: Reach::new(settings.near, settings.near_slack),
            settings,
            slates: (0..expiries).map(|_| Slate::new(universe)).collect(),
            window: Window::new(universe),
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
        let slates = &self.slates;
        self.window.meet(known.as_mut(), |index| slates[usize::from(index)].done);
        while let Some(index) = self.window.settled(known.as_mut()) {
            self.settle(known, cause, index, out);
        }
        for at in 0..self.window.active_len() {
            self.expiry(known, cause, (self.window.active(at), Look::Batch), out);
        }
        if cause.kind == Kind::TIMER && cause.body::<Timer>().id == Timer::BEAT {
            self.window.on_beat();
            self.turns(known, cause, out);
            self.boundaries(known, cause, out);
            self.smiles.on_beat(known, cause, self.window.live(), out);
        }
    }

    fn turns<K: AsMut<Chain>>(
        &mut self,
        known: &mut K,
        cause: &Event,
        out: &mut impl Emit<K, Event>,
    ) {
        for _ in 0..self.settings.turns {
            let Some((index, waited)) = self.window.turn() else { return };
            let totals = &mut known.as_mut().totals;
            totals.turn_wait_max = totals.turn_wait_max.max(waited);
            self.expiry(known, cause, (index, Look::Turn), out);
        }
    }

    #[inline]
    fn expiry<K: AsMut<Chain>>(
        &mut self,
        known: &mut K,
        cause: &Event,
        (index, look): (u16, Look),
        out: &mut impl Emit<K, Event>,
    ) {
        let chain = known.as_mut();
        let (due, turn) = (self.is_due(chain, index), look == Look::Turn);
        let slate = &self.slates[usize::from(index)];
        let followed = slate.spot_moved(chain, index, self.settings.move_min);
        let touched = due || followed || chain.is_dirty(index);
        if !(touched || turn && slate.waits) {
            return;
        }
        let moved = self.moved(chain, index, due, followed);
        if let Some(forward) = moved {
            let event = Event::caused_by(cause, Kind::FORWARD, index.into(), forward);
            known.as_mut().apply(&event);
            out.emit(known, &event);
        }
        if known.as_mut().expiry(index).forward.is_nan() {
            // Marks stay, so every row is solved once there is a forward.
            return;
        }
        let extent = match (moved.is_some(), turn) {
            (true, true) => Extent::Whole,
            (true, false) => Extent::Near,
            (false, true) => Extent::Waiting,
            (false, false) => Extent::Quoted,
        };
        self.rows(known, cause, (index, extent), out);
        known.as_mut().clean(index);
    }

    /// Whether enough time has passed to value the expiry, quoted or not.
    fn is_due(&self, chain: &Chain, index: u16) -> bool {
        let slate = &self.slates[index as usize];
        let passed = chain.now.saturating_sub(slate.valued);
        let left = chain.expiry(index).settles.saturating_sub(chain.now);
        slate.valued != 0 && passed >= self.settings.step.nanos().min(left / STEP_SHARE)
    }

    /// The forward where it has to be told: the first, one that moved, or time that passed.
    fn moved(&mut self, chain: &Chain, index: u16, due: bool, followed: bool) -> Option<Forward> {
        let expiry = chain.expiry(index);
        let held = expiry.forward;
        let slate = &self.slates[index as usize];
        let touched = due || followed || held.is_nan() || any_dirty(expiry.dirty(), slate.window);
        let early = |row: usize| slate.early(row);
        let found = if touched { fit(chain, index, &self.settings, &early) } else { None };
        match found {
            Some(fit) => {
                let step = self.settings.move_min * chain.tick(expiry.root, 0.0);
                let moved = held.is_nan() || (fit.forward.forward - held).abs() > step;
                (moved || due).then(|| self.take(chain, index, fit))
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

    fn take(&mut self, chain: &Chain, index: u16, fit: Fit) -> Forward {
        let slate = &mut self.slates[index as usize];
        (slate.valued, slate.window) = (chain.now, fit.window);
        slate.spot = fit.spot;
        fit.forward
    }

    fn rows<K: AsMut<Chain>>(
        &mut self,
        known: &mut K,
        cause: &Event,
        (index, extent): (u16, Extent),
        out: &mut impl Emit<K, Event>,
    ) {
        let slate = &mut self.slates[index as usize];
        let shared = slate.shared(known.as_mut(), index);
        let blocks = known.as_mut().expiry(index).rows().div_ceil(LANES);
        for at in 0..blocks {
            let chain: &Chain = known.as_mut();
            let expiry = chain.expiry(index);
            let dirty = (expiry.dirty()[at / LANES] >> (at % LANES * LANES)) as u8;
            let wanted = match extent {
                Extent::Quoted => false,
                Extent::Near => slate.is_near(&shared, at, self.reach),
                Extent::Waiting => slate.is_waiting(at),
                Extent::Whole => true,
            };
            if dirty == 0 && !wanted {
                slate.leave(at, extent == Extent::Near);
                continue;
            }
            let lifts = slate.lifts(&self.cache, &shared, Place { expiry: index, block: at });
            if dirty != 0 {
                slate.solve(chain, expiry, &shared, at, dirty, &lifts);
            }
            let values = slate.value(&shared, at, &lifts);
            tell(known, cause, index, at, &values, out);
        }
        slate.waits &= matches!(extent, Extent::Quoted | Extent::Near);
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
        for _ in 0..=self.window.live().len() {
            let (at, block) = self.oldest;
            let found = self.window.live().get(at).map(|index| (*index, chain.expiry(*index)));
            let Some((index, expiry)) = found else {
                self.oldest = (0, 0);
                continue;
            };
            let american =
                chain.root(expiry.root).is_some_and(|root| root.style == Style::American);
            if american && !expiry.forward.is_nan() && block * LANES < expiry.rows() {
                self.oldest = (at, block + 1);
                return Some(Place { expiry: index, block });
            }
            self.oldest = (at + 1, 0);
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
        self.rows(known, cause, (index, Extent::Whole), out);
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
