//! What a price, a volatility and a revaluation cost: ns an option beside a do-nothing baseline,
//! the textbook's scalar form and statrs. One 1,024-option chain, four expiries, one core.
#![allow(missing_docs, reason = "criterion's macros make public items")]
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use std::hint::black_box;
use wide::f64x8;
use zomma::{
    chain::{Chain, Universe, name_of},
    greeks::{
        Revalue,
        black::{Row, Slice, pair},
        implied::Priced,
        lanes::Lanes as _,
        math,
        sets::{self, Nine, Set, Sixteen, Tick},
    },
    stage::{Sink, Stage},
    wire::{
        Event, Flags, Kind, Price,
        market::{Class, Definition, Quote},
    },
};

type V = f64x8;
const LANES: usize = 8;
const SPOT: f64 = 6000.25;
const RATE: f64 = 0.043;

fn all(x: f64) -> V {
    V::splat(x)
}

/// Eight strikes of one expiry: the shape of `reference/chain_1024.csv`, 4 × 128 strikes.
#[derive(Clone, Copy)]
struct Block {
    strike: V,
    log: V,
    vol: V,
    inv_vol: V,
    otm: V,
    call: V,
}

fn years() -> [f64; 4] {
    [0.27, 1.27, 7.27, 30.27].map(|days| days / 365.0)
}

fn slice(spot: f64, years: f64) -> Slice {
    let discount = (-RATE * years).exp();
    Slice {
        a: all(spot),
        discount: all(discount),
        inv_spot: all(1.0 / spot),
        root_t: all(years.sqrt()),
        inv_root_t: all(1.0 / years.sqrt()),
        r: all(RATE),
        q: all(0.0),
    }
}

fn chain() -> Vec<(Slice, f64, Vec<Block>)> {
    let expiry = |years: f64| {
        let slice = slice(SPOT, years);
        let forward = SPOT * (RATE * years).exp();
        let reach = 4.0 * 0.15 * years.sqrt();
        let block = |at: usize| {
            let of = |lane: usize| (at * LANES + lane) as f64 / 64.0 - 1.0;
            let strikes: [f64; LANES] =
                core::array::from_fn(|lane| (SPOT * (reach * of(lane)).exp()).round());
            let vols = strikes.map(|k| 0.15 - 0.3 * (k / SPOT).ln() / (1.0 + 4.0 * years.sqrt()));
            let (strike, vol) = (V::new(strikes), V::new(vols));
            let log = math::ln_ratio(strike, all(forward));
            let inv_vol = all(1.0) / vol;
            let priced = pair(&slice, strike, -log, vol, inv_vol);
            let bits = |k: f64| f64::from_bits(if k > forward { u64::MAX } else { 0 });
            let call = V::new(strikes.map(bits));
            let otm = call.select(priced.call, priced.put);
            // The workload holds prices that a market could show.
            let otm = otm.fast_max(all(1e-6));
            Block { strike, log, vol, inv_vol, otm, call }
        };
        (slice, forward, (0..16).map(block).collect())
    };
    years().map(expiry).to_vec()
}

