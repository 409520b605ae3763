//! Approvals and reports in; what must be held by them, and what the venue truly holds, out.

use super::{quotes::Quotes, witness::MULTIPLIER};
use crate::{
    sim::venue::{self, Exchange},
    wire::{
        Event, Timestamp,
        market::Definition,
        order::{Leg, Order, OrderStatus, Report, ReportKind},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};

/// An order as it was approved.
#[derive(Clone, Debug)]
pub(super) struct Approved {
    pub(super) head: Order,
    pub(super) legs: Vec<(u32, Leg)>,
    /// Receive time of its cause.
    pub(super) at: Timestamp,
    /// The output's number of its last leg.
    pub(super) last_output: u64,
}

impl Approved {
    pub(super) fn new(head: Order, at: Timestamp) -> Approved {
        Approved { head, legs: Vec::new(), at, last_output: 0 }
    }

    /// Contracts of a leg in all.
    pub(super) fn contracts(&self, leg: &Leg) -> i64 {
        i64::from(leg.ratio) * i64::from(self.head.quantity)
    }

    /// What is paid at the limit, 1e-9.
    pub(super) fn premium(&self) -> i128 {
        i128::from(self.head.limit.0) * i128::from(self.head.quantity) * MULTIPLIER
    }
}

/// What follows from approvals and reports alone.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) approved: BTreeMap<u64, Approved>,
    /// Contracts held by instrument.
    pub(super) held: BTreeMap<u32, i64>,
    /// Fills of unknown orders, and more than was ordered.
    pub(super) odd: u64,
    pub(super) fills: u64,
    /// The contract's place in the market's list, and strike and right, by instrument.
    places: BTreeMap<u32, usize>,
    strikes: BTreeMap<u32, (i64, bool)>,
    filled: BTreeMap<(u64, u8), i64>,
    seen: BTreeSet<(u64, u64, u8)>,
    /// Orders that never reached the venue, by the gate's word, or that it refused.
    ended: BTreeSet<u64>,
    /// Orders that were approved by an earlier process, those that the gate has left out of a
    /// resend, and those that the broker has spoken of since.
    old: BTreeSet<u64>,
    left_out: BTreeSet<u64>,
    heard: BTreeSet<u64>,
    cash: i128,
    fee: i128,
    fees: i128,
}

impl Ledger {
    pub(super) fn new(fee: i64) -> Ledger {
        Ledger {
            approved: BTreeMap::new(),
            held: BTreeMap::new(),
            odd: 0,
            fills: 0,
            places: BTreeMap::new(),
            strikes: BTreeMap::new(),
            filled: BTreeMap::new(),
            seen: BTreeSet::new(),
            ended: BTreeSet::new(),
            old: BTreeSet::new(),
            left_out: BTreeSet::new(),
            heard: BTreeSet::new(),
            cash: 0,
            fee: fee.into(),
            fees: 0,
        }
    }

    pub(super) fn define(&mut self, event: &Event) {
        let definition: &Definition = event.body();
        // The market numbers its contracts by sevens from a thousand.
        let place = (definition.venue_id as usize).saturating_sub(1_000) / 7;
        self.places.insert(event.instrument, place);
        let call = definition.class == crate::wire::market::Class::CALL;
        self.strikes.insert(event.instrument, (definition.strike.0, call));
    }

    /// A process begins.
    pub(super) fn begin(&mut self) {
        self.old = self.approved.keys().copied().collect();
        self.left_out.clear();
        self.heard.clear();
    }

    /// Whether an order was approved by an earlier process.
    pub(super) fn is_old(&self, id: u64) -> bool {
        self.old.contains(&id)
    }

    /// Orders of an earlier process, or left out of a resend, that may trade, or may never have
    /// arrived, and of which the broker has said nothing since.
    pub(super) fn doubts(&self, exchange: &Exchange) -> Vec<u64> {
        let unknown = |id: &&u64| {
            let order = exchange.find(**id);
            let over = self.ended.contains(*id) || order.is_some_and(|order| !order.is_open());
            !over && !self.heard.contains(*id)
        };
        self.old.union(&self.left_out).filter(unknown).copied().collect()
    }

    pub(super) fn report(&mut self, report: &Report) {
        if report.event == ReportKind::DOUBT {
            self.heard.remove(&report.order);
            self.left_out.insert(report.order);
            return;
        }
        self.heard.insert(report.order);
        let Some(order) = self.approved.get(&report.order) else {
            if report.event == ReportKind::FILL && report.quantity > 0 {
                let key = (report.exec_id, report.order, report.leg);
                self.odd += u64::from(self.seen.insert(key));
            }
            return;
        };
        let answers = [ReportKind::REJECTED, ReportKind::STATUS, ReportKind::CANCEL_REFUSED];
        if answers.contains(&report.event) && report.status == OrderStatus::REJECTED {
            self.ended.insert(report.order);
        }
        let whole = report.leg == Report::WHOLE;
        if report.event != ReportKind::FILL || report.quantity == 0 || whole {
            return;
        }
        if !self.seen.insert((report.exec_id, report.order, report.leg)) {
            return;
        }
        let Some((instrument, leg)) = order.legs.get(usize::from(report.leg)) else { return };
        let contracts = i64::from(leg.side) * i64::from(report.quantity);
        let filled = self.filled.entry((report.order, report.leg)).or_default();
        *filled += i64::from(report.quantity);
        self.odd += u64::from(*filled > order.contracts(leg));
        self.fills += 1;
        *self.held.entry(*instrument).or_default() += contracts;
        self.cash -= i128::from(contracts) * i128::from(report.price.0) * MULTIPLIER;
        self.fees += self.fee * i128::from(report.quantity);
    }

