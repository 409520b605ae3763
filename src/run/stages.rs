//! The stages of each thread, joined: the same ones in every mode and grouping.
//!
//! ```text
//! front   chain → greeks                  after the input journal
//! rear    strategy → risk → out           on the same thread or one of its own
//! ```
//! Where a thread begins behind the first one, a `Track` at its head keeps its replica of the
//! chain.

use super::Plan;
use crate::{
    book::{Book, Desk},
    chain::{Chain, Track},
    greeks::Revalue,
    risk::Risk,
    rt::{
        histogram::Histograms,
        probe::{Probe, Thread},
    },
    stage::Then,
    strategy::{Decide, Set},
};
use std::io;

/// Chain and Greeks, and what follows.
pub(super) type Front<E> = Then<Probe<Track>, Then<Probe<Revalue>, E>>;

/// Strategy and risk, and what follows.
pub(super) type Rear<E> = Then<Probe<Decide>, Then<Probe<Risk>, E>>;

/// A replica of what the stages of a thread know, empty.
pub(super) fn desk(plan: &Plan) -> Desk {
    let chain = Chain::new(&plan.universe);
    Desk { chain, book: Book::new(&plan.account, plan.broker_source()) }
}

/// Puts probes before the stages of one thread.
pub(super) struct Watched<'a> {
    /// The thread.
    pub(super) thread: &'a Thread,
    /// Where durations go.
    pub(super) file: &'a mut Histograms,
}

impl Watched<'_> {
    /// A stage under this name.
    pub(super) fn watch<S>(&mut self, name: &str, stage: S) -> io::Result<Probe<S>> {
        Probe::new(stage, name, self.thread, self.file)
    }

    /// Chain and Greeks in front of `end`.
    pub(super) fn front<E>(&mut self, plan: &Plan, end: E) -> io::Result<Front<E>> {
        let chain = self.watch("chain", Track)?;
        let greeks = self.watch("greeks", Revalue::new(&plan.universe))?;
        Ok(Then(chain, Then(greeks, end)))
    }

    /// Strategy and risk in front of `end`.
    pub(super) fn rear<E>(&mut self, plan: &Plan, set: Set, end: E) -> io::Result<Rear<E>> {
        let decide = self.watch("strategy", Decide::new(set))?;
        let risk = self.watch("risk", Risk::new(plan.limits.clone()))?;
        Ok(Then(decide, Then(risk, end)))
    }
}