fn kernels(c: &mut Criterion) {
    let chain = chain();
    let mut group = c.benchmark_group("per option");
    group.throughput(Throughput::Elements(1_024));
    group.bench_function("nothing: read and add the columns", |b| {
        b.iter(|| {
            let mut sum = all(0.0);
            for block in chain.iter().flat_map(|expiry| &expiry.2) {
                sum += block.strike + block.log + block.vol + block.inv_vol;
            }
            black_box(sum)
        });
    });
    one_by_one::<sets::Price>(&mut group, &chain, "zomma: price");
    one_by_one::<Tick>(&mut group, &chain, "zomma: price, delta, gamma, theta, vega");
    one_by_one::<Nine>(&mut group, &chain, "zomma: price and nine Greeks");
    one_by_one::<Sixteen>(&mut group, &chain, "zomma: price and all sixteen");
    let mut out: Vec<[V; 8]> = vec![[all(0.0); 8]; 64];
    group.bench_function("zomma: price, delta, gamma, theta, vega, as pairs", |b| {
        b.iter(|| {
            let shift = all(black_box(1e-4));
            for ((slice, _, blocks), out) in chain.iter().zip(out.chunks_mut(16)) {
                for (block, out) in blocks.iter().zip(out) {
                    let x = shift - block.log;
                    let p = pair(slice, block.strike, x, block.vol, block.inv_vol);
                    *out = [
                        p.call,
                        p.put,
                        p.call_delta,
                        p.put_delta,
                        p.gamma,
                        p.call_theta,
                        p.put_theta,
                        p.vega,
                    ];
                }
            }
            black_box(&mut out);
        });
    });
    group.bench_function("textbook scalar, statrs erfc: the same", |b| {
        b.iter(|| {
            let mut sum = 0.0;
            for ((slice, forward, blocks), years) in chain.iter().zip(years()) {
                for block in blocks {
                    let (strikes, vols) = (block.strike.to_array(), block.vol.to_array());
                    for (strike, vol) in strikes.iter().zip(&vols) {
                        let discount = slice.discount.to_array()[0];
                        for sign in [1.0, -1.0] {
                            sum += textbook(sign, *forward, *strike, years, discount, *vol);
                        }
                    }
                }
            }
            black_box(sum)
        });
    });
    group.finish();
    volatilities(c, &chain);
}

/// A call or a put by lane, and one set of Greeks.
fn one_by_one<S: Set<V>>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    chain: &[(Slice, f64, Vec<Block>)],
    name: &str,
) {
    let slice = &chain[0].0;
    let empty = Row { strike: all(1.0), x: all(0.0), vol: all(1.0), inv_vol: all(1.0) };
    let mut out = vec![S::of(&slice.value(&empty).call()); 128];
    group.bench_function(name, |b| {
        b.iter(|| {
            let shift = all(black_box(1e-4));
            for (sign, out) in [0.0, -0.0].into_iter().zip(out.chunks_mut(64)) {
                let sign = all(black_box(sign));
                for ((slice, _, blocks), out) in chain.iter().zip(out.chunks_mut(16)) {
                    for (block, out) in blocks.iter().zip(out) {
                        let Block { strike, log, vol, inv_vol, .. } = *block;
                        let row = Row { strike, x: shift - log, vol, inv_vol };
                        *out = S::of(&slice.value(&row).side(sign));
                    }
                }
            }
            black_box(&mut out);
        });
    });
}

/// 30 expiries of 200 strikes, call and put: what the kernels take after a spot move.
fn whole_chain(c: &mut Criterion) {
    let expiry = &chain()[2];
    let mut chain: Vec<(Slice, Vec<Block>)> = Vec::new();
    for _ in 0..30 {
        chain.push((expiry.0, expiry.2.iter().chain(&expiry.2[..9]).copied().collect()));
    }
    let first = &chain[0];
    let (strike, x) = (first.1[0].strike, -first.1[0].log);
    let mut out = vec![pair(&first.0, strike, x, all(0.2), all(5.0)); 750];
    let mut group = c.benchmark_group("per spot move, 12,000 options");
    group.bench_function("zomma: price, delta, gamma, theta, vega, as pairs", |b| {
        b.iter(|| {
            let shift = all(black_box(1e-4));
            for ((slice, blocks), out) in chain.iter().zip(out.chunks_mut(25)) {
                for (block, out) in blocks.iter().zip(out) {
                    let x = shift - block.log;
                    *out = pair(slice, block.strike, x, block.vol, block.inv_vol);
                }
            }
            black_box(&mut out);
        });
    });
    group.finish();
}

fn textbook(sign: f64, forward: f64, strike: f64, years: f64, discount: f64, vol: f64) -> f64 {
    use statrs::function::erf::erfc;
    let cdf = |x: f64| 0.5 * erfc(-x * core::f64::consts::FRAC_1_SQRT_2);
    let s = vol * years.sqrt();
    let d1 = (forward / strike).ln() / s + 0.5 * s;
    let d2 = d1 - s;
    let (n1, n2) = (cdf(sign * d1), cdf(sign * d2));
    let price = discount * sign * (forward * n1 - strike * n2);
    let density = (-0.5 * d1 * d1).exp() * math::INV_SQRT_TAU;
    let gamma = density / (forward * s);
    let vega = discount * forward * density * years.sqrt();
    let theta = RATE * price - discount * forward * density * vol / (2.0 * years.sqrt());
    price + sign * n1 + gamma + vega + theta
}

