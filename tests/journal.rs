//! What a journal promises: whatever was appended is read back, and nothing else ever is.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};
use zomma::{
    config::Span,
    journal::{
        Cause, Compare, End, Error, Inputs, Journal, Manifest, Opened, Outputs, Reader, Settings,
        State, Status, Stream, Sync, format, tool,
    },
    stage::{Emit, Tap, Then},
    wire::{Event, Kind, Price, market::Quote, order::Leg},
};

const SEGMENT: usize = 65_536;

fn settings() -> Settings {
    Settings {
        segment_bytes: SEGMENT,
        output_segment_bytes: SEGMENT,
        sync: Sync::None,
        sync_interval: Span(1_000_000),
    }
}

fn event(number: u64) -> Event {
    let quote = Quote {
        bid: Price(number as i64 * 10_000_000),
        ask: Price::UNDEF,
        bid_size: number as u32,
        ask_size: 1,
        venue_seq: 3,
        reserved: 0,
    };
    Event { seq: number, ts_recv: number * 1000, ..Event::new(Kind::QUOTE, 5, quote) }
}

fn output(number: u64) -> Event {
    let leg = Leg {
        order: number,
        price: Price(1_250_000_000),
        ratio: 1,
        side: -1,
        index: 0,
        reserved: 0,
        reserved2: 0,
    };
    Event { seq: number, ..Event::new(Kind::ORDER_LEG, 9, leg) }
}

fn create(directory: &Path, settings: &Settings) -> Opened {
    Journal::create(directory, settings, Manifest::new(42, Vec::new()).unwrap()).unwrap()
}

/// A finished run with so many inputs and outputs.
fn record(directory: &Path, settings: &Settings, inputs: u64, outputs: u64) -> Manifest {
    let mut opened = create(directory, settings);
    (1..=inputs).for_each(|i| assert_eq!(opened.inputs.append(&event(i)), Ok(i)));
    (1..=outputs).for_each(|i| assert_eq!(opened.outputs.append(&output(i)), Ok(i)));
    drop((opened.inputs, opened.outputs));
    opened.journal.finish().unwrap()
}

/// Reads the inputs, checks each against what was appended, and gives the end.
fn read(directory: &Path) -> End {
    let mut reader = Reader::open(directory, Stream::Inputs).unwrap();
    let mut number = 0;
    while let Some(found) = reader.next_event() {
        number += 1;
        assert_eq!(*found, event(number), "record {number}");
    }
    assert_eq!(reader.records(), number);
    let end = reader.end().unwrap().clone();
    assert_eq!(end.records(), number);
    end
}

fn segment(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("in-{number:06}.zj"))
}

fn at(record: u64) -> u64 {
    (format::RECORDS_AT + (record as usize - 1) * format::RECORD) as u64
}

#[test]
fn what_is_appended_is_read_back_over_many_segments() {
    for sync in [Sync::None, Sync::Interval] {
        for count in [0, 1, 767, 768, 769, 10_000] {
            let directory = tempfile::tempdir().unwrap();
            let manifest = record(directory.path(), &Settings { sync, ..settings() }, count, 3);
            assert_eq!(
                (manifest.status, manifest.inputs, manifest.outputs),
                (Status::Ended, count, 3)
            );
            assert_eq!(read(directory.path()), End::Clean { records: count });
            let mut text = Vec::new();
            assert!(tool::verify(directory.path(), &mut text).unwrap());
        }
    }
}

#[test]
fn what_is_durable_follows_what_is_written_even_when_nothing_more_comes() {
    let directory = tempfile::tempdir().unwrap();
    let mut opened = create(directory.path(), &Settings { sync: Sync::Interval, ..settings() });
    for count in [1, 2, 1000] {
        for i in 0..count {
            opened.outputs.append(&output(i)).unwrap();
        }
        let watch = opened.journal.watch(Stream::Outputs);
        while watch.durable() < watch.written() {
            assert!(watch.error().is_none());
            std::thread::yield_now();
        }
        assert_eq!(watch.durable(), watch.written());
    }
}

#[test]
fn every_changed_byte_of_a_segment_is_found_and_located() {
    let directory = tempfile::tempdir().unwrap();
    record(directory.path(), &settings(), 100, 0);
    let path = segment(directory.path(), 1);
    let whole = fs::read(&path).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    for (i, byte) in whole.iter().enumerate() {
        file.write_all_at(&[byte ^ 0x20], i as u64).unwrap();
        let End::Corrupt { records, at: place, .. } = read(directory.path()) else {
            panic!("byte {i} was changed and not found");
        };
        file.write_all_at(&[*byte], i as u64).unwrap();
        let record = (i as u64).saturating_sub(4096) / 80;
        let wanted = if i < 4096 { records } else { record.min(100) };
        assert_eq!(records, wanted, "byte {i}");
        assert_eq!(place.file, path);
        if (4096..at(102) as usize).contains(&i) {
            assert_eq!((place.offset, place.record), (at(record + 1), record + 1), "byte {i}");
        } else if i >= 4096 {
            assert_eq!(place.offset, i as u64 / 8 * 8, "byte {i}");
        }
    }
    assert_eq!(read(directory.path()), End::Clean { records: 100 });
}

