//! A chain whose time has reached a settlement in; what was held of it as cash, or as units of the
//! underlying, and one event per expiry out.
//!
//! A contract in the money by at least the root's `exercise_min` is exercised, or assigned where it
//! is short; any other expires worthless. With delivery in cash it becomes its intrinsic value.
//! With physical delivery it does too, and units of the underlying come in at the settlement price:
//! together they cost the strike. All that is held of an expiry settles at once, or nothing is.

use super::{
    Book, Desk, Line, Money, Package, Position,
    fixing::Fixings,
    money::value,
    tariff::{Charge, Deed},
};
use crate::{
    chain::{Chain, Delivery, Instrument},
    stage::Emit,
    wire::{Event, Kind, Price, audit::Assignment, market::Class, order::Settlement},
};

/// An expiry that settles now, and the price of its underlying, 1e-9.
#[derive(Clone, Copy, Debug)]
struct Due {
    expiry: u16,
    price: i64,
}

/// What one contract comes to.
#[derive(Clone, Copy, Debug)]
struct Verdict {
    instrument: u32,
    /// 1e-9 per unit.
    worth: i64,
    exercised: bool,
    /// What an exercised long contract brings in, where it is delivered.
    delivers: Option<Delivered>,
    price: i64,
}

#[derive(Clone, Copy, Debug)]
struct Delivered {
    instrument: u32,
    multiplier: i64,
    /// Contracts of it per contract: positive for calls.
    contracts: i64,
}

impl Desk {
    /// Settles every expiry whose instant has come and whose price is known. What has no price
    /// stays held, and is tried again at the next batch.
    pub fn settle(&mut self, cause: &Event, out: &mut impl Emit<Desk, Event>) {
        self.book.now = self.book.now.max(self.chain.now);
        if !self.book.watch(&self.chain) {
            return;
        }
        while let Some(due) = self.book.due(&self.chain) {
            let body = self.book.settle(&self.chain, due);
            let event = Event::caused_by(cause, Kind::SETTLEMENT, due.expiry.into(), body);
            out.emit(self, &event);
        }
    }
}

/// Options that are held, by open packages and by instrument: the two differ where packages hold
/// opposite sides of the same contract.
fn options<'a>(
    chain: &'a Chain,
    (open, packages): (&'a [u32], &'a [Package]),
    (held, positions): (&'a [u32], &'a [Position]),
) -> impl Iterator<Item = &'a Instrument> + 'a {
    let packages = open.iter().flat_map(|&place| packages[place as usize].lines());
    let positions = held.iter().map(|&instrument| &positions[instrument as usize].line);
    let lines = packages.chain(positions).filter(|line| line.held != 0);
    let terms = lines.filter_map(|line| chain.instrument(line.instrument));
    terms.filter(|terms| terms.class.is_option() && terms.settles != 0)
}

impl Book {
    /// Notes the levels of expiries that are about to settle; whether there are any.
    fn watch(&mut self, chain: &Chain) -> bool {
        let Book { open, packages, held, positions, fixings, .. } = self;
        let options = || options(chain, (open, packages), (held, positions));
        if self.moved {
            self.moved = false;
            self.watch_from = options().map(|terms| Fixings::from(chain, terms)).min();
        }
        if self.watch_from.is_none_or(|from| chain.now < from) {
            return false;
        }
        options().for_each(|terms| fixings.watch(chain, terms));
        true
    }

    fn due(&self, chain: &Chain) -> Option<Due> {
        let Book { open, packages, held, positions, fixings, .. } = self;
        let mut options = options(chain, (open, packages), (held, positions));
        options.find_map(|terms| {
            let price = fixings.price(chain, terms)?;
            Some(Due { expiry: terms.expiry, price })
        })
    }

