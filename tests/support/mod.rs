//! Recordings and reference files for the tests: a file's name in, events or rows out.
#![allow(dead_code, reason = "every test binary uses its own part")]
use std::{collections::BTreeMap, fs, io::Read, path::PathBuf};
use zomma::{
    chain::{Clock, Universe, name_of},
    wire::{
        Event, Flags, Kind, Price, UNDEF_TIME,
        market::{Class, Definition, Interest, Quote, Trade},
    },
};

/// The folder of a data set, `None` with a visible word where it is absent.
pub(crate) fn folder(variable: &str, default: &str, name: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test finds its data through it")]
    let root = std::env::var(variable).map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(default);
    let path = root.unwrap_or(beside).join(name);
    if !path.exists() {
        println!("skipped: no {default}/{name}; set {variable}");
        return None;
    }
    Some(path)
}

/// A file of market data.
pub(crate) fn data(name: &str) -> Option<PathBuf> {
    folder("ZOMMA_DATA", "data", name)
}

/// Rows of a reference file, by column.
pub(crate) struct Rows {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// A row of [`Rows`].
pub(crate) struct Row<'a>(&'a Rows, &'a [String]);

impl Rows {
    /// Reads a CSV file, gzipped or not.
    pub(crate) fn read(name: &str) -> Option<Rows> {
        let path = folder("ZOMMA_REFERENCE", "reference", name)?;
        let bytes = fs::read(path).unwrap();
        let mut text = String::new();
        if name.ends_with(".gz") {
            flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        } else {
            text = String::from_utf8(bytes).unwrap();
        }
        let mut lines = text.lines().map(|line| line.split(',').map(String::from).collect());
        Some(Rows { columns: lines.next().unwrap(), rows: lines.collect() })
    }

    /// All rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|row| Row(self, row))
    }
}

impl Row<'_> {
    /// The text of a column.
    pub(crate) fn text(&self, column: &str) -> &str {
        let at = self.0.columns.iter().position(|c| c == column);
        &self.1[at.unwrap_or_else(|| panic!("no column {column}"))]
    }

    /// The number of a column; NaN and infinities as written.
    pub(crate) fn number(&self, column: &str) -> f64 {
        self.text(column).parse().unwrap_or_else(|_| panic!("{column}: {}", self.text(column)))
    }
}

/// The universe that the repository ships, with this clock.
pub(crate) fn universe(clock: Clock) -> Universe {
    universe_with(clock, 2)
}

/// The same, taking a forward from no fewer pairs than these.
pub(crate) fn universe_with(clock: Clock, pairs_min: usize) -> Universe {
    let text = include_str!("../../config/universe.toml");
    let greeks = format!("[greeks]\npairs_min = {pairs_min}\n\n[rates]");
    let text = text.replace("[rates]", &greeks);
    match Universe::parse("universe.toml", &text) {
        Ok(universe) => Universe { clock, ..universe },
        Err(errors) => panic!("{errors:?}"),
    }
}

/// A recording as events: dense indices in the order of definition, `source` for all of them.
pub(crate) struct Recording {
    /// The events, numbered and stamped with the exchange's time.
    pub(crate) events: Vec<Event>,
    indices: BTreeMap<u32, u32>,
    next: u32,
}

impl Recording {
    /// Decodes a DBN file; indices start at `first`.
    pub(crate) fn read(path: &PathBuf, source: u16, first: u32) -> Recording {
        use dbn::decode::{DbnMetadata, DecodeRecordRef};
        let mut decoder = dbn::decode::dbn::Decoder::from_zstd_file(path).unwrap();
        let mut recording = Recording { events: Vec::new(), indices: BTreeMap::new(), next: first };
        recording.map(decoder.metadata(), source);
        while let Some(record) = decoder.decode_record_ref().unwrap() {
            if let Some(mut event) = recording.event(&record) {
                event.source = source;
                event.seq = recording.events.len() as u64 + 1;
                event.flags = Flags::BATCH_END;
                recording.events.push(event);
            }
        }
        recording
    }

    // A file of one schema names its instruments in the header alone.
    fn map(&mut self, metadata: &dbn::Metadata, source: u16) {
        for mapping in &metadata.mappings {
            let Some(Ok(id)) = mapping.intervals.first().map(|i| i.symbol.parse()) else {
                continue;
            };
            let Some(definition) = osi(&mapping.raw_symbol, id) else { continue };
            let index = self.index(id);
            let event = Event::new(Kind::DEFINITION, index, definition);
            self.events.push(Event { source, flags: Flags::BATCH_END, ..event });
        }
    }

