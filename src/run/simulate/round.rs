//! The broker's answers on positions in; whether it holds what the reports add up to, out.

use super::ledger::Ledger;
use crate::wire::{
    audit::{Audit, Position, Positions},
    market::Class,
};
use std::collections::BTreeMap;

/// One question and its answer.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Whether the last whole answer was what the reports add up to.
    pub(super) agrees: bool,
    request: u64,
    total: Option<u32>,
    heard: u32,
    /// Contracts by strike and whether it is a call.
    told: BTreeMap<(i64, bool), i64>,
}

impl Round {
    pub(super) fn ask(&mut self, audit: &Audit) {
        *self = Round { agrees: self.agrees, request: audit.request, ..Round::default() };
    }

    pub(super) fn begin(&mut self, positions: &Positions, ledger: &Ledger) {
        if positions.request == self.request && positions.valid == 1 {
            self.total = Some(positions.total);
            self.compare(ledger);
        }
    }

    pub(super) fn take(&mut self, position: &Position, ledger: &Ledger) {
        if position.request == self.request as u32 {
            let key = (position.strike.0, position.class == Class::CALL);
            *self.told.entry(key).or_default() += i64::from(position.contracts);
            self.heard += 1;
            self.compare(ledger);
        }
    }

    fn compare(&mut self, ledger: &Ledger) {
        if self.request == 0 || self.total.is_none_or(|total| self.heard < total) {
            return;
        }
        self.request = 0;
        self.told.retain(|_, contracts| *contracts != 0);
        self.agrees = self.told == ledger.contracts();
    }
}
