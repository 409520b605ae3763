//! A stream as a crash has left it in; the same stream, ended in order, so that a session may
//! follow it, out.
//!
//! First it is only looked at ([`find`]). Then ([`settle`]) what only the doublewrite file has is
//! put where it belongs, and on the disk there. What lies behind the last record kept is copied or
//! moved to `*.quarantine`, the copy brought to the disk before the original is touched; the tail
//! is zeroed, the segment sealed and shortened, each durably before the next. Whatever of this a
//! second crash leaves undone is done again, and what is done already is done again without harm:
//! nothing that is kept is ever written to.

use super::{
    Error, Stream, Sync,
    end::{Cause, End},
    fail,
    format::{self, EVENT, Header, OPENING, OPENING_AT, PAGE, RECORD_WORDS, RECORDS_AT, SEAL_AT},
    map::View,
    reader::{Position, Reader},
    segment::{Segment, file_name},
    session::{Outcome, Tail},
};
use alloc::{format, string::String, vec, vec::Vec};
use core::ops::Range;
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// Bytes that are zeroed or copied at once.
const CHUNK: usize = 1 << 20;

/// A stream as it was found.
#[derive(Debug)]
pub(super) struct Found {
    /// How it ends.
    pub(super) end: End,
    /// The place behind the last record that can be kept.
    pub(super) keep: Position,
    /// `Event::seq` of that record.
    pub(super) seq: u64,
    /// The highest number of a record that was seen, kept or not.
    highest: u64,
    /// Records that only the doublewrite file has.
    copies: Vec<Copied>,
    /// Whether damage could be a power cut's work: see [`Found::is_damaged`].
    open: bool,
}

/// A record that only the doublewrite file has, and where it belongs.
#[derive(Debug)]
struct Copied {
    path: PathBuf,
    at: u64,
    record: [u64; RECORD_WORDS],
}

impl Found {
    fn nothing() -> Found {
        let (end, keep) = (End::Clean { records: 0 }, Position::default());
        Found { end, keep, seq: 0, highest: 0, copies: Vec::new(), open: true }
    }

    /// What there is to be told about it.
    pub(super) fn tail(&self) -> Tail {
        let kept = self.keep.records;
        let lost = self.highest.saturating_sub(kept);
        let found = format!("{}", self.end);
        Tail { outcome: self.outcome(), found, kept, lost, aside: Vec::new() }
    }

    fn outcome(&self) -> Outcome {
        let is_cut = self.keep.records < self.end.records();
        match &self.end {
            _ if self.is_damaged() => Outcome::SteppedOver,
            End::Clean { .. } if !is_cut => Outcome::Clean,
            End::Torn { .. } if !is_cut => Outcome::RecoveredTorn,
            _ => Outcome::RecoveredGap,
        }
    }

    /// Whether records may be lost that no power cut takes. Bytes behind an end that is not sealed
    /// are none: a power cut leaves pieces of records there.
    pub(super) fn is_damaged(&self) -> bool {
        match &self.end {
            End::Corrupt { cause: Cause::Foreign, .. } => !self.open,
            End::Corrupt { .. } => true,
            _ => false,
        }
    }
}

/// Where reading must stop although more fits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    End,
    /// Behind this record: an earlier recovery has decided so.
    Record(u64),
    /// Before the first output whose cause was not kept.
    Cause(u64),
}

/// Reads a stream and says what can be kept of it.
pub(super) fn find(directory: &Path, stream: Stream, until: Until) -> Result<Found, Error> {
    let mut reader = match Reader::open(directory, stream) {
        // An earlier attempt has put all of it aside.
        Err(Error::Missing(_)) if matches!(until, Until::Record(0)) => return Ok(Found::nothing()),
        opened => opened?,
    };
    let (mut keep, mut seq, mut is_within) = (reader.position(), 0, true);
    let mut copies = Vec::new();
    while let Some(event) = reader.next_event() {
        let caused_by = event.seq;
        if let Some((path, at, record)) = reader.copied() {
            copies.push(Copied { path: path.into(), at, record });
        }
        is_within &= match until {
            Until::End => true,
            Until::Record(last) => reader.records() <= last,
            Until::Cause(last) => caused_by <= last,
        };
        if is_within {
            (keep, seq) = (reader.position(), caused_by);
        }
    }
    let end = reader.verify();
    let mut highest = end.records();
    let mut open = true;
    for (number, path) in segments(directory, stream)?.iter().rev() {
        if *number < keep.segment {
            break;
        }
        let Some(view) = view(path)? else { continue };
        let is_last = *number == keep.segment;
        if is_last && is_at(&end, path) {
            open = keep.index < keep.room && view.load::<1>(SEAL_AT) == Some([0]);
        }
        highest = highest.max(highest_in(&view, if is_last { keep.index } else { 0 }));
    }
    Ok(Found { end, keep, seq, highest, copies, open })
}

