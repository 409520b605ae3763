//! A journal of several sessions and many segments in; that a reader finds any place in it, steps
//! over what is damaged, follows what is written, and cuts pieces out.
#![allow(missing_docs)]

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};
use zomma::{
    config::Span,
    journal::{
        Between, End, Follower, Journal, Manifest, Mark, Opened, Outcome, Reader, Settings, Status,
        Stream, Sync, cut,
    },
    wire::{Event, Kind, Price, market::Quote, order::Cancel},
};

/// Records of a segment.
const SEGMENT: u64 = 768;

fn settings() -> Settings {
    Settings {
        segment_bytes: 65_536,
        output_segment_bytes: 65_536,
        sync: Sync::None,
        sync_interval: Span(1_000_000),
    }
}

/// Seven inputs come with each read.
fn time(seq: u64) -> u64 {
    1_757_505_600_000_000_000 + seq / 7 * 1_000_000
}

fn input(seq: u64) -> Event {
    let quote = Quote { bid: Price(seq as i64), ..bytemuck::Zeroable::zeroed() };
    Event { seq, ts_recv: time(seq), ..Event::new(Kind::QUOTE, 5, quote) }
}

/// Every fifth input leads to two outputs.
fn outputs(seq: u64) -> impl Iterator<Item = Event> {
    (0..2).filter(move |_| seq.is_multiple_of(5)).map(move |id| {
        let cancel = Cancel { id, order: seq, ..bytemuck::Zeroable::zeroed() };
        Event { seq, ts_recv: time(seq), ..Event::new(Kind::CANCEL, 9, cancel) }
    })
}

fn append(opened: &mut Opened, seqs: impl Iterator<Item = u64>) {
    for seq in seqs {
        opened.inputs.append(&input(seq)).unwrap();
        outputs(seq).for_each(|output| assert!(opened.outputs.append(&output).is_ok()));
    }
}

fn finish(opened: Opened) -> Manifest {
    drop((opened.inputs, opened.outputs));
    opened.journal.finish().unwrap()
}

/// A journal of so many inputs in each session.
fn record(directory: &Path, sessions: &[u64]) -> u64 {
    let mut last = 0;
    for (place, count) in sessions.iter().enumerate() {
        let manifest = Manifest::new(42 + place as u64, Vec::new()).unwrap();
        let mut opened = match place {
            0 => Journal::create(directory, &settings(), manifest).unwrap(),
            _ => Journal::resume(directory, &settings(), manifest).unwrap().opened,
        };
        append(&mut opened, last + 1..=last + count);
        last += count;
        finish(opened);
    }
    last
}

/// Numbers of the records that a reader hands out, and of their events.
fn read(mut reader: Reader) -> Vec<(u64, Event)> {
    let mut found = Vec::new();
    while let Some(event) = reader.next_event().copied() {
        found.push((reader.records(), event));
    }
    assert!(reader.end().unwrap().is_whole(), "{:?}", reader.end());
    found
}

fn all(directory: &Path, stream: Stream) -> Vec<(u64, Event)> {
    read(Reader::open(directory, stream).unwrap())
}

fn first(mut reader: Reader) -> Option<(u64, Event)> {
    let event = *reader.next_event()?;
    Some((reader.records(), event))
}

/// Sessions that end in the middle of a segment, at its border, and one that has no record.
const SESSIONS: [u64; 5] = [1_000, SEGMENT, 0, 2_500, 3];

