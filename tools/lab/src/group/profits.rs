//! Outputs in; profit of packages by cause, and settlements, out.

use super::{Done, Opened, Scribe};
use crate::{
    column::{Day, Name, Stamp},
    known::Known,
    options::Options,
    sheet::{Close, Folder, Sheet},
    table::{Table, table},
};
use std::sync::Arc;
use zomma::{
    book::Cause,
    run::Plan,
    wire::{Event, Kind, Price, order},
};

table! {
    /// What one cause has made of a package since its entry; `profit` is the sum of all others.
    struct Profit in "profits" {
        /// Number of the input that caused it.
        seq: u64, "-";
        /// The exchange's time of that input.
        ts_event: Option<Stamp>, "-";
        /// The receive time of that input.
        ts_recv: Option<Stamp>, "-";
        /// The chain's time.
        time: Option<Stamp>, "-";
        /// The package: number of the order that opened it.
        package: u64, "-";
        /// Which strategy instance.
        strategy: u16, "-";
        /// Its name in the configuration.
        strategy_name: Option<Arc<str>>, "-";
        /// The cause: profit, delta, gamma, theta, vega, vanna, vomma, charm, veta, speed, traded,
        /// fees or rest; the engine's documentation of `book::Cause` says what each is.
        cause: &'static str, "-";
        /// What it has made since the package's entry.
        amount: Price, "currency";
        /// Of that, since the row before of the same package and cause.
        change: Price, "currency";
        /// Why it was told: cadence, settled or closed.
        occasion: &'static str, "-";
    }
}

table! {
    /// An expiry that has settled, with all that was held of it.
    struct Settlement in "settlements" {
        /// Number of the input that caused it.
        seq: u64, "-";
        /// The chain's time.
        time: Option<Stamp>, "-";
        /// Option root.
        root: Option<Name>, "-";
        /// Day (UTC) of the settlement.
        expiry: Option<Day>, "-";
        /// Settlement price of the underlying.
        price: Price, "currency";
        /// What the contracts came to before fees; delivered units count at `price`.
        cash: Price, "currency";
        /// Long contracts that were exercised.
        exercised: u32, "contracts";
        /// Short contracts that were assigned.
        assigned: u32, "contracts";
        /// Contracts that expired worthless.
        expired: u32, "contracts";
        /// Units of the underlying that were delivered: positive to us.
        delivered: i32, "units";
    }
}

/// The files of the group.
pub(super) fn tables() -> Vec<Table> {
    Vec::from([Table::of::<Profit>(), Table::of::<Settlement>()])
}

/// Begins them.
pub(super) fn open(folder: &mut Folder, _: &Plan, _: &Options) -> Opened {
    Ok(Box::new(Profits(folder.sheet()?, folder.sheet()?)))
}

struct Profits(Sheet<Profit>, Sheet<Settlement>);

impl Profits {
    fn on_profit(&mut self, known: &Known, event: &Event) -> Done {
        let body: &order::Profit = event.body();
        self.0.push(Profit {
            seq: event.seq,
            ts_event: Stamp::of(event.ts_event),
            ts_recv: Stamp::of(event.ts_recv),
            time: known.time(),
            package: body.package,
            strategy: body.strategy,
            strategy_name: known.strategy(body.strategy),
            cause: Cause(body.cause).name(),
            amount: body.amount,
            change: body.change,
            occasion: ["cadence", "settled", "closed"]
                .get(usize::from(body.occasion))
                .copied()
                .unwrap_or("-"),
        })
    }

    fn on_settlement(&mut self, known: &Known, event: &Event) -> Done {
        let body: &order::Settlement = event.body();
        let (root, expiry) = known.expiry(event.instrument).unzip();
        self.1.push(Settlement {
            seq: event.seq,
            time: known.time(),
            root,
            expiry,
            price: body.price,
            cash: body.cash,
            exercised: body.exercised,
            assigned: body.assigned,
            expired: body.expired,
            delivered: body.delivered,
        })
    }
}

impl Scribe for Profits {
    fn on_input(&mut self, _: &Known, _: &Event) -> Done {
        Ok(())
    }

    fn on_output(&mut self, known: &Known, event: &Event) -> Done {
        match event.kind {
            Kind::PROFIT => self.on_profit(known, event),
            Kind::SETTLEMENT => self.on_settlement(known, event),
            _ => Ok(()),
        }
    }

    fn sheets(&mut self) -> Vec<&mut dyn Close> {
        Vec::from([&mut self.0 as &mut dyn Close, &mut self.1])
    }
}
