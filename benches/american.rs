//! What an American option costs: the premium on a spot tick with the boundary cached, the boundary
//! itself, an implied volatility. ns an option, eight at once, one core.
//!
//! QuantLib's figures for the same terms come from `scripts/american_peers.py`.
#![allow(missing_docs, reason = "criterion's macros make public items")]
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use wide::f64x8;
use zomma::greeks::{
    american::{Boundary, Carry, Contract, Grid, Quick, Standard},
    math,
    options::Options,
    sets::{Model, Tick},
};

type V = f64x8;

const SPOT: f64 = 600.0;
const YEARS: f64 = 0.25;
const BLOCKS: usize = 16;
const RATE: f64 = 0.045;
const YIELD: f64 = 0.012;

fn all(x: f64) -> V {
    V::splat(x)
}

/// 128 puts of one expiry about the money, as SPY has them.
struct Puts {
    rule: Quick,
    carry: Carry<16>,
    grid: Grid<10, 8>,
    strikes: Vec<V>,
    vols: Vec<V>,
    boundaries: Vec<Boundary<16>>,
}

impl Puts {
    fn new() -> Puts {
        let rule = Quick::new();
        let carry = rule.carry(RATE, YIELD, YEARS).unwrap();
        let grid = rule.grid(&carry);
        let strike = |at: usize, lane: usize| SPOT * (0.9 + 0.2 * (at * 8 + lane) as f64 / 128.0);
        let vol = |strike: f64| 0.2 - 0.4 * (strike / SPOT - 1.0);
        let strikes: Vec<V> =
            (0..BLOCKS).map(|at| V::new(core::array::from_fn(|lane| strike(at, lane)))).collect();
        let vols: Vec<V> = strikes.iter().map(|k| V::new(k.to_array().map(vol))).collect();
        let boundaries = vols.iter().map(|vol| rule.boundary(&grid, *vol)).collect();
        Puts { rule, carry, grid, strikes, vols, boundaries }
    }

    fn logs(&self, spot: f64) -> Vec<V> {
        self.strikes.iter().map(|strike| math::ln_ratio(all(spot), *strike)).collect()
    }
}

fn tick(c: &mut Criterion) {
    let puts = Puts::new();
    let logs = puts.logs(SPOT);
    let mut group = c.benchmark_group("per put, spot tick, boundary cached");
    group.throughput(Throughput::Elements(8 * BLOCKS as u64));
    group.bench_function("nothing: read and add the boundaries", |b| {
        b.iter(|| {
            let sums = puts.boundaries.iter().map(|boundary| boundary.edge + boundary.vol);
            black_box(sums.fold(all(0.0), |sum, edge| sum + edge))
        });
    });
    group.bench_function("European price, delta, gamma, theta, vega (any terms)", |b| {
        b.iter(|| {
            for (strike, vol) in puts.strikes.iter().zip(&puts.vols) {
                let (spot, years) = (all(black_box(SPOT)), all(YEARS));
                let (r, q) = (all(RATE), all(YIELD));
                let options = Options { spot, strike: *strike, years, r, q, vol: *vol };
                let valued = options.value(Model::Spot);
                black_box((valued.call::<Tick>(), valued.put::<Tick>()));
            }
        });
    });
    group.bench_function("zomma: the premium alone", |b| {
        b.iter(|| {
            for (boundary, x) in puts.boundaries.iter().zip(&logs) {
                black_box(puts.carry.value(boundary, black_box(*x)));
            }
        });
    });
    group.bench_function("zomma: the premium and its delta, gamma, theta, vega", |b| {
        b.iter(|| {
            for ((boundary, x), strike) in puts.boundaries.iter().zip(&logs).zip(&puts.strikes) {
                let premium = puts.carry.premium(boundary, black_box(*x));
                black_box(premium.of(false, all(SPOT), *strike));
            }
        });
    });
    group.finish();
}

fn slow_path(c: &mut Criterion) {
    let puts = Puts::new();
    let mut group = c.benchmark_group("per option, off the tick path");
    group.throughput(Throughput::Elements(8));
    group.bench_function("zomma: the tables of an expiry", |b| {
        b.iter(|| {
            let carry = puts.rule.carry(black_box(RATE), YIELD, YEARS).unwrap();
            black_box(puts.rule.grid(&carry))
        });
    });
    group.bench_function("zomma: the boundary, with what its Greeks need", |b| {
        b.iter(|| black_box(puts.rule.boundary(&puts.grid, black_box(puts.vols[8]))));
    });
    group.finish();
    let mut group = c.benchmark_group("one option cold, no cache");
    group.bench_function("zomma: price and five Greeks", |b| {
        let (spot, strike, years, r, q, vol) = (SPOT, 610.0, YEARS, RATE, YIELD, 0.19);
        let contract = Contract { call: false, spot, strike, years, r, q, vol };
        let rule = Standard::new();
        b.iter(|| black_box(black_box(contract).value(&rule)));
    });
    group.bench_function("zomma: price and sixteen Greeks", |b| {
        let (spot, strike, years, r, q, vol) = (SPOT, 610.0, YEARS, RATE, YIELD, 0.19);
        let contract = Contract { call: false, spot, strike, years, r, q, vol };
        let rule = Standard::new();
        b.iter(|| black_box(black_box(contract).sixteen(&rule)));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).without_plots();
    targets = tick, slow_path
}
criterion_main!(benches);