#[test]
fn every_number_and_every_time_is_found_in_both_streams() {
    let directory = tempfile::tempdir().unwrap();
    let (directory, last) = (directory.path(), record(directory.path(), &SESSIONS));
    for stream in [Stream::Inputs, Stream::Outputs] {
        let all = all(directory, stream);
        for number in 0..=all.len() as u64 + 2 {
            let reader = Reader::open_at_record(directory, stream, number).unwrap();
            let wanted = all.get(number.saturating_sub(1) as usize);
            assert_eq!(first(reader), wanted.copied(), "{stream:?} {number}");
        }
        let found = |mark: Mark| first(Reader::open_at(directory, stream, mark).unwrap());
        let reaching = |mark: Mark| all.iter().find(|(_, e)| mark.is_reached_by(e)).copied();
        for seq in 0..=last + 1 {
            assert_eq!(found(Mark::Seq(seq)), reaching(Mark::Seq(seq)), "{stream:?} {seq}");
        }
        let mut times: Vec<u64> = (0..=last + 8).map(time).collect();
        times.dedup();
        for time in times.iter().flat_map(|time| [time - 1, *time, time + 1]) {
            assert_eq!(found(Mark::Time(time)), reaching(Mark::Time(time)), "{stream:?} {time}");
        }
    }
}

#[test]
fn a_reader_that_begins_in_the_middle_proves_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let (directory, last) = (directory.path(), record(directory.path(), &SESSIONS));
    let whole = all(directory, Stream::Inputs);
    for number in (1..=last).step_by(97).chain([SEGMENT, SEGMENT + 1, 1_000, 1_001, 1_768]) {
        let reader = Reader::open_at_record(directory, Stream::Inputs, number).unwrap();
        assert_eq!(read(reader), whole[number as usize - 1..], "{number}");
    }
    let path = directory.join("in-000005.zj");
    let at = 4096 + 80 * 100;
    File::options().write(true).open(&path).unwrap().write_all_at(&[0xff], at + 40).unwrap();
    let mut reader = Reader::open_at_record(directory, Stream::Inputs, 2_000).unwrap();
    while reader.next_event().is_some() {}
    let Some(End::Corrupt { at: place, .. }) = reader.end() else { panic!("{:?}", reader.end()) };
    assert_eq!((&place.file, place.offset), (&path, at));
}

fn segment(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("in-{number:06}.zj"))
}

/// What is read over damage: every event is one that was written, and what is missing is counted.
fn read_over(directory: &Path) -> (Vec<u64>, u64) {
    let mut reader = Reader::open(directory, Stream::Inputs).unwrap();
    let (mut seqs, mut missing) = (Vec::new(), 0);
    loop {
        while let Some(event) = reader.next_event() {
            assert_eq!(*event, input(event.seq));
            seqs.push(event.seq);
        }
        let Some(skipped) = reader.step_over() else { break };
        assert!(skipped.missing > 0 && skipped.at.file.exists() | (skipped.at.record > 0));
        missing += skipped.missing;
    }
    assert!(reader.end().unwrap().is_whole(), "{:?}", reader.end());
    assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]));
    (seqs, missing)
}

