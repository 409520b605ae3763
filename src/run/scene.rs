//! Outputs of a replay in; what was known when one order was decided, in words, out.

use super::Plan;
use crate::{
    book::{Desk, to_currency},
    chain::NO_EXPIRY,
    journal::{Names, show_time},
    risk::Cleared,
    stage::Emit,
    strategy::Code,
    wire::{
        Event, Kind,
        order::{Decision, Leg, Order},
    },
};
use core::fmt::Write;
use std::{
    string::{String, ToString},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    vec::Vec,
};

/// Orders whose numbers are below this are meant by their place.
const PLACES: u64 = 1 << 24;
/// Decisions that are told.
const DECISIONS: usize = 5;

/// Watches outputs until one order has all its legs.
pub(super) struct Scene {
    wanted: u64,
    pub(super) names: Names,
    strategies: Vec<String>,
    stop: Arc<AtomicBool>,
    /// Orders so far.
    pub(super) orders: u64,
    /// Number of the input that the order was decided on.
    pub(super) cause: u64,
    head: Option<Event>,
    legs: Vec<Event>,
    decisions: Vec<Event>,
    /// What was known then.
    pub(super) told: Option<String>,
}

impl Scene {
    /// Of the order in this place, or of this number; sets `stop` when it has come.
    pub(super) fn new(wanted: u64, names: Names, plan: &Plan, stop: Arc<AtomicBool>) -> Scene {
        Scene {
            wanted,
            names,
            strategies: plan.strategies.names().map(String::from).collect(),
            stop,
            orders: 0,
            cause: 0,
            head: None,
            legs: Vec::new(),
            decisions: Vec::new(),
            told: None,
        }
    }

    fn on_output(&mut self, desk: &Desk, event: &Event) {
        match event.kind {
            Kind::DECISION => {
                let surplus = (self.decisions.len() + 1).saturating_sub(DECISIONS);
                self.decisions.drain(..surplus);
                self.decisions.push(*event);
            }
            Kind::ORDER => {
                self.orders += 1;
                let number = event.body::<Order>().id;
                if self.wanted == if self.wanted < PLACES { self.orders } else { number } {
                    (self.head, self.cause) = (Some(*event), event.seq);
                }
            }
            Kind::ORDER_LEG if self.head.is_some() => self.legs.push(*event),
            _ => {}
        }
        if let Some(head) = self.head
            && self.legs.len() == usize::from(head.body::<Order>().legs)
        {
            let mut text = String::new();
            if self.tell(desk, &head, &mut text).is_ok() {
                self.told = Some(text);
            }
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn tell(&self, desk: &Desk, head: &Event, out: &mut String) -> core::fmt::Result {
        let order = head.body::<Order>();
        let strategy = self.strategies.get(usize::from(order.strategy)).map_or("-", String::as_str);
        writeln!(out, "order {} of the run, number {}", self.orders, order.id)?;
        writeln!(out, "  {} of {strategy}, package {}", order.purpose.name(), order.package)?;
        let (quantity, limit) = (order.quantity, order.limit.to_f64());
        writeln!(out, "  {quantity} packages at a net of {limit} a unit (negative is received)")?;
        writeln!(
            out,
            "  decided {}, market time {}",
            show_time(head.ts_recv),
            show_time(desk.chain.now)
        )?;
        writeln!(out, "legs")?;
        self.legs.iter().try_for_each(|leg| self.leg(desk, leg, out))?;
        self.expiry(desk, out)?;
        writeln!(out, "last decisions")?;
        for event in &self.decisions {
            let Decision { code, a, b, package, .. } = *event.body::<Decision>();
            let (seq, name) = (event.seq, Code(code).name());
            writeln!(out, "  input {seq}: {name} a={a} b={b} package={package}")?;
        }
        self.book(desk, out)
    }

    fn leg(&self, desk: &Desk, event: &Event, out: &mut String) -> core::fmt::Result {
        let (leg, instrument) = (event.body::<Leg>(), event.instrument);
        let side = if leg.side > 0 { "buy" } else { "sell" };
        let (quote, name) = (desk.chain.quote(instrument), self.names.of(instrument));
        let price = leg.price.to_f64();
        write!(out, "  {side} {} {name} ({instrument}) reckoned at {price}: ", leg.ratio)?;
        let (bid, ask) = (quote.bid, quote.ask);
        write!(out, "{bid} x {} / {ask} x {}", quote.bid_size, quote.ask_size)?;
        let age = desk.chain.now.saturating_sub(quote.ts) as f64 / 1e9;
        write!(out, ", {age:.3} s old{}", if quote.stale { ", stale" } else { "" })?;
        match desk.chain.greeks(instrument) {
            Some(g) => writeln!(
                out,
                "; iv {:.4} theo {:.4} delta {:.4} gamma {:.6} theta {:.3} vega {:.3} ({})",
                g.iv,
                g.price,
                g.delta,
                g.gamma,
                g.theta,
                g.vega,
                g.status.name()
            ),
            None => writeln!(out, "; no Greeks"),
        }
    }

    /// The forward that the Greeks of the first leg refer to, and the spot.
    fn expiry(&self, desk: &Desk, out: &mut String) -> core::fmt::Result {
        let first = self.legs.first().and_then(|leg| desk.chain.instrument(leg.instrument));
        let Some(terms) = first.filter(|terms| terms.expiry != NO_EXPIRY) else { return Ok(()) };
        let expiry = desk.chain.expiry(terms.expiry);
        writeln!(out, "expiry\n  settles {}", show_time(expiry.settles))?;
        let (forward, discount, years) = (expiry.forward, expiry.discount, expiry.years);
        writeln!(out, "  forward {forward:.4}, discount {discount:.6}, {years:.8} years")?;
        match desk.chain.spot(terms.root) {
            spot if spot.is_nan() => writeln!(out, "  spot not known"),
            spot => writeln!(out, "  spot {spot}"),
        }
    }

    fn book(&self, desk: &Desk, out: &mut String) -> core::fmt::Result {
        let book = &desk.book;
        writeln!(out, "positions")?;
        for line in book.holdings() {
            let average = line.average() as f64 / 1e9;
            let name = self.names.of(line.instrument);
            writeln!(out, "  {:+} {name} ({}) at {average}", line.held, line.instrument)?;
        }
        let pnl = book.pnl.map_or("unknown".into(), |pnl| to_currency(pnl).to_string());
        let (packages, working) = (book.open_packages().len(), book.live().len());
        writeln!(out, "  {packages} open packages, {working} working orders")?;
        let (realised, fees) = (to_currency(book.realised), to_currency(book.fees));
        write!(out, "P&L\n  {pnl} after fees; realised {realised} before fees, fees {fees}")
    }
}

impl Emit<Desk, Cleared> for Scene {
    fn emit(&mut self, desk: &mut Desk, cleared: &Cleared) {
        if self.told.is_none() && cleared.event().kind.is_output() {
            self.on_output(desk, cleared.event());
        }
    }
}
