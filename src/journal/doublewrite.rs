//! Records that an order waits for in; the same records in a file that no writer stores into, on
//! the disk, out; and, for the reader, the records that a power cut took from their segments.
//!
//! A page that is on its way to the disk is protected, and its neighbours with it: whoever stores
//! into one waits with the disk. So the stride that is being filled ([`Settings::stride`]) is never
//! brought there where it lies. What is needed of it is copied into the file `doublewrite.zj`, and
//! that file is brought to the disk.
//!
//! ```text
//! doublewrite.zj: blocks of 4096 bytes, nothing before them
//!    0  [51 × 80]  records of one stream, byte for byte as in their segment, numbers ascending;
//!                  zeros behind the last one
//! 4080  [16]       zeros
//! ```
//!
//! The file has an eighth of an input segment, all of it written at the start: what is written over
//! later changes no metadata, and needs no commit of the file system. What is written goes into
//! free blocks only, so one that is cut in two takes nothing else with it; a block is free again
//! when its records are on the disk where they belong. A stride that is being filled keeps at most
//! a block for each of its records, and there are more blocks than both streams' strides have, so
//! nothing is ever held up for good.
//!
//! A block does not say whose it is, for records prove themselves: one is taken in place of a
//! missing one only if its number and its chain continue what was read before it. So what an
//! earlier session, another stream or an earlier use of a block has left is never taken, nor is
//! what is torn. It is asked only where a segment has nothing or something unfinished and no seal;
//! damage stays damage. Recovery puts what it takes back into the segments before anything else is
//! changed. A session begins with a fresh file and removes it when it ends in order. A program that
//! does not know the file reads a hole there, so it is no new version of the format.

use super::{
    Error, Settings, Sync, fail,
    format::{self, EVENT, PAGE, RECORD, RECORD_WORDS},
    map,
    writer::Shared,
};
use alloc::{collections::VecDeque, sync::Arc, vec, vec::Vec};
use core::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    thread,
};

/// The file's name.
const NAME: &str = "doublewrite.zj";
/// Records of a block.
const BLOCK_RECORDS: u64 = (PAGE / RECORD) as u64;
/// Blocks that are written at once.
const BATCH: usize = 64;
/// The fewest blocks of a file.
const BLOCKS_MIN: u64 = 128;
const _: () = assert!(BLOCKS_MIN > 2 * (BLOCK_RECORDS + 2));
/// How long it rests before it looks again whether an order waits.
const HASTE: Duration = Duration::from_micros(100);

/// A block in use.
#[derive(Clone, Copy, Debug)]
struct Used {
    /// Which one.
    block: u64,
    /// Place of its stream.
    place: usize,
    /// Number of its last record.
    last: u64,
}

/// The file, and what of both streams is in it.
#[derive(Debug)]
pub(super) struct Doublewrite {
    directory: PathBuf,
    path: PathBuf,
    file: File,
    streams: [Arc<Shared>; 2],
    /// Blocks that may be written, the one that has been free for longest first.
    free: VecDeque<u64>,
    /// Blocks whose records are not all where they belong.
    used: Vec<Used>,
    /// Numbers of the last records copied.
    copied: [u64; 2],
    /// Outputs that are on the disk with all inputs before them.
    served: u64,
    /// Last numbers written, and settled, at the last look at what rests; none before the first.
    before: [[u64; 2]; 2],
    /// What is about to be written, block by block; they are the last ones in `used`.
    batch: Vec<u8>,
}

