//! The peers, a file each: how each crate is called, and its units turned into the reference's.

pub mod black_scholes;
pub mod blackscholes;
pub mod implied_vol;
pub mod jaeckel;
pub mod optionstratlib;
pub mod pricer;
pub mod rustyqlib;
pub mod textbook;
