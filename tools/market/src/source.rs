//! What both kinds of market are to the server: records in the order of one clock.

use crate::catalog::Catalog;

/// One record on its way out.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// When it is due, in the market's own time; 0 for what goes out before trading starts.
    pub at: u64,
    /// Which dataset.
    pub channel: u8,
    /// Dense index of its instrument.
    pub index: u32,
    /// The record.
    pub bytes: &'a [u8],
}

/// A market: records in order, each with the time at which it is due.
pub trait Source {
    /// The market's own time at which its clock starts.
    fn opens(&self) -> u64;
    /// The server's clock starts at this wall time.
    fn on_start(&mut self, _wall: u64) {}
    /// When the next record is due; `None` at the end.
    fn peek(&mut self) -> Option<u64>;
    /// The next record. Only after `peek` has promised one.
    fn take(&mut self) -> Item<'_>;
    /// What went out before trading started and a late session has to be told: mappings,
    /// definitions, statistics, in order.
    fn preamble(&self, each: &mut dyn FnMut(Item<'_>));
    /// Its instruments.
    fn catalog(&self) -> &Catalog;
}
