//! Orders and cancels in; executions against the market's quotes, and what was truly traded, out.
//!
//! An order fills where its legs' far sides come to its limit, and now and then at its limit
//! though they do not: somebody hidden was there. What the venue does wrong is in the table of
//! [`super::FAULTS`]; what it did is in [`Exchange::fills`], whether it was told or not.

use super::{
    Dice, Fault, Mischief,
    market::{Best, Market},
};
use crate::wire::{Timestamp, UNDEF_PRICE};
use alloc::{
    collections::{BTreeMap, VecDeque},
    format,
    string::String,
    vec,
    vec::Vec,
};

/// One leg as the venue understood it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Leg {
    /// The contract's place in the market's list.
    pub place: usize,
    /// +1 buys, −1 sells.
    pub side: i64,
    /// Contracts per package.
    pub ratio: u32,
}

/// An order as the venue understood it.
#[derive(Clone, Debug)]
pub struct Order {
    /// The client's number.
    pub id: u64,
    /// Its legs.
    pub legs: Vec<Leg>,
    /// Most that is paid per package, 1e-9; negative is received.
    pub limit: i64,
    /// Packages.
    pub quantity: u32,
    /// Packages filled.
    pub filled: u32,
    /// Where it stands, as FIX writes it (39): `0`, `1`, `2`, `4`, `8`, `C`.
    pub status: char,
    /// Nothing about it is told before this.
    told_from: Timestamp,
}

impl Order {
    /// Whether it can trade.
    pub fn is_open(&self) -> bool {
        matches!(self.status, '0' | '1')
    }

    /// Packages that can still trade.
    pub fn left(&self) -> u32 {
        if self.is_open() { self.quantity.saturating_sub(self.filled) } else { 0 }
    }
}

/// Contracts that were traded.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    /// The client's number of the order; one that it never used for a strange fill.
    pub order: u64,
    /// The contract's place in the market's list.
    pub place: usize,
    /// Contracts: positive bought.
    pub contracts: i64,
    /// 1e-9.
    pub price: i64,
    /// More than an honest venue would have done: a strange fill, an overfill, a late one.
    pub odd: bool,
}

/// What is told of an order.
#[derive(Clone, Debug)]
pub enum News {
    /// It works.
    New,
    /// It traded: packages, the legs' prices, the execution's number, the status since.
    Filled(u32, Vec<i64>, u64, char),
    /// It was canceled: by the client's request, or without one.
    Canceled(Option<u64>),
    /// Its time ran out.
    Expired,
    /// It was refused.
    Rejected,
    /// A request to cancel it was refused; the status that it has.
    CancelRefused(u64, char),
    /// How it stands, as was asked.
    Status(char),
}

/// News on their way to the session.
#[derive(Clone, Debug)]
pub struct Told {
    /// When they are told.
    pub due: Timestamp,
    /// The order that they are about.
    pub order: Order,
    /// What they say.
    pub news: News,
}

/// The matching engine.
#[derive(Debug)]
pub struct Exchange {
    /// All orders that came, oldest first.
    pub orders: Vec<Order>,
    /// All that was traded.
    pub fills: Vec<Fill>,
    /// Contracts that the broker has booked and nobody has traded, by place.
    pub astray: BTreeMap<usize, i64>,
    /// News that were not told yet.
    pub telling: VecDeque<Told>,
    /// What a client must never do, and did.
    pub offences: Vec<String>,
    dice: Dice,
    executions: u64,
    latency_ns_max: u64,
    generosity: f64,
}

impl Exchange {
    /// Without orders.
    pub fn new(dice: &mut Dice) -> Exchange {
        let mut dice = dice.fork();
        Exchange {
            orders: Vec::new(),
            fills: Vec::new(),
            astray: BTreeMap::new(),
            telling: VecDeque::new(),
            offences: Vec::new(),
            executions: 0,
            latency_ns_max: *dice.pick(&[1, 20, 200, 1_000]) * 1_000_000,
            generosity: *dice.pick(&[0.0, 0.02, 0.3]),
            dice,
        }
    }

    /// From now on everything fills at its limit, so that what a client wants to close it can.
    pub fn calm(&mut self) {
        self.generosity = 1.0;
    }

