//! An intent and the market in; the order as the limits see it out: legs, quotes, nets, payoff.

use super::payoff::{Claim, Claimed, Extremes, extremes};
use crate::{
    book::{Desk, Line, Money, OrderLeg, Sheet, UNBOUNDED, value},
    chain::{Chain, Instrument, Quote},
    wire::{
        Event, Price,
        market::Class,
        order::{LEGS_MAX, Leg, Order},
    },
};
use alloc::vec::Vec;

/// Legs of an intent as they come in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft {
    pub(super) head: Order,
    pub(super) cause: Event,
    pub(super) legs: [(u32, Leg); LEGS_MAX],
    pub(super) count: usize,
    pub(super) broken: bool,
}

impl Draft {
    pub(super) fn new(event: &Event) -> Draft {
        Draft {
            head: *event.body(),
            cause: *event,
            legs: [(0, bytemuck::Zeroable::zeroed()); LEGS_MAX],
            count: 0,
            broken: false,
        }
    }

    /// Adds a leg; whether the intent is complete.
    pub(super) fn add(&mut self, event: &Event) -> bool {
        let leg: &Leg = event.body();
        let fits = leg.order == self.head.id && usize::from(leg.index) == self.count;
        self.broken |= !fits || self.count >= LEGS_MAX;
        if self.count < LEGS_MAX {
            self.legs[self.count] = (event.instrument, *leg);
        }
        self.count += 1;
        self.count >= usize::from(self.head.legs)
    }

    /// Whether legs are as a broker could take them.
    pub(super) fn is_sound(&self) -> bool {
        let count = usize::from(self.head.legs);
        if self.broken || count == 0 || count > LEGS_MAX || count != self.count {
            return false;
        }
        let legs = &self.legs[..count];
        let plain = |(_, leg): &(u32, Leg)| (leg.side == 1 || leg.side == -1) && leg.ratio > 0;
        let twice = (1..count).any(|i| legs[..i].iter().any(|other| other.0 == legs[i].0));
        let known = self.head.purpose.name() != "unknown";
        legs.iter().all(plain) && !twice && known && self.head.quantity > 0
    }
}

/// A leg with what the chain knows of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) index: u32,
    pub(super) leg: Leg,
    pub(super) terms: Option<&'a Instrument>,
    pub(super) quote: Quote,
    pub(super) multiplier: i64,
}

impl<'a> View<'a> {
    pub(super) fn new(chain: &'a Chain, (index, leg): (u32, Leg)) -> View<'a> {
        let terms = chain.instrument(index);
        let multiplier = terms.map_or(0, multiplier);
        View { index, leg, terms, quote: chain.quote(index), multiplier }
    }

    /// The side that it would hit: what it pays or gets at once, 1e-9; `None` where it is absent.
    pub(super) fn far(&self) -> Option<i64> {
        let price = if self.leg.side > 0 { self.quote.ask } else { self.quote.bid };
        Some(Price::from_f64(price)).filter(|price| price.is_defined()).map(|price| price.0)
    }

    /// Contracts displayed there.
    pub(super) fn displayed(&self) -> u32 {
        if self.leg.side > 0 { self.quote.ask_size } else { self.quote.bid_size }
    }

    /// Strike in 1e-9, its own price where it is no option.
    pub(super) fn strike(&self) -> i64 {
        let strike = self.terms.map_or(f64::NAN, |terms| terms.strike);
        let strike = Price::from_f64(strike);
        if strike.is_defined() { strike.0 } else { self.leg.price.0 }
    }

    /// Whether its price is defined, not negative and on its tick.
    pub(super) fn is_on_tick(&self, chain: &Chain) -> bool {
        let price = self.leg.price;
        if !price.is_defined() || price.0 < 0 {
            return false;
        }
        let tick = self.terms.map_or(f64::NAN, |terms| chain.tick(terms.root, price.to_f64()));
        let tick = Price::from_f64(tick);
        tick.is_defined() && tick.0 > 0 && price.0 % tick.0 == 0
    }
}

/// Units of one contract as an integer; 0 where they are unknown or not whole, which no order may
/// have.
pub(super) fn multiplier(terms: &Instrument) -> i64 {
    let whole = terms.multiplier as i64;
    if whole as f64 == terms.multiplier { whole } else { 0 }
}

fn claimed(terms: &Instrument, contracts: i64, multiplier: i64) -> Option<Claimed> {
    let units = contracts.checked_mul(multiplier)?;
    let claim = match terms.class {
        Class::CALL => Claim::Call,
        Class::PUT => Claim::Put,
        _ => return Some(Claimed { claim: Claim::Price, strike: 0, units }),
    };
    let strike = Price::from_f64(terms.strike);
    (strike.is_defined() && strike.0 > 0).then_some(Claimed { claim, strike: strike.0, units })
}

/// What an order comes to at settlement, alone and with what is held beside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outlook {
    /// Worst loss of the order with its fees; `None` where it cannot be known.
    pub(super) order_loss: Option<Money>,
    /// Worst loss of the expiries that it touches, with all that is held and worked in them.
    pub(super) expiry_loss: Option<Money>,
    /// Most that its legs can be worth, before what is paid for them.
    pub(super) best: Option<Money>,
}

