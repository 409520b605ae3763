//! Recorded inputs in; the same, one by one, as far and as fast as was asked for, out.

use crate::{
    journal::{Bar, Between, End, Reader},
    rt::clock::Clock,
    wire::{Event, Timestamp},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// The inputs of a replay.
#[derive(Debug)]
pub(super) struct Source {
    reader: Reader,
    between: Between,
    pace: Option<Pace>,
    bar: Bar,
    /// Set by whoever has seen enough.
    stop: Arc<AtomicBool>,
    /// It did not read to the end of the recording.
    pub(super) cut: bool,
    /// Events handed out.
    pub(super) count: u64,
}

impl Source {
    /// Up to the end of the span; what lies in front of it is needed for the state. With a speed,
    /// an event of the span comes when it came, that many times faster.
    pub(super) fn new(reader: Reader, between: Between, speed: Option<f64>) -> Source {
        let pace = speed.map(|speed| Pace { speed, clock: Clock::start(), start: None });
        let total = reader.manifest().inputs;
        Source {
            reader,
            between,
            pace,
            bar: Bar::new("replay", total),
            stop: Arc::new(AtomicBool::new(false)),
            cut: false,
            count: 0,
        }
    }

    /// Set it to end the replay.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// The next input.
    #[inline]
    pub(super) fn next(&mut self) -> Option<&Event> {
        self.cut = self.stop.load(Ordering::Relaxed);
        if self.cut {
            return None;
        }
        let event = self.reader.next_event()?;
        if self.between.is_past(event) {
            self.cut = true;
            return None;
        }
        if let Some(pace) = &mut self.pace
            && !self.between.is_ahead(event)
        {
            pace.wait(event.ts_recv);
        }
        self.count += 1;
        self.bar.at(self.count);
        Some(event)
    }

    /// How the recording ends, unless the replay was ended before.
    pub(super) fn end(self) -> Option<End> {
        (!self.cut).then(|| self.reader.verify())
    }
}

/// Lets time pass as it passed.
#[derive(Debug)]
struct Pace {
    speed: f64,
    clock: Clock,
    /// When the first event came, and when it was handed out.
    start: Option<(Timestamp, Timestamp)>,
}

impl Pace {
    fn wait(&mut self, recorded: Timestamp) {
        let now = self.clock.now();
        let (first, began) = *self.start.get_or_insert((recorded, now));
        let due = began + (recorded.saturating_sub(first) as f64 / self.speed) as u64;
        loop {
            match due.saturating_sub(self.clock.now()) {
                0 => return,
                left @ 100_000.. => thread::park_timeout(Duration::from_nanos(left - 50_000)),
                _ => core::hint::spin_loop(),
            }
        }
    }
}
