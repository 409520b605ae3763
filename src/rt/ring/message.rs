//! What may cross a ring: a type and its spare bit in, its parts as a slot holds them out.

use crate::wire::Event;

/// The bit of a slot's word that belongs to the ring.
pub const READY: u64 = 1 << 63;

/// Plain data that can be split into one word with a spare top bit and the rest.
///
/// `join(split(x))` is `x`, and the word's bit 63 ([`READY`]) is 0: the ring keeps its ready mark
/// there, and would lose a bit that a message put there.
pub trait Message: Copy + Send {
    /// Everything but the word.
    type Rest: Copy + Send;
    /// The parts.
    fn split(&self) -> (Self::Rest, u64);
    /// The message of these parts.
    fn join(rest: Self::Rest, word: u64) -> Self;
}

/// The word that ends in `flags`, whose top bit no flag uses.
const MARK_WORD: usize = 3;
const _: () = assert!(core::mem::offset_of!(Event, flags) == MARK_WORD * 8 + 7);
const _: () = assert!(cfg!(target_endian = "little"), "the flags are the word's top byte");

/// 64 bytes in a slot of 64 bytes: the mark is bit 7 of `flags`.
impl Message for Event {
    type Rest = [u64; 7];

    #[inline(always)]
    fn split(&self) -> ([u64; 7], u64) {
        let [a, b, c, word, d, e, f, g]: [u64; 8] = bytemuck::must_cast(*self);
        ([a, b, c, d, e, f, g], word)
    }

    #[inline(always)]
    fn join([a, b, c, d, e, f, g]: [u64; 7], word: u64) -> Event {
        bytemuck::must_cast([a, b, c, word, d, e, f, g])
    }
}

impl Message for u32 {
    type Rest = ();

    #[inline(always)]
    fn split(&self) -> ((), u64) {
        ((), u64::from(*self))
    }

    #[inline(always)]
    fn join((): (), word: u64) -> u32 {
        word as u32
    }
}

/// Any plain data, for types that have no bit to spare or do not let one in: the mark gets a word
/// of its own, so 64 bytes take a slot of 128 and two line transfers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Plain<T>(pub T);

impl<T: Copy + Send> Message for Plain<T> {
    type Rest = T;

    #[inline(always)]
    fn split(&self) -> (T, u64) {
        (self.0, 0)
    }

    #[inline(always)]
    fn join(rest: T, _: u64) -> Plain<T> {
        Plain(rest)
    }
}
