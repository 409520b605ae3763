//! How many messages a second does one core take from the socket's bytes into the journal and the
//! chain? Each row adds a stage to the one above it; `copy` is the do-nothing baseline.
//!
//! Quotes of a chain of 1,200 options as DBN records, in reads of 64 records; each stage's share is
//! the difference between two rows. `cargo bench --bench pipeline`
#![allow(missing_docs, clippy::disallowed_methods)]

use dbn::{Cmbp1Msg, RecordHeader, SymbolMappingMsg, rtype};
use std::{error::Error, fs, hint::black_box, path::Path};
use zomma::{
    chain::{Chain, Track, Universe},
    config::{Reader, Span},
    feed::{
        Registry, Sequencer,
        dbn::{Prints, Stream},
    },
    greeks::Revalue,
    journal::{self, Inputs, Journal, Manifest, Opened, Settings, Sync},
    rt::clock::Clock,
    stage::{Emit, Sink, Then},
    wire::Event,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

const RECORDS: u32 = 100_000;
const ROUNDS: u32 = 20;
const STRIKES: u32 = 120;
const EXPIRIES: [&str; 5] = ["250910", "250911", "250912", "250917", "251009"];
const OPTIONS: u32 = STRIKES * 2 * EXPIRIES.len() as u32;
/// Records of one read.
const READ: usize = 64;
/// 2025-09-10 15:00:00 UTC.
const START: u64 = 1_757_516_400_000_000_000;
const SPOT: f64 = 6_500.0;

/// Strike, whether it is a call, and expiry of an option.
fn terms(option: u32) -> (f64, bool, usize) {
    let (row, expiry) = (option / 2 % STRIKES, option / 2 / STRIKES);
    (
        SPOT + 5.0 * (f64::from(row) - f64::from(STRIKES) / 2.0),
        option.is_multiple_of(2),
        expiry as usize,
    )
}

fn symbol(option: u32) -> String {
    let (strike, call, expiry) = terms(option);
    let class = if call { 'C' } else { 'P' };
    format!("SPXW  {}{class}{:08}", EXPIRIES[expiry], (strike * 1_000.0) as u32)
}

fn mappings() -> Vec<u8> {
    let record = |option: u32| {
        let hd =
            RecordHeader::new::<SymbolMappingMsg>(rtype::SYMBOL_MAPPING, 30, option + 1, START);
        let mut record = SymbolMappingMsg { hd, ..Default::default() };
        let field = record.stype_out_symbol.iter_mut();
        field.zip(symbol(option).bytes()).for_each(|(to, from)| *to = from as _);
        record
    };
    (0..OPTIONS).flat_map(|option| record(option).as_ref().to_vec()).collect()
}

/// A quote around a smooth price, on the tick.
fn quote(i: u32, ts: u64) -> Cmbp1Msg {
    let option = i.wrapping_mul(2_654_435_761) % OPTIONS;
    let (strike, call, expiry) = terms(option);
    let width = 30.0 * (1.0 + expiry as f64);
    let inner = if call { SPOT - strike } else { strike - SPOT };
    let worth = inner.max(0.0) + width / 3.0 / (1.0 + ((strike - SPOT) / width).powi(2));
    let bid = (worth * 20.0) as i64 * 50_000_000;
    let hd = RecordHeader::new::<Cmbp1Msg>(rtype::CMBP_1, 30, option + 1, ts);
    let mut record = Cmbp1Msg { hd, ..Cmbp1Msg::default_for_schema(dbn::Schema::Cmbp1) };
    let level = &mut record.levels[0];
    (level.bid_px, level.ask_px) = (bid.max(50_000_000), bid.max(50_000_000) + 100_000_000);
    (level.bid_sz, level.ask_sz) = (1 + i % 100, 1 + i % 77);
    record
}

fn quotes() -> Vec<u8> {
    let ts = |i: u32| START + u64::from(i) * 1_000;
    (0..RECORDS).flat_map(|i| quote(i, ts(i)).as_ref().to_vec()).collect()
}

fn universe() -> Outcome<Universe> {
    let text = fs::read_to_string("config/universe.toml")?;
    let wrong = |errors: Vec<_>| format!("{errors:?}");
    let mut reader = Reader::new("universe.toml", &text).map_err(wrong)?;
    let universe = Universe::from_config(&mut reader);
    reader.finish().map_err(wrong)?;
    universe.ok_or_else(|| "the universe does not read".into())
}

fn journal(directory: &Path) -> Outcome<Opened> {
    let settings = Settings {
        segment_bytes: 64 << 20,
        output_segment_bytes: 65_536,
        sync: Sync::None,
        sync_interval: Span(50_000_000),
    };
    let opened = Journal::create(directory, &settings, Manifest::new(1, Vec::new())?)?;
    // The keeper brings the second segment before anything is measured.
    std::thread::sleep(std::time::Duration::from_millis(200));
    Ok(opened)
}

/// Bytes as reads would bring them through decoder, registry, sequencer and these stages.
fn measure<S: Emit<Chain, Event>>(name: &str, data: &Data, chain: &mut Chain, mut stages: S) {
    let (mut stream, mut registry) = (Stream::new(0, Prints::Trades), Registry::new(1, 65_536));
    stream.restart_in_records(false);
    let mut sequencer = Sequencer::new(1, 1_024);
    let mut buffer = vec![0; READ * 80];
    let mut read = |bytes: &[u8], now: u64| {
        buffer[..bytes.len()].copy_from_slice(bytes);
        sequencer.begin(1, now);
        let mut out = |event: &Event| stages.emit(chain, event);
        stream.decode(&buffer[..bytes.len()], &mut registry, &mut |event| {
            sequencer.push(event, &mut out);
        });
        sequencer.end(&mut out);
    };
    data.names.chunks(data.names.len() / OPTIONS as usize).for_each(|bytes| read(bytes, START));
    for bytes in data.quotes.chunks(READ * 80) {
        read(bytes, data.clock.now());
    }
    let start = data.clock.now();
    for _ in 0..ROUNDS {
        for bytes in data.quotes.chunks(READ * 80) {
            read(bytes, data.clock.now());
        }
    }
    tell(name, data.clock.now() - start);
}

fn copy(data: &Data) {
    let (mut buffer, start) = (vec![0; READ * 80], data.clock.now());
    for _ in 0..ROUNDS {
        for bytes in data.quotes.chunks(READ * 80) {
            buffer[..bytes.len()].copy_from_slice(bytes);
            black_box(&buffer);
        }
    }
    tell("copy of the bytes", data.clock.now() - start);
}

fn tell(name: &str, nanos: u64) {
    let each = nanos as f64 / f64::from(RECORDS) / f64::from(ROUNDS);
    println!("{name:<44} {each:>8.1} ns {:>9.2} M messages/s", 1e3 / each);
}

struct Data {
    names: Vec<u8>,
    quotes: Vec<u8>,
    clock: Clock,
}

fn main() -> Outcome<()> {
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let data = Data { names: mappings(), quotes: quotes(), clock: Clock::start() };
    let (universe, folder) = (universe()?, tempfile::tempdir()?);
    let chain = || Chain::new(&universe);
    copy(&data);
    measure("decode, registry, sequencer", &data, &mut chain(), Sink);
    for (name, depth) in [("… journal", 0), ("… chain", 1), ("… Greeks", 2)] {
        let opened = journal(&folder.path().join(depth.to_string()))?;
        let (inputs, watch) =
            (Inputs::new(opened.inputs, 0), opened.journal.watch(journal::Stream::Inputs).clone());
        let mut chain = chain();
        match depth {
            0 => measure(name, &data, &mut chain, Then(inputs, Sink)),
            1 => measure(name, &data, &mut chain, Then(inputs, Then(Track, Sink))),
            _ => {
                let greeks = Then(Revalue::new(&universe), Sink);
                measure(name, &data, &mut chain, Then(inputs, Then(Track, greeks)));
            }
        }
        drop(opened.outputs);
        opened.journal.finish()?;
        let total = u64::from(RECORDS * (ROUNDS + 1) + OPTIONS);
        let totals = &chain.totals;
        println!(
            "    {} of {total} in the journal, {} waits for a segment; {} options, {} Greeks",
            watch.written(),
            watch.waits(),
            totals.options,
            totals.greeks,
        );
    }
    Ok(())
}
