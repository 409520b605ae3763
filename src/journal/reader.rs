//! A journal's directory in, its events in their order, over all sessions, out, and how the stream
//! ends.
//!
//! Any bytes may lie in the files: what does not fit ends the stream with its place and a reason,
//! and nothing after it is handed out.

use super::{
    Error, Manifest, Stream, Sync,
    doublewrite::Copies,
    end::{Cause, End, Place},
    format::{self, EVENT, Header, OPENING, OPENING_AT, PAGE, RECORD_WORDS, RECORDS_AT, SEAL_AT},
    manifest::Promise,
    map::View,
    scan,
    segment::file_name,
};
use crate::wire::Event;
use alloc::format;
use bytemuck::Zeroable;
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// A segment as found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) view: View,
    pub(super) header: Header,
    /// Bytes that the file has; fewer than the header says where it was cut or shortened.
    pub(super) bytes: u64,
}

impl Found {
    /// Records that the file has room for.
    pub(super) fn room(&self) -> u64 {
        Header::capacity(self.bytes.min(self.header.bytes))
    }

    /// The chain behind record `index` and its event, where it is record `number` and continues
    /// the chain `before`.
    #[inline(always)]
    fn record(&self, index: u64, number: u64, seed: u32, before: u32) -> Option<(u32, [u64; 8])> {
        let at = RECORDS_AT / 8 + index as usize * RECORD_WORDS;
        let [head, found, event @ ..] = self.view.load::<RECORD_WORDS>(at)?;
        let chain = format::chain(seed, before, found, &event);
        (head == format::head(EVENT, chain) && found == number).then_some((chain, event))
    }

    /// A place in this file.
    pub(super) fn at(&self, offset: usize, record: u64) -> Place {
        Place { file: self.path.clone(), offset: offset as u64, record }
    }
}

/// Goes through one stream of a journal from its first record.
#[derive(Debug)]
pub struct Reader {
    pub(super) directory: PathBuf,
    pub(super) stream: Stream,
    pub(super) manifest: Manifest,
    /// None only where the first segment cannot be read; then `end` says why.
    pub(super) current: Option<Found>,
    /// Index of the next record in `current`, and how many there is room for.
    pub(super) index: u64,
    pub(super) room: u64,
    /// Records handed out.
    pub(super) records: u64,
    /// Seed of the session at hand.
    pub(super) seed: u32,
    pub(super) chain: u32,
    /// The chain where the segment at hand begins.
    pub(super) entered: u32,
    event: Event,
    pub(super) end: Option<End>,
    /// What the doublewrite file has, once a record is missing; how many were taken from it, and
    /// the number of the last of these.
    copies: Option<Copies>,
    restored: u64,
    last_restored: u64,
}

/// A place between two records, and what is proved of all before it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    /// The segment, 0 where none could be entered; its session.
    pub(super) segment: u32,
    pub(super) session: u32,
    /// Index within the segment of the record behind the place, and how many fit.
    pub(super) index: u64,
    pub(super) room: u64,
    /// Records before the place, and their chain; the chain where the segment begins.
    pub(super) records: u64,
    pub(super) chain: u32,
    pub(super) entered: u32,
}

/// A segment's file, or why it is none.
#[derive(Debug)]
pub(super) enum Look {
    Absent,
    Damaged(Place, Cause),
    Found(Found),
}

