//! Kills, refusing and lying system calls, files cut short and full disks in; a journal that holds
//! all that it acknowledged, and says what it could not do, out.

mod faults;

use faults::{
    FAILED, REFUSED, SEGMENT, STREAMS, SmallDisk, Task, acknowledged, assert_kept, calls, count,
    journal_of, pause, prefix, signal_of, strace, words,
};
use std::{fs::File, time::Duration};
use zomma::journal::{Manifest, Status, Stream, Sync};

/// Not a test by itself: what the others start as a process of its own.
#[test]
fn child_that_keeps_a_journal() {
    faults::keep_if_asked();
}

const ENDLESS: Task = Task { records: Task::ENDLESS, sync: Sync::Interval, pause_us: 0 };
/// Four segments of each stream.
const FEW: Task = Task { records: 4 * SEGMENT + 7, sync: Sync::Interval, pause_us: 0 };

#[test]
fn f1_kills_at_random_instants_lose_nothing_acknowledged() {
    let kills = count("ZOMMA_FAULTS_KILLS", 100);
    let (mut records, mut torn) = (0, 0);
    for kill in 0..kills {
        let folder = tempfile::tempdir().unwrap();
        let mut child = ENDLESS.spawn(folder.path(), &[]);
        // The last third of the kills wait until there is something to lose.
        while kill % 3 > 0 && acknowledged(folder.path())[0] == 0 {
            pause(Duration::from_micros(300));
        }
        pause(Duration::from_micros(kill * 7919 % 20_000));
        child.kill().unwrap();
        assert_eq!(signal_of(child.wait().unwrap()), Some(9));
        let kept = assert_kept(folder.path());
        (records, torn) = (records + kept.0, torn + kept.1);
    }
    assert!(records > 0);
    println!("F1 random kills: {kills} kills, {records} records kept, {torn} torn, 0 lost");
}

#[test]
fn f2_a_kill_at_any_system_call_loses_nothing_acknowledged() {
    if strace("msync").is_none() {
        return;
    }
    let names = ["msync", "fallocate", "rename", "fsync", "pwrite64", "ftruncate", "munmap"];
    let folder = tempfile::tempdir().unwrap();
    let seen = calls(&FEW, folder.path(), &names);
    let (stride, mut kills, mut records) = (count("ZOMMA_FAULTS_STRIDE", 3) as usize, 0, 0);
    for (name, most) in names.iter().zip(&seen) {
        assert!(*most > 0, "a run makes no {name}");
        // The first ones each, then every third: the later ones are the same again.
        for n in (1..=*most).filter(|n| *n <= 6 || n % stride == 0) {
            let folder = tempfile::tempdir().unwrap();
            let tracer = strace(&format!("{name}:signal=SIGKILL:when={n}")).unwrap();
            let status = FEW.run(folder.path(), &words(&tracer)).status;
            // A slower run merges syncs, and may end before its n-th.
            kills += u64::from(signal_of(status) == Some(9));
            assert!(signal_of(status) == Some(9) || status.success(), "{name} {n}: {status}");
            records += assert_kept(folder.path()).0;
        }
    }
    let of: Vec<String> = names.iter().zip(seen).map(|(name, n)| format!("{name} {n}")).collect();
    println!(
        "F2 kills at system calls ({}): {kills} kills, {records} records, 0 lost",
        of.join(", ")
    );
}

#[test]
fn f10_a_file_cut_short_under_the_writer_ends_it_loudly() {
    for (stream, name) in STREAMS.into_iter().zip(["in-000001.zj", "out-000001.zj"]) {
        for bytes in [0, 4096, 12_288] {
            let folder = tempfile::tempdir().unwrap();
            let slow = Task { pause_us: 500, ..ENDLESS };
            let mut child = slow.spawn(folder.path(), &[]);
            while acknowledged(folder.path())[1] < 110 {
                pause(Duration::from_millis(1));
            }
            let path = journal_of(folder.path()).join(name);
            File::options().write(true).open(&path).unwrap().set_len(bytes).unwrap();
            assert_eq!(signal_of(child.wait().unwrap()), Some(7), "SIGBUS");
            let end = prefix(folder.path(), stream);
            assert_eq!(end.records(), bytes.saturating_sub(4096) / 80);
            assert!(!end.is_whole(), "the next reader is told: {end}");
        }
    }
    println!("F10 cut while mapped: 6 cuts, 6 times SIGBUS, 6 times told, 0 records invented");
}

