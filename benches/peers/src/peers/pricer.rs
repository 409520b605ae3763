//! black_scholes_pricer 0.2: eight options at once in single precision, calls and puts apart. Its
//! volatilities are a loop without an end for hard prices, so they are not asked for.

use crate::{
    columns::Terms,
    peer::{Values, place},
};
use black_scholes_pricer::{Greeks, bs_call, bs_put, call_greeks, put_greeks};

/// Crate and version.
pub const NAME: &str = "black_scholes_pricer 0.2.1";
/// The Greeks that it gives.
pub const GREEKS: &[&str] = &["delta", "gamma", "theta", "vega", "rho"];

/// The columns of one side.
#[derive(Default)]
pub struct Columns {
    call: bool,
    spot: Vec<f32>,
    strike: Vec<f32>,
    years: Vec<f32>,
    r: Vec<f32>,
    vol: Vec<f32>,
    q: Vec<f32>,
}

impl Columns {
    /// Those rows that are calls, or puts.
    pub fn new<'a>(rows: impl Iterator<Item = &'a Terms>, call: bool) -> Columns {
        let mut columns = Columns { call, ..Columns::default() };
        for row in rows.filter(|row| row.call == call) {
            columns.spot.push(row.spot as f32);
            columns.strike.push(row.strike as f32);
            columns.years.push(row.years as f32);
            columns.r.push(row.r as f32);
            columns.vol.push(row.vol as f32);
            columns.q.push(row.q as f32);
        }
        columns
    }

    /// Prices.
    pub fn prices(&self) -> Vec<f32> {
        let Columns { call, spot, strike, years, r, vol, q } = self;
        (if *call { bs_call } else { bs_put })(spot, strike, years, r, vol, q)
    }

    /// Prices and Greeks.
    pub fn greeks(&self) -> Greeks {
        let Columns { call, spot, strike, years, r, vol, q } = self;
        (if *call { call_greeks } else { put_greeks })(spot, strike, years, r, vol, q)
    }
}

/// One option.
pub fn value(terms: &Terms) -> Values {
    let all = Columns::new(std::iter::repeat_n(terms, 8), terms.call).greeks();
    let mut out = [f64::NAN; _];
    let columns = [("price", all.pv), ("delta", all.delta), ("gamma", all.gamma)];
    let more = [("theta", all.theta), ("vega", all.vega), ("rho", all.rho)];
    for (name, column) in columns.into_iter().chain(more) {
        out[place(name)] = f64::from(column[0]);
    }
    out
}
