//! One condor from its first order to its last fill: book and market in, the next step out.

use super::{
    Condor, may_open,
    select::{self, Reason, SIDES},
};
use crate::{
    book::{Desk, State, to_currency},
    stage::Emit,
    strategy::{
        Turn,
        codes::Code,
        price::{self, Eagerness},
        turn::Ticket,
    },
    wire::{Event, Timestamp, order::Purpose},
};

/// Where a trade stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// An entry order works, or its next step is due.
    Entering,
    /// It is held.
    Open,
    /// It is being closed.
    Exiting(Purpose),
}

/// A condor that is followed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trade {
    pub(super) package: u64,
    pub(super) order: u64,
    pub(super) legs: [u32; 4],
    pub(super) settles: Timestamp,
    pub(super) exit_at: Timestamp,
    pub(super) since: Timestamp,
    pub(super) retry_at: Timestamp,
    pub(super) stop_since: Timestamp,
    pub(super) width: f64,
    pub(super) credit: f64,
    pub(super) step: u32,
    pub(super) phase: Phase,
}

impl Trade {
    pub(super) fn new(legs: [u32; 4], settles: Timestamp) -> Trade {
        Trade {
            package: 0,
            order: 0,
            legs,
            settles,
            exit_at: settles,
            since: 0,
            retry_at: 0,
            stop_since: 0,
            width: 0.0,
            credit: 0.0,
            step: 0,
            phase: Phase::Entering,
        }
    }
}

