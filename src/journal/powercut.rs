//! A model of the power cut: what was synced is on the disk, of every other page any version since.
//!
//! Writer and keeper are the real ones, driven by a seed on one thread. At a cut each page of 4 KiB
//! of each file is given back as it was when it was last synced, or as it was at any moment since,
//! each by itself; a block of the doublewrite file that was being written may be cut in two. What
//! the disk gives back is recovered by the real recovery, appended to, cut again. After each cut:
//! nothing below the durable marks is lost, nothing is read that was not appended in this row
//! (every session writes other contents), nothing behind a hole is spliced.

use super::{
    Allow, End, Manifest, Outcome, Reader, Session, Settings, Stream, Sync,
    directory::{Streams, streams},
    format::{PAGE, RECORD, RECORDS_AT},
    reader::Position,
    resume,
};
use crate::{
    config::Span,
    wire::{Event, Kind, market::Quote, order::Leg},
};
use alloc::{collections::BTreeMap, vec, vec::Vec};
use core::{cell::RefCell, ops::Range};
use std::{
    fs,
    path::{Path, PathBuf},
    println,
};

const BOTH: [Stream; 2] = [Stream::Inputs, Stream::Outputs];

std::thread_local! {
    /// What the keepers of this thread have brought to the disk since it was last asked.
    static SYNCED: RefCell<Vec<(PathBuf, Range<usize>)>> = const { RefCell::new(Vec::new()) };
}

/// A segment has been told that these bytes are on the disk.
pub(super) fn on_sync(path: &Path, bytes: Range<usize>) {
    SYNCED.with_borrow_mut(|synced| synced.push((path.into(), bytes)));
}

struct Random(u64);

impl Random {
    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        ((self.0 >> 33) * bound) >> 31
    }
}

/// Every version of a page since it was last synced, the synced one first.
type Versions = Vec<Vec<u8>>;

/// A journal on a disk that forgets.
struct Disk {
    directory: PathBuf,
    pages: BTreeMap<PathBuf, Vec<Versions>>,
}

impl Disk {
    /// Everything that is there is on the disk.
    fn at_rest(directory: &Path) -> Disk {
        SYNCED.take();
        let mut disk = Disk { directory: directory.into(), pages: BTreeMap::new() };
        disk.look();
        disk
    }

    /// Notes which pages have changed, and what was synced meanwhile. A segment that is new came
    /// with its file and its name synced.
    fn look(&mut self) {
        let synced = SYNCED.take();
        for entry in fs::read_dir(&self.directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "zj") {
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let known = self.pages.entry(path.clone()).or_default();
            known.resize_with(bytes.len().div_ceil(PAGE), Versions::new);
            for (at, (page, versions)) in bytes.chunks(PAGE).zip(known).enumerate() {
                if versions.last().is_none_or(|last| last != page) {
                    versions.push(page.into());
                }
                let is_synced = |(of, range): &(PathBuf, Range<usize>)| {
                    *of == path && range.start < (at + 1) * PAGE && range.end > at * PAGE
                };
                if synced.iter().any(is_synced) {
                    versions.drain(..versions.len() - 1);
                }
            }
        }
    }

    /// A page as the disk gives it back.
    fn page<'a>(versions: &'a Versions, random: &mut Random) -> &'a [u8] {
        let last = versions.len() - 1;
        let chosen = match random.below(5) {
            0 | 1 => 0,
            2 | 3 => last,
            _ => random.below(versions.len() as u64) as usize,
        };
        &versions[chosen]
    }

    /// The power is cut: the files as the disk gives them back.
    fn cut(&self, random: &mut Random) {
        for (path, pages) in &self.pages {
            let is_copies = path.ends_with("doublewrite.zj");
            let given = pages.iter().flat_map(|versions| {
                let mut page = Disk::page(versions, random).to_vec();
                let sectors = random.below(9) as usize * 512;
                if is_copies && versions.len() > 1 && random.below(2) == 0 {
                    page[sectors..].copy_from_slice(&versions[0][sectors..]);
                }
                page
            });
            fs::write(path, given.collect::<Vec<u8>>()).unwrap();
        }
    }

    /// A record was being stored: some of its words are there, the commit word is not.
    fn leave_torn(&mut self, stream: Stream, segment: u32, index: u64, random: &mut Random) {
        let path = self.directory.join(super::segment::file_name(stream, segment));
        let Some(pages) = self.pages.get_mut(&path) else { return };
        for word in 1..1 + random.below(9) as usize {
            let at = RECORDS_AT + index as usize * RECORD + word * 8;
            if let Some(versions) = pages.get_mut(at / PAGE) {
                let mut page = versions.last().unwrap().clone();
                page[at % PAGE] = 0x5a;
                versions.push(page);
            }
        }
    }
}