    /// Profit of the day, 1e-9, at the worse side; `None` where a short has no ask.
    pub(super) fn profit(&self, quotes: &Quotes) -> Option<i128> {
        let mut profit = self.cash - self.fees;
        for (&instrument, &held) in self.held.iter().filter(|(_, held)| **held != 0) {
            let (bid, ask) = quotes.of(instrument);
            let price = if held > 0 { bid.unwrap_or(0) } else { ask? };
            profit += i128::from(held) * i128::from(price) * MULTIPLIER;
        }
        Some(profit)
    }

    /// Worst loss of an order at settlement, fees included, 1e-9; `None` where it has no bound.
    /// By trying: the value has its extremes at 0, at the strikes, or beyond the last one.
    pub(super) fn worst_loss(&self, order: &Approved) -> Option<i128> {
        let terms = |(instrument, leg): &(u32, Leg)| {
            let (strike, call) = *self.strikes.get(instrument)?;
            let contracts = i128::from(order.contracts(leg)) * i128::from(leg.side);
            Some((i128::from(strike), call, contracts))
        };
        let legs: Vec<(i128, bool, i128)> = order.legs.iter().map(terms).collect::<Option<_>>()?;
        let slope: i128 = legs.iter().filter(|leg| leg.1).map(|leg| leg.2).sum();
        if slope < 0 {
            return None;
        }
        let value = |spot: i128| -> i128 {
            let leg = |(strike, call, contracts): &(i128, bool, i128)| {
                let inside = if *call { spot - strike } else { strike - spot };
                inside.max(0) * contracts * MULTIPLIER
            };
            legs.iter().map(leg).sum()
        };
        let worst = legs.iter().map(|leg| value(leg.0)).chain([value(0)]).min().unwrap_or(0);
        let contracts: i64 = order.legs.iter().map(|(_, leg)| order.contracts(leg)).sum();
        Some(order.premium() + self.fee * i128::from(contracts) - worst)
    }

    /// Orders that can still trade: at the venue, or on their way there.
    pub(super) fn working(&self, exchange: &Exchange) -> u64 {
        let open = exchange.orders.iter().filter(|order| order.is_open()).count() as u64;
        open + self.travelling(exchange).count() as u64
    }

    /// Approved, not at the venue yet, and not reported as refused.
    fn travelling<'a>(&'a self, exchange: &'a Exchange) -> impl Iterator<Item = &'a Approved> {
        let gone = |id: &u64| self.ended.contains(id) || exchange.find(*id).is_some();
        self.approved.iter().filter(move |(id, _)| !gone(id)).map(|(_, order)| order)
    }

    /// Contracts that would be long, and short, if everything filled; and how many of what is held
    /// the engine may not know of, because the venue traded or told them as it should not.
    pub(super) fn exposure(&self, instrument: u32, exchange: &Exchange) -> (i64, i64, i64) {
        let Some(&place) = self.places.get(&instrument) else { return (0, 0, 0) };
        let mine = exchange.fills.iter().filter(|fill| fill.place == place);
        let (mut held, mut odd) = (0, 0);
        for fill in mine.filter(|fill| self.approved.contains_key(&fill.order)) {
            held += fill.contracts;
            odd += if fill.odd { fill.contracts.abs() } else { 0 };
        }
        let (mut buying, mut selling) = (0, 0);
        let mut add = |side: i64, contracts: i64| match side > 0 {
            true => buying += contracts,
            false => selling += contracts,
        };
        for order in exchange.orders.iter().filter(|order| order.is_open()) {
            for leg in order.legs.iter().filter(|leg| leg.place == place) {
                add(leg.side, i64::from(leg.ratio) * i64::from(order.left()));
            }
        }
        for order in self.travelling(exchange) {
            for (_, leg) in order.legs.iter().filter(|leg| leg.0 == instrument) {
                add(leg.side.into(), order.contracts(leg));
            }
        }
        (held + buying, selling - held, odd)
    }

    /// What is held by the reports, by strike and whether it is a call.
    pub(super) fn contracts(&self) -> BTreeMap<(i64, bool), i64> {
        let held = self.held.iter().filter(|(_, held)| **held != 0);
        held.map(|(instrument, held)| (self.strikes[instrument], *held)).collect()
    }

    /// What the venue holds for us by instrument, strange fills apart.
    pub(super) fn truth(&self, exchange: &Exchange) -> BTreeMap<u32, i64> {
        let mut truth = BTreeMap::new();
        for fill in exchange.fills.iter().filter(|fill| self.approved.contains_key(&fill.order)) {
            let found = self.places.iter().find(|(_, place)| **place == fill.place);
            if let Some((instrument, _)) = found {
                *truth.entry(*instrument).or_default() += fill.contracts;
            }
        }
        truth.retain(|_, held| *held != 0);
        truth
    }

    /// What is wrong with an order at the venue, if anything is.
    pub(super) fn differs(&self, order: &venue::Order) -> Option<String> {
        let id = order.id;
        let Some(approved) = self.approved.get(&id) else {
            return Some(format!("order {id:x} is at the venue without approval"));
        };
        let head = &approved.head;
        let single = approved.legs.len() == 1;
        let leg = |(instrument, leg): &(u32, Leg)| venue::Leg {
            place: self.places.get(instrument).copied().unwrap_or(usize::MAX),
            side: leg.side.into(),
            ratio: if single { 1 } else { leg.ratio },
        };
        let legs: Vec<venue::Leg> = approved.legs.iter().map(leg).collect();
        let ratio = if single { approved.legs[0].1.ratio } else { 1 };
        let same = legs == order.legs
            && head.limit.0 == order.limit * i64::from(ratio)
            && head.quantity * ratio == order.quantity;
        (!same).then(|| format!("order {id:x} is not as approved: {order:?} for {approved:?}"))
    }
}
