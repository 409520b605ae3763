//! What an American option costs: the premium on a spot tick with the boundary cached, the boundary
//! itself, an implied volatility. ns an option, eight at once, one core.
//!
//! QuantLib's figures for the same terms come from `scripts/bench.sh peers`.
#![allow(missing_docs, reason = "criterion's macros make public items")]
mod columns;

use columns::puts::{PUTS, Puts, RATE, SPOT, YEARS, YIELD};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use zomma::greeks::american::Contract;

fn tick(c: &mut Criterion) {
    let puts = Puts::new();
    let mut group = c.benchmark_group("per put, spot tick, boundary cached");
    group.throughput(Throughput::Elements(PUTS as u64));
    group.bench_function("nothing: read and add the boundaries", |b| {
        b.iter(|| black_box(puts.nothing()));
    });
    group.bench_function("European price, delta, gamma, theta, vega (any terms)", |b| {
        b.iter(|| puts.european(black_box(1e-4)));
    });
    group.bench_function("zomma: the premium alone", |b| {
        b.iter(|| puts.premium(black_box(1e-4)));
    });
    group.bench_function("zomma: the premium and its delta, gamma, theta, vega", |b| {
        b.iter(|| puts.tick(black_box(1e-4)));
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
        b.iter(|| black_box(black_box(contract).value(&puts.rule)));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).without_plots();
    targets = tick, slow_path
}
criterion_main!(benches);
