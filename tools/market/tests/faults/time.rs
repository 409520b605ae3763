//! An engine that is stopped for a while, and a wall clock that somebody sets, in; no order on what
//! was quoted before, decisions that do not change, and words for the operator, out.

use crate::{
    engine::{Extra, HOUR, Site, alone, assert_sound, events, simulated},
    rig::{end, slow, stop, trading},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use zomma::{
    feed::faults::Code,
    journal::Stream,
    risk::Limit,
    wire::{
        Event, Kind,
        control::{Clock, Fault, Session, SessionState},
        order::{Order, Refusal},
    },
};

fn opens(event: &Event) -> bool {
    event.kind == Kind::ORDER && event.body::<Order>().purpose.opens()
}

/// Numbers of the events that say that a session of the market is stale, and up again.
fn stale(inputs: &[Event]) -> Vec<(u64, u64)> {
    let states = |wanted: SessionState| {
        let is = move |event: &&Event| {
            let session = event.kind == Kind::SESSION && event.source == 1;
            session && event.body::<Session>().state == wanted
        };
        inputs.iter().filter(is).map(|event| event.seq).collect::<Vec<_>>()
    };
    let (stale, up) = (states(SessionState::STALE), states(SessionState::UP));
    let after = |at: &u64| up.iter().copied().find(|up| up > at).unwrap_or(u64::MAX);
    stale.iter().map(|at| (*at, after(at))).collect()
}

/// The engine is stopped for five seconds while the market goes on.
#[test]
fn f27_after_a_stop_nothing_is_decided_on_what_waited() {
    let _alone = alone();
    // Long enough for three stops.
    let served = simulated(&HOUR.replace("1800.0", "40.0").replace("6000.0", "3000.0"), "");
    let site = Site::new(served.market.data, served.market.orders, &trading());
    let mut engine = site.start();
    engine.until("orders", |engine| engine.counter("outcome", "orders") > 10);
    let stops = [5_000, 2_000, 2_000];
    for (done, ms) in (1..).zip(stops) {
        engine.signal("STOP");
        std::thread::sleep(Duration::from_millis(ms));
        engine.signal("CONT");
        engine.until("the pause", |engine| engine.counter("feed", "pauses") >= done);
        let orders = engine.counter("outcome", "orders");
        engine.until("orders again", |engine| engine.counter("outcome", "orders") > orders + 5);
    }
    engine.signal("TERM");
    let ended = end(engine);
    assert_eq!(ended.code, Some(0), "{}", ended.error);
    assert!(ended.printed.contains("PAUSE: the engine stood still"), "{}", ended.printed);
    stop(served);
    let directory = site.run_directory();
    assert_sound(&directory);
    let inputs = events(&directory, Stream::Inputs);
    let pause =
        |event: &&Event| event.kind == Kind::FAULT && event.body::<Fault>().code == Code::PAUSE.0;
    assert!(inputs.iter().any(|event| pause(&event)), "the journal says why");
    let stretches = stale(&inputs);
    assert!(stretches.len() >= stops.len(), "{stretches:?}");
    let (mut waited, mut late) = (0, 0);
    for (from, to) in stretches {
        let within = |event: &&Event| (from..to).contains(&event.seq);
        waited += inputs.iter().filter(within).filter(|e| e.kind == Kind::QUOTE).count();
        let outputs = events(&directory, Stream::Outputs);
        late += outputs.iter().filter(within).filter(|event| opens(event)).count();
    }
    assert_eq!(late, 0, "orders on quotes that waited");
    println!("F27 stops: {} stops, {waited} quotes that waited, 0 orders on them", stops.len());
}

/// The library that moves a program's wall clock, where it is installed.
fn faketime() -> Option<PathBuf> {
    let places = ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/faketime", "/usr/lib64/faketime"];
    let found = places.map(|place| Path::new(place).join("libfaketimeMT.so.1"));
    let found = found.into_iter().find(|path| path.exists());
    if found.is_none() {
        println!("skipped: libfaketime is not here");
    }
    found
}

/// Somebody sets the wall clock by an hour, a day, forwards and back, while the engine trades.
#[test]
fn f17_a_wall_clock_that_is_set_changes_no_decision_and_stops_new_risk() {
    let _alone = alone();
    let Some(library) = faketime() else { return };
    let served = slow();
    let site = Site::new(served.market.data, served.market.orders, &Extra { ..trading() });
    let directory = site.run_directory();
    let clock = site.folder.path().join("clock");
    fs::write(&clock, "+0\n").unwrap();
    let mut command = site.command(&directory, &[]);
    command.env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", &clock);
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command.env("DONT_FAKE_MONOTONIC", "1");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut engine = crate::engine::Engine { child, directory: directory.clone() };
    engine.until("orders", |engine| engine.counter("outcome", "orders") > 10);
    let steps: [i64; 4] = [3_600, -3_600, 86_400, -86_400];
    for step in steps {
        fs::write(&clock, format!("{step:+}\n")).unwrap();
        let near = |engine: &crate::engine::Engine, seconds: i64| {
            let ahead = engine.counter("feed", "wall_ahead_ns") as i64 / 1_000_000_000;
            (ahead - seconds).abs() < 60
        };
        engine.until("the step", |engine| near(engine, step));
        let refused = engine.counter("outcome", "refusals");
        engine.until("refusals", |engine| engine.counter("outcome", "refusals") > refused + 5);
        fs::write(&clock, "+0\n").unwrap();
        engine.until("the step back", |engine| near(engine, 0));
        let orders = engine.counter("outcome", "orders");
        engine.until("orders again", |engine| engine.counter("outcome", "orders") > orders + 3);
    }
    engine.signal("TERM");
    let ended = end(engine);
    assert_eq!(ended.code, Some(0), "{}", ended.error);
    assert!(ended.printed.contains("CLOCK: the system's wall clock is "), "{}", ended.printed);
    stop(served);
    assert_sound(&directory);
    let (inputs, outputs) =
        (events(&directory, Stream::Inputs), events(&directory, Stream::Outputs));
    assert!(inputs.windows(2).all(|pair| pair[0].ts_recv <= pair[1].ts_recv), "ours never jumps");
    let told: Vec<(u64, i64)> = inputs
        .iter()
        .filter(|event| event.kind == Kind::CLOCK)
        .map(|event| (event.seq, event.body::<Clock>().wall_ahead / 1_000_000_000))
        .collect();
    assert!(told.len() >= 8, "{told:?}");
    let set = |seq: u64| {
        let last = told.iter().rev().find(|(at, _)| *at <= seq);
        last.is_some_and(|(_, ahead)| ahead.abs() > 2)
    };
    let opened = outputs.iter().filter(|event| opens(event) && set(event.seq)).count();
    assert_eq!(opened, 0, "orders that open while the clocks are apart");
    let named = |event: &&Event| {
        let drift = Limit::CLOCK_DRIFT.bit();
        event.kind == Kind::REFUSAL && event.body::<Refusal>().all() & drift != 0
    };
    let refusals = outputs.iter().filter(named).count();
    assert!(refusals > 0);
    println!(
        "F17 wall clock set: {} steps, {} told, {refusals} intents refused, replay equal, 0 orders \
         opened meanwhile",
        steps.len(),
        told.len()
    );
}