    /// The order of a client's number.
    pub fn find(&self, id: u64) -> Option<&Order> {
        self.orders.iter().rev().find(|order| order.id == id)
    }

    /// A new order.
    pub fn on_order(&mut self, mut order: Order, now: Timestamp, bad: &mut Mischief) {
        if self.find(order.id).is_some() {
            self.offences.push(format!("order {:x} came twice", order.id));
            return;
        }
        order.told_from = now;
        let news = if bad.strikes(Fault::Reject) {
            order.status = '8';
            Some(News::Rejected)
        } else if bad.strikes(Fault::Ignore) {
            order.status = '8';
            None
        } else {
            order.status = '0';
            Some(News::New)
        };
        self.orders.push(order);
        if let Some(news) = news {
            self.tell(self.orders.len() - 1, news, now);
        }
    }

    /// A request to cancel.
    pub fn on_cancel(&mut self, id: u64, request: u64, now: Timestamp, bad: &mut Mischief) {
        let Some(at) = self.orders.iter().position(|order| order.id == id) else {
            let order = nobody(id, now);
            let news = News::CancelRefused(request, '8');
            return self.telling.push_back(Told { due: now, order, news });
        };
        let status = self.orders[at].status;
        if bad.strikes(Fault::Ignore) {
            return;
        }
        if !self.orders[at].is_open() || bad.strikes(Fault::TooLate) {
            return self.tell(at, News::CancelRefused(request, status), now);
        }
        self.orders[at].status = '4';
        self.tell(at, News::Canceled(Some(request)), now);
    }

    /// Somebody asks how an order stands.
    pub fn on_status(&mut self, id: u64, now: Timestamp) {
        match self.orders.iter().position(|order| order.id == id) {
            Some(at) => self.tell(at, News::Status(self.orders[at].status), now),
            None => {
                let news = News::Status('8');
                self.telling.push_back(Told { due: now, order: nobody(id, now), news });
            }
        }
    }

    /// Somebody asks how all open orders stand.
    pub fn on_status_of_all(&mut self, now: Timestamp) {
        for at in 0..self.orders.len() {
            if self.orders[at].is_open() {
                self.tell(at, News::Status(self.orders[at].status), now);
            }
        }
    }

    /// What the broker has booked, by place; what is flat is left out.
    pub fn positions(&self) -> BTreeMap<usize, i64> {
        let mut positions = self.astray.clone();
        for fill in &self.fills {
            *positions.entry(fill.place).or_default() += fill.contracts;
        }
        positions.retain(|_, contracts| *contracts != 0);
        positions
    }

    /// Matches what works with what is quoted; things happen that nobody asked for.
    pub fn step(&mut self, market: &Market, now: Timestamp, bad: &mut Mischief) {
        for at in 0..self.orders.len() {
            if !self.orders[at].is_open() {
                continue;
            }
            if bad.strikes(Fault::Dropped) {
                let expires = bad.below(2) == 0;
                self.orders[at].status = if expires { 'C' } else { '4' };
                let news = if expires { News::Expired } else { News::Canceled(None) };
                self.tell(at, news, now);
            } else if let Some(prices) = self.price(&self.orders[at].clone(), market) {
                self.fill(at, prices, now, bad);
            }
        }
        if bad.strikes(Fault::Astray) {
            let place = bad.below(market.contracts.len() as u64) as usize;
            *self.astray.entry(place).or_default() += 1;
        }
        if !self.orders.is_empty() && bad.strikes(Fault::Stranger) {
            self.strange_fill(market, now);
        }
    }

    /// The legs' prices if the order trades now.
    fn price(&mut self, order: &Order, market: &Market) -> Option<Vec<i64>> {
        let mut prices: Vec<i64> = order
            .legs
            .iter()
            .map(|leg| far(&market.best[leg.place], leg))
            .collect::<Option<_>>()?;
        let over = net(&order.legs, &prices) - order.limit;
        let lucky = self.dice.chance(self.generosity);
        if over > 0 && !lucky || over <= 0 && self.dice.chance(0.3) {
            return None;
        }
        // Somebody hidden takes the difference, leg by leg; no price may become negative.
        let mut rest = over.max(0);
        for (leg, price) in order.legs.iter().zip(&mut prices) {
            let part = rest / i64::from(leg.ratio);
            let part = if leg.side > 0 { part.min(*price) } else { part };
            *price -= leg.side * part;
            rest -= part * i64::from(leg.ratio);
        }
        (net(&order.legs, &prices) <= order.limit).then_some(prices)
    }

