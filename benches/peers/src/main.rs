//! Price, Greeks and volatility of ours and of every peer, on one chain in one process: arguments
//! in; ns an option, ratios and errors as one table out.
//!
//! ```text
//! zomma-peers [--with FILE]... [--rounds N]   the table; FILE holds lines of peers.py
//!             [--quick]                       times alone, nothing compared
//!             [--ours]                        our own rows alone
//! zomma-peers --bits                          a sum of the bits of every kernel
//! ```

mod accuracy;
mod clock;
#[path = "../../columns/mod.rs"]
mod columns;
mod ours;
mod peer;
mod peers;
mod reference;
mod table;

use clock::sample;
use columns::{Columns, OPTIONS, Terms};
use lexopt::prelude::*;
use peer::{NAMES, Peer, Values};
use peers::{implied_vol, pricer};
use reference::{American, Priced, Quoted};
use std::{fs, hint::black_box, path::PathBuf, process::ExitCode};
use table::{Job, Table};

/// Arguments.
struct Request {
    with: Vec<PathBuf>,
    rounds: usize,
    ours: bool,
    bits: bool,
    quick: bool,
}

/// Rows of the reference, where it is there.
struct Known {
    chain: Vec<Priced>,
    tradable: Vec<Priced>,
    quoted: Vec<Quoted>,
    american: Vec<American>,
}

fn main() -> ExitCode {
    match Request::parse().and_then(|request| request.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zomma-peers: {error}");
            ExitCode::from(2)
        }
    }
}

impl Request {
    fn parse() -> Result<Request, String> {
        let mut request =
            Request { with: Vec::new(), rounds: 3, ours: false, bits: false, quick: false };
        let mut parser = lexopt::Parser::from_env();
        let told = |e: lexopt::Error| e.to_string();
        while let Some(argument) = parser.next().map_err(told)? {
            match argument {
                Long("with") => request.with.push(parser.value().map_err(told)?.into()),
                Long("rounds") => {
                    request.rounds = parser.value().and_then(|v| v.parse()).map_err(told)?;
                }
                Long("ours") => request.ours = true,
                Long("bits") => request.bits = true,
                Long("quick") => request.quick = true,
                other => return Err(other.unexpected().to_string()),
            }
        }
        Ok(request)
    }

