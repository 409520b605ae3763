//! Approved orders and broker reports in; positions, packages, working orders and P&L out.
//!
//! [`Desk`] is what the stages of one thread know together. The [`Book`] holds what we own and
//! asked for, and what the outside has said of trading at all: session, kill switch, halts. It is
//! told of approved orders by RISK ([`Book::register`]) and of everything else by events
//! ([`Book::apply`]); two books that saw the same are the same.
//!
//! Everything is preallocated. An order's number leads to its place; places are taken again, oldest
//! first, once their order has ended. Contracts that the broker says were traded are ours, whatever
//! we thought of the order: late fills, fills after a cancel and overfills all count. What cannot
//! be attributed is counted in [`Tally`], and RISK halts on it.
//!
//! A RUN in the middle of the stream means that the process had ended: what was live then is in
//! doubt until the broker has said how it stands, and RISK sends nothing meanwhile.

mod audit;
mod explain;
mod exposure;
mod fixing;
mod horizon;
mod line;
mod mark;
mod money;
mod order;
mod package;
mod record;
mod reports;
mod seen;
mod settings;
mod settle;
mod tariff;
mod tell;
mod venue;

pub use audit::{Audit, Standing};
pub use explain::{CAUSES, Cause, CauseDoc};
pub use exposure::{Dollars, Exposure, per_unit, underlying_name};
pub use horizon::{Horizon, Roster};
pub use line::Line;
pub use mark::{Mark, mark, unrealised};
pub use money::{Money, UNBOUNDED, fit, from_currency, to_currency, value};
pub use order::{Order, OrderLeg, State, net, unit};
pub use package::{LINES_MAX, Package};
pub use record::Record;
pub use reports::{Outcome, Tally};
pub use settings::Account;
pub use tariff::{Charge, Deed, FeeRow, Tariffs, Trades};
pub use venue::Venue;

use crate::{
    chain::Chain,
    feature::{Gauge, Row},
    wire::{
        Event, Kind, Timestamp, UNDEF_TIME, control, market,
        order::{LEGS_MAX, Order as Head, Purpose},
    },
};
use alloc::{vec, vec::Vec};
use explain::Track;
use fixing::Fixings;
use record::STRATEGIES_MAX;
use seen::Seen;
use tariff::{NO_TARIFF, Place};

/// What the stages of one thread know together.
#[derive(Debug)]
pub struct Desk {
    /// The market.
    pub chain: Chain,
    /// What we own.
    pub book: Book,
    /// The latest row of features.
    pub features: Row,
}

impl AsMut<Row> for Desk {
    fn as_mut(&mut self) -> &mut Row {
        &mut self.features
    }
}

impl AsRef<Chain> for Desk {
    fn as_ref(&self) -> &Chain {
        &self.chain
    }
}

impl AsMut<Chain> for Desk {
    fn as_mut(&mut self) -> &mut Chain {
        &mut self.chain
    }
}

impl AsRef<Book> for Desk {
    fn as_ref(&self) -> &Book {
        &self.book
    }
}

impl AsMut<Book> for Desk {
    fn as_mut(&mut self) -> &mut Book {
        &mut self.book
    }
}

impl Desk {
    /// Revalues what is held at the worse side of the market: longs at the bid (0 without one),
    /// shorts at the ask. A short without an ask leaves the session's P&L unknown. The market's
    /// volatility is read too.
    pub fn mark(&mut self) {
        if let Some((gauge, scale)) = self.book.regime {
            self.book.venue.volatility = scale * gauge.read(&self.chain, &self.features);
        }
        self.book.pnl = unrealised(&self.chain, self.book.holdings(), Mark::Worse)
            .map(|open| self.book.realised.saturating_add(open).saturating_sub(self.book.fees));
    }
}

/// An order with all that RISK knows of it, ready to be registered.
#[derive(Clone, Copy, Debug)]
pub struct Sheet {
    /// The order as it is sent.
    pub head: Head,
    /// Its legs; the first `head.legs` count.
    pub legs: [OrderLeg; LEGS_MAX],
    /// Worst-case loss at expiry, fees included; 0 where it closes.
    pub loss: Money,
    /// Its expiry's index in the chain.
    pub expiry: u16,
    /// Receive time of its cause.
    pub sent: Timestamp,
}

