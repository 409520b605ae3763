//! A journal's directory in, its events in their order out, and how the stream ends.
//!
//! Any bytes may lie in the files: what does not fit ends the stream with its place and a reason,
//! and nothing after it is handed out.

use super::{
    Error, Manifest, Status, Stream,
    end::{Cause, End, Place},
    format::{self, EVENT, Header, OPENING, OPENING_AT, PAGE, RECORD_WORDS, RECORDS_AT},
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

    /// A place in this file.
    pub(super) fn at(&self, offset: usize, record: u64) -> Place {
        Place { file: self.path.clone(), offset: offset as u64, record }
    }
}

/// Goes through one stream of a journal from its first record.
#[derive(Debug)]
pub struct Reader {
    directory: PathBuf,
    stream: Stream,
    manifest: Manifest,
    /// None only where the first segment cannot be read; then `end` says why.
    current: Option<Found>,
    /// Index of the next record in `current`, and how many there is room for.
    index: u64,
    room: u64,
    /// Records handed out.
    records: u64,
    seed: u32,
    chain: u32,
    event: Event,
    end: Option<End>,
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
        let seed = format::seed(manifest.epoch, stream);
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
            seed,
            chain: seed,
            event: Event::zeroed(),
            end,
        };
        reader.check_opening();
        Ok(reader)
    }

    /// The next event, `None` at the end of the stream.
    #[inline]
    pub fn next_event(&mut self) -> Option<&Event> {
        if self.end.is_some() || self.index == self.room && !self.turn() {
            return None;
        }
        let at = RECORDS_AT / 8 + self.index as usize * RECORD_WORDS;
        let [head, number, event @ ..] = self.current.as_ref()?.view.load::<RECORD_WORDS>(at)?;
        let chain = format::chain(self.seed, self.chain, number, &event);
        if head != format::head(EVENT, chain) || number != self.records + 1 {
            self.stop();
            return None;
        }
        self.event = bytemuck::must_cast(event);
        (self.chain, self.index, self.records) = (chain, self.index + 1, number);
        Some(&self.event)
    }

    /// How many records were handed out.
    pub fn records(&self) -> u64 {
        self.records
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
        while self.next_event().is_some() {}
        self.end.unwrap_or(End::Clean { records: self.records })
    }

    /// Goes to the next segment; false at the end of the stream.
    #[cold]
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
        match looked {
            Ok(Look::Found(found)) => {
                (self.index, self.room) = (0, found.room());
                self.current = Some(found);
                self.check_opening()
            }
            Ok(Look::Damaged(at, cause)) => self.corrupt(at, cause),
            Ok(Look::Absent) => false,
            Err(error) => {
                let at = current.at(0, self.records);
                self.corrupt(at, Cause::Unreadable(format!("{error}")))
            }
        }
    }

    fn look(&self, segment: u32) -> Result<Look, Error> {
        look(&self.directory, self.stream, segment, &self.manifest)
    }

    fn known(&self) -> scan::Known {
        scan::Known { records: self.records, chain: self.chain, seed: self.seed }
    }

    fn corrupt(&mut self, at: Place, cause: Cause) -> bool {
        self.end = Some(End::Corrupt { records: self.records, at, cause, resumes: None });
        false
    }

    /// Whether the current segment is opened with the chain that leads here. One that is not opened
    /// at all is a spare that the writer never reached.
    fn check_opening(&mut self) -> bool {
        let Some(current) = self.current.as_ref().filter(|_| self.end.is_none()) else {
            return false;
        };
        let wanted = [format::head(OPENING, self.chain), self.records + 1];
        match current.view.load::<2>(OPENING_AT) {
            Some(found) if found == wanted && current.header.first == wanted[1] => true,
            Some([0, number]) if self.records > 0 && [0, wanted[1]].contains(&number) => {
                self.stop()
            }
            _ => {
                let at = current.at(OPENING_AT * 8, self.records + 1);
                self.corrupt(at, Cause::Opening)
            }
        }
    }

    /// The record at hand does not fit: finds out what that means.
    #[cold]
    fn stop(&mut self) -> bool {
        let Some(current) = &self.current else { return false };
        let mut end = scan::classify(current, self.index, self.known(), |s| self.look(s));
        if let Some(promised) = self.promised().filter(|&promised| promised != self.records)
            && matches!(end, End::Clean { .. })
        {
            let offset = RECORDS_AT + self.index as usize * format::RECORD;
            let (records, at) = (self.records, current.at(offset, self.records + 1));
            end = End::Corrupt { records, at, cause: Cause::Short { promised }, resumes: None };
        }
        self.end = Some(end);
        false
    }

    /// A run that has ended knows how many records it wrote.
    fn promised(&self) -> Option<u64> {
        let promised = match self.stream {
            Stream::Inputs => self.manifest.inputs,
            Stream::Outputs => self.manifest.outputs,
        };
        (self.manifest.status != Status::Running).then_some(promised)
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
    if header.epoch != manifest.epoch {
        return damaged(32, Cause::Header("it belongs to another session"));
    }
    if (header.stream, header.segment) != (stream, segment) {
        return damaged(24, Cause::Header("it is another segment than its name says"));
    }
    if let Some(word) = scan::stray(&view) {
        return damaged(word * 8, Cause::Header("bytes of the header page that must be zero"));
    }
    Ok(Look::Found(Found { path, view, header, bytes }))
}