impl Condor {
    /// One step of a trade; false when it is over.
    pub(super) fn follow<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        turn: &mut Turn<'_, E>,
    ) -> bool {
        if turn.desk.chain.now >= trade.settles {
            return self.settle(trade, turn);
        }
        match trade.phase {
            Phase::Entering => self.entering(trade, turn),
            Phase::Open => self.watch(trade, turn),
            Phase::Exiting(purpose) => self.exiting(trade, purpose, turn),
        }
    }

    /// The book turns what is held at settlement into cash, as soon as it knows the price. An order
    /// that still works is withdrawn.
    fn settle<E: Emit<Desk, Event>>(&self, trade: &Trade, turn: &mut Turn<'_, E>) -> bool {
        turn.cancel(trade.order, self.set.cancel_again_after.nanos());
        let Some(package) = turn.desk.book.package(trade.package) else { return false };
        if package.is_open() {
            return true;
        }
        let profit = to_currency(package.realised());
        turn.decide(Code::EXPIRED, trade.package, profit, 0.0);
        false
    }

    fn entering<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        turn: &mut Turn<'_, E>,
    ) -> bool {
        let Some(order) = turn.desk.book.order(trade.order).copied() else { return false };
        if order.state.is_live() {
            let late = self.waited(trade, turn, self.set.reprice_after.nanos());
            if late || may_open(turn.desk).is_err() {
                turn.cancel(order.id, self.set.cancel_again_after.nanos());
            }
            return true;
        }
        match contracts(turn.desk, trade) {
            (0, 0) if order.state == State::Rejected => {
                let attempts = f64::from(self.visit.attempts);
                turn.decide(Code::REJECTED, order.id, attempts, 0.0);
                false
            }
            (0, 0) => self.next_step(trade, order.limit, turn),
            (least, most) if least == most => {
                self.visit.entered = true;
                self.opened(trade, least, turn);
                true
            }
            (least, most) => {
                self.visit.entered = true;
                turn.decide(Code::LEGGED, trade.package, least as f64, most as f64);
                self.begin_exit(trade, Purpose::FLATTEN, turn)
            }
        }
    }

    fn waited<E>(&self, trade: &Trade, turn: &Turn<'_, E>, nanos: u64) -> bool {
        turn.desk.chain.now >= trade.since.saturating_add(nanos)
    }

    /// The entry's next step towards the far side, as a new order. Quotes that are not good enough
    /// for it are waited for; anything else that stands against it ends the entry.
    fn next_step<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        limit: i64,
        turn: &mut Turn<'_, E>,
    ) -> bool {
        let steps = f64::from(trade.step);
        if trade.step >= self.set.entry_steps {
            turn.decide(Code::GAVE_UP, trade.package, to_currency(limit), steps);
            return false;
        }
        let mut next = Trade { step: trade.step + 1, ..*trade };
        match self.step_ticket(&next, turn.desk) {
            Ok(ticket) => {
                let sent = self.send_step(&mut next, &ticket, turn);
                *trade = next;
                sent
            }
            Err((code, ..)) if code.is_of_quotes() && !self.waited_for_quotes(trade, turn) => true,
            Err((code, a, b)) => {
                turn.decide(code, trade.package, a, b);
                turn.decide(Code::GAVE_UP, trade.package, to_currency(limit), steps);
                false
            }
        }
    }

    fn step_ticket(&self, trade: &Trade, desk: &Desk) -> Result<Ticket, Reason> {
        may_open(desk)?;
        select::quotes(&desk.chain, &trade.legs, &self.set)?;
        self.entry(desk, trade)
    }

    fn waited_for_quotes<E>(&self, trade: &Trade, turn: &Turn<'_, E>) -> bool {
        let works = self.set.reprice_after.nanos();
        self.waited(trade, turn, works.saturating_add(self.set.quote_wait.nanos()))
    }

    fn send_step<E: Emit<Desk, Event>>(
        &self,
        trade: &mut Trade,
        ticket: &Ticket,
        turn: &mut Turn<'_, E>,
    ) -> bool {
        match turn.order(ticket) {
            Ok(id) => {
                (trade.order, trade.package) = (id, id);
                trade.since = turn.desk.chain.now;
                let packages = f64::from(ticket.quantity);
                turn.decide(Code::ENTER, id, to_currency(ticket.limit()), packages);
                true
            }
            Err(violated) => {
                let (first, all) = (violated.trailing_zeros(), violated.count_ones());
                turn.decide(Code::REFUSED, trade.package, f64::from(first), f64::from(all));
                false
            }
        }
    }

    fn opened<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        packages: u64,
        turn: &mut Turn<'_, E>,
    ) {
        let package = turn.desk.book.package(trade.package);
        let credit = package.map_or(0, |package| package.credit());
        let multiplier = package.map_or(1, |package| package.lines()[0].multiplier);
        trade.credit = to_currency(credit) / (multiplier as f64 * packages as f64);
        trade.phase = Phase::Open;
        turn.decide(Code::ENTERED, trade.package, trade.credit, packages as f64);
    }

    /// Watches what is held; starts the exit that is due.
    fn watch<E: Emit<Desk, Event>>(&mut self, trade: &mut Trade, turn: &mut Turn<'_, E>) -> bool {
        let (least, most) = contracts(turn.desk, trade);
        if most == 0 {
            return false;
        }
        // A late fill after the entry's cancel can still make it uneven.
        if least != most {
            turn.decide(Code::LEGGED, trade.package, least as f64, most as f64);
            return self.begin_exit(trade, Purpose::FLATTEN, turn);
        }
        match self.due(trade, turn.desk) {
            Some(purpose) => self.begin_exit(trade, purpose, turn),
            None => true,
        }
    }

    /// Why it should be closed now, the most pressing reason first.
    fn due(&self, trade: &mut Trade, desk: &Desk) -> Option<Purpose> {
        let venue = &desk.book.venue;
        if venue.halted.is_some() || venue.stopping && self.set.flatten_on_stop {
            return Some(Purpose::FLATTEN);
        }
        if desk.chain.now >= trade.exit_at {
            return Some(Purpose::TIME);
        }
        let cost = cost(desk, trade)?;
        if cost < self.set.stop * trade.credit {
            trade.stop_since = 0;
        } else if trade.stop_since == 0 {
            trade.stop_since = desk.chain.now;
        }
        let confirmed = trade.stop_since.saturating_add(self.set.stop_confirm.nanos());
        if trade.stop_since != 0 && desk.chain.now >= confirmed {
            return Some(Purpose::STOP);
        }
        let target = (1.0 - self.set.profit_target) * trade.credit;
        (cost <= target).then_some(Purpose::TARGET)
    }

    fn begin_exit<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        purpose: Purpose,
        turn: &mut Turn<'_, E>,
    ) -> bool {
        trade.phase = Phase::Exiting(purpose);
        (trade.step, trade.order) = (0, 0);
        let cost = cost(turn.desk, trade).unwrap_or(f64::NAN);
        turn.decide(Code::EXIT, trade.package, cost, f64::from(purpose.0));
        self.exiting(trade, purpose, turn)
    }

    fn exiting<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        purpose: Purpose,
        turn: &mut Turn<'_, E>,
    ) -> bool {
        let purpose = self.press(trade, purpose, turn);
        let order = turn.desk.book.order(trade.order).copied();
        if let Some(order) = order.filter(|order| order.state.is_live()) {
            let late = self.waited(trade, turn, self.set.exit_reprice_after.nanos());
            if late || order.purpose != purpose {
                turn.cancel(order.id, self.set.cancel_again_after.nanos());
            }
            return true;
        }
        let Some(package) = turn.desk.book.package(trade.package) else { return false };
        // An entry of it can still be working where it was adopted.
        if package.live > 0 {
            return true;
        }
        if package.is_flat() {
            let profit = to_currency(package.realised());
            turn.decide(Code::CLOSED, trade.package, profit, f64::from(purpose.0));
            return false;
        }
        self.close(trade, purpose, turn);
        true
    }

    /// A more pressing reason takes over: its orders start at the far side.
    fn press<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        purpose: Purpose,
        turn: &mut Turn<'_, E>,
    ) -> Purpose {
        if purpose != Purpose::TARGET {
            return purpose;
        }
        let Some(due) = self.due(trade, turn.desk).filter(|due| *due != purpose) else {
            return purpose;
        };
        (trade.phase, trade.step) = (Phase::Exiting(due), 0);
        let cost = cost(turn.desk, trade).unwrap_or(f64::NAN);
        turn.decide(Code::EXIT, trade.package, cost, f64::from(due.0));
        due
    }

    /// Sends the next closing order for all that is held.
    fn close<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        purpose: Purpose,
        turn: &mut Turn<'_, E>,
    ) {
        let now = turn.desk.chain.now;
        let venue = &turn.desk.book.venue;
        if now < trade.retry_at || venue.is_over() || !turn.desk.book.may_ask() {
            return;
        }
        let beyond = self.set.exit_ticks_beyond;
        let eager = match purpose {
            Purpose::TARGET => Eagerness::of(trade.step, self.set.target_steps, beyond),
            _ => Eagerness { beyond: trade.step.min(beyond), ..Eagerness::FAR },
        };
        let Some(ticket) = price::closing(turn.desk, trade.package, purpose, eager) else {
            trade.retry_at = now + self.set.exit_retry.nanos();
            return turn.decide(Code::EXIT_UNPRICED, trade.package, 0.0, 0.0);
        };
        match turn.order(&ticket) {
            Ok(id) => {
                (trade.order, trade.since) = (id, now);
                trade.step += 1;
            }
            Err(violated) => {
                trade.retry_at = now + self.set.exit_retry.nanos();
                let (first, all) = (violated.trailing_zeros(), violated.count_ones());
                let (first, all) = (f64::from(first), f64::from(all));
                turn.decide(Code::EXIT_REFUSED, trade.package, first, all);
            }
        }
    }
}

/// Fewest and most contracts held on a leg's own side; the wrong side counts as uneven.
fn contracts(desk: &Desk, trade: &Trade) -> (u64, u64) {
    let Some(package) = desk.book.package(trade.package) else { return (0, 0) };
    let held = |(line, side): (&crate::book::Line, i8)| line.held * i64::from(side);
    let held = package.lines().iter().zip(SIDES).map(held);
    let (least, most) = held.fold((i64::MAX, i64::MIN), |(a, b), n| (a.min(n), b.max(n)));
    if least < 0 { (0, most.max(-least) as u64) } else { (least as u64, most as u64) }
}

/// Mid cost to close one package on one unit; `None` where a leg is stale, crossed, or a short one
/// has no offer. A long leg without a bid counts from nothing.
fn cost(desk: &Desk, trade: &Trade) -> Option<f64> {
    trade.legs.iter().zip(SIDES).try_fold(0.0, |cost, (&instrument, side)| {
        let quote = desk.chain.quote(instrument);
        let bid = if quote.bid.is_nan() { 0.0 } else { quote.bid };
        let sound = !quote.stale && !quote.is_crossed() && !quote.ask.is_nan();
        sound.then(|| cost - f64::from(side) * 0.5 * (bid + quote.ask))
    })
}
