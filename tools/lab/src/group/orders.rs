//! Outputs in; approved orders with their legs, cancels, refusals with every violated limit, and
//! halts, out.

use super::{Done, Opened, Scribe};
use crate::{
    column::{Day, Name, Stamp},
    known::{Known, Symbol},
    options::Options,
    sheet::{Close, Folder, Sheet},
    table::{Table, table},
};
use std::sync::Arc;
use zomma::{
    risk::{Limit, limit_doc},
    wire::{Event, Kind, Price, order},
};

table! {
    /// A leg of an order.
    struct Leg in "" {
        /// Dense index of the instrument in this run.
        instrument: u32, "-";
        /// Option root or ticker.
        root: Option<Name>, "-";
        /// Day (UTC) of the expiration.
        expiry: Option<Day>, "-";
        /// Strike.
        strike: Option<Price>, "currency";
        /// C or P, null where it is no option.
        cp: Option<&'static str>, "-";
        /// +1 buys, -1 sells.
        side: i8, "-";
        /// Contracts per package.
        ratio: u32, "contracts";
        /// The price that the strategy reckoned with, per unit.
        price: Price, "currency";
    }
}

table! {
    /// An approved order with its legs.
    struct Order in "orders" {
        /// Number of the input that caused it.
        seq: u64, "-";
        /// The exchange's time of that input.
        ts_event: Option<Stamp>, "-";
        /// The receive time of that input.
        ts_recv: Option<Stamp>, "-";
        /// The chain's time.
        time: Option<Stamp>, "-";
        /// Its number; in hexadecimal it is the client order id.
        order: u64, "-";
        /// The package that it opens or closes: number of the order that opened it.
        package: u64, "-";
        /// Which strategy instance.
        strategy: u16, "-";
        /// Its name in the configuration.
        strategy_name: Option<Arc<str>>, "-";
        /// entry, target, stop, time, flatten, trail, rule, adjust or hedge.
        purpose: &'static str, "-";
        /// Packages.
        quantity: u32, "packages";
        /// Net limit per package on one unit: positive is paid, negative is received.
        limit: Price, "currency";
        /// Its legs, in their order.
        legs: Vec<Leg>, "-";
    }
}

table! {
    /// An approved cancel.
    struct Cancel in "cancels" {
        /// Number of the input that caused it.
        seq: u64, "-";
        /// The exchange's time of that input.
        ts_event: Option<Stamp>, "-";
        /// The receive time of that input.
        ts_recv: Option<Stamp>, "-";
        /// The chain's time.
        time: Option<Stamp>, "-";
        /// The cancel's own number, from the same series as orders.
        cancel: u64, "-";
        /// The order to cancel.
        order: u64, "-";
        /// Which strategy instance.
        strategy: u16, "-";
        /// Its name in the configuration.
        strategy_name: Option<Arc<str>>, "-";
    }
}

table! {
    /// A violated limit.
    struct Breach in "" {
        /// Bit number of the limit.
        limit: u32, "-";
        /// Its name in the configuration, or that of a condition.
        name: &'static str, "-";
        /// What was measured; NaN where it could not be.
        measured: f64, "by limit";
        /// What is allowed.
        bound: f64, "by limit";
        /// Unit of both, - for a condition (1 violated, 0 allowed).
        unit: &'static str, "-";
    }
}

table! {
    /// An intent that the risk gate refused, with every limit that it violates.
    struct Refusal in "refusals" {
        /// Number of the input that caused it.
        seq: u64, "-";
        /// The exchange's time of that input.
        ts_event: Option<Stamp>, "-";
        /// The receive time of that input.
        ts_recv: Option<Stamp>, "-";
        /// The chain's time.
        time: Option<Stamp>, "-";
        /// The intent's number, from the same series as orders.
        order: u64, "-";
        /// Which strategy instance.
        strategy: u16, "-";
        /// Its name in the configuration.
        strategy_name: Option<Arc<str>>, "-";
        /// One bit per violated limit: bits 0 to 63.
        violated: u64, "-";
        /// The same: bits 64 to 127.
        violated_high: u64, "-";
        /// The limits, by bit.
        breaches: Vec<Breach>, "-";
    }
}

table! {
    /// A halt of trading.
    struct Halt in "halts" {
        /// Number of the input that caused it.
        seq: u64, "-";
        /// The exchange's time of that input.
        ts_event: Option<Stamp>, "-";
        /// The receive time of that input.
        ts_recv: Option<Stamp>, "-";
        /// The chain's time.
        time: Option<Stamp>, "-";
        /// Bit number of the limit, or 64 for the kill switch.
        limit: u32, "-";
        /// The limit's name in the configuration.
        name: &'static str, "-";
        /// What was measured.
        measured: f64, "by limit";
        /// What is allowed.
        bound: f64, "by limit";
    }
}

/// The files of the group.
pub(super) fn tables() -> Vec<Table> {
    let (orders, cancels) = (Table::of::<Order>(), Table::of::<Cancel>());
    Vec::from([orders, cancels, Table::of::<Refusal>(), Table::of::<Halt>()])
}

