//! What a price, a volatility and a revaluation cost: ns an option beside a do-nothing baseline,
//! the textbook's scalar form and statrs. One 1,024-option chain, four expiries, one core.
#![allow(missing_docs, reason = "criterion's macros make public items")]
mod columns;

use columns::{Columns, OPTIONS, Terms};
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use std::hint::black_box;
use wide::f64x8;
use zomma::{
    chain::{Chain, Universe, name_of},
    greeks::{
        Revalue, math,
        sets::{self, Nine, Set, Sixteen, Tick},
    },
    stage::{Sink, Stage},
    wire::{
        Event, Flags, Kind, Price,
        market::{Class, Definition, Quote},
    },
};

const SPOT: f64 = 6000.25;

fn kernels(c: &mut Criterion) {
    let chain = Columns::load();
    let mut group = c.benchmark_group("per option");
    group.throughput(Throughput::Elements(OPTIONS as u64));
    group.bench_function("nothing: read and add the columns", |b| {
        b.iter(|| black_box(chain.nothing()));
    });
    one_by_one::<sets::Price>(&mut group, &chain, "zomma: price");
    one_by_one::<Tick>(&mut group, &chain, "zomma: price, delta, gamma, theta, vega");
    one_by_one::<Nine>(&mut group, &chain, "zomma: price and nine Greeks");
    one_by_one::<Sixteen>(&mut group, &chain, "zomma: price and all sixteen");
    let mut out = chain.room_for_pairs();
    group.bench_function("zomma: price, delta, gamma, theta, vega, as pairs", |b| {
        b.iter(|| {
            chain.pairs(black_box(1e-4), &mut out);
            black_box(&mut out);
        });
    });
    group.bench_function("textbook scalar, statrs erfc: the same", |b| {
        b.iter(|| black_box(chain.rows.iter().map(textbook).sum::<f64>()));
    });
    group.finish();
    volatilities(c, &chain);
}

/// A call or a put by lane, and one set of Greeks.
fn one_by_one<S: Set<f64x8>>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    chain: &Columns,
    name: &str,
) {
    let mut out = chain.room::<S>();
    group.bench_function(name, |b| {
        b.iter(|| {
            chain.value(black_box(1e-4), &mut out);
            black_box(&mut out);
        });
    });
}

/// 30 expiries of 200 strikes, call and put: what the kernels take after a spot move.
fn whole_chain(c: &mut Criterion) {
    let chain = Columns::load().whole();
    let mut out = chain.room_for_pairs();
    let mut group = c.benchmark_group("per spot move, 12,000 options");
    group.bench_function("zomma: price, delta, gamma, theta, vega, as pairs", |b| {
        b.iter(|| {
            chain.pairs(black_box(1e-4), &mut out);
            black_box(&mut out);
        });
    });
    group.finish();
}

fn textbook(terms: &Terms) -> f64 {
    use statrs::function::erf::erfc;
    let cdf = |x: f64| 0.5 * erfc(-x * core::f64::consts::FRAC_1_SQRT_2);
    let Terms { strike, years, vol, .. } = *terms;
    let (forward, discount) = (terms.forward(), (-terms.r * years).exp());
    let sign = if terms.call { 1.0 } else { -1.0 };
    let s = vol * years.sqrt();
    let d1 = (forward / strike).ln() / s + 0.5 * s;
    let d2 = d1 - s;
    let (n1, n2) = (cdf(sign * d1), cdf(sign * d2));
    let price = discount * sign * (forward * n1 - strike * n2);
    let density = (-0.5 * d1 * d1).exp() * math::INV_SQRT_TAU;
    let gamma = density / (forward * s);
    let vega = discount * forward * density * years.sqrt();
    let theta = terms.r * price - discount * forward * density * vol / (2.0 * years.sqrt());
    price + sign * n1 + gamma + vega + theta
}

fn volatilities(c: &mut Criterion, chain: &Columns) {
    let mut group = c.benchmark_group("per volatility");
    group.throughput(Throughput::Elements(OPTIONS as u64 / 2));
    let mut out = chain.room_for_volatilities();
    group.bench_function("zomma: cold", |b| {
        b.iter(|| {
            chain.cold(&mut out);
            black_box(&mut out);
        });
    });
    group.bench_function("zomma: warm, from 1 % away", |b| {
        b.iter(|| {
            chain.warm(&mut out);
            black_box(&mut out);
        });
    });
    group.finish();
}

