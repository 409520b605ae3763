//! Execution ids in, whether each was seen before out: a bounded set that forgets the oldest.

use alloc::{vec, vec::Vec};

/// The last `capacity` keys in a table of twice the size, linear probing, no allocation after
/// `new`. Zero is no key: it is never seen.
#[derive(Debug)]
pub(super) struct Seen {
    table: Vec<u64>,
    order: Vec<u64>,
    next: usize,
}

impl Seen {
    /// Room for `capacity` keys, rounded up to a power of two.
    pub(super) fn new(capacity: usize) -> Seen {
        let capacity = capacity.max(8).next_power_of_two();
        Seen { table: vec![0; 2 * capacity], order: vec![0; capacity], next: 0 }
    }

    /// Adds a key; false where it is in already.
    pub(super) fn insert(&mut self, key: u64) -> bool {
        if key == 0 {
            return true;
        }
        if self.table[self.slot(key)] == key {
            return false;
        }
        self.forget(self.order[self.next]);
        let slot = self.slot(key);
        self.table[slot] = key;
        self.order[self.next] = key;
        self.next = (self.next + 1) % self.order.len();
        true
    }

    fn mask(&self) -> usize {
        self.table.len() - 1
    }

    fn home(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & self.mask()
    }

    /// Where `key` is, or the free place where it would go. The table is never more than half full.
    fn slot(&self, key: u64) -> usize {
        let mut at = self.home(key);
        while self.table[at] != 0 && self.table[at] != key {
            at = (at + 1) & self.mask();
        }
        at
    }

    /// Takes a key out and closes the hole, so that no probe ends early.
    fn forget(&mut self, key: u64) {
        if key == 0 {
            return;
        }
        let mut hole = self.slot(key);
        self.table[hole] = 0;
        let mut at = hole;
        loop {
            at = (at + 1) & self.mask();
            let moved = self.table[at];
            if moved == 0 {
                return;
            }
            let reach = at.wrapping_sub(self.home(moved)) & self.mask();
            if reach >= at.wrapping_sub(hole) & self.mask() {
                self.table[hole] = moved;
                self.table[at] = 0;
                hole = at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::VecDeque;
    use proptest::prelude::*;

    proptest! {
        /// Against a queue that is searched: the same answers, whatever is added.
        #[test]
        fn it_remembers_exactly_the_last_ones(keys in prop::collection::vec(0u64..40, 0..400)) {
            let mut seen = Seen::new(16);
            let mut model = VecDeque::new();
            for key in keys {
                let fresh = key == 0 || !model.contains(&key);
                prop_assert_eq!(seen.insert(key), fresh);
                if fresh && key != 0 {
                    model.push_back(key);
                    if model.len() > 16 { model.pop_front(); }
                }
            }
        }
    }
}