/// Begins them.
pub(super) fn open(folder: &mut Folder, _: &Options) -> Opened {
    Ok(Box::new(Orders {
        orders: folder.sheet()?,
        cancels: folder.sheet()?,
        refusals: folder.sheet()?,
        halts: folder.sheet()?,
        order: None,
        refusal: None,
    }))
}

struct Orders {
    orders: Sheet<Order>,
    cancels: Sheet<Cancel>,
    refusals: Sheet<Refusal>,
    halts: Sheet<Halt>,
    /// Heads whose legs or breaches are on their way.
    order: Option<Order>,
    refusal: Option<Refusal>,
}

impl Scribe for Orders {
    fn on_input(&mut self, _: &Known, _: &Event) -> Done {
        Ok(())
    }

    fn on_output(&mut self, known: &Known, event: &Event) -> Done {
        match event.kind {
            Kind::ORDER_LEG => self.order.iter_mut().for_each(|o| o.legs.push(leg(known, event))),
            Kind::BREACH => self.refusal.iter_mut().for_each(|r| r.breaches.push(breach(event))),
            _ => self.release()?,
        }
        match event.kind {
            Kind::ORDER => self.order = Some(order(known, event)),
            Kind::REFUSAL => self.refusal = Some(refusal(known, event)),
            Kind::CANCEL => self.cancels.push(cancel(known, event))?,
            Kind::HALT => self.halts.push(halt(known, event))?,
            _ => {}
        }
        Ok(())
    }

    fn on_end(&mut self, _: &Known) -> Done {
        self.release()
    }

    fn sheets(&mut self) -> Vec<&mut dyn Close> {
        let Orders { orders, cancels, refusals, halts, .. } = self;
        Vec::from([orders as &mut dyn Close, cancels, refusals, halts])
    }
}

impl Orders {
    /// A head is whole when another event follows than its parts.
    fn release(&mut self) -> Done {
        self.order.take().map_or(Ok(()), |order| self.orders.push(order))?;
        self.refusal.take().map_or(Ok(()), |refusal| self.refusals.push(refusal))
    }
}

fn order(known: &Known, event: &Event) -> Order {
    let body: &order::Order = event.body();
    Order {
        seq: event.seq,
        ts_event: Stamp::of(event.ts_event),
        ts_recv: Stamp::of(event.ts_recv),
        time: known.time(),
        order: body.id,
        package: body.package,
        strategy: body.strategy,
        strategy_name: known.strategy(body.strategy),
        purpose: body.purpose.name(),
        quantity: body.quantity,
        limit: body.limit,
        legs: Vec::with_capacity(body.legs.into()),
    }
}

fn leg(known: &Known, event: &Event) -> Leg {
    let body: &order::Leg = event.body();
    let Symbol { root, expiry, strike, cp } = known.contracts.symbol(event.instrument);
    Leg {
        instrument: event.instrument,
        root,
        expiry,
        strike,
        cp,
        side: body.side,
        ratio: body.ratio,
        price: body.price,
    }
}

fn cancel(known: &Known, event: &Event) -> Cancel {
    let body: &order::Cancel = event.body();
    Cancel {
        seq: event.seq,
        ts_event: Stamp::of(event.ts_event),
        ts_recv: Stamp::of(event.ts_recv),
        time: known.time(),
        cancel: body.id,
        order: body.order,
        strategy: body.strategy,
        strategy_name: known.strategy(body.strategy),
    }
}

fn refusal(known: &Known, event: &Event) -> Refusal {
    let body: &order::Refusal = event.body();
    Refusal {
        seq: event.seq,
        ts_event: Stamp::of(event.ts_event),
        ts_recv: Stamp::of(event.ts_recv),
        time: known.time(),
        order: body.order,
        strategy: body.strategy,
        strategy_name: known.strategy(body.strategy),
        violated: body.violated,
        violated_high: body.violated_high,
        breaches: Vec::with_capacity(body.breaches.into()),
    }
}

fn breach(event: &Event) -> Breach {
    let body: &order::Breach = event.body();
    let row = limit_doc(body.limit);
    Breach {
        limit: body.limit,
        name: row.map_or("unknown", |row| row.name),
        measured: body.measured,
        bound: body.bound,
        unit: row.map_or("-", |row| row.unit),
    }
}

fn halt(known: &Known, event: &Event) -> Halt {
    let body: &order::Halt = event.body();
    let of_limit = limit_doc(body.limit).map_or("unknown", |row| row.name);
    Halt {
        seq: event.seq,
        ts_event: Stamp::of(event.ts_event),
        ts_recv: Stamp::of(event.ts_recv),
        time: known.time(),
        limit: body.limit,
        name: if body.limit == Limit::KILL_SWITCH { "kill_switch" } else { of_limit },
        measured: body.measured,
        bound: body.bound,
    }
}