impl Doublewrite {
    /// Makes the file of a session that syncs; removes what an earlier one has left. `streams` are
    /// inputs, outputs.
    pub(super) fn new(
        directory: &Path,
        settings: &Settings,
        streams: [Arc<Shared>; 2],
    ) -> Result<Option<Doublewrite>, Error> {
        let path = directory.join(NAME);
        if settings.sync == Sync::None {
            return remove(directory).map(|()| None);
        }
        let blocks = (settings.segment_bytes / 8 / PAGE) as u64;
        let blocks = blocks.max(BLOCKS_MIN);
        assert!(blocks > 2 * (settings.stride() / RECORD + 2) as u64);
        let file = make(directory, &path, blocks).map_err(|e| match e.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Error::DiskFull { path: path.clone(), bytes: blocks * PAGE as u64 }
            }
            _ => Error::system("make the doublewrite file", &path)(e),
        })?;
        let copied = [0, 1].map(|at: usize| streams[at].written.load(Ordering::Acquire));
        Ok(Some(Doublewrite {
            directory: directory.into(),
            path,
            file,
            streams,
            free: (0..blocks).collect(),
            used: Vec::with_capacity(blocks as usize),
            copied,
            served: copied[1],
            before: [[u64::MAX; 2]; 2],
            batch: Vec::with_capacity(BATCH * PAGE),
        }))
    }

    /// Where orders wait: copies what they need, and all inputs that have come by now.
    pub(super) fn hasten(&mut self) {
        let wanted = self.streams[1].written.load(Ordering::Acquire);
        if wanted == self.served {
            return;
        }
        // Read later, so the inputs that caused them are among these.
        let inputs = self.streams[0].written.load(Ordering::Acquire);
        self.attempt([true, true]);
        let durable = self.marks(|shared| &shared.durable);
        if durable[0] >= inputs && durable[1] >= wanted {
            self.served = wanted;
        }
    }

    /// Copies the stride being filled of each stream that has not moved, or of which nothing has
    /// been settled, since the last time.
    pub(super) fn rest(&mut self) {
        let now = [self.marks(|shared| &shared.written), self.marks(|shared| &shared.settled)];
        let rests = [0, 1].map(|at| (0..2).any(|mark| now[mark][at] == self.before[mark][at]));
        self.before = now;
        self.attempt(rests);
    }

    fn marks(&self, mark: fn(&Shared) -> &AtomicU64) -> [u64; 2] {
        [0, 1].map(|at: usize| mark(&self.streams[at]).load(Ordering::Acquire))
    }

    fn attempt(&mut self, wanted: [bool; 2]) {
        if self.streams.iter().all(|shared| shared.error.get().is_none())
            && let Err(error) = self.copy(wanted)
        {
            self.fail(&error);
        }
    }

    fn fail(&self, error: &Error) {
        self.streams.iter().for_each(|shared| shared.fail(error.clone()));
    }

    /// Copies what is not on the disk of the wanted streams, as far as there is room, and waits.
    fn copy(&mut self, wanted: [bool; 2]) -> Result<(), Error> {
        // Outputs first: the inputs that caused them are older than they are.
        let outputs = self.streams[1].written.load(Ordering::Acquire);
        let up_to = [self.streams[0].written.load(Ordering::Acquire), outputs];
        self.recycle();
        self.batch.clear();
        for place in 0..2 {
            let durable = self.streams[place].durable.load(Ordering::Acquire);
            self.copied[place] = self.copied[place].max(durable);
            // An output does not go before its cause.
            let behind = place == 1 && wanted[0] && self.copied[0] < up_to[0];
            if wanted[place] && !behind {
                self.gather(place, up_to[place]);
            }
        }
        if self.batch.is_empty() {
            return Ok(());
        }
        fail::point("doublewrite: before it is written");
        self.write().map_err(Error::system("bring records to the disk", &self.path))?;
        fail::point("doublewrite: after it is written");
        for (shared, copied) in self.streams.iter().zip(self.copied) {
            shared.call_durable(copied);
        }
        Ok(())
    }

    /// Gives back the blocks whose records are on the disk where they belong.
    fn recycle(&mut self) {
        let settled = self.marks(|shared| &shared.settled);
        let done = self.used.extract_if(.., |used| used.last <= settled[used.place]);
        self.free.extend(done.map(|used| used.block));
    }

    /// Fills blocks with records of a stream up to a number.
    fn gather(&mut self, place: usize, up_to: u64) {
        while self.copied[place] < up_to && self.batch.len() < BATCH * PAGE {
            let end = self.batch.len() + PAGE;
            let Some(block) = self.free.front().copied() else { return };
            let last = up_to.min(self.copied[place] + BLOCK_RECORDS);
            for number in self.copied[place] + 1..=last {
                let Some(record) = self.streams[place].record(number) else { break };
                self.batch.extend_from_slice(bytemuck::bytes_of(&record));
                self.copied[place] = number;
            }
            if self.batch.len() + PAGE == end {
                return;
            }
            self.batch.resize(end, 0);
            self.free.pop_front();
            self.used.push(Used { block, place, last: self.copied[place] });
        }
    }

    /// The batch into its blocks, and these to the disk.
    fn write(&mut self) -> io::Result<()> {
        let count = self.batch.len() / PAGE;
        let blocks = &self.used[self.used.len() - count..];
        for (bytes, used) in self.batch.chunks_exact(PAGE).zip(blocks) {
            self.file.write_all_at(bytes, used.block * PAGE as u64)?;
        }
        self.file.sync_data()?;
        #[cfg(test)]
        for at in blocks.iter().map(|used| used.block as usize * PAGE) {
            super::powercut::on_sync(&self.path, at..at + PAGE);
        }
        Ok(())
    }
}

impl Drop for Doublewrite {
    /// However its thread ends, an order that waits must not wait for it for ever.
    fn drop(&mut self) {
        if self.streams.iter().any(|shared| !shared.closed.load(Ordering::Acquire)) {
            self.fail(&Error::KeeperStopped(self.directory.clone()));
        }
    }
}

/// The thread of the file: brings to the disk what orders wait for, and what rests, until `stop`.
pub(super) fn run(mut doublewrite: Doublewrite, settings: &Settings, stop: &AtomicBool) {
    let interval = Duration::from_nanos(settings.sync_interval.nanos());
    let strict = settings.sync == Sync::Strict;
    let pause = if strict { HASTE } else { interval };
    let looks = (interval.as_nanos() / pause.as_nanos()).max(1) as u64;
    for look in 0u64.. {
        if stop.load(Ordering::Acquire) {
            return;
        }
        if strict {
            doublewrite.hasten();
        }
        if look.is_multiple_of(looks) {
            doublewrite.rest();
        }
        thread::park_timeout(pause);
    }
}