#[test]
fn damage_is_stepped_over_on_request_and_what_is_missing_is_counted() {
    type Harm = fn(&Path);
    let cases: [(Harm, u64); 5] = [
        (|d| spoil(&segment(d, 2), &[0; 4096], 8192), 52 + 1),
        (|d| spoil(&segment(d, 1), &[0xff], 4096 + 80 * 10 + 20), 1),
        (|d| fs::remove_file(segment(d, 2)).unwrap(), SEGMENT),
        (|d| spoil(&segment(d, 3), &[0xff], 100), SEGMENT),
        (
            |d| {
                spoil(&segment(d, 2), &[0; 80], 4096);
                spoil(&segment(d, 4), &[1], 4096 + 80 * 20 + 70);
            },
            3,
        ),
    ];
    for (case, (harm, wanted)) in cases.into_iter().enumerate() {
        let directory = tempfile::tempdir().unwrap();
        let last = record(directory.path(), &[4_000]);
        harm(directory.path());
        let (seqs, missing) = read_over(directory.path());
        assert_eq!((seqs.len() as u64 + missing, missing), (last, wanted), "case {case}");
        let run = directory.path().display().to_string();
        let verify = |more: &[&str]| {
            let arguments = [&["journal", "verify", &run][..], more].concat();
            Command::new(env!("CARGO_BIN_EXE_zomma")).args(arguments).output().unwrap()
        };
        assert_eq!(verify(&[]).status.code(), Some(1));
        let output = verify(&["--skip-damaged"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains(&format!("{missing} records are missing in")), "{said}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains(".zj at byte") && told.contains("goes on at"), "{told}");
    }
}

fn spoil(path: &Path, bytes: &[u8], at: u64) {
    File::options().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}

/// The child of the tests below: appends in bursts, and finishes unless it is killed before.
#[test]
fn child_that_writes() {
    let Some(directory) = std::env::var_os("ZOMMA_TEST_WRITES") else { return };
    let manifest = Manifest::new(42, Vec::new()).unwrap();
    let mut opened = Journal::create(Path::new(&directory), &settings(), manifest).unwrap();
    for burst in 0..50 {
        append(&mut opened, burst * 100 + 1..=burst * 100 + 100);
        thread::park_timeout(Duration::from_millis(4));
    }
    if std::env::var_os("ZOMMA_TEST_HANGS").is_some() {
        thread::park_timeout(Duration::from_secs(60));
    }
    finish(opened);
}

fn child(directory: &Path, hangs: bool) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_that_writes", "--quiet"]).env("ZOMMA_TEST_WRITES", directory);
    if hangs {
        command.env("ZOMMA_TEST_HANGS", "1");
    }
    let child = command.stdout(Stdio::null()).spawn().unwrap();
    while Manifest::read(directory).is_err() {
        thread::park_timeout(Duration::from_millis(1));
    }
    child
}

#[test]
fn a_journal_is_followed_while_another_process_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("run");
    let mut writer = child(&directory, false);
    let follow = |more: &[&str]| {
        let run = directory.display().to_string();
        let arguments = [&["journal", "follow", &run, "--json"][..], more].concat();
        let mut command = Command::new(env!("CARGO_BIN_EXE_zomma"));
        command.args(arguments).stdout(Stdio::piped()).spawn().unwrap()
    };
    let (mut whole, mut rest) = (follow(&["--from", "1"]), follow(&["--inputs"]));
    let seqs = |child: &mut std::process::Child, stream: &str| -> Vec<u64> {
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let values = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap());
        let ours = values.filter(|value| value["stream"] == stream);
        ours.map(|value| value["seq"].as_u64().unwrap()).collect()
    };
    assert_eq!(seqs(&mut whole, "in"), (1..=5_000).collect::<Vec<u64>>());
    let late = seqs(&mut rest, "in");
    assert_eq!(late, (late[0]..=5_000).collect::<Vec<u64>>());
    assert!(whole.wait().unwrap().success() && rest.wait().unwrap().success());
    assert!(writer.wait().unwrap().success());
    let manifest = Manifest::read(&directory).unwrap();
    assert_eq!((manifest.status, manifest.inputs, manifest.outputs), (Status::Ended, 5_000, 2_000));
}

#[test]
fn a_follower_goes_on_where_a_killed_run_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("run");
    let mut writer = child(&directory, true);
    let mut follower = Follower::open(&directory, Stream::Inputs, Some(Mark::Seq(1))).unwrap();
    let mut seen = 0;
    let mut take = |follower: &mut Follower, until: u64| {
        while seen < until && !follower.ended() {
            match follower.next_event() {
                Some(event) => {
                    seen += 1;
                    assert_eq!((follower.records(), event), (seen, input(seen)));
                }
                None => thread::park_timeout(Duration::from_millis(1)),
            }
        }
        seen
    };
    assert_eq!(take(&mut follower, 5_000), 5_000);
    writer.kill().unwrap();
    writer.wait().unwrap();
    assert!(follower.next_event().is_none() && !follower.ended());
    let manifest = Manifest::new(43, Vec::new()).unwrap();
    let mut opened = Journal::resume(&directory, &settings(), manifest).unwrap().opened;
    append(&mut opened, 5_001..=7_000);
    assert_eq!(take(&mut follower, 7_000), 7_000);
    assert!(follower.next_event().is_none() && !follower.ended());
    finish(opened);
    assert_eq!(take(&mut follower, u64::MAX), 7_000);
    assert!(follower.ended() && follower.damage().is_none());
}