#[test]
fn f11_a_full_disk_at_any_segment_is_said_and_loses_nothing() {
    let (mut full, mut refused) = (0, 0);
    if strace("fallocate").is_some() {
        for n in 2..=8 {
            let folder = tempfile::tempdir().unwrap();
            let tracer = strace(&format!("fallocate:error=ENOSPC:when={n}+")).unwrap();
            let output = ENDLESS.run(folder.path(), &words(&tracer));
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let at_start = output.status.code() == Some(REFUSED);
            assert!(at_start || output.status.code() == Some(FAILED), "{n}: {said}");
            assert!(said.contains("no room for a segment"), "{said}");
            refused += u64::from(at_start);
            full += u64::from(!at_start);
            assert_kept(folder.path());
        }
    }
    for kib in [64, 96, 256, 520, 700, 900, 1200] {
        let Some(disk) = SmallDisk::new(kib + 520) else { break };
        let output = Task { sync: Sync::None, ..ENDLESS }.run(disk.path(), &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let at_start = output.status.code() == Some(REFUSED);
        assert!(at_start || output.status.code() == Some(FAILED), "{kib} KiB: {said}");
        assert!(said.contains("no room") || said.contains("No space"), "{said}");
        refused += u64::from(at_start);
        full += u64::from(!at_start);
        assert_kept(disk.path());
    }
    println!("F11 full disk: {refused} starts refused, {full} runs ended in order, 0 records lost");
}

/// The first failed sync is the last word: nothing later is called durable, the end says so.
#[test]
fn f12_the_first_sync_error_is_final() {
    let mut injected = 0;
    for (call, error, first) in [("msync", "EIO", 1), ("msync", "ENOSPC", 1), ("fsync", "EIO", 2)] {
        for n in (first..).take(4) {
            let folder = tempfile::tempdir().unwrap();
            let Some(tracer) = strace(&format!("{call}:error={error}:when={n}")) else { return };
            let output = ENDLESS.run(folder.path(), &words(&tracer));
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!([Some(FAILED), Some(REFUSED)].contains(&output.status.code()), "{said}");
            assert_eq!(said.lines().count(), 1, "one line: {said}");
            let kept = assert_kept(folder.path()).0;
            injected += 1;
            if output.status.code() == Some(REFUSED) {
                assert_eq!(kept, 0);
                continue;
            }
            let manifest = Manifest::read(&journal_of(folder.path())).unwrap();
            assert_eq!(manifest.status, Status::Failed);
            let [inputs, outputs, inputs_durable, outputs_durable] = acknowledged(folder.path());
            let behind = inputs_durable < inputs || outputs_durable < outputs;
            assert!(behind, "what was lost is not called durable: {call} {n}");
        }
    }
    println!("F12 sync errors: {injected} errors, {injected} runs ended by them, 0 silent losses");
}

/// A disk that takes 50 ms a sync: the writer does not wait for it, the mark shows how far it is.
#[test]
fn f13_a_slow_disk_holds_up_the_mark_and_not_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let Some(tracer) = strace("msync:delay_enter=50000") else { return };
    let task = Task { pause_us: 20, ..ENDLESS };
    let mut child = task.spawn(folder.path(), &words(&tracer));
    let (mut marks, mut moved_alone, mut lag_max) = (0, 0, 0);
    let mut before = [0; 4];
    while marks < 10 {
        pause(Duration::from_millis(1));
        let now = acknowledged(folder.path());
        lag_max = lag_max.max(now[0] - now[2].min(now[0]));
        marks += u64::from(now[2] > before[2]);
        moved_alone += u64::from(now[0] > before[0] && now[2] == before[2]);
        before = now;
        assert_eq!(child.try_wait().unwrap(), None);
    }
    // The tracer lets go of its child when it is ended, so the child is ended by its own name.
    let of =
        format!("{}/task/{}/children", "/proc/".to_owned() + &child.id().to_string(), child.id());
    let children = std::fs::read_to_string(of).unwrap();
    let grandchild = children.split_whitespace().next().unwrap().to_owned();
    assert!(
        std::process::Command::new("kill").args(["-9", &grandchild]).status().unwrap().success()
    );
    child.wait().unwrap();
    assert_kept(folder.path());
    assert!(moved_alone > marks, "the writer went on {moved_alone} times, the mark {marks}");
    println!(
        "F13 slow disk: {marks} marks, writer moved {moved_alone} times between, lag {lag_max}"
    );
}

#[test]
fn f34_a_second_writer_is_refused_while_the_first_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Task { pause_us: 100, ..ENDLESS }.spawn(folder.path(), &[]);
    while acknowledged(folder.path())[0] == 0 {
        pause(Duration::from_millis(1));
    }
    let other = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(journal_of(folder.path()), journal_of(other.path())).unwrap();
    for _ in 0..5 {
        let output = FEW.run(other.path(), &[]);
        assert_eq!(output.status.code(), Some(REFUSED));
        assert!(String::from_utf8_lossy(&output.stderr).contains("another process writes here"));
    }
    let before = acknowledged(folder.path())[0];
    while acknowledged(folder.path())[0] < before + SEGMENT {
        assert_eq!(first.try_wait().unwrap(), None, "unharmed");
        pause(Duration::from_millis(1));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    assert_kept(folder.path());
    assert!(prefix(folder.path(), Stream::Outputs).records() >= before);
    println!("F34 two writers on one directory: 5 refused, the first unharmed");
}
