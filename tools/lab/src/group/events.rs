//! Inputs in; a file for each kind of the market's events, one of instruments, and one that holds
//! all kinds, inputs and outputs, that have no file of their own: nothing of a journal is left out.

use super::{Done, Opened, Scribe};
use crate::{
    column::{Day, Name, Stamp},
    known::{Contract, Known, Symbol},
    options::Options,
    sheet::{Close, Folder, Sheet},
    table::{Table, table},
};
use std::fmt::Write;
use zomma::{
    journal::{PAYLOAD_AT, fields},
    run::Plan,
    wire::{
        Event, Kind, NO_INSTRUMENT, Price,
        market::{self, Class},
    },
};

table! {
    /// An instrument as its last definition has it, whatever the range of the export.
    struct Instrument in "instruments" {
        /// Dense index of the instrument in this run.
        instrument: u32, "-";
        /// Session that defined it.
        source: u16, "-";
        /// The venue's own number.
        venue_id: u32, "-";
        /// The symbol as the venue writes it, null in a journal that has no names.
        symbol: Option<String>, "-";
        /// call, put, future, stock, index or other.
        class: &'static str, "-";
        /// Option root or ticker.
        root: Option<Name>, "-";
        /// Day (UTC) of the expiration.
        expiry: Option<Day>, "-";
        /// Expiration as the feed has it; OPRA gives 00:00 UTC of the day.
        expiration: Option<Stamp>, "-";
        /// Strike.
        strike: Option<Price>, "currency";
        /// C or P, null where it is no option.
        cp: Option<&'static str>, "-";
        /// When it settles by the universe's rules.
        settles: Option<Stamp>, "-";
        /// Currency per point of one contract by the universe's rules.
        multiplier: Option<f64>, "currency";
        /// Whether a symbol mapping alone named it.
        mapped: bool, "-";
        /// Input number of its first definition.
        first_seq: u64, "-";
        /// Input number of its last definition.
        last_seq: u64, "-";
        /// How often it was defined.
        definitions: u32, "definitions";
    }
}

table! {
    /// A best bid and ask as it came in; either side may be absent.
    struct Quote in "quotes" {
        /// Input number: the place in the one order of events.
        seq: u64, "-";
        /// The exchange's time.
        ts_event: Option<Stamp>, "-";
        /// When the socket read that held it returned.
        ts_recv: Option<Stamp>, "-";
        /// Session that it came from.
        source: u16, "-";
        /// Dense index of the instrument in this run.
        instrument: u32, "-";
        /// Option root or ticker.
        root: Option<Name>, "-";
        /// Day (UTC) of the expiration.
        expiry: Option<Day>, "-";
        /// Strike.
        strike: Option<Price>, "currency";
        /// C or P, null where it is no option.
        cp: Option<&'static str>, "-";
        /// Bits: 1 ends a batch, 2 snapshot, 4 bad receive time at the venue, 8 maybe a bad book.
        flags: u8, "-";
        /// Best bid per unit.
        bid: Price, "currency";
        /// Best ask per unit.
        ask: Price, "currency";
        /// Contracts (or shares) at the bid.
        bid_size: u32, "contracts";
        /// Contracts (or shares) at the ask.
        ask_size: u32, "contracts";
        /// The venue's sequence number, 0 where it has none.
        venue_seq: u32, "-";
    }
}

table! {
    /// A print as it came in.
    struct Trade in "trades" {
        /// Input number: the place in the one order of events.
        seq: u64, "-";
        /// The exchange's time.
        ts_event: Option<Stamp>, "-";
        /// When the socket read that held it returned.
        ts_recv: Option<Stamp>, "-";
        /// Session that it came from.
        source: u16, "-";
        /// Dense index of the instrument in this run.
        instrument: u32, "-";
        /// Option root or ticker.
        root: Option<Name>, "-";
        /// Day (UTC) of the expiration.
        expiry: Option<Day>, "-";
        /// Strike.
        strike: Option<Price>, "currency";
        /// C or P, null where it is no option.
        cp: Option<&'static str>, "-";
        /// Bits: 1 ends a batch, 2 snapshot, 4 bad receive time at the venue, 8 maybe a bad book.
        flags: u8, "-";
        /// Its price per unit.
        price: Price, "currency";
        /// Contracts (or shares).
        size: u32, "contracts";
        /// The aggressor: A sold, B bought, N unknown.
        side: &'static str, "-";
        /// The venue's sequence number, 0 where it has none.
        venue_seq: u32, "-";
    }
}