/// Contracts of one instrument.
#[derive(Clone, Copy, Debug, Default)]
pub struct Position {
    /// What is held.
    pub line: Line,
    /// Contracts that working orders may still buy.
    pub buying: i64,
    /// Contracts that working orders may still sell.
    pub selling: i64,
}

/// What was refused last: how a strategy learns what became of its intent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Refused {
    /// The intent's number.
    pub order: u64,
    /// One bit per violated limit.
    pub violated: u128,
}

/// The bit of a refusal of a closing order that would leave something owed without its cover.
pub const UNCOVERS: u32 = 59;

/// What we own, what we asked for, and whether we may ask.
#[derive(Debug)]
pub struct Book {
    /// What the outside has said of trading.
    pub venue: Venue,
    /// Reports that were not plain.
    pub tally: Tally,
    /// What the broker says it holds.
    pub audit: Audit,
    /// The latest refusal.
    pub refused: Refused,
    /// Session profit at the latest mark, fees taken off; `None` where it cannot be known.
    pub pnl: Option<Money>,
    /// Profit of what was closed, before fees.
    pub realised: Money,
    /// Fees of the session.
    pub fees: Money,
    /// Capital that shares are reckoned from.
    pub capital: Money,
    /// Of what no row of the table of fees is for, each side.
    fee: Money,
    /// Contracts traded in the session.
    pub traded: u64,
    /// Goes up with whatever changes what is held or can still be.
    pub changes: u64,
    /// Sessions of the run so far: 1 more than the times that it was taken up again.
    pub sessions: u64,
    doubts: u32,
    base: u64,
    given: u64,
    orders: Vec<Order>,
    live: Vec<u64>,
    packages: Vec<Package>,
    open: Vec<u32>,
    cursor: usize,
    positions: Vec<Position>,
    held: Vec<u32>,
    seen: Seen,
    /// The chain's time at the latest turn, or the venue's of a later report.
    now: Timestamp,
    tariffs: Tariffs,
    /// By instrument.
    tariff_of: Vec<Place>,
    fixings: Fixings,
    /// What is held has changed since `watch_from` was reckoned.
    moved: bool,
    /// When the first settlement has to be watched from.
    watch_from: Option<Timestamp>,
    /// By strategy.
    records: Vec<Record>,
    /// Where the market's volatility is read from, and what it is times to be one a year.
    regime: Option<(Gauge, f64)>,
    /// By package.
    tracks: Vec<Track>,
    /// Packages that were filled or settled, and which of the two.
    stirred: Vec<(u32, bool)>,
    explain_at: Timestamp,
    explain_every: u64,
}

const NO_PACKAGE: u32 = u32::MAX;

impl Book {
    /// An empty book; `broker` is the number of the broker's session in events.
    pub fn new(account: &Account, broker: u16) -> Book {
        let orders = account.orders_max.next_power_of_two();
        Book {
            venue: Venue::new(broker, account.instruments_max),
            tally: Tally::default(),
            audit: Audit::new(account.packages_max.max(64) * LEGS_MAX),
            refused: Refused::default(),
            pnl: Some(0),
            realised: 0,
            fees: 0,
            capital: from_currency(account.capital),
            fee: from_currency(account.fee_per_contract),
            traded: 0,
            changes: 0,
            sessions: 0,
            doubts: 0,
            base: 0,
            given: 0,
            orders: vec![Order::EMPTY; orders],
            live: Vec::with_capacity(orders),
            packages: vec![Package::default(); account.packages_max],
            open: Vec::with_capacity(account.packages_max),
            cursor: 0,
            positions: vec![Position::default(); account.instruments_max],
            held: Vec::with_capacity(account.instruments_max),
            seen: Seen::new(4 * orders),
            now: 0,
            tariffs: Tariffs::flat(from_currency(account.fee_per_contract)),
            tariff_of: vec![NO_TARIFF; account.instruments_max],
            fixings: Fixings::new(),
            moved: false,
            watch_from: None,
            records: vec![Record::default(); STRATEGIES_MAX],
            regime: None,
            tracks: vec![Track::default(); account.packages_max],
            stirred: Vec::with_capacity(account.packages_max),
            explain_at: 0,
            explain_every: account.explain_every.nanos(),
        }
    }

