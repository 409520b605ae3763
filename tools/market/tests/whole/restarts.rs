//! Runs that are killed and taken up again; what the broker's ledger and the journal say of the day
//! out.
//!
//! `ZOMMA_KILLS=N` changes how often the engine is killed, 200 by default.

use crate::engine::{
    Engine, Extra, HOUR, RECONNECT, Served, Site, alone, events, rebuilt, simulated,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::{Duration, Instant},
};
use zomma::{
    journal::{Stream, tool},
    run::{replay, report},
    wire::{
        Event, Kind,
        market::Name,
        order::{Inquiry, Leg, Order, Report, ReportKind, order_of},
    },
};
use zomma_market::{rng::Rng, server::Summary, venue::Ledger};

/// Kills on one directory: a day with many sessions.
const DAY: u32 = 25;

/// Orders that trade at once, and orders that rest and are cancelled.
pub const PROBES: &str = "[[probe]]\nname = \"taker\"\nevery = 7\nplace = \"ask\"\n\
    working_max = 8\n[[probe]]\nname = \"maker\"\nevery = 5\nplace = \"bid\"\nworking_max = 24\n\
    cancel_after = \"300ms\"\ncancel_again_after = \"500ms\"\n";

/// What a day came to.
#[derive(Debug, Default)]
pub struct Total {
    kills: u32,
    early: u32,
    sessions: u64,
    orders: usize,
    fills: u64,
    again: u64,
    doubts: usize,
    never_arrived: usize,
    slowest: Duration,
}

pub fn market() -> Served {
    simulated(&HOUR.replace("1800.0", "30.0").replace("6000.0", "1500.0"), "")
}

pub fn site(served: &Served, threads: &str, journal: &'static str, strategy: &str) -> Site {
    let extra = Extra {
        run: format!("threads = \"{threads}\"\ndrain = \"3s\""),
        session: RECONNECT,
        limits: "reconcile_every = \"2s\"\n",
        journal,
        strategy: strategy.into(),
        resets: false,
        ..Extra::default()
    };
    Site::new(served.market.data, served.market.orders, &extra)
}

pub fn stop(served: Served) -> Summary {
    served.market.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    served.join().1
}

/// Waits until the engine trades, at most for the time that a recovery may take; how long it took.
pub fn until_it_trades(engine: &mut Engine) -> Duration {
    let began = Instant::now();
    engine.until("orders", |engine| engine.counter("gate", "orders") > 2);
    began.elapsed()
}

pub fn kill(engine: Engine) {
    engine.signal("KILL");
    let output = engine.wait();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), None, "it had ended by itself: {said}");
}

/// Symbols by index, from the journal alone.
fn symbols(inputs: &[Event]) -> BTreeMap<u32, String> {
    let (mut names, mut partial) = (BTreeMap::new(), String::new());
    for event in inputs {
        match event.kind {
            Kind::RUN => partial.clear(),
            Kind::NAME => {
                let name = event.body::<Name>();
                partial.push_str(std::str::from_utf8(name.text()).unwrap());
                if name.is_last() {
                    let before = names.insert(event.instrument, std::mem::take(&mut partial));
                    assert_eq!(before, None, "an index has one name for all sessions");
                }
            }
            _ => {}
        }
    }
    names
}

fn positions(directory: &Path, inputs: &[Event]) -> BTreeMap<String, i64> {
    let names = symbols(inputs);
    let desk = rebuilt(directory);
    assert_eq!(desk.book.in_doubt(), 0);
    desk.book.holdings().map(|line| (names[&line.instrument].clone(), line.held)).collect()
}

/// Everything that both sides have of the symbols in which they differ.
fn differences(
    held: &BTreeMap<String, i64>,
    ledger: &Ledger,
    inputs: &[Event],
    outputs: &[Event],
) -> String {
    let mut text = String::from("the two sides do not hold the same\n");
    let (names, either) = (symbols(inputs), held.keys().chain(ledger.positions.keys()));
    let either: BTreeSet<&String> = either.collect();
    for symbol in either.into_iter().filter(|s| held.get(*s) != ledger.positions.get(*s)) {
        let (ours, theirs) = (held.get(symbol), ledger.positions.get(symbol));
        text += &format!("{symbol}: journal {ours:?}, broker {theirs:?}\n");
        let legs = outputs.iter().filter(|event| event.kind == Kind::ORDER_LEG);
        for event in legs.filter(|event| names.get(&event.instrument) == Some(symbol)) {
            let leg: &Leg = event.body();
            let entry = ledger
                .orders
                .iter()
                .find(|entry| order_of(entry.order.client_id.as_bytes()) == Some(leg.order));
            let entry = entry.map(|entry| (entry.filled, entry.order.quantity, entry.open));
            let (id, side, after) = (leg.order, leg.side, event.seq);
            text += &format!("  {id:x} side {side} after input {after}: at the broker {entry:?}\n");
            let mine = |event: &&Event| {
                event.kind == Kind::REPORT && event.body::<Report>().order == leg.order
            };
            for event in inputs.iter().filter(mine) {
                text += &format!("    {} {:?}\n", event.seq, event.body::<Report>());
            }
        }
    }
    let runs = inputs.iter().filter(|event| event.kind == Kind::RUN).map(|event| event.seq);
    text + &format!("sessions begin at {:?} of {}\n", runs.collect::<Vec<_>>(), inputs.len())
}

