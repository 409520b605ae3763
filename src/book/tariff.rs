//! The table of fees in; what a fill, an exercise or an assignment costs on its day out.
//!
//! Each row of `[[fee]]` holds for some roots from a day on, until a later row for the same ones.
//! Amounts per contract are integers of 1e-9 of currency, shares of premium integers of 1e-12. Each
//! charge is rounded half up to 1e-9 of currency; the sum of a fill is rounded up to a whole
//! `round_to`. Each part of a split fill is rounded for itself.

use super::money::{Money, fit, from_currency, value};
use crate::{
    chain::{Date, name_of},
    config::{Reader, Value},
    wire::{Timestamp, market::Class},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// What a row of fees is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trades {
    /// Calls and puts.
    Options,
    /// Stocks and futures.
    Underlyings,
}

impl Value for Trades {
    const WANTED: &'static str = "\"options\" or \"underlyings\"";
    fn read(value: &toml::Value) -> Option<Trades> {
        match value.as_str()? {
            "options" => Some(Trades::Options),
            "underlyings" => Some(Trades::Underlyings),
            _ => None,
        }
    }
    fn show(&self) -> String {
        match self {
            Trades::Options => "\"options\"".to_string(),
            Trades::Underlyings => "\"underlyings\"".to_string(),
        }
    }
}

crate::section! {
    /// What trading costs, from a day on: `[[fee]]`. "Contract" is a share where stocks are meant,
    /// "premium" is what is paid or received for the contracts.
    pub struct FeeRow {
        /// Name for messages.
        pub name: String, "-";
        /// Roots, or tickers of underlyings, that it is for; empty for all that no row names.
        pub roots: Vec<String> = Vec::new(), "-";
        /// What it is for: "options" or "underlyings".
        pub trades: Trades = Trades::Options, "-";
        /// First day that it holds on (00:00 UTC).
        pub from: Date, "-";
        /// The broker's, with the first fill of an order's leg.
        pub order: f64 = 0.0, in 0.0..=1e6, "currency/leg";
        /// The broker's.
        pub commission: f64 = 0.0, in 0.0..=1e6, "currency/contract";
        /// The exchange's.
        pub exchange: f64 = 0.0, in 0.0..=1e6, "currency/contract";
        /// Regulatory (US: ORF).
        pub regulatory: f64 = 0.0, in 0.0..=1e6, "currency/contract";
        /// Clearing (US: OCC).
        pub clearing: f64 = 0.0, in 0.0..=1e6, "currency/contract";
        /// On sales (US: TAF).
        pub sale: f64 = 0.0, in 0.0..=1e6, "currency/contract";
        /// On sales, of the premium (US: SEC; India: STT).
        pub sale_share: f64 = 0.0, in 0.0..=1.0, "of premium";
        /// On purchases, of the premium (India: stamp duty).
        pub buy_share: f64 = 0.0, in 0.0..=1.0, "of premium";
        /// The exchange's, of the premium (India: turnover).
        pub turnover_share: f64 = 0.0, in 0.0..=1.0, "of premium";
        /// The regulator's, of the premium (India: SEBI).
        pub regulator_share: f64 = 0.0, in 0.0..=1.0, "of premium";
        /// Tax on what broker, exchange and regulator take by `order`, `commission`, `exchange`,
        /// `turnover_share` and `regulator_share` (India: GST).
        pub tax_share: f64 = 0.0, in 0.0..=1.0, "of fees";
        /// For an exercise.
        pub exercise: f64 = 0.0, in 0.0..=1e6, "currency/contract";
        /// For an assignment.
        pub assignment: f64 = 0.0, in 0.0..=1e6, "currency/contract";
        /// For an exercise, of the intrinsic value (India: STT).
        pub exercise_share: f64 = 0.0, in 0.0..=1.0, "of intrinsic value";
        /// The sum of a fill is rounded up to a whole one of these.
        pub round_to: f64 = 0.01, in 0.000_000_001..=1e6, "currency";
    }
}

