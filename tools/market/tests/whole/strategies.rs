//! A simulated trading day for every strategy at once, over real sockets, with fills of a venue;
//! what each of them entered, why it left and what it made, out as a table, and the replay equal.

use crate::engine::{
    Extra, Site, alone, assert_positions_are_fills, assert_sound, events, rebuilt, simulated,
};
use std::collections::BTreeMap;
use zomma::{
    book::to_currency,
    journal::Stream,
    strategy::{Code, KINDS},
    wire::{
        Event, Kind,
        order::{Decision, Leg, Order, Purpose, Report, ReportKind},
    },
};

/// A whole session in a quarter of a minute.
const DAY: &str = "[session]\nspeed = 1560.0\nrate = 12000.0\nseed = 11\n[chain]\ndays = [0, 1]\n\
    strikes = 36\n[quotes]\nwidth = 12.0\ntrades = 0.02\nfirst_share = 0.6\n";

/// Keys that all share: an entry is looked for all day until there was one in each window.
const SHARED: &str = "root = \"SPXW\"\nsample_every = \"1m\"\nattempts_max = 100\n\
    cooldown = \"2m\"\nlook_every = \"10s\"\nleg_spread_max = 2.0\nleg_spread_share_max = 1.0\n\
    quote_age_max = \"15m\"\nquote_wait = \"5m\"\nreprice_after = \"60s\"\nrisk_share = 0.0\n\
    stop_confirm = \"30s\"\nexit_reprice_after = \"60s\"\nexit_retry = \"30s\"\n\
    cancel_again_after = \"5m\"\nhold_days = 0\ntime_exit = \"15:30\"\ncredit_min = 0.0\n\
    credit_width_share_min = 0.0\nopen_max = 1\n";

const MORNING: &str = "entry_windows = [\"09:40-12:00\", \"12:00-14:30\"]\n";
const LATER: &str = "entry_windows = [\"10:00-12:00\", \"12:00-14:30\"]\n";

/// Each kind's own keys.
fn own(section: &str) -> String {
    let text = match section {
        "vertical" => "entry_when = [\"SPXW.session_share > 0.16\"]",
        "iron_condor" => {
            "short_delta = 0.2\nshort_delta_tolerance = 0.15\nwing_width = 10.0\n\
            wing_width_max = 20.0"
        }
        "iv_rank" => "rank_high = 0.6\nrank_exit = 0.5\nrank_low = 0.4\nprofit_target = 0.15",
        "gamma_scalping" => {
            "hedge_every = \"5m\"\nhedge_wing = \"points 50 within 25\"\n\
            profit_target = 0.5\nstop = 0.5"
        }
        "oi_build_up" => {
            "expiry = \"today\"\nframe = \"15m\"\nmove_min = 0.0003\npcr_high = 0.02\n\
            pcr_low = 0.01\nbuild_min = -1.0"
        }
        "volatility_expansion" => {
            "entry_when = [\"iv_rank < 0.6\"]\nexit_when = []\n\
            offset = \"delta 0.4 within 0.2\"\nprofit_target = 0.1"
        }
        "short_strangle" => "wing = \"points 30 within 20\"\nexit_when = [\"short_delta > 0.5\"]",
        "butterfly" => {
            "adjust_when = [\"|short_distance| > 0.003\"]\nupper = \"points 30 within 10\""
        }
        "calendar" => "profit_target = 0.1",
        "flyagonal" => "profit_target = 0.15\nnear = \"today\"",
        "expiry_pin" => "entry_when = []\nexit_when = [\"|pain_distance| > 0.02\"]",
        "covered_call" | "protective_put" => {
            "expiry = \"dte 1-5\"\nprofit_target = 0.0\nstop = 0.0"
        }
        "momentum" => "moves = [0.0002, 0.0003, 0.0005]\nagree = 2",
        "mean_reversion" => "moves = [0.0002, 0.0003, 0.0005]\nagree = 2\ntrend_max = 0.05",
        _ => "",
    };
    let timed = ["iv_rank", "oi_build_up", "volatility_expansion", "momentum", "mean_reversion"];
    let windows = if timed.contains(&section) { LATER } else { MORNING };
    format!("[[{section}]]\n{SHARED}{windows}{text}\n")
}

/// What one strategy did.
#[derive(Debug, Default)]
struct Row {
    orders: u32,
    refused: u32,
    entered: u32,
    legs: usize,
    contracts: u64,
    hedges: u32,
    exits: BTreeMap<&'static str, u32>,
    closed: u32,
    profit: f64,
    /// What its fills paid and received, fees apart, from the reports alone.
    cash: f64,
}

