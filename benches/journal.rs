//! What one append costs, and how fast a journal is verified, searched and replayed. Ways that lost
//! stay as opponents. Directories of recorded runs may be named behind `--`; they are replayed.
//!
//! Batches: ns per record over 1,000 appends at a time. Paced: each append on its own, one every
//! microsecond, over segment rolls, with what the clock and the host add beside it (`nothing`).
//! Last, what the strict policy makes an order wait, beside what the interval would.
#![allow(missing_docs, clippy::disallowed_methods)]

use hdrhistogram::Histogram;
use std::{
    fs::File,
    hint::black_box,
    io::{BufWriter, Write},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};
use zomma::{
    config::Span,
    journal::{Journal, Manifest, Mark, Opened, Reader, Settings, Stream, Sync},
    run::{self, replay::Replayed, settings::Threads},
    wire::{Event, Kind, Price, market::Quote},
};

const BATCH: u64 = 1_000;
const BATCHES: u64 = 4_000;
const PACED: u64 = 2_000_000;
const ORDERS: u64 = 100;
/// 64 MiB: more than any cache, as a segment is.
const WORDS: usize = 8 << 20;

fn event() -> Event {
    let quote = Quote {
        bid: Price(1_250_000_000),
        ask: Price(1_300_000_000),
        bid_size: 7,
        ask_size: 9,
        venue_seq: 3,
        reserved: 0,
    };
    Event { seq: 1, ts_event: 2, ts_recv: 3, ..Event::new(Kind::QUOTE, 5, quote) }
}

/// Durations of `append` in batches, in tenths of a nanosecond per record.
fn batches(name: &str, batches: u64, mut append: impl FnMut(&Event)) {
    let (clock, mut event) = (quanta::Clock::new(), event());
    let mut tenths = Histogram::<u64>::new_with_bounds(1, 1 << 36, 3).unwrap();
    for _ in 0..batches {
        let start = clock.raw();
        for _ in 0..BATCH {
            event.seq += 1;
            append(black_box(&event));
        }
        let nanos = clock.delta_as_nanos(start, clock.raw());
        tenths.record((nanos * 10 / BATCH).max(1)).unwrap();
    }
    let at = |q| tenths.value_at_quantile(q) as f64 / 10.0;
    println!("{name:<44} {:>9.1} {:>9.1} {:>9.1}", at(0.5), at(0.99), at(1.0));
}

/// Durations of single appends, one every microsecond.
fn paced(name: &str, mut append: impl FnMut(&Event)) {
    let (clock, mut event) = (quanta::Clock::new(), event());
    let mut nanos = Histogram::<u64>::new_with_bounds(1, 1 << 36, 3).unwrap();
    let mut due = clock.raw();
    for _ in 0..PACED {
        while clock.delta_as_nanos(due, clock.raw()) < 1_000 {}
        due = clock.raw();
        event.seq += 1;
        let start = clock.raw();
        append(black_box(&event));
        nanos.record(clock.delta_as_nanos(start, clock.raw()).max(1)).unwrap();
    }
    let at = |q| nanos.value_at_quantile(q);
    let row = [at(0.5), at(0.9), at(0.99), at(0.999), at(0.9999), nanos.max()];
    print!("{name:<44}");
    row.iter().for_each(|value| print!(" {value:>9}"));
    println!();
}

fn create(directory: &Path, sync: Sync) -> Opened {
    let settings = Settings {
        segment_bytes: 64 << 20,
        output_segment_bytes: 65_536,
        sync,
        sync_interval: Span(50_000_000),
    };
    Journal::create(directory, &settings, Manifest::new(1, Vec::new()).unwrap()).unwrap()
}

/// Appends into a fresh journal; says how often the writer waited for the keeper.
fn journal(directory: &Path, sync: Sync, measure: impl FnOnce(&mut dyn FnMut(&Event))) {
    let mut opened = create(directory, sync);
    // The keeper brings the second segment before anything is measured.
    for _ in 0..100 {
        std::thread::park_timeout(std::time::Duration::from_millis(2));
    }
    measure(&mut |event| {
        let _ = black_box(opened.inputs.append(event));
    });
    let watch = opened.inputs.watch();
    drop((opened.inputs, opened.outputs));
    let error = opened.journal.finish().err();
    println!("    {} records, {} waits, error {error:?}", watch.written(), watch.waits());
}

