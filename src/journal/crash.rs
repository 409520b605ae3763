//! Kills at every named instant of writer, keeper, manifest and recovery, one after the other.
//!
//! This test binary is its own child: it keeps a journal, acknowledges what it has appended, and
//! dies by SIGKILL at the instant it was told (`fail`). Its successor recovers, perhaps dies at the
//! same instant again, and in the end one lives and everything acknowledged must be there.

use super::{End, Journal, Manifest, Opened, Reader, Settings, Stream, Sync};
use crate::{
    config::Span,
    wire::{Event, Kind, market::Quote, order::Leg},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use std::{
    fs::{self, File},
    io::{Read, Write},
    os::unix::{fs::FileExt, process::ExitStatusExt},
    path::Path,
    print, println,
    process::{Command, ExitStatus, Stdio},
};

/// A directory in memory where there is one: waiting for a disk shows nothing here.
pub(super) fn memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A number from the environment: how often a test injects its fault.
pub(super) fn count(variable: &str, default: u64) -> u64 {
    let text = std::env::var_os(variable).and_then(|text| text.into_string().ok());
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Every instant that has a name; those of a recovery need something to recover from.
const INSTANTS: &[&str] = &[
    "make: before the header",
    "make: after the header",
    "make: before the name",
    "make: before the directory is on the disk",
    "manifest: before its name",
    "manifest: before the directory is on the disk",
    "begin: before the manifest",
    "begin: before the first opening",
    "append: before the number",
    "append: before the payload",
    "append: before the commit word",
    "append: before it is told",
    "roll: before the opening",
    "roll: after the opening",
    "seal: before it",
    "seal: before its commit word",
    "finish: before the last segment is shortened",
    "recovery: it has been announced",
    "recovery: a segment was put aside",
    "recovery: before the copy has its name",
    "recovery: the tail was copied",
    "recovery: within the zeroing",
    "recovery: the tail was zeroed",
    "recovery: the segment was sealed",
    "recovery: both streams are in order",
    "doublewrite: before the name",
    "doublewrite: before it is written",
    "doublewrite: after it is written",
    "recovery: a record was put back",
];

fn input(number: u64) -> Event {
    let quote = Quote { venue_seq: number as u32, ..bytemuck::Zeroable::zeroed() };
    Event { seq: number, ts_recv: number, ..Event::new(Kind::QUOTE, 5, quote) }
}

fn output(number: u64) -> Event {
    let leg = Leg { order: number, ..bytemuck::Zeroable::zeroed() };
    Event { seq: 2 * number, ..Event::new(Kind::ORDER_LEG, 9, leg) }
}

const DIRECTORY: &str = "ZOMMA_CRASH_DIRECTORY";
/// In ms: so long that nothing is synced, where a hole is to look like a power cut's.
const INTERVAL: &str = "ZOMMA_CRASH_INTERVAL";
/// 0 where nothing is to be copied at once either.
const STRICT: &str = "ZOMMA_CRASH_STRICT";

/// The child: takes the journal over, appends three segments' worth, ends it in order.
#[test]
fn child_that_may_be_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let directory = Path::new(&directory);
    let sync_interval = Span(count(INTERVAL, 1) * 1_000_000);
    let (segment_bytes, output_segment_bytes) = (65_536, 65_536);
    let sync = if count(STRICT, 1) == 1 { Sync::Strict } else { Sync::Interval };
    let settings = Settings { segment_bytes, output_segment_bytes, sync, sync_interval };
    let manifest = Manifest::new(42, Vec::new()).unwrap();
    let opened = match directory.join("manifest").exists() {
        true => Journal::resume(directory, &settings, manifest).unwrap().opened,
        false => Journal::create(directory, &settings, manifest).unwrap(),
    };
    let Opened { journal, mut inputs, mut outputs } = opened;
    let mut acknowledged = File::options().append(true).open(directory.join("acks")).unwrap();
    // Outputs whose inputs came, but which a crash has cut off, come first.
    let (from, made) = (inputs.watch().written(), outputs.watch().written());
    (made + 1..=from / 2).for_each(|number| assert!(outputs.append(&output(number)).is_ok()));
    for number in from + 1..=from + 2_000 {
        inputs.append(&input(number)).unwrap();
        // So that the page being filled has a copy, whatever the machine does meanwhile.
        while number == from + 20 && sync == Sync::Strict && inputs.watch().durable() < number {
            std::thread::yield_now();
        }
        if number % 2 == 0 {
            outputs.append(&output(number / 2)).unwrap();
        }
        if number % 16 == 0 {
            acknowledged.write_all(&number.to_le_bytes()).unwrap();
        }
    }
    drop((inputs, outputs));
    journal.finish().unwrap();
}

/// Where a child is killed for others to recover: in its third segment.
const TO_RECOVER: &str = "append: before the commit word:2500";

fn child(directory: &Path, kill_at: Option<&str>, strict: bool) -> ExitStatus {
    let name = "journal::crash::child_that_may_be_killed";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--quiet"]).env(DIRECTORY, directory).stdout(Stdio::null());
    if kill_at == Some(TO_RECOVER) {
        command.env(INTERVAL, "60000");
    }
    command.env(STRICT, u8::from(strict).to_string());
    match kill_at {
        Some(instant) => command.env("ZOMMA_KILL_AT", instant).stderr(Stdio::null()),
        None => command.env_remove("ZOMMA_KILL_AT"),
    };
    command.status().unwrap()
}

/// The last number that a child has acknowledged.
fn acknowledged(directory: &Path) -> u64 {
    let mut bytes = Vec::new();
    File::open(directory.join("acks")).unwrap().read_to_end(&mut bytes).unwrap();
    let last = bytes.chunks_exact(8).next_back();
    last.map_or(0, |last| u64::from_le_bytes(last.try_into().unwrap()))
}

/// Reads both streams and holds each record against what must be there.
fn read(directory: &Path) -> [End; 2] {
    [Stream::Inputs, Stream::Outputs].map(|stream| {
        let wanted = if stream == Stream::Inputs { input } else { output };
        let mut reader = Reader::open(directory, stream).unwrap();
        while let Some(found) = reader.next_event().copied() {
            assert_eq!(found, wanted(reader.records()));
        }
        reader.verify()
    })
}

/// Takes a page out of the inputs, as a power cut may: one that only the segment had, or one that
/// the doublewrite file has at least the beginning of. Gives how many records are left before it.
fn tear_hole(directory: &Path, is_copied: bool) -> u64 {
    let first = Manifest::read(directory).unwrap().sessions[0].first(Stream::Inputs);
    assert_eq!(first, 1);
    let (name, at) = if is_copied { ("in-000001.zj", 4096) } else { ("in-000002.zj", 8192) };
    let file = File::options().write(true).open(directory.join(name)).unwrap();
    file.write_all_at(&[0; 4096], at).unwrap();
    let kept = read(directory)[0].records();
    assert!(if is_copied { kept > 1 } else { kept == 768 + 51 }, "{kept}");
    kept
}

/// A child that is killed at `instant`, a successor that is killed there too, and one that lives.
/// Gives how often somebody was really killed.
fn trial(instant: &str, times: u64) -> u64 {
    let (folder, killed) = (memory(), |status: ExitStatus| u64::from(status.signal() == Some(9)));
    let directory = folder.path();
    File::create(directory.join("acks")).unwrap();
    let is_recovery = instant.starts_with("recovery");
    let at = format!("{instant}:{times}");
    let (mut kills, mut kept) = (0, 0);
    if is_recovery {
        // Something to recover from: killed in the third segment, then a hole before it.
        let is_copied = instant.ends_with("put back");
        kills += killed(child(directory, Some(TO_RECOVER), is_copied));
        kept = tear_hole(directory, is_copied);
        fs::write(directory.join("acks"), []).unwrap();
    }
    for _ in 0..2 {
        kills += killed(child(directory, Some(&at), true));
        if Manifest::read(directory).is_ok() && !is_recovery {
            let [inputs, outputs] = read(directory);
            let acknowledged = acknowledged(directory);
            assert!(inputs.is_whole() && inputs.records() >= acknowledged, "{at}: {inputs}");
            assert!(outputs.is_whole() && outputs.records() >= acknowledged / 2, "{at}: {outputs}");
        }
        kept = kept.max(acknowledged(directory));
    }
    assert!(child(directory, None, true).success(), "{at}: the last one must live");
    let ends = read(directory);
    let records = ends[0].records();
    assert!(records >= kept + 2_000, "{at}: {records} of {kept}");
    assert_eq!(ends, [records, records / 2].map(|records| End::Clean { records }), "{at}");
    kills
}

#[test]
fn a_kill_at_any_named_instant_even_twice_loses_nothing() {
    let runs = count("ZOMMA_KILLS_AT_INSTANTS", 2);
    let (mut kills, mut missed) = (0, Vec::<String>::new());
    for instant in INSTANTS {
        let times = |run: u64| if instant.starts_with("append") { 700 * run } else { run };
        let of_instant: u64 = (1..=runs).map(|run| trial(instant, times(run))).sum();
        if of_instant == 0 {
            missed.push((*instant).into());
        }
        kills += of_instant;
    }
    assert!(missed.is_empty(), "nobody was killed at {missed:?}");
    let instants = INSTANTS.len();
    print!("{kills} kills at {instants} instants, {runs} runs each: ");
    println!("0 acknowledged records lost");
}
