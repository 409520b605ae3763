//! Text in, lines on the standard output out; one that takes nothing is no reason to stop trading.
//!
//! The macros of `std` panic when a pipe is closed or a disk is full. These go on, and [`lost`]
//! says at the end that somebody did not get to read what was said.

use core::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};
use std::io::{Write, stdout};

static LOST: AtomicBool = AtomicBool::new(false);

/// Writes what it can.
pub fn write(text: fmt::Arguments<'_>) {
    let mut out = stdout().lock();
    if out.write_fmt(text).and_then(|()| out.flush()).is_err() {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// Whether any text could not be written.
pub fn lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// `std::print`, without its panic.
macro_rules! print {
    ($($text:tt)*) => { $crate::run::say::write(::core::format_args!($($text)*)) };
}

/// `std::println`, without its panic.
macro_rules! println {
    () => { $crate::run::say::write(::core::format_args!("\n")) };
    ($($text:tt)*) => {
        $crate::run::say::write(::core::format_args!("{}\n", ::core::format_args!($($text)*)))
    };
}

pub(super) use {print, println};
