//! Execution reports in; orders, packages and positions moved, and what was odd counted out.

use super::{Book, Charge, Money, NO_PACKAGE, Order, OrderLeg, Package};
use crate::wire::order::{OrderStatus, Purpose, Report, ReportKind};

/// What a report turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was taken.
    Applied,
    /// The same fill came before: nothing was done.
    Duplicate,
    /// A fill of an order that had ended: taken.
    Late,
    /// More contracts than were ordered: taken, and unreconciled.
    Overfill,
    /// A fill without a price: taken at the reckoned price, and unreconciled.
    Unpriced,
    /// An order that is not ours or is forgotten; a fill of it is unreconciled.
    UnknownOrder,
    /// A leg that the order does not have; a fill of it is unreconciled.
    UnknownLeg,
}

/// Reports that were not plain, counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Fills taken.
    pub fills: u64,
    /// Fills that came again.
    pub duplicates: u64,
    /// Fills of orders that had ended.
    pub late: u64,
    /// Reports on orders that nobody knows.
    pub unknown: u64,
    /// Fills that do not fit what was ordered: unknown order or leg, overfill, no price.
    pub unreconciled: u64,
    /// Orders that the broker rejected.
    pub rejected: u64,
    /// Of those, since it last accepted one.
    pub rejected_in_a_row: u64,
}

impl Book {
    /// Takes a report. Every pair of state and report is defined: see [`super::State::after`].
    pub fn report(&mut self, report: &Report) -> Outcome {
        let Some(at) = self.target(report.order) else { return self.stranger(report) };
        self.changes += 1;
        let outcome = if is_fill(report) { self.fill(at, report) } else { Outcome::Applied };
        if outcome != Outcome::Duplicate {
            self.advance(at, report);
        }
        outcome
    }

    /// The place of the order that a number means: its own, or the one that a cancel means.
    fn target(&self, id: u64) -> Option<usize> {
        let named = &self.orders[self.place(id)];
        if named.id != id || id == 0 {
            return None;
        }
        let id = if named.count == 0 { named.package } else { id };
        let at = self.place(id);
        (self.orders[at].id == id && self.orders[at].count > 0).then_some(at)
    }

    fn stranger(&mut self, report: &Report) -> Outcome {
        self.audit.stranger(report);
        let fresh = is_fill(report) && self.seen.insert(key(report, report.order));
        self.tally.unknown += 1;
        self.tally.unreconciled += u64::from(fresh);
        Outcome::UnknownOrder
    }

    fn fill(&mut self, at: usize, report: &Report) -> Outcome {
        let order = self.orders[at];
        // A single-leg order's whole is its leg; of a combination only the legs' fills count.
        let whole = report.leg == Report::WHOLE;
        if whole && order.count > 1 {
            return Outcome::Applied;
        }
        if !self.seen.insert(key(report, order.id)) || report.exec_id == 0 && report.resent != 0 {
            self.tally.duplicates += 1;
            return Outcome::Duplicate;
        }
        let i = if whole { 0 } else { usize::from(report.leg) };
        if i >= order.legs().len() {
            self.tally.unreconciled += 1;
            return Outcome::UnknownLeg;
        }
        self.take(at, i, report)
    }

    fn take(&mut self, at: usize, i: usize, report: &Report) -> Outcome {
        let before = self.orders[at];
        let (leg, quantity) = (before.slots[i], u64::from(report.quantity));
        let price = if report.price.is_defined() { report.price.0 } else { leg.price };
        let contracts = leg.side * quantity as i64;
        if before.state.is_live() {
            self.promise(&before, i, -1);
        }
        self.orders[at].slots[i].filled += quantity;
        if before.state.is_live() {
            let after = self.orders[at];
            self.promise(&after, i, 1);
        }
        let charge = Charge::fill(contracts, price, leg.multiplier, leg.filled == 0);
        let fee = self.tariffs.charge(self.tariff(leg.instrument), self.now, &charge);
        self.hold(leg.instrument, leg.multiplier, contracts, price, fee);
        let placed = self.fill_package(&before, &leg, contracts, price, fee);
        self.tally.fills += 1;
        self.traded += quantity;
        let outcome = if leg.filled + quantity > before.wanted(i) {
            Outcome::Overfill
        } else if !report.price.is_defined() {
            Outcome::Unpriced
        } else if !before.state.is_live() {
            Outcome::Late
        } else {
            Outcome::Applied
        };
        let odd = matches!(outcome, Outcome::Overfill | Outcome::Unpriced) || !placed;
        self.tally.unreconciled += u64::from(odd);
        self.tally.late += u64::from(!before.state.is_live());
        outcome
    }

