//! What is held and the market in; whether it should be closed, and why, out.

use super::{Phase, Trade, Trader};
use crate::{
    book::{Desk, to_currency},
    stage::Emit,
    strategy::{Turn, codes::Code},
    wire::{Event, order::Purpose},
};

impl Trader {
    /// One step of a trade; false when it is over.
    pub(super) fn follow<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        turn: &mut Turn<'_, E>,
    ) -> bool {
        if turn.desk.chain.now >= trade.last {
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
        turn.cancel(trade.order, self.recipe.exit().cancel_again_after.nanos());
        let Some(package) = turn.desk.book.package(trade.package) else { return false };
        if package.is_open() {
            return true;
        }
        let profit = to_currency(package.realised());
        turn.decide(Code::EXPIRED, trade.package, profit, 0.0);
        false
    }

    /// Watches what is held; starts the exit that is due.
    fn watch<E: Emit<Desk, Event>>(&mut self, trade: &mut Trade, turn: &mut Turn<'_, E>) -> bool {
        let (least, most) = trade.structure.held(turn.desk, trade.package);
        if most == 0 {
            return false;
        }
        // The near legs have settled; the far ones are what is left.
        if least != most && turn.desk.chain.now >= trade.first {
            return self.begin_exit(trade, Purpose::TIME, turn);
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
    pub(super) fn due(&self, trade: &mut Trade, desk: &Desk) -> Option<Purpose> {
        let (venue, exit) = (&desk.book.venue, self.recipe.exit());
        if venue.halted.is_some() || venue.stopping && exit.flatten_on_stop {
            return Some(Purpose::FLATTEN);
        }
        if desk.chain.now >= trade.exit_at {
            return Some(Purpose::TIME);
        }
        if trade.hedges != 0 {
            let open = |other: &Trade| other.package == trade.hedges && other.phase == Phase::Open;
            return (!self.trades.iter().any(open)).then_some(Purpose::HEDGE);
        }
        let value = trade.structure.value(&desk.chain);
        let by_profit = value.and_then(|value| self.due_by_profit(trade, value, desk));
        by_profit.or_else(|| self.due_by_rule(trade, value, desk))
    }

    /// Stop, trailing stop, target.
    fn due_by_profit(&self, trade: &mut Trade, value: f64, desk: &Desk) -> Option<Purpose> {
        let (exit, now) = (self.recipe.exit(), desk.chain.now);
        let (profit, premium) = (trade.profit(value), trade.premium);
        let stopped = exit.stop > 0.0 && profit <= -exit.stop * premium;
        let trailed = exit.trail_from > 0.0
            && trade.best >= exit.trail_from * premium
            && profit <= trade.best - exit.trail_back * premium;
        if !(stopped || trailed) {
            trade.stop_since = 0;
        } else if trade.stop_since == 0 {
            trade.stop_since = now;
        }
        let confirmed = trade.stop_since.saturating_add(exit.stop_confirm.nanos());
        if trade.stop_since != 0 && now >= confirmed {
            return Some(if stopped { Purpose::STOP } else { Purpose::TRAIL });
        }
        trade.best = trade.best.max(profit);
        let reached = exit.profit_target > 0.0 && profit >= exit.profit_target * premium;
        reached.then_some(Purpose::TARGET)
    }

    /// The recipe's own rule, those of the settings, and adjustments.
    fn due_by_rule(&self, trade: &Trade, value: Option<f64>, desk: &Desk) -> Option<Purpose> {
        let exit = self.recipe.exit();
        let terms = desk.chain.instrument(trade.structure.legs()[0].instrument)?;
        let held = trade.held(value);
        let sight = self.sight(desk, terms.root, Some(held));
        let over = self.recipe.is_over(&sight, &held);
        if over || exit.exit_when.iter().any(|when| when.holds(&sight)) {
            return Some(Purpose::RULE);
        }
        let adjusts = trade.adjusted < exit.adjust_max;
        let moved = adjusts && exit.adjust_when.iter().any(|when| when.holds(&sight));
        moved.then_some(Purpose::ADJUST)
    }
}
