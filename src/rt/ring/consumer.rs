//! The end that reads: nothing in, messages in the order of their writing out.

use super::super::sync::Arc;
use super::{Message, shared::Shared};

/// The reading end of a [`ring`](super::ring).
pub struct Consumer<T: Message> {
    shared: Arc<Shared<T>>,
    /// How many were read since the beginning.
    head: usize,
}

impl<T: Message> core::fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
        write!(f, "Consumer {{ head: {} }}", self.head)
    }
}

impl<T: Message> Consumer<T> {
    pub(super) fn new(shared: Arc<Shared<T>>) -> Consumer<T> {
        Consumer { shared, head: 0 }
    }

    /// Takes one message, if there is one, and gives its slot back.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<T> {
        let message = self.read()?;
        self.shared.give_back(self.head);
        Some(message)
    }

    /// Hands up to `max` messages to `each` and returns how many; their slots are given back when
    /// it returns.
    #[inline(always)]
    pub fn drain(&mut self, max: usize, mut each: impl FnMut(&T)) -> usize {
        let mut count = 0;
        while count < max {
            let Some(message) = self.read() else { break };
            each(&message);
            count += 1;
        }
        if count > 0 {
            self.shared.give_back(self.head);
        }
        count
    }

    /// How many slots there are.
    pub fn capacity(&self) -> usize {
        self.shared.capacity()
    }

    #[inline(always)]
    fn read(&mut self) -> Option<T> {
        if cfg!(weaken = "give_back_early") {
            self.shared.give_back(self.head.wrapping_add(1));
        }
        let message = self.shared.slot(self.head).take(self.shared.mark(self.head))?;
        self.head = self.head.wrapping_add(1);
        Some(message)
    }
}
