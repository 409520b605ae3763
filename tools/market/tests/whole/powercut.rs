//! A journal as a power cut leaves it, and a machine that was started anew, in; a run that goes on,
//! or that opens nothing because the broker knows more than the journal, out.

use crate::{
    engine::{Engine, Site, alone, events},
    restarts::{PROBES, Total, kill, market, reconcile, site, stop, until_it_trades},
};
use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::Path,
    process::Command,
};
use zomma::{
    journal::{Manifest, Stream, tool},
    run::replay,
    wire::{Event, Kind, order::Order},
};

/// Bytes before the records of a segment, and of a record.
const HEAD: usize = 4_096;
const RECORD: usize = 80;

/// What makes a process see another start of the machine; `None` where it cannot be made.
fn started_anew(folder: &Path) -> Option<Vec<String>> {
    let id = folder.join("boot_id");
    fs::write(&id, "00000000-0000-4000-8000-000000000001\n").unwrap();
    let seen = "/proc/sys/kernel/random/boot_id";
    let script = format!("mount --bind {} {seen} && exec \"$0\" \"$@\"", id.display());
    let words = ["unshare", "--mount", "sh", "-c", &script].map(String::from);
    let trial = Command::new(&words[0]).args(&words[1..]).arg("true").output();
    if !trial.is_ok_and(|output| output.status.success()) {
        println!("skipped: no mount of its own for a process");
        return None;
    }
    Some(words.into())
}

/// The last records of the segment that was being written are gone.
fn lose_tail(directory: &Path, stream: &str, records: usize) {
    let names = fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path());
    let is_ours = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with(stream) && name.ends_with(".zj")
    };
    let mut segments: Vec<_> = names.filter(is_ours).collect();
    segments.sort();
    let whole = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        let records = bytes[HEAD..].chunks_exact(RECORD);
        records.take_while(|record| record[..4] != [0; 4]).count()
    };
    let written = segments.iter().rev().map(|path| (path, whole(path))).find(|found| found.1 > 0);
    let (path, kept) = written.expect("something was written");
    let lost = records.min(kept);
    let file = File::options().write(true).open(path).unwrap();
    let at = (HEAD + (kept - lost) * RECORD) as u64;
    file.write_all_at(&vec![0; lost * RECORD], at).unwrap();
}

fn end(engine: Engine) {
    engine.signal("TERM");
    engine.done();
}

fn is_another_boot(site: &Site) -> bool {
    let manifest = Manifest::read(&site.run_directory()).unwrap();
    manifest.sessions.last().is_some_and(|session| !session.start.same_boot)
}

#[test]
fn a_run_goes_on_after_a_power_cut_that_lost_nothing() {
    let _alone = alone();
    let served = market();
    let site = site(&served, "inline", "", PROBES);
    let Some(before) = started_anew(site.folder.path()) else { return };
    let mut engine = site.start();
    until_it_trades(&mut engine);
    kill(engine);
    let mut engine = site.resume_behind(&before);
    until_it_trades(&mut engine);
    end(engine);
    assert!(is_another_boot(&site));
    reconcile(&site.run_directory(), &stop(served).ledger, &mut Total::default());
}

/// The disk had not yet taken orders that the broker has: it tells of fills that nobody here knows.
#[test]
fn a_power_cut_that_took_orders_along_opens_nothing_more() {
    let _alone = alone();
    let served = market();
    let site = site(&served, "inline", "", PROBES);
    let Some(before) = started_anew(site.folder.path()) else { return };
    let mut engine = site.start();
    engine.until("trades", |engine| engine.counter("book", "traded") > 40);
    kill(engine);
    let directory = site.run_directory();
    for stream in ["in", "out"] {
        lose_tail(&directory, stream, 400);
    }
    let mut engine = site.resume_behind(&before);
    engine.until("the difference", |engine| {
        engine.counter("book", "halted") + engine.counter("book", "differences") > 0
    });
    let refused = engine.counter("outcome", "refusals");
    let inputs = engine.counter("feed", "events");
    engine.until("more of the market", |engine| engine.counter("feed", "events") > inputs + 2_000);
    let refused = engine.counter("outcome", "refusals") - refused;
    end(engine);
    let summary = stop(served);
    assert!(is_another_boot(&site));
    let (inputs, outputs) =
        (events(&directory, Stream::Inputs), events(&directory, Stream::Outputs));
    let back = inputs.iter().rev().find(|event| event.kind == Kind::RUN).unwrap().seq;
    let opens = |event: &&Event| {
        event.kind == Kind::ORDER && event.seq > back && event.body::<Order>().purpose.opens()
    };
    assert_eq!(outputs.iter().filter(opens).count(), 0, "nothing is opened any more");
    assert!(outputs.iter().any(|event| [Kind::HALT, Kind::DIFFERENCE].contains(&event.kind)));
    let mut text = Vec::new();
    assert!(tool::verify(&directory, &mut text).unwrap(), "{}", String::from_utf8_lossy(&text));
    assert!(replay::through(&directory).unwrap().verdict.holds());
    assert_eq!(summary.ledger.duplicates, 0);
    println!("F4 whole engine: 400 records a stream lost, {refused} intents refused, 0 opened");
}