/// A market of 30 expiries and 200 strikes: 12,000 options.
struct Market {
    chain: Chain,
    revalue: Revalue,
    now: u64,
}

const DAY_NS: u64 = 86_400_000_000_000;

impl Market {
    fn new() -> Market {
        let text = include_str!("../config/universe.toml");
        let text = text.replace("[rates]", "[greeks]\nactive = 30\nmove_min = 0.5\n[rates]");
        let universe = Universe::parse("universe.toml", &text).unwrap();
        let now = 19_000 * DAY_NS + 15 * 3_600_000_000_000;
        let mut market =
            Market { chain: Chain::new(&universe), revalue: Revalue::new(&universe), now };
        for index in 0..12_000 {
            market.define(index);
        }
        for index in 0..12_000 {
            market.quote(index, SPOT, index == 11_999);
        }
        market
    }

    fn terms(index: u32) -> (f64, bool, u64) {
        let (expiry, row) = (index / 400, index % 400 / 2);
        (SPOT.round() + (f64::from(row) - 100.0) * 5.0, index.is_multiple_of(2), u64::from(expiry))
    }

    fn define(&mut self, index: u32) {
        let (strike, call, day) = Market::terms(index);
        let definition = Definition {
            strike: Price::from_f64(strike),
            expiration: (19_000 + day) * DAY_NS + 21 * 3_600_000_000_000,
            root: name_of("SPXW"),
            venue_id: index,
            class: if call { Class::CALL } else { Class::PUT },
            mapped: 0,
            reserved: 0,
        };
        self.on(Event::new(Kind::DEFINITION, index, definition), false);
    }

    fn quote(&mut self, index: u32, forward: f64, ends: bool) {
        let (strike, call, day) = Market::terms(index);
        let years = (day as f64 + 0.25) / 365.0;
        let sign = if call { 1.0 } else { -1.0 };
        let s = 0.15 * years.sqrt();
        let d1 = (forward / strike).ln() / s + 0.5 * s;
        let cdf = |x: f64| math::one(math::cdf, x);
        let mid = sign * (forward * cdf(sign * d1) - strike * cdf(sign * (d1 - s))) + 0.05;
        let (bid, ask) = (Price::from_f64(mid - 0.025), Price::from_f64(mid + 0.025));
        let body = Quote { bid, ask, bid_size: 1, ask_size: 1, ..bytemuck::Zeroable::zeroed() };
        self.on(Event::new(Kind::QUOTE, index, body), ends);
    }

    fn on(&mut self, event: Event, ends: bool) {
        let flags = if ends { Flags::BATCH_END } else { Flags::NONE };
        let event = Event { ts_recv: self.now, flags, ..event };
        self.chain.apply(&event);
        self.revalue.on(&mut self.chain, &event, &mut Sink);
    }
}

fn revaluation(c: &mut Criterion) {
    let mut group = c.benchmark_group("per batch, 12,000 options");
    let mut market = Market::new();
    let mut tick = 0.0;
    group.bench_function("nothing: a quote that ends no batch", |b| {
        b.iter(|| market.quote(300, SPOT, false));
    });
    group.bench_function("one row far from the money quoted", |b| {
        b.iter(|| {
            tick = 0.1 - tick;
            market.quote(300, SPOT + tick, true);
        });
    });
    group.bench_function("one row at the money quoted", |b| {
        b.iter(|| {
            tick = 0.1 - tick;
            market.quote(200, SPOT + tick, true);
        });
    });
    group.bench_function("25 rows at the money quoted, forward moves, 400 options", |b| {
        b.iter(|| {
            // The forward moves by more than the least that counts: 400 options are valued anew.
            tick = 0.1 - tick;
            for index in (176..224).step_by(2) {
                market.quote(index, SPOT + 20.0 * tick, false);
            }
            market.quote(224, SPOT, true);
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).without_plots();
    targets = kernels, whole_chain, revaluation
}
criterion_main!(benches);
