//! Deltas of packages with their hedges in; hedges that are opened and given back out.

use super::{Phase, Pick, Trade, Trader, may_open, pick};
use crate::{
    book::Desk,
    stage::Emit,
    strategy::{Turn, codes::Code, hedge::Hedge},
    wire::{Event, order::Purpose},
};
use alloc::sync::Arc;

impl Trader {
    /// Brings the delta of the first package that has left its band back to it.
    pub(super) fn hedge<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>) {
        let recipe = Arc::clone(&self.recipe);
        let Some(hedge) = recipe.hedge() else { return };
        let now = turn.desk.chain.now;
        if now < self.hedge_at || may_open(turn.desk).is_err() {
            return;
        }
        for i in 0..self.trades.len() {
            let trade = self.trades[i];
            if trade.hedges != 0 || trade.phase != Phase::Open || self.is_hedging(&trade) {
                continue;
            }
            let delta = self.delta(&trade, turn.desk);
            // Nothing is outside of its band where the delta is not known.
            if delta.abs() > hedge.hedge_band {
                self.hedge_at = now + hedge.hedge_every.nanos();
                return self.rebalance(&trade, delta, hedge, turn);
            }
        }
    }

    /// Whether an order for a hedge of it is under way.
    fn is_hedging(&self, trade: &Trade) -> bool {
        let busy = |other: &&Trade| other.hedges == trade.package && other.phase != Phase::Open;
        self.trades.iter().any(|other| busy(&other))
    }

    /// Delta of a package and its hedges, in contracts of the underlying.
    fn delta(&self, trade: &Trade, desk: &Desk) -> f64 {
        let its = |other: &&Trade| [other.package, other.hedges].contains(&trade.package);
        self.trades.iter().filter(its).map(|other| delta_of(other, desk)).sum()
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
        let leg = trade.structure.legs()[0].instrument;
        let Some(terms) = chain.instrument(leg).copied() else { return };
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

/// Delta of what is held of a trade, in contracts of the underlying.
fn delta_of(trade: &Trade, desk: &Desk) -> f64 {
    let (packages, _) = trade.structure.held(desk, trade.package);
    trade.structure.greek(&desk.chain, |greeks| greeks.delta) * packages as f64
}
