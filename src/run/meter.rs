//! What the stages know, into counters that other programs read.
//!
//! The stages count in plain fields, which cost nothing; at every beat their thread copies them
//! into the mapped file. So the figures there are at most one beat old.

use crate::{
    book::{Book, Desk, to_currency},
    chain::Chain,
    feed::counts::Counts,
    rt::counters::{Counter, Counters},
    wire::{Event, Kind, control::Timer},
};
use std::{io, vec::Vec};

crate::counters! {
    /// The market as the chain counts it.
    pub(super) struct Market {
        /// The market's own time, as decisions see it.
        pub(super) now: "ns UTC";
        /// Options defined.
        pub(super) options: "instruments";
        /// Quote records of options.
        pub(super) quotes: "records";
        /// Bid plus ask size of all of them.
        pub(super) quote_size: "contracts";
        /// Of them, with one side absent.
        pub(super) one_sided: "records";
        /// Of them, with both sides absent.
        pub(super) empty: "records";
        /// Of them, bid equal to ask.
        pub(super) locked: "records";
        /// Of them, bid above ask.
        pub(super) crossed: "records";
        /// Quote records of underlyings.
        pub(super) underlying_quotes: "records";
        /// Prints of options.
        pub(super) trades: "records";
        /// Their contracts.
        pub(super) volume: "contracts";
        /// Open-interest records.
        pub(super) interests: "records";
        /// Open contracts, the last record of each instrument.
        pub(super) open_interest: "contracts";
        /// Greeks of options computed.
        pub(super) greeks: "options";
        /// Gaps, losses and stalls of sessions.
        pub(super) gaps: "events";
        /// Events on instruments that nobody defined.
        pub(super) unknown_instruments: "events";
        /// Definitions of roots that the universe does not list.
        pub(super) unknown_roots: "events";
        /// Definitions that had no room or no date.
        pub(super) refused: "events";
        /// Event times too far ahead to be true.
        pub(super) bad_times: "events";
    }
}

impl Market {
    /// Copies.
    pub(super) fn publish(&self, chain: &Chain) {
        let totals = &chain.totals;
        for (counter, value) in [
            (&self.now, chain.now),
            (&self.options, totals.options),
            (&self.quotes, totals.quotes),
            (&self.quote_size, totals.quote_size),
            (&self.one_sided, totals.one_sided),
            (&self.empty, totals.empty),
            (&self.locked, totals.locked),
            (&self.crossed, totals.crossed),
            (&self.underlying_quotes, totals.other_quotes),
            (&self.trades, totals.trades),
            (&self.volume, totals.volume),
            (&self.interests, totals.interests),
            (&self.open_interest, totals.interest as u64),
            (&self.greeks, totals.greeks),
            (&self.gaps, totals.gaps),
            (&self.unknown_instruments, totals.unknown_instruments),
            (&self.unknown_roots, totals.unknown_roots),
            (&self.refused, totals.refused),
            (&self.bad_times, totals.bad_times),
        ] {
            counter.set(value);
        }
    }
}

crate::counters! {
    /// What we own and asked for.
    pub(super) struct Desktop {
        /// Contracts traded.
        pub(super) traded: "contracts";
        /// Packages that hold something or still can.
        pub(super) open_packages: "packages";
        /// Orders that can still trade.
        pub(super) working_orders: "orders";
        /// Profit of the session at the worse side of the market, fees taken off; two's complement.
        pub(super) pnl_cents: "cents";
        /// Fees of the session.
        pub(super) fees_cents: "cents";
        /// 1 while the profit can be known.
        pub(super) pnl_known: "1";
        /// Instruments that are held.
        pub(super) positions: "instruments";
        /// Live orders of which nobody knows since a restart how they stand.
        pub(super) in_doubt: "orders";
        /// Contracts, and open orders that are not ours, in which the broker differs from us.
        pub(super) differences: "1";
        /// Sessions of the run so far.
        pub(super) sessions: "1";
        /// 1 where the kill switch or a breaker has halted trading.
        pub(super) halted: "1";
    }
}