/// Makes the file, on the disk with all its blocks, and names it.
fn make(directory: &Path, path: &Path, blocks: u64) -> io::Result<File> {
    let unnamed = path.with_extension("zj.new");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&unnamed);
    let made = file.and_then(|file| {
        map::reserve(&file, blocks * PAGE as u64)?;
        let zeros = vec![0; BATCH * PAGE];
        for at in (0..blocks).step_by(BATCH) {
            let count = (blocks - at).min(BATCH as u64) as usize;
            file.write_all_at(&zeros[..count * PAGE], at * PAGE as u64)?;
        }
        file.sync_all()?;
        fail::point("doublewrite: before the name");
        fs::rename(&unnamed, path)?;
        File::open(directory)?.sync_all()?;
        Ok(file)
    });
    if made.is_err() {
        let _ = fs::remove_file(&unnamed);
    }
    made
}

/// Removes the file of a session that has ended in order. Should a power cut bring it back, nothing
/// of it fits any more.
pub(super) fn remove(directory: &Path) -> Result<(), Error> {
    let path = directory.join(NAME);
    match fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(Error::system("remove the doublewrite file", &path)(e))
        }
        _ => Ok(()),
    }
}

/// What the file of a directory holds, to be asked by number.
#[derive(Debug, Default)]
pub(super) struct Copies {
    bytes: Vec<u8>,
    /// Numbers and where their records begin, ascending.
    places: Vec<(u64, usize)>,
}

impl Copies {
    /// Reads it; nothing where there is none.
    pub(super) fn read(directory: &Path) -> Copies {
        let bytes = fs::read(directory.join(NAME)).unwrap_or_default();
        let of_block = (0..BLOCK_RECORDS as usize).map(|record| record * RECORD);
        let starts = (0..bytes.len() / PAGE)
            .flat_map(|block| of_block.clone().map(move |at| block * PAGE + at));
        let mut places: Vec<(u64, usize)> = starts
            .filter_map(|at| {
                let [head, number, ..] = words(&bytes, at)?;
                (head as u32 == EVENT).then_some((number, at))
            })
            .collect();
        places.sort_unstable();
        Copies { bytes, places }
    }

    /// The record of this number that continues `before`, in a session with this seed.
    pub(super) fn find(&self, number: u64, seed: u32, before: u32) -> Option<[u64; RECORD_WORDS]> {
        let from = self.places.partition_point(|(other, _)| *other < number);
        let same = self.places[from..].iter().take_while(|(other, _)| *other == number);
        same.filter_map(|(_, at)| words(&self.bytes, *at)).find(|record| {
            let [head, number, event @ ..] = record;
            *head == format::head(EVENT, format::chain(seed, before, *number, event))
        })
    }
}

fn words(bytes: &[u8], at: usize) -> Option<[u64; RECORD_WORDS]> {
    let record = bytes.get(at..at + RECORD)?;
    bytemuck::try_pod_read_unaligned(record).ok()
}

#[cfg(test)]
mod tests {
    use super::{super::Stream, *};

    /// The records of a stream of a session from number 1 on, with the chain behind each.
    fn stream(epoch: u128, stream: Stream) -> (u32, Vec<[u64; RECORD_WORDS]>) {
        let seed = format::seed(epoch, stream);
        let mut before = seed;
        let record = |number: u64| {
            let event = [number; 8];
            before = format::chain(seed, before, number, &event);
            let [a, b, c, d, e, f, g, h] = event;
            [format::head(EVENT, before), number, a, b, c, d, e, f, g, h]
        };
        (seed, (1..=200).map(record).collect())
    }

    #[test]
    fn a_copy_is_found_only_where_number_session_stream_and_all_before_it_fit() {
        let ours = stream(1, Stream::Inputs);
        let others = [stream(1, Stream::Outputs), stream(2, Stream::Inputs)];
        let mut bytes = Vec::new();
        for (_, records) in [&others[0], &ours, &others[1]] {
            for block in records[50..150].chunks(BLOCK_RECORDS as usize) {
                block.iter().for_each(|record| bytes.extend_from_slice(bytemuck::bytes_of(record)));
                bytes.resize(bytes.len().next_multiple_of(PAGE), 0);
            }
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NAME), &bytes).unwrap();
        let copies = Copies::read(folder.path());
        for (seed, records) in [&ours, &others[0], &others[1]] {
            for at in 1..200 {
                let before = (records[at - 1][0] >> 32) as u32;
                let wanted = (50..150).contains(&at).then_some(records[at]);
                assert_eq!(copies.find(at as u64 + 1, *seed, before), wanted);
                assert_eq!(copies.find(at as u64 + 1, *seed, before ^ 1), None);
            }
        }
    }
}
