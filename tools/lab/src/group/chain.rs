//! The chain at chosen instants in; one row an option out: what a strategy saw of it there.

use super::{Done, Opened, Scribe};
use crate::{
    column::{Day, Name, Stamp},
    known::{Known, Symbol},
    options::{Every, Options},
    sheet::{Close, Folder, Sheet},
    table::{Table, table},
};
use std::sync::Arc;
use zomma::{
    chain::Expiry,
    run::Plan,
    wire::{
        Event, Price,
        market::{Greeks, VolStatus},
    },
};

table! {
    /// An option at an instant: the end of the first batch at or behind each step of --every, or
    /// of each batch. Units are those of `zomma price`. Expiries that have settled are left out.
    struct Snapshot in "chain" {
        /// The chain's time: the exchange's or the receive time, as the run was configured.
        time: Option<Stamp>, "-";
        /// Input number of the batch's last event: the state is the one after it.
        seq: u64, "-";
        /// Dense index of the instrument in this run.
        instrument: u32, "-";
        /// Option root.
        root: Option<Name>, "-";
        /// Day (UTC) of the expiration.
        expiry: Option<Day>, "-";
        /// Strike.
        strike: Option<Price>, "currency";
        /// C or P.
        cp: Option<&'static str>, "-";
        /// When it settles by the universe's rules.
        settles: Option<Stamp>, "-";
        /// Best bid per unit.
        bid: Option<f64>, "currency";
        /// Best ask per unit.
        ask: Option<f64>, "currency";
        /// Contracts at the bid.
        bid_size: u32, "contracts";
        /// Contracts at the ask.
        ask_size: u32, "contracts";
        /// The chain's time at the last quote, null before one.
        quoted: Option<Stamp>, "-";
        /// Whether the quote's session was lost, stalled or had a gap since.
        stale: bool, "-";
        /// Last print per unit.
        last: Option<f64>, "currency";
        /// Contracts printed since the run began.
        volume: u64, "contracts";
        /// Open contracts by the last report, 0 before one.
        interest: i64, "contracts";
        /// Why there is, or is not, an implied volatility.
        status: &'static str, "-";
        /// Implied volatility a year of volatility's clock, 0.20 is 20 %: its square times
        /// `vol_years` is the total variance. Null unless the status is ok.
        iv: Option<f64>, "1";
        /// Theoretical price per unit; null, as all Greeks, unless the status is ok or expired_T0.
        price: Option<f32>, "currency";
        /// dV/dS.
        delta: Option<f32>, "1";
        /// d²V/dS².
        gamma: Option<f32>, "1/currency";
        /// -dV/dT a year.
        theta: Option<f32>, "currency/year";
        /// dV/dσ per 1.00 of volatility.
        vega: Option<f32>, "currency";
        /// Forward price of the expiry, null before one is known.
        forward: Option<f64>, "currency";
        /// Discount factor to the settlement.
        discount: Option<f64>, "1";
        /// Years to the settlement when the forward was taken, ACT/365 in seconds.
        years: Option<f64>, "years";
        /// The same on the clock that volatility runs by, which the universe sets.
        vol_years: Option<f64>, "years";
        /// Mid of the underlying, null where it has no sound quote.
        spot: Option<f64>, "currency";
    }
}

/// The files of the group.
pub(super) fn tables() -> Vec<Table> {
    Vec::from([Table::of::<Snapshot>()])
}

/// Begins them.
pub(super) fn open(folder: &mut Folder, _: &Plan, options: &Options) -> Opened {
    let expiries: Arc<[Day]> = options.expiries.as_slice().into();
    Ok(Box::new(Snapshots { sheet: folder.sheet()?, every: options.every, expiries, next: 0 }))
}

struct Snapshots {
    sheet: Sheet<Snapshot>,
    every: Every,
    /// Those that were asked for; all where it is empty.
    expiries: Arc<[Day]>,
    next: u64,
}

impl Scribe for Snapshots {
    fn on_input(&mut self, known: &Known, event: &Event) -> Done {
        if !event.ends_batch() || !self.is_due(known.chain.now) {
            return Ok(());
        }
        for (index, expiry) in known.chain.expiries() {
            if expiry.settles > known.chain.now {
                self.expiry(known, event, index, expiry)?;
            }
        }
        Ok(())
    }

    fn on_output(&mut self, _: &Known, _: &Event) -> Done {
        Ok(())
    }

    fn sheets(&mut self) -> Vec<&mut dyn Close> {
        Vec::from([&mut self.sheet as &mut dyn Close])
    }
}

impl Snapshots {
    /// Whether a step of the grid was reached; the grid's origin is the Unix epoch.
    fn is_due(&mut self, now: u64) -> bool {
        let Every::Span(step) = self.every else { return now > 0 };
        let due = now > 0 && now >= self.next;
        if due {
            self.next = (now / step).saturating_add(1).saturating_mul(step);
        }
        due
    }

    fn expiry(&mut self, known: &Known, event: &Event, index: u16, expiry: &Expiry) -> Done {
        for row in 0..expiry.rows() {
            for option in [expiry.call(row), expiry.put(row)].into_iter().flatten() {
                let symbol = known.contracts.symbol(option);
                let wanted = self.expiries.is_empty()
                    || symbol.expiry.is_some_and(|day| self.expiries.contains(&day));
                if wanted {
                    let shared = Shared { known, seq: event.seq, index, expiry };
                    self.sheet.push(shared.row(option, symbol))?;
                }
            }
        }
        Ok(())
    }
}

/// What the rows of an expiry have in common.
struct Shared<'a> {
    known: &'a Known,
    seq: u64,
    index: u16,
    expiry: &'a Expiry,
}

impl Shared<'_> {
    fn row(&self, option: u32, Symbol { root, expiry, strike, cp }: Symbol) -> Snapshot {
        let Shared { known, seq, expiry: shared, .. } = self;
        let (quote, tape) = (known.chain.quote(option), known.chain.tape(option));
        let greeks = known.chain.greeks(option);
        let status = greeks.map_or(VolStatus::UNKNOWN, |greeks| greeks.status);
        let valued = greeks.filter(|_| [VolStatus::OK, VolStatus::EXPIRED].contains(&status));
        let of = |value: fn(&Greeks) -> f32| valued.as_ref().map(value);
        Snapshot {
            time: known.time(),
            seq: *seq,
            instrument: option,
            root,
            expiry,
            strike,
            cp,
            settles: Stamp::after_zero(shared.settles),
            bid: number(quote.bid),
            ask: number(quote.ask),
            bid_size: quote.bid_size,
            ask_size: quote.ask_size,
            quoted: Stamp::after_zero(quote.ts),
            stale: quote.stale,
            last: number(tape.last),
            volume: tape.volume,
            interest: tape.interest,
            status: status.name(),
            iv: greeks.filter(|_| status == VolStatus::OK).map(|greeks| greeks.iv),
            price: of(|greeks| greeks.price),
            delta: of(|greeks| greeks.delta),
            gamma: of(|greeks| greeks.gamma),
            theta: of(|greeks| greeks.theta),
            vega: of(|greeks| greeks.vega),
            forward: number(shared.forward),
            discount: number(shared.discount),
            years: number(shared.years),
            vol_years: number(shared.vol_years),
            spot: number(self.spot()),
        }
    }

    fn spot(&self) -> f64 {
        self.known.chain.spot(self.known.chain.expiry(self.index).root)
    }
}

fn number(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}