/// Reckons with a list of claims that is made once.
#[derive(Debug)]
pub(super) struct Oracle {
    claims: Vec<Claimed>,
    room: usize,
}

impl Oracle {
    pub(super) fn new(room: usize) -> Oracle {
        Oracle { claims: Vec::with_capacity(room), room }
    }

    /// Legs of several expiries are taken expiry by expiry, each at its own worst: what a later
    /// long is worth when a nearer short settles is no arithmetic, so it counts for nothing.
    pub(super) fn outlook(&mut self, desk: &Desk, head: &Order, views: &[View<'_>]) -> Outlook {
        let cash = paid(desk, head, views);
        let (mut order, mut expiry, mut best) = (Some(cash), Some(cash), Some(0));
        for (i, view) in views.iter().enumerate() {
            let Some(group) = view.terms.map(group_of) else {
                return Outlook { order_loss: None, expiry_loss: None, best: None };
            };
            if views[..i].iter().any(|other| other.terms.map(group_of) == Some(group)) {
                continue;
            }
            let alone = self.gather(desk, head, views, group, false);
            order = add(order, alone.map(|found| found.worst.saturating_neg()));
            best = add(best, alone.map(|found| found.best));
            let beside = self.gather(desk, head, views, group, true);
            expiry = add(expiry, beside.map(|found| found.worst.saturating_neg()));
            expiry = add(expiry, Some(worked(desk, group)));
        }
        Outlook { order_loss: order, expiry_loss: expiry, best }
    }

    /// Extremes of the order's claims in a group, with what is held there and its cost if asked.
    fn gather(
        &mut self,
        desk: &Desk,
        head: &Order,
        views: &[View<'_>],
        group: (u16, u16),
        held: bool,
    ) -> Option<Extremes> {
        self.claims.clear();
        for view in views {
            let terms = view.terms?;
            if group_of(terms) == group {
                let contracts = i64::from(view.leg.side) * contracts_of(head, &view.leg);
                self.claims.push(claimed(terms, contracts, view.multiplier)?);
            }
        }
        let mut cost = 0i128;
        for line in desk.book.holdings().filter(|_| held) {
            let terms = desk.chain.instrument(line.instrument)?;
            if group_of(terms) == group {
                cost += i128::from(line.cost);
                self.push_line(terms, line)?;
            }
        }
        Some(extremes(&mut self.claims, -cost))
    }

    fn push_line(&mut self, terms: &Instrument, line: &Line) -> Option<()> {
        let claim = claimed(terms, line.held, line.multiplier)?;
        (self.claims.len() < self.room).then(|| self.claims.push(claim))
    }
}

/// What settles together: the root and its expiry.
fn group_of(terms: &Instrument) -> (u16, u16) {
    (terms.root, terms.expiry)
}

/// Contracts of a leg in all.
pub(super) fn contracts_of(head: &Order, leg: &Leg) -> i64 {
    i64::from(head.quantity).saturating_mul(i64::from(leg.ratio))
}

/// What is paid at the limit, with fees.
fn paid(desk: &Desk, head: &Order, views: &[View<'_>]) -> Money {
    let multiplier = views.first().map_or(0, |view| view.multiplier);
    let net = value(head.limit.0, i64::from(head.quantity), multiplier);
    views.iter().fold(net, |sum, view| {
        let contracts = contracts_of(head, &view.leg).saturating_mul(view.leg.side.into());
        let (index, price) = (view.index, view.leg.price.0);
        sum.saturating_add(desk.book.charge(index, contracts, price, view.multiplier))
    })
}

/// Worst losses of what works in a group, as if none of it made up for another.
fn worked(desk: &Desk, group: (u16, u16)) -> Money {
    let touches =
        |leg: &OrderLeg| desk.chain.instrument(leg.instrument).map(group_of) == Some(group);
    let working = desk.book.working().filter(|order| order.legs().iter().any(touches));
    working.fold(0, |sum: Money, order| sum.saturating_add(order.open_loss()))
}

fn add(a: Option<Money>, b: Option<Money>) -> Option<Money> {
    match (a?, b?) {
        (UNBOUNDED, _) | (_, UNBOUNDED) => Some(UNBOUNDED),
        (a, b) => Some(a.saturating_add(b)),
    }
}

/// The approved order as the book enters it.
pub(super) fn sheet(draft: &Draft, views: &[View<'_>], loss: Money) -> Sheet {
    let mut legs = [OrderLeg::default(); LEGS_MAX];
    for (to, view) in legs.iter_mut().zip(views) {
        *to = OrderLeg {
            instrument: view.index,
            ratio: view.leg.ratio,
            side: i64::from(view.leg.side),
            multiplier: view.multiplier,
            price: view.leg.price.0,
            filled: 0,
        };
    }
    let expiry = views.first().and_then(|view| view.terms).map_or(u16::MAX, |terms| terms.expiry);
    let loss = if draft.head.purpose.opens() { loss } else { 0 };
    Sheet { head: draft.head, legs, loss, expiry, sent: draft.cause.ts_recv }
}
