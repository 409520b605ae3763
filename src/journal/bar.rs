//! Work done in; a line on a terminal's stderr that says how far it is out, and nothing elsewhere.

use std::{
    eprint,
    io::{IsTerminal, stderr},
};

/// How far a long work is. Drawn where a thousandth more is done, so it costs a comparison.
#[derive(Debug)]
pub struct Bar {
    title: &'static str,
    total: u64,
    /// Where it is drawn next; never, where nobody sees it.
    next: u64,
    drawn: bool,
}

impl Bar {
    /// Of so much work in all; 0 where that is not known.
    pub fn new(title: &'static str, total: u64) -> Bar {
        let seen = stderr().is_terminal();
        Bar { title, total, next: if seen { 1 } else { u64::MAX }, drawn: false }
    }

    /// So much is done.
    #[inline(always)]
    pub fn at(&mut self, done: u64) {
        if done >= self.next {
            self.draw(done);
        }
    }

    #[cold]
    fn draw(&mut self, done: u64) {
        const WIDTH: u64 = 30;
        self.drawn = true;
        self.next = done + (self.total / 1_000).max(10_000);
        if self.total == 0 {
            eprint!("\r\x1b[2K{} {done}", self.title);
            return;
        }
        let full = (done * WIDTH / self.total).min(WIDTH) as usize;
        let (done_bar, rest) = ("█".repeat(full), "·".repeat(WIDTH as usize - full));
        let percent = done.min(self.total) as f64 * 100.0 / self.total as f64;
        let total = self.total;
        eprint!("\r\x1b[2K{} {done_bar}{rest} {percent:5.1} %  {done} of {total}", self.title);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.drawn {
            eprint!("\r\x1b[2K");
        }
    }
}
