//! Orders, cancels and quote changes in; executions against the displayed quotes out.
//!
//! A package fills when the quotes that it crosses cost its limit or less, at those quotes, up to
//! their sizes; what rests is looked at again at every quote change of one of its legs. A leg
//! that a package sells and nobody bids for, but somebody offers, is given away for nothing.

use super::{
    Board, Entry, Execution, Ledger, Leg, NewOrder, Outcome, Reason, Standing, TimeInForce,
    order::net,
};
use crate::{catalog::Catalog, rng::Rng};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How the exchange treats orders.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms {
    /// From receipt to the book, ns.
    pub latency_ns: u64,
    /// Every order fills at once, whole, at its limit: for latency tests.
    pub fill_at_limit: bool,
    /// Share of orders that are rejected for no reason.
    pub reject: f64,
    /// Share of executions that are told twice.
    pub repeat: f64,
    /// Contracts of the first option that are booked though nobody has traded them.
    pub astray: i64,
}

#[derive(Debug)]
enum Request {
    New(NewOrder),
    Cancel { owner: usize, client_id: String, target: String },
    Inquiry { owner: usize, target: String },
}

#[derive(Debug)]
struct Working {
    order: NewOrder,
    number: u64,
    filled: u32,
    paid: i128,
    open: bool,
    rejected: bool,
    at: u64,
}

impl Working {
    /// What stands for an order that never came.
    fn unknown(owner: usize, client_id: String) -> Working {
        let order = NewOrder {
            owner,
            client_id,
            legs: Vec::new(),
            limit: None,
            quantity: 0,
            time_in_force: TimeInForce::Day,
        };
        Working { order, number: 0, filled: 0, paid: 0, open: false, rejected: false, at: 0 }
    }
}

/// The matching engine.
#[derive(Debug)]
pub struct Exchange {
    terms: Terms,
    board: Board,
    arriving: VecDeque<(u64, Request)>,
    orders: Vec<Working>,
    by_id: HashMap<(usize, String), usize>,
    /// Open orders by leg: looked at when the leg's quote changes.
    watchers: Vec<Vec<u32>>,
    told: Vec<Execution>,
    executions: u64,
    duplicates: u64,
    rng: Rng,
}

impl Exchange {
    /// An exchange without orders.
    pub fn new(instruments: usize, terms: Terms, seed: u64) -> Exchange {
        Exchange {
            terms,
            board: Board::new(instruments),
            arriving: VecDeque::new(),
            orders: Vec::new(),
            by_id: HashMap::new(),
            watchers: vec![Vec::new(); instruments],
            told: Vec::new(),
            executions: 0,
            duplicates: 0,
            rng: Rng::new(seed),
        }
    }

    /// The quotes.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// An order that was received at `now`.
    pub fn submit(&mut self, order: NewOrder, now: u64) {
        self.arriving.push_back((now + self.terms.latency_ns, Request::New(order)));
        self.advance(now);
    }

    /// A cancel that was received at `now`.
    pub fn cancel(&mut self, owner: usize, client_id: String, target: String, now: u64) {
        let request = Request::Cancel { owner, client_id, target };
        self.arriving.push_back((now + self.terms.latency_ns, request));
        self.advance(now);
    }

    /// A question after an order, received at `now`. It does not overtake the order.
    pub fn inquire(&mut self, owner: usize, target: String, now: u64) {
        let request = Request::Inquiry { owner, target };
        self.arriving.push_back((now + self.terms.latency_ns, request));
        self.advance(now);
    }

    /// The books.
    pub fn ledger(&self, catalog: &Catalog) -> Ledger {
        let mut ledger = Ledger { duplicates: self.duplicates, ..Ledger::default() };
        for Working { order, filled, open, at, .. } in &self.orders {
            for leg in &order.legs {
                let symbol = catalog.listed[leg.index as usize].symbol.clone();
                let contracts = i64::from(leg.side) * i64::from(leg.ratio) * i64::from(*filled);
                *ledger.positions.entry(symbol).or_default() += contracts;
            }
            let (order, at, filled, open) = (order.clone(), *at, *filled, *open);
            ledger.orders.push(Entry { order, at, filled, open });
        }
        ledger.positions.retain(|_, contracts| *contracts != 0);
        ledger
    }