#[test]
fn what_is_followed_and_damaged_is_said_and_not_handed_out() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), &[2_000]);
    let at = 4096 + 80 * 30;
    spoil(&segment(folder.path(), 2), &[0x55], at + 20);
    let mut follower = Follower::open(folder.path(), Stream::Inputs, Some(Mark::Seq(1))).unwrap();
    let mut seen = 0;
    while let Some(event) = follower.next_event() {
        seen += 1;
        assert_eq!(event, input(seen));
    }
    let (place, _) = follower.damage().unwrap();
    assert_eq!((seen, place.offset, place.record), (SEGMENT + 30, at, SEGMENT + 31));
}

#[test]
fn a_cut_is_a_journal_of_its_own_with_the_facts_of_its_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("run"), folder.path().join("cut"));
    let last = record(&from, &SESSIONS);
    let (inputs, outputs) = (all(&from, Stream::Inputs), all(&from, Stream::Outputs));
    let whole = Manifest::read(&from).unwrap();
    let spans =
        [(1, last), (1, 1_200), (900, 1_900), (1_001, 1_768), (2_000, 2_000), (4_270, last)];
    for (first, end) in spans {
        let between = Between { from: Some(Mark::Seq(first)), to: Some(Mark::Seq(end)) };
        let made = cut(&from, &to, &between).unwrap();
        let held = |all: &[(u64, Event)]| -> Vec<Event> {
            all.iter().map(|(_, event)| *event).filter(|event| between.holds(event)).collect()
        };
        let events = |stream| -> Vec<Event> {
            let numbered = all(&to, stream);
            assert!(numbered.iter().zip(1..).all(|((number, _), place)| *number == place));
            numbered.into_iter().map(|(_, event)| event).collect()
        };
        assert_eq!(events(Stream::Inputs), held(&inputs), "{first} to {end}");
        assert_eq!(events(Stream::Outputs), held(&outputs), "{first} to {end}");
        assert_eq!(
            [made.inputs, made.outputs],
            [held(&inputs).len(), held(&outputs).len()].map(|n| n as u64)
        );
        let manifest = Manifest::read(&to).unwrap();
        let tail = &manifest.sessions[0].start.tails[0];
        assert_eq!((tail.outcome, tail.lost), (Outcome::Cut, first - 1));
        assert!(tail.found.contains(&format!("{:032x}", whole.epoch)), "{}", tail.found);
        let walls: Vec<u64> = manifest.sessions.iter().map(|session| session.wall).collect();
        let ran = whole.sessions.iter().filter(|session| {
            let next = whole.sessions.iter().map(|s| s.first[0]).find(|n| *n > session.first[0]);
            let held = session.first[0]..next.unwrap_or(last + 1);
            held.contains(&first) || held.contains(&end) || (first..=end).contains(&held.start)
        });
        let mut wanted: Vec<(u64, u64)> =
            ran.map(|session| (session.first[0], session.wall)).collect();
        // A session without a record is not in a cut.
        wanted.reverse();
        wanted.dedup_by_key(|(first, _)| *first);
        wanted.reverse();
        assert_eq!(walls, wanted.iter().map(|(_, wall)| *wall).collect::<Vec<u64>>());
        assert!(cut(&from, &to, &between).is_err(), "it is not written over");
        fs::remove_dir_all(&to).unwrap();
    }
    let nothing = Between { from: Some(Mark::Seq(last + 1)), to: None };
    assert_eq!(cut(&from, &to, &nothing).unwrap(), zomma::journal::Cut::default());
    assert!(!to.exists());
}
