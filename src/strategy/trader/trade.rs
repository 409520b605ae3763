//! One package from its first order to its last fill: what is remembered of it between two turns.

use crate::{
    strategy::{Structure, measure::Held},
    wire::{Timestamp, order::Purpose},
};

/// Where a trade stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// An entry order works, or its next step is due.
    Entering,
    /// It is held.
    Open,
    /// It is being closed.
    Exiting(Purpose),
}

/// A package that is followed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trade {
    pub(super) structure: Structure,
    pub(super) package: u64,
    pub(super) order: u64,
    /// The package that it hedges; 0 for one of its own.
    pub(super) hedges: u64,
    /// The order that last bought or sold shares as its hedge; 0 for none.
    pub(super) hedge: u64,
    /// Packages to enter; 0 leaves it to the sizing.
    pub(super) quantity: u32,
    /// Packages that the router allows.
    pub(super) most: u32,
    /// When its first and its last leg settle.
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) exit_at: Timestamp,
    /// When the order that works, or worked last, was sent.
    pub(super) since: Timestamp,
    pub(super) opened: Timestamp,
    pub(super) retry_at: Timestamp,
    pub(super) stop_since: Timestamp,
    /// Paid per unit when it was opened; negative was received.
    pub(super) net: f64,
    /// What shares of profit and loss are taken of, per unit: net of its options alone.
    pub(super) premium: f64,
    /// Best profit so far, per unit.
    pub(super) best: f64,
    /// Price of the underlying then.
    pub(super) level: f64,
    pub(super) adjusted: u32,
    pub(super) step: u32,
    pub(super) phase: Phase,
}

impl Trade {
    pub(super) fn new(structure: Structure, (first, last): (Timestamp, Timestamp)) -> Trade {
        Trade {
            structure,
            package: 0,
            order: 0,
            hedges: 0,
            hedge: 0,
            quantity: 0,
            most: u32::MAX,
            first,
            last,
            exit_at: last,
            since: 0,
            opened: 0,
            retry_at: 0,
            stop_since: 0,
            net: f64::NAN,
            premium: f64::NAN,
            best: f64::NEG_INFINITY,
            level: f64::NAN,
            adjusted: 0,
            step: 0,
            phase: Phase::Entering,
        }
    }

    /// Profit per unit at a value.
    pub(super) fn profit(&self, value: f64) -> f64 {
        value - self.net
    }

    /// As measures see it at a value.
    pub(super) fn held(&self, value: Option<f64>) -> Held<'_> {
        let profit = value.map_or(f64::NAN, |value| self.profit(value) / self.premium);
        Held { structure: &self.structure, profit, level: self.level, since: self.opened }
    }
}