    /// Short contracts that were exercised against us early: gone at once, at the price of now,
    /// with what they deliver; together that is the strike. Packages that are short of them have
    /// them in their order; what nobody is short of cannot be booked, and counts as unreconciled.
    pub(super) fn assign(&mut self, chain: &Chain, told: &Assignment) {
        if !self.seen.insert(1 << 63 | u64::from(told.id)) {
            return;
        }
        let found = chain.option(told.root, told.date, told.strike, told.class);
        let verdict = found.and_then(|instrument| self.assigned(chain, instrument));
        let mut left = i64::from(told.contracts);
        if let Some(verdict) = verdict {
            self.changes += 1;
            let mut sum: Settlement = bytemuck::Zeroable::zeroed();
            for i in (0..self.open.len()).rev() {
                let place = self.open[i];
                let lines = self.packages[place as usize].lines();
                let is_it = |line: &Line| line.instrument == verdict.instrument && line.held < 0;
                let Some(slot) = lines.iter().position(is_it) else { continue };
                let part = lines[slot].held.max(-left);
                left += part;
                if part != 0 {
                    self.settle_line(place, slot, part, &verdict, &mut sum);
                    self.list(place, true);
                }
            }
            let held = self.position(verdict.instrument).line.held;
            let part = held.min(0).max(-left);
            left += part;
            if part != 0 {
                self.settle_position(part, &verdict, &mut sum);
            }
        }
        self.tally.unreconciled += u64::from(left > 0);
    }

    /// What a contract that is assigned now comes to.
    fn assigned(&self, chain: &Chain, instrument: u32) -> Option<Verdict> {
        let terms = chain.instrument(instrument)?;
        let strike = Price::from_f64(terms.strike).0;
        let spot = Price::from_f64(chain.spot(terms.root));
        let price = if spot.is_defined() { spot.0 } else { strike };
        let side = if terms.class == Class::CALL { 1 } else { -1 };
        let line = self.position(instrument).line;
        let delivered = self.delivered(chain, terms, &line);
        Some(Verdict {
            instrument,
            worth: side * (price - strike),
            exercised: true,
            delivers: delivered
                .map(|found| Delivered { contracts: side * found.contracts, ..found }),
            price,
        })
    }

    /// Everything that is held of an expiry at once.
    fn settle(&mut self, chain: &Chain, due: Due) -> Settlement {
        self.changes += 1;
        let mut told: Settlement = bytemuck::Zeroable::zeroed();
        told.price = Price(due.price);
        for i in (0..self.open.len()).rev() {
            let place = self.open[i];
            for slot in 0..self.packages[place as usize].lines().len() {
                let line = self.packages[place as usize].lines()[slot];
                if let Some(verdict) = self.verdict(chain, &line, due) {
                    self.settle_line(place, slot, line.held, &verdict, &mut told);
                }
            }
            self.list(place, true);
        }
        let mut i = 0;
        while let Some(&instrument) = self.held.get(i) {
            let line = self.position(instrument).line;
            match self.verdict(chain, &line, due) {
                // The list closes up over what is no longer held.
                Some(verdict) => self.settle_position(line.held, &verdict, &mut told),
                None => i += 1,
            }
        }
        told
    }

    /// What a line of the expiry comes to; `None` for any other, and where nothing is held.
    fn verdict(&self, chain: &Chain, line: &Line, due: Due) -> Option<Verdict> {
        let terms = chain.instrument(line.instrument).filter(|terms| terms.class.is_option())?;
        if terms.expiry != due.expiry || line.held == 0 {
            return None;
        }
        let strike = Price::from_f64(terms.strike).0;
        let side = if terms.class == Class::CALL { 1 } else { -1 };
        let inside = (side * (due.price - strike)).max(0);
        let least = chain.root(terms.root).map_or(0, |root| root.exercise_min);
        let exercised = inside > 0 && inside >= least;
        let delivered = self.delivered(chain, terms, line).filter(|_| exercised);
        Some(Verdict {
            instrument: line.instrument,
            worth: if exercised { inside } else { 0 },
            exercised,
            delivers: delivered
                .map(|found| Delivered { contracts: side * found.contracts, ..found }),
            price: due.price,
        })
    }

