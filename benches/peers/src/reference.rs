//! The reference's files in; rows with the values that they must have out.

use crate::{
    columns::{Columns, Terms, reference},
    peer::{NAMES, Values},
};
use flate2::read::GzDecoder;
use std::{fs::File, io::Read};

/// Prices and Greeks of terms.
pub struct Priced {
    /// Terms.
    pub terms: Terms,
    /// Values in the order of [`NAMES`]; NaN where there is none.
    pub wanted: Values,
}

/// A price with its volatility, or NaN where it must be refused.
pub struct Quoted {
    /// Terms with the price.
    pub terms: Terms,
    /// Volatility.
    pub wanted: f64,
}

/// An American option with its price.
pub struct American {
    /// Terms.
    pub terms: Terms,
    /// Price.
    pub wanted: f64,
}

/// A CSV file by column.
struct Sheet {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    fn read(name: &str) -> Option<Sheet> {
        let path = reference(name)?;
        let mut text = String::new();
        let read =
            File::open(&path).and_then(|file| GzDecoder::new(file).read_to_string(&mut text));
        read.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut lines = text.lines().map(|line| line.split(',').map(String::from).collect());
        Some(Sheet { names: lines.next()?, rows: lines.collect() })
    }

    fn at(&self, name: &str) -> usize {
        self.names.iter().position(|n| n == name).unwrap_or_else(|| panic!("no column {name}"))
    }

    /// Terms and price of every row, beside the row.
    fn terms(&self, has_vol: bool) -> impl Iterator<Item = (Terms, &Vec<String>)> {
        let at = ["cp", "S", "K", "T", "r", "q", "price"].map(|name| self.at(name));
        let vol_at = has_vol.then(|| self.at("sigma"));
        self.rows.iter().map(move |row| {
            let [cp, spot, strike, years, r, q, price] = at.map(|at| number(&row[at]));
            let vol = vol_at.map_or(f64::NAN, |at| number(&row[at]));
            (Terms { call: cp > 0.0, spot, strike, years, r, q, vol, price }, row)
        })
    }
}

fn number(cell: &str) -> f64 {
    cell.parse().unwrap_or_else(|_| panic!("{cell:?}: not a number"))
}

/// What a trader meets, under Black, Scholes and Merton: a minute or more to go, time value above
/// 1e-8 of the spot.
pub fn tradable() -> Option<Vec<Priced>> {
    let sheet = Sheet::read("reference.csv.gz")?;
    let [stratum, model] = ["stratum", "model"].map(|name| sheet.at(name));
    let places = NAMES.map(|name| sheet.at(name));
    let is_tradable = |terms: &Terms, row: &[String]| {
        let Terms { call, spot, strike, years, r, q, price, .. } = *terms;
        let parity = spot * (-q * years).exp() - strike * (-r * years).exp();
        let floor = if call { parity } else { -parity }.max(0.0);
        row[model] == "bsm"
            && ["zerodte", "chain"].contains(&row[stratum].as_str())
            && years >= 60.0 / (365.0 * 86_400.0)
            && price - floor > 1e-8 * spot
    };
    let rows = sheet.terms(true).filter(|(terms, row)| is_tradable(terms, row));
    let priced = |(terms, row): (Terms, &Vec<String>)| Priced {
        terms,
        wanted: places.map(|at| number(&row[at])),
    };
    Some(rows.map(priced).collect())
}

/// The timed chain itself, where its values are known.
pub fn chain(columns: &Columns) -> Option<Vec<Priced>> {
    let column = |name: &str| columns.known.iter().find(|known| known.0 == name);
    let known: Option<Vec<&Vec<f64>>> = NAMES.iter().map(|name| Some(&column(name)?.1)).collect();
    let known = known?;
    let row = |(at, terms): (usize, &Terms)| Priced {
        terms: *terms,
        wanted: core::array::from_fn(|name| known[name][at]),
    };
    Some(columns.rows.iter().enumerate().map(row).collect())
}

/// All prices of the reference, those to be refused among them.
pub fn quoted() -> Option<Vec<Quoted>> {
    let sheet = Sheet::read("implied_vol.csv.gz")?;
    let [status, sigma] = ["status", "sigma"].map(|name| sheet.at(name));
    let row = |(terms, row): (Terms, &Vec<String>)| {
        let wanted = if row[status] == "ok" { number(&row[sigma]) } else { f64::NAN };
        Quoted { terms, wanted }
    };
    Some(sheet.terms(false).map(row).collect())
}

/// All American options of the reference.
pub fn american() -> Option<Vec<American>> {
    let sheet = Sheet::read("american.csv.gz")?;
    let row = |(terms, _): (Terms, &Vec<String>)| American { terms, wanted: terms.price };
    Some(sheet.terms(true).map(row).collect())
}
