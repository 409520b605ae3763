//! The broker's reports in; all of them as they came, and the fills that count, each with the order
//! that it belongs to, out.
//!
//! A fill counts as the engine's book counts it: once, however often the broker says it; by the
//! leg of a combination, whose whole repeats what its legs say.

use super::{Done, Opened, Scribe};
use crate::{
    column::{Day, Name, Stamp},
    known::{Approved, Known, Part, Symbol},
    options::Options,
    sheet::{Close, Folder, Sheet},
    table::{Table, table},
};
use std::{collections::BTreeSet, sync::Arc};
use zomma::wire::{Event, Kind, Price, order::Report as Body, order::ReportKind};

table! {
    /// An execution report as it came in.
    struct Report in "reports" {
        /// Input number: the place in the one order of events.
        seq: u64, "-";
        /// The broker's time.
        ts_event: Option<Stamp>, "-";
        /// When the socket read that held it returned.
        ts_recv: Option<Stamp>, "-";
        /// The chain's time.
        time: Option<Stamp>, "-";
        /// Session that it came from.
        source: u16, "-";
        /// Number of the order or cancel that it is about, 0 where it is not ours.
        order: u64, "-";
        /// Hash of the broker's execution id.
        exec_id: u64, "-";
        /// What happened.
        event: &'static str, "-";
        /// The order's state as the broker has it.
        status: &'static str, "-";
        /// The leg, null for the order as a whole.
        leg: Option<u8>, "-";
        /// Contracts of this fill, 0 where it is none.
        quantity: u32, "contracts";
        /// Price of this fill per unit, null where it is none.
        price: Price, "currency";
        /// Whether the broker marked it as a possible resend.
        resent: bool, "-";
    }
}

table! {
    /// Contracts that were traded.
    struct Fill in "fills" {
        /// Input number of the report.
        seq: u64, "-";
        /// The broker's time.
        ts_event: Option<Stamp>, "-";
        /// When the socket read that held it returned.
        ts_recv: Option<Stamp>, "-";
        /// The chain's time.
        time: Option<Stamp>, "-";
        /// Number of the order; what follows is null where it is not ours.
        order: u64, "-";
        /// The package that it opens or closes: number of the order that opened it.
        package: Option<u64>, "-";
        /// Which strategy instance.
        strategy: Option<u16>, "-";
        /// Its name in the configuration.
        strategy_name: Option<Arc<str>>, "-";
        /// entry, target, stop, time, flatten, trail, rule, adjust or hedge.
        purpose: Option<&'static str>, "-";
        /// The leg, from 0.
        leg: Option<u8>, "-";
        /// Dense index of the instrument in this run.
        instrument: Option<u32>, "-";
        /// Option root or ticker.
        root: Option<Name>, "-";
        /// Day (UTC) of the expiration.
        expiry: Option<Day>, "-";
        /// Strike.
        strike: Option<Price>, "currency";
        /// C or P, null where it is no option.
        cp: Option<&'static str>, "-";
        /// Contracts that were bought, negative where they were sold.
        contracts: Option<i64>, "contracts";
        /// Contracts of the report.
        quantity: u32, "contracts";
        /// Price per unit, null where the broker gave none.
        price: Price, "currency";
        /// The price that the strategy reckoned with, per unit.
        reckoned: Option<Price>, "currency";
        /// Currency per point of one contract by the universe's rules.
        multiplier: Option<f64>, "currency";
        /// Hash of the broker's execution id.
        exec_id: u64, "-";
    }
}

/// The files of the group.
pub(super) fn tables() -> Vec<Table> {
    Vec::from([Table::of::<Fill>(), Table::of::<Report>()])
}

/// Begins them.
pub(super) fn open(folder: &mut Folder, _: &Options) -> Opened {
    let (fills, reports) = (folder.sheet()?, folder.sheet()?);
    Ok(Box::new(Fills { fills, reports, seen: BTreeSet::new() }))
}

struct Fills {
    fills: Sheet<Fill>,
    reports: Sheet<Report>,
    /// Executions by order, leg and the broker's id.
    seen: BTreeSet<(u64, u8, u64)>,
}

impl Scribe for Fills {
    fn on_input(&mut self, known: &Known, event: &Event) -> Done {
        if event.kind != Kind::REPORT {
            return Ok(());
        }
        self.reports.push(report(known, event))?;
        let body: &Body = event.body();
        let approved = known.orders.target(body.order);
        if self.counts(body, approved) {
            self.fills.push(fill(known, event, approved))?;
        }
        Ok(())
    }

    fn on_output(&mut self, _: &Known, _: &Event) -> Done {
        Ok(())
    }

    fn sheets(&mut self) -> Vec<&mut dyn Close> {
        Vec::from([&mut self.fills as &mut dyn Close, &mut self.reports])
    }
}

impl Fills {
    /// Whether contracts were traded that no report and no leg has told of before.
    fn counts(&mut self, report: &Body, approved: Option<&Approved>) -> bool {
        if report.event != ReportKind::FILL || report.quantity == 0 {
            return false;
        }
        let combined = approved.is_some_and(|approved| approved.legs.len() > 1);
        if report.leg == Body::WHOLE && combined {
            return false;
        }
        if report.exec_id == 0 {
            return report.resent == 0;
        }
        let order = approved.map_or(report.order, |approved| approved.head.id);
        self.seen.insert((order, report.leg, report.exec_id))
    }
}

fn leg_of(report: &Body) -> Option<u8> {
    Some(report.leg).filter(|leg| *leg != Body::WHOLE)
}

fn report(known: &Known, event: &Event) -> Report {
    let body: &Body = event.body();
    Report {
        seq: event.seq,
        ts_event: Stamp::of(event.ts_event),
        ts_recv: Stamp::of(event.ts_recv),
        time: known.time(),
        source: event.source,
        order: body.order,
        exec_id: body.exec_id,
        event: body.event.name(),
        status: body.status.name(),
        leg: leg_of(body),
        quantity: body.quantity,
        price: body.price,
        resent: body.resent != 0,
    }
}

fn fill(known: &Known, event: &Event, approved: Option<&Approved>) -> Fill {
    let body: &Body = event.body();
    // The whole of an order with one leg is that leg.
    let leg = leg_of(body).or(approved.map(|_| 0));
    let head = approved.map(|approved| approved.head);
    let part: Option<&Part> =
        approved.zip(leg).and_then(|(approved, leg)| approved.legs.get(usize::from(leg)));
    let instrument = part.map(|part| part.instrument);
    let Symbol { root, expiry, strike, cp } =
        instrument.map_or_else(Symbol::default, |index| known.contracts.symbol(index));
    let rules = instrument.and_then(|index| known.chain.instrument(index));
    Fill {
        seq: event.seq,
        ts_event: Stamp::of(event.ts_event),
        ts_recv: Stamp::of(event.ts_recv),
        time: known.time(),
        order: head.map_or(body.order, |head| head.id),
        package: head.map(|head| head.package),
        strategy: head.map(|head| head.strategy),
        strategy_name: head.and_then(|head| known.strategy(head.strategy)),
        purpose: head.map(|head| head.purpose.name()),
        leg,
        instrument,
        root,
        expiry,
        strike,
        cp,
        contracts: part.map(|part| i64::from(part.side) * i64::from(body.quantity)),
        quantity: body.quantity,
        price: body.price,
        reckoned: part.map(|part| part.price),
        multiplier: rules.map(|rules| rules.multiplier).filter(|value| value.is_finite()),
        exec_id: body.exec_id,
    }
}
