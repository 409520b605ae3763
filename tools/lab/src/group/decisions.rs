//! Outputs in; what strategies concluded, one row a decision, out.

use super::{Done, Opened, Scribe};
use crate::{
    column::Stamp,
    known::Known,
    options::Options,
    sheet::{Close, Folder, Sheet},
    table::{Table, table},
};
use std::sync::Arc;
use zomma::{
    run::Plan,
    strategy::Code,
    wire::{Event, Kind, order},
};

table! {
    /// A conclusion of a strategy, acted on or not.
    struct Decision in "decisions" {
        /// Number of the input that caused it.
        seq: u64, "-";
        /// The exchange's time of that input.
        ts_event: Option<Stamp>, "-";
        /// The receive time of that input.
        ts_recv: Option<Stamp>, "-";
        /// The chain's time.
        time: Option<Stamp>, "-";
        /// Which strategy instance.
        strategy: u16, "-";
        /// Its name in the configuration.
        strategy_name: Option<Arc<str>>, "-";
        /// Number of the conclusion.
        code: u16, "-";
        /// Its name; the engine's documentation of `strategy::Code` says what `a` and `b` are.
        code_name: &'static str, "-";
        /// The package that it is about: number of the order that opened it, 0 for none.
        package: u64, "-";
        /// First value, by code.
        a: f64, "by code";
        /// Second value, by code.
        b: f64, "by code";
    }
}

/// The files of the group.
pub(super) fn tables() -> Vec<Table> {
    Vec::from([Table::of::<Decision>()])
}

/// Begins them.
pub(super) fn open(folder: &mut Folder, _: &Plan, _: &Options) -> Opened {
    Ok(Box::new(Decisions(folder.sheet()?)))
}

struct Decisions(Sheet<Decision>);

impl Scribe for Decisions {
    fn on_input(&mut self, _: &Known, _: &Event) -> Done {
        Ok(())
    }

    fn on_output(&mut self, known: &Known, event: &Event) -> Done {
        if event.kind != Kind::DECISION {
            return Ok(());
        }
        let body: &order::Decision = event.body();
        self.0.push(Decision {
            seq: event.seq,
            ts_event: Stamp::of(event.ts_event),
            ts_recv: Stamp::of(event.ts_recv),
            time: known.time(),
            strategy: body.strategy,
            strategy_name: known.strategy(body.strategy),
            code: body.code,
            code_name: Code(body.code).name(),
            package: body.package,
            a: body.a,
            b: body.b,
        })
    }

    fn sheets(&mut self) -> Vec<&mut dyn Close> {
        Vec::from([&mut self.0 as &mut dyn Close])
    }
}
