//! Bytes in, one numbered stream of events out.

pub mod fix;

use crate::wire::Event;

/// A protocol without I/O: bytes in, events out, whatever way the bytes are split.
pub trait Decoder {
    /// Takes whole messages from the front of `bytes` and hands their events to `out`, in order;
    /// returns how many bytes it is done with. What it leaves comes again, with more behind it.
    fn decode(&mut self, bytes: &[u8], out: &mut impl FnMut(Event)) -> usize;
}
