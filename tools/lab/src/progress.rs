//! How far a long work is: one line on stderr, where a person looks at it.

use std::{
    fs,
    io::{IsTerminal, Write, stderr},
    path::Path,
    time::{Duration, Instant},
};

/// Between two looks at the clock.
const STEP: u64 = 16_384;
/// Between two lines.
const PAUSE: Duration = Duration::from_millis(200);
const BAR: u64 = 30;

/// A bar that fills.
#[derive(Debug)]
pub struct Progress {
    shown: bool,
    total: u64,
    began: Instant,
    told: Instant,
}

impl Progress {
    /// Of the inputs of a run; it shows nothing where stderr is no terminal.
    pub fn of(directory: &Path) -> Progress {
        let now = Instant::now();
        Progress { shown: stderr().is_terminal(), total: records(directory), began: now, told: now }
    }

    /// So many are done.
    #[inline]
    pub fn at(&mut self, done: u64) {
        if self.shown && done.is_multiple_of(STEP) {
            self.tell(done);
        }
    }

    #[cold]
    fn tell(&mut self, done: u64) {
        if self.told.elapsed() < PAUSE {
            return;
        }
        self.told = Instant::now();
        let share = done.min(self.total) * 100 / self.total.max(1);
        let full = "#".repeat((share * BAR / 100) as usize);
        let rate = done as f64 / self.began.elapsed().as_secs_f64();
        let _ =
            write!(stderr(), "\r[{full:<30}] {share:>3} %  {done} inputs, {:.2} M/s ", rate / 1e6);
    }

    /// How long it took; the line is gone.
    pub fn end(&mut self) -> Duration {
        if self.shown {
            let _ = write!(stderr(), "\r{:80}\r", "");
        }
        self.shown = false;
        self.began.elapsed()
    }
}

/// Bytes of a record, with what the journal keeps beside the event.
const RECORD: u64 = 80;

/// Records that the input segments have room for: an end that was sealed is cut to its length.
fn records(directory: &Path) -> u64 {
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    let inputs = files.filter(|file| file.file_name().to_string_lossy().starts_with("in-"));
    inputs.filter_map(|file| file.metadata().ok()).map(|about| about.len()).sum::<u64>() / RECORD
}
