//! Datagrams in, events out: numbered packets of whole DBN records, as a multicast feed has them.
//!
//! ```text
//! 0  4  magic "ZDG1"
//! 4  2  records in the datagram, u16 (for the reader of a capture; the framing decides)
//! 6  1  version of DBN, 1 to 3
//! 7  1  bit 0: a ts_out of 8 bytes follows each record
//! 8  8  number of the datagram, u64, one higher each time
//! 16 …  records, whole
//! ```
//! All little-endian. A datagram that is missing is announced as a GAP at once, and counted; one
//! that comes after its gap was announced is dropped, because what is newer has been applied; one
//! that was there before is dropped. Both are counted. A sender started anew where a number is far
//! below the expected one, or where [`RESTART_RUN`] old numbers come in a row, one after the other.

use super::{
    Registry,
    dbn::{Prints, Stream, VERSIONS, Verdict, gap},
    faults::Code,
    layout::u64_at,
};
use crate::wire::{Event, control::Gap};

/// Bytes before the records.
pub const HEADER: usize = 16;

/// First bytes of every datagram.
pub const MAGIC: &[u8; 4] = b"ZDG1";

/// Datagrams back from the newest within which a low number means late or repeated, not a restart.
pub const WINDOW: u64 = 1_024;

/// Old numbers in a row, each one higher than the one before, that mean a restart.
pub const RESTART_RUN: u32 = 16;

const WORDS: usize = (WINDOW / 64) as usize;

/// Decodes the datagrams of one session.
#[derive(Debug)]
pub struct Packets {
    next: Option<u64>,
    /// One bit for each of the last [`WINDOW`] numbers: whether it came.
    seen: [u64; WORDS],
    /// The old number that came last, and how many in a row.
    run: (u64, u32),
    offset: u64,
    /// The records, with their counters.
    pub stream: Stream,
}

impl Packets {
    /// Decodes datagrams of session `place` of the registry.
    pub fn new(place: u16) -> Packets {
        let stream = Stream::new(place, Prints::default());
        Packets { next: None, seen: [0; WORDS], run: (0, 0), offset: 0, stream }
    }

    /// Takes one datagram.
    pub fn decode(
        &mut self,
        datagram: &[u8],
        registry: &mut Registry,
        out: &mut impl FnMut(Event),
    ) {
        let at = self.offset;
        self.offset += datagram.len() as u64;
        let head = datagram.first_chunk::<HEADER>();
        let sound = head.filter(|h| h.starts_with(MAGIC) && VERSIONS.contains(&h[6]) && h[7] <= 1);
        let Some(head) = sound else {
            return self.stream.fault(Code::DATAGRAM, at, datagram.len() as u64, out);
        };
        if !self.admit(u64_at(head, 8), out) {
            return;
        }
        self.stream.restart_in_records(head[7] & 1 == 1);
        let records = &datagram[HEADER..];
        let taken = self.stream.decode(records, registry, out);
        if taken < records.len() || self.stream.verdict() != Verdict::Streaming {
            self.stream.fault(Code::DATAGRAM, at, datagram.len() as u64, out);
        }
    }

    /// Whether the datagram with this number is the next in line; announces what is missing.
    fn admit(&mut self, number: u64, out: &mut impl FnMut(Event)) -> bool {
        let next = self.next.unwrap_or(number);
        if number < next && next - number <= WINDOW && !self.ran(number) {
            let twice = self.is_marked(number);
            self.stream.counts.duplicates += u64::from(twice);
            self.stream.counts.late += u64::from(!twice);
            self.mark(number, true);
            return false;
        }
        let lost = number.saturating_sub(next);
        if lost > 0 {
            self.lose(Gap::DATAGRAM, lost, out);
            (0..lost.min(WINDOW)).for_each(|i| self.mark(number - 1 - i, false));
        } else if number < next {
            self.lose(Gap::SEQUENCE, 0, out);
            self.seen = [0; WORDS];
        }
        self.mark(number, true);
        self.run = (0, 0);
        self.next = Some(number.saturating_add(1));
        true
    }

    /// Whether this old number is the last of a run that a restarted sender alone makes.
    fn ran(&mut self, number: u64) -> bool {
        let (last, run) = self.run;
        self.run = (number, if number == last.wrapping_add(1) { run + 1 } else { 1 });
        self.run.1 >= RESTART_RUN
    }

    fn lose(&mut self, cause: u32, lost: u64, out: &mut impl FnMut(Event)) {
        self.stream.counts.gaps += 1;
        self.stream.counts.lost += lost;
        out(gap(cause, lost));
    }

    fn is_marked(&self, number: u64) -> bool {
        self.seen[(number / 64) as usize % WORDS] >> (number % 64) & 1 == 1
    }

    fn mark(&mut self, number: u64, came: bool) {
        let word = &mut self.seen[(number / 64) as usize % WORDS];
        let bit = 1 << (number % 64);
        *word = if came { *word | bit } else { *word & !bit };
    }
}