    /// The same with a table of fees.
    pub fn with_fees(self, fees: &Tariffs) -> Book {
        Book { tariffs: fees.clone().over(self.fee), ..self }
    }

    /// The same with something that says how volatile the market is, times a scale.
    pub fn with_regime(self, regime: Option<(Gauge, f64)>) -> Book {
        Book { regime, ..self }
    }

    /// Takes what concerns it: the run, reports, sessions, status, commands.
    #[inline]
    pub fn apply(&mut self, event: &Event) {
        match event.kind {
            Kind::RUN => self.begin(event.body()),
            Kind::REPORT => {
                if event.ts_event != UNDEF_TIME {
                    self.now = self.now.max(event.ts_event);
                }
                self.report(event.body());
            }
            Kind::DEFINITION => self.define(event.instrument, event.body()),
            Kind::SESSION => self.session(event),
            Kind::STATUS | Kind::COMMAND | Kind::CLOCK | Kind::DISK => self.venue.apply(event),
            _ => {}
        }
    }

    fn define(&mut self, instrument: u32, definition: &market::Definition) {
        if let Some(place) = self.tariff_of.get_mut(instrument as usize) {
            *place = self.tariffs.place(definition.root, definition.class);
        }
    }

    /// The most that a fill of these contracts (signed) at this price costs, however it is split.
    pub fn charge(&self, instrument: u32, contracts: i64, price: i64, multiplier: i64) -> Money {
        let charge = Charge::fill(contracts, price, multiplier, true);
        self.tariffs.most(self.tariff(instrument), self.now, &charge)
    }

    fn tariff(&self, instrument: u32) -> Place {
        self.tariff_of.get(instrument as usize).copied().unwrap_or(NO_TARIFF)
    }

    /// A session of the run begins. Numbers go on above all that were given before, and what was
    /// live may have become anything.
    fn begin(&mut self, run: &control::Run) {
        self.changes += 1;
        let last = self.base + self.given;
        let base = run.order_base.max(last);
        // At the place behind the last one: an order that has just ended may still be filled late,
        // and must not be the first to be forgotten.
        let ahead = last.wrapping_sub(base) & (self.orders.len() as u64 - 1);
        self.base = if last > 0 { base + ahead } else { base };
        self.given = 0;
        self.sessions += 1;
        self.venue.begin();
        self.audit.forget();
        self.forget_requests();
        for i in 0..self.live.len() {
            self.doubt(self.place(self.live[i]), true);
        }
    }

    /// A session that was down may have swallowed cancels and inquiries: they may be sent again.
    fn session(&mut self, event: &Event) {
        self.venue.apply(event);
        if !self.venue.broker_up {
            self.audit.forget();
            self.forget_requests();
        }
    }

    fn forget_requests(&mut self) {
        for i in 0..self.live.len() {
            let at = self.place(self.live[i]);
            let order = &mut self.orders[at];
            (order.canceling, order.asked, order.tries) = (0, 0, 0);
        }
    }

    fn doubt(&mut self, at: usize, doubt: bool) {
        match (core::mem::replace(&mut self.orders[at].doubt, doubt), doubt) {
            (false, true) => self.doubts += 1,
            (true, false) => self.doubts -= 1,
            _ => {}
        }
    }

    /// Orders of which nobody here knows how they stand.
    #[inline]
    pub fn in_doubt(&self) -> u32 {
        self.doubts
    }

    /// Whether the broker can be asked for something new: it is there, and nothing is in doubt.
    #[inline]
    pub fn may_ask(&self) -> bool {
        self.venue.broker_up && self.doubts == 0
    }

    /// Whether to inquire after an order at `now`: it is in doubt, and no inquiry younger than
    /// `again_after` is on its way.
    pub fn is_inquiry_due(&self, order: &Order, now: Timestamp, again_after: u64) -> bool {
        order.doubt && (order.asked == 0 || now >= order.asked.saturating_add(again_after))
    }