impl Reader {
    /// Opens a stream. Damage is told by [`Reader::end`], not here.
    pub fn open(directory: &Path, stream: Stream) -> Result<Reader, Error> {
        let manifest = Manifest::read(directory)?;
        let first = manifest.session(1).map_or(0, |session| session.epoch);
        let chain = format::seed(first, stream);
        let mut end = None;
        let current = match look(directory, stream, 1, &manifest)? {
            Look::Found(found) => Some(found),
            Look::Absent => return Err(Error::Missing(directory.join(file_name(stream, 1)))),
            Look::Damaged(at, cause) => {
                end = Some(End::Corrupt { records: 0, at, cause, resumes: None });
                None
            }
        };
        let mut reader = Reader {
            directory: directory.into(),
            stream,
            manifest,
            room: current.as_ref().map_or(0, Found::room),
            current,
            index: 0,
            records: 0,
            seed: chain,
            chain,
            entered: chain,
            event: Event::zeroed(),
            end,
            copies: None,
            restored: 0,
            last_restored: 0,
        };
        reader.enter();
        Ok(reader)
    }

    /// The next event, `None` at the end of the stream.
    #[inline]
    pub fn next_event(&mut self) -> Option<&Event> {
        while !self.step() && !self.restore() {
            if !self.advance() {
                return None;
            }
        }
        Some(&self.event)
    }

    /// Takes the record at hand; false if there is none or it does not fit.
    #[inline(always)]
    fn step(&mut self) -> bool {
        if self.index >= self.room || self.end.is_some() {
            return false;
        }
        let Some(found) = &self.current else { return false };
        let number = self.records + 1;
        let Some((chain, event)) = found.record(self.index, number, self.seed, self.chain) else {
            return false;
        };
        self.event = bytemuck::must_cast(event);
        (self.chain, self.index, self.records) = (chain, self.index + 1, number);
        true
    }

    /// Takes all records of the segment at hand that fit, without looking at what they say.
    fn pass(&mut self) {
        let Some(found) = self.current.as_ref().filter(|_| self.end.is_none()) else { return };
        let (mut chain, mut index, mut number) = (self.chain, self.index, self.records);
        while index < self.room
            && let Some((next, _)) = found.record(index, number + 1, self.seed, chain)
        {
            (chain, index, number) = (next, index + 1, number + 1);
        }
        (self.chain, self.index, self.records) = (chain, index, number);
    }

    /// Where a power cut took the record at hand: takes it from the doublewrite file, if that has
    /// it. False elsewhere.
    #[cold]
    fn restore(&mut self) -> bool {
        let known = self.known();
        let current =
            self.current.as_ref().filter(|_| self.end.is_none() && self.index < self.room);
        if !current.is_some_and(|current| scan::is_missing(current, self.index, known)) {
            return false;
        }
        let copies = self.copies.get_or_insert_with(|| Copies::read(&self.directory));
        let number = self.records + 1;
        let Some([head, _, event @ ..]) = copies.find(number, self.seed, self.chain) else {
            return false;
        };
        self.event = bytemuck::must_cast(event);
        (self.chain, self.index, self.records) = ((head >> 32) as u32, self.index + 1, number);
        (self.restored, self.last_restored) = (self.restored + 1, number);
        true
    }

    /// Where no record fits: on to the next segment, or false at the end of the stream.
    #[cold]
    fn advance(&mut self) -> bool {
        match self.end {
            Some(_) => false,
            None if self.index == self.room => self.turn(),
            None => self.stop(),
        }
    }

    /// How many records were handed out.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How many of them only the doublewrite file has: a power cut took their pages.
    pub fn restored(&self) -> u64 {
        self.restored
    }

    /// The record that was handed out last, where only the doublewrite file has it, and its place.
    pub(super) fn copied(&self) -> Option<(&Path, u64, [u64; RECORD_WORDS])> {
        let current = self.current.as_ref().filter(|_| self.last_restored == self.records)?;
        let at = (RECORDS_AT + (self.index as usize).checked_sub(1)? * format::RECORD) as u64;
        let [a, b, c, d, e, f, g, h]: [u64; 8] = bytemuck::must_cast(self.event);
        let head = format::head(EVENT, self.chain);
        Some((&current.path, at, [head, self.records, a, b, c, d, e, f, g, h]))
    }

