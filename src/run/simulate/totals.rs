//! Runs in; what happened in them, counted, out.

use super::witness::Witness;
use crate::{
    gate::Counts,
    sim::{FAULTS, venue::Exchange},
    wire::{Event, Kind},
};
use std::{fmt, vec, vec::Vec};

/// What happened in a number of runs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// Runs.
    pub runs: u64,
    /// Inputs journaled.
    pub inputs: u64,
    /// Outputs recorded.
    pub outputs: u64,
    /// Orders that RISK approved, and intents that it refused.
    pub approved: u64,
    /// Intents refused.
    pub refused: u64,
    /// Orders that reached the venue.
    pub orders: u64,
    /// Fills of legs that were told.
    pub fills: u64,
    /// Halts announced.
    pub halts: u64,
    /// Processes started after a crash.
    pub restarts: u64,
    /// Inquiries after orders in doubt.
    pub inquiries: u64,
    /// Messages of the gate that were sent again.
    pub resent: u64,
    /// Orders and cancels that could not be sent.
    pub unsent: u64,
    /// A sum over all bytes of all inputs and outputs: equal for equal runs.
    pub digest: u64,
    /// How often each fault struck, in the order of [`FAULTS`].
    pub faults: Vec<u64>,
}

impl Totals {
    pub(super) fn add_process(&mut self, gate: &Counts) {
        self.resent += gate.resent;
        self.unsent += gate.unsent;
        self.inquiries += gate.inquiries;
    }

    pub(super) fn add_run(&mut self, witness: &Witness, exchange: &Exchange, faults: &[u64]) {
        let count = |events: &[Event], kind| {
            events.iter().filter(|event| event.kind == kind).count() as u64
        };
        self.runs += 1;
        self.inputs += witness.inputs.len() as u64;
        self.outputs += witness.outputs.len() as u64;
        self.approved += count(&witness.outputs, Kind::ORDER);
        self.refused += count(&witness.outputs, Kind::REFUSAL);
        self.halts += count(&witness.outputs, Kind::HALT);
        self.orders += exchange.orders.len() as u64;
        self.fills += witness.ledger.fills;
        self.digest = digest(&witness.inputs).wrapping_add(digest(&witness.outputs));
        self.faults = faults.to_vec();
    }

    /// These runs and those.
    pub fn plus(mut self, other: &Totals) -> Totals {
        self.runs += other.runs;
        self.inputs += other.inputs;
        self.outputs += other.outputs;
        self.approved += other.approved;
        self.refused += other.refused;
        self.orders += other.orders;
        self.fills += other.fills;
        self.halts += other.halts;
        self.restarts += other.restarts;
        self.inquiries += other.inquiries;
        self.resent += other.resent;
        self.unsent += other.unsent;
        self.digest = self.digest.wrapping_add(other.digest);
        if self.faults.is_empty() {
            self.faults = vec![0; FAULTS.len()];
        }
        self.faults.iter_mut().zip(&other.faults).for_each(|(to, from)| *to += from);
        self
    }
}

/// FNV-1a by words.
fn digest(events: &[Event]) -> u64 {
    let words = events.iter().flat_map(bytemuck::cast_ref::<Event, [u64; 8]>);
    words.fold(0xcbf2_9ce4_8422_2325, |hash: u64, word| {
        (hash ^ word).wrapping_mul(0x100_0000_01b3).rotate_left(17)
    })
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} runs, {} inputs, {} outputs: {} orders approved, {} refused, {} at the venue, {} \
             leg fills, {} halts, {} restarts, \
             {} inquiries, {} messages resent, {} unsent; digest {:016x}",
            self.runs,
            self.inputs,
            self.outputs,
            self.approved,
            self.refused,
            self.orders,
            self.fills,
            self.halts,
            self.restarts,
            self.inquiries,
            self.resent,
            self.unsent,
            self.digest
        )?;
        for (row, count) in FAULTS.iter().zip(&self.faults) {
            writeln!(f, "  {:>8}  {:<26} {}", count, row.name, row.about)?;
        }
        Ok(())
    }
}