/// Nothing that was acted on is missing, nothing was done twice, and both sides hold the same.
pub fn reconcile(directory: &Path, ledger: &Ledger, total: &mut Total) {
    let mut text = Vec::new();
    assert!(tool::verify(directory, &mut text).unwrap(), "{}", String::from_utf8_lossy(&text));
    let (inputs, outputs) = (events(directory, Stream::Inputs), events(directory, Stream::Outputs));
    assert!(inputs.iter().zip(1..).all(|(event, seq)| event.seq == seq), "numbers are dense");
    let replayed = replay::through(directory).unwrap();
    assert!(replayed.verdict.holds(), "{}", replayed.verdict);
    assert_eq!(
        (replayed.inputs, replayed.verdict.equal),
        (inputs.len() as u64, outputs.len() as u64)
    );
    let ids = outputs.iter().filter(|e| e.kind == Kind::ORDER).map(|e| e.body::<Order>().id);
    let ids: Vec<u64> = ids.collect();
    let known: BTreeSet<u64> = ids.iter().copied().collect();
    assert_eq!(known.len(), ids.len(), "a number is given once");
    assert_eq!(ledger.duplicates, 0, "no order came to the broker twice");
    let arrived: BTreeSet<u64> = ledger
        .orders
        .iter()
        .map(|entry| order_of(entry.order.client_id.as_bytes()).unwrap())
        .collect();
    assert_eq!(arrived.len(), ledger.orders.len());
    let lost: Vec<&u64> = arrived.difference(&known).collect();
    assert!(lost.is_empty(), "orders at the broker that the journal does not have: {lost:?}");
    let held = positions(directory, &inputs);
    assert!(held == ledger.positions, "{}", differences(&held, ledger, &inputs, &outputs));
    let unheard = ledger.orders.iter().filter(|entry| entry.open).count();
    assert_eq!(unheard, 0, "orders that the engine left working at the broker");
    let halts = outputs.iter().filter(|e| e.kind == Kind::HALT).count();
    assert_eq!(halts, 0, "nothing was left unreconciled");
    let differences = outputs.iter().filter(|e| e.kind == Kind::DIFFERENCE).count();
    assert_eq!(differences, 0, "the engine itself has compared, after each start and later");
    let asked = outputs.iter().filter(|e| e.kind == Kind::INQUIRY);
    let asked: BTreeSet<u64> = asked.map(|e| e.body::<Inquiry>().order).collect();
    let desk = rebuilt(directory);
    total.sessions += desk.book.sessions;
    total.orders += ids.len();
    total.fills += desk.book.tally.fills;
    total.again += desk.book.tally.duplicates;
    total.doubts += asked.len();
    total.never_arrived += known.difference(&arrived).count();
}

/// One day: killed again and again, then stopped in good order.
fn day(seed: u64, kills: u32, total: &mut Total) {
    let threads = ["inline", "shared", "dedicated"][seed as usize % 3];
    let mut random = Rng::new(seed);
    let served = market();
    // Every fourth day orders wait for the disk.
    let journal = if seed % 4 == 3 { "sync = \"strict\"" } else { "" };
    let site = site(&served, threads, journal, PROBES);
    let mut engine = site.start();
    until_it_trades(&mut engine);
    for _ in 0..kills {
        std::thread::sleep(Duration::from_micros(random.below(300_000)));
        kill(engine);
        engine = site.resume();
        // Some are killed again before they trade: while they start, replay or log on.
        if random.chance(0.25) {
            total.early += 1;
            std::thread::sleep(Duration::from_micros(random.below(150_000)));
        } else {
            total.slowest = total.slowest.max(until_it_trades(&mut engine));
        }
        total.kills += 1;
    }
    until_it_trades(&mut engine);
    engine.signal("TERM");
    engine.done();
    let summary = stop(served);
    assert!(summary.inquiries > 0);
    reconcile(&site.run_directory(), &summary.ledger, total);
}