table! {
    /// A report of open interest as it came in; the last one of an instrument and day counts.
    struct Interest in "interest" {
        /// Input number: the place in the one order of events.
        seq: u64, "-";
        /// The exchange's time.
        ts_event: Option<Stamp>, "-";
        /// When the socket read that held it returned.
        ts_recv: Option<Stamp>, "-";
        /// Session that it came from.
        source: u16, "-";
        /// Dense index of the instrument in this run.
        instrument: u32, "-";
        /// Option root or ticker.
        root: Option<Name>, "-";
        /// Day (UTC) of the expiration.
        expiry: Option<Day>, "-";
        /// Strike.
        strike: Option<Price>, "currency";
        /// C or P, null where it is no option.
        cp: Option<&'static str>, "-";
        /// Open contracts.
        contracts: i64, "contracts";
        /// The day that it is for, as the venue has it.
        ts_ref: Option<Stamp>, "-";
    }
}

table! {
    /// A number of an external series as it came in, however long before its time.
    struct Observation in "observations" {
        /// Input number: the place in the one order of events.
        seq: u64, "-";
        /// From when it was known, null for "from when it came".
        known: Option<Stamp>, "-";
        /// When the socket read that held it returned.
        ts_recv: Option<Stamp>, "-";
        /// Session that it came from, 0 for a file.
        source: u16, "-";
        /// Name of the series, null where the universe has no such one.
        series: Option<String>, "-";
        /// What it is about, null for "what was known then".
        about: Option<Stamp>, "-";
        /// The number.
        value: f64, "of the series";
    }
}

table! {
    /// An event of any kind that has no file of its own: runs, timers, sessions, gaps, commands,
    /// faults, symbols as they came, trading status, messages of the broker's session, and kinds
    /// that are newer than this program's files.
    struct Other in "other" {
        /// Which journal: input or output.
        stream: &'static str, "-";
        /// Input number; of an output that of the input that caused it.
        seq: u64, "-";
        /// The exchange's time.
        ts_event: Option<Stamp>, "-";
        /// When the socket read that held it returned.
        ts_recv: Option<Stamp>, "-";
        /// Session that it came from.
        source: u16, "-";
        /// Dense index of the instrument, null where it names none.
        instrument: Option<u32>, "-";
        /// Number of the kind.
        kind: u8, "-";
        /// Name of the kind.
        name: &'static str, "-";
        /// Fields of the payload as name=value, as `zomma journal dump` shows them.
        detail: String, "-";
    }
}

/// The files of the group.
pub(super) fn tables() -> Vec<Table> {
    Vec::from([
        Table::of::<Instrument>(),
        Table::of::<Quote>(),
        Table::of::<Trade>(),
        Table::of::<Interest>(),
        Table::of::<Observation>(),
        Table::of::<Other>(),
    ])
}

/// Begins them.
pub(super) fn open(folder: &mut Folder, _: &Plan, _: &Options) -> Opened {
    Ok(Box::new(Events {
        instruments: folder.sheet()?,
        quotes: folder.sheet()?,
        trades: folder.sheet()?,
        interests: folder.sheet()?,
        observations: folder.sheet()?,
        others: folder.sheet()?,
    }))
}

struct Events {
    instruments: Sheet<Instrument>,
    quotes: Sheet<Quote>,
    trades: Sheet<Trade>,
    interests: Sheet<Interest>,
    observations: Sheet<Observation>,
    others: Sheet<Other>,
}

impl Scribe for Events {
    fn on_input(&mut self, known: &Known, event: &Event) -> Done {
        let symbol = || known.contracts.symbol(event.instrument);
        match event.kind {
            Kind::QUOTE => self.quotes.push(quote(event, symbol())),
            Kind::TRADE => self.trades.push(trade(event, symbol())),
            Kind::INTEREST => self.interests.push(interest(event, symbol())),
            Kind::OBSERVATION => self.observations.push(observation(event, known)),
            Kind::DEFINITION | Kind::REPORT => Ok(()),
            _ => self.others.push(other("input", event)),
        }
    }

    fn on_output(&mut self, _: &Known, event: &Event) -> Done {
        match event.kind {
            Kind::DECISION | Kind::ORDER | Kind::ORDER_LEG | Kind::CANCEL => Ok(()),
            Kind::REFUSAL | Kind::BREACH | Kind::HALT | Kind::FEATURES => Ok(()),
            Kind::PROFIT | Kind::SETTLEMENT => Ok(()),
            _ => self.others.push(other("output", event)),
        }
    }

