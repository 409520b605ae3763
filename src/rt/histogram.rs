//! Durations in, percentiles out: counts in a mapped file, read live by any program.
//!
//! ```
//! let mut file = zomma::rt::histogram::Histograms::in_memory().unwrap();
//! let decode = file.histogram("feed", "decode", "ns", "From the read to the event.").unwrap();
//! for nanos in 1..=100 {
//!     decode.record(nanos);
//! }
//! let seen = file.read();
//! assert_eq!((seen[0].counts.len(), seen[0].counts.value_at_quantile(0.5)), (100, 50));
//! assert_eq!(seen[0].max, 100);
//! ```
//!
//! The buckets are those of HdrHistogram for 1 to [`HIGHEST`] at two significant digits, so a
//! snapshot becomes a `hdrhistogram::Histogram` bucket by bucket and exactly. Two digits keep the
//! counts at 30 KiB, of which a thread touches the few lines that its durations fall in: three
//! digits would be 200 KiB, a tenth of the fast memory of a core.

use super::table::{Label, Row, Table};
use alloc::vec::Vec;
use core::{cell::Cell, marker::PhantomData, sync::atomic::Ordering};
use std::{io, path::Path};

/// How a file of histograms begins.
pub const MAGIC: [u8; 8] = *b"ZMHISTO1";

/// The longest duration with a bucket of its own, ns: 68.7 s. Longer ones fall in the last bucket.
pub const HIGHEST: u64 = (1 << 36) - 1;

/// Significant decimal digits of a bucket.
pub const DIGITS: u8 = 2;

/// Values of one power of two fall in so many buckets; twice that holds 10^DIGITS, twice.
const HALF: usize = 128;
const HALF_BITS: u32 = HALF.trailing_zeros();
/// Powers of two from 256 to `HIGHEST`, and the linear range below counts for two.
const BUCKETS: usize = (36 - 8 + 2) * HALF;
/// Words of a row: the longest, how many were above `HIGHEST`, six to spare, the counts.
const MAX: usize = 0;
const ABOVE: usize = 1;
const COUNTS: usize = 8;
const ROW_WORDS: usize = COUNTS + BUCKETS;
/// A file takes 2 MiB.
const ROOM: usize = 64;

/// Where a value is counted.
#[inline(always)]
fn bucket(value: u64) -> usize {
    let power = (63 - HALF_BITS) - (value | (2 * HALF as u64 - 1)).leading_zeros();
    ((power as usize) << HALF_BITS) + (value >> power) as usize
}

/// The lowest value that is counted there.
fn lowest(bucket: usize) -> u64 {
    let power = (bucket >> HALF_BITS).saturating_sub(1);
    ((bucket - (power << HALF_BITS)) as u64) << power
}

/// A recorder. Its thread writes it; anybody reads it. `Send`, not `Sync`, as a counter.
#[derive(Debug)]
pub struct Histogram {
    row: Row,
    one_writer: PhantomData<Cell<u64>>,
}

impl Histogram {
    /// Counts one duration, in ns. Never allocates, resizes or fails.
    #[inline(always)]
    pub fn record(&self, nanos: u64) {
        self.add(COUNTS + bucket(nanos.min(HIGHEST)));
        if nanos > self.row.word(MAX).load(Ordering::Relaxed) {
            self.record_longest(nanos);
        }
    }

    #[cold]
    fn record_longest(&self, nanos: u64) {
        self.row.word(MAX).store(nanos, Ordering::Relaxed);
        if nanos > HIGHEST {
            self.add(ABOVE);
        }
    }

