//! The stages of each thread, joined: the same ones in every mode and grouping.
//!
//! ```text
//! front   inputs → chain → greeks →            (feed's thread, or feed | chain, greeks)
//! rear    → strategy → risk → outputs →        (the same thread, or one of its own)
//! ```
//! Where a thread begins behind the first one, a `Track` at its head keeps its replica of the chain.

use super::Plan;
use crate::{
    book::{Book, Desk},
    chain::{Chain, Track},
    greeks::Revalue,
    risk::Risk,
    rt::probe::{Probe, Probes},
    stage::Then,
    strategy::{Decide, Set},
};

/// Chain and Greeks, and what follows.
pub(super) type Front<E> = Then<Probe<Track>, Then<Probe<Revalue>, E>>;

/// Strategy and risk, and what follows.
pub(super) type Rear<E> = Then<Probe<Decide>, Then<Probe<Risk>, E>>;

/// A replica of what the stages of a thread know, empty.
pub(super) fn desk(plan: &Plan) -> Desk {
    let chain = Chain::new(&plan.universe);
    Desk { chain, book: Book::new(&plan.account, plan.broker_source()) }
}

/// Chain and Greeks in front of `end`.
pub(super) fn front<E>(plan: &Plan, probes: &Probes, end: E) -> std::io::Result<Front<E>> {
    let chain = probes.wrap("chain", Track::default())?;
    let greeks = probes.wrap("greeks", Revalue::new(&plan.universe))?;
    Ok(Then(chain, Then(greeks, end)))
}

/// Strategy and risk in front of `end`.
pub(super) fn rear<E>(plan: &Plan, set: Set, probes: &Probes, end: E) -> std::io::Result<Rear<E>> {
    let decide = probes.wrap("strategy", Decide::new(set))?;
    let risk = probes.wrap("risk", Risk::new(plan.limits.clone()))?;
    Ok(Then(decide, Then(risk, end)))
}
