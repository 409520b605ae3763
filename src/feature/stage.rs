//! The stage: events in; the same events, and a FEATURES event for every row, out.
//!
//! Accumulators follow the inputs one by one. At the first batch end or timer at which the chain's
//! time has passed a multiple of the cadence, a row is made of what is known then, and nothing of
//! it changes afterwards. What GREEKS derives is read there alone: between the first and the last
//! derived event of a batch, threads differ in what they have seen.

use super::{
    block::{Setup, Subject},
    common::Common,
    row::Row,
    schema::Schema,
    underlying::Underlying,
};
use crate::{
    chain::{Chain, NO_ROOT, Universe},
    stage::{Emit, Stage},
    wire::{Event, Kind, NO_INSTRUMENT, Timestamp, market},
};
use alloc::vec::Vec;

/// Keeps the features of all configured roots.
#[derive(Debug)]
pub struct Features {
    every: u64,
    due: Timestamp,
    roots: Vec<Underlying>,
    common: Common,
}

/// What accumulators are told of.
const FOLLOWED: [Kind; 5] =
    [Kind::QUOTE, Kind::TRADE, Kind::DEFINITION, Kind::INTEREST, Kind::STATUS];

impl Features {
    /// Accumulators for every root of the schema; those that the universe does not list have none
    /// of their own and stay unknown.
    pub fn new(schema: &Schema, universe: &Universe) -> Features {
        let settings = schema.settings();
        let root = |name: &str| universe.find_root(name).unwrap_or(NO_ROOT);
        let roots = settings.roots.iter().map(|name| {
            let limits = &universe.limits;
            let setup = Setup { settings, limits, universe, schema, root: name };
            Underlying::new(root(name), &setup)
        });
        let roots = roots.collect();
        let common = Common::new(settings, universe);
        Features { every: settings.every.nanos(), due: 0, roots, common }
    }

    #[inline(always)]
    fn follow(&mut self, chain: &Chain, event: &Event) {
        for root in &mut self.roots {
            root.advance(chain);
        }
        if !FOLLOWED.contains(&event.kind) {
            return;
        }
        let Some(terms) = chain.instrument(event.instrument) else { return };
        for root in &mut self.roots {
            if terms.class.is_option() {
                if terms.root == root.root {
                    root.on(chain, event, &Subject::Option(*terms));
                }
            } else if chain.underlying(root.root) == Some(event.instrument) {
                root.on(chain, event, &Subject::Underlying);
            }
        }
    }

    #[inline(always)]
    fn is_due(&mut self, now: Timestamp) -> bool {
        let is_due = self.due != 0 && now >= self.due;
        if is_due || self.due == 0 && now != 0 {
            self.due = (now / self.every + 1) * self.every;
        }
        is_due
    }

    fn fill(&mut self, chain: &Chain, row: &mut Row) {
        let mut rest = &mut row.values[..];
        for root in &mut self.roots {
            let (mine, others) = rest.split_at_mut(root.width());
            root.fill(chain, mine);
            rest = others;
        }
        self.common.fill(chain, rest);
        row.seal(chain.now);
    }
}

impl<K: AsRef<Chain> + AsMut<Row>> Stage<K> for Features {
    type In = Event;
    type Out = Event;

    #[inline]
    fn on(&mut self, known: &mut K, event: &Event, out: &mut impl Emit<K, Event>) {
        if self.roots.is_empty() || !event.kind.is_input() {
            return out.emit(known, event);
        }
        self.follow(known.as_ref(), event);
        let ends = event.ends_batch() || event.kind == Kind::TIMER;
        if ends {
            self.roots.iter_mut().for_each(|root| root.on_batch(known.as_ref()));
        }
        if ends && self.is_due(known.as_ref().now) {
            let mut row = core::mem::take(known.as_mut());
            self.fill(known.as_ref(), &mut row);
            let body = market::Features {
                schema: row.schema,
                digest: row.digest,
                number: row.number,
                known: row.count,
                columns: row.values.len() as u32,
            };
            *known.as_mut() = row;
            out.emit(known, &Event::caused_by(event, Kind::FEATURES, NO_INSTRUMENT, body));
        }
        out.emit(known, event);
    }
}
