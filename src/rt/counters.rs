//! Counts in a mapped file: one writer each, read live by any program.
//!
//! ```
//! zomma::counters! {
//!     /// What the reader of a socket counts.
//!     pub struct Reads {
//!         /// Bytes read.
//!         pub bytes: "B";
//!         /// Reads that found nothing.
//!         pub empty: "1";
//!     }
//! }
//! let mut file = zomma::rt::counters::Counters::in_memory().unwrap();
//! let reads = Reads::declare(&mut file, "feed").unwrap();
//! reads.bytes.add(64);
//! reads.bytes.add(36);
//! let seen = file.read();
//! assert_eq!((seen[0].label.group.as_str(), seen[0].label.name.as_str()), ("feed", "bytes"));
//! assert_eq!((seen[0].value, seen[1].value), (100, 0));
//! ```

use super::table::{Label, Row, Table};
use alloc::vec::Vec;
use core::{cell::Cell, marker::PhantomData, sync::atomic::Ordering};
use std::{io, path::Path};

/// How a file of counters begins.
pub const MAGIC: [u8; 8] = *b"ZMCOUNT1";

/// Padding included; a file with this room takes about 512 KiB.
const ROOM: usize = 2_048;

/// Groups begin on a pair of cache lines, which is what neighbours are fetched in.
const GROUP_ROWS: usize = 16;

/// One count. Its thread writes it; anybody reads it. `Send`, not `Sync`: adding is a load and a
/// store, which two threads must not do to the same count.
#[derive(Debug)]
pub struct Counter {
    row: Row,
    one_writer: PhantomData<Cell<u64>>,
}

impl Counter {
    /// Adds.
    #[inline(always)]
    pub fn add(&self, count: u64) {
        self.set(self.get().wrapping_add(count));
    }

    /// Sets, for what is a level and not a count.
    #[inline(always)]
    pub fn set(&self, value: u64) {
        self.row.word(0).store(value, Ordering::Relaxed);
    }

    /// Raises to `value` where it is lower.
    #[inline(always)]
    pub fn raise(&self, value: u64) {
        if value > self.get() {
            self.set(value);
        }
    }

    /// What it shows.
    #[inline(always)]
    pub fn get(&self) -> u64 {
        self.row.word(0).load(Ordering::Relaxed)
    }
}

/// A count as read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What it is.
    pub label: Label,
    /// What it shows.
    pub value: u64,
}

/// The file of counters.
#[derive(Debug)]
pub struct Counters {
    table: Table,
}

impl Counters {
    /// A new file, in place of what was there.
    pub fn create(path: &Path) -> io::Result<Counters> {
        Ok(Counters { table: Table::create(path, MAGIC, ROOM, 1)? })
    }

    /// Without a file.
    pub fn in_memory() -> io::Result<Counters> {
        Ok(Counters { table: Table::in_memory(MAGIC, ROOM, 1)? })
    }

    /// The file of a running or an ended engine, to be read.
    pub fn open(path: &Path) -> io::Result<Counters> {
        Ok(Counters { table: Table::open(path, MAGIC)? })
    }

    /// Declares one count of a group.
    pub fn counter(
        &mut self,
        group: &str,
        name: &str,
        unit: &str,
        about: &str,
    ) -> io::Result<Counter> {
        let [group, name, unit, about] = [group, name, unit, about.trim()].map(Into::into);
        let row = self.table.declare(&Label { group, name, unit, about })?;
        Ok(Counter { row, one_writer: PhantomData })
    }

    /// Makes the next count begin in a cache line of its own: the next group has another writer.
    pub fn align(&mut self) -> io::Result<()> {
        self.table.align(GROUP_ROWS)
    }

    /// All counts as they are now. Each is right; together they are not of one instant.
    pub fn read(&self) -> Vec<Reading> {
        let read = |(label, row): (Label, Row)| {
            let value = row.word(0).load(Ordering::Relaxed);
            Reading { label, value }
        };
        self.table.rows().into_iter().map(read).collect()
    }

    /// The process that writes or wrote them.
    pub fn process(&self) -> u32 {
        self.table.process()
    }
}

/// Declares a group of counts as a structure with one [`Counter`] a row: name, unit, meaning.
#[macro_export]
macro_rules! counters {
    (
        $(#[$meta:meta])*
        $vis:vis struct $group:ident {
            $($(#[doc = $about:literal])+ $cvis:vis $counter:ident : $unit:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $group {
            $($(#[doc = $about])+ $cvis $counter: $crate::rt::counters::Counter,)*
        }

        impl $group {
            /// Declares these counts, written by one thread, in the file.
            $vis fn declare(
                file: &mut $crate::rt::counters::Counters,
                group: &str,
            ) -> ::std::io::Result<$group> {
                file.align()?;
                Ok($group {
                    $($counter: file.counter(
                        group, stringify!($counter), $unit, concat!($($about),+),
                    )?,)*
                })
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::counters! {
        /// For the tests.
        struct Sample {
            /// Things.
            things: "1";
            /// The longest wait.
            wait_ns_max: "ns";
        }
    }

    #[test]
    fn another_reader_sees_the_counts_while_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counters");
        let mut file = Counters::create(&path).unwrap();
        let feed = Sample::declare(&mut file, "feed").unwrap();
        let gate = Sample::declare(&mut file, "gate").unwrap();
        let watch = Counters::open(&path).unwrap();
        feed.things.add(2);
        feed.things.add(3);
        gate.wait_ns_max.raise(9);
        gate.wait_ns_max.raise(4);
        let seen: Vec<_> =
            watch.read().into_iter().map(|r| (r.label.group, r.label.unit, r.value)).collect();
        let row = |group: &str, unit: &str, value| (group.into(), unit.into(), value);
        assert_eq!(seen[0], row("feed", "1", 5));
        assert_eq!(seen[3], row("gate", "ns", 9));
        assert_eq!(watch.read()[1].label.about, "The longest wait.");
    }
}
