//! Bytes in, one numbered stream of events out.
//!
//! Sockets and time live in [`reader`] and [`control`] alone; everything else is sans-I/O: a
//! function of the bytes and of the time that it is told. What crosses into the pipeline goes
//! through the [`Sequencer`], the only merge point, which numbers, stamps and ends batches.

mod backoff;
mod buffer;
mod link;
mod socket;
pub mod control;
pub mod counts;
pub mod dbn;
pub mod faults;
pub mod fix;
pub mod health;
mod key;
mod layout;
pub mod live;
pub mod reader;
mod record;
pub mod registry;
mod sequencer;
pub mod series;
pub mod settings;
pub mod symbol;
pub mod udp;

pub use backoff::Backoff;
pub use health::Health;
pub use key::Key;
pub use reader::Feed;
pub use registry::Registry;
pub use sequencer::Sequencer;

use crate::wire::Event;

/// A protocol without I/O: bytes in, events out, whatever way the bytes are split.
pub trait Decoder {
    /// Takes whole messages from the front of `bytes` and hands their events to `out`, in order;
    /// returns how many bytes it is done with. What it leaves comes again, with more behind it.
    fn decode(&mut self, bytes: &[u8], out: &mut impl FnMut(Event)) -> usize;

    /// A new connection starts: what is left of the one before will not come again.
    fn restart(&mut self) {}

    /// Every event that was handed out so far is in the journal.
    fn commit(&mut self) {}

    /// Takes an event of its own session from the journal of an earlier process.
    fn restore(&mut self, _: &Event) {}

    /// The sequence number that the peer is expected to use next, 0 where there is none.
    fn next_in(&self) -> u64 {
        0
    }
}
