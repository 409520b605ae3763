//! Thousands of engines' lives among simulated faults, each from one seed and each checked; and
//! engines that are wrong on purpose, each of which must be found.
use zomma::{
    run::simulate::{Broken, Case, Totals, WEAKNESSES, many, once},
    sim::FAULTS,
};

const RUNS: u64 = 3_000;
const THREADS: u64 = 2;

/// Seeds in which a weakness must be found at the latest.
const SEARCHED: u64 = 1_500;

fn shown(broken: Broken) -> ! {
    let (what, command) = (broken.what.clone(), broken.command());
    let small = broken.shrunk();
    panic!("{what}\nrepeat: {command}\nsmaller: {}\nrepeat: {}", small.what, small.command())
}

#[test]
fn whatever_goes_wrong_everything_that_must_hold_holds() {
    let totals = match many(&Case { seed: 1, ..Case::default() }, RUNS, THREADS) {
        Ok(totals) => totals,
        Err(broken) => shown(broken),
    };
    println!("{totals}0 violations");
    assert_eq!(totals.runs, RUNS);
    // Nothing is shown by runs in which nothing happens.
    for (row, count) in FAULTS.iter().zip(&totals.faults) {
        assert!(*count > 20, "{}: {count}", row.name);
    }
    let Totals { approved, orders, fills, halts, resent, restarts, .. } = totals;
    assert!(orders > 5 * RUNS && approved >= orders && fills > 2 * RUNS, "{totals}");
    assert!(halts > 100 && resent > 100 && restarts > 500, "{totals}");
}

#[test]
fn a_seed_is_one_run() {
    for seed in [3, 5, 17, 1_054] {
        let case = Case { seed, ..Case::default() };
        let totals = once(&case).unwrap_or_else(|broken| shown(broken));
        assert_eq!(Some(totals), once(&case).ok(), "seed {seed}");
    }
}

#[test]
fn an_engine_that_is_wrong_is_found() {
    let mut missed = Vec::new();
    for row in WEAKNESSES {
        let case = |seed| Case { seed, weakness: Some(row.weakness), ..Case::default() };
        match (1..=SEARCHED).find_map(|seed| once(&case(seed)).err()) {
            Some(broken) => {
                println!("{} ({}): seed {}: {}", row.name, row.about, broken.case.seed, broken.what)
            }
            None => missed.push(row.name),
        }
    }
    assert!(missed.is_empty(), "not found in {SEARCHED} runs each: {missed:?}");
}
