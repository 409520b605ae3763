//! Our kernels on the chain: what is timed, what is compared, and a sum of all their bits.

use crate::{
    clock::sample,
    columns::{Columns, OPTIONS, Terms, puts::PUTS, puts::Puts},
    peer::{NAMES, Values, place},
    table::{Job, Table},
};
use std::hint::black_box;
use wide::f64x8;
use zomma::greeks::{
    american::{Contract, Standard},
    options::Options,
    sets::{Model, Nine, Price, Set, Sixteen, Tick},
};

/// What the ratios of a job are taken against.
pub const NAME: &str = "zomma";
const QUOTED: usize = OPTIONS / 2;

/// Samples of all of them.
pub fn time(columns: &Columns, table: &mut Table) {
    value::<Price>(columns, table, Job::Price, "the engine's form");
    value::<Nine>(columns, table, Job::Greeks, "9 Greeks, the engine's form");
    value::<Sixteen>(columns, table, Job::Greeks, "all 16");
    value::<Tick>(columns, table, Job::Greeks, "4 Greeks, one by one");
    let mut out = columns.room_for_pairs();
    let samples = sample(OPTIONS, || {
        columns.pairs(black_box(1e-4), &mut out);
        black_box(&mut out);
    });
    table.speed(NAME, Job::Greeks, "4 Greeks, call and put pairs", samples);
    let rows: Vec<Options> = columns.rows.chunks(8).map(block).collect();
    let samples = sample(OPTIONS, || {
        rows.iter().for_each(|row| {
            black_box(black_box(row).value(Model::Spot).call::<Sixteen>());
        });
    });
    table.speed(NAME, Job::Greeks, "all 16 of any terms, limits and all", samples);
    volatilities(columns, table, "cold", Columns::cold);
    volatilities(columns, table, "warm, from 1 % away", |columns, out| columns.warm(1.01, out));
}

fn value<S: Set<f64x8>>(columns: &Columns, table: &mut Table, job: Job, what: &str) {
    let mut out = columns.room::<S>();
    let samples = sample(OPTIONS, || {
        columns.value(black_box(1e-4), &mut out);
        black_box(&mut out);
    });
    table.speed(NAME, job, what, samples);
}

fn volatilities(
    columns: &Columns,
    table: &mut Table,
    what: &str,
    pass: fn(&Columns, &mut [f64x8]),
) {
    let mut out = columns.room_for_volatilities();
    let samples = sample(QUOTED, || {
        pass(black_box(columns), &mut out);
        black_box(&mut out);
    });
    table.speed(NAME, Job::Volatility, what, samples);
}

/// American options: a tick with the boundary cached, and one from nothing.
pub fn time_american(rows: &[Terms], table: &mut Table) {
    let puts = Puts::new();
    let samples = sample(PUTS, || puts.premium(black_box(1e-4)));
    table.speed(NAME, Job::American, "premium on a spot tick", samples);
    let samples = sample(PUTS, || puts.tick(black_box(1e-4)));
    table.speed(NAME, Job::American, "premium and 4 Greeks on a spot tick", samples);
    let rule = Standard::new();
    let samples = sample(rows.len(), || {
        rows.iter().for_each(|row| {
            black_box(contract(row).value(&rule));
        });
    });
    table.speed(NAME, Job::American, "price and 4 Greeks from nothing", samples);
}

fn contract(terms: &Terms) -> Contract {
    let Terms { call, spot, strike, years, r, q, vol, .. } = *terms;
    Contract { call, spot, strike, years, r, q, vol }
}

/// An American price from nothing.
pub fn american(rule: &Standard, terms: &Terms) -> f64 {
    contract(terms).value(rule).map_or(f64::NAN, |value| value.price)
}

fn block(rows: &[Terms]) -> Options {
    let lane = |of: fn(&Terms) -> f64| f64x8::new(core::array::from_fn(|i| of(&rows[i])));
    Options {
        spot: lane(|row| row.spot),
        strike: lane(|row| row.strike),
        years: lane(|row| row.years),
        r: lane(|row| row.r),
        q: lane(|row| row.q),
        vol: lane(|row| row.vol),
    }
}

/// One option of any terms.
pub fn of_any_terms(terms: &Terms) -> Values {
    let valued = block(&[*terms; 8]).value(Model::Spot);
    let side: Sixteen = if terms.call { valued.call() } else { valued.put() };
    let mut found = [f64::NAN; NAMES.len()];
    let mut names = <Sixteen as Set<f64x8>>::NAMES.iter();
    side.tell(|column| {
        let name = names.next().expect("a name for each");
        found[place(name)] = column.to_array()[0];
    });
    found
}

/// A volatility of any terms.
pub fn volatility(terms: &Terms) -> f64 {
    let call = f64::from_bits(if terms.call { u64::MAX } else { 0 });
    let block = block(&[*terms; 8]);
    block.implied(Model::Spot, f64x8::splat(terms.price), f64x8::splat(call)).to_array()[0]
}

/// A sum of every bit that the kernels give, kernel by kernel: the same where an instruction set
/// rounds the same.
pub fn bits(columns: &Columns) -> Vec<(&'static str, u64)> {
    let mut nine = columns.room::<Nine>();
    columns.value(0.0, &mut nine);
    let mut sixteen = columns.room::<Sixteen>();
    columns.value(0.0, &mut sixteen);
    let mut cold = columns.room_for_volatilities();
    columns.cold(&mut cold);
    let mut warm = columns.room_for_volatilities();
    columns.warm(1.01, &mut warm);
    let rule = Standard::new();
    let american = columns.rows.iter().map(|row| f64x8::splat(american(&rule, row)));
    let any = columns.rows.iter().flat_map(|row| of_any_terms(row).map(f64x8::splat));
    vec![
        ("price and 9 Greeks", sum(told(&nine))),
        ("all 16", sum(told(&sixteen))),
        ("all 16 of any terms", sum(any)),
        ("volatility, cold", sum(cold.into_iter())),
        ("volatility, warm", sum(warm.into_iter())),
        ("American", sum(american)),
    ]
}

fn told<S: Set<f64x8>>(out: &[S]) -> std::vec::IntoIter<f64x8> {
    let mut all = Vec::new();
    out.iter().for_each(|set| set.tell(|column| all.push(column)));
    all.into_iter()
}

/// FNV-1a over 64-bit words.
fn sum(values: impl Iterator<Item = f64x8>) -> u64 {
    let words = values.flat_map(|value| value.to_array()).map(f64::to_bits);
    words.fold(0xcbf2_9ce4_8422_2325, |sum, word| (sum ^ word).wrapping_mul(0x0000_0100_0000_01b3))
}