    /// Enters an inquiry, sent at `now`; gives how many came before it.
    pub fn register_inquiry(&mut self, order: u64, now: Timestamp) -> u32 {
        let at = self.place(order);
        let order = &mut self.orders[at];
        order.asked = now.max(1);
        order.tries += 1;
        order.tries - 1
    }

    /// A number for the next order or cancel; it is used up whatever becomes of it. Numbers whose
    /// place is taken are passed over: those of an earlier session may lie anywhere.
    pub fn number(&mut self) -> u64 {
        for _ in 0..self.orders.len() {
            self.given += 1;
            if self.may_forget(self.place(self.base + self.given)) {
                break;
            }
        }
        self.base + self.given
    }

    /// Whether `id` was given out, was not used, and has a place.
    pub fn is_fresh(&self, id: u64) -> bool {
        let given = id > self.base && id <= self.base + self.given;
        given && self.orders[self.place(id)].id < id && self.may_forget(self.place(id))
    }

    /// Whether a package of this order has a place: its own, or that of the package it belongs to.
    pub fn has_room(&self, head: &Head) -> bool {
        let new = head.package == head.id;
        let free = self.open.len() < self.packages.len();
        if new { free } else { self.package(head.package).is_some() }
    }

    /// Whether what a hedge or an adjustment brings in has lines in its package.
    pub fn has_lines(&self, package: u64, instruments: impl Iterator<Item = u32>) -> bool {
        self.package(package).is_some_and(|package| package.has_lines(instruments))
    }

    /// The order of this number, while it is remembered.
    #[inline]
    pub fn order(&self, id: u64) -> Option<&Order> {
        let order = &self.orders[self.place(id)];
        (order.id == id && order.count > 0).then_some(order)
    }

    /// Numbers of the orders that can still trade.
    pub fn live(&self) -> &[u64] {
        &self.live
    }

    /// The orders that can still trade.
    pub fn working(&self) -> impl Iterator<Item = &Order> {
        self.live.iter().map(|&id| &self.orders[self.place(id)])
    }

    /// The package that this order opened, while it is remembered.
    pub fn package(&self, id: u64) -> Option<&Package> {
        let package = self.packages.get(self.order(id)?.place as usize)?;
        (package.id == id).then_some(package)
    }

    /// All packages that hold something or still can.
    pub fn open_packages(&self) -> impl ExactSizeIterator<Item = &Package> {
        self.open.iter().map(|&place| &self.packages[place as usize])
    }

    /// What is held and worked of one instrument; nothing for one that does not exist.
    #[inline]
    pub fn position(&self, instrument: u32) -> Position {
        self.positions.get(instrument as usize).copied().unwrap_or_default()
    }

    /// All instruments that are held.
    pub fn holdings(&self) -> impl ExactSizeIterator<Item = &Line> {
        self.held.iter().map(|&instrument| &self.positions[instrument as usize].line)
    }

    /// Whether nothing is held and no order can trade.
    pub fn is_flat(&self) -> bool {
        self.held.is_empty() && self.live.is_empty()
    }

    /// Instruments that it has room for.
    pub fn instruments_max(&self) -> usize {
        self.positions.len()
    }

    #[inline(always)]
    fn place(&self, id: u64) -> usize {
        id as usize & (self.orders.len() - 1)
    }

    /// An order is remembered while it can trade and while the package that it opened is open.
    fn may_forget(&self, place: usize) -> bool {
        let order = &self.orders[place];
        let owner = self.packages.get(order.place as usize).filter(|p| p.id == order.id);
        !order.state.is_live() && !owner.is_some_and(Package::is_open) || order.id == 0
    }

