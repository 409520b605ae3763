//! Batch ends, timers and commands in; breakers announced, and what they do not allow canceled.

use super::{Action, Cleared, Limit, Risk, breakers::Tripped, emit};
use crate::{
    book::Desk,
    stage::Emit,
    wire::{
        Event, Kind, NO_INSTRUMENT,
        audit::Audit,
        control::{Command, DiskState, Verb},
        order::{Cancel, Halt, Inquiry},
    },
};

/// Inquiries that leave at once: a broker that is flooded answers none.
const INQUIRIES_MAX: usize = 64;

impl Risk {
    pub(super) fn on_command(&mut self, desk: &mut Desk, event: &Event) {
        desk.book.apply(event);
        let command: &Command = event.body();
        if command.verb == Verb::RESET {
            self.breakers.reset(command, &desk.book);
            let halted = &mut desk.book.venue.halted;
            if command.limit == Command::EVERY || *halted == Some(command.limit) {
                *halted = self.breakers.halting().map(|limit| limit.0);
            }
        }
    }

    /// A session that comes back may find orders that nobody has looked after meanwhile.
    pub(super) fn on_session(&mut self, desk: &Desk) {
        let up = desk.book.venue.broker_up;
        self.sweeping |= self.limits.cancel_on_disconnect && self.was_up && !up;
        self.was_up = up;
    }

    /// Latches breakers, announces them, and cancels what they do not allow.
    pub(super) fn watch(
        &mut self,
        desk: &mut Desk,
        event: &Event,
        out: &mut impl Emit<Desk, Cleared>,
    ) {
        desk.mark();
        if event.kind == Kind::TIMER {
            self.ledger.expire();
            self.tail.look(desk);
        }
        if self.ledger.is_behind(&desk.book) {
            self.keep_up(desk);
            self.grid.turn(desk);
            let kept = (&self.ledger, &self.tail);
            self.breakers.mark(&self.limits, desk, kept, event.ts_recv);
            self.watch_strategies(event);
        } else {
            self.breakers.look(&self.limits, &desk.book);
        }
        self.announce(desk, event, out);
        let venue = &desk.book.venue;
        let reducing = self.breakers.allows_less() || venue.disk != DiskState::KEEPS_UP;
        if venue.is_over() || venue.halted.is_some() || reducing || self.sweeping {
            self.sweep(desk, event, out);
        }
        if self.limits.reconcile_every.nanos() > 0 {
            self.reconcile(desk, event, out);
        }
        if desk.book.in_doubt() > 0 && desk.book.venue.broker_up {
            self.inquire(desk, event, out);
        }
    }

    /// Asks the broker for positions and orders when that is due, and tells where it differs.
    fn reconcile(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Cleared>) {
        let every = self.limits.reconcile_every.nanos();
        let (again, now) = (self.limits.reconcile_again_after.nanos(), event.ts_recv);
        while let Some((instrument, difference)) = desk.book.audit.next_news() {
            emit(desk, out, Event::caused_by(event, Kind::DIFFERENCE, instrument, difference));
        }
        if desk.book.may_ask() && desk.book.audit.is_due(now, every, again) {
            let tries = desk.book.register_audit(event.seq, now);
            let audit = Audit { request: event.seq, tries, reserved: 0, reserved2: [0; 2] };
            emit(desk, out, Event::caused_by(event, Kind::AUDIT, NO_INSTRUMENT, audit));
        }
    }

    /// Strategies that fill again and again without having decided anything.
    fn watch_strategies(&mut self, event: &Event) {
        for strategy in 0..self.roster.len() as u16 {
            let repeated = self.conduct.repeated(strategy);
            let bound = self.limits.repeated_fills_max;
            if repeated > u64::from(bound) {
                let figures = (repeated as f64, f64::from(bound));
                self.breakers.halt(Limit::REPEATED, strategy, figures, event.ts_recv);
            }
        }
    }

    fn announce(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Cleared>) {
        desk.book.venue.halted =
            desk.book.venue.halted.or(self.breakers.halting().map(|limit| limit.0));
        desk.book.venue.killed |= self.breakers.kills();
        while let Some(Tripped { limit, action, measured, bound, scope }) = self.breakers.news() {
            let (limit, action) = (limit.0, action as u32);
            let halt = Halt { limit, action, measured, bound, scope };
            emit(desk, out, Event::caused_by(event, Kind::HALT, NO_INSTRUMENT, halt));
        }
        if desk.book.venue.killed && !self.announced_kill {
            self.announced_kill = true;
            let action = Action::Kill as u32;
            let (measured, bound) = (1.0, 0.0);
            let halt = Halt { limit: Limit::KILL_SWITCH, action, measured, bound, scope: 0 };
            emit(desk, out, Event::caused_by(event, Kind::HALT, NO_INSTRUMENT, halt));
        }
    }

    /// Asks the broker how the orders in doubt stand, a few at a time.
    #[cold]
    fn inquire(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Cleared>) {
        let (again, now) = (self.limits.inquire_again_after.nanos(), event.ts_recv);
        let mut room = INQUIRIES_MAX;
        for i in 0..desk.book.live().len() {
            let Some(order) = desk.book.order(desk.book.live()[i]) else { continue };
            if room == 0 || !desk.book.is_inquiry_due(order, now, again) {
                continue;
            }
            room -= 1;
            let (order, strategy) = (order.id, order.strategy);
            let tries = desk.book.register_inquiry(order, now);
            let inquiry = Inquiry { order, tries, strategy, reserved: 0, reserved2: [0; 2] };
            emit(desk, out, Event::caused_by(event, Kind::INQUIRY, NO_INSTRUMENT, inquiry));
        }
    }

    /// Cancels every working order that would open and is not allowed any more; all of them when
    /// killed or leaving.
    fn sweep(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Cleared>) {
        let again = self.limits.cancel_again_after.nanos();
        let mut left = false;
        for i in 0..desk.book.live().len() {
            let Some(order) = desk.book.order(desk.book.live()[i]) else { continue };
            let (order, strategy, opens) = (order.id, order.strategy, order.purpose.opens());
            let venue = &desk.book.venue;
            let behind = venue.disk != DiskState::KEEPS_UP;
            let every = venue.halted.is_some() || self.sweeping || behind;
            let every = every || self.is_stopped(strategy);
            left |= opens;
            let wanted = opens && every || venue.is_over();
            let possible = desk.book.can_cancel(order, event.ts_recv, again);
            if wanted && possible && desk.book.venue.broker_up {
                let id = desk.book.number();
                let cancel = Cancel { id, order, strategy, reserved: [0; 7] };
                let asked = Event::caused_by(event, Kind::INTENT_CANCEL, NO_INSTRUMENT, cancel);
                self.cancel(desk, &asked, out);
            }
        }
        self.sweeping &= left;
    }

    /// Whether breakers keep a strategy from opening.
    fn is_stopped(&self, strategy: u16) -> bool {
        let horizon = self.roster.horizon(strategy);
        self.breakers.is_reducing()
            || self.breakers.is_strategy_halted(strategy)
            || horizon.is_none_or(|horizon| self.breakers.is_horizon_halted(horizon))
    }
}