    /// The place behind the last record.
    pub(super) fn position(&self) -> Position {
        let (chain, entered) = (self.chain, self.entered);
        match self.current.as_ref().filter(|_| self.end.is_none()).map(|found| &found.header) {
            None => Position { chain, entered, ..Position::default() },
            Some(header) => Position {
                segment: header.segment,
                session: header.session,
                index: self.index,
                room: self.room,
                records: self.records,
                chain,
                entered,
            },
        }
    }

    /// Number of the session that wrote the record at hand, from 1.
    pub fn session(&self) -> u32 {
        self.current.as_ref().map_or(0, |current| current.header.session)
    }

    /// What the run was.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How the stream ends, once [`Reader::next_event`] has given `None`.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Reads whatever is left and says how the stream ends.
    pub fn verify(mut self) -> End {
        loop {
            self.pass();
            if !self.restore() && !self.advance() {
                break;
            }
        }
        self.end.unwrap_or(End::Clean { records: self.records })
    }

    /// The segment is full: goes to the next one; false at the end of the stream.
    fn turn(&mut self) -> bool {
        let Some(current) = &self.current else { return false };
        if current.bytes != current.header.bytes {
            return self.stop();
        }
        let looked = self.look(current.header.segment + 1);
        if let Ok(Look::Absent) = looked {
            return self.stop();
        }
        if let Some(end) = scan::full(current, self.known()) {
            self.end = Some(end);
            return false;
        }
        self.go_to(looked)
    }

    /// Goes to a segment that was looked for; false if it is none.
    fn go_to(&mut self, looked: Result<Look, Error>) -> bool {
        match looked {
            Ok(Look::Found(found)) => {
                let before = self.session();
                (self.index, self.room) = (0, found.room());
                self.current = Some(found);
                if self.is_after(before) { self.enter() } else { self.astray() }
            }
            Ok(Look::Damaged(at, cause)) => self.corrupt(at, cause),
            Ok(Look::Absent) => false,
            Err(error) => {
                let Some(current) = &self.current else { return false };
                let at = current.at(0, self.records);
                self.corrupt(at, Cause::Unreadable(format!("{error}")))
            }
        }
    }

    fn look(&self, segment: u32) -> Result<Look, Error> {
        look(&self.directory, self.stream, segment, &self.manifest)
    }

    fn known(&self) -> scan::Known {
        let session = self.manifest.session(self.session());
        let synced = session.is_some_and(|session| session.sync != Sync::None);
        scan::Known { records: self.records, chain: self.chain, seed: self.seed, synced }
    }

    fn corrupt(&mut self, at: Place, cause: Cause) -> bool {
        self.end = Some(End::Corrupt { records: self.records, at, cause, resumes: None });
        false
    }

    /// The segment at hand does not continue the one before.
    fn astray(&mut self) -> bool {
        let Some(current) = &self.current else { return false };
        let at = current.at(OPENING_AT * 8, self.records + 1);
        self.corrupt(at, Cause::Opening)
    }

    /// Whether the segment at hand may follow one of session `before`.
    fn is_after(&self, before: u32) -> bool {
        let session = self.manifest.session(self.session());
        let begins = session.is_some_and(|s| s.first(self.stream) == self.records + 1);
        self.session() == before || self.session() > before && begins
    }

    /// Whether the segment at hand continues the one before. An opening that is not there proves
    /// nothing: the writer has not come so far, or a power cut took it; then the records tell.
    fn enter(&mut self) -> bool {
        let Some(current) = self.current.as_ref().filter(|_| self.end.is_none()) else {
            return false;
        };
        let (header, number) = (&current.header, self.records + 1);
        let wanted = [format::head(OPENING, self.chain), number];
        let is_opened = match current.view.load::<2>(OPENING_AT) {
            Some([0, found]) => [0, number].contains(&found),
            found => found == Some(wanted),
        };
        if !is_opened || header.first != number {
            return self.astray();
        }
        (self.seed, self.entered) = (header.seed(), self.chain);
        true
    }

