//! What is held and the market in; whether it should be closed, and why, out.

use super::{Phase, Trade, Trader};
use crate::{
    book::{Desk, Line, Mark, mark, to_currency},
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
            if !is_delivered(trade, turn.desk) {
                return self.settle(trade, turn);
            }
            if !matches!(trade.phase, Phase::Exiting(_)) {
                return self.begin_exit(trade, Purpose::TIME, turn);
            }
        }
        match trade.phase {
            Phase::Entering => self.entering(trade, turn),
            Phase::Open => self.watch(trade, turn),
            Phase::Exiting(purpose) => self.exiting(trade, purpose, turn),
        }
    }

    /// The book turns what is held at settlement into cash, as soon as it knows the price, or into
    /// shares, which are then sold. An order that still works is withdrawn.
    fn settle<E: Emit<Desk, Event>>(&self, trade: &Trade, turn: &mut Turn<'_, E>) -> bool {
        let again = self.recipe.exit().cancel_again_after.nanos();
        turn.cancel(trade.order, again);
        turn.cancel(trade.hedge, again);
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
        let value = value.zip(beside(trade, desk)).map(|(value, beside)| value + beside);
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
        let terms = trade.structure.option(&desk.chain)?;
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

/// Whether its options have settled, and only what they brought or left is held.
fn is_delivered(trade: &Trade, desk: &Desk) -> bool {
    let Some(package) = desk.book.package(trade.package) else { return false };
    let is_option = |line: &Line| {
        desk.chain.instrument(line.instrument).is_none_or(|terms| terms.class.is_option())
    };
    let held = || package.lines().iter().filter(|line| line.held != 0);
    package.live == 0 && held().next().is_some() && !held().any(is_option)
}

/// What shares that hedge a trade have made, per unit of one package; `None` where it is not known.
fn beside(trade: &Trade, desk: &Desk) -> Option<f64> {
    let (packages, _) = trade.structure.held(desk, trade.package);
    let units = trade.structure.unit(&desk.chain) * packages as f64;
    let made = shares(trade, desk).try_fold(0, |sum: i64, line| {
        let mark = mark(&desk.chain, line.instrument, line.held, Mark::Mid)?;
        Some(sum + line.realised + line.unrealised(mark))
    })?;
    Some(if made == 0 { 0.0 } else { to_currency(made) / units })
}

/// Lines of a trade's package that are none of its legs: the shares that hedge it.
pub(super) fn shares<'a>(trade: &Trade, desk: &'a Desk) -> impl Iterator<Item = &'a Line> {
    let structure = trade.structure;
    let is_leg =
        move |line: &Line| structure.legs().iter().any(|leg| leg.instrument == line.instrument);
    let lines = desk.book.package(trade.package).into_iter().flat_map(|p| p.lines());
    lines.filter(move |line| !is_leg(line))
}
