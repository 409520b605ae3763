//! What the risk gate costs: payoffs, scenarios, and a whole evaluation against all limits of
//! orders of four and six legs beside an empty book and one of a hundred positions. And what a
//! decision costs before it: a condor that waits, one that looks for legs, one that is held.
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

#[path = "../tests/floor/mod.rs"]
mod floor;

use floor::{
    Floor, STRIKES, TOMORROW, call, put, settings, tomorrow,
    wish::{Wish, hold, net},
};
use zomma::{
    book::{Account, Book},
    config::Reader,
    feature::Schema,
    risk::{Claim, Claimed, extremes},
    stage::{Sink, Stage},
    strategy::{Code, Set},
    wire::{
        Event, Flags, Kind,
        order::{Order, Purpose},
    },
};

/// A condor of the four, with a call spread more where six are asked for.
fn order(floor: &mut Floor, legs: usize, later: bool) -> (Event, Vec<Event>) {
    let instrument = |strike: i64, is_call: bool| match (later, is_call) {
        (true, _) => tomorrow(strike, is_call),
        (false, true) => call(strike),
        (false, false) => put(strike),
    };
    let row = |(strike, is_call, side): (i64, bool, i8)| {
        let instrument = instrument(strike, is_call);
        let price = (floor.desk.chain.quote(instrument).ask * 100.0) as i64;
        (instrument, side, 1, price)
    };
    let (calls, puts) =
        ([(5_420, -1), (5_425, 1), (5_430, 1), (5_435, -1)], [(5_375, 1), (5_380, -1)]);
    let calls = calls.map(|(strike, side)| (strike, true, side));
    let puts = puts.map(|(strike, side)| (strike, false, side));
    let rows: Vec<_> = puts.into_iter().chain(calls).take(legs).map(row).collect();
    let id = floor.desk.book.number();
    let (limit, purpose) = (net(&rows), Purpose::ENTRY);
    let legs = rows.len() as u8;
    let head = Order { id, limit, quantity: 1, strategy: 0, legs, purpose, package: id };
    Wish { head, legs: rows }.events(floor)
}

/// A market with so many lines held: bought and sold in turn, from both sides.
fn market(more: &str, lines: usize) -> Floor {
    let mut floor = Floor::new(Set::default(), more);
    let account = Account { orders_max: 512, packages_max: 256, ..settings("").0 };
    floor.desk.book = Book::new(&account, floor::BROKER);
    floor.desk.book.venue.broker_up = true;
    floor.whole_market(5_400.0);
    floor.define_tomorrow();
    floor.forward_of(1, 5_401.0);
    floor.market_tomorrow(5_400.0, 1.0);
    let today = 2 * STRIKES.2 as usize;
    for i in 0..lines {
        let instrument = match i {
            i if i < today => i as u32,
            i => tomorrow(TOMORROW.0 + TOMORROW.1 * (i - today) as i64, true),
        };
        // Of the next day's calls each one sold is covered by the one below.
        let long = if i < today { i / 2 % 2 == 0 } else { (i - today).is_multiple_of(2) };
        let contracts = if long { 1 } else { -1 };
        hold(&mut floor.desk, instrument, contracts, 1_000_000_000);
    }
    floor.desk.mark();
    floor.risk.refresh(&floor.desk);
    floor
}

const FEW: &str = "grid_spots = [0.0]\ngrid_vols = [0.0]\ngrid_days = [0.0]";

fn risk(c: &mut Criterion) {
    let mut group = c.benchmark_group("risk");
    group.bench_function("nothing", |b| b.iter(|| black_box(7u64)));
    let mut claims = [(Claim::Put, 90), (Claim::Put, 95), (Claim::Call, 105), (Claim::Call, 110)]
        .map(|(claim, strike)| Claimed { claim, strike: strike * 1_000_000_000, units: 100 });
    group.bench_function("payoff of four legs", |b| {
        b.iter(|| extremes(black_box(&mut claims), 1));
    });
    let cases = [(0, 4, false), (0, 6, false), (100, 4, false), (100, 6, false), (100, 6, true)];
    for (lines, legs, later) in cases {
        // One scenario is as good as none.
        for (grid, more) in [("without the grid", FEW), ("with the grid", "")] {
            let mut floor = market(more, lines);
            let (head, events) = order(&mut floor, legs, later);
            let which = if later { " of a later expiry" } else { "" };
            let name = format!("all limits, {legs} legs{which}, {lines} positions, {grid}");
            let Floor { desk, risk, .. } = &mut floor;
            group.bench_function(&name, |b| {
                b.iter(|| risk.weigh(desk, black_box(&head), &events).violated);
            });
        }
    }
    let mut floor = market("", 100);
    let Floor { desk, risk, .. } = &mut floor;
    group.bench_function("the book's sums made anew, 100 positions", |b| {
        b.iter(|| risk.refresh(black_box(desk)));
    });
    group.finish();
}

/// A condor that may enter in this window at this credit, and always looks.
fn condor(window: &str, credit: f64) -> Floor {
    let text = format!(
        "[[iron_condor]]\nroot = \"SPXW\"\nentry_windows = [\"{window}\"]\ncredit_min = {credit}\n\
        look_every = \"0s\"\n"
    );
    let mut set = Set::default();
    let mut reader = Reader::new("strategy.toml", &text).unwrap();
    set.read(&mut reader, &Schema::none());
    reader.finish().unwrap();
    let mut floor = Floor::new(set, "");
    floor.whole_market(5_400.0);
    floor.wait(1.0);
    floor
}

/// What a strategy does with a quote that ends a batch.
fn decisions(c: &mut Criterion) {
    let mut group = c.benchmark_group("decision");
    let mut held = condor("09:30-10:30", 0.05);
    let entry = held.last_order();
    held.ack(entry.id);
    held.fill_all(entry.id);
    let poor = condor("09:30-10:30", 90.0);
    assert_eq!(poor.codes().last(), Some(&Code::CREDIT_SMALL.0));
    let cases = [
        ("a condor waits for its window", condor("11:00-11:15", 0.05)),
        ("a condor's legs are chosen, and pay too little", poor),
        ("a condor is held", held),
    ];
    for (name, mut floor) in cases {
        let quote = *floor.sent.iter().rfind(|event| event.kind == Kind::QUOTE).unwrap();
        let quote = Event { flags: Flags::BATCH_END, ts_recv: floor.now, ..quote };
        let Floor { desk, decide, .. } = &mut floor;
        group.bench_function(name, |b| {
            b.iter(|| decide.on(desk, black_box(&quote), &mut Sink));
        });
    }
    group.finish();
}

criterion_group!(benches, risk, decisions);
criterion_main!(benches);
