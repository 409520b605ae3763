//! Every byte of a segment: what a writer stores and a reader believes.
//!
//! A stream (inputs or outputs) is a row of segment files, `in-000001.zj`, `in-000002.zj`, …: one
//! header page, then records of one size, back to back. Everything is little-endian. Record `i` of
//! a segment (from 0) lies at `4096 + 80 * i`, so a file is an array to any tool:
//! `numpy.memmap(path, dtype, offset=4096)`.
//!
//! ```text
//! record, 80 bytes
//!    0  u32  commit word: 1 << 16 | 80 (an event of 80 bytes); zero until the record is whole
//!    4  u32  chain: CRC-32C that holds for all records up to this one
//!    8  u64  record number, dense from 1 over all segments of a stream
//!   16  [64] the event: see `wire::Event`
//!
//! header page, 4096 bytes
//!    0  [8]  magic "zommaJNL"            72  u64  wall clock at the start of the run, ns UTC
//!    8  u32  format version              80  [32] schema hash of the events
//!   12  u32  0x01020304: byte order     112  [32] hash of the program
//!   16  u32  bytes of this page         144  [32] hash of the configuration
//!   20  u32  bytes of a record          176  [16] processor target, padded with zeros
//!   24  u32  stream: 1 in, 2 out        192  u32  number of the session, from 1
//!   28  u32  segment number, from 1     196       zeros
//!   32  u128 epoch of the session      2040  u32  CRC-32C of bytes 0 to 2039
//!   48  u64  number of record 0        2044       zero
//!                                      2048       opening, 16 bytes: written when it is entered
//!   56  u64  records that fit             0  u32  2 << 16 | 16
//!   64  u64  bytes of the file            4  u32  chain so far
//!                                         8  u64  number of record 0
//!                                      2064       zeros
//!                                      3072       seal, 24 bytes: written after the last record
//!                                         0  u32  3 << 16 | 24
//!                                         4  u32  chain so far
//!                                         8  u64  records in this segment
//!                                        16  u64  number of its last record, 0 for none
//!                                      3096       zeros
//! ```
//!
//! Commit word and chain share one aligned word, stored last, with Release: a process that dies
//! leaves each record whole or not committed. The chain of a record is one CRC step over the CRC of
//! its own content and the chain before it. The CRC of the content starts from a seed made of epoch
//! and stream. So a record of another session, another stream or another place never fits, two
//! neighbours prove each other even after a hole, and the long part of the sum does not wait for
//! the record before: only the last step does, which is what keeps an append at a few nanoseconds.
//!
//! 80 bytes and not 72: the place in the file implies the number, but a stored one says where a
//! misdirected or shifted page came from.
//!
//! # Sessions
//!
//! A session is one start of the engine on the directory; the manifest lists them. Numbers and the
//! chain go on over sessions. A session begins a segment of its own, with an epoch of its own; the
//! segment's opening carries the chain of the last record that was kept, and the one before it has
//! been sealed and shortened. So the whole row proves itself from the first record of the first
//! session. The very first chain is the first session's seed.
//!
//! # The index
//!
//! There is no index file, so none can be stale. Records have one size, so the place of a number
//! within a segment is arithmetic; first numbers grow over the segments, so the segment is found by
//! binary search over their headers. Receive times never fall along the inputs, nor do the causes
//! (`Event::seq`) along the outputs, so a time is found by binary search over records. A reader
//! that starts in the middle takes the chain from the record before, or from the opening.
//!
//! # Copies
//!
//! Beside the segments of a session that syncs and has not ended lies `doublewrite.zj`: copies of
//! records whose page was still being stored into when they had to be on the disk. Its bytes are in
//! `doublewrite`; a reader takes a copy where a segment without a seal lacks the record and the
//! copy continues the chain, and nowhere else.
//!
//! # Versions
//!
//! The version stands in every header page and in the manifest, and all files of a directory have
//! the same. It stays while every byte keeps its meaning: new kinds of event (the schema hash tells
//! them) and new files beside the segments need no new version. Anything else does: a field, even
//! in bytes that were zero, a size, the order of stores, the sum. A new version adds its layout
//! here, moves what differed to a file of its own (`v1` for version 1), and a fixture in
//! `tests/fixtures` that the last program of the old version wrote. Every version that was ever
//! released is read; only the newest is written, and a directory of an older one is never appended
//! to: its sessions end, and the next start takes a new directory.

use super::{crc, v1};
use crate::wire::{Event, Timestamp};
use alloc::vec::Vec;

/// Version of this format.
pub const VERSION: u32 = 2;
/// Bytes of the header page, and of a page in general.
pub(super) const PAGE: usize = 4096;
/// Bytes of a record.
pub const RECORD: usize = 80;
/// Words of a record.
pub(super) const RECORD_WORDS: usize = RECORD / 8;
/// Where the records begin, in bytes from the start of a segment.
pub const RECORDS_AT: usize = PAGE;

