//! Power cuts in, as copies of a disk's image taken in one instant while it is written to; a
//! journal that holds all that it called durable, and nothing that was never written, out.
//!
//! The disk is a file on a file system that can clone files: what a clone holds is what the loop
//! device had written, and not what lay in memory above it.

mod faults;

use faults::{STREAMS, Task, acknowledged, count, journal_of, pause};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use zomma::journal::{End, Manifest, Reader, Sync};

/// Not a test by itself: what the others start as a process of its own.
#[test]
fn child_that_keeps_a_journal() {
    faults::keep_if_asked();
}

fn does(program: &str, arguments: &[&str], paths: &[&Path]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).args(paths).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A file system in a file, mounted; unmounted at the end.
struct Mounted(PathBuf);

impl Mounted {
    fn new(image: &Path, at: PathBuf) -> Option<Mounted> {
        fs::create_dir_all(&at).unwrap();
        // Two file systems with the same identity may be mounted: the cut and what it was cut from.
        let is_xfs = fs::read(image.with_extension("kind")).is_ok_and(|kind| kind == b"xfs");
        let options = if is_xfs { "loop,nouuid" } else { "loop" };
        does("mount", &["-o", options], &[image, &at]).then_some(Mounted(at))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Whoever looks at all mounts of the machine keeps one busy for a moment.
        let is_gone = || {
            pause(Duration::from_millis(50));
            does("umount", &[], &[&self.0])
        };
        let gone = (0..100).any(|_| is_gone());
        assert!(gone, "{} stays mounted", self.0.display());
    }
}

/// A file of so many MiB with a file system of this kind in it.
fn image(path: &Path, kind: &str, mib: u64) -> bool {
    fs::File::create(path).unwrap().set_len(mib << 20).unwrap();
    fs::write(path.with_extension("kind"), kind).unwrap();
    does(&format!("mkfs.{kind}"), &["-q"], &[path])
}

/// The disk on which the child writes, on the file system that can clone it.
struct Disk {
    inner: Option<Mounted>,
    outer: Mounted,
    folder: tempfile::TempDir,
    kind: &'static str,
}

impl Disk {
    fn new(kind: &'static str) -> Option<Disk> {
        let folder = tempfile::tempdir().unwrap();
        let made = || {
            let outer = folder.path().join("outer.img");
            let outer = image(&outer, "xfs", 2_048).then_some(outer)?;
            let outer = Mounted::new(&outer, folder.path().join("outer"))?;
            let inner = outer.0.join("inner.img");
            let inner = image(&inner, kind, 320).then_some(inner)?;
            let inner = Mounted::new(&inner, folder.path().join("inner"))?;
            Some((outer, inner))
        };
        let Some((outer, inner)) = made() else {
            println!("skipped: {kind} on a disk of our own needs root, loop devices and mkfs.xfs");
            return None;
        };
        Some(Disk { inner: Some(inner), outer, folder, kind })
    }

    /// Where the child keeps its journal; what it acknowledges lies outside of the disk.
    fn start(&self, task: &Task) -> Child {
        let run = self.inner.as_ref().unwrap().0.join("run");
        fs::create_dir(&run).unwrap();
        std::os::unix::fs::symlink(&run, journal_of(self.folder.path())).unwrap();
        task.spawn(self.folder.path(), &[])
    }

    fn acknowledged(&self) -> [u64; 4] {
        acknowledged(self.folder.path())
    }

    /// The power goes: what is on the disk in this instant.
    fn cut(&self, number: u64) -> PathBuf {
        let cut = self.outer.0.join(format!("cut-{number}.img"));
        assert!(does("cp", &["--reflink=always"], &[&self.outer.0.join("inner.img"), &cut]));
        fs::write(cut.with_extension("kind"), self.kind).unwrap();
        cut
    }

    /// Ends the child, and gives the disk up.
    fn stop(&mut self, mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
        self.inner = None;
    }

    /// What a start after the cut finds: the ends of both streams, and how many records only the
    /// doublewrite file has; none before there is a journal.
    fn after(&self, cut: &Path) -> Option<([End; 2], u64)> {
        let mounted = Mounted::new(cut, self.folder.path().join("after")).expect("it mounts");
        let run = mounted.0.join("run");
        Manifest::read(&run).ok()?;
        let mut restored = 0;
        let ends = STREAMS.map(|stream| {
            let mut reader = Reader::open(&run, stream).unwrap();
            let mut number = 0;
            while let Some(found) = reader.next_event() {
                number += 1;
                assert_eq!(*found, faults::event(number), "{stream:?} record {number}");
            }
            restored += reader.restored();
            reader.end().unwrap().clone()
        });
        Some((ends, restored))
    }
}

