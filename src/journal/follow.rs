//! A journal that another process may still write in; its records as they come, out.
//!
//! Nothing is locked, written or mapped: the last segment is shortened when a run ends, and whoever
//! touches a map behind the new end dies of it. Reads see what the writer has stored, because both
//! go through the same pages. A record counts once its commit word is there, and its checksum must
//! hold; one that was being stored while it was read is read again.

use super::{
    Error, Manifest, Mark, Reader, Stream,
    end::{Cause, Place},
    format::{self, EVENT, Header, OPENING, OPENING_AT, PAGE, RECORD, RECORDS_AT, SEAL, SEAL_AT},
    merge::Source,
    segment::file_name,
};
use crate::wire::Event;
use alloc::{boxed::Box, vec, vec::Vec};
use std::{
    fs::File,
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// Bytes that are read at once: 512 records.
const CHUNK: usize = 512 * RECORD;

/// Follows one stream.
#[derive(Debug)]
pub struct Follower {
    directory: PathBuf,
    stream: Stream,
    manifest: Manifest,
    file: File,
    path: PathBuf,
    header: Header,
    /// Index of the next record in the segment.
    index: u64,
    /// Records handed out, and their chain.
    records: u64,
    chain: u32,
    /// What was read ahead: records from `index` on, and how much of it is used up.
    ahead: Vec<u8>,
    used: usize,
    /// Tries at a record that does not fit.
    tries: u32,
    ended: bool,
    damage: Option<(Place, Cause)>,
}

/// What stands at a place.
enum Slot {
    Empty,
    Record(Event),
    Misfit,
}

impl Follower {
    /// Follows from the first record that reaches a mark, or from those that come from now on.
    pub fn open(directory: &Path, stream: Stream, from: Option<Mark>) -> Result<Follower, Error> {
        let mark = from.unwrap_or(Mark::Seq(u64::MAX));
        let reader = Reader::open_at(directory, stream, mark)?;
        let place = reader.position();
        if let Some(end) = reader.end() {
            return Err(Error::Damaged(Box::new(end.clone())));
        }
        let (file, path, header) = open(directory, stream, place.segment)?
            .ok_or_else(|| Error::Missing(directory.join(file_name(stream, place.segment))))?;
        Ok(Follower {
            directory: directory.into(),
            stream,
            manifest: reader.manifest().clone(),
            file,
            path,
            header,
            index: place.index,
            records: place.records,
            chain: place.chain,
            ahead: Vec::with_capacity(CHUNK),
            used: 0,
            tries: 0,
            ended: false,
            damage: None,
        })
    }

    /// The next record, if it is there.
    pub fn next_event(&mut self) -> Option<Event> {
        while !self.ended && self.damage.is_none() {
            if self.used == self.ahead.len() && !self.read_ahead() {
                return None;
            }
            match self.slot() {
                Slot::Record(event) => {
                    self.used += RECORD;
                    (self.index, self.records, self.tries) = (self.index + 1, self.records + 1, 0);
                    return Some(event);
                }
                // What was read behind it is older than what is there now.
                Slot::Empty => {
                    self.forget();
                    return None;
                }
                Slot::Misfit => self.misfit(),
            }
        }
        None
    }

    /// Records handed out so far, those before the beginning counted.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Whether the run has ended and all of it was handed out.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// What does not fit, and in which way: nothing is handed out behind it.
    pub fn damage(&self) -> Option<&(Place, Cause)> {
        self.damage.as_ref()
    }

    fn slot(&mut self) -> Slot {
        let Some(bytes) = self.ahead.get(self.used..self.used + RECORD) else { return Slot::Empty };
        let word = |i: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[8 * i..8 * i + 8]);
            u64::from_le_bytes(word)
        };
        let (head, number) = (word(0), word(1));
        if head == 0 {
            return Slot::Empty;
        }
        let event: [u64; 8] = core::array::from_fn(|i| word(2 + i));
        let chain = format::chain(self.header.seed(), self.chain, number, &event);
        if head != format::head(EVENT, chain) || number != self.records + 1 {
            return Slot::Misfit;
        }
        self.chain = chain;
        Slot::Record(bytemuck::must_cast(event))
    }

    fn forget(&mut self) {
        self.ahead.clear();
        self.used = 0;
    }

    /// A record that is being stored may look so once; one that stays so is damage.
    fn misfit(&mut self) {
        const TRIES: u32 = 3;
        self.forget();
        self.tries += 1;
        if self.tries > TRIES {
            let offset = (RECORDS_AT + self.index as usize * RECORD) as u64;
            let (file, record) = (self.path.clone(), self.records + 1);
            self.damage = Some((Place { file, offset, record }, Cause::Record));
        }
    }

    /// Reads what is there; false if nothing is.
    fn read_ahead(&mut self) -> bool {
        self.forget();
        let room = Header::capacity(self.header.bytes).saturating_sub(self.index);
        let wanted = CHUNK.min(room as usize * RECORD);
        self.ahead.resize(wanted, 0);
        let at = (RECORDS_AT + self.index as usize * RECORD) as u64;
        let got = read(&self.file, &mut self.ahead, at).unwrap_or(0);
        self.ahead.truncate(got / RECORD * RECORD);
        let is_written = self.ahead.iter().take(4).any(|byte| *byte != 0);
        if !is_written {
            self.forget();
            return self.turn() && self.read_ahead();
        }
        true
    }

    /// Nothing is behind the last record: goes to the next segment, if there is one and it was
    /// entered; or the run has ended.
    fn turn(&mut self) -> bool {
        let full = self.index >= Header::capacity(self.header.bytes);
        let sealed = self.is_sealed();
        if !full && !sealed {
            return false;
        }
        let segment = self.header.segment + 1;
        match open(&self.directory, self.stream, segment) {
            Ok(Some(next)) => self.enter(next),
            _ if sealed => self.look_at_end(),
            _ => false,
        }
    }

    fn is_sealed(&self) -> bool {
        let Some([head, count, last]) = words::<3>(&self.file, SEAL_AT) else { return false };
        let last_here = if self.index == 0 { 0 } else { self.records };
        head == format::head(SEAL, self.chain) && [count, last] == [self.index, last_here]
    }

    fn enter(&mut self, (file, path, header): (File, PathBuf, Header)) -> bool {
        let wanted = [format::head(OPENING, self.chain), self.records + 1];
        if words::<2>(&file, OPENING_AT) != Some(wanted) {
            return false;
        }
        if header.session != self.header.session {
            let Ok(manifest) = Manifest::read(&self.directory) else { return false };
            self.manifest = manifest;
        }
        let session = self.manifest.session(header.session);
        if session.is_none_or(|session| session.epoch != header.epoch) {
            return false;
        }
        (self.file, self.path, self.header, self.index) = (file, path, header, 0);
        self.forget();
        true
    }

    /// The last segment is sealed: the manifest says whether a further session may follow.
    fn look_at_end(&mut self) -> bool {
        if let Ok(manifest) = Manifest::read(&self.directory) {
            let is_over = manifest.counted(self.stream) == self.records;
            self.ended = manifest.is_over() && is_over;
            self.manifest = manifest;
        }
        false
    }
}