fn volatilities(c: &mut Criterion, chain: &[(Slice, f64, Vec<Block>)]) {
    let priced = |slice: &Slice, block: &Block| Priced {
        price: block.otm,
        call: block.call,
        a: slice.a,
        b: block.strike * slice.discount,
        x: -block.log,
        inv_root_t: slice.inv_root_t,
    };
    let mut group = c.benchmark_group("per volatility");
    group.throughput(Throughput::Elements(512));
    let mut out = vec![all(0.0); 64];
    group.bench_function("zomma: cold", |b| {
        b.iter(|| {
            for ((slice, _, blocks), out) in chain.iter().zip(out.chunks_mut(16)) {
                for (block, out) in blocks.iter().zip(out) {
                    *out = priced(slice, block).implied().0;
                }
            }
            black_box(&mut out);
        });
    });
    let starts = [("zomma: warm, a size changed", 1.0), ("zomma: warm, from 1 % away", 1.01)];
    for (name, off) in starts {
        group.bench_function(name, |b| {
            b.iter(|| {
                let (off, back) = (all(off), all(1.0 / off));
                for ((slice, _, blocks), out) in chain.iter().zip(out.chunks_mut(16)) {
                    for (block, out) in blocks.iter().zip(out) {
                        let (vol, inv_vol) = (block.vol * off, block.inv_vol * back);
                        *out = priced(slice, block).implied_from(vol, inv_vol, slice.root_t).0;
                    }
                }
                black_box(&mut out);
            });
        });
    }
    group.finish();
    // As a tick has it: the other rows of the block have no news.
    let quoted = |slice: &Slice, block: &Block| {
        let price = V::from_fn(|lane| if lane == 3 { block.otm.lane(lane) } else { f64::NAN });
        Priced { price, ..priced(slice, block) }
    };
    let mut group = c.benchmark_group("per quoted row, one of eight");
    group.throughput(Throughput::Elements(64));
    for (name, off) in [("zomma: cold", f64::NAN), starts[0], starts[1]] {
        group.bench_function(name, |b| {
            b.iter(|| {
                for ((slice, _, blocks), out) in chain.iter().zip(out.chunks_mut(16)) {
                    for (block, out) in blocks.iter().zip(out) {
                        let priced = quoted(slice, block);
                        let (vol, inv_vol) = (block.vol * all(off), block.inv_vol * all(1.0 / off));
                        *out = match off.is_nan() {
                            true => priced.implied().0,
                            false => priced.implied_from(vol, inv_vol, slice.root_t).0,
                        };
                    }
                }
                black_box(&mut out);
            });
        });
    }
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
    /// Strikes up to so many standard deviations out follow the forward at once.
    fn new(near: f64) -> Market {
        let text = include_str!("../config/universe.toml");
        let greeks = format!("[greeks]\nactive = 30\nmove_min = 0.5\nnear = {near:?}\n[rates]");
        let text = text.replace("[rates]", &greeks);
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
    let mut market = Market::new(2.5);
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
    for (name, near) in [
        ("25 rows at the money quoted, forward moves, 400 options", 1_000.0),
        ("the same, strikes within 2.5 deviations at once", 2.5),
    ] {
        let mut market = Market::new(near);
        group.bench_function(name, |b| {
            b.iter(|| {
                // The forward moves by more than the least that counts.
                tick = 0.1 - tick;
                for index in (176..224).step_by(2) {
                    market.quote(index, SPOT + 20.0 * tick, false);
                }
                market.quote(224, SPOT, true);
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).without_plots();
    targets = kernels, whole_chain, revaluation
}
criterion_main!(benches);
