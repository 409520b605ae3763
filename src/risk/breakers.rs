//! Marks, fills and the operator's resets in; breakers that have tripped, and stay so, out.
//!
//! A breaker watches what no single order can show: losses, drawdown, rates. Once tripped it stays
//! until the operator resets it by a COMMAND with a reason; a reset begins its measure anew, so a
//! day's loss that was looked into does not trip it again at once. What it does is in
//! [`BREAKERS`].

use super::{
    dollars::{currency, share_of},
    ledger::{Ledger, PARTS, covering_parts},
    limits::{Limit, Limits},
    tail::{Risked, Tail},
};
use crate::{
    book::{Book, Desk, Horizon, Money, Package, Roster, from_currency, to_currency},
    chain::Chain,
    wire::{NANOS_PER_SECOND, Price, Timestamp, control::Command},
};
use alloc::{vec, vec::Vec};

/// What a breaker does.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// Nothing is opened, what would open is canceled, strategies close what they hold.
    Halt = 0,
    /// Nothing is opened, and what would open is canceled.
    Reduce = 1,
    /// The same for one strategy.
    HaltStrategy = 2,
    /// No order leaves any more; everything is canceled. No reset ends it.
    Kill = 3,
    /// The operator is told.
    Alert = 4,
    /// The operator has set it back.
    Reset = 5,
}

impl Action {
    /// Its name; `unknown` for a number that is none.
    pub fn name(number: u32) -> &'static str {
        const NAMES: [&str; 6] =
            ["halt", "reduce", "halt of the strategy", "kill", "alert", "reset"];
        NAMES.get(number as usize).copied().unwrap_or("unknown")
    }
}

/// Every breaker and what it does, in the order in which they are looked at.
pub const BREAKERS: &[(Limit, Action)] = &[
    (Limit::DAILY_LOSS, Action::Halt),
    (Limit::UNRECONCILED, Action::Halt),
    (Limit::REJECTS, Action::Halt),
    (Limit::DRAWDOWN_REDUCE, Action::Reduce),
    (Limit::DRAWDOWN_HALT, Action::Halt),
    (Limit::HORIZON_LOSS, Action::Reduce),
    (Limit::VALUE_AT_RISK, Action::Reduce),
    (Limit::SHORTFALL, Action::Reduce),
    (Limit::LOSSES_IN_A_ROW, Action::HaltStrategy),
    (Limit::REPEATED, Action::HaltStrategy),
    (Limit::TRADED_RATE, Action::Kill),
    (Limit::PROFIT_RATE, Action::Kill),
    (Limit::THETA_ALERT, Action::Alert),
];

/// A breaker that has tripped, or was set back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tripped {
    pub(super) limit: Limit,
    pub(super) action: Action,
    pub(super) measured: f64,
    pub(super) bound: f64,
    /// Strategy or horizon, where it is one's own; 0 else.
    pub(super) scope: u64,
}

/// What is remembered of a strategy.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    losses: u32,
    halted: Option<(Limit, Timestamp)>,
    /// Profit of the packages that it has closed.
    closed: Money,
}

/// Seconds of a minute, and the one that runs.
const SECONDS: usize = 61;

/// Tripped breakers wait here until they are announced.
const NEWS_MAX: usize = 64;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Breakers {
    /// One bit per breaker of the whole book that has tripped.
    latched: u128,
    horizons: [bool; 3],
    records: Vec<Record>,
    horizon_of: Vec<Horizon>,
    pub(super) horizon_profit: [Option<Money>; 3],
    horizon_base: [Money; 3],
    peak: Option<Money>,
    base: Money,
    unreconciled_base: u64,
    rejects_base: u64,
    /// Per second: which one, parts of contracts traded, profit, at its first mark.
    minute: [(u64, u64, Money); SECONDS],
    rates: (u64, Money),
    /// Contracts traded, in parts of one: see [`covering_parts`].
    traded: u64,
    /// Contracts and shares that the book had counted at the last fill.
    booked: u64,
    last_profit: Money,
    /// Value at risk and expected shortfall at the last mark, as shares of capital.
    pub(super) tail: [f64; 2],
    /// Packages that were open at the last look: id, strategy.
    open: Vec<(u64, u16)>,
    news: Vec<Tripped>,
}