/// Appends to the inputs of a strict journal, and for every thousandth input an order: the disk is
/// always at work.
fn ordering(directory: &Path, measure: impl FnOnce(&mut dyn FnMut(&Event))) {
    let mut opened = create(directory, Sync::Strict);
    for _ in 0..100 {
        std::thread::park_timeout(std::time::Duration::from_millis(2));
    }
    measure(&mut |event| {
        let _ = black_box(opened.inputs.append(event));
        if event.seq.is_multiple_of(1_000) {
            let _ = black_box(opened.outputs.append(event));
        }
    });
    let watch = opened.outputs.watch();
    drop((opened.inputs, opened.outputs));
    let error = opened.journal.finish().err();
    println!("    {} orders, {} waits, error {error:?}", watch.written(), watch.waits());
}

/// Memory that is present; nobody reads it, but the compiler must not know.
fn memory() -> Vec<AtomicU64> {
    black_box((0..WORDS).map(|_| AtomicU64::new(1)).collect())
}

/// The floor: 64 bytes into memory that is present.
fn copy() -> impl FnMut(&Event) {
    let mut memory = black_box(vec![1u8; WORDS * 8]);
    let mut at = 0;
    move |event| {
        memory[at..at + 64].copy_from_slice(event.bytes());
        at = if at + 160 > memory.len() { 0 } else { at + 80 };
    }
}

/// What the checksum costs: everything else of an append.
fn commit_only() -> impl FnMut(&Event) {
    let memory = memory();
    let (mut at, mut number) = (0, 0);
    move |event| {
        number += 1;
        let words: [u64; 8] = bytemuck::must_cast(*event);
        let slot = &memory[at..at + 10];
        slot[1].store(number, Ordering::Relaxed);
        slot[2..].iter().zip(words).for_each(|(to, word)| to.store(word, Ordering::Relaxed));
        slot[0].store(1 << 16 | 80, Ordering::Release);
        at = if at + 20 > WORDS { 0 } else { at + 10 };
    }
}

/// The same, with a checksum of a library over the content, chained by its seed.
fn with_checksum(sum: impl Fn(u32, &[u8]) -> u32) -> impl FnMut(&Event) {
    let memory = memory();
    let (mut at, mut number, mut chain) = (0, 0u64, 1);
    move |event| {
        number += 1;
        let words: [u64; 8] = bytemuck::must_cast(*event);
        chain = sum(sum(chain, &number.to_le_bytes()), event.bytes());
        let slot = &memory[at..at + 10];
        slot[1].store(number, Ordering::Relaxed);
        slot[2..].iter().zip(words).for_each(|(to, word)| to.store(word, Ordering::Relaxed));
        slot[0].store(1 << 16 | 80 | u64::from(chain) << 32, Ordering::Release);
        at = if at + 20 > WORDS { 0 } else { at + 10 };
    }
}

fn crc32fast(seed: u32, bytes: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new_with_initial(seed);
    sum.update(bytes);
    sum.finalize()
}

/// From the append of an output to the moment at which it may leave: it and its cause are on the
/// disk. One order every 20 ms among an input every 10 microseconds.
fn order_delay(name: &str, directory: &Path, sync: Sync) {
    let Opened { journal, mut inputs, mut outputs } = create(directory, sync);
    let (clock, mut event) = (quanta::Clock::new(), event());
    let mut micros = Histogram::<u64>::new_with_bounds(1, 1 << 36, 3).unwrap();
    let (seen_in, seen_out) = (inputs.watch(), outputs.watch());
    let mut due = clock.raw();
    for order in 1..=ORDERS {
        for _ in 0..2_000 {
            while clock.delta_as_nanos(due, clock.raw()) < 10_000 {}
            due = clock.raw();
            event.seq += 1;
            let _ = inputs.append(&event);
        }
        let start = clock.raw();
        let _ = outputs.append(&event);
        while seen_in.durable() < seen_in.written() || seen_out.durable() < order {
            if journal.error().is_some() {
                return println!("{name}: {:?}", journal.error());
            }
            std::thread::yield_now();
        }
        micros.record(clock.delta_as_nanos(start, clock.raw()) / 1_000).unwrap();
        due = clock.raw();
    }
    let at = |q| micros.value_at_quantile(q) as f64 / 1e3;
    println!("{name:<44} {:>9.2} {:>9.2} {:>9.2}", at(0.5), at(0.99), at(1.0));
}