    /// What a root delivers, if the underlying can be held in whole contracts.
    fn delivered(&self, chain: &Chain, terms: &Instrument, line: &Line) -> Option<Delivered> {
        let root = chain.root(terms.root)?;
        let instrument = chain.underlying(terms.root)?;
        let multiplier = chain.instrument(instrument)?.multiplier as i64;
        let whole = multiplier > 0 && line.multiplier % multiplier == 0;
        let held = (instrument as usize) < self.positions.len();
        let contracts = line.multiplier.checked_div(multiplier)?;
        let physical = root.delivery == Delivery::Physical && whole && held;
        physical.then_some(Delivered { instrument, multiplier, contracts })
    }

    /// So much of one line of a package, and its part of the position.
    fn settle_line(
        &mut self,
        place: u32,
        slot: usize,
        held: i64,
        verdict: &Verdict,
        told: &mut Settlement,
    ) {
        let tariff = self.tariff(verdict.instrument);
        let line = &mut self.packages[place as usize].slots[slot];
        let fee = self.tariffs.charge(tariff, self.now, &charge(verdict, line, held));
        line.fill(-held, verdict.worth, fee);
        let spot = Price(verdict.price).to_f64();
        let (line, multiplier) = (*line, line.multiplier);
        self.tracks[place as usize].settle(slot, &line, verdict.worth, spot);
        self.hold(verdict.instrument, multiplier, -held, verdict.worth, fee);
        if let Some(delivered) = verdict.delivers {
            let contracts = held * delivered.contracts;
            let package = &mut self.packages[place as usize];
            match package.open_line(delivered.instrument, delivered.multiplier) {
                Some(line) => line.fill(contracts, verdict.price, 0),
                None => self.tally.unreconciled += 1,
            }
            self.hold(delivered.instrument, delivered.multiplier, contracts, verdict.price, 0);
        }
        self.stir(place, true);
        count(told, verdict, held, multiplier);
    }

    /// What no package holds.
    fn settle_position(&mut self, held: i64, verdict: &Verdict, told: &mut Settlement) {
        let line = self.position(verdict.instrument).line;
        let tariff = self.tariff(verdict.instrument);
        let fee = self.tariffs.charge(tariff, self.now, &charge(verdict, &line, held));
        self.hold(verdict.instrument, line.multiplier, -held, verdict.worth, fee);
        if let Some(delivered) = verdict.delivers {
            let contracts = held * delivered.contracts;
            self.hold(delivered.instrument, delivered.multiplier, contracts, verdict.price, 0);
        }
        count(told, verdict, held, line.multiplier);
    }
}

fn charge(verdict: &Verdict, line: &Line, held: i64) -> Charge {
    let contracts = if verdict.exercised { held.saturating_abs() } else { 0 };
    Charge {
        deed: if held > 0 { Deed::Exercise } else { Deed::Assign },
        contracts,
        premium: value(verdict.worth, contracts, line.multiplier),
        first: false,
    }
}

fn count(told: &mut Settlement, verdict: &Verdict, held: i64, multiplier: i64) {
    let contracts = u32::try_from(held.unsigned_abs()).unwrap_or(u32::MAX);
    let kind = match (verdict.exercised, held > 0) {
        (true, true) => &mut told.exercised,
        (true, false) => &mut told.assigned,
        (false, _) => &mut told.expired,
    };
    *kind = kind.saturating_add(contracts);
    let cash: Money = value(verdict.worth, held, multiplier);
    told.cash = Price(told.cash.0.saturating_add(cash));
    if let Some(delivered) = verdict.delivers {
        let units = held.saturating_mul(delivered.contracts).saturating_mul(delivered.multiplier);
        let sum = i64::from(told.delivered).saturating_add(units);
        told.delivered = sum.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    }
}
