//! A stage that panics or hangs in; the kill switch, cancels for what was open and a line, out.

use crate::{
    engine::{Extra, Site, alone, counter},
    rig::{assert_journal, end, orders, slow, start, status, stop, summary, trading},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use zomma::journal::{Reader, Status, Stream};
use zomma_market::venue::Ledger;

/// Every stage with a name, in the order of a tick's life.
const STAGES: [&str; 6] = ["journal", "chain", "greeks", "strategy", "risk", "gate"];

fn threads(grouping: &str) -> Extra {
    let mut extra = trading();
    extra.run += &format!("\nthreads = \"{grouping}\"\nhang_max = \"600ms\"");
    extra
}

/// The event at which a panic happened, from its own words.
fn tripped(error: &str) -> u64 {
    let at = error.split("on purpose, at event ").nth(1).unwrap_or_else(|| panic!("{error}"));
    at.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

/// How long after the event at which a stage panicked was received the broker got its last order.
fn last_order_after(directory: &Path, ledger: &Ledger, at: u64) -> Duration {
    let mut reader = Reader::open(directory, Stream::Inputs).unwrap();
    let mut received = u64::MAX;
    while let Some(event) = reader.next_event() {
        received = if event.seq <= at { event.ts_recv } else { received };
    }
    let last = ledger.orders.iter().map(|entry| entry.at).max().unwrap_or(0);
    Duration::from_nanos(last.saturating_sub(received))
}

fn panics(grouping: &str) -> (usize, u64, Duration) {
    let (mut injected, mut canceled, mut latest) = (0, 0, Duration::ZERO);
    for stage in STAGES {
        let served = slow();
        let site = Site::new(served.market.data, served.market.orders, &threads(grouping));
        let directory = site.run_directory();
        let ended = end(start(&site, &directory, &[], &format!("panic:{stage}:3000")));
        println!("    {grouping} {stage}: {}", ended.told.join("; "));
        ended.assert_told(&["panicked", "on purpose"]);
        let seen = summary(served);
        let (at_broker, cancels, _) = seen.orders;
        assert!(at_broker > 5, "it has traded: {at_broker}");
        assert!(cancels >= 5, "what rested is canceled: {cancels}");
        assert_eq!(status(&directory), Status::Failed, "sealed, and not said to have ended well");
        assert_journal(&directory, at_broker);
        let at = tripped(&ended.error);
        latest = latest.max(last_order_after(&directory, &seen.ledger, at));
        // A stage before the broken one may have decided on; what it decided went nowhere.
        let before = orders(&directory).iter().filter(|order| order.seq <= at).count() as u64;
        let ends_there = matches!(stage, "strategy" | "risk" | "gate") || grouping == "inline";
        assert!(at_broker <= before || !ends_there, "{stage}: {at_broker} sent, {before} before");
        (injected, canceled) = (injected + 1, canceled + cancels);
    }
    (injected, canceled, latest)
}

#[test]
fn f28_a_panic_in_any_stage_of_one_thread_ends_trading() {
    let _alone = alone();
    let (injected, canceled, latest) = panics("inline");
    println!(
        "F28 panics on one thread: {injected} stages, {canceled} cancels, last order at the broker \
         at most {latest:?} after the event was received"
    );
}

#[test]
fn f28_a_panic_on_any_of_four_threads_ends_trading() {
    let _alone = alone();
    let (injected, canceled, latest) = panics("dedicated");
    println!(
        "F28 panics on four threads: {injected} stages, {canceled} cancels, last order at the \
         broker at most {latest:?} after the event was received"
    );
}

/// A stage never comes back. Where the gate is on a thread of its own, it still cancels.
#[test]
fn f29_a_stage_that_hangs_is_noticed_and_ends_trading() {
    let _alone = alone();
    let cases = [("inline", "risk"), ("shared", "greeks"), ("shared", "gate")].into_iter().chain([
        ("dedicated", "journal"),
        ("dedicated", "strategy"),
        ("dedicated", "gate"),
    ]);
    let (mut injected, mut slowest) = (0, 0.0f64);
    for (grouping, stage) in cases {
        let served = slow();
        let site = Site::new(served.market.data, served.market.orders, &threads(grouping));
        let directory = site.run_directory();
        let mut engine = start(&site, &directory, &[], &format!("hang:{stage}:3000"));
        let (mut before, mut moved) = (0, Instant::now());
        while engine.child.try_wait().unwrap().is_none() {
            let rounds = engine.counter("outcome", "done");
            if rounds != before {
                (before, moved) = (rounds, Instant::now());
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let ended = end(engine);
        slowest = slowest.max(moved.elapsed().as_secs_f64());
        println!("    {grouping} {stage}: {}", ended.told.join("; "));
        ended.assert_told(&["hangs"]);
        let (at_broker, cancels) = stop(served);
        let gate_lives = grouping != "inline" && stage != "gate" && stage != "strategy"
            || (grouping, stage) == ("dedicated", "strategy");
        assert!(!gate_lives || at_broker < 5 || cancels >= 5, "{at_broker} orders, {cancels}");
        assert_journal(&directory, at_broker);
        assert!(counter(&directory, "feed", "events") > 0);
        injected += 1;
    }
    println!("F29 hangs: {injected} stages, all noticed, end after {slowest:.1} s, 0 orders after");
}