#[test]
fn a_file_cut_anywhere_gives_the_records_before_the_cut_and_no_panic() {
    let directory = tempfile::tempdir().unwrap();
    record(directory.path(), &settings(), 40, 0);
    let path = segment(directory.path(), 1);
    let file = File::options().write(true).open(&path).unwrap();
    for bytes in (0..at(41)).rev() {
        file.set_len(bytes).unwrap();
        let end = read(directory.path());
        assert_eq!(end.records(), bytes.saturating_sub(4096) / 80, "{bytes} bytes");
        assert!(!end.is_whole(), "{bytes} bytes");
    }
}

#[test]
fn a_lost_segment_is_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    record(directory.path(), &settings(), 3000, 0);
    fs::remove_file(segment(directory.path(), 2)).unwrap();
    let End::Gap { records: 768, resumes, .. } = read(directory.path()) else { panic!() };
    assert_eq!(resumes.record, 2 * 768 + 1);
}

/// A run that is killed: the manifest says that it runs, nothing is sealed.
fn killed(directory: &Path, count: u64) -> File {
    let mut opened = create(directory, &settings());
    for i in 1..=count {
        opened.inputs.append(&event(i)).unwrap();
    }
    // What a kill leaves: neither drop nor finish.
    std::mem::forget(opened);
    // What a test takes out of a segment, no copy of what was being filled gives back.
    let _ = fs::remove_file(directory.join("doublewrite.zj"));
    File::options().read(true).write(true).open(segment(directory, 1)).unwrap()
}

#[test]
fn a_record_that_was_not_finished_is_torn_and_all_before_it_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let file = killed(directory.path(), 10);
    assert_eq!(read(directory.path()), End::Clean { records: 10 });
    file.write_all_at(&[11, 0, 0, 0, 0, 0, 0, 0, 5, 5, 5], at(11) + 8).unwrap();
    let End::Torn { records: 10, at: place } = read(directory.path()) else { panic!() };
    assert_eq!((place.offset, place.record), (at(11), 11));
}

#[test]
fn a_page_that_never_reached_the_disk_is_a_gap_and_what_follows_is_not_spliced() {
    let directory = tempfile::tempdir().unwrap();
    let file = killed(directory.path(), 400);
    file.write_all_at(&[0; 4096], 8192).unwrap();
    let end = read(directory.path());
    let End::Gap { records: 51, resumes, .. } = end else { panic!("{end}") };
    assert_eq!(resumes.record, 105, "the second record behind the hole proves itself");
}

/// The ghosts: an earlier session wrote further, its records have good checksums and numbers.
#[test]
fn records_of_an_earlier_session_are_refused() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ghosts = killed(old.path(), 500);
    let file = killed(new.path(), 64);
    let mut bytes = vec![0; 80 * 436];
    ghosts.read_exact_at(&mut bytes, at(65)).unwrap();
    file.write_all_at(&bytes, at(65)).unwrap();
    let End::Corrupt { records: 64, at: place, cause, resumes: None } = read(new.path()) else {
        panic!();
    };
    assert_eq!((place.record, cause), (65, Cause::Record));
    file.write_all_at(&[0; 80], at(65)).unwrap();
    let end = read(new.path());
    assert!(matches!(end, End::Corrupt { records: 64, cause: Cause::Foreign, .. }), "{end}");
}

#[test]
fn one_directory_has_one_writer_and_one_run() {
    let directory = tempfile::tempdir().unwrap();
    let again = || {
        let manifest = Manifest::new(1, Vec::new()).unwrap();
        Journal::create(directory.path(), &settings(), manifest).unwrap_err()
    };
    let opened = create(directory.path(), &settings());
    assert!(matches!(again(), Error::Locked(_)));
    drop(opened);
    assert!(matches!(again(), Error::Exists(_)));
}

#[test]
fn a_replay_is_held_against_the_outputs_and_the_first_difference_is_said_in_words() {
    let directory = tempfile::tempdir().unwrap();
    record(directory.path(), &settings(), 0, 20);
    let verdict = |outputs: &mut dyn Iterator<Item = Event>| {
        let mut compare = Compare::new(Reader::open(directory.path(), Stream::Outputs).unwrap());
        outputs.for_each(|output| compare.on_event(&output));
        compare.finish()
    };
    let same = verdict(&mut (1..=20).map(output));
    assert!(same.holds() && same.to_string() == "20 outputs equal byte for byte", "{same}");
    let fewer = verdict(&mut (1..=19).map(output)).to_string();
    assert!(fewer.contains("output 20: recorded as ORDER_LEG"), "{fewer}");
    let more = verdict(&mut (1..=21).map(output)).to_string();
    assert!(more.contains("output 21: replayed as ORDER_LEG"), "{more}");
    let mut changed = output(7);
    changed.payload[1] += 50_000_000;
    let other = verdict(&mut (1..7).map(output).chain([changed]).chain((8..=20).map(output)));
    assert!(!other.holds());
    let words = "`price` was recorded as 1.25 and is replayed as 1.3";
    assert!(other.to_string().contains(words), "{other}");
}