    /// The record at hand does not fit. A session may have ended here and another begun: goes on
    /// there. Else finds out what it means.
    fn stop(&mut self) -> bool {
        let Some(current) = &self.current else { return false };
        let known = self.known();
        if scan::is_empty_from(current, self.index) {
            let is_sealed = scan::is_sealed(current, known);
            match self.look(current.header.segment + 1) {
                Ok(Look::Absent) => {}
                // The spare one of a session that ended before it needed it.
                Ok(Look::Found(next)) if next.header.session == self.session() => {}
                looked if is_sealed => return self.go_to(looked),
                // A session begins only when the seal before it is on the disk.
                Ok(Look::Found(next)) if next.header.first == self.records + 1 => {
                    let at = current.at(SEAL_AT * 8, 0);
                    return self.corrupt(at, Cause::Seal);
                }
                _ => {}
            }
        }
        let Some(current) = &self.current else { return false };
        let end = scan::classify(current, self.index, known, |s| self.look(s));
        self.end = Some(self.against_promise(end, known.synced));
        false
    }

    /// An end before what an earlier session kept, or the run counted at its end, is damage.
    fn against_promise(&self, end: End, synced: bool) -> End {
        let promise = self.manifest.promised(self.stream);
        let Some(promised) = promise.broken_by(self.records) else { return end };
        let cause = Cause::Short { promised };
        match end {
            End::Gap { records, at, resumes }
                if synced || matches!(promise, Promise::AtLeast(_)) =>
            {
                End::Corrupt { records, at, cause, resumes: Some(resumes) }
            }
            End::Clean { records } | End::Torn { records, .. } => {
                let offset = RECORDS_AT + self.index as usize * format::RECORD;
                let at = self.current.as_ref().map(|found| found.at(offset, records + 1));
                let at = at.unwrap_or(Place { file: self.directory.clone(), offset: 0, record: 0 });
                End::Corrupt { records, at, cause, resumes: None }
            }
            end => end,
        }
    }
}

/// Opens a segment and checks its header against the run.
pub(super) fn look(
    directory: &Path,
    stream: Stream,
    segment: u32,
    manifest: &Manifest,
) -> Result<Look, Error> {
    let path = directory.join(file_name(stream, segment));
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Look::Absent),
        Err(e) => return Err(Error::system("open a segment", &path)(e)),
    };
    let bytes = file.metadata().map_err(Error::system("look at a segment", &path))?.len();
    let damaged = |offset: usize, cause| {
        let at = Place { file: path.clone(), offset: offset as u64, record: 0 };
        Ok(Look::Damaged(at, cause))
    };
    if bytes < PAGE as u64 {
        return damaged(bytes as usize, Cause::NoHeader);
    }
    let view = View::new(&file).map_err(Error::system("map a segment", &path))?;
    let Some(page) = view.load::<{ PAGE / 8 }>(0) else {
        return damaged(0, Cause::NoHeader);
    };
    let header = match Header::read(bytemuck::must_cast_ref(&page)) {
        Ok(header) => header,
        Err((offset, what)) => return damaged(offset, Cause::Header(what)),
    };
    if bytes > header.bytes {
        return damaged(
            header.bytes as usize,
            Cause::Header("the file is longer than it was made"),
        );
    }
    if header.format != manifest.format {
        return damaged(8, Cause::Header("its format version is not the manifest's"));
    }
    if manifest.session(header.session).is_none_or(|session| session.epoch != header.epoch) {
        return damaged(32, Cause::Header("it belongs to another run"));
    }
    if (header.stream, header.segment) != (stream, segment) {
        return damaged(24, Cause::Header("it is another segment than its name says"));
    }
    if let Some(word) = scan::stray(&view) {
        return damaged(word * 8, Cause::Header("bytes of the header page that must be zero"));
    }
    Ok(Look::Found(Found { path, view, header, bytes }))
}
