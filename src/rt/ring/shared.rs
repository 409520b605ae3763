//! What the two ends share: the slots and the consumer's position in, laps and orderings out.

use super::super::sync::{Arc, AtomicU64, AtomicUsize, Ordering, UnsafeCell};
use super::message::{Message, READY};
use alloc::boxed::Box;
use core::mem::MaybeUninit;
use crossbeam_utils::CachePadded;

/// An ordering of the protocol, or `Relaxed` where the mutation of that name is built.
macro_rules! ordering {
    ($name:ident, $ordering:ident, $weak:literal) => {
        const $name: Ordering =
            if cfg!(weaken = $weak) { Ordering::Relaxed } else { Ordering::$ordering };
    };
}

// The message is written before its mark, the mark read before the message.
ordering!(MARK_STORE, Release, "mark_store");
ordering!(MARK_LOAD, Acquire, "mark_load");
// A slot is read before it is given back, and known to be given back before it is written again.
ordering!(HEAD_STORE, Release, "head_store");
ordering!(HEAD_LOAD, Acquire, "head_load");

/// One message and, in the top bit of its word, whether this lap's is there.
#[repr(C, align(64))]
pub(super) struct Slot<T: Message> {
    rest: UnsafeCell<MaybeUninit<T::Rest>>,
    word: AtomicU64,
}

/// The state of a ring.
pub(super) struct Shared<T: Message> {
    /// How many messages the consumer has given back since the beginning.
    head: CachePadded<AtomicUsize>,
    slots: Box<[Slot<T>]>,
}

// SAFETY: the cells are written by the one producer and read by the one consumer, and never at the
// same time: the mark hands a slot over, the head gives it back (see `Slot::put` and `Slot::take`).
// What crosses is `T::Rest`, which is `Send`.
#[expect(unsafe_code, reason = "the ring's slots are handed over by their marks")]
unsafe impl<T: Message> Sync for Shared<T> {}

impl<T: Message> Shared<T> {
    pub(super) fn new(capacity: usize) -> Arc<Shared<T>> {
        let slot = |_| Slot {
            rest: UnsafeCell::new(MaybeUninit::uninit()),
            // Not the mark of lap 0, so nothing is ready.
            word: AtomicU64::new(0),
        };
        let slots = (0..capacity).map(slot).collect();
        Arc::new(Shared { head: CachePadded::new(AtomicUsize::new(0)), slots })
    }

    #[inline(always)]
    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "an index below a power of two needs no check")]
    pub(super) fn slot(&self, position: usize) -> &Slot<T> {
        // SAFETY: the length is a power of two (`ring` asserts it): the masked index is below it.
        unsafe { self.slots.get_unchecked(position & (self.slots.len() - 1)) }
    }

    /// The mark of the lap that `position` is in: 1, 0, 1, …
    #[inline(always)]
    pub(super) fn mark(&self, position: usize) -> u64 {
        if cfg!(weaken = "lap") || position & self.slots.len() == 0 { READY } else { 0 }
    }

    #[inline(always)]
    pub(super) fn head(&self) -> usize {
        self.head.load(HEAD_LOAD)
    }

    #[inline(always)]
    pub(super) fn give_back(&self, head: usize) {
        self.head.store(head, HEAD_STORE);
    }
}

impl<T: Message> Slot<T> {
    /// Writes a message. Only the producer, and only where the consumer has given the slot back.
    #[inline(always)]
    #[expect(unsafe_code, reason = "the ring's slots are handed over by their marks")]
    pub(super) fn put(&self, message: &T, mark: u64) {
        let (rest, word) = message.split();
        debug_assert!(word & READY == 0, "a message used the ring's bit");
        let word = word & !READY | mark;
        if cfg!(weaken = "mark_before_message") {
            self.word.store(word, MARK_STORE);
        }
        // SAFETY: the consumer reads only after it saw this lap's mark, which is stored below; it
        // gave the previous lap's message back with a Release that our Acquire of `head` saw.
        self.rest.with_mut(|p| unsafe { p.write(MaybeUninit::new(rest)) });
        self.word.store(word, MARK_STORE);
    }

    /// The message, if this lap's is there. Only the consumer.
    #[inline(always)]
    #[expect(unsafe_code, reason = "the ring's slots are handed over by their marks")]
    pub(super) fn take(&self, mark: u64) -> Option<T> {
        let word = self.word.load(MARK_LOAD);
        if word & READY != mark {
            return None;
        }
        // SAFETY: this lap's mark was stored with Release after the rest was written and we saw it
        // with Acquire; the producer writes again only after `give_back` passes this position.
        let rest = self.rest.with(|p| unsafe { p.read().assume_init() });
        Some(T::join(rest, word & !READY))
    }
}