pub(super) const EVENT: u32 = 1 << 16 | RECORD as u32;
pub(super) const OPENING: u32 = 2 << 16 | 16;
pub(super) const SEAL: u32 = 3 << 16 | 24;

const MAGIC: &[u8; 8] = b"zommaJNL";
const BYTE_ORDER: u32 = 0x0102_0304;
const CHECKED: usize = 2040;
/// Where the opening and the seal begin and end, in words.
pub(super) const OPENING_AT: usize = 2048 / 8;
pub(super) const OPENING_END: usize = OPENING_AT + 2;
pub(super) const SEAL_AT: usize = 3072 / 8;
pub(super) const SEAL_END: usize = SEAL_AT + 3;

const _: () = assert!(size_of::<Event>() + 16 == RECORD && RECORD.is_multiple_of(8));
const _: () = assert!(CHECKED + 8 == OPENING_AT * 8 && SEAL_END * 8 <= PAGE);

/// One of the two streams of a journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stream {
    /// What came in, before it was passed on.
    Inputs = 1,
    /// What was decided, before it was acted on.
    Outputs = 2,
}

impl Stream {
    /// What its files' names begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Stream::Inputs => "in",
            Stream::Outputs => "out",
        }
    }

    /// Where it stands in a pair: inputs, outputs.
    pub(super) fn place(self) -> usize {
        self as usize - 1
    }
}

/// What the header page says; see the layout above.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// Version of its format.
    pub format: u32,
    /// Which stream.
    pub stream: Stream,
    /// Its place in the row, from 1.
    pub segment: u32,
    /// Number of the session that wrote it, from 1.
    pub session: u32,
    /// That session's epoch.
    pub epoch: u128,
    /// Number of its first record.
    pub first: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Wall clock at the start of the run, ns UTC.
    pub wall: Timestamp,
    /// Hash of the events' schema.
    pub schema: [u8; 32],
    /// Hash of the program.
    pub program: [u8; 32],
    /// Hash of the configuration.
    pub config: [u8; 32],
    /// Processor target, padded with zeros.
    pub cpu: [u8; 16],
}

impl Header {
    /// Records that fit into a file of `bytes`.
    pub fn capacity(bytes: u64) -> u64 {
        bytes.saturating_sub(RECORDS_AT as u64) / RECORD as u64
    }

    /// What the chain of the session begins with, and the CRC of each record's content.
    pub fn seed(&self) -> u32 {
        seed(self.epoch, self.stream)
    }

    /// The header page as it is before its first record.
    pub fn page(&self) -> Vec<u8> {
        let mut page = Vec::with_capacity(PAGE);
        page.extend_from_slice(MAGIC);
        let stream = self.stream as u32;
        for number in [self.format, BYTE_ORDER, PAGE as u32, RECORD as u32, stream, self.segment] {
            page.extend_from_slice(&number.to_le_bytes());
        }
        page.extend_from_slice(&self.epoch.to_le_bytes());
        for number in [self.first, Header::capacity(self.bytes), self.bytes, self.wall] {
            page.extend_from_slice(&number.to_le_bytes());
        }
        for hash in [self.schema, self.program, self.config] {
            page.extend_from_slice(&hash);
        }
        page.extend_from_slice(&self.cpu);
        page.extend_from_slice(&self.session.to_le_bytes());
        page.resize(CHECKED, 0);
        let crc = crc::bytes(u32::MAX, &page);
        page.extend_from_slice(&crc.to_le_bytes());
        page.resize(PAGE, 0);
        page
    }

    /// Reads a header page; an error says what is wrong and at which byte.
    pub fn read(page: &[u8; PAGE]) -> Result<Header, (usize, &'static str)> {
        Header::check(page)?;
        let stream = match number32(page, 24) {
            1 => Stream::Inputs,
            2 => Stream::Outputs,
            _ => return Err((24, "the stream is neither 1 nor 2")),
        };
        let header = Header {
            format: number32(page, 8),
            stream,
            segment: number32(page, 28),
            session: session_of(page),
            epoch: u128::from_le_bytes(array(page, 32)),
            first: number64(page, 48),
            bytes: number64(page, 64),
            wall: number64(page, 72),
            schema: array(page, 80),
            program: array(page, 112),
            config: array(page, 144),
            cpu: array(page, 176),
        };
        let fits = number64(page, 56) == Header::capacity(header.bytes);
        if fits { Ok(header) } else { Err((56, "records and bytes contradict each other")) }
    }

