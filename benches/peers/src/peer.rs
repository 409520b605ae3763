//! What a peer is asked for: an option's terms in, its price, its Greeks and its volatility out.

use crate::columns::Terms;

/// Columns of the reference, in its order; a peer gives some of them.
pub const NAMES: [&str; 17] = [
    "price",
    "delta",
    "gamma",
    "theta",
    "vega",
    "rho",
    "phi",
    "vanna",
    "charm",
    "vomma",
    "veta",
    "speed",
    "zomma",
    "color",
    "ultima",
    "dual_delta",
    "dual_gamma",
];

/// Values by the place of their name in [`NAMES`].
pub type Values = [f64; NAMES.len()];

/// One option in the form that the peer's API takes, made outside of what is timed.
pub trait Peer: Sized {
    /// Crate and version.
    const NAME: &'static str;
    /// What it cannot do, in a word for the table.
    const NOTE: &'static str = "";
    /// Whether it has a price of its own.
    const PRICES: bool = true;
    /// The Greeks that it gives, in the order of [`NAMES`]; their units are the reference's.
    const GREEKS: &'static [&'static str] = &[];
    /// Whether it has implied volatilities.
    const VOLATILITIES: bool = true;
    /// Every so manieth row of the reference is compared: more than one where a row takes long.
    const EVERY: usize = 1;

    /// The option.
    fn new(terms: &Terms) -> Self;

    /// Price.
    fn price(&self) -> f64 {
        f64::NAN
    }

    /// Price and the Greeks of [`Peer::GREEKS`], each at its place.
    fn greeks(&self, _out: &mut Values) {}

    /// Volatility of a price; NaN where the peer refuses.
    fn volatility(&self, _price: f64) -> f64 {
        f64::NAN
    }
}

/// Where a name stands in [`NAMES`].
pub const fn place(name: &str) -> usize {
    let mut at = 0;
    while at < NAMES.len() {
        if same(NAMES[at].as_bytes(), name.as_bytes()) {
            return at;
        }
        at += 1;
    }
    panic!("no such name")
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}
