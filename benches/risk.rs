//! What the risk gate costs: a whole evaluation of a four-leg order against all limits.
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

#[path = "../tests/floor/mod.rs"]
mod floor;

use floor::{Floor, call, put};
use zomma::{
    risk::{Claim, Claimed, extremes},
    strategy::Set,
    wire::{
        Event, Kind, NO_INSTRUMENT, Price,
        order::{Leg, Order, Purpose},
    },
};

fn condor(floor: &mut Floor) -> (Event, Vec<Event>) {
    let wings = [(put(5_375), 1, 100), (call(5_425), 1, 100)];
    let shorts = [(put(5_380), -1, 150), (call(5_420), -1, 150)];
    let id = floor.desk.book.number();
    let mut events = Vec::new();
    for (index, (instrument, side, cents)) in wings.into_iter().chain(shorts).enumerate() {
        floor.quote(instrument, cents - 5, cents + 5);
        let price = Price(cents * 10_000_000);
        let index = index as u8;
        let leg = Leg { order: id, price, ratio: 1, side, index, reserved: 0, reserved2: 0 };
        events.push(Event::new(Kind::INTENT_LEG, instrument, leg));
    }
    let head = Order {
        id,
        limit: Price(-1_000_000_000),
        quantity: 1,
        strategy: 0,
        legs: 4,
        purpose: Purpose::ENTRY,
        package: id,
    };
    (Event::new(Kind::INTENT, NO_INSTRUMENT, head), events)
}

fn risk(c: &mut Criterion) {
    let mut group = c.benchmark_group("risk");
    group.bench_function("nothing", |b| b.iter(|| black_box(7u64)));
    let mut claims = [(Claim::Put, 90), (Claim::Put, 95), (Claim::Call, 105), (Claim::Call, 110)]
        .map(|(claim, strike)| Claimed { claim, strike: strike * 1_000_000_000, units: 100 });
    group.bench_function("payoff of four legs", |b| {
        b.iter(|| extremes(black_box(&mut claims), 1));
    });
    let mut floor = Floor::new(Set::default(), "");
    let (head, legs) = condor(&mut floor);
    let Floor { desk, risk, .. } = &mut floor;
    assert_eq!(risk.evaluate(desk, &head, &legs).violated, 0);
    group.bench_function("all limits, four legs, empty book", |b| {
        b.iter(|| risk.evaluate(desk, black_box(&head), &legs).violated);
    });
    group.finish();
}

criterion_group!(benches, risk);
criterion_main!(benches);
