//! A name in the configuration in; the number that it stands for, as it is known now, out.
//!
//! `VIX` is an external series of the universe, `SPXW.rv_close_20_1d` a column of features: only
//! columns have a dot. A series that is too old to be believed is not known.

use super::{
    row::Row,
    schema::{Column, Schema},
};
use crate::chain::{Chain, Universe};
use alloc::{format, string::String, vec::Vec};

/// Where a number is read from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Gauge {
    /// An external series, by its place in the universe's list.
    Series(u16),
    /// A column of features.
    Column(Column),
}

impl Gauge {
    /// What a name stands for, or a sentence that says why it stands for nothing.
    pub fn find(name: &str, universe: &Universe, schema: &Schema) -> Result<Gauge, String> {
        if name.contains('.') {
            return schema.resolve(name).map(Gauge::Column);
        }
        universe.find_series(name).map(Gauge::Series).ok_or_else(|| {
            let known: Vec<&str> = universe.series.iter().map(|row| row.name.as_str()).collect();
            format!("is {name:?}, which is no [[series]] of the universe; known: {known:?}")
        })
    }

    /// The number; NaN where it is not known.
    pub fn read(self, chain: &Chain, features: &Row) -> f64 {
        match self {
            Gauge::Column(column) => features.get(column),
            Gauge::Series(at) => {
                let fresh = chain.series(at).filter(|series| !series.is_stale(chain.now));
                let latest = fresh.and_then(|series| series.latest());
                latest.map_or(f64::NAN, |latest| latest.value)
            }
        }
    }
}