impl Breakers {
    pub(super) fn new(roster: &Roster, packages: usize) -> Breakers {
        let horizon = |strategy| roster.horizon(strategy).unwrap_or(Horizon::Expiry);
        Breakers {
            latched: 0,
            horizons: [false; 3],
            records: vec![Record::default(); roster.len()],
            horizon_of: (0..roster.len() as u16).map(horizon).collect(),
            horizon_profit: [Some(0); 3],
            horizon_base: [0; 3],
            peak: None,
            base: 0,
            unreconciled_base: 0,
            rejects_base: 0,
            minute: [(0, 0, 0); SECONDS],
            rates: (0, 0),
            traded: 0,
            booked: 0,
            last_profit: 0,
            tail: [0.0; 2],
            open: Vec::with_capacity(packages),
            news: Vec::with_capacity(NEWS_MAX),
        }
    }

    /// Loss of the session since the breaker's last reset; `None` where it cannot be known.
    pub(super) fn session_loss(&self, book: &Book) -> Option<Money> {
        book.pnl.map(|pnl| self.base.saturating_sub(pnl))
    }

    pub(super) fn unreconciled(&self, book: &Book) -> u64 {
        book.tally.unreconciled.saturating_sub(self.unreconciled_base)
    }

    pub(super) fn rejects(&self, book: &Book) -> u64 {
        book.tally.rejected_in_a_row.saturating_sub(self.rejects_base)
    }

    /// Whether only reducing orders may pass.
    pub(super) fn is_reducing(&self) -> bool {
        let reduces = |(limit, action): &(Limit, Action)| {
            *action == Action::Reduce && self.latched & limit.bit() != 0
        };
        BREAKERS.iter().any(reduces)
    }

    /// Whether any breaker keeps somebody from opening.
    pub(super) fn allows_less(&self) -> bool {
        let halted = self.records.iter().any(|record| record.halted.is_some());
        self.is_reducing() || halted || self.horizons.contains(&true)
    }

    pub(super) fn is_horizon_halted(&self, horizon: Horizon) -> bool {
        self.horizons[horizon as usize]
    }

    pub(super) fn is_strategy_halted(&self, strategy: u16) -> bool {
        self.records.get(usize::from(strategy)).is_none_or(|record| record.halted.is_some())
    }

    /// Losses in a row of a strategy.
    pub(super) fn losses(&self, strategy: u16) -> u32 {
        self.records.get(usize::from(strategy)).map_or(0, |record| record.losses)
    }

    /// Loss of a horizon since the session began or its breaker was reset.
    pub(super) fn horizon_loss(&self, horizon: Horizon) -> Option<Money> {
        let at = horizon as usize;
        self.horizon_profit[at].map(|profit| self.horizon_base[at].saturating_sub(profit))
    }

    /// Equity below its peak, as a share; NaN where it cannot be known.
    pub(super) fn drawdown(&self, book: &Book) -> f64 {
        let (Some(pnl), Some(peak)) = (book.pnl, self.peak) else {
            return if book.pnl.is_some() { 0.0 } else { f64::NAN };
        };
        let equity = book.capital.saturating_add(pnl);
        if peak > 0 { 1.0 - equity as f64 / peak as f64 } else { f64::NAN }
    }

    /// Contracts traded and change of profit within a minute, at the last mark.
    pub(super) fn minute_rates(&self) -> (u64, Money) {
        self.rates
    }

