//! An entry from its first limit to its fill: quotes and reports in, the next step out.

use super::{Phase, Trade, Trader, may_open, pick, route, size};
use crate::{
    book::{Desk, Line, State, to_currency},
    stage::Emit,
    strategy::{
        Turn,
        codes::{Code, Reason},
        measure,
        price::{self, Eagerness},
        turn::{Ticket, TicketLeg},
    },
    wire::{
        Event,
        order::{LEGS_MAX, Purpose},
    },
};

impl Trader {
    /// The entry's ticket at the trade's step, if its premium is as wanted.
    pub(super) fn ticket(&self, desk: &Desk, trade: &Trade) -> Result<Ticket, Reason> {
        let entry = self.recipe.entry();
        let eager = Eagerness { step: trade.step, steps: entry.entry_steps, beyond: 0 };
        let mut legs = [TicketLeg::default(); LEGS_MAX];
        let chosen = trade.structure.legs();
        for (leg, from) in legs.iter_mut().zip(chosen) {
            let price = price::leg(&desk.chain, from.instrument, from.side, eager);
            let price = price.ok_or((Code::QUOTE_BAD, f64::from(from.instrument), 0.0))?;
            *leg = TicketLeg { price, ..price::of(&desk.chain, from.instrument) };
            (leg.side, leg.ratio) = (from.side, from.ratio);
        }
        let (purpose, count) = (Purpose::ENTRY, chosen.len());
        let mut ticket = Ticket { purpose, package: 0, quantity: trade.quantity, count, legs };
        if trade.quantity == 0 {
            let net = ticket.limit().to_f64();
            self.premium(desk, trade, net)?;
            let packages = size::packages(desk, entry, &trade.structure, net)?;
            ticket.quantity = packages.min(trade.most);
        }
        Ok(ticket)
    }

    /// Whether what is paid (negative: received) per unit is as the settings want it.
    fn premium(&self, desk: &Desk, trade: &Trade, net: f64) -> Result<(), Reason> {
        let entry = self.recipe.entry();
        if entry.credit_min > 0.0 || entry.credit_width_share_min > 0.0 {
            let width = trade.structure.width(&desk.chain);
            let wanted = entry.credit_min.max(entry.credit_width_share_min * width);
            if -net < wanted {
                return Err((Code::CREDIT_SMALL, -net, wanted));
            }
        }
        if entry.debit_max > 0.0 && net > entry.debit_max {
            return Err((Code::DEBIT_LARGE, net, entry.debit_max));
        }
        Ok(())
    }

    pub(super) fn enter<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>, mut trade: Trade) {
        if trade.hedges == 0 {
            self.visit.attempts += 1;
            self.again = None;
        }
        let Ok(mut ticket) = self.ticket(turn.desk, &trade) else { return };
        if trade.hedges == 0 {
            let ask = {
                let root = turn.desk.chain.find_root(&self.recipe.entry().root).unwrap_or_default();
                let sight = self.sight(turn.desk, root, None);
                route::ask(turn.desk, &sight, &trade, &ticket)
            };
            let Ok(packages) = turn.size(&ask) else {
                self.quiet_until = turn.desk.chain.now + self.recipe.entry().cooldown.nanos();
                return;
            };
            (trade.most, ticket.quantity) = (packages, packages);
        }
        if self.send(&mut trade, &ticket, turn) {
            self.trades.push(trade);
        } else if trade.hedges == 0 {
            self.quiet_until = turn.desk.chain.now + self.recipe.entry().cooldown.nanos();
        }
    }

    /// Sends an entry order; what comes of it is told.
    fn send<E: Emit<Desk, Event>>(
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
                turn.decide(Code::ENTER, id, ticket.limit().to_f64(), packages);
                true
            }
            Err(violated) => {
                let (first, all) = (violated.trailing_zeros(), violated.count_ones());
                turn.decide(Code::REFUSED, trade.package, f64::from(first), f64::from(all));
                false
            }
        }
    }

    pub(super) fn entering<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        turn: &mut Turn<'_, E>,
    ) -> bool {
        let Some(order) = turn.desk.book.order(trade.order).copied() else { return false };
        if order.state.is_live() {
            let late = self.waited(trade, turn, self.recipe.entry().reprice_after.nanos());
            if late || may_open(turn.desk).is_err() {
                turn.cancel(order.id, self.recipe.exit().cancel_again_after.nanos());
            }
            return true;
        }
        match trade.structure.held(turn.desk, trade.package) {
            (0, 0) if order.state == State::Rejected => {
                let attempts = f64::from(self.visit.attempts);
                turn.decide(Code::REJECTED, order.id, attempts, 0.0);
                false
            }
            (0, 0) => self.next_step(trade, order.limit, turn),
            (least, most) => {
                self.visit.entered |= trade.hedges == 0;
                if least == most {
                    self.opened(trade, least, turn);
                    return true;
                }
                turn.decide(Code::LEGGED, trade.package, least as f64, most as f64);
                self.begin_exit(trade, Purpose::FLATTEN, turn)
            }
        }
    }

    pub(super) fn waited<E>(&self, trade: &Trade, turn: &Turn<'_, E>, nanos: u64) -> bool {
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
        if trade.step >= self.recipe.entry().entry_steps {
            turn.decide(Code::GAVE_UP, trade.package, to_currency(limit), steps);
            return false;
        }
        let mut next = Trade { step: trade.step + 1, ..*trade };
        match self.step_ticket(&next, turn.desk) {
            Ok(ticket) => {
                let sent = self.send(&mut next, &ticket, turn);
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
        pick::quotes(&desk.chain, &trade.structure, self.recipe.entry())?;
        self.ticket(desk, trade)
    }

    fn waited_for_quotes<E>(&self, trade: &Trade, turn: &Turn<'_, E>) -> bool {
        let entry = self.recipe.entry();
        let works = entry.reprice_after.nanos();
        self.waited(trade, turn, works.saturating_add(entry.quote_wait.nanos()))
    }

    fn opened<E: Emit<Desk, Event>>(
        &mut self,
        trade: &mut Trade,
        packages: u64,
        turn: &mut Turn<'_, E>,
    ) {
        let chain = &turn.desk.chain;
        let is_option = |line: &&Line| {
            chain.instrument(line.instrument).is_some_and(|terms| terms.class.is_option())
        };
        let lines = || turn.desk.book.package(trade.package).into_iter().flat_map(|p| p.lines());
        let units = trade.structure.unit(chain) * packages as f64;
        let cost = |sum: i64| to_currency(sum) / units;
        trade.net = cost(lines().map(|line| line.cost).sum());
        let options = cost(lines().filter(is_option).map(|line| line.cost).sum());
        trade.premium = options.abs().max(self.recipe.exit().premium_min);
        trade.phase = Phase::Open;
        trade.opened = turn.desk.chain.now;
        let expiry = trade.structure.option(&turn.desk.chain).map(|terms| terms.expiry);
        trade.level = expiry.map_or(f64::NAN, |at| measure::level(&turn.desk.chain, at));
        turn.decide(Code::ENTERED, trade.package, -trade.net, packages as f64);
    }
}
