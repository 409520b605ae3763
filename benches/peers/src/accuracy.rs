//! Values found beside those wanted in; median, 99th percentile and worst relative error out.

use crate::{
    columns::Terms,
    peer::{NAMES, Values, place},
    reference::{American, Priced, Quoted},
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Errors of one column over many rows.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    /// Half of the rows are better.
    pub median: f64,
    /// All but a hundredth are better.
    pub p99: f64,
    /// The worst.
    pub max: f64,
    /// The Greek that is worst, where there are many.
    pub worst: &'static str,
    /// Rows without a finite value.
    pub lost: usize,
    /// Rows that must be refused and got a finite value, and how many there are.
    pub answered: Option<(usize, usize)>,
}

impl Errors {
    fn of(mut errors: Vec<f64>) -> Errors {
        let rows = errors.len();
        errors.retain(|error| error.is_finite());
        errors.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let last = errors.len().checked_sub(1);
            last.map_or(f64::NAN, |last| errors[(last as f64 * share) as usize])
        };
        let lost = rows - errors.len();
        Errors { median: at(0.5), p99: at(0.99), max: at(1.0), lost, ..Errors::default() }
    }
}

fn relative(found: f64, wanted: f64) -> f64 {
    if found == wanted { 0.0 } else { (found / wanted - 1.0).abs() }
}

/// Of the price, and of the worst of these Greeks.
pub fn of_greeks(
    rows: &[&Priced],
    greeks: &[&'static str],
    value: impl Fn(&Terms) -> Values,
) -> (Errors, Errors) {
    let found: Vec<Values> = rows.iter().map(|row| value(&row.terms)).collect();
    let column = |at: usize| {
        let pairs = found.iter().zip(rows).map(|(found, row)| (found[at], row.wanted[at]));
        Errors::of(pairs.map(|(found, wanted)| relative(found, wanted)).collect())
    };
    let named = greeks.iter().map(|name| Errors { worst: name, ..column(place(name)) });
    let worst = named.max_by(|a, b| a.p99.total_cmp(&b.p99)).unwrap_or_default();
    (column(place(NAMES[0])), worst)
}

/// Of the price alone.
pub fn of_prices(rows: &[&Priced], price: impl Fn(&Terms) -> f64) -> Errors {
    let errors = rows.iter().map(|row| relative(price(&row.terms), row.wanted[0]));
    Errors::of(errors.collect())
}

/// Of volatilities; and how many prices were answered that no volatility has. A panic is a loss.
pub fn of_volatilities(rows: &[&Quoted], volatility: impl Fn(&Terms) -> f64) -> Errors {
    let found =
        |terms: &Terms| catch_unwind(AssertUnwindSafe(|| volatility(terms))).unwrap_or(f64::NAN);
    let (told, refused): (Vec<&Quoted>, Vec<&Quoted>) =
        rows.iter().copied().partition(|row| row.wanted.is_finite());
    let errors = told.iter().map(|row| relative(found(&row.terms), row.wanted)).collect();
    let answered = refused.iter().filter(|row| found(&row.terms).is_finite()).count();
    Errors { answered: Some((answered, refused.len())), ..Errors::of(errors) }
}

/// Of American prices, as shares of the spot.
pub fn of_american(rows: &[American], price: impl Fn(&Terms) -> f64) -> Errors {
    let error = |row: &American| (price(&row.terms) - row.wanted).abs() / row.terms.spot;
    Errors::of(rows.iter().map(error).collect())
}
