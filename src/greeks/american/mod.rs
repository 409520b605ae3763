//! American options: terms and rates in; prices, Greeks and implied volatilities out.
//!
//! The price is the European one and a premium, an integral along the boundary below which a put is
//! exercised (Andersen, Lake and Offengenden 2016). The boundary of a strike depends on rates, time
//! and volatility, not on the spot: [`Rule::boundary`] solves it off the tick path, eight
//! volatilities at once, and [`Carry::premium`] is what a tick pays. A call is a put with spot and
//! strike, rate and yield exchanged. Where nothing is gained by exercising early (a call with no
//! yield, a put with no interest) the option is European; where there would be two boundaries it
//! is refused.

mod boundary;
mod cache;
mod contract;
mod implied;
mod normal;
mod premium;
mod rule;
mod sixteen;

pub use boundary::{Boundary, Grid};
pub(super) use cache::{Cache, Lift, Place, Terms};
pub use contract::{Added, Contract, Value, even_yield};
pub use implied::{Puts, VOL_MAX};
pub use premium::{Carry, Early, Premium};
pub use rule::Rule;

/// The nodes of files: errors up to 1e-7 of the spot at the 99th percentile of the reference, and
/// 1e-6 for any terms.
pub type Standard = Rule<10, 8, 24>;

/// The nodes of the chain, where a tick pays for each point of the premium: errors up to 5e-7 of
/// the spot at the 99th percentile of the reference, and 5e-6 for any terms.
pub type Quick = Rule<10, 8, 16>;