/// What must be in the streams, and how it got there.
struct Model {
    rows: [Vec<Event>; 2],
    session: u32,
}

impl Model {
    fn input(&self) -> Event {
        let seq = self.rows[0].len() as u64 + 1;
        let quote = Quote { venue_seq: self.session, ..bytemuck::Zeroable::zeroed() };
        Event { seq, ts_recv: seq, ..Event::new(Kind::QUOTE, self.session, quote) }
    }

    fn output(&self) -> Event {
        let leg = Leg { order: self.rows[1].len() as u64 + 1, ..bytemuck::Zeroable::zeroed() };
        let seq = self.rows[0].len() as u64;
        Event { seq, ..Event::new(Kind::ORDER_LEG, self.session, leg) }
    }

    /// Reads a stream, holds every record against what was appended, and counts them, and those
    /// that only the doublewrite file has.
    fn check(&self, directory: &Path, stream: Stream) -> [u64; 2] {
        let mut reader = Reader::open(directory, stream).unwrap();
        let row = &self.rows[stream.place()];
        while let Some(found) = reader.next_event().copied() {
            let number = reader.records() as usize;
            assert_eq!(Some(&found), row.get(number - 1), "{stream:?} {number}: a ghost");
        }
        [reader.records(), reader.restored()]
    }
}

/// A session on the disk, its keepers' ticks in the hands of the test.
struct Live {
    streams: Streams,
    tick: u64,
}

impl Live {
    fn marks(&self) -> [u64; 2] {
        [0, 1].map(|at: usize| self.streams.kept[at].1.watch().durable())
    }

    /// What rests, or an order waits for, is copied.
    fn copy(&mut self, strict: bool) {
        let doublewrite = self.streams.doublewrite.as_mut().unwrap();
        if strict { doublewrite.hasten() } else { doublewrite.rest() }
    }

    /// The power goes while a copy is on its way: nobody has been told that it is on the disk.
    fn copy_in_vain(&mut self, disk: &mut Disk) {
        disk.look();
        self.copy(true);
        SYNCED.take();
        disk.look();
    }

    /// Appends and ticks at random; the disk looks on.
    fn run(&mut self, model: &mut Model, disk: &mut Disk, strict: bool, random: &mut Random) {
        for _ in 0..2 + random.below(40) {
            for _ in 0..random.below(60) {
                let event = model.input();
                // The spare segment comes at a tick; a full one without it would wait for ever.
                let [(_, inputs), (_, outputs)] = &mut self.streams.kept;
                if inputs.append(&event).is_err() {
                    return;
                }
                model.rows[0].push(event);
                if random.below(3) == 0 {
                    let event = model.output();
                    outputs.append(&event).unwrap();
                    model.rows[1].push(event);
                }
            }
            disk.look();
            if random.below(2) == 0 {
                self.tick += 1;
                for (keep, _) in &mut self.streams.kept {
                    keep.tend(self.tick, 8);
                }
                disk.look();
            }
            if random.below(2) == 0 {
                self.copy(strict);
                disk.look();
            }
        }
    }
}

#[derive(Default)]
struct Totals {
    cuts: u64,
    records: u64,
    lost_in_doubt: u64,
    restored: u64,
    outcomes: [u64; 3],
}

fn settings(sync: Sync) -> Settings {
    let (segment_bytes, sync_interval) = (65_536, Span(1_000_000));
    Settings { segment_bytes, output_segment_bytes: segment_bytes, sync, sync_interval }
}