#[test]
fn the_stages_journal_what_passes_before_it_is_passed_on() {
    let directory = tempfile::tempdir().unwrap();
    let opened = create(directory.path(), &settings());
    let (inputs, outputs) = (opened.inputs.watch(), opened.outputs.watch());
    let mut passed = Vec::new();
    let end = Tap(|_: &mut (), event: &Event| {
        passed.push((event.kind, inputs.written(), outputs.written()));
    });
    let outputs_stage = Outputs::new(opened.outputs, |event: &Event| event);
    let mut stages = Then(Inputs::new(opened.inputs, 0), Then(outputs_stage, end));
    [event(1), output(1), event(2)].iter().for_each(|event| stages.emit(&mut (), event));
    drop(stages);
    assert_eq!(passed, [(Kind::QUOTE, 1, 0), (Kind::ORDER_LEG, 2, 1), (Kind::QUOTE, 3, 1)]);
    let ended = opened.journal.finish().unwrap();
    assert_eq!((ended.inputs, ended.outputs), (3, 1));
}

/// A file system of its own, of 1 MiB, that is full after a few segments.
#[test]
fn a_full_disk_is_an_error_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mount = |arguments: &[&str]| {
        Command::new("mount").args(arguments).arg(directory.path()).stderr(Stdio::null()).status()
    };
    if !mount(&["-t", "tmpfs", "-o", "size=1m", "none"]).is_ok_and(|status| status.success()) {
        println!("skipped: a small tmpfs needs root");
        return;
    }
    let mut opened = create(&directory.path().join("run"), &settings());
    let mut number = 0;
    let (watch, mut was_low) = (opened.inputs.watch(), false);
    while opened.inputs.append(&event(number + 1)).is_ok() {
        number += 1;
        if number.is_multiple_of(256) {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        was_low |= watch.state() == State::Low;
    }
    assert!(was_low && watch.state() == State::Stopped, "told while there was room");
    let full = |error: Option<&Error>| matches!(error, Some(Error::DiskFull { .. }));
    assert!(full(opened.journal.error()) && number > 5000, "{number}");
    assert!(opened.inputs.append(&event(0)).is_err(), "it stays so");
    drop((opened.inputs, opened.outputs));
    assert!(full(opened.journal.finish().as_ref().err()));
    assert_eq!(read(&directory.path().join("run")), End::Clean { records: number });
    Command::new("umount").arg(directory.path()).status().unwrap();
}

/// The child of the test below: appends until it is killed and says how far it is, after the fact.
#[test]
fn child_that_appends() {
    let Some(directory) = std::env::var_os("ZOMMA_TEST_CHILD") else { return };
    let mut opened = create(Path::new(&directory), &settings());
    let mut acknowledged = std::io::stdout().lock();
    for number in 1.. {
        opened.inputs.append(&event(number)).unwrap();
        if number % 16 == 0 {
            acknowledged.write_all(&number.to_le_bytes()).unwrap();
        }
    }
}

#[test]
fn a_kill_at_any_instant_loses_no_record_that_was_acknowledged() {
    let (mut kills, mut tries, mut torn, mut total) = (0u64, 0, 0, 0);
    while kills < 60 {
        let directory = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_appends", "--nocapture", "--quiet"])
            .env("ZOMMA_TEST_CHILD", directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        // The harness says one line before the test begins; then come numbers only.
        let mut line = String::new();
        while !line.starts_with("running") {
            line.clear();
            lines.read_line(&mut line).unwrap();
        }
        let reader = std::thread::spawn(move || last_number(lines));
        std::thread::park_timeout(Duration::from_micros(500 + 997 * (kills + tries)));
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged = reader.join().unwrap();
        if acknowledged == 0 && Manifest::read(directory.path()).is_err() {
            tries += 1;
            continue;
        }
        kills += 1;
        let end = read(directory.path());
        assert!(end.is_whole() && end.records() >= acknowledged, "{end}, {acknowledged}");
        torn += u32::from(matches!(end, End::Torn { .. }));
        total += end.records();
    }
    assert!(total > 0);
    println!("{kills} kills, {total} records, {torn} torn, none lost");
}

/// The last whole number that a child wrote before its pipe broke.
fn last_number(mut from: impl Read) -> u64 {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    bytes.chunks_exact(8).next_back().map_or(0, |last| u64::from_le_bytes(last.try_into().unwrap()))
}

/// What the last program of version 1 wrote is read for ever, and damage in it is found.
#[test]
fn a_directory_of_version_1_is_read() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal_v1");
    let manifest = Manifest::read(&fixture).unwrap();
    assert_eq!((manifest.format, manifest.wall, manifest.status), (1, 42, Status::Ended));
    assert_eq!((manifest.inputs, manifest.outputs, manifest.sessions.len()), (1000, 7, 1));
    assert_eq!(manifest.config[0].text, "[run]\n");
    assert_eq!(read(&fixture), End::Clean { records: 1000 });
    let outputs = Reader::open(&fixture, Stream::Outputs).unwrap().verify();
    assert_eq!(outputs, End::Clean { records: 7 });
}