/// What happens to contracts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deed {
    /// They are bought.
    Buy,
    /// They are sold.
    Sell,
    /// A long option is exercised at settlement.
    Exercise,
    /// A short option is assigned at settlement.
    Assign,
}

/// One thing that is charged for.
#[derive(Clone, Copy, Debug)]
pub struct Charge {
    /// What happens.
    pub deed: Deed,
    /// To how many contracts, not negative.
    pub contracts: i64,
    /// For how much money in all, not negative: premium, or intrinsic value.
    pub premium: Money,
    /// The first fill of an order's leg.
    pub first: bool,
}

/// Units of a share.
const SHARE: i128 = 1_000_000_000_000;

/// A row as integers: money in 1e-9, shares in 1e-12.
#[derive(Clone, Debug)]
struct Rates {
    from: Timestamp,
    order: i64,
    taxed: i64,
    untaxed: i64,
    sale: i64,
    sale_share: i64,
    buy_share: i64,
    taxed_shares: [i64; 2],
    tax_share: i64,
    exercise: i64,
    assignment: i64,
    exercise_share: i64,
    round_to: i64,
}

impl Rates {
    fn new(row: &FeeRow) -> Rates {
        let share = |share: f64| (share * SHARE as f64 + 0.5) as i64;
        Rates {
            from: row.from.begins(),
            order: from_currency(row.order),
            taxed: from_currency(row.commission) + from_currency(row.exchange),
            untaxed: from_currency(row.regulatory) + from_currency(row.clearing),
            sale: from_currency(row.sale),
            sale_share: share(row.sale_share),
            buy_share: share(row.buy_share),
            taxed_shares: [share(row.turnover_share), share(row.regulator_share)],
            tax_share: share(row.tax_share),
            exercise: from_currency(row.exercise),
            assignment: from_currency(row.assignment),
            exercise_share: share(row.exercise_share),
            round_to: from_currency(row.round_to).max(1),
        }
    }

    fn total(&self, charge: &Charge) -> Money {
        let contracts = i128::from(charge.contracts);
        let premium = i128::from(charge.premium);
        let sum = match charge.deed {
            Deed::Buy | Deed::Sell => self.trade(charge, contracts, premium),
            Deed::Exercise => {
                contracts * i128::from(self.exercise) + part(premium, self.exercise_share)
            }
            Deed::Assign => contracts * i128::from(self.assignment),
        };
        let unit = i128::from(self.round_to);
        fit((sum + unit - 1) / unit * unit)
    }

    fn trade(&self, charge: &Charge, contracts: i128, premium: i128) -> i128 {
        let order = if charge.first { i128::from(self.order) } else { 0 };
        let shares = self.taxed_shares.map(|share| part(premium, share));
        let taxed = order + contracts * i128::from(self.taxed) + shares[0] + shares[1];
        let side = match charge.deed {
            Deed::Sell => contracts * i128::from(self.sale) + part(premium, self.sale_share),
            _ => part(premium, self.buy_share),
        };
        taxed + part(taxed, self.tax_share) + contracts * i128::from(self.untaxed) + side
    }
}

/// A share of an amount, rounded half up.
fn part(amount: i128, share: i64) -> i128 {
    (amount * i128::from(share) + SHARE / 2) / SHARE
}

/// Rows of the same roots, by day.
#[derive(Clone, Debug)]
struct Schedule {
    roots: Vec<[u8; 8]>,
    trades: Trades,
    rows: Vec<Rates>,
}

/// All fees of an account.
#[derive(Clone, Debug, Default)]
pub struct Tariffs {
    schedules: Vec<Schedule>,
    /// What a contract costs where no row holds, each side; settlement is free there.
    flat: Money,
}

/// The schedule of an instrument: where it is in the table, if it has one.
pub(super) type Place = u16;

/// The place of what no row is for.
pub(super) const NO_TARIFF: Place = Place::MAX;

/// The place of shares that no row is for: the account's flat fee is for contracts.
const FREE: Place = Place::MAX - 1;

