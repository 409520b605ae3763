//! A chain's file in Cboe's end-of-day layout in; events as a feed would give them out.

use zomma::{
    chain::name_of,
    run::Failure,
    wire::{
        Event, Flags, Kind, NO_INSTRUMENT, Price, Timestamp,
        control::Timer,
        market::{Class, Definition, Interest, Quote, Trade},
    },
};

/// The columns that are read, by name; others are passed over.
const COLUMNS: [&str; 9] = [
    "expiration",
    "strike",
    "option_type",
    "bid_1545",
    "bid_size_1545",
    "ask_1545",
    "ask_size_1545",
    "trade_volume",
    "open_interest",
];
/// Beats behind the rows: smiles are fitted again above those of nearer expiries.
const BEATS: usize = 4;

/// Definition, open interest, volume and quote of every row, then beats; all at one instant.
pub(super) fn events(file: &str, text: &str, at: Timestamp) -> Result<Vec<Event>, Failure> {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let mut places = [0; COLUMNS.len()];
    for (place, name) in places.iter_mut().zip(COLUMNS) {
        let found = header.iter().position(|column| column.trim() == name);
        *place = found.ok_or_else(|| Failure::input(format!("{file}: no column {name}")))?;
    }
    let root = header.iter().position(|column| *column == "root");
    let mut events = Vec::new();
    for (number, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        let cells: Vec<&str> = line.split(',').collect();
        let wrong = || Failure::input(format!("{file}: line {}: not a row", number + 2));
        let cell = |at: usize| cells.get(places[at]).copied().ok_or_else(wrong);
        let value = |at: usize| cell(at)?.trim().parse::<f64>().map_err(|_| wrong());
        let date: jiff::civil::Date = cell(0)?.parse().map_err(|_| wrong())?;
        let root = root.and_then(|at| cells.get(at)).map_or("SPXW", |root| root.trim());
        let row = Row {
            root,
            date,
            strike: value(1)?,
            call: cell(2)?.eq_ignore_ascii_case("c"),
            bid: (value(3)?, value(4)? as u32),
            ask: (value(5)?, value(6)? as u32),
            volume: value(7)? as u32,
            interest: value(8)? as i64,
        };
        row.tell(number as u32, &mut events).ok_or_else(wrong)?;
    }
    let timer = Timer { id: Timer::BEAT, reserved: 0, due: at, count: 0, reserved2: 0 };
    events.extend((0..BEATS).map(|_| Event::new(Kind::TIMER, NO_INSTRUMENT, timer)));
    for (seq, event) in (1..).zip(&mut events) {
        (event.seq, event.ts_event, event.ts_recv) = (seq, at, at);
        if event.kind == Kind::TIMER {
            event.flags = Flags::BATCH_END;
        }
    }
    Ok(events)
}

struct Row<'a> {
    root: &'a str,
    date: jiff::civil::Date,
    strike: f64,
    call: bool,
    bid: (f64, u32),
    ask: (f64, u32),
    volume: u32,
    interest: i64,
}

impl Row<'_> {
    fn tell(&self, index: u32, events: &mut Vec<Event>) -> Option<()> {
        let midnight = self.date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        let definition = Definition {
            strike: price(self.strike),
            expiration: u64::try_from(midnight.as_nanosecond()).ok()?,
            root: name_of(self.root),
            venue_id: index,
            class: if self.call { Class::CALL } else { Class::PUT },
            mapped: 0,
            reserved: 0,
        };
        let quote = Quote {
            bid: price(self.bid.0),
            ask: price(self.ask.0),
            bid_size: self.bid.1,
            ask_size: self.ask.1,
            venue_seq: 0,
            reserved: 0,
        };
        let trade = Trade {
            price: Price::UNDEF,
            size: self.volume,
            side: b'N',
            reserved: [0; 3],
            venue_seq: 0,
            reserved2: [0; 3],
        };
        let interest = Interest { contracts: self.interest, ts_ref: 0, reserved: [0; 2] };
        events.push(Event::new(Kind::DEFINITION, index, definition));
        events.push(Event::new(Kind::INTEREST, index, interest));
        if self.volume > 0 {
            events.push(Event::new(Kind::TRADE, index, trade));
        }
        events.push(Event::new(Kind::QUOTE, index, quote));
        Some(())
    }
}

fn price(value: f64) -> Price {
    if value > 0.0 { Price((value * 1e9).round() as i64) } else { Price::UNDEF }
}