    #[inline(always)]
    fn add(&self, word: usize) {
        let word = self.row.word(word);
        word.store(word.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// A histogram as read.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What it is.
    pub label: Label,
    /// The counts, each value at the low end of its bucket.
    pub counts: hdrhistogram::Histogram<u64>,
    /// The longest, exactly.
    pub max: u64,
    /// Whether a duration was longer than [`HIGHEST`]; it is counted there.
    pub above: bool,
}

/// The file of histograms.
#[derive(Debug)]
pub struct Histograms {
    table: Table,
}

impl Histograms {
    /// A new file, in place of what was there.
    pub fn create(path: &Path) -> io::Result<Histograms> {
        Ok(Histograms { table: Table::create(path, MAGIC, ROOM, ROW_WORDS)? })
    }

    /// Without a file.
    pub fn in_memory() -> io::Result<Histograms> {
        Ok(Histograms { table: Table::in_memory(MAGIC, ROOM, ROW_WORDS)? })
    }

    /// The file of a running or an ended engine, to be read.
    pub fn open(path: &Path) -> io::Result<Histograms> {
        let table = Table::open(path, MAGIC)?;
        match table.rows().first() {
            Some((_, row)) if row.words() != ROW_WORDS => {
                Err(io::Error::other("histograms of another range or precision"))
            }
            _ => Ok(Histograms { table }),
        }
    }

    /// Declares a histogram, written by one thread.
    pub fn histogram(
        &mut self,
        group: &str,
        name: &str,
        unit: &str,
        about: &str,
    ) -> io::Result<Histogram> {
        let [group, name, unit, about] = [group, name, unit, about].map(Into::into);
        let row = self.table.declare(&Label { group, name, unit, about })?;
        Ok(Histogram { row, one_writer: PhantomData })
    }

    /// All histograms as they are now. While they are written, a snapshot may miss the latest.
    pub fn read(&self) -> Vec<Snapshot> {
        self.table.rows().into_iter().filter_map(snapshot).collect()
    }
}

fn snapshot((label, row): (Label, Row)) -> Option<Snapshot> {
    let word = |i| row.word(i).load(Ordering::Relaxed);
    let mut counts = hdrhistogram::Histogram::new_with_bounds(1, HIGHEST, DIGITS).ok()?;
    for i in 0..BUCKETS {
        let count = word(COUNTS + i);
        if count > 0 {
            counts.record_n(lowest(i), count).ok()?;
        }
    }
    Some(Snapshot { label, counts, max: word(MAX), above: word(ABOVE) > 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The oracle is the crate itself: same values, same buckets, so the same percentiles.
    #[test]
    fn it_counts_as_hdrhistogram_does() {
        let mut file = Histograms::in_memory().unwrap();
        let ours = file.histogram("t", "t", "ns", "").unwrap();
        let mut theirs = hdrhistogram::Histogram::new_with_bounds(1, HIGHEST, DIGITS).unwrap();
        let mut value = 1u64;
        for i in 0..200_000 {
            value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(i);
            let nanos = (value >> 28) >> (i % 36);
            ours.record(nanos);
            theirs.record(nanos).unwrap();
        }
        let seen = &file.read()[0];
        assert_eq!(seen.counts.distinct_values(), theirs.distinct_values());
        for i in 0..BUCKETS {
            assert_eq!(bucket(lowest(i)), i);
            assert_eq!(seen.counts.count_at(lowest(i)), theirs.count_at(lowest(i)), "{i}");
        }
        for quantile in [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0] {
            let [a, b] = [&seen.counts, &theirs].map(|h| h.value_at_quantile(quantile));
            assert_eq!(a, b, "at {quantile}");
        }
    }

    #[test]
    fn what_is_too_long_is_counted_and_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("histograms");
        let mut file = Histograms::create(&path).unwrap();
        let histogram = file.histogram("t", "t", "ns", "").unwrap();
        let watch = Histograms::open(&path).unwrap();
        histogram.record(0);
        assert!(!watch.read()[0].above);
        histogram.record(u64::MAX);
        let seen = &watch.read()[0];
        assert_eq!((seen.counts.len(), seen.max, seen.above), (2, u64::MAX, true));
    }
}