    /// Looks at what every batch can change; cheap.
    pub(super) fn look(&mut self, limits: &Limits, book: &Book) {
        // Rejects in a row begin at 0 again when one was taken.
        self.rejects_base = self.rejects_base.min(book.tally.rejected_in_a_row);
        let loss = self.session_loss(book).map_or(f64::NAN, to_currency);
        let allowed = to_currency(from_currency(limits.daily_loss_max));
        self.trip(Limit::DAILY_LOSS, loss, allowed);
        let bound = f64::from(limits.unreconciled_fills_max);
        self.trip(Limit::UNRECONCILED, self.unreconciled(book) as f64, bound);
        let bound = f64::from(limits.rejects_in_a_row_max);
        self.trip(Limit::REJECTS, self.rejects(book) as f64, bound);
    }

    /// Looks at everything, on the beat and after fills.
    pub(super) fn mark(
        &mut self,
        limits: &Limits,
        desk: &Desk,
        (ledger, tail): (&Ledger, &Tail),
        now: Timestamp,
    ) {
        let book = &desk.book;
        self.look(limits, book);
        if let Some(equity) = book.pnl.map(|pnl| book.capital.saturating_add(pnl)) {
            self.peak = Some(self.peak.unwrap_or(book.capital).max(equity));
        }
        let drawdown = self.drawdown(book);
        self.trip(Limit::DRAWDOWN_REDUCE, drawdown, limits.drawdown_reduce);
        self.trip(Limit::DRAWDOWN_HALT, drawdown, limits.drawdown_halt);
        self.packages(limits, desk, now);
        self.by_horizon(limits, desk);
        self.rates(limits, book, now);
        let theta = -ledger.held.net.theta;
        let share = currency(theta) / to_currency(book.capital);
        self.trip(Limit::THETA_ALERT, share, limits.theta_alert);
        let capital = to_currency(book.capital);
        let shares = |risked: Risked| {
            [risked.value_at_risk, risked.shortfall].map(|loss| currency(loss) / capital)
        };
        self.tail = tail.risked().map_or([f64::NAN; 2], shares);
        self.trip(Limit::VALUE_AT_RISK, self.tail[0], limits.var_share_max);
        self.trip(Limit::SHORTFALL, self.tail[1], limits.es_share_max);
        self.cool_down(limits, now);
    }

    /// Trips one of the whole book. NaN trips nothing: what is unknown refuses orders instead.
    fn trip(&mut self, limit: Limit, measured: f64, bound: f64) {
        if measured > bound && self.latched & limit.bit() == 0 {
            self.latched |= limit.bit();
            let action = action_of(limit);
            self.tell(Tripped { limit, action, measured, bound, scope: 0 });
        }
    }

    fn tell(&mut self, tripped: Tripped) {
        if self.news.len() < NEWS_MAX {
            self.news.push(tripped);
        }
    }

    /// What has tripped and was not announced yet.
    pub(super) fn news(&mut self) -> Option<Tripped> {
        (!self.news.is_empty()).then(|| self.news.remove(0))
    }

    /// Packages that have closed since the last look: won or lost.
    fn packages(&mut self, limits: &Limits, desk: &Desk, now: Timestamp) {
        let book = &desk.book;
        let mut open = core::mem::take(&mut self.open);
        open.retain(|&(id, strategy)| {
            let package = book.package(id);
            if package.is_some_and(Package::is_open) {
                return true;
            }
            let profit = package.map_or(0, Package::realised);
            let traded = package
                .is_some_and(|p| p.lines().iter().any(|line| line.fees != 0 || line.realised != 0));
            self.close(limits, (strategy, profit, traded), now);
            false
        });
        for package in book.open_packages() {
            let known = open.iter().any(|(id, _)| *id == package.id);
            if !known && open.len() < open.capacity() {
                open.push((package.id, package.strategy));
            }
        }
        self.open = open;
    }

    fn close(
        &mut self,
        limits: &Limits,
        (strategy, profit, traded): (u16, Money, bool),
        now: Timestamp,
    ) {
        let Some(record) = self.records.get_mut(usize::from(strategy)) else { return };
        record.closed = record.closed.saturating_add(profit);
        if !traded {
            return;
        }
        record.losses = if profit < 0 { record.losses + 1 } else { 0 };
        let (losses, bound) = (record.losses, limits.losses_in_a_row_max);
        if losses > bound {
            let figures = (f64::from(losses), f64::from(bound));
            self.halt(Limit::LOSSES_IN_A_ROW, strategy, figures, now);
        }
    }

