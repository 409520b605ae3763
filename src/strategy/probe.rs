//! Batches in, one-leg orders on what was just quoted out: for measuring tick to order at any rate.

use super::{
    Strategy, Turn,
    codes::Code,
    price::{self, Eagerness},
    turn::{Ticket, TicketLeg},
};
use crate::{
    book::{Desk, Horizon},
    config::{Span, Value},
    stage::Emit,
    wire::{
        Event, Kind, Price, Timestamp,
        order::{LEGS_MAX, Purpose},
    },
};
use alloc::{
    collections::VecDeque,
    string::{String, ToString},
};

/// Where a probe's limit is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// One tick above nothing: it does not trade.
    Far,
    /// At the bid: it may trade.
    Bid,
    /// At the ask: it trades.
    Ask,
}

impl Value for Place {
    const WANTED: &'static str = "\"far\", \"bid\" or \"ask\"";
    fn read(value: &toml::Value) -> Option<Place> {
        match value.as_str()? {
            "far" => Some(Place::Far),
            "bid" => Some(Place::Bid),
            "ask" => Some(Place::Ask),
            _ => None,
        }
    }
    fn show(&self) -> String {
        let text = match self {
            Place::Far => "\"far\"",
            Place::Bid => "\"bid\"",
            Place::Ask => "\"ask\"",
        };
        text.to_string()
    }
}

crate::section! {
    /// A latency probe: `[[probe]]`. Its orders pass all limits like any other.
    pub struct ProbeSettings {
        /// Name in reports.
        pub name: String = "probe".to_string(), "-";
        /// One order every so many batches that end with a quote of an option.
        pub every: u32 = 10, in 1..=1_000_000_000, "batches";
        /// Contracts of an order.
        pub quantity: u32 = 1, in 1..=1_000_000, "contracts";
        /// Where its limit is: "far" (does not trade), "bid", "ask".
        pub place: Place = Place::Far, "-";
        /// How long an order works before it is canceled, by receive time.
        pub cancel_after: Span = Span(100_000_000), "-";
        /// Orders that may work at once; none is sent beyond them.
        pub working_max: usize = 8, in 1..=65_536, "orders";
        /// An unanswered cancel is asked for again after this time.
        pub cancel_again_after: Span = Span(3_000_000_000), "-";
        /// How long it holds: which limits of size and loss it has.
        pub horizon: Horizon = Horizon::Intraday, "-";
    }
}

/// A probe instance.
#[derive(Debug)]
pub struct Probe {
    set: ProbeSettings,
    batches: u64,
    working: VecDeque<(u64, Timestamp)>,
    told: u128,
}

/// With the same room: a queue's own clone has none, and would allocate when orders leave.
impl Clone for Probe {
    fn clone(&self) -> Probe {
        let mut clone = Probe::new(self.set.clone());
        clone.working.extend(&self.working);
        (clone.batches, clone.told) = (self.batches, self.told);
        clone
    }
}

impl Probe {
    /// An instance that has sent nothing.
    pub fn new(set: ProbeSettings) -> Probe {
        let working = VecDeque::with_capacity(set.working_max + 1);
        Probe { set, batches: 0, working, told: 0 }
    }

    fn send<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>, instrument: u32) {
        let Some(price) = self.price(turn.desk, instrument) else { return };
        let mut legs = [TicketLeg::default(); LEGS_MAX];
        legs[0] = TicketLeg { side: 1, ratio: 1, price, ..price::of(&turn.desk.chain, instrument) };
        let quantity = self.set.quantity;
        let ticket = Ticket { purpose: Purpose::ENTRY, package: 0, quantity, count: 1, legs };
        match turn.order(&ticket) {
            Ok(id) => self.working.push_back((id, turn.event.ts_recv)),
            Err(violated) if violated != self.told => {
                self.told = violated;
                let (first, all) = (violated.trailing_zeros(), violated.count_ones());
                turn.decide(Code::REFUSED, 0, f64::from(first), f64::from(all));
            }
            Err(_) => {}
        }
    }

    fn price(&self, desk: &Desk, instrument: u32) -> Option<i64> {
        let terms = desk.chain.instrument(instrument).filter(|terms| terms.class.is_option())?;
        let quote = desk.chain.quote(instrument);
        let price = match self.set.place {
            Place::Far => Price::from_f64(desk.chain.tick(terms.root, 0.0)),
            Place::Bid => Price::from_f64(quote.bid),
            Place::Ask => Price::from_f64(quote.ask),
        };
        price.is_defined().then_some(price.0)
    }

    /// Drops what has ended and cancels what has worked long enough; the oldest are in front.
    fn tend<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>) {
        let is_live = |desk: &Desk, id| desk.book.order(id).is_some_and(|o| o.state.is_live());
        while self.working.front().is_some_and(|(id, _)| !is_live(turn.desk, *id)) {
            self.working.pop_front();
        }
        let stopping = turn.desk.book.venue.stopping;
        for i in 0..self.working.len() {
            let (id, sent) = self.working[i];
            let age = turn.event.ts_recv.saturating_sub(sent);
            if age < self.set.cancel_after.nanos() && !stopping {
                break;
            }
            turn.cancel(id, self.set.cancel_again_after.nanos());
        }
    }

    /// What was bought is sold again, on the beat.
    fn flatten<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>) {
        let Some(id) = filled(turn.desk, turn.strategy()) else { return };
        let ticket = price::closing(turn.desk, id, Purpose::FLATTEN, Eagerness::FAR, false);
        let sent = ticket.and_then(|ticket| turn.order(&ticket).ok());
        if let Some(id) = sent {
            self.working.push_back((id, turn.event.ts_recv));
        }
    }
}

/// A package that holds something and on which nothing works.
fn filled(desk: &Desk, strategy: u16) -> Option<u64> {
    let mut open = desk.book.open_packages();
    let filled = open.find(|package| package.strategy == strategy && package.live == 0)?;
    Some(filled.id)
}

impl Strategy for Probe {
    fn name(&self) -> &str {
        &self.set.name
    }

    fn horizon(&self) -> Horizon {
        self.set.horizon
    }

    fn root(&self) -> Option<&str> {
        None
    }

    fn on_batch<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>) {
        self.tend(turn);
        if turn.desk.book.venue.is_over() || !turn.desk.book.may_ask() {
            return;
        }
        if turn.event.kind == Kind::TIMER && self.working.len() <= self.set.working_max {
            self.flatten(turn);
        }
        let Some(instrument) = turn.quoted else { return };
        if turn.desk.book.venue.stopping || turn.desk.book.venue.halted.is_some() {
            return;
        }
        self.batches += 1;
        let due = self.batches.is_multiple_of(u64::from(self.set.every));
        if due && self.working.len() < self.set.working_max {
            self.send(turn, instrument);
        }
    }
}