fn verify(directory: &Path) {
    let (clock, mut best) = (quanta::Clock::new(), f64::INFINITY);
    let mut records = 0;
    for _ in 0..3 {
        let start = clock.raw();
        let end = Reader::open(directory, Stream::Inputs).unwrap().verify();
        best = best.min(clock.delta_as_nanos(start, clock.raw()) as f64);
        assert!(end.is_whole(), "{end}");
        records = end.records();
    }
    println!("verification: {records} records, {:.1} M records/s", records as f64 * 1e3 / best);
}

/// Opening a stream at a place and reading the record there, at random places.
fn seek(directory: &Path, name: &str, open: impl Fn(u64) -> Reader) {
    const SEEKS: u64 = 5_000;
    let records = Reader::open(directory, Stream::Inputs).unwrap().verify().records();
    let (clock, mut place) = (quanta::Clock::new(), 1u64);
    let mut nanos = Histogram::<u64>::new_with_bounds(1, 1 << 36, 3).unwrap();
    for _ in 0..SEEKS {
        place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let start = clock.raw();
        let mut reader = open(1 + (place >> 33) % records);
        black_box(reader.next_event());
        nanos.record(clock.delta_as_nanos(start, clock.raw()).max(1)).unwrap();
    }
    let at = |q| nanos.value_at_quantile(q) as f64 / 1e3;
    let (p50, p99, worst) = (at(0.5), at(0.99), at(1.0));
    println!("seek {name:<39} {p50:>9.1} {p99:>9.1} {worst:>9.1} µs (p50, p99, worst)");
}

/// A recorded run through all stages, and how its outputs compare.
fn replay(directory: &Path) {
    for threads in [Threads::Inline, Threads::Shared] {
        let (clock, mut best) = (quanta::Clock::new(), f64::INFINITY);
        let mut replayed = None;
        for _ in 0..3 {
            let start = clock.raw();
            replayed = Some(run::replay::on(directory, threads).unwrap());
            best = best.min(clock.delta_as_nanos(start, clock.raw()) as f64);
        }
        let Some(Replayed { inputs, events, verdict }) = replayed else { return };
        let rate = |count: u64| count as f64 * 1e3 / best;
        println!(
            "replay, {}: {inputs} inputs ({:.2} M/s), {events} events through the stages \
             ({:.2} M/s); {verdict}",
            threads.name(),
            rate(inputs),
            rate(events)
        );
    }
}

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    println!("in batches of {BATCH}, ns per record {:>15} {:>9} {:>9}", "p50", "p99", "worst");
    batches("copy of 64 bytes", BATCHES, copy());
    batches("copy and commit word, no checksum", BATCHES, commit_only());
    batches("and the crate crc32c", BATCHES / 4, with_checksum(crc32c::crc32c_append));
    batches("and the crate crc32fast", BATCHES / 4, with_checksum(crc32fast));
    journal(&path("a"), Sync::None, |append| batches("journal, sync none", BATCHES, append));
    journal(&path("b"), Sync::Interval, |append| {
        batches("journal, sync every 50 ms", BATCHES, append);
    });
    let mut buffered = BufWriter::with_capacity(1 << 16, File::create(path("c")).unwrap());
    batches("BufWriter of 64 KiB", BATCHES, |event| buffered.write_all(event.bytes()).unwrap());
    let mut file = File::create(path("d")).unwrap();
    batches("a write per record", BATCHES / 20, |event| file.write_all(event.bytes()).unwrap());
    println!();
    print!("one every microsecond, ns {:>18}", "");
    ["p50", "p90", "p99", "p99.9", "p99.99", "worst"].iter().for_each(|q| print!(" {q:>9}"));
    println!();
    paced("nothing: clock and host", |_| {});
    paced("copy of 64 bytes", copy());
    journal(&path("e"), Sync::None, |append| paced("journal, sync none", append));
    journal(&path("f"), Sync::Interval, |append| paced("journal, sync every 50 ms", append));
    ordering(&path("i"), |append| paced("journal, strict, 1,000 orders a second", append));
    println!();
    println!("an order's wait for the disk, ms {:>20} {:>9} {:>9}", "p50", "p99", "worst");
    order_delay("journal, sync every 50 ms", &path("g"), Sync::Interval);
    order_delay("journal, strict", &path("h"), Sync::Strict);
    println!();
    verify(&path("a"));
    let (inputs, run) = (Stream::Inputs, path("a"));
    seek(&run, "by number", |n| Reader::open_at_record(&run, inputs, n).unwrap());
    seek(&run, "by input or time", |n| Reader::open_at(&run, inputs, Mark::Seq(n)).unwrap());
    // Arguments that are no options are the directories of recorded runs.
    let runs = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    runs.for_each(|run| replay(Path::new(&run)));
}
