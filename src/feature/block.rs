//! The one list of blocks: what a block is, and all of them for one root.

use super::{
    bar::{Bars, Tick},
    contracts::Contracts,
    derived::{Pairs, Ranks, Scores},
    exposures::Exposures,
    flow::Flow,
    interest::Interest,
    levels::Levels,
    micro::Micro,
    pin::Pin,
    positions::Positions,
    profile::Profile,
    schema::Schema,
    session::Session,
    settings::Settings,
    surface::{Surface, Term},
    table::Table,
    technical::Technical,
    time::Time,
    toxicity::Toxicity,
    trend::Trend,
    volatility::Volatility,
};
use crate::{
    chain::{Chain, Day, Instrument, Limits, Universe},
    wire::{Event, Timestamp},
};
use alloc::format;

/// What blocks are made from.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// `[features]`.
    pub settings: &'a Settings,
    /// Sizes of the chain's tables.
    pub limits: &'a Limits,
    /// All that the configuration says of the market.
    pub universe: &'a Universe,
    /// All columns.
    pub schema: &'a Schema,
    /// The root's name.
    pub root: &'a str,
}

impl Setup<'_> {
    /// The place of a column among the root's, by its name without the root.
    pub fn place(&self, name: &str) -> Option<usize> {
        let at = self.schema.column(&format!("{}.{name}", self.root))?.at();
        let before = self.settings.roots.iter().position(|root| root == self.root)?;
        Some(at - before * self.schema.root_width())
    }
}

/// What a block sees: the chain as it is now, and its root.
#[derive(Clone, Copy, Debug)]
pub struct See<'a> {
    /// The market. Forwards and Greeks in it are those of the last batch end.
    pub chain: &'a Chain,
    /// Which root of it.
    pub root: u16,
    /// The chain's time.
    pub now: Timestamp,
    /// The underlying's price as bars take it; NaN before the first.
    pub price: f64,
    /// The exchange's day that holds `now`.
    pub day: Day,
}

/// What an input is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    /// The root's underlying.
    Underlying,
    /// An option of the root.
    Option(Instrument),
}

/// A part of a row: accumulators that follow the inputs, and the columns that they give.
///
/// Everything is a function of the inputs in their order: what GREEKS derives may be read from the
/// chain in [`Block::fill`], but nothing may hang on when within a batch it came.
pub trait Block {
    /// Its columns.
    const TABLE: &'static Table;
    /// Empty, with all the memory that it will ever need.
    fn new(setup: &Setup<'_>) -> Self;
    /// DEFINITION, QUOTE, TRADE, INTEREST or STATUS of the root's underlying or of one of its
    /// options; the chain holds it already.
    #[inline(always)]
    fn on(&mut self, _see: &See<'_>, _event: &Event, _of: &Subject) {}
    /// The underlying has ticked within a session.
    #[inline(always)]
    fn on_tick(&mut self, _see: &See<'_>, _tick: Tick) {}
    /// A bar of the underlying has ended: number `kind` of [`super::Axis::Bars`]. The chain holds
    /// the input that ended it already; it is no part of the bar.
    #[inline(always)]
    fn on_bar(&mut self, _see: &See<'_>, _kind: usize, _bars: &Bars) {}
    /// Writes the columns, as many as the table declares. `done` holds those of the root's blocks
    /// before this one.
    fn fill(&mut self, see: &See<'_>, done: &[f64], out: &mut [f64]);
}

macro_rules! blocks {
    ($($name:ident: $block:ident,)*) => {
        /// Tables of all blocks, in the order of their columns.
        pub const TABLES: &[&Table] = &[$(<$block as Block>::TABLE),*];

        /// All blocks of a root.
        #[derive(Debug)]
        pub(super) struct Blocks { $($name: $block,)* widths: [usize; TABLES.len()] }

        impl Blocks {
            pub(super) fn new(setup: &Setup<'_>) -> Blocks {
                let mut widths = [0; TABLES.len()];
                for (width, table) in widths.iter_mut().zip(TABLES) {
                    *width = table.columns(setup.settings);
                }
                Blocks { $($name: $block::new(setup),)* widths }
            }

            /// How many columns a root has.
            pub(super) fn width(&self) -> usize {
                self.widths.iter().sum()
            }

            #[inline(always)]
            pub(super) fn on(&mut self, see: &See<'_>, event: &Event, of: &Subject) {
                $(self.$name.on(see, event, of);)*
            }

            #[inline(always)]
            pub(super) fn on_tick(&mut self, see: &See<'_>, tick: Tick) {
                $(self.$name.on_tick(see, tick);)*
            }

            #[inline(always)]
            pub(super) fn on_bar(&mut self, see: &See<'_>, kind: usize, bars: &Bars) {
                $(self.$name.on_bar(see, kind, bars);)*
            }

            #[inline(always)]
            pub(super) fn fill(&mut self, see: &See<'_>, row: &mut [f64]) {
                let mut from = 0;
                let mut widths = self.widths.iter();
                $({
                    let width = widths.next().copied().unwrap_or(0);
                    let (done, rest) = row.split_at_mut(from);
                    self.$name.fill(see, done, &mut rest[..width]);
                    from += width;
                })*
                debug_assert_eq!(from, row.len());
            }
        }
    };
}

// What is derived comes last: it reads the columns of the blocks before it.
blocks! {
    time: Time,
    session: Session,
    profile: Profile,
    trend: Trend,
    technical: Technical,
    volatility: Volatility,
    surface: Surface,
    term: Term,
    contracts: Contracts,
    micro: Micro,
    flow: Flow,
    toxicity: Toxicity,
    interest: Interest,
    positions: Positions,
    exposures: Exposures,
    levels: Levels,
    pin: Pin,
    pairs: Pairs,
    scores: Scores,
    ranks: Ranks,
}