    fn on_end(&mut self, known: &Known) -> Done {
        let rows = known.contracts.iter().map(|(index, found)| instrument(known, index, found));
        rows.into_iter().try_for_each(|row| self.instruments.push(row))
    }

    fn sheets(&mut self) -> Vec<&mut dyn Close> {
        let Events { instruments, quotes, trades, interests, observations, others } = self;
        let market = [instruments as &mut dyn Close, quotes, trades, interests];
        market.into_iter().chain([observations as &mut dyn Close, others]).collect()
    }
}

fn instrument(known: &Known, index: u32, contract: &Contract) -> Instrument {
    let Symbol { root, expiry, strike, cp } = contract.symbol();
    let rules = known.chain.instrument(index);
    let terms = &contract.terms;
    Instrument {
        instrument: index,
        source: contract.source,
        venue_id: terms.venue_id,
        symbol: known.contracts.text(index),
        class: class(terms.class),
        root,
        expiry,
        expiration: Stamp::of(terms.expiration),
        strike,
        cp,
        settles: rules.and_then(|rules| Stamp::after_zero(rules.settles)),
        multiplier: rules.map(|rules| rules.multiplier).filter(|value| value.is_finite()),
        mapped: terms.mapped != 0,
        first_seq: contract.first_seq,
        last_seq: contract.last_seq,
        definitions: contract.definitions,
    }
}

fn class(class: Class) -> &'static str {
    match class {
        Class::CALL => "call",
        Class::PUT => "put",
        Class::FUTURE => "future",
        Class::STOCK => "stock",
        Class::INDEX => "index",
        _ => "other",
    }
}

fn quote(event: &Event, Symbol { root, expiry, strike, cp }: Symbol) -> Quote {
    let body: &market::Quote = event.body();
    Quote {
        seq: event.seq,
        ts_event: Stamp::of(event.ts_event),
        ts_recv: Stamp::of(event.ts_recv),
        source: event.source,
        instrument: event.instrument,
        root,
        expiry,
        strike,
        cp,
        flags: event.flags.0,
        bid: body.bid,
        ask: body.ask,
        bid_size: body.bid_size,
        ask_size: body.ask_size,
        venue_seq: body.venue_seq,
    }
}

fn trade(event: &Event, Symbol { root, expiry, strike, cp }: Symbol) -> Trade {
    let body: &market::Trade = event.body();
    Trade {
        seq: event.seq,
        ts_event: Stamp::of(event.ts_event),
        ts_recv: Stamp::of(event.ts_recv),
        source: event.source,
        instrument: event.instrument,
        root,
        expiry,
        strike,
        cp,
        flags: event.flags.0,
        price: body.price,
        size: body.size,
        side: match body.side {
            b'A' => "A",
            b'B' => "B",
            _ => "N",
        },
        venue_seq: body.venue_seq,
    }
}

fn interest(event: &Event, Symbol { root, expiry, strike, cp }: Symbol) -> Interest {
    let body: &market::Interest = event.body();
    Interest {
        seq: event.seq,
        ts_event: Stamp::of(event.ts_event),
        ts_recv: Stamp::of(event.ts_recv),
        source: event.source,
        instrument: event.instrument,
        root,
        expiry,
        strike,
        cp,
        contracts: body.contracts,
        ts_ref: Stamp::of(body.ts_ref),
    }
}

fn observation(event: &Event, known: &Known) -> Observation {
    let body: &market::Observation = event.body();
    let series = u16::try_from(event.instrument).ok().and_then(|at| known.chain.series(at));
    Observation {
        seq: event.seq,
        known: Stamp::of(event.ts_event),
        ts_recv: Stamp::of(event.ts_recv),
        source: event.source,
        series: series.map(|series| series.name().to_string()),
        about: Stamp::of(body.about),
        value: body.value,
    }
}

fn other(stream: &'static str, event: &Event) -> Other {
    let mut detail = String::new();
    for field in fields(event.kind).filter(|field| field.at >= PAYLOAD_AT) {
        let space = if detail.is_empty() { "" } else { " " };
        let _ = write!(detail, "{space}{}={}", field.name, field.show(event));
    }
    Other {
        stream,
        seq: event.seq,
        ts_event: Stamp::of(event.ts_event),
        ts_recv: Stamp::of(event.ts_recv),
        source: event.source,
        instrument: Some(event.instrument).filter(|index| *index != NO_INSTRUMENT),
        kind: event.kind.0,
        name: event.kind.doc().map_or("unknown", |row| row.name),
        detail,
    }
}