    /// Halts a strategy, if it is not halted.
    pub(super) fn halt(
        &mut self,
        limit: Limit,
        strategy: u16,
        (measured, bound): (f64, f64),
        now: Timestamp,
    ) {
        let Some(record) = self.records.get_mut(usize::from(strategy)) else { return };
        if record.halted.is_none() {
            record.halted = Some((limit, now));
            let scope = u64::from(strategy);
            let action = Action::HaltStrategy;
            self.tell(Tripped { limit, action, measured, bound, scope });
        }
    }

    fn cool_down(&mut self, limits: &Limits, now: Timestamp) {
        let pause = limits.losses_cool_down.nanos();
        for (strategy, record) in self.records.iter_mut().enumerate() {
            let over = record.halted.is_some_and(|(limit, since)| {
                limit == Limit::LOSSES_IN_A_ROW && pause > 0 && now >= since.saturating_add(pause)
            });
            if over && self.news.len() < NEWS_MAX {
                (record.halted, record.losses) = (None, 0);
                self.news.push(reset(Limit::LOSSES_IN_A_ROW, strategy as u64));
            }
        }
    }

    /// Profit of each horizon: what its strategies have closed, and what is open at the worse side.
    fn by_horizon(&mut self, limits: &Limits, desk: &Desk) {
        let mut sums = [Some(0i64); 3];
        for (record, horizon) in self.records.iter().zip(&self.horizon_of) {
            let sum = &mut sums[*horizon as usize];
            *sum = sum.map(|sum| sum.saturating_add(record.closed));
        }
        for package in desk.book.open_packages() {
            let Some(horizon) = self.horizon_of.get(usize::from(package.strategy)) else {
                continue;
            };
            let open = unrealised(package, &desk.chain);
            let sum = &mut sums[*horizon as usize];
            *sum = sum.zip(open).map(|(a, b)| a.saturating_add(b));
        }
        self.horizon_profit = sums;
        for horizon in Horizon::ALL {
            let bound = limits.loss_share(horizon);
            let loss = self.horizon_loss(horizon);
            let most = share_of(desk.book.capital, bound);
            let over = loss.zip(most).is_some_and(|(loss, most)| i128::from(loss) > most);
            if over && !self.horizons[horizon as usize] {
                self.horizons[horizon as usize] = true;
                let measured = loss.map_or(f64::NAN, |l| l as f64 / desk.book.capital as f64);
                let (limit, action) = (Limit::HORIZON_LOSS, Action::Reduce);
                let scope = horizon as u64;
                self.tell(Tripped { limit, action, measured, bound, scope });
            }
        }
    }

    /// A fill of an instrument, which the book has counted, or has not where it knew it already.
    pub(super) fn on_fill(&mut self, desk: &Desk, instrument: u32) {
        let contracts = desk.book.traded.saturating_sub(self.booked);
        self.booked = desk.book.traded;
        let terms = desk.chain.instrument(instrument);
        self.traded = self.traded.saturating_add(covering_parts(&desk.chain, terms, contracts));
    }

    /// Contracts traded and profit made or lost within a minute.
    fn rates(&mut self, limits: &Limits, book: &Book, now: Timestamp) {
        let second = now / NANOS_PER_SECOND;
        let pnl = book.pnl.unwrap_or(self.last_profit);
        self.last_profit = pnl;
        let slot = &mut self.minute[(second % SECONDS as u64) as usize];
        if slot.0 != second {
            *slot = (second, self.traded, pnl);
        }
        let recent = self.minute.iter().filter(|row| row.0 + 60 >= second && row.0 > 0);
        let parts = recent.clone().map(|row| row.1).min().map_or(0, |least| self.traded - least);
        let traded = parts.div_ceil(PARTS);
        self.rates.0 = traded;
        self.trip(Limit::TRADED_RATE, traded as f64, f64::from(limits.traded_rate_max));
        if book.pnl.is_none() {
            return;
        }
        let recent = self.minute.iter().filter(|row| row.0 + 60 >= second && row.0 > 0);
        let change = recent.map(|row| pnl.saturating_sub(row.2).saturating_abs()).max();
        self.rates.1 = change.unwrap_or(0);
        let bound = to_currency(from_currency(limits.profit_rate_max));
        self.trip(Limit::PROFIT_RATE, change.map_or(0.0, to_currency), bound);
    }

