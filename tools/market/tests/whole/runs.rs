//! A simulated market in, for each grouping of the stages; what must be true of the run out.

use crate::engine::{
    Extra, HOUR, Site, alone, assert_positions_are_fills, assert_sound, events, open_interest,
    simulated,
};
use zomma::{
    journal::Stream,
    wire::{Event, Kind},
};

fn a_run_is_whole(threads: &str) {
    let _alone = alone();
    let served = simulated(HOUR, "");
    let extra = Extra { run: format!("threads = \"{threads}\"\nring = 256"), ..Extra::default() };
    let site = Site::new(served.market.data, served.market.orders, &extra);
    let engine = site.start();
    engine.done();
    let directory = site.run_directory();
    let (produced, summary) = served.join();
    let counter = |group, name| crate::engine::counter(&directory, group, name);
    let options = produced.open.len() as u64;
    let open: i64 = produced.open.values().sum();
    let inputs = events(&directory, Stream::Inputs);
    let gaps: Vec<_> = inputs.iter().filter(|event| event.kind == Kind::GAP).collect();
    assert_eq!(gaps, [] as [&Event; 0], "nothing is lost");
    for (name, wanted) in [
        ("options", options),
        ("quotes", produced.quotes),
        ("quote_size", produced.quote_size),
        ("underlying_quotes", produced.spots),
        ("trades", produced.trades),
        ("volume", produced.volume),
        ("interests", produced.interests),
        ("open_interest", open as u64),
        ("gaps", 0),
        ("unknown_instruments", 0),
    ] {
        assert_eq!(counter("market", name), wanted, "{threads}: {name}");
    }
    let own = |session| counter(session, "heartbeats") + counter(session, "notices");
    let records = counter("options", "records") + counter("underlying", "records");
    assert_eq!(records - own("options") - own("underlying"), summary.sent);
    assert_eq!(open_interest(&inputs), open);
    let (orders, cancels, packages) = summary.orders;
    assert!(orders > 20 && packages > 0, "{orders} orders, {packages} packages");
    assert_eq!(counter("outcome", "orders"), orders);
    assert_eq!(counter("outcome", "cancels"), cancels);
    assert!(counter("market", "greeks") > 1_000);
    assert_sound(&directory);
    assert!(assert_positions_are_fills(&directory) > 0);
}

#[test]
fn a_run_on_one_thread_is_whole_and_replays() {
    a_run_is_whole("inline");
}

#[test]
fn a_run_on_two_threads_is_whole_and_replays_on_one() {
    a_run_is_whole("shared");
}

#[test]
fn a_run_on_four_threads_is_whole_and_replays_on_one() {
    a_run_is_whole("dedicated");
}