impl Charge {
    /// A fill of `contracts` (signed) at `price` (1e-9 per unit).
    pub fn fill(contracts: i64, price: i64, multiplier: i64, first: bool) -> Charge {
        Charge {
            deed: if contracts > 0 { Deed::Buy } else { Deed::Sell },
            contracts: contracts.saturating_abs(),
            premium: value(price, contracts, multiplier).saturating_abs(),
            first,
        }
    }
}

impl Tariffs {
    /// The same over another flat fee.
    pub(super) fn over(self, flat: Money) -> Tariffs {
        Tariffs { flat, ..self }
    }

    /// A flat fee a contract, each side.
    pub fn flat(fee: Money) -> Tariffs {
        Tariffs { schedules: Vec::new(), flat: fee }
    }

    /// Takes every `[[fee]]` of a file such as `config/fees.toml`. Rows that hold for the same
    /// roots must not begin on the same day, and no root may stand in two lists.
    pub fn read(&mut self, reader: &mut Reader) {
        for row in reader.list::<FeeRow>("fee") {
            let roots: Vec<[u8; 8]> = row.roots.iter().map(|root| name_of(root)).collect();
            let rates = Rates::new(&row);
            if let Err(what) = self.add(roots, row.trades, rates) {
                reader.refuse(&format!("[fee {}] {}", row.name, what.0), what.1);
            }
        }
    }

    fn add(
        &mut self,
        roots: Vec<[u8; 8]>,
        trades: Trades,
        rates: Rates,
    ) -> Result<(), (&'static str, &'static str)> {
        let same = |schedule: &&mut Schedule| schedule.trades == trades && schedule.roots == roots;
        if let Some(schedule) = self.schedules.iter_mut().find(same) {
            if schedule.rows.iter().any(|row| row.from == rates.from) {
                return Err(("from", "is a day from which another row holds for these roots"));
            }
            schedule.rows.push(rates);
            schedule.rows.sort_by_key(|row| row.from);
            return Ok(());
        }
        let mut others = self.schedules.iter().filter(|schedule| schedule.trades == trades);
        if others.any(|schedule| schedule.roots.iter().any(|root| roots.contains(root))) {
            return Err(("roots", "names a root that another list names; write the same list"));
        }
        self.schedules.push(Schedule { roots, trades, rows: Vec::from([rates]) });
        Ok(())
    }

    /// The schedule of an instrument of this name and class.
    pub(super) fn place(&self, name: [u8; 8], class: Class) -> Place {
        let trades = if class.is_option() { Trades::Options } else { Trades::Underlyings };
        let mine = |schedule: &Schedule| schedule.trades == trades;
        let find = |wanted: &dyn Fn(&Schedule) -> bool| {
            self.schedules.iter().position(|schedule| mine(schedule) && wanted(schedule))
        };
        let found = find(&|schedule| schedule.roots.contains(&name));
        let found = found.or_else(|| find(&|schedule| schedule.roots.is_empty()));
        let otherwise = if class == Class::STOCK { FREE } else { NO_TARIFF };
        found.map_or(otherwise, |at| at as Place)
    }

    /// What a charge comes to by a schedule at a time; flat where no row holds.
    pub(super) fn charge(&self, place: Place, now: Timestamp, charge: &Charge) -> Money {
        match self.rates(place, now) {
            Some(rates) => rates.total(charge),
            None if place != FREE && matches!(charge.deed, Deed::Buy | Deed::Sell) => {
                self.flat.saturating_mul(charge.contracts)
            }
            None => 0,
        }
    }

    /// The most that a charge can come to if its fill is split in any way.
    pub(super) fn most(&self, place: Place, now: Timestamp, charge: &Charge) -> Money {
        let unit = self.rates(place, now).map_or(0, |rates| rates.round_to);
        let parts = charge.contracts.saturating_mul(unit);
        self.charge(place, now, charge).saturating_add(parts)
    }

    fn rates(&self, place: Place, now: Timestamp) -> Option<&Rates> {
        let rows = &self.schedules.get(usize::from(place))?.rows;
        rows[..rows.partition_point(|row| row.from <= now)].last()
    }
}
