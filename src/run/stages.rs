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
        probe::{Durations, Probe, Thread},
    },
    stage::Then,
    strategy::Decide,
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

/// Where the durations of all stages go, declared in the order of a tick's life, in which the
/// report shows them.
#[derive(Debug)]
pub(super) struct Watches {
    pub(super) journal: Durations,
    pub(super) chain: Durations,
    pub(super) greeks: Durations,
    /// The way through the ring to the thread that decides.
    pub(super) link: Durations,
    pub(super) strategy: Durations,
    pub(super) risk: Durations,
    /// The output journal and the gate.
    pub(super) exit: Durations,
}

impl Watches {
    /// Declares them all; what counts nothing is not shown.
    pub(super) fn declare(file: &mut Histograms) -> io::Result<Watches> {
        let mut declare = |name| Durations::declare(name, file);
        Ok(Watches {
            journal: declare("journal")?,
            chain: declare("chain")?,
            greeks: declare("greeks")?,
            link: declare("link")?,
            strategy: declare("strategy")?,
            risk: declare("risk")?,
            exit: declare("outputs, gate")?,
        })
    }
}

/// Chain and Greeks in front of `end`.
pub(super) fn front<E>(
    plan: &Plan,
    [chain, greeks]: [Durations; 2],
    thread: &Thread,
    end: E,
) -> Front<E> {
    let greeks = Probe::of(Revalue::new(&plan.universe), greeks, thread);
    Then(Probe::of(Track, chain, thread), Then(greeks, end))
}

/// Strategy and risk in front of `end`.
pub(super) fn rear<E>(
    plan: &Plan,
    [strategy, risk]: [Durations; 2],
    thread: &Thread,
    end: E,
) -> Rear<E> {
    let decide = Probe::of(Decide::new(plan.strategies.clone()), strategy, thread);
    let gate = Risk::new(plan.limits.clone(), plan.strategies.roster());
    Then(decide, Then(Probe::of(gate, risk, thread), end))
}