impl Source for Follower {
    fn next_record(&mut self) -> Option<(u64, Event)> {
        self.next_event().map(|event| (self.records, event))
    }
}

/// A segment's file and header; `None` where it is not there or not whole yet.
fn open(
    directory: &Path,
    stream: Stream,
    segment: u32,
) -> Result<Option<(File, PathBuf, Header)>, Error> {
    let path = directory.join(file_name(stream, segment));
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::system("open a segment", &path)(e)),
    };
    let mut page = vec![0; PAGE];
    let read = read(&file, &mut page, 0).map_err(Error::system("read a segment", &path))?;
    let page: Option<&[u8; PAGE]> = page.as_slice().try_into().ok();
    let header = page.filter(|_| read == PAGE).and_then(|page| Header::read(page).ok());
    let is_it = |header: &Header| (header.stream, header.segment) == (stream, segment);
    Ok(header.filter(is_it).map(|header| (file, path, header)))
}

fn words<const N: usize>(file: &File, at: usize) -> Option<[u64; N]> {
    let mut bytes = vec![0; 8 * N];
    file.read_exact_at(&mut bytes, 8 * at as u64).ok()?;
    let mut words =
        bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()));
    Some(core::array::from_fn(|_| words.next().unwrap_or_default()))
}

/// As many bytes as there are.
fn read(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(&mut buffer[done..], at + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}