    fn check(page: &[u8; PAGE]) -> Result<(), (usize, &'static str)> {
        let wrong = |at, what| Err((at, what));
        if array::<8>(page, 0) != *MAGIC {
            return wrong(0, "this is no segment of a journal");
        }
        let crc = u64::from(crc::bytes(u32::MAX, &page[..CHECKED]));
        if crc != number64(page, CHECKED) {
            return wrong(CHECKED, "the header page's checksum does not hold");
        }
        if ![v1::VERSION, VERSION].contains(&number32(page, 8)) {
            return wrong(8, "a format version that this program does not know");
        }
        if [number32(page, 12), number32(page, 16)] != [BYTE_ORDER, PAGE as u32] {
            return wrong(12, "another byte order or page size");
        }
        if number32(page, 20) != RECORD as u32 {
            return wrong(20, "another size of record");
        }
        Ok(())
    }
}

/// What the chain of a session begins with.
pub(super) fn seed(epoch: u128, stream: Stream) -> u32 {
    let words = [epoch as u64, (epoch >> 64) as u64, stream as u64];
    words.into_iter().fold(u32::MAX, crc::step).max(1)
}

/// The chain after a record.
#[inline(always)]
pub(super) fn chain(seed: u32, before: u32, number: u64, event: &[u64; 8]) -> u32 {
    let mut content = crc::step(seed, number);
    for &word in event {
        content = crc::step(content, word);
    }
    crc::step(before, u64::from(content) | u64::from(EVENT) << 32)
}

/// The seal of a segment that ends with record `number`, its `records`-th.
pub(super) fn seal(chain: u32, records: u64, number: u64) -> [u64; 3] {
    [head(SEAL, chain), records, if records == 0 { 0 } else { number }]
}

/// Commit word and chain as they are stored: one word.
#[inline(always)]
pub(super) fn head(commit: u32, chain: u32) -> u64 {
    u64::from(commit) | u64::from(chain) << 32
}

fn session_of(page: &[u8; PAGE]) -> u32 {
    match number32(page, 8) {
        v1::VERSION => v1::SESSION,
        _ => number32(page, 192),
    }
}

fn array<const N: usize>(page: &[u8; PAGE], at: usize) -> [u8; N] {
    core::array::from_fn(|i| page[at + i])
}

fn number32(page: &[u8; PAGE], at: usize) -> u32 {
    u32::from_le_bytes(array(page, at))
}

fn number64(page: &[u8; PAGE], at: usize) -> u64 {
    u64::from_le_bytes(array(page, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Header {
        Header {
            format: VERSION,
            stream: Stream::Outputs,
            segment: 7,
            session: 3,
            epoch: 0x1112_1314_1516_1718_191a_1b1c_1d1e_1f20,
            first: 1000,
            bytes: 65_536,
            wall: 5,
            schema: [1; 32],
            program: [2; 32],
            config: [3; 32],
            cpu: *b"x86-64-v3\0\0\0\0\0\0\0",
        }
    }

    /// The layout in this file's documentation, byte by byte.
    #[test]
    fn the_header_lies_where_the_documentation_says() {
        let page = sample().page();
        let at = |from: usize, bytes: &[u8]| assert_eq!(&page[from..from + bytes.len()], bytes);
        assert_eq!(page.len(), 4096);
        at(0, b"zommaJNL");
        at(8, &2u32.to_le_bytes());
        at(12, &[4, 3, 2, 1]);
        at(16, &4096u32.to_le_bytes());
        at(20, &80u32.to_le_bytes());
        at(24, &2u32.to_le_bytes());
        at(28, &7u32.to_le_bytes());
        at(32, &sample().epoch.to_le_bytes());
        at(48, &1000u64.to_le_bytes());
        at(56, &768u64.to_le_bytes());
        at(64, &65_536u64.to_le_bytes());
        at(72, &5u64.to_le_bytes());
        at(80, &[1; 32]);
        at(112, &[2; 32]);
        at(144, &[3; 32]);
        at(176, b"x86-64-v3\0\0\0\0\0\0\0");
        at(192, &3u32.to_le_bytes());
        at(196, &[0; 1844]);
        at(2044, &[0; 2052]);
    }

    #[test]
    fn a_header_reads_back_and_any_changed_byte_of_it_is_refused() {
        let page: [u8; PAGE] = sample().page().try_into().unwrap();
        assert_eq!(Header::read(&page), Ok(sample()));
        for at in 0..CHECKED + 4 {
            let mut damaged = page;
            damaged[at] ^= 0x40;
            assert!(Header::read(&damaged).is_err(), "byte {at}");
        }
    }

    #[test]
    fn the_chain_depends_on_session_stream_place_and_past() {
        let event = [7; 8];
        let of = |epoch, stream, before, number| chain(seed(epoch, stream), before, number, &event);
        let base = of(1, Stream::Inputs, 9, 5);
        assert_ne!(base, of(2, Stream::Inputs, 9, 5));
        assert_ne!(base, of(1, Stream::Outputs, 9, 5));
        assert_ne!(base, of(1, Stream::Inputs, 8, 5));
        assert_ne!(base, of(1, Stream::Inputs, 9, 6));
    }
}
