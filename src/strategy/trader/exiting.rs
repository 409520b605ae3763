//! A package to close in; closing orders that become more eager until nothing is held, out.

use super::{Phase, Trade, Trader};
use crate::{
    book::{Desk, UNCOVERS, to_currency},
    stage::Emit,
    strategy::{
        Turn,
        codes::Code,
        price::{self, Eagerness},
    },
    wire::{Event, order::Purpose},
};

impl Trader {
    pub(super) fn begin_exit<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        purpose: Purpose,
        turn: &mut Turn<'_, E>,
    ) -> bool {
        (trade.step, trade.order) = (0, 0);
        if purpose == Purpose::ADJUST {
            let adjusted = f64::from(trade.adjusted);
            turn.decide(Code::ADJUST, trade.package, cost(trade, turn.desk), adjusted);
        }
        self.turn_to(trade, purpose, turn);
        self.exiting(trade, purpose, turn)
    }

    fn turn_to<E: Emit<Desk, Event>>(
        &self,
        trade: &mut Trade,
        purpose: Purpose,
        turn: &mut Turn<'_, E>,
    ) {
        trade.phase = Phase::Exiting(purpose);
        turn.decide(Code::EXIT, trade.package, cost(trade, turn.desk), f64::from(purpose.0));
    }

    pub(super) fn exiting<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        purpose: Purpose,
        turn: &mut Turn<'_, E>,
    ) -> bool {
        let purpose = self.press(trade, purpose, turn);
        let exit = self.recipe.exit();
        let order = turn.desk.book.order(trade.order).copied();
        if let Some(order) = order.filter(|order| order.state.is_live()) {
            let late = self.waited(trade, turn, exit.exit_reprice_after.nanos());
            if late || order.purpose != purpose {
                turn.cancel(order.id, exit.cancel_again_after.nanos());
            }
            return true;
        }
        let Some(package) = turn.desk.book.package(trade.package) else { return false };
        // An entry of it can still be working where it was adopted, and an order for its hedge.
        if package.live > 0 {
            turn.cancel(trade.hedge, exit.cancel_again_after.nanos());
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
        if !is_patient(purpose) {
            return purpose;
        }
        let due = self.due(trade, turn.desk).filter(|due| !is_patient(*due));
        let Some(due) = due else { return purpose };
        trade.step = 0;
        self.turn_to(trade, due, turn);
        due
    }

    /// Sends the next closing order for all that is held; where others need it as their cover, for
    /// what it owes itself.
    fn close<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        purpose: Purpose,
        turn: &mut Turn<'_, E>,
    ) {
        let (now, exit) = (turn.desk.chain.now, self.recipe.exit());
        let venue = &turn.desk.book.venue;
        if now < trade.retry_at || venue.is_over() || !turn.desk.book.may_ask() {
            return;
        }
        let beyond = exit.exit_ticks_beyond;
        let eager = if is_patient(purpose) {
            Eagerness::of(trade.step, exit.target_steps, beyond)
        } else {
            Eagerness { beyond: trade.step.min(beyond), ..Eagerness::FAR }
        };
        let ticket = |desk: &Desk, owed| price::closing(desk, trade.package, purpose, eager, owed);
        let Some(whole) = ticket(turn.desk, false) else {
            trade.retry_at = now + exit.exit_retry.nanos();
            return turn.decide(Code::EXIT_UNPRICED, trade.package, 0.0, 0.0);
        };
        let mut sent = turn.order(&whole);
        // What covers others may not go, but what is owed may; the rest follows when they have.
        let uncovers = |violated: &u128| violated >> UNCOVERS & 1 == 1;
        if sent.as_ref().is_err_and(uncovers)
            && let Some(owed) = ticket(turn.desk, true)
        {
            sent = turn.order(&owed);
        }
        match sent {
            Ok(id) => {
                (trade.order, trade.since) = (id, now);
                trade.step += 1;
            }
            Err(violated) => {
                trade.retry_at = now + exit.exit_retry.nanos();
                let (first, all) = (violated.trailing_zeros(), violated.count_ones());
                let (first, all) = (f64::from(first), f64::from(all));
                turn.decide(Code::EXIT_REFUSED, trade.package, first, all);
            }
        }
    }
}

/// Closing that may wait for a price: it starts at the mid.
fn is_patient(purpose: Purpose) -> bool {
    [Purpose::TARGET, Purpose::ADJUST, Purpose::HEDGE].contains(&purpose)
}

/// Mid cost to close one package on one unit; NaN where it is not known.
fn cost(trade: &Trade, desk: &Desk) -> f64 {
    trade.structure.value(&desk.chain).map_or(f64::NAN, |value| -value)
}
