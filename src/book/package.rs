//! Fills of a combination's legs in; the combination as one position out.

use super::{line::Line, money::Money};
use crate::wire::order::LEGS_MAX;

/// Most instruments of a package: the legs of an order, what hedges and adjustments add, and what a
/// settlement delivers.
pub const LINES_MAX: usize = LEGS_MAX + 2;

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
    /// What of its profit is in its strategy's record already.
    pub(super) counted: Money,
    pub(super) count: u8,
    pub(super) slots: [Line; LINES_MAX],
}

impl Package {
    /// Its holdings: one line per leg of the order that opened it, then what came later.
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

    /// What it holds of an instrument.
    pub fn line(&self, instrument: u32) -> Option<&Line> {
        self.lines().iter().find(|line| line.instrument == instrument)
    }

    /// Whether these instruments have lines, or would have, with one left for a settlement.
    pub(super) fn has_lines(&self, instruments: impl Iterator<Item = u32>) -> bool {
        let new = instruments.filter(|instrument| self.line(*instrument).is_none()).count();
        usize::from(self.count) + new < LINES_MAX
    }

    /// The line of an instrument, made where it is missing; `None` where there is no room.
    pub(super) fn open_line(&mut self, instrument: u32, multiplier: i64) -> Option<&mut Line> {
        let count = usize::from(self.count);
        let known = self.lines().iter().position(|line| line.instrument == instrument);
        let at = known.unwrap_or(count);
        let line = self.slots.get_mut(at)?;
        if known.is_none() {
            *line = Line::new(instrument, multiplier);
            self.count += 1;
        }
        Some(line)
    }
}