/// Cuts while the child appends and its keeper syncs: what was called durable before is there.
#[test]
fn f4_a_power_cut_loses_nothing_durable() {
    let cuts = count("ZOMMA_FAULTS_CUTS", 12);
    for (kind, sync) in [
        ("ext4", Sync::Interval),
        ("xfs", Sync::Interval),
        ("ext4", Sync::Strict),
        ("xfs", Sync::Strict),
    ] {
        let Some(mut disk) = Disk::new(kind) else { continue };
        let task = Task { records: Task::ENDLESS, sync, pause_us: 40 };
        let child = disk.start(&task);
        while disk.acknowledged()[3] == 0 {
            pause(Duration::from_millis(1));
        }
        let taken: Vec<([u64; 4], PathBuf)> = (0..cuts)
            .map(|number| {
                pause(Duration::from_millis(10 + number * 37 % 90));
                (disk.acknowledged(), disk.cut(number))
            })
            .collect();
        disk.stop(child);
        let (mut durable, mut beyond, mut holes, mut restored) = (0, 0, 0, 0);
        for (marks, cut) in &taken {
            let (ends, of_copies) =
                disk.after(cut).expect("the journal was durable before the first record");
            restored += of_copies;
            for (end, mark) in ends.iter().zip(&marks[2..]) {
                assert!(end.records() >= *mark, "{kind}: {mark} were durable: {end}");
                durable += mark;
                beyond += end.records() - mark;
                holes += u64::from(!end.is_whole());
            }
        }
        assert!(durable > 0);
        assert!(restored > 0 || sync == Sync::Interval, "an order's page is in the other file");
        println!(
            "F4 power cuts on {kind}, {sync:?}: {cuts} cuts, {durable} durable records, 0 lost, \
             {restored} of them only in the doublewrite file, {beyond} beyond the mark kept, \
             {holes} holes told"
        );
    }
}

/// The system writes pages back in any order it likes, and then the power goes: what lies behind a
/// hole is told, and never taken for what follows.
#[test]
fn f6_pages_written_back_out_of_order_are_holes_and_never_spliced() {
    let rounds = count("ZOMMA_FAULTS_CUTS", 12);
    let Some(mut disk) = Disk::new("ext4") else { return };
    let task = Task { records: Task::ENDLESS, sync: Sync::None, pause_us: 100 };
    let child = disk.start(&task);
    while disk.acknowledged()[0] < 1_000 {
        pause(Duration::from_millis(1));
    }
    let run = disk.inner.as_ref().unwrap().0.join("run");
    let mut taken = Vec::new();
    for round in 0..rounds {
        for (at, name) in ["in-000001.zj", "out-000001.zj"].iter().enumerate() {
            // The first pages, then one beyond what has not been written back yet.
            let beyond = 4_096 * ((round * 5 + at as u64 * 3) % 11 + 4);
            for (from, bytes) in [(0, 4_096 * (round % 3 + 1)), (beyond, 4_096)] {
                // Each takes one of its flags: write, then wait.
                let [write, wait] =
                    ["w", "a"].map(|flag| format!("sync_range -{flag} {from} {bytes}"));
                let written = does("xfs_io", &["-c", &write, "-c", &wait], &[&run.join(name)]);
                assert!(written, "xfs_io is of xfsprogs, as mkfs.xfs is");
            }
        }
        // What commits the file system's own journal, and with it the files' names.
        let other = fs::File::create(disk.inner.as_ref().unwrap().0.join("other")).unwrap();
        other.sync_all().unwrap();
        taken.push(disk.cut(round));
        pause(Duration::from_millis(15));
    }
    disk.stop(child);
    let (mut holes, mut kept, mut none) = (0, 0, 0);
    for cut in &taken {
        let Some((ends, _)) = disk.after(cut) else {
            none += 1;
            continue;
        };
        kept += ends.iter().map(End::records).sum::<u64>();
        holes += ends.iter().filter(|end| !end.is_whole()).count();
    }
    assert!(holes > 0 && kept > 0, "pages were written back out of order");
    println!(
        "F6 out-of-order write-back: {rounds} cuts, {holes} streams with holes told, {kept} \
         records before them kept, {none} without a journal, 0 spliced"
    );
}