fn is_at(end: &End, path: &Path) -> bool {
    matches!(end, End::Corrupt { at, .. } if at.file == path)
}

/// Puts a stream in order for a session that follows; `session` is its number. Gives the names of
/// the files that hold what was put aside.
pub(super) fn settle(
    directory: &Path,
    stream: Stream,
    found: &Found,
    session: u32,
    sync: Sync,
) -> Result<Vec<String>, Error> {
    put_back(&found.copies)?;
    let keep = found.keep;
    for (number, path) in segments(directory, stream)?.iter().rev() {
        if *number > keep.segment {
            put_aside(path, session)?;
            fail::point("recovery: a segment was put aside");
        } else if *number == keep.segment {
            end_segment(path, keep, session)?;
        } else if sync == Sync::None || !bring(path, keep.session)? {
            break;
        }
    }
    sync_directory(directory)?;
    let (begin, end) = (format!("{}-", stream.prefix()), format!(".s{session}.quarantine"));
    let mut aside = names(directory)?;
    aside.retain(|name| name.starts_with(&begin) && name.ends_with(&end));
    Ok(aside)
}

/// What only the doublewrite file has: into the segments, and to the disk, before that file may go.
fn put_back(copies: &[Copied]) -> Result<(), Error> {
    for of_file in copies.chunk_by(|a, b| a.path == b.path) {
        let path = &of_file[0].path;
        let failed = |e| Error::system("put records back into", path)(e);
        let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
        for copy in of_file {
            let bytes = bytemuck::bytes_of(&copy.record);
            file.write_all_at(bytes, copy.at).map_err(failed)?;
            fail::point("recovery: a record was put back");
        }
        file.sync_all().map_err(failed)?;
    }
    Ok(())
}

