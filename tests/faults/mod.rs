//! What the tests of faults share: this test binary as a child that keeps a journal, the tools that
//! break the world around it, and what must hold of the files that are left.
#![allow(dead_code, missing_docs, reason = "every test binary uses its own part")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::Duration,
};
use zomma::{
    journal::{End, Journal, Manifest, Opened, Reader, Settings, Stream, Sync, Watch},
    rt::counters::{Counter, Counters},
    wire::{Event, Kind, Price, market::Quote},
};

/// Records of a segment.
pub(crate) const SEGMENT: u64 = 768;

pub(crate) fn event(number: u64) -> Event {
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

/// A number from the environment: how often a test injects its fault.
#[expect(clippy::disallowed_methods, reason = "the heavy run asks for more through it")]
pub(crate) fn count(variable: &str, default: u64) -> u64 {
    env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Where the child keeps its journal, and in a map beside it what it has acknowledged.
pub(crate) fn journal_of(folder: &Path) -> PathBuf {
    folder.join("run")
}

fn acknowledged_in(folder: &Path) -> PathBuf {
    folder.join("acknowledged")
}

/// What a child had acknowledged when it ended: inputs, outputs, and both durable marks.
pub(crate) fn acknowledged(folder: &Path) -> [u64; 4] {
    let Ok(counters) = Counters::open(&acknowledged_in(folder)) else { return [0; 4] };
    let read = counters.read();
    core::array::from_fn(|at| read.get(at).map_or(0, |reading| reading.value))
}

fn name(sync: Sync) -> &'static str {
    match sync {
        Sync::None => "none",
        Sync::Interval => "interval",
        Sync::Strict => "strict",
    }
}

/// What the child is to do: how many records, with which policy, how far apart.
pub(crate) struct Task {
    pub(crate) records: u64,
    pub(crate) sync: Sync,
    pub(crate) pause_us: u64,
}

impl Task {
    /// For ever, or until something goes wrong.
    pub(crate) const ENDLESS: u64 = u64::MAX;

    fn text(&self) -> String {
        let Task { records, sync, pause_us } = self;
        format!("{records} {} {pause_us}", name(*sync))
    }

    fn parse(text: &str) -> Task {
        let words: Vec<&str> = text.split(' ').collect();
        let sync = [Sync::None, Sync::Interval, Sync::Strict];
        let sync = sync.into_iter().find(|sync| name(*sync) == words[1]).unwrap();
        Task { records: words[0].parse().unwrap(), sync, pause_us: words[2].parse().unwrap() }
    }

    /// This test binary as a child that does it in `folder`; `before` is what runs it, if anything.
    pub(crate) fn command(&self, folder: &Path, before: &[&str]) -> Command {
        let this = env::current_exe().unwrap();
        let this = this.to_str().unwrap();
        let arguments = ["--exact", "child_that_keeps_a_journal", "--nocapture", "--quiet"];
        let all: Vec<&str> = before
            .iter()
            .copied()
            .chain([this])
            .chain(arguments)
            .chain(["--test-threads=1"])
            .collect();
        let mut command = Command::new(all[0]);
        command.args(&all[1..]).env("ZOMMA_FAULTS_TASK", self.text());
        command.env("ZOMMA_FAULTS_FOLDER", folder).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn spawn(&self, folder: &Path, before: &[&str]) -> Child {
        self.command(folder, before).spawn().unwrap()
    }

    pub(crate) fn run(&self, folder: &Path, before: &[&str]) -> Output {
        self.command(folder, before).output().unwrap()
    }
}

/// The child's exit codes besides 0.
pub(crate) const REFUSED: i32 = 41;
pub(crate) const FAILED: i32 = 42;

/// In the process that [`Task::command`] makes: keeps the journal and ends the process.
#[expect(clippy::disallowed_methods, reason = "a child is told its task through it")]
pub(crate) fn keep_if_asked() {
    let Ok(task) = env::var("ZOMMA_FAULTS_TASK") else { return };
    let folder = PathBuf::from(env::var_os("ZOMMA_FAULTS_FOLDER").unwrap());
    let code = match keep(&Task::parse(&task), &folder) {
        Ok(()) => 0,
        Err((code, what)) => {
            eprintln!("{what}");
            code
        }
    };
    std::process::exit(code);
}

/// Small segments and eager syncs.
fn settings(sync: Sync) -> Settings {
    let sync = name(sync);
    let text = format!(
        "[journal]\nsegment_bytes = 65536\noutput_segment_bytes = 65536\nsync = \"{sync}\"\n\
         sync_interval = \"1ms\"\n"
    );
    zomma::config::Reader::new("journal", &text).unwrap().section("journal").unwrap()
}

fn keep(task: &Task, folder: &Path) -> Result<(), (i32, String)> {
    let settings = settings(task.sync);
    let file = Counters::create(&acknowledged_in(folder));
    let mut file = file.map_err(|e| (REFUSED, e.to_string()))?;
    let marks = ["inputs", "outputs", "inputs_durable", "outputs_durable"]
        .map(|name| file.counter("acknowledged", name, "records", "Records.").unwrap());
    let manifest = Manifest::new(42, Vec::new()).unwrap();
    let opened = Journal::create(&journal_of(folder), &settings, manifest);
    let opened = opened.map_err(|e| (REFUSED, e.to_string()))?;
    let journal = append(task, opened, &marks);
    journal.finish().map(drop).map_err(|e| (FAILED, e.to_string()))
}

/// Appends to both streams until all is appended or the journal takes no more. After a failed sync
/// it takes what the segments at hand still hold, which is where a careless engine would go on.
fn append(task: &Task, mut opened: Opened, marks: &[Counter; 4]) -> Journal {
    let watches = [opened.inputs.watch(), opened.outputs.watch()];
    for number in 1..=task.records {
        if opened.inputs.append(&event(number)).is_err() {
            break;
        }
        marks[0].set(number);
        if opened.outputs.append(&event(number)).is_err() {
            break;
        }
        marks[1].set(number);
        marks[2].set(Watch::durable(&watches[0]));
        marks[3].set(Watch::durable(&watches[1]));
        if task.pause_us > 0 {
            pause(Duration::from_micros(task.pause_us));
        }
    }
    drop((opened.inputs, opened.outputs));
    opened.journal
}

#[expect(clippy::disallowed_methods, reason = "a test gives faults time to come")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Reads a stream of the child's to its end: what is read is what was appended, in its order.
pub(crate) fn prefix(folder: &Path, stream: Stream) -> End {
    let mut reader = Reader::open(&journal_of(folder), stream).unwrap();
    let mut number = 0;
    while let Some(found) = reader.next_event() {
        number += 1;
        assert_eq!(*found, event(number), "{stream:?} record {number}");
    }
    let end = reader.end().unwrap().clone();
    assert_eq!(end.records(), number);
    end
}

pub(crate) const STREAMS: [Stream; 2] = [Stream::Inputs, Stream::Outputs];

/// After the process has ended, however: what it acknowledged is there, and nothing else. Gives the
/// records that were read and the ends that were torn.
pub(crate) fn assert_kept(folder: &Path) -> (u64, u64) {
    let acknowledged = acknowledged(folder);
    if Manifest::read(&journal_of(folder)).is_err() {
        assert_eq!(acknowledged, [0; 4], "acknowledged before there was a journal");
        return (0, 0);
    }
    let (mut records, mut torn) = (0, 0);
    for (at, stream) in STREAMS.into_iter().enumerate() {
        let end = prefix(folder, stream);
        assert!(end.is_whole(), "{stream:?}: {end}");
        assert!(end.records() >= acknowledged[at], "{stream:?}: {end}, {acknowledged:?}");
        records += end.records();
        torn += u64::from(matches!(end, End::Torn { .. }));
    }
    (records, torn)
}

/// The system call tracer, told to inject; `None` with a visible word where it cannot trace.
pub(crate) fn strace(inject: &str) -> Option<Vec<String>> {
    let trial = ["-f", "-o", "/dev/null", "-e", "trace=none", "true"];
    if !Command::new("strace").args(trial).output().is_ok_and(|o| o.status.success()) {
        println!("skipped: strace is not here, or may not trace");
        return None;
    }
    let call = inject.split(':').next().unwrap();
    let mut words = ["strace", "-f", "-o", "/dev/null"].map(String::from).to_vec();
    words.extend([format!("-etrace={call}"), format!("-einject={inject}")]);
    // Only the calls in question stop then; but signals are not injected in this mode.
    if !inject.contains("signal=") {
        words.push("--seccomp-bpf".into());
    }
    Some(words)
}

/// The same as [`strace`], as what [`Task::command`] takes.
pub(crate) fn words(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

/// Calls of each kind that a run makes on its busiest thread, by name.
pub(crate) fn calls(task: &Task, folder: &Path, names: &[&str]) -> Vec<usize> {
    let log = folder.join("calls");
    let trace = format!("-etrace={}", names.join(","));
    let before = ["strace", "-f", "-o", log.to_str().unwrap(), trace.as_str()];
    let output = task.run(folder, &before);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(&log).unwrap();
    let most = |name: &&str| {
        let mut of_thread = std::collections::BTreeMap::<&str, usize>::new();
        for line in text.lines() {
            let (thread, call) = line.split_once(' ').unwrap_or_default();
            if call.trim_start().starts_with(&format!("{name}(")) {
                *of_thread.entry(thread).or_default() += 1;
            }
        }
        of_thread.into_values().max().unwrap_or(0)
    };
    names.iter().map(most).collect()
}

/// The signal that ended a process; strace ends itself with its child's.
pub(crate) fn signal_of(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

/// A small file system in memory, unmounted at the end.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    pub(crate) fn new(kib: u64) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={kib}k");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).stderr(Stdio::null());
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(SmallDisk(folder));
        }
        println!("skipped: a small file system needs root");
        None
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.path()).status());
    }
}
