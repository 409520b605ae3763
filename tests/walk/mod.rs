//! A walk of an underlying that is the same every time in; inputs, and the rows of features that
//! they lead to, out.
#![allow(dead_code, reason = "every test binary uses its own part")]
use super::floor::{self, OPEN};
use zomma::{
    book::{Book, Desk},
    chain::{Chain, Track, Universe, name_of},
    feature::{Features, Row, Schema},
    greeks::Revalue,
    stage::{Emit, Tap, Then},
    wire::{
        Event, Flags, Kind, Price, UNDEF_TIME,
        market::{self, Class, Definition, Quote, Trade},
    },
};

const SPY: u32 = 120;

/// Ticks of a walk that is the same every time: time in ns after the open, mid in cents, units.
pub(crate) fn walk(ticks: usize) -> Vec<(u64, i64, u32)> {
    let (mut state, mut at, mut price) = (1u64, 0u64, 45_000i64);
    let mut dice = move |sides: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    let mut out = Vec::new();
    for _ in 0..ticks {
        at += 1 + dice(400_000_000);
        price += dice(13) as i64 - 6;
        out.push((at, price, if dice(3) == 0 { 1 + dice(900) as u32 } else { 0 }));
    }
    out
}

fn definition() -> Event {
    let body = Definition {
        strike: Price::UNDEF,
        expiration: UNDEF_TIME,
        root: name_of("SPY"),
        venue_id: SPY,
        class: Class::STOCK,
        mapped: 0,
        reserved: 0,
    };
    Event::new(Kind::DEFINITION, SPY, body)
}

pub(crate) fn events(ticks: &[(u64, i64, u32)]) -> Vec<Event> {
    let mut events = vec![definition()];
    for &(at, cents, units) in ticks {
        let price = |cents: i64| Price(cents * 10_000_000);
        let stamp = |event: Event| Event { ts_recv: OPEN + at, ts_event: OPEN + at, ..event };
        let quote =
            Quote { bid: price(cents - 1), ask: price(cents + 1), ..bytemuck::Zeroable::zeroed() };
        events.push(stamp(Event::new(Kind::QUOTE, SPY, quote)));
        if units > 0 {
            let trade =
                Trade { price: price(cents + 1), size: units, ..bytemuck::Zeroable::zeroed() };
            events.push(stamp(Event::new(Kind::TRADE, SPY, trade)));
        }
    }
    let number = |(seq, event): (usize, Event)| Event {
        seq: seq as u64 + 1,
        flags: Flags::BATCH_END,
        ..event
    };
    events.into_iter().enumerate().map(number).collect()
}

/// The rows that inputs lead to, each with the FEATURES event that told of it.
pub(crate) fn rows(schema: &Schema, inputs: &[Event]) -> Vec<(market::Features, Row)> {
    rows_in(&floor::universe(), schema, inputs)
}

/// The same in another universe.
pub(crate) fn rows_in(
    universe: &Universe,
    schema: &Schema,
    inputs: &[Event],
) -> Vec<(market::Features, Row)> {
    let mut found = Vec::new();
    let tap = Tap(|desk: &mut Desk, event: &Event| {
        if event.kind == Kind::FEATURES {
            found.push((*event.body::<market::Features>(), desk.features.clone()));
        }
    });
    let rear = Then(Features::new(schema, universe), tap);
    let mut stages = Then(Track, Then(Revalue::new(universe), rear));
    let book = Book::new(&floor::settings("").0, floor::BROKER);
    let mut desk = Desk { chain: Chain::new(universe), book, features: Row::new(schema) };
    inputs.iter().for_each(|event| stages.emit(&mut desk, event));
    drop(stages);
    found
}

/// The bits of a row.
pub(crate) fn bits(row: &Row) -> Vec<u64> {
    row.values().iter().map(|value| value.to_bits()).collect()
}
