//! The live gateway over real sockets: clients' scripts in, the records of the recording out.
#![allow(missing_docs)]

mod common;

use common::*;
use std::{io::Write, path::PathBuf, sync::atomic::Ordering};
use zomma_market::{
    fault::Plan,
    lsg::{Line, answer},
    record::{Fields, rtype},
    server::Settings,
    source::Source,
    tape::Tape,
};

const SCHEMAS: &[&str] = &["definition", "statistics", "cmbp-1", "trades"];

fn options() -> Vec<Vec<u8>> {
    let quotes = (0..100).map(|i| quote(1 + i % 2, u64::from(i) * 10, (100, 5), (110, 5)));
    listing().into_iter().chain(quotes).collect()
}

fn tape(files: Vec<PathBuf>) -> impl FnOnce() -> Box<dyn Source> + Send + 'static {
    move || {
        let files: Vec<_> = files.iter().map(AsRef::as_ref).collect();
        Box::new(Tape::open(&files, &[]).unwrap())
    }
}

/// A market that serves `options()`, and the folder that its file lies in.
fn market(settings: Settings) -> (Market, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), "options.dbn", OPTIONS, &options());
    (serve(settings, tape(vec![file])), folder)
}

#[test]
fn the_rust_and_the_python_client_speak_in_their_own_order_and_get_the_same_records() {
    let scripts = [
        (
            "auth={}|dataset=OPRA.PILLAR|encoding=dbn|compression=none|ts_out=0|client=Rust",
            "schema=cmbp-1|stype_in=parent|symbols=SPXW.OPT|snapshot=0|is_last=1|id=1",
            "start_session",
        ),
        (
            "auth={}|dataset=OPRA.PILLAR|encoding=dbn|ts_out=0|compression=none|client=Python\
             |heartbeat_interval_s=30",
            "schema=cmbp-1|stype_in=parent|symbols=SPXW.OPT|snapshot=0|id=1|is_last=1",
            "start_session=0",
        ),
    ];
    let quotes: Vec<_> = options().into_iter().filter(|r| r[1] != rtype::DEFINITION).collect();
    for (auth, subscription, start) in scripts {
        let (market, _folder) = market(settings());
        let mut client = Client::connect(market.data);
        client.line();
        let challenge = client.line();
        let answer = answer(Line::new(&challenge).get("cram").unwrap(), KEY);
        client.say(&format!("{}\n", auth.replace("{}", &answer)));
        assert!(client.line().starts_with("success=1|"));
        client.say(&format!("{subscription}\n{start}\n"));
        let header = client.header();
        assert_eq!((header.version, header.dataset.as_str()), (3, OPTIONS));
        assert_eq!((header.schema, header.stype_in, header.ts_out), (None, None, false));
        let acknowledged = client.record().unwrap();
        assert_eq!((acknowledged[1], acknowledged[319]), (rtype::SYSTEM, 1));
        assert_eq!(client.records(), quotes);
        assert_eq!(market.handle.join().unwrap().sent, quotes.len() as u64);
    }
}

#[test]
fn a_wrong_key_and_an_unknown_dataset_are_refused_and_cut_off() {
    let (market, _folder) = market(settings());
    let mut client = Client::connect(market.data);
    let said = client.authenticate("another-key-with-just-32-letters", OPTIONS, "");
    assert_eq!(said, "success=0|error=Authentication failed.\n");
    assert_eq!(client.line(), "", "the connection is closed");
    let mut client = Client::connect(market.data);
    let said = client.authenticate(KEY, "GLBX.MDP3", "");
    assert!(said.starts_with("success=0|error=Unknown dataset 'GLBX.MDP3'"), "{said}");
    let mut client = Client::connect(market.data);
    client.line();
    client.line();
    client.say("start_session\n");
    assert!(client.line().starts_with("success=0|"), "first things first");
    market.stop.store(true, Ordering::Relaxed);
    market.handle.join().unwrap();
}

#[test]
fn a_session_gets_what_it_subscribed_to_and_an_error_for_what_there_is_not() {
    let (market, _folder) = market(settings());
    let mut client = Client::connect(market.data);
    client.authenticate(KEY, OPTIONS, "");
    client.say("schema=cmbp-1|stype_in=raw_symbol|symbols=SPXW  240119C04810000,XYZ|is_last=1\n");
    client.say("schema=everything|stype_in=parent|symbols=SPXW.OPT|is_last=1\n");
    client.say("start_session\n");
    client.header();
    let codes: Vec<_> = (0..3).map(|_| client.record().unwrap()).map(|r| (r[1], r[318])).collect();
    assert_eq!(
        (codes[0], codes[1].0, codes[2]),
        ((rtype::ERROR, 4), rtype::SYSTEM, (rtype::ERROR, 5))
    );
    let records = client.records();
    assert!(records.iter().all(|r| r.instrument() == 2 && r[1] != rtype::DEFINITION));
    assert_eq!(records.len(), 1 + 50);
    market.handle.join().unwrap();
}

