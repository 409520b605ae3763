//! Every breaker in the simulated market, over sockets: what trips it in; HALT in the journal, no
//! opening order behind it, the operator's reset, and an equal replay, out.

use crate::engine::{
    CONDOR, Engine, Extra, HOUR, RECONNECT, Served, Site, alone, assert_sound, events, simulated,
};
use std::{fs, path::PathBuf};
use zomma::{
    journal::Stream,
    risk::{Action, Limit},
    wire::{
        Event, Kind,
        control::{Command, Disk, DiskState, Verb},
        order::{Breach, Halt, Order},
    },
};

/// An hour that lasts a minute, with quotes enough.
fn slow(faults: &str) -> Served {
    simulated(&HOUR.replace("1800.0", "60.0").replace("6000.0", "3000.0"), faults)
}

/// Buys at the ask and sells at the bid, on and on: fees and spreads are lost at once.
const BUYER: &str = "[[probe]]\nname = \"buyer\"\nevery = 5\nplace = \"ask\"\nworking_max = 8\n\
    cancel_after = \"2s\"\n";

/// A breaker, what it does, and the lines of `[limits]` under which it trips in such a market.
type Trip = (Limit, Action, &'static str);

const LOSSES: [Trip; 4] = [
    (Limit::DAILY_LOSS, Action::Halt, "daily_loss_max = 300.0\n"),
    (Limit::DRAWDOWN_REDUCE, Action::Reduce, "drawdown_reduce = 0.00003\n"),
    (Limit::DRAWDOWN_HALT, Action::Halt, "drawdown_halt = 0.00003\n"),
    (Limit::HORIZON_LOSS, Action::Reduce, "loss_intraday_share_max = 0.00003\n"),
];

const TAILS: [Trip; 3] = [
    (Limit::VALUE_AT_RISK, Action::Reduce, "var_share_max = 0.000001\n"),
    (Limit::SHORTFALL, Action::Reduce, "es_share_max = 0.000001\n"),
    (Limit::THETA_ALERT, Action::Alert, "theta_alert = 0.000000001\n"),
];

const CONDUCT: [Trip; 5] = [
    (Limit::LOSSES_IN_A_ROW, Action::HaltStrategy, "losses_in_a_row_max = 2\n"),
    (Limit::REPEATED, Action::HaltStrategy, "repeated_fills_max = 3\n"),
    (Limit::TRADED_RATE, Action::Kill, "traded_rate_max = 8\n"),
    (Limit::PROFIT_RATE, Action::Kill, "profit_rate_max = 50.0\n"),
    (Limit::REJECTS, Action::Halt, "rejects_in_a_row_max = 3\n"),
];

/// What a reset ends.
const RESET: [Action; 3] = [Action::Halt, Action::Reduce, Action::HaltStrategy];

fn halts(outputs: &[Event], limit: Limit) -> Vec<(u64, Halt)> {
    let halts = outputs.iter().filter(|event| event.kind == Kind::HALT);
    let halts = halts.map(|event| (event.seq, *event.body::<Halt>()));
    halts.filter(|(_, halt)| halt.limit == limit.0).collect()
}

/// Inputs that caused an order that opens.
fn openings(outputs: &[Event]) -> Vec<u64> {
    let orders = outputs.iter().filter(|event| event.kind == Kind::ORDER);
    orders.filter(|e| e.body::<Order>().purpose.opens()).map(|event| event.seq).collect()
}

/// Breaches of a limit.
fn breaches(outputs: &[Event], limit: Limit) -> usize {
    let breaches = outputs.iter().filter(|event| event.kind == Kind::BREACH);
    breaches.filter(|event| event.body::<Breach>().limit == limit.0).count()
}

struct Rig {
    served: Served,
    site: Site,
    engine: Engine,
    command: PathBuf,
    _folder: tempfile::TempDir,
}

impl Rig {
    fn new(faults: &str, extra: Extra) -> Rig {
        let served = slow(faults);
        let folder = tempfile::tempdir().unwrap();
        let command = folder.path().join("command");
        let feed = format!("command_file = \"{}\"\n{}", command.display(), extra.feed);
        let extra = Extra { feed, session: RECONNECT, ..extra };
        let site = Site::new(served.market.data, served.market.orders, &extra);
        let engine = site.start();
        Rig { served, site, engine, command, _folder: folder }
    }

    /// The operator's command, moved into its place.
    fn say(&self, line: &str) {
        let fresh = self.command.with_extension("new");
        fs::write(&fresh, line).unwrap();
        fs::rename(&fresh, &self.command).unwrap();
    }

    /// A while of the market.
    fn more_quotes(&mut self, count: u64) {
        let wanted = self.engine.counter("market", "quotes") + count;
        self.engine.until("more quotes", |engine| engine.counter("market", "quotes") > wanted);
    }

    /// Ends it, and what its journal has of inputs and outputs.
    fn end(self) -> [Vec<Event>; 2] {
        self.engine.signal("TERM");
        self.engine.done();
        self.served.market.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        self.served.join();
        let directory = self.site.run_directory();
        assert_sound(&directory);
        [Stream::Inputs, Stream::Outputs].map(|stream| events(&directory, stream))
    }
}

fn buyer(limits: &'static str) -> Extra {
    Extra { limits, strategy: BUYER.into(), ..Extra::default() }
}

/// Trips it, waits, resets it if a reset ends it, waits again, and looks at the journal.
fn trips((limit, action, limits): Trip) {
    let faults = if limit == Limit::REJECTS { "reject=1.0" } else { "" };
    let mut rig = Rig::new(faults, buyer(limits));
    rig.engine.until("the halt", |engine| engine.counter("outcome", "halts") > 0);
    rig.more_quotes(300);
    let ends = RESET.contains(&action);
    if ends {
        let halts = rig.engine.counter("outcome", "halts");
        rig.say(&format!("reset {} looked into it", limit.0));
        rig.engine.until("the reset", |engine| engine.counter("outcome", "halts") > halts);
        rig.more_quotes(300);
    }
    let [inputs, outputs] = rig.end();
    let told = halts(&outputs, limit);
    let name = zomma::risk::limit_doc(limit.0).unwrap().name;
    let (at, halt) = told[0];
    assert_eq!(halt.action, action as u32, "{name}");
    assert!(halt.measured > halt.bound, "{name}: {} of {}", halt.measured, halt.bound);
    let is_reset = |e: &&Event| e.kind == Kind::COMMAND && e.body::<Command>().verb == Verb::RESET;
    let reset = inputs.iter().find(is_reset).map_or(u64::MAX, |event| event.seq);
    assert_eq!(reset < u64::MAX, ends, "{name}");
    let opened = openings(&outputs);
    let late = opened.iter().filter(|seq| **seq > at && **seq < reset).count();
    assert!(late == 0 || action == Action::Alert, "{name}: {late} opened after the halt");
    let again = opened.iter().filter(|seq| **seq > reset).count();
    if ends {
        let resets = told.iter().filter(|(_, halt)| halt.action == Action::Reset as u32).count();
        assert_eq!(resets, 1, "{name} was set back");
        assert!(again > 0, "{name}: nothing opens after the reset");
    }
    let before = opened.iter().filter(|seq| **seq <= at).count();
    println!(
        "{name:<22} {:<22} {:>12.6} {:>12.6} {before:>4} opened before, {late} until a reset, \
         {again} after it",
        Action::name(halt.action),
        halt.measured,
        halt.bound,
    );
}

#[test]
fn losses_and_drawdown_halt_and_reduce() {
    let _alone = alone();
    LOSSES.into_iter().for_each(trips);
}

#[test]
fn what_the_book_may_lose_reduces_and_what_time_costs_alerts() {
    let _alone = alone();
    TAILS.into_iter().for_each(trips);
}

#[test]
fn losses_in_a_row_executions_and_rejects_halt_and_kill() {
    let _alone = alone();
    CONDUCT.into_iter().for_each(trips);
}

/// No second holds more orders than the rate and the burst allow.
#[test]
fn orders_beyond_their_rate_are_refused() {
    let _alone = alone();
    let limits = "message_rate_max = 3\nmessage_burst = 2\n";
    let mut rig = Rig::new("", buyer(limits));
    rig.engine.until("orders", |engine| engine.counter("outcome", "orders") > 8);
    let [inputs, outputs] = rig.end();
    assert!(breaches(&outputs, Limit::MESSAGE_RATE) > 0);
    let time = |seq: u64| inputs[inputs.partition_point(|event| event.seq < seq)].ts_recv;
    let sent: Vec<u64> = openings(&outputs).into_iter().map(time).collect();
    let within = |from: u64| sent.iter().filter(move |t| (from..from + 1_000_000_000).contains(*t));
    let most = sent.iter().map(|from| within(*from).count()).max().unwrap_or(0);
    assert!((1..=5).contains(&most), "{most} in a second");
    println!("{} orders, {most} in a second at most", sent.len());
}

/// Legs that were quoted longer ago than allowed are no ground for an order.
#[test]
fn nothing_is_opened_on_stale_quotes() {
    let _alone = alone();
    let extra = Extra { limits: "quote_age_max = \"1ms\"\n", ..Extra::default() };
    let mut rig = Rig::new("", Extra { strategy: CONDOR.into(), ..extra });
    rig.engine.until("a refusal", |engine| engine.counter("outcome", "refusals") > 0);
    rig.more_quotes(2_000);
    let [_, outputs] = rig.end();
    assert!(breaches(&outputs, Limit::QUOTE_AGE) > 0);
    assert_eq!(openings(&outputs).len(), 0);
}

/// A heartbeat that nobody touches any more kills; until then orders leave.
#[test]
fn a_lost_heartbeat_kills() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let alive = folder.path().join("alive");
    let touch = || fs::write(&alive, "").unwrap();
    touch();
    let feed = format!("heartbeat_file = \"{}\"\nheartbeat_max = \"2s\"", alive.display());
    let mut rig = Rig::new("", Extra { feed, ..buyer("") });
    rig.engine.until("orders", |engine| {
        touch();
        engine.counter("outcome", "orders") > 10
    });
    rig.engine.until("the halt", |engine| engine.counter("outcome", "halts") > 0);
    rig.more_quotes(300);
    let [inputs, outputs] = rig.end();
    let is_kill = |e: &&Event| e.kind == Kind::COMMAND && e.body::<Command>().verb == Verb::KILL;
    let kill = inputs.iter().find(is_kill).expect("a kill");
    assert!(kill.body::<Command>().reason.starts_with(b"heartbeat lost"));
    assert_eq!(halts(&outputs, Limit(Limit::KILL_SWITCH)).len(), 1);
    assert!(openings(&outputs).iter().all(|seq| *seq < kill.seq));
}

/// A disk that is behind is an input of the run: nothing is opened from there on, live and in the
/// replay alike.
#[test]
fn a_journal_that_is_late_opens_nothing() {
    let _alone = alone();
    let extra = Extra {
        run: "lag_max = \"500ms\"\nlag_reduce = \"1s\"".into(),
        journal: "sync_interval = \"60s\"",
        ..buyer("")
    };
    let mut rig = Rig::new("", extra);
    let is_late = |engine: &Engine| engine.counter("journal", "lag_ns_max") > 2_000_000_000;
    rig.engine.until("a late journal", is_late);
    rig.more_quotes(3_000);
    let [inputs, outputs] = rig.end();
    let late = inputs.iter().find(|event| event.kind == Kind::DISK).expect("it is told");
    let Disk { state, lag, .. } = *late.body::<Disk>();
    assert!(state == DiskState::LATE && lag >= 1_000_000_000, "{state:?} {lag}");
    assert!(breaches(&outputs, Limit::JOURNAL_BEHIND) > 0);
    let opened = openings(&outputs);
    assert!(!opened.is_empty() && opened.iter().all(|seq| *seq <= late.seq));
}
