//! Fills of a combination's legs in; the combination as one position out.

use super::{line::Line, money::Money};
use crate::wire::order::LEGS_MAX;

/// A multi-leg position from its first order until it is flat again. Its id is that of the order
/// that opened it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Package {
    /// The number of the order that opened it.
    pub id: u64,
    /// Which strategy instance.
    pub strategy: u16,
    /// Its expiry's index in the chain.
    pub expiry: u16,
    /// Orders of it that can still trade.
    pub live: u32,
    /// Worst-case loss of all that was ordered for it, as RISK measured it.
    pub loss: Money,
    pub(super) count: u8,
    pub(super) slots: [Line; LEGS_MAX],
}

impl Package {
    /// Its holdings, one line per leg of the order that opened it.
    #[inline(always)]
    pub fn lines(&self) -> &[Line] {
        &self.slots[..usize::from(self.count)]
    }

    /// Whether nothing is held.
    pub fn is_flat(&self) -> bool {
        self.lines().iter().all(|line| line.held == 0)
    }

    /// Whether something is held or can still be.
    pub fn is_open(&self) -> bool {
        self.live > 0 || !self.is_flat()
    }

    /// Profit of what was closed, fees taken off.
    pub fn realised(&self) -> Money {
        self.lines().iter().map(|line| line.realised - line.fees).sum()
    }

    /// What was received for what is held: the credit of a short package, all contracts together.
    pub fn credit(&self) -> Money {
        -self.lines().iter().map(|line| line.cost).sum::<Money>()
    }

    pub(super) fn fill(&mut self, instrument: u32, contracts: i64, price: i64, fee: Money) -> bool {
        let count = usize::from(self.count);
        let line = self.slots[..count].iter_mut().find(|line| line.instrument == instrument);
        line.map(|line| line.fill(contracts, price, fee)).is_some()
    }
}
