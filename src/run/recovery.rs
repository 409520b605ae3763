//! The journal of earlier sessions in; their inputs through the very pipeline that then runs live,
//! and whether it decides the same again, out.
//!
//! Nothing is opened and nothing is sent before the last recorded input has come all the way and
//! every recorded output was made again, byte for byte.

use super::{Failure, agents::Signs};
use crate::{
    journal::{Error, Reader, Recorded, Relived, Stream},
    rt::seal,
    wire::{Event, Kind, Timestamp},
};
use std::{
    format,
    path::Path,
    string::String,
    sync::{Arc, atomic::Ordering},
};

/// Recorded inputs that are given to the pipeline between two looks at the thread's orders to stop.
const TURN: usize = 64;

/// What the earlier sessions of a run have left; nothing for one that begins.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Number of this session's first event; 0 where it is the run's.
    pub(super) first: u64,
    /// The machine was started anew since: what was not synced may be older than the journal.
    pub(super) power_cut: bool,
    /// For the thread that gives the inputs.
    pub(super) relive: Option<Relive>,
    /// For the thread that writes the outputs.
    pub(super) recorded: Option<Recorded>,
}

impl Past {
    /// Opens what was kept of a directory.
    pub(super) fn open(
        directory: &Path,
        [inputs, count]: [u64; 2],
        power_cut: bool,
    ) -> Result<Past, Error> {
        let told = Arc::new(Relived { inputs, ..Relived::default() });
        let read = |stream| Reader::open(directory, stream);
        let mut past = Past { first: inputs + 1, power_cut, ..Past::default() };
        if inputs > 0 {
            let outputs = read(Stream::Outputs)?;
            past.recorded = Some(Recorded { outputs, count, told: Arc::clone(&told) });
            let reader = read(Stream::Inputs)?;
            past.relive = Some(Relive { reader, left: inputs, sessions: 0, began: 0, told });
        }
        Ok(past)
    }
}

impl Past {
    /// What is told of the inputs when all have come through.
    pub(super) fn told(&self) -> Option<Arc<Relived>> {
        self.recorded.as_ref().map(|recorded| Arc::clone(&recorded.told))
    }
}

/// The recorded inputs on their way.
#[derive(Debug)]
pub(super) struct Relive {
    reader: Reader,
    left: u64,
    sessions: u64,
    began: Timestamp,
    told: Arc<Relived>,
}

/// Where the recorded inputs are.
#[derive(Debug, PartialEq)]
pub(super) enum Stand {
    /// This many were given.
    Given(usize),
    /// All were given; the last one has not come all the way.
    Waiting,
    /// All have come all the way, and this many sessions are behind.
    Done(u64),
    /// The run cannot go on.
    Failed,
}

impl Relive {
    /// Gives the next few. Opening files costs memory: the thread is not yet hot.
    pub(super) fn turn(
        &mut self,
        now: Timestamp,
        signs: &Signs,
        mut out: impl FnMut(&Event),
    ) -> Stand {
        if self.began == 0 {
            self.began = now;
        }
        if let Some(difference) = self.told.difference.get() {
            return self.fail(signs, Failure::mismatch(format!(
                "the journal's inputs do not lead to its outputs again, so this run cannot go on: \
                 {difference}; start a new directory and reconcile with the broker by hand"
            )));
        }
        if self.left == 0 {
            if !self.told.done.load(Ordering::Acquire) {
                return Stand::Waiting;
            }
            self.told.took_ns.store(now - self.began, Ordering::Relaxed);
            return Stand::Done(self.sessions);
        }
        let mut given = 0;
        while given < TURN && self.left > 0 {
            let Some(event) = seal::lifted(|| self.reader.next_event()) else {
                let end = self.reader.end().map_or_else(String::new, |end| format!("{end}"));
                return self.fail(signs, Failure::input(format!("the input journal: {end}")));
            };
            self.sessions += u64::from(event.kind == Kind::RUN);
            out(event);
            given += 1;
            self.left -= 1;
        }
        Stand::Given(given)
    }

    fn fail(&self, signs: &Signs, failure: Failure) -> Stand {
        signs.failed.get_or_init(|| failure);
        Stand::Failed
    }
}
