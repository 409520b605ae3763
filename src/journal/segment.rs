//! A segment being written: made whole and durable before its name appears, opened, filled, sealed.

use super::{
    Error, fail,
    format::{self, Header, OPENING, OPENING_AT, PAGE, RECORD, RECORD_WORDS, RECORDS_AT, SEAL_AT},
    map::{self, Map},
};
use alloc::format;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::Release};
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// The name of a segment's file.
pub(super) fn file_name(stream: format::Stream, segment: u32) -> alloc::string::String {
    format!("{}-{segment:06}.zj", stream.prefix())
}

/// A segment of which the writer fills the records and the keeper everything else.
#[derive(Debug)]
pub(super) struct Segment {
    map: Map,
    file: File,
    path: PathBuf,
    /// Number of its first record.
    pub(super) first: u64,
    /// Records that fit.
    pub(super) capacity: u64,
}

impl Segment {
    /// Makes the file: blocks reserved, header written, on the disk where `durable`, then named,
    /// and its pages present. Only the keeper's thread comes here.
    pub(super) fn make(directory: &Path, header: &Header, durable: bool) -> Result<Segment, Error> {
        let path = directory.join(file_name(header.stream, header.segment));
        let unnamed = path.with_extension("zj.new");
        let mut named = false;
        let made = Segment::fill(&unnamed, header, durable)
            .and_then(|file| {
                fail::point("make: before the name");
                fs::rename(&unnamed, &path)?;
                named = true;
                fail::point("make: before the directory is on the disk");
                if durable {
                    File::open(directory)?.sync_all()?;
                }
                let map = Map::new(&file)?;
                map.populate(0, header.bytes as usize)?;
                Ok((file, map))
            })
            .map_err(|e| refused(&path, header.bytes, e));
        if made.is_err() {
            // Its blocks are of use to whoever else needs the disk; and where it has its name, a
            // reader would take it for a segment that follows, though nobody opened it.
            let _ = fs::remove_file(if named { &path } else { &unnamed });
        }
        let (file, map) = made?;
        let capacity = Header::capacity(header.bytes);
        Ok(Segment { map, file, path, first: header.first, capacity })
    }

    fn fill(path: &Path, header: &Header, durable: bool) -> io::Result<File> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        map::reserve(&file, header.bytes)?;
        fail::point("make: before the header");
        file.write_all_at(&header.page(), 0)?;
        fail::point("make: after the header");
        if durable {
            file.sync_all()?;
        }
        Ok(file)
    }

    /// The word where its first record begins and the one after its last.
    pub(super) fn bounds(&self) -> (usize, usize) {
        let first = RECORDS_AT / 8;
        (first, first + self.capacity as usize * RECORD_WORDS)
    }

    /// Writes the opening: the chain of all segments before.
    pub(super) fn open(&self, chain: u32) {
        let words = self.map.words();
        words[OPENING_AT + 1].store(self.first, Relaxed);
        words[OPENING_AT].store(format::head(OPENING, chain), Release);
    }

    /// The ten words of the record at word `at`.
    #[inline(always)]
    pub(super) fn slot(&self, at: usize) -> Option<&[AtomicU64; RECORD_WORDS]> {
        self.map.words().get(at..at + RECORD_WORDS)?.try_into().ok()
    }

    /// Record `index`, which is whole.
    pub(super) fn record(&self, index: u64) -> Option<[u64; RECORD_WORDS]> {
        let is_here = index < self.capacity;
        let at = RECORDS_AT / 8 + index as usize * RECORD_WORDS;
        let slot = self.slot(at).filter(|_| is_here)?;
        Some(core::array::from_fn(|word| slot[word].load(Relaxed)))
    }

    /// Bytes from the start of the file that `records` of it occupy.
    pub(super) fn used(records: u64) -> usize {
        RECORDS_AT + records as usize * RECORD
    }

    /// Makes pages writable without a fault; a failure is no more than a slower store later.
    pub(super) fn touch(&self, from: usize, to: usize) {
        let _ = self.map.populate(from / PAGE * PAGE, to);
    }

    /// Waits until these bytes are on the disk.
    pub(super) fn sync(&self, from: usize, to: usize) -> Result<(), Error> {
        self.map.sync(from, to).map_err(Error::system("bring records to the disk", &self.path))?;
        #[cfg(test)]
        super::powercut::on_sync(&self.path, from..to);
        Ok(())
    }

    /// Writes the seal, on the disk where `durable`. The writer is past this segment.
    pub(super) fn seal(&self, records: u64, durable: bool) -> Result<(), Error> {
        let words = self.map.words();
        let at = match records.checked_sub(1) {
            Some(last) => RECORDS_AT / 8 + last as usize * RECORD_WORDS,
            None => OPENING_AT,
        };
        let chain = (words[at].load(Relaxed) >> 32) as u32;
        let [head, count, last] = format::seal(chain, records, self.first + records - 1);
        fail::point("seal: before it");
        words[SEAL_AT + 1].store(count, Relaxed);
        words[SEAL_AT + 2].store(last, Relaxed);
        fail::point("seal: before its commit word");
        words[SEAL_AT].store(head, Release);
        if durable { self.sync(0, PAGE) } else { Ok(()) }
    }

    /// Bytes that the disk has for further segments.
    pub(super) fn free(&self) -> Result<u64, Error> {
        map::free(&self.file).map_err(Error::system("ask for the room on the disk", &self.path))
    }

    /// Gives back the blocks that no record uses. Nobody writes into the segment any more.
    pub(super) fn shorten(&self, records: u64) -> Result<(), Error> {
        fail::point("finish: before the last segment is shortened");
        let bytes = Segment::used(records).next_multiple_of(PAGE) as u64;
        self.file.set_len(bytes).map_err(Error::system("shorten the last segment", &self.path))
    }

    /// Removes the file of a segment that was never opened.
    pub(super) fn discard(&self) -> Result<(), Error> {
        fs::remove_file(&self.path).map_err(Error::system("remove a spare segment", &self.path))
    }
}

fn refused(path: &Path, bytes: u64, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::DiskFull { path: path.to_path_buf(), bytes }
        }
        _ => Error::system("make a segment", path)(error),
    }
}