    /// The operator sets a breaker back, or all of them: their measures begin anew.
    pub(super) fn reset(&mut self, command: &Command, book: &Book) {
        for &(limit, action) in BREAKERS {
            let meant = command.limit == Command::EVERY || command.limit == limit.0;
            if !meant || action == Action::Kill {
                continue;
            }
            self.begin_anew(limit, book);
        }
    }

    fn begin_anew(&mut self, limit: Limit, book: &Book) {
        let mut was = self.latched & limit.bit() != 0;
        self.latched &= !limit.bit();
        let equity = book.pnl.map(|pnl| book.capital.saturating_add(pnl));
        match limit {
            Limit::DAILY_LOSS => self.base = book.pnl.unwrap_or(self.base),
            Limit::UNRECONCILED => self.unreconciled_base = book.tally.unreconciled,
            Limit::REJECTS => self.rejects_base = book.tally.rejected_in_a_row,
            Limit::DRAWDOWN_REDUCE | Limit::DRAWDOWN_HALT => self.peak = equity.or(self.peak),
            Limit::HORIZON_LOSS => {
                was |= self.horizons.contains(&true);
                for at in 0..self.horizons.len() {
                    self.horizons[at] = false;
                    self.horizon_base[at] =
                        self.horizon_profit[at].unwrap_or(self.horizon_base[at]);
                }
            }
            Limit::LOSSES_IN_A_ROW | Limit::REPEATED => {
                for record in &mut self.records {
                    let its = record.halted.is_some_and(|(halted, _)| halted == limit);
                    was |= its;
                    record.halted = record.halted.filter(|_| !its);
                    record.losses = if limit == Limit::LOSSES_IN_A_ROW { 0 } else { record.losses };
                }
            }
            _ => {}
        }
        if was {
            self.tell(reset(limit, 0));
        }
    }

    /// The breaker that halts trading now, if one does.
    pub(super) fn halting(&self) -> Option<Limit> {
        let halts = |(limit, action): &&(Limit, Action)| {
            *action == Action::Halt && self.latched & limit.bit() != 0
        };
        BREAKERS.iter().find(halts).map(|(limit, _)| *limit)
    }

    /// Whether a breaker has thrown the kill switch.
    pub(super) fn kills(&self) -> bool {
        let kills = |(limit, action): &(Limit, Action)| {
            *action == Action::Kill && self.latched & limit.bit() != 0
        };
        BREAKERS.iter().any(kills)
    }
}

fn reset(limit: Limit, scope: u64) -> Tripped {
    Tripped { limit, action: Action::Reset, measured: 0.0, bound: 0.0, scope }
}

fn action_of(limit: Limit) -> Action {
    let row = BREAKERS.iter().find(|(other, _)| *other == limit);
    row.map_or(Action::Halt, |(_, action)| *action)
}

/// Profit of a package at the worse side of the market, fees taken off; `None` where a short has no
/// ask.
fn unrealised(package: &Package, chain: &Chain) -> Option<Money> {
    let held = package.lines().iter().filter(|line| line.held != 0);
    held.map(|line| {
        let quote = chain.quote(line.instrument);
        let worse = Price::from_f64(if line.held > 0 { quote.bid } else { quote.ask });
        let price = if worse.is_defined() { worse.0 } else { (line.held > 0).then_some(0)? };
        Some(line.unrealised(price))
    })
    .try_fold(package.realised(), |sum, open| Some(sum.saturating_add(open?)))
}