/// Killed at random instants under load and taken up again on the same directory.
#[test]
fn nothing_is_lost_or_doubled_however_often_it_is_killed() {
    let _alone = alone();
    let kills: u32 = std::env::var("ZOMMA_KILLS").map_or(200, |text| text.parse().unwrap());
    let (mut total, mut left, mut seed) = (Total::default(), kills, 0);
    while left > 0 {
        let today = left.min(DAY);
        day(seed, today, &mut total);
        (left, seed) = (left - today, seed + 1);
    }
    let Total { kills, early, sessions, orders, fills, again, doubts, never_arrived, slowest } =
        total;
    println!(
        "{kills} kills ({early} before the engine traded), {sessions} sessions: {orders} orders, \
         {fills} fills, {doubts} orders in doubt, {never_arrived} never arrived, {again} fills \
         told again; 0 lost, 0 duplicates, positions equal; slowest restart to order {slowest:?}"
    );
}

/// Orders rest at the broker when the engine dies, and some trade before it is back.
#[test]
fn what_was_filled_while_the_engine_was_away_is_known_before_it_trades() {
    let _alone = alone();
    let served = market();
    let maker = "[[probe]]\nname = \"maker\"\nevery = 1\nplace = \"bid\"\nworking_max = 90\n\
        cancel_after = \"1h\"\n";
    let site = site(&served, "inline", "", maker);
    let mut engine = site.start();
    engine.until("resting orders", |engine| engine.counter("book", "working_orders") >= 10);
    kill(engine);
    std::thread::sleep(Duration::from_secs(3));
    let mut engine = site.resume();
    engine.until("the doubts' end", |engine| {
        engine.counter("book", "sessions") == 2 && engine.counter("book", "in_doubt") == 0
    });
    engine.signal("TERM");
    engine.done();
    let summary = stop(served);
    let (directory, mut total) = (site.run_directory(), Total::default());
    let before = directory.join(format!("{}.s1", report::HISTOGRAMS));
    assert!(before.exists(), "what the first session measured is kept");
    reconcile(&directory, &summary.ledger, &mut total);
    let inputs = events(&directory, Stream::Inputs);
    let back = inputs.iter().rposition(|event| event.kind == Kind::RUN).unwrap();
    let is_missed = |event: &&Event| {
        let report = event.body::<Report>();
        event.kind == Kind::REPORT && report.event == ReportKind::FILL && report.resent == 1
    };
    let missed = inputs[back..].iter().filter(is_missed).count();
    assert!(missed > 0 && total.again < missed as u64, "fills while it was away");
    // No order was sent before every one in doubt was settled.
    let outputs = events(&directory, Stream::Outputs);
    let asked: BTreeSet<u64> = outputs
        .iter()
        .filter(|event| event.kind == Kind::INQUIRY)
        .map(|event| event.body::<Inquiry>().order)
        .collect();
    let after = outputs.iter().filter(|e| e.kind == Kind::ORDER && e.seq > back as u64);
    let first = after.map(|event| event.seq).min().unwrap_or(u64::MAX);
    let answered = inputs[back..].iter().take_while(|event| event.seq < first);
    let answered: BTreeSet<u64> = answered
        .filter(|event| event.kind == Kind::REPORT)
        .map(|event| event.body::<Report>().order)
        .collect();
    assert!(!asked.is_empty() && asked.is_subset(&answered), "{asked:?} {answered:?}");
    assert!(summary.inquiries >= asked.len() as u64);
}

/// A stop that has no time to close anything: what is being closed then is withdrawn, and whatever
/// became of it is heard before the end.
#[test]
fn a_stop_whose_time_is_over_leaves_nothing_working_at_the_broker() {
    let _alone = alone();
    for drain in ["0s", "350ms"] {
        let served = market();
        let extra = Extra {
            run: format!("drain = \"{drain}\""),
            session: RECONNECT,
            strategy: PROBES.into(),
            resets: false,
            ..Extra::default()
        };
        let site = Site::new(served.market.data, served.market.orders, &extra);
        let mut engine = site.start();
        engine.until("contracts to close", |engine| engine.counter("book", "positions") > 12);
        engine.signal("TERM");
        engine.done();
        let ledger = stop(served).ledger;
        // With time for some orders a quick market may well take them all.
        let some = drain != "0s" || !ledger.positions.is_empty();
        assert!(some, "there was no time to close everything");
        reconcile(&site.run_directory(), &ledger, &mut Total::default());
    }
}