    fn run(&self) -> Result<(), String> {
        let columns = Columns::load();
        if self.bits {
            for (name, sum) in ours::bits(&columns) {
                println!("{sum:016x} {name}");
            }
            return Ok(());
        }
        let known = Known::read(&columns);
        let american: Vec<Terms> = known.american.iter().map(|row| row.terms).collect();
        let mut table = Table::default();
        for round in 0..self.rounds {
            ours::time(&columns, &mut table);
            ours::time_american(&american, &mut table);
            if !self.ours {
                time_peers(&columns, &mut table);
            }
            eprintln!("round {} of {}", round + 1, self.rounds);
        }
        if !self.quick {
            known.compare(self.ours, &mut table);
        }
        for path in &self.with {
            let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
            table.read(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        table.print();
        Ok(())
    }
}

/// One after the other what is said of each of the peers that value one option at a time.
macro_rules! each_peer {
    ($do:ident($($argument:expr),*)) => {
        $do::<peers::textbook::Textbook>($($argument),*);
        $do::<implied_vol::ImpliedVol<implied_vol::Default>>($($argument),*);
        $do::<implied_vol::ImpliedVol<implied_vol::LetsBeRational>>($($argument),*);
        $do::<implied_vol::ImpliedVol<implied_vol::Flash>>($($argument),*);
        $do::<implied_vol::ImpliedVol<implied_vol::Fastest>>($($argument),*);
        $do::<peers::jaeckel::Jaeckel>($($argument),*);
        $do::<peers::black_scholes::BlackScholes>($($argument),*);
        $do::<peers::blackscholes::Blackscholes>($($argument),*);
        $do::<peers::rustyqlib::RustyQLib>($($argument),*);
        $do::<peers::optionstratlib::OptionStratLib>($($argument),*);
    };
}

fn time_peers(columns: &Columns, table: &mut Table) {
    each_peer!(time(columns, table));
    let sides = [true, false].map(|call| pricer::Columns::new(columns.rows.iter(), call));
    let samples = sample(OPTIONS, || sides.iter().for_each(|side| drop(black_box(side.prices()))));
    table.speed(pricer::NAME, Job::Price, "f32x8", samples);
    let samples = sample(OPTIONS, || sides.iter().for_each(|side| drop(black_box(side.greeks()))));
    table.speed(pricer::NAME, Job::Greeks, "5 Greeks, f32x8", samples);
}

fn time<P: Peer>(columns: &Columns, table: &mut Table) {
    eprintln!("times {}", P::NAME);
    table.note(P::NAME, P::NOTE);
    let options: Vec<P> = columns.rows.iter().map(P::new).collect();
    if P::PRICES {
        let mut out = vec![0.0; OPTIONS];
        let samples = sample(OPTIONS, || {
            options.iter().zip(&mut out).for_each(|(option, out)| *out = option.price());
            black_box(&mut out);
        });
        table.speed(P::NAME, Job::Price, "", samples);
    }
    if !P::GREEKS.is_empty() {
        let mut out: Vec<Values> = vec![[0.0; NAMES.len()]; OPTIONS];
        let samples = sample(OPTIONS, || {
            options.iter().zip(&mut out).for_each(|(option, out)| option.greeks(out));
            black_box(&mut out);
        });
        let what = format!("{} Greeks", P::GREEKS.len());
        table.speed(P::NAME, Job::Greeks, &what, samples);
    }
    if P::VOLATILITIES {
        let quoted: Vec<(P, f64)> = columns.quoted().map(|row| (P::new(row), row.price)).collect();
        let mut out = vec![0.0; quoted.len()];
        let samples = sample(quoted.len(), || {
            let rows = quoted.iter().zip(&mut out);
            rows.for_each(|((option, price), out)| *out = option.volatility(*price));
            black_box(&mut out);
        });
        table.speed(P::NAME, Job::Volatility, "", samples);
    }
}

impl Known {
    fn read(columns: &Columns) -> Known {
        Known {
            chain: reference::chain(columns).unwrap_or_default(),
            tradable: reference::tradable().unwrap_or_default(),
            quoted: reference::quoted().unwrap_or_default(),
            american: reference::american().unwrap_or_default(),
        }
    }

    fn compare(&self, ours_alone: bool, table: &mut Table) {
        self.greeks(table, (ours::NAME, &NAMES[1..]), 1, ours::of_any_terms);
        self.volatilities(table, ours::NAME, 1, ours::volatility);
        if !self.american.is_empty() {
            let rule = zomma::greeks::american::Standard::new();
            let errors =
                accuracy::of_american(&self.american, |terms| ours::american(&rule, terms));
            table.accuracy(ours::NAME, Job::American, "american", errors);
        }
        if !ours_alone {
            std::panic::set_hook(Box::new(|_| ()));
            each_peer!(compare(self, table));
            self.greeks(table, (pricer::NAME, pricer::GREEKS), 1, pricer::value);
        }
    }

    /// Every so manieth row of the sets that are there.
    fn sets(&self, every: usize) -> impl Iterator<Item = (&'static str, Vec<&Priced>)> {
        let sets = [("chain_1024", &self.chain), ("tradable", &self.tradable)];
        let there = sets.into_iter().filter(|set| !set.1.is_empty());
        there.map(move |(set, rows)| (set, rows.iter().step_by(every).collect()))
    }

    fn greeks(
        &self,
        table: &mut Table,
        (name, greeks): (&str, &[&'static str]),
        every: usize,
        value: impl Fn(&Terms) -> Values,
    ) {
        for (set, rows) in self.sets(every) {
            let (price, worst) = accuracy::of_greeks(&rows, greeks, &value);
            table.accuracy(name, Job::Price, set, price);
            table.accuracy(name, Job::Greeks, set, worst);
        }
    }

    fn volatilities(
        &self,
        table: &mut Table,
        name: &str,
        every: usize,
        of: impl Fn(&Terms) -> f64,
    ) {
        let rows: Vec<&Quoted> = self.quoted.iter().step_by(every).collect();
        if !rows.is_empty() {
            table.accuracy(
                name,
                Job::Volatility,
                "implied_vol",
                accuracy::of_volatilities(&rows, of),
            );
        }
    }
}

fn compare<P: Peer>(known: &Known, table: &mut Table) {
    eprintln!("compares {}", P::NAME);
    if P::GREEKS.is_empty() && P::PRICES {
        for (set, rows) in known.sets(P::EVERY) {
            let errors = accuracy::of_prices(&rows, |terms| P::new(terms).price());
            table.accuracy(P::NAME, Job::Price, set, errors);
        }
    }
    if !P::GREEKS.is_empty() {
        known.greeks(table, (P::NAME, P::GREEKS), P::EVERY, |terms| {
            let mut out = [f64::NAN; NAMES.len()];
            P::new(terms).greeks(&mut out);
            out
        });
    }
    if P::VOLATILITIES {
        known.volatilities(table, P::NAME, P::EVERY, |terms| P::new(terms).volatility(terms.price));
    }
}