    /// The position by instrument, and the session's totals with it.
    pub(super) fn hold(
        &mut self,
        instrument: u32,
        multiplier: i64,
        contracts: i64,
        price: i64,
        fee: Money,
    ) {
        let Some(position) = self.positions.get_mut(instrument as usize) else { return };
        self.moved = true;
        let line = &mut position.line;
        (line.instrument, line.multiplier) = (instrument, multiplier);
        let before = *line;
        line.fill(contracts, price, fee);
        self.realised = self.realised.saturating_add(line.realised - before.realised);
        self.fees = self.fees.saturating_add(line.fees - before.fees);
        match (before.held == 0, line.held == 0) {
            (true, false) => self.held.push(instrument),
            (false, true) => self.held.retain(|&other| other != instrument),
            _ => {}
        }
    }

    fn fill_package(
        &mut self,
        order: &Order,
        leg: &OrderLeg,
        contracts: i64,
        price: i64,
        fee: Money,
    ) -> bool {
        let Some(package) = self.packages.get_mut(order.place as usize) else { return false };
        let was_open = package.is_open();
        if package.id != order.package {
            return false;
        }
        let line = package.open_line(leg.instrument, leg.multiplier);
        let found = line.map(|line| line.fill(contracts, price, fee)).is_some();
        self.list(order.place, was_open);
        self.stir(order.place, false);
        found
    }

    /// Moves the order's state, and what hangs on it when it ends.
    fn advance(&mut self, at: usize, report: &Report) {
        let order = self.orders[at];
        if report.event == ReportKind::DOUBT {
            return self.begin_doubt(at);
        }
        if order.doubt && report.event == ReportKind::STATUS && !self.settle_doubt(at, report) {
            return;
        }
        // A report that comes again after a restart says nothing of the order of today.
        if order.state.is_live() {
            self.count_reject(report);
        }
        let state = order.state.after(report.event, report.status, order.is_complete());
        self.orders[at].state = state;
        if report.event == ReportKind::CANCEL_REFUSED {
            self.orders[at].canceling = 0;
        }
        if order.state.is_live() && !state.is_live() {
            self.end(&order);
        }
    }

    /// The gate has left a live order out of what the broker wanted to hear again. The inquiry goes
    /// out behind that, so its answer is the last word.
    fn begin_doubt(&mut self, at: usize) {
        if self.orders[at].state.is_live() {
            self.doubt(at, true);
            (self.orders[at].asked, self.orders[at].tries) = (0, 0);
        }
    }

    /// The broker's answer on an order in doubt; true where it agrees with the fills that are
    /// known. Where it does not, fills are missing: the doubt stays, and the broker is asked again.
    /// That it should not know an order that it has filled is past all asking.
    fn settle_doubt(&mut self, at: usize, report: &Report) -> bool {
        let known = self.orders[at].filled();
        if report.status == OrderStatus::REJECTED && known > 0 {
            self.tally.unreconciled += 1;
        } else if report.status == OrderStatus::UNKNOWN || u64::from(report.quantity) != known {
            return false;
        }
        self.doubt(at, false);
        true
    }

    fn count_reject(&mut self, report: &Report) {
        if report.event == ReportKind::REJECTED {
            self.tally.rejected += 1;
            self.tally.rejected_in_a_row += 1;
        } else if matches!(report.event, ReportKind::NEW | ReportKind::FILL) {
            self.tally.rejected_in_a_row = 0;
        }
    }

    fn end(&mut self, order: &Order) {
        for i in 0..order.legs().len() {
            self.promise(order, i, -1);
        }
        self.live.retain(|&id| id != order.id);
        self.doubt(self.place(order.id), false);
        if let Some(package) = self.packages.get_mut(order.place as usize) {
            let was_open = package.is_open();
            package.live = package.live.saturating_sub(1);
            package.loss = package.loss.saturating_add(not_changed(order)).max(0);
            self.list(order.place, was_open);
        }
    }

    /// Keeps the list of open packages.
    pub(super) fn list(&mut self, place: u32, was_open: bool) {
        if place == NO_PACKAGE {
            return;
        }
        let is_open = self.packages.get(place as usize).is_some_and(Package::is_open);
        match (was_open, is_open) {
            (true, false) => {
                self.open.retain(|&other| other != place);
                self.count_closed(place);
            }
            (false, true) => self.open.push(place),
            _ => {}
        }
    }
}

/// What a change of a package, as it ended, has added to the package's loss less what was counted
/// for it: nothing that is saved counts before it is filled.
fn not_changed(order: &Order) -> Money {
    if order.purpose != Purpose::CHANGE {
        return 0;
    }
    let all = i128::from(order.quantity.max(1));
    let done = all - i128::from(order.open_quantity());
    let loss = i128::from(order.loss);
    // Rounded up: never too small.
    let added = -(-loss * done).div_euclid(all);
    super::money::fit(added - loss.max(0))
}

/// Whether it says that contracts were traded.
fn is_fill(report: &Report) -> bool {
    report.event == ReportKind::FILL && report.quantity > 0
}

/// Execution ids are unique per order and leg at the least.
fn key(report: &Report, order: u64) -> u64 {
    if report.exec_id == 0 {
        return 0;
    }
    let mixed = report.exec_id ^ order.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed.wrapping_add(u64::from(report.leg) << 56).max(1)
}
