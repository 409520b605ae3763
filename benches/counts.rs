//! How many instructions an option takes, kernel by kernel: counted by valgrind, so the same on
//! every run. The difference of two counts, one pass and a thousand, leaves the passes alone.
#![allow(missing_docs, reason = "a bench is no library")]
mod columns;

use columns::{Columns, OPTIONS, puts::PUTS, puts::Puts};
use std::{env, hint::black_box, process::Command};
use zomma::greeks::{
    options::Options,
    sets::{Model, Nine, Price, Set, Sixteen, Tick},
};

/// A kernel: its name, how many options a pass takes, so many passes of it.
struct Kernel {
    name: &'static str,
    options: usize,
    run: fn(&Columns, usize),
}

const FEW: usize = 1;
const MANY: usize = 101;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    match arguments.iter().position(|word| word == "--run") {
        Some(at) => passes(&arguments[at + 1..]),
        None => table(),
    }
}

/// What valgrind runs: `--run KERNEL PASSES`.
fn passes(arguments: &[String]) {
    let number = |at: usize| arguments[at].parse::<usize>().expect("a number");
    (KERNELS[number(0)].run)(&Columns::load(), number(1));
}

fn table() {
    println!("{:<56} {:>14} {:>14}", "instructions (valgrind)", "an option", "eight of them");
    for (at, kernel) in KERNELS.iter().enumerate() {
        let (Some(few), Some(many)) = (counted(at, FEW), counted(at, MANY)) else {
            println!("skipped: no valgrind here, or it does not know this program's instructions");
            return;
        };
        let each = (many - few) as f64 / ((MANY - FEW) * kernel.options) as f64;
        println!("{:<56} {each:>14.2} {:>14.0}", kernel.name, 8.0 * each);
    }
}

/// Instructions of a whole process.
fn counted(kernel: usize, passes: usize) -> Option<u64> {
    let this = env::current_exe().expect("this program's path");
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args(["--run", &kernel.to_string(), &passes.to_string()])
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    let collected = said.lines().find_map(|line| line.split("Collected : ").nth(1))?;
    run.status.success().then(|| collected.trim().parse().ok())?
}

fn value<S: Set<wide::f64x8>>(columns: &Columns, passes: usize) {
    let mut out = columns.room::<S>();
    for _ in 0..passes {
        columns.value(black_box(1e-4), &mut out);
        black_box(&mut out);
    }
}

fn pairs(columns: &Columns, passes: usize) {
    let mut out = columns.room_for_pairs();
    for _ in 0..passes {
        columns.pairs(black_box(1e-4), &mut out);
        black_box(&mut out);
    }
}

fn any_terms(columns: &Columns, passes: usize) {
    use zomma::greeks::lanes::Lanes;
    let of = |rows: &[columns::Terms]| {
        let lane = |of: fn(&columns::Terms) -> f64| wide::f64x8::from_fn(|i| of(&rows[i]));
        Options {
            spot: lane(|row| row.spot),
            strike: lane(|row| row.strike),
            years: lane(|row| row.years),
            r: lane(|row| row.r),
            q: lane(|row| row.q),
            vol: lane(|row| row.vol),
        }
    };
    let blocks: Vec<Options> = columns.rows.chunks(8).map(of).collect();
    for _ in 0..passes {
        for block in &blocks {
            black_box(black_box(block).value(Model::Spot).call::<Sixteen>());
        }
    }
}

fn volatilities(columns: &Columns, passes: usize, pass: fn(&Columns, &mut [wide::f64x8])) {
    let mut out = columns.room_for_volatilities();
    for _ in 0..passes {
        pass(black_box(columns), &mut out);
        black_box(&mut out);
    }
}

fn american(passes: usize, pass: fn(&Puts, f64)) {
    let puts = Puts::new();
    (0..passes).for_each(|_| pass(black_box(&puts), black_box(1e-4)));
}

const KERNELS: &[Kernel] = &[
    Kernel { name: "price", options: OPTIONS, run: value::<Price> },
    Kernel { name: "price, delta, gamma, theta, vega", options: OPTIONS, run: value::<Tick> },
    Kernel { name: "price and nine Greeks", options: OPTIONS, run: value::<Nine> },
    Kernel { name: "price and all sixteen", options: OPTIONS, run: value::<Sixteen> },
    Kernel { name: "the same of any terms, with every limit", options: OPTIONS, run: any_terms },
    Kernel { name: "price, delta, gamma, theta, vega as pairs", options: OPTIONS, run: pairs },
    Kernel {
        name: "implied volatility, cold",
        options: OPTIONS / 2,
        run: |columns, passes| volatilities(columns, passes, Columns::cold),
    },
    Kernel {
        name: "implied volatility, warm from 1 % away",
        options: OPTIONS / 2,
        run: |columns, passes| volatilities(columns, passes, Columns::warm),
    },
    Kernel {
        name: "American premium on a spot tick",
        options: PUTS,
        run: |_, passes| american(passes, Puts::premium),
    },
    Kernel {
        name: "American premium, delta, gamma, theta, vega on a tick",
        options: PUTS,
        run: |_, passes| american(passes, Puts::tick),
    },
];
