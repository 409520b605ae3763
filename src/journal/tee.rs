//! A stage's messages in, the same messages out, each in the journal before it goes on.
//!
//! Where a run is taken up again, its recorded inputs come first. They are in the journal already;
//! what the stages make of them is held against the recorded outputs, and what the end of the
//! process has cut off is written now.

use super::{Difference, Reader, Writer};
use crate::{
    rt::seal,
    stage::{Emit, Stage},
    wire::Event,
};
use alloc::{boxed::Box, sync::Arc};
use core::{
    marker::PhantomData,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};
use std::sync::OnceLock;

/// Writes every input before it is passed on. What the journal does not take is not passed on
/// either: nothing may act on what a replay would not see. [`super::Watch::error`] says why.
#[derive(Debug)]
pub struct Inputs {
    writer: Writer,
    first: u64,
}

impl Inputs {
    /// Into `writer`; events below number `first` are in the journal already.
    pub fn new(writer: Writer, first: u64) -> Inputs {
        Inputs { writer, first }
    }
}

impl<K> Stage<K> for Inputs {
    type In = Event;
    type Out = Event;

    #[inline(always)]
    fn on(&mut self, known: &mut K, message: &Event, out: &mut impl Emit<K, Event>) {
        if message.seq < self.first || self.writer.append(message).is_ok() {
            out.emit(known, message);
        }
    }
}

/// How far the recorded inputs have come, for whoever waits for it.
#[derive(Debug, Default)]
pub struct Relived {
    /// Recorded inputs.
    pub inputs: u64,
    /// From the first of them to the last one's coming all the way, ns.
    pub took_ns: AtomicU64,
    /// Outputs that are as recorded.
    pub equal: AtomicU64,
    /// Outputs that the recorded inputs lead to and that were not recorded: written now.
    pub added: AtomicU64,
    /// All recorded inputs have come all the way, and all recorded outputs were made again.
    pub done: AtomicBool,
    /// The first output that is not as recorded. Nothing is passed on behind it.
    pub difference: OnceLock<Difference>,
}

/// The outputs of the sessions before, and what their inputs must lead to again.
#[derive(Debug)]
pub struct Recorded {
    /// Reads the outputs from the first one.
    pub outputs: Reader,
    /// How many there are.
    pub count: u64,
    /// What is told to others; it holds the number of the last recorded input, not 0.
    pub told: Arc<Relived>,
}

impl Recorded {
    /// Whether a recorded output is the next one that comes again; `None` where all came.
    fn compare(&mut self, event: &Event) -> Option<bool> {
        let record = self.told.equal.load(Ordering::Relaxed) + 1;
        if record > self.count {
            return None;
        }
        let recorded = self.outputs.next_event().copied();
        let same = recorded.as_ref().is_some_and(|recorded| recorded.bytes() == event.bytes());
        if same {
            self.told.equal.store(record, Ordering::Relaxed);
        } else {
            self.differ(Difference { record, recorded, replayed: Some(*event) });
        }
        Some(same)
    }

    /// The last input has come through.
    fn finish(&mut self) {
        let record = self.told.equal.load(Ordering::Relaxed) + 1;
        if record <= self.count {
            let recorded = self.outputs.next_event().copied();
            self.differ(Difference { record, recorded, replayed: None });
        } else {
            self.told.done.store(true, Ordering::Release);
        }
    }

    fn differ(&self, difference: Difference) {
        self.told.difference.get_or_init(|| difference);
    }

    fn has_failed(&self) -> bool {
        self.told.difference.get().is_some()
    }
}

/// Writes every output (of kinds with [`crate::wire::Kind::is_output`]) before it is passed on;
/// other messages pass untouched. `view` shows the event inside a message.
#[derive(Debug)]
pub struct Outputs<T, F> {
    writer: Writer,
    view: F,
    recorded: Option<Box<Recorded>>,
    message: PhantomData<fn(&T)>,
}

impl<T, F: Fn(&T) -> &Event> Outputs<T, F> {
    /// Messages of type `T` go through `view` into `writer`.
    pub fn new(writer: Writer, view: F) -> Outputs<T, F> {
        Outputs { writer, view, recorded: None, message: PhantomData }
    }

    /// The same, behind what was recorded.
    pub fn after(self, recorded: Option<Recorded>) -> Outputs<T, F> {
        Outputs { recorded: recorded.map(Box::new), ..self }
    }

    /// A message while the recorded inputs come again; whether it is passed on. The files of the
    /// recording are opened on the way, which costs memory: the thread is not yet hot.
    #[cold]
    fn relive(&mut self, event: &Event) -> bool {
        seal::lifted(|| {
            let Some(recorded) = &mut self.recorded else { return true };
            if event.kind.is_output() {
                return !recorded.has_failed()
                    && recorded.compare(event).unwrap_or_else(|| {
                        recorded.told.added.fetch_add(1, Ordering::Relaxed);
                        self.writer.append(event).is_ok()
                    });
            }
            // What stages derive from the last input comes before it and carries its number.
            let is_last = event.kind.is_input() && event.seq >= recorded.told.inputs;
            if is_last && !recorded.has_failed() {
                recorded.finish();
            }
            let failed = recorded.has_failed();
            if is_last && !failed {
                self.recorded = None;
            }
            !failed
        })
    }
}

impl<K, T, F: Fn(&T) -> &Event> Stage<K> for Outputs<T, F> {
    type In = T;
    type Out = T;

    #[inline(always)]
    fn on(&mut self, known: &mut K, message: &T, out: &mut impl Emit<K, T>) {
        let event = (self.view)(message);
        let passes = if self.recorded.is_some() {
            self.relive(event)
        } else {
            !event.kind.is_output() || self.writer.append(event).is_ok()
        };
        if passes {
            out.emit(known, message);
        }
    }
}
