//! Forwards, implied volatilities and Greeks: the chain in; FORWARD and GREEKS events out.
//!
//! The kernels take blocks of eight strikes ([`black`], [`sets`], [`implied`]); [`Revalue`] decides
//! what has to be computed at the end of a batch. [`american`] adds what early exercise is worth.

pub mod lanes;
pub mod math;
pub mod black;
pub mod sets;
pub mod implied;
pub mod options;
pub mod american;
pub mod forward;
pub mod surface;
pub mod exposure;

mod revalue;
mod slate;
mod window;

pub use revalue::Revalue;
