//! Packages that have closed in; what a strategy has won and lost so far out.

use super::{Book, Money, Package};

/// Strategies whose packages are counted.
pub(super) const STRATEGIES_MAX: usize = 64;

/// Closed packages of a strategy, fees taken off.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// Those that won.
    pub won: u32,
    /// Those that did not.
    pub lost: u32,
    /// What the ones have made together.
    pub gained: Money,
    /// What the others have lost together.
    pub given: Money,
}

impl Record {
    fn take(&mut self, profit: Money) {
        if profit > 0 {
            self.won += 1;
            self.gained = self.gained.saturating_add(profit);
        } else {
            self.lost += 1;
            self.given = self.given.saturating_sub(profit);
        }
    }
}

impl Book {
    /// What a strategy's closed packages have come to.
    pub fn record(&self, strategy: u16) -> Record {
        self.records.get(usize::from(strategy)).copied().unwrap_or_default()
    }

    /// A package holds nothing any more. One that a late fill opens again counts once more, with
    /// what it has made since.
    pub(super) fn count_closed(&mut self, place: u32) {
        let Some(package) = self.packages.get_mut(place as usize) else { return };
        let traded = |p: &Package| p.lines().iter().any(|l| l.fees != 0 || l.realised != 0);
        let profit = package.realised() - package.counted;
        if !traded(package) || profit == 0 && package.counted != 0 {
            return;
        }
        package.counted += profit;
        if let Some(record) = self.records.get_mut(usize::from(package.strategy)) {
            record.take(profit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_and_adds_up_apart() {
        let mut record = Record::default();
        [5, -3, 0, 7].into_iter().for_each(|profit| record.take(profit));
        assert_eq!(record, Record { won: 2, lost: 2, gained: 12, given: 3 });
    }
}
