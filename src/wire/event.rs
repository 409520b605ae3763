//! The event: a 32-byte header that is the same for all kinds, and a 32-byte payload.

use super::{Kind, Timestamp, UNDEF_TIME};

/// The instrument of an event that names none.
pub const NO_INSTRUMENT: u32 = u32::MAX;

/// Bits that hold for any kind. Bit 7 stays 0: it is the ring's ready mark between threads.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Flags(pub u8);

impl Flags {
    /// Nothing special.
    pub const NONE: Flags = Flags(0);
    /// The last event of a batch: stages revalue and decide now. Set by FEED alone, so it replays.
    pub const BATCH_END: Flags = Flags(1);
    /// Part of a snapshot, not a change.
    pub const SNAPSHOT: Flags = Flags(2);
    /// The venue marked the record's receive time as unreliable.
    pub const BAD_TIME: Flags = Flags(4);
    /// The venue marked the book as possibly wrong.
    pub const MAYBE_BAD: Flags = Flags(8);

    /// Whether all bits of `other` are set.
    #[inline(always)]
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// These bits and those of `other`.
    #[inline(always)]
    pub fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// One message: what crosses every ring and what the journals hold. One cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Event {
    /// Input number, dense from 1, given by the sequencer. An output carries its cause's number.
    pub seq: u64,
    /// The exchange's time, or [`UNDEF_TIME`].
    pub ts_event: Timestamp,
    /// When the socket read that held it returned. An output carries its cause's.
    pub ts_recv: Timestamp,
    /// Dense index of the instrument, or [`NO_INSTRUMENT`].
    pub instrument: u32,
    /// Which configured session it came from.
    pub source: u16,
    /// What it is.
    pub kind: Kind,
    /// Bits that hold for any kind.
    pub flags: Flags,
    /// 32 bytes by kind: see [`Event::body`].
    pub payload: [u64; 4],
}

const _: () = assert!(size_of::<Event>() == 64 && align_of::<Event>() == 64);

impl Event {
    /// An event with this payload, not yet numbered or stamped.
    #[inline(always)]
    pub fn new<P: bytemuck::NoUninit>(kind: Kind, instrument: u32, payload: P) -> Event {
        const { assert!(size_of::<P>() == 32) };
        Event {
            seq: 0,
            ts_event: UNDEF_TIME,
            ts_recv: 0,
            instrument,
            source: 0,
            kind,
            flags: Flags::NONE,
            payload: bytemuck::must_cast(payload),
        }
    }

    /// An output or a derived event: this payload with the number and the times of its cause.
    #[inline(always)]
    pub fn caused_by<P: bytemuck::NoUninit>(
        cause: &Event,
        kind: Kind,
        instrument: u32,
        payload: P,
    ) -> Event {
        const { assert!(size_of::<P>() == 32) };
        let payload = bytemuck::must_cast(payload);
        Event { kind, instrument, payload, flags: Flags::NONE, ..*cause }
    }

    /// The payload as `P`, which the kind's row in [`super::KINDS`] names.
    #[inline(always)]
    pub fn body<P: bytemuck::AnyBitPattern>(&self) -> &P {
        const { assert!(size_of::<P>() == 32 && align_of::<P>() <= 8) };
        bytemuck::must_cast_ref(&self.payload)
    }

    /// The event as bytes, as the journal holds it.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8; 64] {
        bytemuck::must_cast_ref(self)
    }

    /// Whether stages revalue and decide now.
    #[inline(always)]
    pub fn ends_batch(&self) -> bool {
        self.flags.has(Flags::BATCH_END)
    }
}

#[cfg(test)]
mod tests {
    use super::super::market::Quote;
    use super::*;
    use core::mem::offset_of;

    /// The layout that journals and rings rely on, byte by byte.
    #[test]
    fn the_header_lies_where_the_format_says() {
        assert_eq!(offset_of!(Event, seq), 0);
        assert_eq!(offset_of!(Event, ts_event), 8);
        assert_eq!(offset_of!(Event, ts_recv), 16);
        assert_eq!(offset_of!(Event, instrument), 24);
        assert_eq!(offset_of!(Event, source), 28);
        assert_eq!(offset_of!(Event, kind), 30);
        assert_eq!(offset_of!(Event, flags), 31);
        assert_eq!(offset_of!(Event, payload), 32);
    }

    #[test]
    fn a_payload_comes_back_as_it_went_in() {
        let quote = Quote { bid: super::super::Price(5), ..bytemuck::Zeroable::zeroed() };
        assert_eq!(*Event::new(Kind::QUOTE, 7, quote).body::<Quote>(), quote);
    }
}