    /// Enters an approved order; false where there is no place for it or its number is not fresh.
    pub fn register(&mut self, sheet: &Sheet) -> bool {
        let head = &sheet.head;
        let legs = sheet.legs[..usize::from(head.legs).min(LEGS_MAX)].iter();
        let new = head.package == head.id;
        let lines = new || self.has_lines(head.package, legs.map(|leg| leg.instrument));
        if !self.is_fresh(head.id) || !self.has_room(head) || !lines {
            return false;
        }
        self.changes += 1;
        let place = self.package_for(sheet);
        let order = Order::new(sheet, place);
        for leg in 0..order.legs().len() {
            self.promise(&order, leg, 1);
        }
        let package = &mut self.packages[place as usize];
        let was_open = package.is_open();
        package.live += 1;
        package.loss = match head.purpose {
            Purpose::CHANGE => package.loss.saturating_add(sheet.loss.max(0)),
            _ => package.loss.max(sheet.loss),
        };
        self.list(place, was_open);
        let at = self.place(head.id);
        self.orders[at] = order;
        self.live.push(head.id);
        true
    }

    /// Whether a cancel at `now` makes sense: the order can trade, and no cancel younger than
    /// `again_after` is on its way.
    pub fn can_cancel(&self, order: u64, now: Timestamp, again_after: u64) -> bool {
        self.order(order).is_some_and(|target| {
            let waiting = target.canceling != 0 && now < target.canceling + again_after;
            target.state.is_live() && !waiting
        })
    }

    /// Enters an approved cancel, sent at `now`.
    pub fn register_cancel(&mut self, id: u64, order: u64, now: Timestamp) {
        let at = self.place(order);
        self.orders[at].canceling = now.max(1);
        // Without a place the cancel is sent all the same: its report names the order, or is lost.
        if self.is_fresh(id) {
            let place = self.place(id);
            self.orders[place] = Order { id, package: order, ..Order::EMPTY };
        }
    }

    /// Counts what leg `i` of an order may still trade in or out of the position.
    fn promise(&mut self, order: &Order, i: usize, sign: i64) {
        let leg = &order.legs()[i];
        let missing = order.wanted(i).saturating_sub(leg.filled) as i64 * sign;
        if let Some(position) = self.positions.get_mut(leg.instrument as usize) {
            *(if leg.side > 0 { &mut position.buying } else { &mut position.selling }) += missing;
        }
    }

    fn package_for(&mut self, sheet: &Sheet) -> u32 {
        let head = &sheet.head;
        let legs = &sheet.legs[..usize::from(head.legs).min(LEGS_MAX)];
        if head.package != head.id {
            let place = self.order(head.package).map_or(NO_PACKAGE, |order| order.place);
            if let Some(package) = self.packages.get_mut(place as usize) {
                for leg in legs {
                    package.open_line(leg.instrument, leg.multiplier);
                }
            }
            return place;
        }
        // There is a free one: `has_room` was asked.
        while self.packages[self.cursor].is_open() {
            self.cursor = (self.cursor + 1) % self.packages.len();
        }
        let place = self.cursor;
        self.cursor = (self.cursor + 1) % self.packages.len();
        let mut package = Package { id: head.id, strategy: head.strategy, ..Package::default() };
        package.expiry = sheet.expiry;
        for leg in legs {
            package.open_line(leg.instrument, leg.multiplier);
        }
        self.packages[place] = package;
        self.tracks[place] = Track::default();
        place as u32
    }
}

impl Order {
    const EMPTY: Order = Order {
        id: 0,
        package: 0,
        limit: 0,
        loss: 0,
        sent: 0,
        expiry: 0,
        strategy: 0,
        quantity: 0,
        purpose: Purpose(0),
        state: State::Canceled,
        canceling: 0,
        doubt: false,
        asked: 0,
        tries: 0,
        place: NO_PACKAGE,
        count: 0,
        slots: [OrderLeg { instrument: 0, ratio: 0, side: 0, multiplier: 0, price: 0, filled: 0 };
            LEGS_MAX],
    };

    fn new(sheet: &Sheet, place: u32) -> Order {
        let head = &sheet.head;
        Order {
            id: head.id,
            package: head.package,
            limit: head.limit.0,
            loss: sheet.loss,
            sent: sheet.sent,
            expiry: sheet.expiry,
            strategy: head.strategy,
            quantity: head.quantity,
            purpose: head.purpose,
            state: State::Sent,
            canceling: 0,
            doubt: false,
            asked: 0,
            tries: 0,
            place,
            count: head.legs,
            slots: sheet.legs,
        }
    }
}
