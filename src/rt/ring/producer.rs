//! The end that writes: messages in, whether they had a place out.

use super::super::sync::Arc;
use super::{Message, shared::Shared};

/// The writing end of a [`ring`](super::ring).
pub struct Producer<T: Message> {
    shared: Arc<Shared<T>>,
    /// How many were written since the beginning.
    tail: usize,
    /// The consumer's position when last looked at.
    head: usize,
    full: u64,
}

impl<T: Message> core::fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
        write!(f, "Producer {{ tail: {}, full: {} }}", self.tail, self.full)
    }
}

impl<T: Message> Producer<T> {
    pub(super) fn new(shared: Arc<Shared<T>>) -> Producer<T> {
        Producer { shared, tail: 0, head: 0, full: 0 }
    }

    /// Puts one message in; `false`, and counted, where there is no room.
    #[inline(always)]
    #[must_use = "a full ring has not taken the message"]
    pub fn try_push(&mut self, message: &T) -> bool {
        if self.room(1) == 0 {
            self.full += 1;
            return false;
        }
        self.write(self.tail, message);
        self.tail = self.tail.wrapping_add(1);
        true
    }

    /// Puts in as many of `messages`, from the first on, as there is room for, and returns how
    /// many; counts once where not all had room.
    #[inline]
    #[must_use = "a full ring has not taken all messages"]
    pub fn publish(&mut self, messages: &[T]) -> usize {
        let count = self.room(messages.len());
        self.full += u64::from(count < messages.len());
        // Forwards: the slots' lines are fetched ahead in the order of their addresses.
        for (i, message) in messages[..count].iter().enumerate() {
            self.write(self.tail.wrapping_add(i), message);
        }
        self.tail = self.tail.wrapping_add(count);
        count
    }

    /// Whether nobody will ever read again.
    pub fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.shared) == 1
    }

    /// How often there was no room.
    pub fn full(&self) -> u64 {
        self.full
    }

    /// How many slots there are.
    pub fn capacity(&self) -> usize {
        self.shared.capacity()
    }

    #[inline(always)]
    fn write(&self, position: usize, message: &T) {
        self.shared.slot(position).put(message, self.shared.mark(position));
    }

    /// How many of `wanted` slots are free. The consumer's line is read only where it must be.
    #[inline(always)]
    fn room(&mut self, wanted: usize) -> usize {
        let capacity = self.shared.capacity() + usize::from(cfg!(weaken = "capacity"));
        let known = capacity - self.tail.wrapping_sub(self.head);
        if known >= wanted {
            return wanted;
        }
        self.head = self.shared.head();
        wanted.min(capacity - self.tail.wrapping_sub(self.head))
    }
}