    fn fill(&mut self, at: usize, prices: Vec<i64>, now: Timestamp, bad: &mut Mischief) {
        let left = self.orders[at].left();
        let mut packages = left;
        if left > 1 && bad.strikes(Fault::Partial) {
            packages = 1 + bad.below(u64::from(left) - 1) as u32;
        }
        let excess = packages == left && bad.strikes(Fault::Excess);
        packages += u32::from(excess);
        let late = bad.strikes(Fault::LateFill);
        self.executions += 1;
        let order = &mut self.orders[at];
        order.filled += packages;
        order.status = if order.filled >= order.quantity { '2' } else { '1' };
        let (id, legs) = (order.id, order.legs.clone());
        let news = News::Filled(packages, prices.clone(), self.executions, order.status);
        for (leg, price) in legs.iter().zip(&prices) {
            let contracts = leg.side * i64::from(leg.ratio) * i64::from(packages);
            let odd = excess || late;
            self.fills.push(Fill { order: id, place: leg.place, contracts, price: *price, odd });
        }
        if late {
            // The end is told first; what is left of the order is gone.
            if self.orders[at].is_open() {
                self.orders[at].status = '4';
            }
            self.tell(at, News::Canceled(None), now);
            let due = self.orders[at].told_from + 1 + self.dice.below(3 * self.latency_ns_max);
            let order = self.orders[at].clone();
            return self.telling.push_back(Told { due, order, news });
        }
        if bad.strikes(Fault::EarlyFill) {
            let order = self.orders[at].clone();
            self.telling.push_front(Told { due: now, order, news: news.clone() });
        } else {
            self.tell(at, news.clone(), now);
        }
        if bad.strikes(Fault::Told) {
            self.tell(at, news, now);
        }
    }

    fn strange_fill(&mut self, market: &Market, now: Timestamp) {
        let place = self.dice.below(market.contracts.len() as u64) as usize;
        let mut order = nobody(u64::MAX - self.dice.below(1 << 20), now);
        order.legs = vec![Leg { place, side: 1, ratio: 1 }];
        (order.quantity, order.filled, order.status) = (1, 1, '2');
        self.executions += 1;
        let price = 1_000_000_000;
        self.fills.push(Fill { order: order.id, place, contracts: 1, price, odd: true });
        let news = News::Filled(1, vec![price], self.executions, '2');
        self.telling.push_back(Told { due: now, order, news });
    }

    /// Queues news of an order behind its earlier ones.
    fn tell(&mut self, at: usize, news: News, now: Timestamp) {
        let due = now + self.dice.below(self.latency_ns_max);
        let order = &mut self.orders[at];
        order.told_from = order.told_from.max(due);
        let told = Told { due: order.told_from, order: order.clone(), news };
        self.telling.push_back(told);
    }

    /// The next news that are due; those of one order in their order.
    pub fn due(&mut self, now: Timestamp) -> Option<Told> {
        let at = self.telling.iter().position(|told| told.due <= now)?;
        self.telling.remove(at)
    }
}

/// What a leg pays or gets at once; what nobody bids for is given away.
fn far(best: &Best, leg: &Leg) -> Option<i64> {
    let defined = |price: i64| (price != UNDEF_PRICE).then_some(price);
    if leg.side > 0 { defined(best.ask) } else { Some(defined(best.bid).unwrap_or(0)) }
}

/// What a package costs.
fn net(legs: &[Leg], prices: &[i64]) -> i64 {
    let legs = legs.iter().zip(prices);
    legs.map(|(leg, price)| leg.side * i64::from(leg.ratio) * price).sum()
}

/// An order of a number that the venue does not know.
fn nobody(id: u64, now: Timestamp) -> Order {
    let legs = Vec::new();
    Order { id, legs, limit: 0, quantity: 0, filled: 0, status: '8', told_from: now }
}

impl Order {
    /// As a client's message has it.
    pub fn new(id: u64, legs: Vec<Leg>, limit: i64, quantity: u32) -> Order {
        Order { id, legs, limit, quantity, filled: 0, status: '0', told_from: 0 }
    }
}
