//! A strategy's turn: the desk as it is now in; decisions, orders and cancels out.

use super::codes::{Code, Reason};
use crate::{
    book::{Desk, net},
    feature::Column,
    router::{Answer, Ask, Router},
    stage::Emit,
    wire::{
        Event, Kind, NO_INSTRUMENT, Price,
        order::{Cancel, Decision, LEGS_MAX, Leg, Order, Purpose},
    },
};

/// One leg of a ticket.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TicketLeg {
    /// Dense index of the instrument.
    pub instrument: u32,
    /// +1 buys, −1 sells.
    pub side: i8,
    /// Contracts per package.
    pub ratio: u32,
    /// Units of a contract.
    pub multiplier: i64,
    /// Price to reckon with, 1e-9 per unit, on its tick.
    pub price: i64,
}

/// What a strategy wants to be sent. The net limit is that of its legs.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    /// Why.
    pub purpose: Purpose,
    /// The package to close; 0 for a new one.
    pub package: u64,
    /// Packages.
    pub quantity: u32,
    /// How many of `legs` count.
    pub count: usize,
    /// The legs.
    pub legs: [TicketLeg; LEGS_MAX],
}

impl Ticket {
    /// Net limit per package on one unit of its largest contract, 1e-9: positive is paid. What
    /// does not come to a whole one has none, and RISK refuses it.
    pub fn limit(&self) -> Price {
        let leg = |leg: &TicketLeg| {
            (i64::from(leg.side), i64::from(leg.ratio), leg.multiplier, leg.price)
        };
        net(self.legs[..self.count].iter().map(leg)).map_or(Price::UNDEF, Price)
    }
}

/// What one strategy sees and may do at a batch end or a timer.
#[derive(Debug)]
pub struct Turn<'a, E> {
    /// What is known.
    pub desk: &'a mut Desk,
    /// The event that ended the batch.
    pub event: &'a Event,
    /// The instrument of the batch's last quote.
    pub quoted: Option<u32>,
    pub(super) strategy: u16,
    pub(super) router: &'a mut Router,
    pub(super) out: &'a mut E,
}

impl<E: Emit<Desk, Event>> Turn<'_, E> {
    /// Which instance it is.
    pub fn strategy(&self) -> u16 {
        self.strategy
    }

    /// A column of the latest row of features; NaN where it is not known.
    #[inline(always)]
    pub fn feature(&self, column: Column) -> f64 {
        self.desk.features.get(column)
    }

    /// Says what was concluded.
    pub fn decide(&mut self, code: Code, package: u64, a: f64, b: f64) {
        let body = Decision { strategy: self.strategy, code: code.0, reserved: 0, package, a, b };
        self.emit(Kind::DECISION, NO_INSTRUMENT, body);
    }

    /// Packages that the router gives an entry, with the reasons told; what was asked for where
    /// there is no router. The error is for whoever asked: all of it is told already.
    pub fn size(&mut self, ask: &Ask) -> Result<u32, Reason> {
        let Some(answer) = self.router.size(self.desk, self.strategy, ask) else {
            return Ok(ask.most);
        };
        let Answer { packages, bound, multiplier, regime, changed, vote, .. } = answer;
        if changed {
            let (volatility, trend) = (regime.volatility as u8, regime.trend as u8);
            self.decide(Code::REGIME, 0, f64::from(volatility), f64::from(trend));
        }
        self.decide(Code::VOTED, 0, vote.0, vote.1);
        if packages == 0 {
            self.decide(Code::LET_GO, 0, bound as f64, multiplier);
            return Err((Code::LET_GO, bound as f64, multiplier));
        }
        self.decide(Code::SIZED, 0, f64::from(packages), multiplier);
        Ok(packages)
    }

    /// Asks for an order: its number if RISK approved it, otherwise the violated limits.
    pub fn order(&mut self, ticket: &Ticket) -> Result<u64, u128> {
        let id = self.desk.book.number();
        let head = Order {
            id,
            limit: ticket.limit(),
            quantity: ticket.quantity,
            strategy: self.strategy,
            legs: ticket.count as u8,
            purpose: ticket.purpose,
            package: if ticket.package == 0 { id } else { ticket.package },
        };
        self.emit(Kind::INTENT, NO_INSTRUMENT, head);
        for (index, leg) in ticket.legs[..ticket.count].iter().enumerate() {
            let body = Leg {
                order: id,
                price: Price(leg.price),
                ratio: leg.ratio,
                side: leg.side,
                index: index as u8,
                reserved: 0,
                reserved2: 0,
            };
            self.emit(Kind::INTENT_LEG, leg.instrument, body);
        }
        if self.desk.book.order(id).is_some() { Ok(id) } else { Err(self.refusal(id)) }
    }

    fn refusal(&self, id: u64) -> u128 {
        let refused = self.desk.book.refused;
        if refused.order == id { refused.violated } else { 0 }
    }

    /// Asks for a cancel, unless one younger than `again_after` (ns) is on its way.
    pub fn cancel(&mut self, order: u64, again_after: u64) {
        if !self.desk.book.venue.broker_up
            || !self.desk.book.can_cancel(order, self.event.ts_recv, again_after)
        {
            return;
        }
        let id = self.desk.book.number();
        let body = Cancel { id, order, strategy: self.strategy, reserved: [0; 7] };
        self.emit(Kind::INTENT_CANCEL, NO_INSTRUMENT, body);
    }

    fn emit<P: bytemuck::NoUninit>(&mut self, kind: Kind, instrument: u32, body: P) {
        let event = Event::caused_by(self.event, kind, instrument, body);
        self.out.emit(self.desk, &event);
    }
}
