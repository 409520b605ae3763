//! The output journal of a run in; each strategy's profit by cause out.

use crate::{
    book::CAUSES,
    journal::{Reader, Stream},
    wire::{Event, Kind, order},
};
use alloc::{collections::BTreeMap, vec::Vec};
use std::path::Path;

/// What the packages of a strategy have made by cause, as last told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profit {
    /// Which strategy instance.
    pub strategy: u16,
    /// Packages that were told.
    pub packages: u64,
    /// 1e-9 of currency, by the table of causes.
    pub causes: [i128; CAUSES.len()],
}

/// Reads the journal of `directory` as far as it goes; nothing where there is none.
pub fn profits(directory: &Path) -> Vec<Profit> {
    let Ok(mut outputs) = Reader::open(directory, Stream::Outputs) else { return Vec::new() };
    let mut packages = BTreeMap::new();
    while let Some(event) = outputs.next_event() {
        take(&mut packages, event);
    }
    let mut sums: BTreeMap<u16, Profit> = BTreeMap::new();
    for ((strategy, _), causes) in packages {
        let sum = sums.entry(strategy).or_default();
        (sum.strategy, sum.packages) = (strategy, sum.packages + 1);
        let pairs = sum.causes.iter_mut().zip(causes);
        pairs.for_each(|(sum, amount)| *sum += i128::from(amount));
    }
    sums.into_values().collect()
}

fn take(packages: &mut BTreeMap<(u16, u64), [i64; CAUSES.len()]>, event: &Event) {
    if event.kind != Kind::PROFIT {
        return;
    }
    let body: &order::Profit = event.body();
    let causes = packages.entry((body.strategy, body.package)).or_default();
    if let Some(amount) = causes.get_mut(usize::from(body.cause)) {
        *amount = body.amount.0;
    }
}