    fn index(&mut self, id: u32) -> u32 {
        let next = &mut self.next;
        *self.indices.entry(id).or_insert_with(|| {
            *next += 1;
            *next - 1
        })
    }

    fn event(&mut self, record: &dbn::RecordRef<'_>) -> Option<Event> {
        let ts_event = record.header().ts_event;
        let id = self.index(record.header().instrument_id);
        let (event, ts_recv) = if let Some(m) = record.get::<dbn::SymbolMappingMsg>() {
            (
                Event::new(
                    Kind::DEFINITION,
                    id,
                    osi(m.stype_out_symbol().unwrap(), m.hd.instrument_id)?,
                ),
                0,
            )
        } else if let Some(m) = record.get::<dbn::InstrumentDefMsg>() {
            (Event::new(Kind::DEFINITION, id, definition(m)), m.ts_recv)
        } else if let Some(m) = record.get::<dbn::Cmbp1Msg>() {
            let level = &m.levels[0];
            let sizes = (level.bid_sz, level.ask_sz);
            (Event::new(Kind::QUOTE, id, quote(level.bid_px, level.ask_px, sizes)), m.ts_recv)
        } else if let Some(m) = record.get::<dbn::Mbp1Msg>() {
            let level = &m.levels[0];
            let sizes = (level.bid_sz, level.ask_sz);
            (Event::new(Kind::QUOTE, id, quote(level.bid_px, level.ask_px, sizes)), m.ts_recv)
        } else if let Some(m) = record.get::<dbn::TradeMsg>() {
            let body = Trade {
                price: Price(m.price),
                size: m.size,
                side: m.side as u8,
                ..bytemuck::Zeroable::zeroed()
            };
            (Event::new(Kind::TRADE, id, body), m.ts_recv)
        } else if let Some(m) = record.get::<dbn::StatMsg>() {
            let body = Interest { contracts: m.quantity, ts_ref: m.ts_ref, reserved: [0; 2] };
            (Event::new(Kind::INTEREST, id, body), m.ts_recv)
        } else {
            return None;
        };
        Some(Event { ts_event, ts_recv, ..event })
    }
}

fn quote(bid: i64, ask: i64, (bid_size, ask_size): (u32, u32)) -> Quote {
    let (bid, ask) = (Price(bid), Price(ask));
    Quote { bid, ask, bid_size, ask_size, ..bytemuck::Zeroable::zeroed() }
}

fn definition(m: &dbn::InstrumentDefMsg) -> Definition {
    let symbol = m.raw_symbol().unwrap();
    if let Some(found) = osi(symbol, m.hd.instrument_id) {
        return Definition { mapped: 0, expiration: m.expiration, ..found };
    }
    let root = if m.asset().unwrap().is_empty() { symbol } else { m.asset().unwrap() };
    Definition {
        strike: Price(m.strike_price),
        expiration: m.expiration,
        root: name_of(root),
        venue_id: m.hd.instrument_id,
        class: Class(m.instrument_class as u8),
        mapped: 0,
        reserved: 0,
    }
}

/// An OSI symbol (`GOOG  151224C00700000`), or a ticker as a stock.
fn osi(symbol: &str, venue_id: u32) -> Option<Definition> {
    if symbol.len() != 21 {
        return (!symbol.contains(' ')).then(|| Definition {
            strike: Price::UNDEF,
            expiration: UNDEF_TIME,
            root: name_of(symbol),
            venue_id,
            class: Class::STOCK,
            mapped: 1,
            reserved: 0,
        });
    }
    let number = |range: core::ops::Range<usize>| symbol[range].parse::<i64>().ok();
    let date =
        jiff::civil::date(2000 + number(6..8)? as i16, number(8..10)? as i8, number(10..12)? as i8);
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(Definition {
        strike: Price(number(13..21)? * 1_000_000),
        expiration: midnight.as_nanosecond() as u64,
        root: name_of(symbol[..6].trim()),
        venue_id,
        class: Class(symbol.as_bytes()[12]),
        mapped: 1,
        reserved: 0,
    })
}
