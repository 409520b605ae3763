//! What features cost: a tick into the accumulators, a row, a row with a bar's end; beside the `ta`
//! crate, which does some of the indicators one at a time.
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use ta::{
    DataItem, Next,
    indicators::{
        AverageTrueRange, BollingerBands, CommodityChannelIndex, ExponentialMovingAverage,
        FastStochastic, RateOfChange, RelativeStrengthIndex, SimpleMovingAverage,
    },
};

#[path = "../tests/floor/mod.rs"]
mod floor;

use zomma::{
    book::{Book, Desk},
    chain::{Chain, Track, name_of},
    config::Span,
    feature::{Bar, Features, Row, Schema, Settings, Terms, Windows},
    stage::{Emit, Sink, Then},
    wire::{
        Event, Flags, Kind, Price, UNDEF_TIME,
        market::{Class, Definition, Quote, Trade},
    },
};

const SPY: u32 = 7;
const MILLISECOND: u64 = 1_000_000;

/// The stages up to the features, and a stream of quotes of an underlying.
struct Market<S> {
    desk: Desk,
    stages: S,
    now: u64,
    seq: u64,
}

fn market(settings: &Settings) -> Market<impl Emit<Desk, Event> + use<>> {
    let (universe, schema) = (floor::universe(), Schema::new(settings));
    let book = Book::new(&floor::settings("").0, floor::BROKER);
    let desk = Desk { chain: Chain::new(&universe), book, features: Row::new(&schema) };
    let stages = Then(Track, Then(Features::new(&schema, &universe), Sink));
    let mut market = Market { desk, stages, now: floor::OPEN, seq: 0 };
    let definition = Definition {
        strike: Price::UNDEF,
        expiration: UNDEF_TIME,
        root: name_of("SPY"),
        venue_id: SPY,
        class: Class::STOCK,
        mapped: 0,
        reserved: 0,
    };
    market.send(Event::new(Kind::DEFINITION, SPY, definition));
    for _ in 0..1_000 {
        market.quote(200 * MILLISECOND);
    }
    market
}

impl<S: Emit<Desk, Event>> Market<S> {
    fn send(&mut self, event: Event) {
        self.seq += 1;
        let (seq, now) = (self.seq, self.now);
        let event = Event { seq, ts_event: now, ts_recv: now, flags: Flags::BATCH_END, ..event };
        self.stages.emit(&mut self.desk, &event);
    }

    /// A quote, `later` ns after the one before; near the close of a session, in the next.
    fn quote(&mut self, later: u64) {
        self.now += later;
        if self.desk.chain.local(0, self.now).1 > 57_000 {
            self.now += 18 * 3_600_000 * MILLISECOND;
            while !self.desk.chain.calendar(0).unwrap().day(self.now).trades() {
                self.now += 24 * 3_600_000 * MILLISECOND;
            }
        }
        let mid = 45_000 + self.seq * 7 % 13;
        let price = |cents: u64| Price((mid + cents) as i64 * 10_000_000);
        let quote = Quote { bid: price(0), ask: price(2), ..bytemuck::Zeroable::zeroed() };
        self.send(Event::new(Kind::QUOTE, SPY, quote));
        if self.seq.is_multiple_of(5) {
            let trade = Trade { price: price(2), size: 100, ..bytemuck::Zeroable::zeroed() };
            self.send(Event::new(Kind::TRADE, SPY, trade));
        }
    }
}

fn with(every: u64, roots: &[&str]) -> Settings {
    Settings { every: Span(every), ..Settings::with_roots(roots) }
}

fn stage(c: &mut Criterion) {
    let mut group = c.benchmark_group("features");
    group.bench_function("nothing", |b| b.iter(|| black_box(7u64)));
    let hour = 3_600_000 * MILLISECOND;
    let mut off = market(&with(hour, &[]));
    group.bench_function("quote, chain alone", |b| b.iter(|| off.quote(1)));
    let mut ticks = market(&with(hour, &["SPY"]));
    group.bench_function("quote, chain and accumulators", |b| b.iter(|| ticks.quote(1)));
    let columns = Schema::new(&with(hour, &["SPY"])).columns().len();
    let mut rows = market(&with(MILLISECOND, &["SPY"]));
    group.bench_function(format!("quote and row of {columns}"), |b| {
        b.iter(|| {
            rows.quote(MILLISECOND);
        });
    });
    let mut ends = market(&with(1_000 * MILLISECOND, &["SPY"]));
    group.bench_function(format!("quote, end of 1 s bar, row of {columns}"), |b| {
        b.iter(|| ends.quote(1_000 * MILLISECOND));
    });
    group.finish();
}

/// A bar into all windows, beside eight indicators of the `ta` crate over the same windows.
fn bars(c: &mut Criterion) {
    let mut group = c.benchmark_group("features, one bar, windows 5 14 20 50 100");
    let windows = [5usize, 14, 20, 50, 100];
    let bar = |i: u64| {
        let close = 450.0 + (i * 7 % 13) as f64 * 0.01;
        Bar {
            open: close,
            high: close + 0.03,
            low: close - 0.02,
            close,
            volume: 100.0,
            ..Bar::NONE
        }
    };
    let mut own = Windows::new(&windows);
    let mut i = 0;
    group.bench_function("sums for 35 statistics", |b| {
        b.iter(|| {
            i += 1;
            let terms = Terms::of(&bar(i - 1), &bar(i), &bar(i + 1));
            own.push(&terms, &bar(i + 1));
            black_box(&own);
        });
    });
    let mut peers: Vec<_> = windows
        .iter()
        .map(|&w| {
            (
                SimpleMovingAverage::new(w).unwrap(),
                ExponentialMovingAverage::new(w).unwrap(),
                RelativeStrengthIndex::new(w).unwrap(),
                BollingerBands::new(w, 2.0).unwrap(),
                AverageTrueRange::new(w).unwrap(),
                RateOfChange::new(w).unwrap(),
                FastStochastic::new(w).unwrap(),
                CommodityChannelIndex::new(w).unwrap(),
            )
        })
        .collect();
    group.bench_function("ta: 8 indicators", |b| {
        b.iter_batched(
            || {
                i += 1;
                let bar = bar(i);
                let item = DataItem::builder().open(bar.open).high(bar.high).low(bar.low);
                item.close(bar.close).volume(bar.volume).build().unwrap()
            },
            |item| {
                for (sma, ema, rsi, bb, atr, roc, stochastic, cci) in &mut peers {
                    black_box((sma.next(&item), ema.next(&item), rsi.next(&item)));
                    black_box((bb.next(&item), atr.next(&item), roc.next(&item)));
                    black_box((stochastic.next(&item), cci.next(&item)));
                }
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, stage, bars);
criterion_main!(benches);
