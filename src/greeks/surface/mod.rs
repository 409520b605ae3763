//! Implied volatilities of an expiry's strikes in; one smooth smile that can be traded against,
//! with its level, skew and wings, and where it would allow arbitrage, out.
//!
//! A smile is Gatheral's raw SVI in total variance over log-moneyness: five numbers, straight
//! wings, no transcendental function to evaluate. It is fitted off the tick path, a few expiries a
//! beat, starting from the last one; on the tick path it is only read.

mod fit;
mod smile;
mod svi;
mod turns;

pub use fit::{Bound, Fit, Fitter, POINTS_MIN};
pub use smile::{Smile, Wing, forward_vol};
pub use svi::Svi;
pub use turns::{Turns, smile_of, svi_of};