/// One directory through several cuts.
fn life(seed: u64, base: &Manifest, totals: &mut Totals) {
    let folder = super::crash::memory();
    let (directory, mut random) = (folder.path(), Random(seed));
    let sync = if seed.is_multiple_of(2) { Sync::Interval } else { Sync::Strict };
    let settings = settings(sync);
    let mut manifest = Manifest { epoch: u128::from(seed) << 64 | 1, ..base.clone() };
    manifest.sessions = vec![Session::of(&manifest, sync, [1, 1]).unwrap()];
    let mut model = Model { rows: [Vec::new(), Vec::new()], session: 1 };
    let mut keep = [Position::default(); 2];
    for cut in 0..5 {
        let streams = streams(directory, &settings, &manifest, keep).unwrap();
        let (mut live, mut disk) = (Live { streams, tick: 0 }, Disk::at_rest(directory));
        live.run(&mut model, &mut disk, sync == Sync::Strict, &mut random);
        let marks = live.marks();
        live.copy_in_vain(&mut disk);
        drop(live);
        for stream in BOTH {
            let row = model.rows[stream.place()].len() as u64;
            let from = keep[stream.place()];
            let (full, index) = ((row - from.records) / 768, (row - from.records) % 768);
            disk.leave_torn(stream, from.segment + 1 + full as u32, index, &mut random);
        }
        disk.cut(&mut random);
        let [[inputs, restored_in], [outputs, restored_out]] =
            BOTH.map(|stream| model.check(directory, stream));
        let seen = [inputs, outputs];
        totals.restored += restored_in + restored_out;
        assert!(seen[0] >= marks[0] && seen[1] >= marks[1], "seed {seed}: {seen:?} of {marks:?}");
        manifest = Manifest { epoch: u128::from(seed) << 64 | (cut + 2), ..base.clone() };
        let found = resume::recover(directory, &settings, &mut manifest, Allow::default()).unwrap();
        keep = [found[0].keep, found[1].keep];
        let caused = model.rows[1].partition_point(|output| output.seq <= keep[0].records) as u64;
        assert_eq!(keep[0].records, seen[0]);
        assert_eq!(keep[1].records, seen[1].min(caused), "seed {seed}");
        totals.lost_in_doubt += model.rows[0].len() as u64 - keep[0].records;
        for stream in BOTH {
            model.rows[stream.place()].truncate(keep[stream.place()].records as usize);
        }
        model.session += 1;
        totals.cuts += 1;
        totals.records += keep[0].records + keep[1].records;
        match manifest.sessions.last().unwrap().start.outcome() {
            Outcome::RecoveredTorn => totals.outcomes[1] += 1,
            Outcome::RecoveredGap => totals.outcomes[2] += 1,
            _ => totals.outcomes[0] += 1,
        }
        let ends = BOTH.map(|stream| Reader::open(directory, stream).unwrap().verify());
        let records = keep.map(|keep| End::Clean { records: keep.records });
        assert_eq!(ends, records, "seed {seed}");
        for stream in BOTH {
            let [records, restored] = model.check(directory, stream);
            assert_eq!((records, restored), (keep[stream.place()].records, 0), "seed {seed}");
        }
    }
}

#[test]
fn a_power_cut_loses_nothing_that_was_durable_and_brings_nothing_back() {
    let lives = super::crash::count("ZOMMA_CUTS", 1_000) / 5;
    let base = Manifest::new(42, Vec::new()).unwrap();
    let mut totals = Totals::default();
    (1..=lives).for_each(|seed| life(seed, &base, &mut totals));
    let Totals { cuts, records, lost_in_doubt, restored, outcomes: [clean, torn, gaps] } = totals;
    assert!(torn > 0 && gaps > 0 && lost_in_doubt > 0, "the model cuts nothing");
    assert!(restored > 0, "nothing was only in the doublewrite file");
    println!(
        "power-cut model: {cuts} cuts ({clean} clean, {torn} torn, {gaps} with holes), {records} \
         records kept, {restored} of them only in the doublewrite file, 0 durable records lost, 0 \
         ghosts; {lost_in_doubt} inputs above the mark lost"
    );
}