/// Reads the outputs and the broker's reports; shares nothing with the book.
fn rows(outputs: &[Event], inputs: &[Event]) -> Vec<Row> {
    let mut rows: Vec<Row> = KINDS.iter().map(|_| Row::default()).collect();
    let (mut owners, mut legs) = (BTreeMap::new(), BTreeMap::new());
    for event in outputs {
        match event.kind {
            Kind::ORDER => {
                let order = event.body::<Order>();
                owners.insert(order.id, usize::from(order.strategy));
                let row = &mut rows[usize::from(order.strategy)];
                row.orders += 1;
                row.legs = row.legs.max(usize::from(order.legs));
            }
            Kind::ORDER_LEG => {
                let leg = *event.body::<Leg>();
                legs.insert((leg.order, leg.index), leg);
            }
            Kind::DECISION => take(&mut rows, event.body()),
            _ => {}
        }
    }
    let mut told = std::collections::BTreeSet::new();
    for event in inputs.iter().filter(|event| event.kind == Kind::REPORT) {
        let report = event.body::<Report>();
        let is_fill = report.event == ReportKind::FILL && report.leg != Report::WHOLE;
        if is_fill && told.insert(report.exec_id) {
            let row = &mut rows[owners[&report.order]];
            let side = f64::from(legs[&(report.order, report.leg)].side);
            row.contracts += u64::from(report.quantity);
            row.cash -= side * f64::from(report.quantity) * report.price.to_f64() * 100.0;
        }
    }
    rows
}

fn take(rows: &mut [Row], told: &Decision) {
    let row = &mut rows[usize::from(told.strategy)];
    match Code(told.code) {
        Code::ENTERED => row.entered += 1,
        Code::REFUSED => row.refused += 1,
        Code::HEDGE => row.hedges += 1,
        Code::EXIT => *row.exits.entry(Purpose(told.b as u8).name()).or_default() += 1,
        Code::CLOSED | Code::EXPIRED => {
            row.closed += 1;
            row.profit += told.a;
        }
        _ => {}
    }
}

fn show(rows: &[Row]) {
    println!(
        "{:<21} {:>6} {:>7} {:>4} {:>5} {:>6} {:>6} {:>11} {:>11}  exits",
        "strategy", "orders", "refused", "legs", "held", "fills", "hedges", "cash", "P&L"
    );
    for (kind, row) in KINDS.iter().zip(rows) {
        println!(
            "{:<21} {:>6} {:>7} {:>4} {:>5} {:>6} {:>6} {:>11.2} {:>11.2}  {:?}",
            kind.section,
            row.orders,
            row.refused,
            row.legs,
            row.entered,
            row.contracts,
            row.hedges,
            row.cash,
            row.profit,
            row.exits
        );
    }
}

/// An hour after the opening or later: 10:30 in New York, in ns UTC. A timer bears no such time.
fn after_an_hour(event: &Event) -> bool {
    event.ts_event >= 1_757_514_600_000_000_000
}

#[test]
fn every_strategy_opens_manages_and_closes_on_a_simulated_day() {
    let _alone = alone();
    let served = simulated(DAY, "");
    let strategy = KINDS.iter().map(|kind| own(kind.section)).collect::<String>();
    let feed = "[features]\nroots = [\"SPXW\"]".into();
    let extra = Extra { strategy, feed, ..Extra::default() };
    let site = Site::new(served.market.data, served.market.orders, &extra);
    site.start().done();
    let directory = site.run_directory();
    drop(served.join());
    let outputs = events(&directory, Stream::Outputs);
    let rows = rows(&outputs, &events(&directory, Stream::Inputs));
    show(&rows);
    for (kind, row) in KINDS.iter().zip(&rows) {
        assert!(row.entered > 0, "{} has opened nothing", kind.section);
        assert!(!row.exits.is_empty() && row.closed > 0, "{} has closed nothing", kind.section);
    }
    let vertical = KINDS.iter().position(|kind| kind.section == "vertical").unwrap();
    let first = outputs.iter().find(|event| {
        event.kind == Kind::ORDER && usize::from(event.body::<Order>().strategy) == vertical
    });
    assert!(after_an_hour(first.unwrap()), "its entry hangs on a feature");
    // The same decisions from the journal alone, byte for byte.
    assert_sound(&directory);
    assert_positions_are_fills(&directory);
    let desk = rebuilt(&directory);
    assert!(desk.book.is_flat(), "something is held after the day");
    let cash: f64 = rows.iter().map(|row| row.cash).sum();
    let profit: f64 = rows.iter().map(|row| row.profit).sum();
    let fees = to_currency(desk.book.fees);
    assert!((cash - fees - profit).abs() < 0.005, "{cash} - {fees} is not {profit}");
    println!("fills paid and received {cash:.2}, fees {fees:.2}, closed packages made {profit:.2}");
}
