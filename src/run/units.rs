//! Outputs in; what belongs together (an order with its legs, a refusal with its breaches), whether
//! two are the same but for their numbers, and counts by what they are, out.

use crate::{
    journal::{PAYLOAD_AT, fields},
    risk::limit_doc,
    strategy::Code,
    wire::{
        Event, Kind,
        order::{Breach, Cancel, Decision, Leg, Order, Profit, Refusal},
    },
};
use std::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

/// One conclusion of the stages.
#[derive(Clone, Debug)]
pub(super) struct Unit(Vec<Event>);

/// Heads with what follows them.
pub(super) fn units(outputs: &[Event]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for output in outputs {
        match (output.kind, units.last_mut()) {
            (Kind::ORDER_LEG | Kind::BREACH, Some(unit)) => unit.0.push(*output),
            _ => units.push(Unit(Vec::from([*output]))),
        }
    }
    units
}

impl Unit {
    /// The event that it begins with.
    pub(super) fn head(&self) -> &Event {
        &self.0[0]
    }

    /// All its events.
    pub(super) fn events(&self) -> &[Event] {
        &self.0
    }

    /// The number that reports on it carry, if it is one that has reports.
    pub(super) fn number(&self) -> Option<u64> {
        match self.head().kind {
            Kind::ORDER => Some(self.head().body::<Order>().id),
            Kind::CANCEL => Some(self.head().body::<Cancel>().id),
            _ => None,
        }
    }

    /// Whether this recorded one is what `other` is this time; `again` has the orders that were
    /// decided on both sides.
    pub(super) fn is_same(&self, other: &Unit, again: &BTreeMap<u64, u64>) -> bool {
        let same = |(a, b): (&Event, &Event)| bare(a).bytes() == bare(b).bytes();
        let target = |unit: &Unit| unit.head().body::<Cancel>().order;
        let cancels =
            self.head().kind != Kind::CANCEL || again.get(&target(self)) == Some(&target(other));
        cancels && self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

/// An output without the numbers that orders happen to have.
fn bare(event: &Event) -> Event {
    let payload = match event.kind {
        Kind::ORDER => {
            let order = *event.body::<Order>();
            // Whether it opens a package stays: its own number is that of the package then.
            let package = u64::from(order.package == order.id);
            bytemuck::must_cast(Order { id: 0, package, ..order })
        }
        Kind::ORDER_LEG => bytemuck::must_cast(Leg { order: 0, ..*event.body() }),
        Kind::CANCEL => bytemuck::must_cast(Cancel { id: 0, order: 0, ..*event.body() }),
        Kind::DECISION => bytemuck::must_cast(Decision { package: 0, ..*event.body() }),
        Kind::PROFIT => bytemuck::must_cast(Profit { package: 0, ..*event.body() }),
        Kind::REFUSAL => bytemuck::must_cast(Refusal { order: 0, ..*event.body() }),
        Kind::BREACH => bytemuck::must_cast(Breach { order: 0, ..*event.body() }),
        _ => event.payload,
    };
    Event { payload, ..*event }
}

/// An output in words, without the header that it has from its cause.
pub(super) fn words(event: &Event, symbol: &str) -> String {
    let named = match event.kind {
        Kind::DECISION => Code(event.body::<Decision>().code).name(),
        Kind::BREACH => limit_doc(event.body::<Breach>().limit).map_or("", |doc| doc.name),
        Kind::ORDER => event.body::<Order>().purpose.name(),
        _ => symbol,
    };
    let fields = fields(event.kind).filter(|field| field.at >= PAYLOAD_AT);
    let fields: String =
        fields.map(|field| format!(" {}={}", field.name, field.show(event))).collect();
    format!("{:?} {named}{fields}", event.kind)
}

/// How often what was concluded, on either side.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts(BTreeMap<(Kind, String), [u64; 2]>);

impl Counts {
    /// Counts one on a side.
    pub(super) fn add(&mut self, unit: &Unit, side: usize) {
        let head = unit.head();
        self.one(head.kind, String::new(), side);
        match head.kind {
            Kind::ORDER => {
                self.one(head.kind, head.body::<Order>().purpose.name().to_string(), side)
            }
            Kind::DECISION => {
                self.one(head.kind, Code(head.body::<Decision>().code).name().to_string(), side)
            }
            Kind::REFUSAL => {
                for breach in &unit.0[1..] {
                    let bit = breach.body::<Breach>().limit;
                    let name = limit_doc(bit).map_or(format!("limit {bit}"), |doc| doc.name.into());
                    self.one(head.kind, name, side);
                }
            }
            _ => {}
        }
    }

    fn one(&mut self, kind: Kind, what: String, side: usize) {
        self.0.entry((kind, what)).or_default()[side] += 1;
    }

    /// Rows of a table: a kind, and what is counted of it.
    pub(super) fn rows(&self) -> impl Iterator<Item = (String, [u64; 2])> {
        self.0.iter().map(|((kind, what), counts)| {
            let name = if what.is_empty() { format!("{kind:?}") } else { format!("    {what}") };
            (name, *counts)
        })
    }
}
