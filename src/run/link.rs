//! Where the pipeline is cut: messages of one thread in, the ring to the next thread out.

use crate::{
    risk::Cleared,
    rt::{
        counters::Counter,
        ring::{Message, Producer},
    },
    stage::Emit,
};

/// The end of a thread's stages and the beginning of the next one's.
#[derive(Debug)]
pub(super) struct Link<T: Message> {
    ring: Producer<T>,
    waits: Counter,
}

impl<T: Message> Link<T> {
    /// Into this ring; `waits` counts how often it was full.
    pub(super) fn new(ring: Producer<T>, waits: Counter) -> Link<T> {
        Link { ring, waits }
    }

    /// Waits for room: what is not taken on at once holds up the socket, and nothing is dropped.
    #[inline(always)]
    fn push(&mut self, message: &T) {
        if !self.ring.try_push(message) {
            self.wait(message);
        }
    }

    #[cold]
    fn wait(&mut self, message: &T) {
        self.waits.add(1);
        // The next thread may share this core, so after a while it must be given it.
        let mut tries = 0u32;
        while !self.ring.try_push(message) {
            // A stage behind has panicked. The kill switch is on; nothing may wait for the dead.
            if self.ring.is_abandoned() {
                return;
            }
            tries += 1;
            if tries.is_multiple_of(256) {
                std::thread::yield_now()
            } else {
                core::hint::spin_loop()
            }
        }
    }
}

impl<K, T: Message> Emit<K, T> for Link<T> {
    #[inline(always)]
    fn emit(&mut self, _: &mut K, message: &T) {
        self.push(message);
    }
}

/// A word of its own for the ring's mark: nobody but RISK may put a `Cleared` together, so the ring
/// carries it whole.
impl Message for Cleared {
    type Rest = Cleared;

    #[inline(always)]
    fn split(&self) -> (Cleared, u64) {
        (*self, 0)
    }

    #[inline(always)]
    fn join(rest: Cleared, _: u64) -> Cleared {
        rest
    }
}