    /// What an owner holds, by instrument, as the broker has booked it: what is flat is left out.
    pub fn positions(&self, owner: usize, catalog: &Catalog) -> BTreeMap<u32, i64> {
        let mut positions = BTreeMap::new();
        for Working { order, filled, .. } in self.orders.iter().filter(|w| w.order.owner == owner) {
            for leg in &order.legs {
                let contracts = i64::from(leg.side) * i64::from(leg.ratio) * i64::from(*filled);
                *positions.entry(leg.index).or_default() += contracts;
            }
        }
        if let Some(first) = catalog.listed.iter().position(|listed| listed.contract.is_some()) {
            *positions.entry(first as u32).or_default() += self.terms.astray;
        }
        positions.retain(|_, contracts| *contracts != 0);
        positions
    }

    /// How all open orders of an owner stand.
    pub fn open_orders(&mut self, owner: usize) -> Vec<Execution> {
        let mine = |working: &&Working| working.open && working.order.owner == owner;
        let count = self.executions;
        let numbered = self.orders.iter().filter(mine).zip(count + 1..);
        let all: Vec<Execution> = numbered
            .map(|(working, number)| execution(working, number, Outcome::Status(Standing::Taken)))
            .collect();
        self.executions += all.len() as u64;
        all
    }

    /// A record that goes out: its quote is what orders now meet.
    #[inline]
    pub fn on_record(&mut self, index: u32, record: &[u8]) {
        let quote = self.board.on_record(index, record);
        if quote && !self.watchers[index as usize].is_empty() {
            let watching = self.watchers[index as usize].clone();
            watching.into_iter().for_each(|order| self.match_order(order as usize));
        }
    }

    /// Lets requests in that have been on their way long enough.
    #[inline]
    pub fn advance(&mut self, now: u64) {
        while self.arriving.front().is_some_and(|(due, _)| *due <= now) {
            match self.arriving.pop_front() {
                Some((due, Request::New(order))) => {
                    self.enter(order, due.saturating_sub(self.terms.latency_ns));
                }
                Some((_, Request::Cancel { owner, client_id, target })) => {
                    self.withdraw(owner, client_id, target);
                }
                Some((_, Request::Inquiry { owner, target })) => self.answer(owner, target),
                None => {}
            }
        }
    }

    /// What has happened since the last call, in order.
    pub fn take_executions(&mut self) -> Vec<Execution> {
        std::mem::take(&mut self.told)
    }

    /// Whether there is something to tell.
    #[inline]
    pub fn has_executions(&self) -> bool {
        !self.told.is_empty()
    }

    fn enter(&mut self, order: NewOrder, at: u64) {
        let key = (order.owner, order.client_id.clone());
        let number = self.orders.len() as u64 + 1;
        let mut working =
            Working { order, number, filled: 0, paid: 0, open: true, rejected: false, at };
        if self.by_id.contains_key(&key) {
            self.duplicates += 1;
            (working.open, working.number) = (false, 0);
            return self.tell(&working, Outcome::Rejected(Reason::DuplicateId));
        }
        let place = self.orders.len();
        self.by_id.insert(key, place);
        self.orders.push(working);
        if self.rng.chance(self.terms.reject) {
            self.orders[place].rejected = true;
            return self.close(place, Outcome::Rejected(Reason::Injected));
        }
        self.say(place, Outcome::Accepted);
        for leg in &self.orders[place].order.legs {
            self.watchers[leg.index as usize].push(place as u32);
        }
        self.match_order(place);
        if self.orders[place].open && self.orders[place].order.time_in_force != TimeInForce::Day {
            self.close(place, Outcome::Canceled(None));
        }
    }

    fn withdraw(&mut self, owner: usize, client_id: String, target: String) {
        let Some(&place) = self.by_id.get(&(owner, target.clone())) else {
            let unknown = Working::unknown(owner, target);
            let outcome = Outcome::CancelRefused(client_id, Reason::UnknownOrder);
            return self.tell(&unknown, outcome);
        };
        if self.orders[place].open {
            self.close(place, Outcome::Canceled(Some(client_id)));
        } else {
            self.say(place, Outcome::CancelRefused(client_id, Reason::TooLate));
        }
    }

