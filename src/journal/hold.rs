//! Messages in; the same messages out, orders among them not before the disk has what proves them.
//!
//! It stands behind [`super::Outputs`], on its thread. Where the journal is not strict nothing ever
//! waits here. Where it is, an output waits until its own record and the input that caused it are
//! below their durable marks, and outputs keep their order. Everything else passes them by: the
//! broker's session lives on while the disk is slow, market data goes on, and a kill that is heard
//! meanwhile stops what still waits. A full queue holds up the thread, and with it the sockets;
//! nothing is dropped. When the journal has failed no output leaves any more: what waits is neither
//! sent nor taken back, and the next start finds it recorded and in doubt.

use super::Watch;
use crate::{stage::Emit, wire::Event};
use alloc::collections::VecDeque;
use core::{borrow::Borrow, sync::atomic::Ordering};
use crossbeam_utils::Backoff;

/// Outputs that may wait: more than RISK lets be open at any time.
const WAITING_MAX: usize = 65_536;

/// What a message waits for.
#[derive(Clone, Copy, Debug)]
struct Needs {
    input: u64,
    output: u64,
}

/// The stage in front of the gate that waits for the disk.
#[derive(Debug)]
pub struct Hold<T, E> {
    end: E,
    /// Inputs and outputs, where the journal is strict.
    watches: Option<[Watch; 2]>,
    waiting: VecDeque<(T, Needs)>,
    /// Outputs that never left because the journal had failed.
    kept_back: u64,
}

impl<T: Copy + Borrow<Event>, E> Hold<T, E> {
    /// In front of `end`; `watches` (inputs, outputs) only where orders are to wait.
    pub fn new(watches: Option<[Watch; 2]>, end: E) -> Hold<T, E> {
        let room = if watches.is_some() { WAITING_MAX } else { 0 };
        Hold { end, watches, waiting: VecDeque::with_capacity(room), kept_back: 0 }
    }

    /// What follows.
    pub fn end_mut(&mut self) -> &mut E {
        &mut self.end
    }

    /// Messages that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Outputs that never left because the journal had failed.
    pub fn kept_back(&self) -> u64 {
        self.kept_back
    }

    /// Lets go of what is on the disk by now; gives how many.
    #[inline(always)]
    pub fn poll<K>(&mut self, known: &mut K) -> usize
    where
        E: Emit<K, T>,
    {
        if self.waiting.is_empty() { 0 } else { self.release(known) }
    }

    /// Waits until nothing waits any more: at the end of a run.
    pub fn flush<K>(&mut self, known: &mut K)
    where
        E: Emit<K, T>,
    {
        let backoff = Backoff::new();
        while !self.waiting.is_empty() {
            if self.release(known) == 0 {
                backoff.snooze();
            }
        }
    }

    fn release<K>(&mut self, known: &mut K) -> usize
    where
        E: Emit<K, T>,
    {
        let Some([inputs, outputs]) = &self.watches else { return 0 };
        let failed = inputs.error().or(outputs.error()).is_some();
        let (input, output) = (inputs.durable(), outputs.durable());
        let before = self.waiting.len();
        while let Some((message, needs)) = self.waiting.front() {
            if failed {
                self.kept_back += 1;
            } else if needs.input <= input && needs.output <= output {
                self.end.emit(known, message);
            } else {
                break;
            }
            self.waiting.pop_front();
        }
        before - self.waiting.len()
    }

    /// What an output needs. Its record is the last one, for this thread is the one that appends
    /// them.
    fn needs(event: &Event, outputs: &Watch) -> Needs {
        Needs { input: event.seq, output: outputs.0.written.load(Ordering::Relaxed) }
    }
}

impl<K, T: Copy + Borrow<Event>, E: Emit<K, T>> Emit<K, T> for Hold<T, E> {
    #[inline(always)]
    fn emit(&mut self, known: &mut K, message: &T) {
        let event = message.borrow();
        let needs = match &self.watches {
            Some([_, outputs]) if event.kind.is_output() => Self::needs(event, outputs),
            _ => return self.end.emit(known, message),
        };
        if self.waiting.len() == WAITING_MAX {
            self.make_room(known);
        }
        self.waiting.push_back((*message, needs));
        self.release(known);
    }
}

impl<T: Copy + Borrow<Event>, E> Hold<T, E> {
    #[cold]
    fn make_room<K>(&mut self, known: &mut K)
    where
        E: Emit<K, T>,
    {
        let backoff = Backoff::new();
        while self.release(known) == 0 {
            backoff.snooze();
        }
    }
}
