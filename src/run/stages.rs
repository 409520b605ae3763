//! The stages of each thread, joined: the same ones in every mode and grouping.
//!
//! ```text
//! front   chain → greeks                  after the input journal
//! rear    features → strategy → risk      on the same thread or one of its own
//! ```
//! Where a thread begins behind the first one, a `Track` at its head keeps its replica of the
//! chain.

use super::Plan;
use crate::{
    chain::Track,
    feature::Features,
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

/// Features, strategy and risk, and what follows.
pub(super) type Rear<E> = Then<Probe<Features>, Then<Probe<Decide>, Then<Probe<Risk>, E>>>;

/// Where the durations of all stages go, declared in the order of a tick's life, in which the
/// report shows them.
#[derive(Debug)]
pub(super) struct Watches {
    pub(super) journal: Durations,
    pub(super) chain: Durations,
    pub(super) greeks: Durations,
    /// The way through the ring to the thread that decides.
    pub(super) link: Durations,
    pub(super) features: Durations,
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
            features: declare("features")?,
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

/// Features, strategy and risk in front of `end`.
pub(super) fn rear<E>(
    plan: &Plan,
    [features, strategy, risk]: [Durations; 3],
    thread: &Thread,
    end: E,
) -> Rear<E> {
    let features = Probe::of(Features::new(&plan.features, &plan.universe), features, thread);
    let decide = Probe::of(Decide::new(plan.strategies.clone()), strategy, thread);
    let risk = Probe::of(Risk::new(plan.limits.clone(), plan.strategies.roster()), risk, thread);
    Then(features, Then(decide, Then(risk, end)))
}