impl Desktop {
    /// Copies.
    pub(super) fn publish(&self, book: &Book) {
        let cents = |money| (to_currency(money) * 100.0) as i64 as u64;
        self.traded.set(book.traded);
        self.open_packages.set(book.open_packages().len() as u64);
        self.working_orders.set(book.live().len() as u64);
        self.pnl_cents.set(cents(book.pnl.unwrap_or_default()));
        self.fees_cents.set(cents(book.fees));
        self.pnl_known.set(u64::from(book.pnl.is_some()));
        self.positions.set(book.holdings().len() as u64);
        self.in_doubt.set(u64::from(book.in_doubt()));
        self.halted.set(u64::from(book.venue.killed || book.venue.halted.is_some()));
        self.differences.set(book.audit.differences() as u64);
        self.sessions.set(book.sessions);
    }
}

crate::counters! {
    /// What the feed knows of its own time.
    pub(super) struct Time {
        /// Times that the feed itself stood still for longer than `feed.pause_max`.
        pub(super) pauses: "1";
        /// The longest of them.
        pub(super) pause_ns_max: "ns";
        /// Wall clock less the one clock, as last told; two's complement.
        pub(super) wall_ahead_ns: "ns";
        /// Raw monotonic clock less the one clock, as last told; two's complement.
        pub(super) raw_ahead_ns: "ns";
    }
}

crate::counters! {
    /// What left for the gate and why the rest did not.
    pub(super) struct Outcome {
        /// Orders that RISK approved.
        pub(super) orders: "orders";
        /// Cancels that RISK approved.
        pub(super) cancels: "cancels";
        /// Intents that RISK refused.
        pub(super) refusals: "intents";
        /// Conclusions of strategies.
        pub(super) decisions: "events";
        /// Times that trading was halted.
        pub(super) halts: "events";
        /// Inquiries after orders in doubt.
        pub(super) inquiries: "inquiries";
        /// Questions for all positions and orders.
        pub(super) audits: "questions";
    }
}

impl Outcome {
    /// Counts one output.
    #[inline(always)]
    pub(super) fn count(&self, kind: Kind) {
        match kind {
            Kind::ORDER => self.orders.add(1),
            Kind::CANCEL => self.cancels.add(1),
            Kind::REFUSAL => self.refusals.add(1),
            Kind::DECISION => self.decisions.add(1),
            Kind::HALT => self.halts.add(1),
            Kind::INQUIRY => self.inquiries.add(1),
            Kind::AUDIT => self.audits.add(1),
            _ => {}
        }
    }
}

/// The feed's counts of one session.
#[derive(Debug)]
pub(super) struct Wire(Vec<Counter>);

impl Wire {
    /// Declares them under the session's name.
    pub(super) fn declare(file: &mut Counters, session: &str) -> io::Result<Wire> {
        let declare = |(name, about): &(&str, &str)| file.counter(session, name, "1", about);
        Counts::NAMES.iter().map(declare).collect::<io::Result<Vec<Counter>>>().map(Wire)
    }

    /// Copies.
    pub(super) fn publish(&self, counts: &Counts) {
        self.0.iter().zip(counts.values()).for_each(|(counter, value)| counter.set(value));
    }
}

/// Whether an event is the beat at which a thread publishes, or the beginning of a session.
#[inline(always)]
pub(super) fn is_beat(event: &Event) -> bool {
    event.kind == Kind::TIMER && event.body::<Timer>().id == Timer::BEAT || event.kind == Kind::RUN
}

/// What a thread publishes of its replica of the desk.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// On the thread that prices.
    pub(super) market: Option<Market>,
    /// On the thread that decides.
    pub(super) desktop: Option<Desktop>,
}

impl Meter {
    /// Copies what this thread stands for.
    pub(super) fn publish(&self, desk: &Desk) {
        self.market.iter().for_each(|market| market.publish(&desk.chain));
        self.desktop.iter().for_each(|desktop| desktop.publish(&desk.book));
    }
}
