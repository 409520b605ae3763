//! Market events in; the quotes as they stand, and what speaks against trading on them, out.

use super::ledger::Approved;
use crate::{
    risk::Limits,
    wire::{
        Event, Kind, NO_INSTRUMENT, Timestamp,
        control::{Session, SessionState},
        market::{Quote, Status},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
};

/// The last quote of an instrument.
#[derive(Clone, Copy, Debug)]
struct Last {
    quote: Quote,
    at: Timestamp,
    source: u16,
    stale: bool,
}

/// All quotes.
#[derive(Debug, Default)]
pub(super) struct Quotes {
    last: BTreeMap<u32, Last>,
    /// Instruments that do not trade; [`NO_INSTRUMENT`] for the whole market.
    paused: BTreeSet<u32>,
}

impl Quotes {
    pub(super) fn on_input(&mut self, event: &Event) {
        match event.kind {
            Kind::QUOTE => {
                let (quote, at, source) = (*event.body(), event.ts_recv, event.source);
                self.last.insert(event.instrument, Last { quote, at, source, stale: false });
            }
            Kind::GAP => self.lose(event.source),
            Kind::SESSION => {
                let state = event.body::<Session>().state;
                if state == SessionState::DOWN || state == SessionState::STALE {
                    self.lose(event.source);
                }
            }
            Kind::STATUS => {
                if event.body::<Status>().action == crate::sim::records::TRADING {
                    self.paused.remove(&event.instrument);
                } else {
                    self.paused.insert(event.instrument);
                }
            }
            _ => {}
        }
    }

    fn lose(&mut self, source: u16) {
        let lost = self.last.values_mut().filter(|last| last.source == source);
        lost.for_each(|last| last.stale = true);
    }

    /// The process was started again: nobody knows what was quoted meanwhile.
    pub(super) fn lose_all(&mut self) {
        self.last.values_mut().for_each(|last| last.stale = true);
    }

    pub(super) fn is_trading(&self, instrument: u32) -> bool {
        !self.paused.contains(&instrument) && !self.paused.contains(&NO_INSTRUMENT)
    }

    /// Bid and ask, 1e-9, where they are.
    pub(super) fn of(&self, instrument: u32) -> (Option<i64>, Option<i64>) {
        let defined = |price: crate::wire::Price| price.is_defined().then_some(price.0);
        let last = self.last.get(&instrument);
        last.map_or((None, None), |last| (defined(last.quote.bid), defined(last.quote.ask)))
    }

    /// What speaks against an opening order, if anything does.
    pub(super) fn object(
        &self,
        order: &Approved,
        now: Timestamp,
        limits: &Limits,
    ) -> Option<String> {
        order.legs.iter().find_map(|(instrument, leg)| {
            let Some(last) = self.last.get(instrument) else {
                return Some(format!("{instrument} was never quoted"));
            };
            let (bid, ask) = self.of(*instrument);
            let age = now.saturating_sub(last.at);
            let size = if leg.side > 0 { last.quote.ask_size } else { last.quote.bid_size };
            let wanted = order.contracts(leg);
            match (bid, ask) {
                _ if last.stale => Some(format!("the quote of {instrument} is stale")),
                _ if age > limits.quote_age_max.nanos() => {
                    Some(format!("the quote of {instrument} is {age} ns old"))
                }
                (Some(bid), Some(ask)) if bid >= ask => {
                    Some(format!("the quote of {instrument} is locked or crossed"))
                }
                (Some(_), Some(_)) if wanted as f64 > f64::from(size) * limits.size_share_max => {
                    Some(format!("{wanted} of {instrument} wanted where {size} are shown"))
                }
                (Some(_), Some(_)) => None,
                _ => Some(format!("{instrument} is quoted on one side at most")),
            }
        })
    }
}
