//! A broker's report on an order in, the order's state out: total, so no pair is undefined.
//!
//! | state | new, fill | last fill | canceled | rejected | expired | status, no cancel | other |
//! |---|---|---|---|---|---|---|---|
//! | sent | working | filled | canceled | rejected | expired | as the broker has it | sent |
//! | working | working | filled | canceled | rejected | expired | as the broker has it | working |
//! | an end | the same end | filled | the same | the same | the same | the same | the same |
//!
//! "No cancel" is a refused cancel. Ends are filled, canceled, rejected, expired. "Other" is
//! pending, replaced and unknown numbers.
//!
//! An end is final, except that a fill counts in any state: contracts that the broker has traded
//! are ours. "As the broker has it": new and partial mean working; canceled, rejected and expired
//! mean just that; anything else, filled included, says nothing, because fills come on their own.

use super::money::Money;
use crate::wire::{
    Timestamp,
    order::{LEGS_MAX, OrderStatus, Purpose, ReportKind},
};

/// Where an order stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum State {
    /// Approved and on its way; the broker has not answered.
    #[default]
    Sent,
    /// The broker works it.
    Working,
    /// Every leg has all its contracts.
    Filled,
    /// Canceled, whatever was filled before.
    Canceled,
    /// The broker would not have it.
    Rejected,
    /// Its time ran out.
    Expired,
}

impl State {
    /// All states.
    pub const ALL: [State; 6] = [
        State::Sent,
        State::Working,
        State::Filled,
        State::Canceled,
        State::Rejected,
        State::Expired,
    ];

    /// Whether it can still trade as far as we know.
    #[inline(always)]
    pub fn is_live(self) -> bool {
        matches!(self, State::Sent | State::Working)
    }

    /// The state after a report. `complete`: every leg has all its contracts, this report included.
    pub fn after(self, report: ReportKind, status: OrderStatus, complete: bool) -> State {
        if complete {
            return State::Filled;
        }
        if !self.is_live() {
            return self;
        }
        match report {
            ReportKind::NEW | ReportKind::FILL => State::Working,
            ReportKind::CANCELED => State::Canceled,
            ReportKind::REJECTED => State::Rejected,
            ReportKind::EXPIRED => State::Expired,
            ReportKind::STATUS | ReportKind::CANCEL_REFUSED => self.as_broker_has_it(status),
            _ => self,
        }
    }

    fn as_broker_has_it(self, status: OrderStatus) -> State {
        match status {
            OrderStatus::NEW | OrderStatus::PARTIAL => State::Working,
            OrderStatus::CANCELED => State::Canceled,
            OrderStatus::REJECTED => State::Rejected,
            OrderStatus::EXPIRED => State::Expired,
            _ => self,
        }
    }
}

/// One leg of an order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct OrderLeg {
    /// Dense index of the instrument.
    pub instrument: u32,
    /// Contracts per package.
    pub ratio: u32,
    /// +1 buys, −1 sells.
    pub side: i64,
    /// Units per contract.
    pub multiplier: i64,
    /// The price that was reckoned with, 1e-9 per unit.
    pub price: i64,
    /// Contracts filled.
    pub filled: u64,
}

/// An order as it was approved, and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// Its number.
    pub id: u64,
    /// The package that it opens or closes.
    pub package: u64,
    /// Net limit per package on one unit, 1e-9: positive is paid.
    pub limit: i64,
    /// Its worst-case loss at expiry as RISK measured it, fees included; 0 where it closes.
    pub loss: Money,
    /// When it was approved (receive time of its cause).
    pub sent: Timestamp,
    /// Its expiry's index in the chain.
    pub expiry: u16,
    /// Which strategy instance.
    pub strategy: u16,
    /// Packages.
    pub quantity: u32,
    /// Why it was sent.
    pub purpose: Purpose,
    /// Where it stands.
    pub state: State,
    /// When a cancel was sent (receive time of its cause); 0 for none that may still work.
    pub canceling: Timestamp,
    /// The process ended while it was live, and the broker has not said since how it stands.
    pub doubt: bool,
    /// When the broker was asked (receive time of the cause); 0 for not yet in this session of it.
    pub asked: Timestamp,
    /// How often the broker was asked in this session of it.
    pub tries: u32,
    pub(super) place: u32,
    pub(super) count: u8,
    pub(super) slots: [OrderLeg; LEGS_MAX],
}

impl Order {
    /// Its legs.
    #[inline(always)]
    pub fn legs(&self) -> &[OrderLeg] {
        &self.slots[..usize::from(self.count)]
    }

    /// Contracts that leg `i` is to have in all.
    #[inline(always)]
    pub fn wanted(&self, i: usize) -> u64 {
        u64::from(self.quantity) * u64::from(self.slots[i].ratio)
    }

    /// Whether every leg has all its contracts.
    pub fn is_complete(&self) -> bool {
        (0..self.legs().len()).all(|i| self.slots[i].filled >= self.wanted(i))
    }

    /// What its limit is for: see [`unit()`].
    pub fn unit(&self) -> i64 {
        unit(self.legs().iter().map(|leg| leg.multiplier))
    }

    /// Packages of which at least one contract is missing.
    pub fn open_quantity(&self) -> u32 {
        let whole = |leg: &OrderLeg| leg.filled / u64::from(leg.ratio.max(1));
        let done = self.legs().iter().map(whole).min().unwrap_or(0);
        self.quantity - done.min(u64::from(self.quantity)) as u32
    }

    /// What the broker's status counts as filled: contracts of a single leg, else whole packages.
    pub fn filled(&self) -> u64 {
        match self.legs() {
            [leg] => leg.filled,
            _ => u64::from(self.quantity - self.open_quantity()),
        }
    }

    /// Worst-case loss of the part that is not filled, rounded up.
    pub fn open_loss(&self) -> Money {
        let (open, all) = (i128::from(self.open_quantity()), i128::from(self.quantity.max(1)));
        super::money::fit((i128::from(self.loss.max(0)) * open + all - 1) / all)
    }
}

/// Units that the net limit of a package is for, by the multipliers of its legs: those of its
/// largest contract. 0 where there is none, or where one of the others is no part of it.
pub fn unit(multipliers: impl Iterator<Item = i64> + Clone) -> i64 {
    let unit = multipliers.clone().max().unwrap_or(0);
    let mut parts = multipliers;
    let divides = |part: i64| part == unit || unit % part == 0;
    if parts.all(|part| part > 0 && divides(part)) { unit } else { 0 }
}

/// The net of prices (1e-9) on one unit, from side, ratio, multiplier and price of each leg; `None`
/// where it is not a whole one.
pub fn net(legs: impl Iterator<Item = (i64, i64, i64, i64)> + Clone) -> Option<i64> {
    let unit = i128::from(unit(legs.clone().map(|leg| leg.2)));
    let cost = legs.fold(0i128, |sum, (side, ratio, multiplier, price)| {
        sum + i128::from(side * ratio) * i128::from(multiplier) * i128::from(price)
    });
    let whole = unit > 0 && cost % unit == 0;
    whole.then(|| i64::try_from(cost / unit).ok())?
}
