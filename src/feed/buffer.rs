//! Bytes of a socket in, the part that is not decoded yet out: one fixed block of memory.

use alloc::{boxed::Box, vec};

/// A read buffer. Undecoded bytes move to the front only when the room behind them gets short.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffer {
    pub(crate) fn new(size: usize) -> Buffer {
        Buffer { bytes: vec![0; size].into_boxed_slice(), start: 0, end: 0 }
    }

    /// What came and was not taken yet.
    #[inline]
    pub(crate) fn data(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Where the next read goes: at least half of the block unless messages of that size pile up.
    #[inline]
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.bytes.len() - self.end < self.bytes.len() / 2 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        &mut self.bytes[self.end..]
    }

    /// `len` bytes were written to the space.
    #[inline]
    pub(crate) fn filled(&mut self, len: usize) {
        self.end = (self.end + len).min(self.bytes.len());
    }

    /// `len` bytes of the data are done with.
    #[inline]
    pub(crate) fn taken(&mut self, len: usize) {
        self.start = (self.start + len).min(self.end);
    }

    /// Nothing more fits: one message is longer than the block.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.end - self.start == self.bytes.len()
    }

    pub(crate) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn bytes_come_out_as_they_went_in_whatever_is_left_each_time() {
        let mut buffer = Buffer::new(64);
        let (mut next, mut seen) = (0u8, Vec::new());
        for round in 0..1000usize {
            let space = buffer.space();
            let len = space.len().min(round % 23);
            for byte in &mut space[..len] {
                *byte = next;
                next = next.wrapping_add(1);
            }
            buffer.filled(len);
            let taken = buffer.data().len().min(round % 29);
            seen.extend_from_slice(&buffer.data()[..taken]);
            buffer.taken(taken);
        }
        assert!(seen.len() > 5000);
        assert!(seen.iter().enumerate().all(|(i, &byte)| byte == i as u8));
    }
}