/// The names in a directory, in order.
fn names(directory: &Path) -> Result<Vec<String>, Error> {
    let failed = |e| Error::system("list", directory)(e);
    let listed = fs::read_dir(directory).map_err(failed)?.collect::<io::Result<Vec<_>>>();
    let listed = listed.map_err(failed)?.into_iter();
    let mut names: Vec<String> = listed.filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// The files of a stream's segments, by number.
fn segments(directory: &Path, stream: Stream) -> Result<Vec<(u32, PathBuf)>, Error> {
    let number = |name: &str| {
        let digits = name.strip_prefix(stream.prefix())?.strip_prefix('-')?.strip_suffix(".zj")?;
        digits.parse::<u32>().ok().filter(|number| name == file_name(stream, *number))
    };
    let mut found: Vec<(u32, PathBuf)> = names(directory)?
        .iter()
        .filter_map(|name| Some((number(name)?, directory.join(name))))
        .collect();
    found.sort();
    Ok(found)
}

/// A segment's file, mapped; nothing if it is empty.
fn view(path: &Path) -> Result<Option<View>, Error> {
    let failed = |e| Error::system("map a segment", path)(e);
    let file = File::open(path).map_err(failed)?;
    match file.metadata().map_err(failed)?.len() {
        0 => Ok(None),
        _ => View::new(&file).map(Some).map_err(failed),
    }
}

/// The highest number of a record that lies where it should, from record `index` on.
fn highest_in(view: &View, index: u64) -> u64 {
    let page = view.load::<{ PAGE / 8 }>(0);
    let header = page.and_then(|page| Header::read(bytemuck::cast_ref(&page)).ok());
    let Some(first) = header.map(|header| header.first) else { return 0 };
    let slot = |index: u64| view.load::<2>(Segment::used(index) / 8);
    let slots = (index..).map_while(|index| Some((first + index, slot(index)?)));
    slots.fold(
        0,
        |highest, (number, [head, found])| {
            if head as u32 == EVENT && found == number { number } else { highest }
        },
    )
}

/// A whole segment behind the last record kept: removed if nothing is in it, else renamed.
fn put_aside(path: &Path, session: u32) -> Result<(), Error> {
    let failed = |e| Error::system("put a segment aside", path)(e);
    let is_used =
        view(path)?.is_some_and(|view| view.nonzero(RECORDS_AT / 8, view.len()).is_some());
    if !is_used {
        return fs::remove_file(path).map_err(failed);
    }
    File::open(path).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(path, aside(path, session)).map_err(failed)
}

/// The segment of the last record kept: copies what lies behind it, zeroes that, seals.
fn end_segment(path: &Path, keep: Position, session: u32) -> Result<(), Error> {
    let failed = |e| Error::system("end a segment in order", path)(e);
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
    let view = View::new(&file).map_err(failed)?;
    let used = Segment::used(keep.index);
    if let Some(last) = view.last_nonzero(used / 8) {
        let end = (last + 1) * 8;
        copy_tail(path, &file, used..end, &aside(path, session)).map_err(failed)?;
        fail::point("recovery: the tail was copied");
        zero(&file, used..end).map_err(failed)?;
    }
    file.sync_all().map_err(failed)?;
    fail::point("recovery: the tail was zeroed");
    seal(&file, &view, keep).map_err(failed)?;
    fail::point("recovery: the segment was sealed");
    let bytes = used.next_multiple_of(PAGE) as u64;
    if file.metadata().map_err(failed)?.len() > bytes {
        file.set_len(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    }
    Ok(())
}

/// The tail into a file of its own, at the offsets that it had, whole and on the disk or not there.
fn copy_tail(path: &Path, file: &File, tail: Range<usize>, aside: &Path) -> io::Result<()> {
    if aside.exists() {
        return Ok(());
    }
    let unnamed = aside.with_extension("new");
    let copy = File::create(&unnamed)?;
    let mut chunk = vec![0; CHUNK];
    for at in tail.clone().step_by(CHUNK) {
        let chunk = &mut chunk[..CHUNK.min(tail.end - at)];
        file.read_exact_at(chunk, at as u64)?;
        copy.write_all_at(chunk, at as u64)?;
    }
    copy.sync_all()?;
    fail::point("recovery: before the copy has its name");
    fs::rename(&unnamed, aside)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn zero(file: &File, tail: Range<usize>) -> io::Result<()> {
    let zeros = vec![0; CHUNK];
    for at in tail.clone().step_by(CHUNK) {
        file.write_all_at(&zeros[..CHUNK.min(tail.end - at)], at as u64)?;
        fail::point("recovery: within the zeroing");
    }
    Ok(())
}

/// Writes the seal, and the opening where a power cut took it, and brings them to the disk.
fn seal(file: &File, view: &View, keep: Position) -> io::Result<()> {
    let first = keep.records + 1 - keep.index;
    if view.load::<1>(OPENING_AT) == Some([0]) {
        let opening = [format::head(OPENING, keep.entered), first];
        file.write_all_at(bytemuck::bytes_of(&opening), OPENING_AT as u64 * 8)?;
    }
    let words = format::seal(keep.chain, keep.index, keep.records);
    file.write_all_at(bytemuck::bytes_of(&words), SEAL_AT as u64 * 8)?;
    file.sync_all()
}

/// Brings an earlier segment of the session to the disk; false if it belongs to one before.
fn bring(path: &Path, session: u32) -> Result<bool, Error> {
    let failed = |e| Error::system("bring a segment to the disk", path)(e);
    let file = File::open(path).map_err(failed)?;
    let mut page = [0; PAGE];
    file.read_exact_at(&mut page, 0).map_err(failed)?;
    let is_of = Header::read(&page).is_ok_and(|header| header.session == session);
    if is_of {
        file.sync_all().map_err(failed)?;
    }
    Ok(is_of)
}

/// The name under which the recovery of a session puts a file or its tail aside.
fn aside(path: &Path, session: u32) -> PathBuf {
    path.with_extension(format!("s{session}.quarantine"))
}

fn sync_directory(directory: &Path) -> Result<(), Error> {
    File::open(directory)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::system("bring to the disk", directory))
}
