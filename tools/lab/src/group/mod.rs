//! The groups of files that an export is made of: an event and what is known at it in, rows out.
//!
//! Another table (the fills of a backtest) is a row declared with `table!`, a [`Scribe`]
//! that fills it, and a line in [`GROUPS`].

mod chain;
mod decisions;
mod events;
mod features;
mod fills;
mod orders;
mod profits;

use crate::{
    known::Known,
    options::Options,
    sheet::{Close, Folder},
    table::Table,
};
use zomma::{
    run::{Failure, Plan},
    wire::Event,
};

/// What writing a row comes to.
pub(crate) type Done = Result<(), Failure>;

/// What beginning a group's files comes to.
pub(crate) type Opened = Result<Box<dyn Scribe>, Failure>;

/// Writes the files of a group. It sees the inputs and outputs of the range that was asked for.
pub(crate) trait Scribe {
    /// An input, after the stages have taken it.
    fn on_input(&mut self, known: &Known, event: &Event) -> Done;
    /// An output, after the input that caused it.
    fn on_output(&mut self, known: &Known, event: &Event) -> Done;
    /// The journal has ended.
    fn on_end(&mut self, _: &Known) -> Done {
        Ok(())
    }
    /// Its files.
    fn sheets(&mut self) -> Vec<&mut dyn Close>;
}

/// A group of files: how `--only` calls it, what they hold.
pub struct Group {
    /// Its name in `--only`.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Whether the stages that value the chain have to run.
    pub(crate) values: bool,
    /// Its files.
    pub tables: fn() -> Vec<Table>,
    pub(crate) open: fn(&mut Folder, &Plan, &Options) -> Opened,
}

/// All groups, in the order of an event's life.
pub const GROUPS: &[Group] = &[
    Group {
        name: "events",
        about: "what came in",
        values: false,
        tables: events::tables,
        open: events::open,
    },
    Group {
        name: "chain",
        about: "the market as the strategies saw it",
        values: true,
        tables: chain::tables,
        open: chain::open,
    },
    Group {
        name: "features",
        about: "rows of features, as models and strategies saw them",
        values: true,
        tables: features::tables,
        open: features::open,
    },
    Group {
        name: "decisions",
        about: "what strategies concluded",
        values: false,
        tables: decisions::tables,
        open: decisions::open,
    },
    Group {
        name: "orders",
        about: "what was approved, cancelled, refused and halted",
        values: false,
        tables: orders::tables,
        open: orders::open,
    },
    Group {
        name: "fills",
        about: "what the broker said",
        values: false,
        tables: fills::tables,
        open: fills::open,
    },
    Group {
        name: "profits",
        about: "profit of packages by cause, and settlements",
        values: false,
        tables: profits::tables,
        open: profits::open,
    },
];