    fn answer(&mut self, owner: usize, target: String) {
        match self.by_id.get(&(owner, target.clone())) {
            None => {
                let unknown = Working::unknown(owner, target);
                self.tell(&unknown, Outcome::Status(Standing::Unknown));
            }
            Some(&place) => {
                let rejected = self.orders[place].rejected;
                let standing = if rejected { Standing::Rejected } else { Standing::Taken };
                self.say(place, Outcome::Status(standing));
            }
        }
    }

    /// Fills what can be filled now.
    fn match_order(&mut self, place: usize) {
        let working = &self.orders[place];
        if !working.open {
            return;
        }
        let (order, left) = (&working.order, working.order.quantity - working.filled);
        let filled = match (self.terms.fill_at_limit, order.limit) {
            (true, Some(limit)) => {
                at_limit(&self.board, &order.legs, limit).map(|p| (left, p, limit))
            }
            _ => crossing(&self.board, order, left),
        };
        let Some((packages, prices, net)) = filled else { return };
        for i in 0..self.orders[place].order.legs.len() {
            let leg = self.orders[place].order.legs[i];
            self.board.consume(leg.index, leg.side, leg.ratio * packages);
        }
        let working = &mut self.orders[place];
        working.filled += packages;
        working.paid += i128::from(net) * i128::from(packages);
        let outcome = Outcome::Filled { packages, prices, net };
        match working.filled == working.order.quantity {
            true => self.close(place, outcome),
            false => self.say(place, outcome),
        }
    }

    fn close(&mut self, place: usize, outcome: Outcome) {
        self.orders[place].open = false;
        for i in 0..self.orders[place].order.legs.len() {
            let index = self.orders[place].order.legs[i].index as usize;
            self.watchers[index].retain(|&order| order as usize != place);
        }
        self.say(place, outcome);
    }

    fn say(&mut self, place: usize, outcome: Outcome) {
        let told = execution(&self.orders[place], self.executions + 1, outcome);
        self.push(told);
    }

    fn tell(&mut self, working: &Working, outcome: Outcome) {
        let told = execution(working, self.executions + 1, outcome);
        self.push(told);
    }

    fn push(&mut self, told: Execution) {
        self.executions += 1;
        if self.rng.chance(self.terms.repeat) {
            self.told.push(told.clone());
        }
        self.told.push(told);
    }
}

fn execution(working: &Working, number: u64, outcome: Outcome) -> Execution {
    Execution {
        number,
        owner: working.order.owner,
        order: working.order.clone(),
        order_number: working.number,
        filled: working.filled,
        paid: working.paid,
        open: working.open,
        outcome,
    }
}

/// Packages, leg prices and net at the quotes that the order crosses; `None` where it does not.
fn crossing(board: &Board, order: &NewOrder, left: u32) -> Option<(u32, Vec<i64>, i64)> {
    let (mut packages, mut prices) = (left, Vec::new());
    for leg in &order.legs {
        let touch = board.touch(leg.index);
        let given_away = order.legs.len() > 1 && leg.side < 0;
        let worthless = given_away.then_some((0, touch.ask_size)).filter(|(_, size)| *size > 0);
        let (price, size) = touch.against(leg.side).or(worthless)?;
        packages = packages.min(size / leg.ratio);
        prices.push(price);
    }
    let net = net(&order.legs, &prices);
    let enough = if order.time_in_force == TimeInForce::FillOrKill { left } else { 1 };
    let within = order.limit.is_none_or(|limit| net <= limit);
    (within && packages >= enough).then_some((packages, prices, net))
}

/// Leg prices around the quotes whose net is the limit; the first leg takes the difference.
fn at_limit(board: &Board, legs: &[Leg], limit: i64) -> Option<Vec<i64>> {
    let quoted = |leg: &Leg| board.touch(leg.index).against(leg.side).map_or(0, |(p, _)| p);
    let mut prices: Vec<i64> = legs.iter().map(quoted).collect();
    let first = legs.first()?;
    let units = legs.iter().map(|leg| i64::from(leg.units)).max()?;
    let share = i64::from(first.ratio) * i64::from(first.units);
    let off = limit - net(legs, &prices);
    *prices.first_mut()? += i64::from(first.side) * off * units / share.max(1);
    Some(prices)
}
