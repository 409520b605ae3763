//! A chain's snapshot as a CSV file in, the chain as the engine would hold it out.
#![allow(dead_code, reason = "every test binary uses its own part")]
use crate::support::{data, universe};
use std::fs;
use zomma::{
    chain::{Chain, Clock, Track, Universe, name_of},
    greeks::Revalue,
    stage::{Emit, Tap, Then},
    wire::{
        Event, Flags, Kind, NANOS_PER_SECOND, NO_INSTRUMENT, Price,
        control::Timer,
        market::{Class, Definition, Interest, Quote},
    },
};

/// 2019-06-26 15:45 in New York.
pub(crate) const SPXW_AT: u64 = 1_561_578_300 * NANOS_PER_SECOND;

/// A row of the file.
struct Row {
    expiration: u64,
    strike: f64,
    class: Class,
    bid: (f64, u32),
    ask: (f64, u32),
    interest: i64,
}

fn midnight(date: &str) -> u64 {
    let date: jiff::civil::Date = date.parse().unwrap();
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).unwrap();
    zoned.timestamp().as_nanosecond() as u64
}

fn rows(text: &str) -> Vec<Row> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |at: usize| cells[at].parse::<f64>().unwrap();
        Row {
            expiration: midnight(cells[1]),
            strike: number(2),
            class: Class(cells[3].as_bytes()[0]),
            bid: (number(5), number(4) as u32),
            ask: (number(7), number(6) as u32),
            interest: number(11) as i64,
        }
    };
    text.lines().skip(1).filter(|line| !line.is_empty()).map(row).collect()
}

fn price(value: f64) -> Price {
    if value > 0.0 { Price((value * 1e9).round() as i64) } else { Price::UNDEF }
}

fn events(rows: &[Row]) -> Vec<Event> {
    let mut events = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let index = index as u32;
        let definition = Definition {
            strike: price(row.strike),
            expiration: row.expiration,
            root: name_of("SPXW"),
            venue_id: index,
            class: row.class,
            mapped: 0,
            reserved: 0,
        };
        let quote = Quote {
            bid: price(row.bid.0),
            ask: price(row.ask.0),
            bid_size: row.bid.1,
            ask_size: row.ask.1,
            ..bytemuck::Zeroable::zeroed()
        };
        let interest = Interest { contracts: row.interest, ts_ref: 0, reserved: [0; 2] };
        events.push(Event::new(Kind::DEFINITION, index, definition));
        events.push(Event::new(Kind::INTEREST, index, interest));
        events.push(Event::new(Kind::QUOTE, index, quote));
    }
    for event in &mut events {
        (event.ts_event, event.ts_recv) = (SPXW_AT, SPXW_AT);
    }
    events
}

fn beat() -> Event {
    let timer = Timer { id: Timer::BEAT, reserved: 0, due: SPXW_AT, count: 0, reserved2: 0 };
    let event = Event::new(Kind::TIMER, NO_INSTRUMENT, timer);
    Event { ts_event: SPXW_AT, ts_recv: SPXW_AT, flags: Flags::BATCH_END, ..event }
}

/// The universe for the snapshot: every expiry is looked at on every beat.
pub(crate) fn spxw_universe() -> Universe {
    let mut universe = universe(Clock::Receive);
    (universe.revaluation.turns, universe.surface.turns) = (64, 64);
    universe.surface.every = 1;
    universe
}

/// The SPXW chain of 2019-06-26 15:45, valued, with its smiles fitted; `None` where the data is
/// absent.
pub(crate) fn spxw() -> Option<Chain> {
    let text = fs::read_to_string(data("volkit-spxw/spxw20190626.csv")?).unwrap();
    let universe = spxw_universe();
    let mut chain = Chain::new(&universe);
    let mut stages = Then(Track, Then(Revalue::new(&universe), Tap(|_: &mut Chain, _: &Event| {})));
    for event in &events(&rows(&text)) {
        stages.emit(&mut chain, event);
    }
    for _ in 0..6 {
        stages.emit(&mut chain, &beat());
    }
    Some(chain)
}
