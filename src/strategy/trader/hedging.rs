//! Deltas of packages with their hedges in; hedges that are opened and given back out.

use super::{Phase, Pick, Structure, Trade, Trader, follow::shares, may_open, pick};
use crate::{
    book::Desk,
    stage::Emit,
    strategy::{
        StructureLeg, Turn,
        codes::Code,
        hedge::Hedge,
        price::{self, Eagerness},
        turn::{Ticket, TicketLeg},
    },
    wire::{
        Event,
        order::{LEGS_MAX, Purpose},
    },
};
use alloc::sync::Arc;

impl Trader {
    /// Brings the delta of the first package that has left its band back to it.
    pub(super) fn hedge<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>) {
        let recipe = Arc::clone(&self.recipe);
        let Some(hedge) = recipe.hedge() else { return };
        self.withdraw(turn);
        let now = turn.desk.chain.now;
        if now < self.hedge_at || may_open(turn.desk).is_err() {
            return;
        }
        for i in 0..self.trades.len() {
            let trade = self.trades[i];
            let free = trade.hedges == 0 && trade.phase == Phase::Open;
            if !free || self.is_hedging(&trade, turn.desk) {
                continue;
            }
            let delta = self.delta(&trade, turn.desk);
            // Nothing is outside of its band where the delta is not known.
            if delta.abs() > hedge.hedge_band {
                self.hedge_at = now + hedge.hedge_every.nanos();
                return match shares_of(&trade, turn.desk) {
                    Some(shares) => self.trade_shares(i, delta, shares, turn),
                    None => self.rebalance(&trade, delta, hedge, turn),
                };
            }
        }
    }

    /// Cancels orders for shares that have worked long enough.
    fn withdraw<E: Emit<Desk, Event>>(&self, turn: &mut Turn<'_, E>) {
        let works = self.recipe.entry().reprice_after.nanos();
        for trade in self.trades.iter().filter(|trade| trade.hedge != 0) {
            let sent = turn.desk.book.order(trade.hedge).map(|order| order.sent);
            if sent.is_some_and(|sent| turn.event.ts_recv >= sent.saturating_add(works)) {
                turn.cancel(trade.hedge, self.recipe.exit().cancel_again_after.nanos());
            }
        }
    }

    /// Whether an order for a hedge of it is under way.
    fn is_hedging(&self, trade: &Trade, desk: &Desk) -> bool {
        let busy = |other: &&Trade| other.hedges == trade.package && other.phase != Phase::Open;
        let works = desk.book.order(trade.hedge).is_some_and(|order| order.state.is_live());
        works || self.trades.iter().any(|other| busy(&other))
    }

    /// Buys or sells shares within the package, at the far side, so that its delta is nothing to
    /// the nearest share.
    fn trade_shares<E: Emit<Desk, Event>>(
        &mut self,
        at: usize,
        delta: f64,
        (instrument, each): (u32, u32),
        turn: &mut Turn<'_, E>,
    ) {
        let package = self.trades[at].package;
        let wanted = (delta.abs() * f64::from(each) + 0.5) as u32;
        turn.decide(
            Code::HEDGE,
            package,
            delta,
            -delta.signum() * f64::from(wanted) / f64::from(each),
        );
        let side = if delta < 0.0 { 1 } else { -1 };
        let mut structure = Structure::default();
        let sound = structure
            .push(StructureLeg { instrument, side, ratio: 1 })
            .and_then(|()| pick::quotes(&turn.desk.chain, &structure, self.recipe.entry()));
        if let Err((code, a, b)) = sound {
            return turn.decide(code, package, a, b);
        }
        let chain = &turn.desk.chain;
        let Some(price) = price::leg(chain, instrument, side, Eagerness::FAR) else { return };
        let mut legs = [TicketLeg::default(); LEGS_MAX];
        legs[0] = TicketLeg { side, ratio: 1, price, ..price::of(chain, instrument) };
        let ticket = Ticket { purpose: Purpose::CHANGE, package, quantity: wanted, count: 1, legs };
        match turn.order(&ticket) {
            Ok(id) => self.trades[at].hedge = id,
            Err(violated) => {
                let (first, all) = (violated.trailing_zeros(), violated.count_ones());
                turn.decide(Code::REFUSED, package, f64::from(first), f64::from(all));
            }
        }
    }

    /// Delta of a package and its hedges, in contracts of the underlying.
    fn delta(&self, trade: &Trade, desk: &Desk) -> f64 {
        let its = |other: &&Trade| [other.package, other.hedges].contains(&trade.package);
        let options: f64 = self.trades.iter().filter(its).map(|other| delta_of(other, desk)).sum();
        let units = shares(trade, desk).map(|line| line.held * line.multiplier).sum::<i64>();
        options + units as f64 / trade.structure.unit(&desk.chain)
    }

    /// Gives a hedge back that pulls the wrong way, or opens one.
    fn rebalance<E: Emit<Desk, Event>>(
        &mut self,
        trade: &Trade,
        delta: f64,
        hedge: &Hedge,
        turn: &mut Turn<'_, E>,
    ) {
        let contracts = (delta.abs() + 0.5) as u32;
        let signed = -delta.signum() * f64::from(contracts);
        turn.decide(Code::HEDGE, trade.package, delta, signed);
        let count = self.trades.iter().filter(|other| other.hedges == trade.package).count();
        let pulls = |other: &Trade| {
            other.hedges == trade.package && delta_of(other, turn.desk) * delta > 0.0
        };
        if let Some(at) = self.trades.iter().position(pulls) {
            let mut back = self.trades[at];
            self.begin_exit(&mut back, Purpose::HEDGE, turn);
            self.trades[at] = back;
        } else if count < hedge.hedges_max as usize && self.trades.len() < self.trades.capacity() {
            self.open_hedge(trade, delta < 0.0, contracts, hedge, turn);
        }
    }

    fn open_hedge<E: Emit<Desk, Event>>(
        &mut self,
        trade: &Trade,
        up: bool,
        contracts: u32,
        hedge: &Hedge,
        turn: &mut Turn<'_, E>,
    ) {
        let chain = &turn.desk.chain;
        let Some(terms) = trade.structure.option(chain).copied() else { return };
        let mut choice = Pick::new(self.sight(turn.desk, terms.root, None));
        let chosen = hedge.choose(&mut choice, terms.expiry, up).map(|()| choice.done());
        let sound = chosen.and_then(|structure| {
            pick::quotes(chain, &structure, self.recipe.entry()).map(|()| structure)
        });
        match sound {
            Ok(structure) => {
                let mut opened = Trade::new(structure, structure.settles(chain));
                (opened.hedges, opened.quantity) = (trade.package, contracts);
                opened.exit_at = trade.exit_at;
                self.enter(turn, opened);
            }
            Err((code, a, b)) => turn.decide(code, trade.package, a, b),
        }
    }
}

/// What a trade is hedged with where that can be traded, and how many of it are a contract.
fn shares_of(trade: &Trade, desk: &Desk) -> Option<(u32, u32)> {
    pick::shares(&desk.chain, trade.structure.option(&desk.chain)?.expiry)
}

/// Delta of what is held of a trade, in contracts of the underlying.
fn delta_of(trade: &Trade, desk: &Desk) -> f64 {
    let (packages, _) = trade.structure.held(desk, trade.package);
    trade.structure.greek(&desk.chain, |greeks| greeks.delta) * packages as f64
}
