//! What the market can do wrong in; a run that goes on, counts it and still replays, out.

use crate::{
    common::KEY,
    engine::{
        Engine, Extra, HOUR, RECONNECT, Site, alone, assert_positions_are_fills, assert_sound,
        events, signal, simulated,
    },
};
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};
use zomma::{
    feed::faults::Code,
    journal::Stream,
    wire::{
        Event, Kind,
        control::{Fault, Gap, Session, SessionState},
    },
};

/// A run against a market with these faults, to the market's end and a SIGTERM after it.
fn run(faults: &str, extra: &Extra, check: impl Fn(&Engine) -> bool) -> (Site, [u64; 4], u64) {
    let served = simulated(HOUR, faults);
    let site = Site::new(served.market.data, served.market.orders, extra);
    let mut engine = site.start();
    engine.until(faults, check);
    let (_, summary) = served.join();
    engine.signal("TERM");
    engine.done();
    assert_sound(&site.run_directory());
    (site, summary.faults, summary.sent)
}

fn reconnecting() -> Extra {
    Extra { session: RECONNECT, ..Extra::default() }
}

fn gaps(inputs: &[Event], source: u16, cause: u32) -> usize {
    let is = |event: &&Event| event.kind == Kind::GAP && event.source == source;
    inputs.iter().filter(is).filter(|event| event.body::<Gap>().cause == cause).count()
}

fn states(inputs: &[Event], source: u16, state: SessionState) -> usize {
    let is = |event: &&Event| event.kind == Kind::SESSION && event.source == source;
    inputs.iter().filter(is).filter(|event| event.body::<Session>().state == state).count()
}

#[test]
fn a_cut_session_is_made_anew_with_a_gap() {
    let _alone = alone();
    let back = |engine: &Engine| engine.counter("options", "connects") >= 3;
    let (site, ..) = run("disconnect=every:500ms", &reconnecting(), back);
    let inputs = events(&site.run_directory(), Stream::Inputs);
    assert!(gaps(&inputs, 1, Gap::RECONNECT) >= 2);
    assert!(states(&inputs, 1, SessionState::UP) >= 3);
    let last_gap = inputs.iter().rposition(|event| event.kind == Kind::GAP).unwrap();
    assert!(inputs[last_gap..].iter().any(|event| event.kind == Kind::QUOTE), "goes on");
}

#[test]
fn bytes_that_are_no_record_are_faults_and_never_a_panic() {
    let _alone = alone();
    let seen = |engine: &Engine| engine.counter("options", "faults") >= 3;
    let (site, faults, _) = run("garbage=0.001", &reconnecting(), seen);
    assert!(faults[3] > 0);
    let inputs = events(&site.run_directory(), Stream::Inputs);
    assert!(inputs.iter().any(|event| event.kind == Kind::FAULT));
    let last = inputs.iter().rposition(|event| event.kind == Kind::FAULT).unwrap();
    let first = inputs.iter().position(|event| event.kind == Kind::FAULT).unwrap();
    assert!(first < last && inputs[first..].iter().any(|event| event.kind == Kind::QUOTE));
}

#[test]
fn lost_doubled_and_overtaken_records_are_taken_as_they_come() {
    let _alone = alone();
    let some = |engine: &Engine| engine.counter("market", "quotes") > 100;
    let plan = "drop=0.05,dup=0.05,reorder=0.05";
    let (site, [dropped, doubled, delayed, _], sent) = run(plan, &reconnecting(), some);
    assert!(dropped > 0 && doubled > 0 && delayed > 0);
    let directory = site.run_directory();
    let counter = |session: &str, name: &str| crate::engine::counter(&directory, session, name);
    let own = |session| counter(session, "heartbeats") + counter(session, "notices");
    let records = counter("options", "records") + counter("underlying", "records");
    assert_eq!(records - own("options") - own("underlying"), sent);
    let inputs = events(&directory, Stream::Inputs);
    let framing =
        |event: &&Event| event.kind == Kind::FAULT && event.body::<Fault>().code <= Code::DESYNC.0;
    assert_eq!(inputs.iter().filter(framing).count(), 0);
}

#[test]
fn rejects_and_repeated_executions_leave_positions_as_filled() {
    let _alone = alone();
    let traded = |engine: &Engine| engine.counter("book", "traded") > 10;
    let (site, ..) = run("reject=0.3,repeat=0.5", &reconnecting(), traded);
    assert!(assert_positions_are_fills(&site.run_directory()) > 10);
}

/// The market as a process of its own, which can be stopped and killed.
struct Program {
    child: Child,
    data: SocketAddr,
    orders: SocketAddr,
}

impl Program {
    fn start(config: &Path, data: &str, orders: &str) -> Program {
        let mut child = Command::new(env!("CARGO_BIN_EXE_zomma-market"))
            .args(["--simulate".as_ref(), config.as_os_str()])
            .args(["--listen", data, "--orders", orders, "--sessions", "2", "--wait-orders"])
            .args(["--idle", "sleep"])
            .env("DATABENTO_API_KEY", KEY)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let at = |name: &str| {
            let found = ready.split_whitespace().find_map(|word| word.strip_prefix(name));
            found.unwrap_or_else(|| panic!("{ready}")).parse().unwrap()
        };
        Program { data: at("data="), orders: at("orders="), child }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A long, slow hour in a file.
fn slow_hour(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("market.toml");
    std::fs::write(&path, HOUR.replace("1800.0", "30.0").replace("6000.0", "2000.0")).unwrap();
    path
}

#[test]
fn a_silent_session_is_stale_until_it_speaks_again() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let market = Program::start(&slow_hour(folder.path()), "127.0.0.1:0", "127.0.0.1:0");
    let session = "on_close = \"end\"\nheartbeat = \"1s\"\nstale_after = \"1100ms\"";
    let extra = Extra { session, ..Extra::default() };
    let site = Site::new(market.data, market.orders, &extra);
    let mut engine = site.start();
    engine.until("quotes", |engine| engine.counter("market", "quotes") > 100);
    signal(market.child.id(), "STOP");
    engine.until("stale", |engine| engine.counter("options", "stales") == 1);
    let before = engine.counter("options", "quotes");
    signal(market.child.id(), "CONT");
    engine.until("quotes again", |engine| engine.counter("options", "quotes") > before + 100);
    engine.signal("TERM");
    engine.done();
    let inputs = events(&site.run_directory(), Stream::Inputs);
    assert_eq!(states(&inputs, 1, SessionState::STALE), 1);
    assert_sound(&site.run_directory());
}

#[test]
fn a_market_that_died_is_met_again_on_its_port() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let config = slow_hour(folder.path());
    let market = Program::start(&config, "127.0.0.1:0", "127.0.0.1:0");
    let (data, orders) = (market.data, market.orders);
    let site = Site::new(data, orders, &reconnecting());
    let mut engine = site.start();
    engine.until("orders", |engine| engine.counter("outcome", "orders") > 2);
    drop(market);
    engine.until("the loss", |engine| engine.counter("options", "drops") == 1);
    let before = engine.counter("options", "quotes");
    let _market = Program::start(&config, &data.to_string(), &orders.to_string());
    engine.until("quotes again", |engine| engine.counter("options", "quotes") > before + 100);
    engine.until("the broker", |engine| engine.counter("broker", "connects") == 2);
    engine.signal("TERM");
    engine.done();
    let inputs = events(&site.run_directory(), Stream::Inputs);
    assert!(gaps(&inputs, 1, Gap::RECONNECT) >= 1);
    assert_sound(&site.run_directory());
}
