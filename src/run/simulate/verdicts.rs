//! The state of everything in; whether what must hold of it holds out.

use super::{weakness::Weakness, world::World};
use std::{collections::BTreeMap, format, string::String};

impl World {
    /// Nothing is on its way, in any direction, and no order is in doubt.
    pub(super) fn is_in_sync(&mut self) -> bool {
        let (quiet, next) = {
            let broker = self.broker.borrow();
            let wire = self.wire.as_ref().is_some_and(|wire| wire.bytes.borrow().is_empty());
            let told = broker.bytes.is_empty() && broker.exchange.telling.is_empty();
            (broker.up && wire && told, broker.next_out())
        };
        let engine = self.engine();
        let sure = engine.desk.book.in_doubt() == 0;
        quiet && sure && engine.is_on() && engine.intake.next_in() == next
    }

    pub(super) fn why_not_in_sync(&mut self) -> String {
        let next_out = self.broker.borrow().next_out();
        let telling = self.broker.borrow().exchange.telling.len();
        let up = self.broker.borrow().up;
        let engine = self.engine();
        format!(
            "the session never came back into order: gate on {}, broker up {up}, engine expects \
             {}, broker will say {next_out}, {telling} news untold, {} in doubt, {:?}",
            engine.is_on(),
            engine.intake.next_in(),
            engine.desk.book.in_doubt(),
            engine.counts()
        )
    }

    /// What must hold at any time.
    pub(super) fn check(&mut self) -> Result<(), String> {
        let witness = self.witness.borrow();
        let exchange = &self.broker.borrow().exchange;
        let first = witness.violations.first().or(exchange.offences.first());
        if let Some(what) = first {
            return Err(what.clone());
        }
        for order in &exchange.orders[self.checked..] {
            let mut order = order.clone();
            if self.weakness == Some(Weakness::WrongQuantity) {
                order.quantity += 1;
            }
            if let Some(what) = witness.ledger.differs(&order) {
                return Err(what);
            }
        }
        self.checked = exchange.orders.len();
        Ok(())
    }

    /// What must hold once everything is told.
    pub(super) fn conclude(&mut self) -> Result<(), String> {
        let (held, fills) = {
            let engine = self.engine();
            let lines = engine.desk.book.holdings().map(|line| (line.instrument, line.held));
            (lines.collect::<BTreeMap<u32, i64>>(), engine.desk.book.tally.fills)
        };
        let witness = self.witness.borrow();
        let truth = witness.ledger.truth(&self.broker.borrow().exchange);
        if held != truth {
            return Err(format!("the book holds {held:?}, the venue {truth:?}"));
        }
        if fills != witness.ledger.fills {
            let told = witness.ledger.fills;
            return Err(format!("the book has taken {fills} fills, {told} were told"));
        }
        Ok(())
    }
}