#[test]
fn two_datasets_run_on_one_clock() {
    let folder = tempfile::tempdir().unwrap();
    let spots: Vec<_> = (0..50).map(|i| spot(i * 20 + 5, 480_000)).collect();
    let files = vec![
        file(folder.path(), "options.dbn", OPTIONS, &options()),
        file(folder.path(), "spot.dbn", STOCKS, &spots),
    ];
    let settings = Settings { sessions: 2, ..settings() };
    let market = serve(settings, tape(files));
    let mut options = Client::subscribed(market.data, OPTIONS, SCHEMAS, "|ts_out=1");
    let mut stocks = Client::subscribed(market.data, STOCKS, &["mbp-1"], "|ts_out=1");
    assert!(options.header().ts_out && stocks.header().ts_out);
    let (options, stocks) = (options.records(), stocks.records());
    assert_eq!((options.len(), stocks.len()), (104, 50));
    // With a send time each, whatever was sent later happened later.
    let times = |r: &Vec<u8>| (r.u64_at(r.len() - 8), r.ts_event());
    let mut all: Vec<_> = options[4..].iter().chain(&stocks).map(times).collect();
    all.sort_by_key(|(_, happened)| *happened);
    assert!(all.is_sorted_by_key(|(sent, _)| *sent));
    assert_eq!(options[10].len(), 88);
    market.handle.join().unwrap();
}

#[test]
fn a_silent_market_sends_heartbeats() {
    let plan = Plan::parse("stall=3s@0s").unwrap();
    let (market, _folder) = market(Settings { plan, ..settings() });
    let more = "|heartbeat_interval_s=1";
    let mut client = Client::subscribed(market.data, OPTIONS, &["cmbp-1"], more);
    client.header();
    let own: Vec<_> = (0..2).map(|_| client.record().unwrap()).map(|r| (r[1], r[319])).collect();
    assert_eq!(own, [(rtype::SYSTEM, 1), (rtype::SYSTEM, 0)], "acknowledged, then a heartbeat");
    assert_eq!(client.records().len(), 102);
    market.handle.join().unwrap();
}

#[test]
fn who_comes_back_is_told_the_mappings_again_and_goes_on_from_the_present() {
    let plan = Plan::parse("disconnect=at:300ms").unwrap();
    let (market, _folder) = market(Settings { plan, speed: Some(1.0), ..settings() });
    let mut first = Client::subscribed(market.data, OPTIONS, SCHEMAS, "");
    first.header();
    let before = first.records();
    let mut second = Client::subscribed(market.data, OPTIONS, SCHEMAS, "");
    second.header();
    let after = second.records();
    assert_eq!(after[..4], listing()[..], "mappings and definitions again");
    let (last, next) = (before.last().unwrap().ts_event(), after[4].ts_event());
    assert!(last < next, "{last} {next}");
    assert_eq!(after.last(), options().last());
    market.handle.join().unwrap();
}

#[test]
fn faults_are_what_the_plan_says_and_the_same_for_a_seed() {
    let run = |text: &str| {
        let plan = Plan::parse(text).unwrap();
        let (market, _folder) = market(Settings { plan, ..settings() });
        let mut client = Client::subscribed(market.data, OPTIONS, SCHEMAS, "");
        client.header();
        (client.records(), market.handle.join().unwrap().faults)
    };
    let (records, faults) = run("drop=0.2");
    assert!(faults[0] > 5 && records.len() as u64 == 104 - faults[0]);
    assert_eq!(run("drop=0.2").0, records);
    let (records, faults) = run("dup=0.2");
    assert!(faults[1] > 5 && records.len() as u64 == 104 + faults[1]);
    let (mut records, faults) = run("reorder=0.2");
    assert!(faults[2] > 5 && records != options());
    let mut all = options();
    records.sort();
    all.sort();
    assert_eq!(records, all, "nothing is lost by it");
}

#[test]
fn nonsense_from_a_client_ends_its_session_and_no_other() {
    let (market, _folder) = market(settings());
    for nonsense in [&b"\xff\xfe\n"[..], &[b'x'; 70_000], b"auth=\n", b"\n"] {
        let mut client = Client::connect(market.data);
        let _ = client.stream.write_all(nonsense);
    }
    let mut client = Client::subscribed(market.data, OPTIONS, SCHEMAS, "");
    client.header();
    assert_eq!(client.records(), options());
    market.handle.join().unwrap();
}

/// The recorded GOOG day, whole, with the counts of its description.
#[test]
fn the_recorded_day_arrives_whole() {
    let Some(folder) = data("lean-goog-20151224/dbn") else { return };
    let names = ["goog-20151224.live.dbn.zst", "goog-20151224.underlying.mbp-1.dbn.zst"];
    let files: Vec<_> = names.map(|name| folder.join(name)).to_vec();
    let market = serve(Settings { sessions: 2, ..settings() }, tape(files));
    let dataset = "XNAS.ITCH";
    let to = market.data;
    let stocks = std::thread::spawn(move || {
        let mut client = Client::subscribed(to, dataset, &["mbp-1"], "");
        client.header();
        client.records().iter().filter(|r| r[1] == rtype::MBP1).count()
    });
    let mut client = Client::subscribed(to, OPTIONS, SCHEMAS, "");
    client.header();
    let records = client.records();
    let of = |kind: u8| records.iter().filter(move |r| r[1] == kind);
    assert_eq!(of(rtype::MAPPING).count(), 2_192);
    assert_eq!(of(rtype::DEFINITION).count(), 2_192);
    assert_eq!(of(rtype::STATISTICS).map(|r| r.i64_at(40)).sum::<i64>(), 179_502);
    let sizes = of(rtype::CMBP1).map(|r| u64::from(r.u32_at(64)) + u64::from(r.u32_at(68)));
    assert_eq!(sizes.sum::<u64>(), 11_657_931);
    assert_eq!(of(rtype::TRADE).map(|r| u64::from(r.u32_at(24))).sum::<u64>(), 7_471);
    assert_eq!(records.len(), 282_952);
    assert_eq!(stocks.join().unwrap(), 260);
    market.handle.join().unwrap();
}
