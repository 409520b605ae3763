//! Inputs in; how many of each kind there were, so that it can be said what a run lacked, out.

use std::collections::{BTreeMap, BTreeSet};
use zomma::{
    chain::Chain,
    feed::registry::INSTRUMENTS_MAX,
    run::Plan,
    wire::{
        Event, Kind,
        market::{Interest, Trade},
    },
};

/// What a run was made from.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// Quotes of underlyings.
    pub spot_quotes: u64,
    /// Prints of underlyings.
    pub spot_prints: u64,
    /// Quotes of options.
    pub quotes: u64,
    /// Prints of options.
    pub prints: u64,
    /// Those of at least `[features] block` contracts.
    pub blocks: u64,
    /// Reports of open interest.
    pub interests: u64,
    /// Those that told another number than the one before of the same contract.
    pub interest_changes: u64,
    /// Observations by series.
    pub observations: BTreeMap<String, u64>,
    /// Days with rows, as 20151224.
    pub days: BTreeSet<u32>,
    /// Rows.
    pub rows: usize,
    block: u32,
    names: Vec<String>,
    held: BTreeMap<u32, i64>,
}

impl Census {
    /// Nothing yet.
    pub(super) fn new(plan: &Plan) -> Census {
        let names = plan.universe.series.iter().map(|row| row.name.clone()).collect();
        Census { block: plan.features.settings().block, names, ..Census::default() }
    }

    /// An input that the chain has.
    pub(super) fn on(&mut self, chain: &Chain, event: &Event) {
        if event.kind == Kind::OBSERVATION {
            if let Some(name) = self.names.get(event.instrument as usize) {
                *self.observations.entry(name.clone()).or_default() += 1;
            }
            return;
        }
        if event.instrument as usize >= INSTRUMENTS_MAX {
            return;
        }
        let Some(terms) = chain.instrument(event.instrument) else { return };
        let option = terms.class.is_option();
        match event.kind {
            Kind::QUOTE if option => self.quotes += 1,
            Kind::QUOTE => self.spot_quotes += 1,
            Kind::TRADE if option => {
                self.prints += 1;
                self.blocks += u64::from(event.body::<Trade>().size >= self.block);
            }
            Kind::TRADE => self.spot_prints += 1,
            Kind::INTEREST => self.interest(event),
            _ => {}
        }
    }

    fn interest(&mut self, event: &Event) {
        let contracts = event.body::<Interest>().contracts;
        let before = self.held.insert(event.instrument, contracts);
        self.interests += 1;
        self.interest_changes += u64::from(before.is_some_and(|before| before != contracts));
    }

    /// A row was made on this day.
    pub(super) fn row(&mut self, date: u32) {
        self.rows += 1;
        self.days.insert(date);
    }

    /// In one line.
    pub(super) fn line(&self) -> String {
        format!(
            "{} quotes and {} prints of underlyings, {} quotes and {} prints of options ({} \
             blocks), {} reports of open interest ({} changes), {} observations",
            self.spot_quotes,
            self.spot_prints,
            self.quotes,
            self.prints,
            self.blocks,
            self.interests,
            self.interest_changes,
            self.observations.values().sum::<u64>(),
        )
    }
}
