//! The account: what it has, what a contract costs, and how much the book has room for.

use crate::config::Span;

crate::section! {
    /// The account that is traded.
    pub struct Account {
        /// Capital that shares of it are reckoned from.
        pub capital: f64 = 50_000.0, in 0.0..=1e9, "currency";
        /// Commission and exchange fees, each side, of what no row of the table of fees is for.
        pub fee_per_contract: f64 = 0.65, in 0.0..=1_000.0, "currency/contract";
        /// How often the profit of open packages is told by cause, by the chain's time.
        pub explain_every: Span = Span(60_000_000_000),
            in Span(1_000_000)..=Span(86_400_000_000_000), "time";
        /// Orders and cancels that are remembered; older ones that have ended are forgotten.
        pub orders_max: usize = 8_192, in 64..=1_048_576, "orders";
        /// Packages that are remembered.
        pub packages_max: usize = 1_024, in 16..=65_536, "packages";
        /// Instruments that can be held: dense indices below this.
        pub instruments_max: usize = 65_536, in 64..=4_194_304, "instruments";
    }
}
