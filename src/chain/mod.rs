//! The market as known: events in; instruments, quotes, expiries and their rows of strikes out.
//!
//! [`Universe`] is what the configuration says of roots and calendars, because OPRA leaves
//! multiplier, tick and settlement clock undefined. [`Chain`] is a plain function of the events it
//! was given: no clock but [`Chain::now`], which they carry. Every table is made in
//! [`Chain::new`]; what does not fit later is counted in [`Totals`] and never stored.

mod apply;
mod calendar;
mod date;
mod day;
mod expiry;
mod instrument;
mod root;
mod state;
mod totals;
mod track;
mod universe;
mod variance;

pub use calendar::Calendar;
pub use date::Date;
pub use day::Day;
pub use expiry::Expiry;
pub use instrument::{Instrument, NO_EXPIRY, NO_ROOT, Quote, Tape};
pub use root::{Dividend, Root, Style, name_of};
pub use state::Chain;
pub use totals::Totals;
pub use track::Track;
pub use universe::{
    CalendarRow, Clock, DividendRow, EventRow, Limits, Rates, Revaluation, RootRow, Surface,
    Universe,
};
pub use variance::{VarianceClock, calendar_years};
