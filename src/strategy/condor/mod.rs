//! The short iron condor on contracts that settle today: chain and book in, entries and exits out.
//!
//! One entry at most in each window: a put and a call spread sold together, the short legs by
//! |delta|, the wings by distance. The limit starts at the mid and goes step by step to the far
//! side; each step is a cancel, its confirmation, and a new order. What is held is watched at
//! every batch: profit target and stop on the mid cost to close, time exit, the operator's stop, a
//! halt. A closing order always closes exactly what is held, so partial and uneven fills need no
//! rule of their own, and it becomes more eager until nothing is held.

mod select;
mod settings;
mod trade;

pub use settings::Settings;

use super::{
    Strategy, Turn,
    codes::Code,
    price::{self, Eagerness},
    turn::{Ticket, TicketLeg},
};
use crate::{
    book::{Desk, Horizon, to_currency},
    stage::Emit,
    wire::{
        Event, NANOS_PER_SECOND, Timestamp,
        order::{LEGS_MAX, Purpose},
    },
};
use alloc::vec::Vec;
use select::{Reason, SIDES, Strikes};
use trade::{Phase, Trade};

/// What happened in the current entry window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Visit {
    date: u32,
    window: usize,
    attempts: u32,
    entered: bool,
}

/// An iron condor instance.
#[derive(Debug)]
pub struct Condor {
    set: Settings,
    trades: Vec<Trade>,
    visit: Visit,
    quiet_until: Timestamp,
    look_at: Timestamp,
    told: Option<Code>,
}

/// With the same room: a list's own clone has none, and would allocate at the first trade.
impl Clone for Condor {
    fn clone(&self) -> Condor {
        let mut clone = Condor::new(self.set.clone());
        clone.trades.extend(self.trades.iter().cloned());
        let Condor { visit, quiet_until, look_at, told, .. } = *self;
        Condor { visit, quiet_until, look_at, told, ..clone }
    }
}

impl Condor {
    /// An instance with nothing open.
    pub fn new(set: Settings) -> Condor {
        Condor {
            trades: Vec::with_capacity(set.open_max as usize + 16),
            set,
            visit: Visit::default(),
            quiet_until: 0,
            look_at: 0,
            told: None,
        }
    }

    /// Looks for an entry; what stands against it is told when it changes.
    fn look<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>) {
        let now = turn.desk.chain.now;
        if now < self.look_at {
            return;
        }
        self.look_at = now + self.set.look_every.nanos();
        match self.plan(turn.desk) {
            Ok((trade, ticket)) => {
                self.told = None;
                self.visit.attempts += 1;
                self.enter(turn, trade, ticket);
            }
            Err((code, a, b)) if self.told != Some(code) => {
                self.told = Some(code);
                turn.decide(code, 0, a, b);
            }
            Err(_) => {}
        }
    }

    /// The entry that the market allows now.
    fn plan(&mut self, desk: &Desk) -> Result<(Trade, Ticket), Reason> {
        let (chain, set) = (&desk.chain, &self.set);
        may_open(desk)?;
        let root = chain.find_root(&set.root).ok_or((Code::NO_ROOT, 0.0, 0.0))?;
        let (date, second) = chain.local(root, chain.now);
        let held = set.entry_windows.iter().position(|window| window.holds(second));
        let window = held.ok_or((Code::OUT_OF_WINDOW, f64::from(second), 0.0))?;
        if (self.visit.date, self.visit.window) != (date, window) {
            self.visit = Visit { date, window, ..Visit::default() };
        }
        self.has_turn(chain.now)?;
        let expiry = select::today(chain, root).ok_or((Code::NO_EXPIRY, 0.0, 0.0))?;
        let strikes = select::strikes(chain, expiry, &self.set)?;
        select::quotes(chain, &strikes.instruments, &self.set)?;
        let left = self.set.time_exit.0.saturating_sub(second);
        let mut trade = Trade::new(strikes.instruments, chain.expiry(expiry).settles);
        trade.exit_at = chain.now + u64::from(left) * NANOS_PER_SECOND;
        trade.width = self.width(desk, expiry, &strikes);
        let ticket = self.entry(desk, &trade)?;
        Ok((trade, ticket))
    }

    fn has_turn(&self, now: Timestamp) -> Result<(), Reason> {
        let open = self.trades.len();
        if open >= self.set.open_max as usize {
            return Err((Code::ALL_OPEN, open as f64, 0.0));
        }
        if self.visit.entered || self.trades.iter().any(|trade| trade.phase == Phase::Entering) {
            return Err((Code::WINDOW_USED, self.visit.window as f64, 0.0));
        }
        if self.visit.attempts >= self.set.attempts_max {
            return Err((Code::ATTEMPTS_USED, f64::from(self.visit.attempts), 0.0));
        }
        if now < self.quiet_until {
            return Err((Code::COOLDOWN, (self.quiet_until - now) as f64 / 1e9, 0.0));
        }
        Ok(())
    }

    /// The wider wing.
    fn width(&self, desk: &Desk, expiry: u16, strikes: &Strikes) -> f64 {
        let at = strikes.rows.map(|row| desk.chain.expiry(expiry).strike(row));
        (at[1] - at[0]).max(at[3] - at[2])
    }

    /// The entry's ticket at the trade's step, if its credit is enough.
    fn entry(&self, desk: &Desk, trade: &Trade) -> Result<Ticket, Reason> {
        let eager = Eagerness { step: trade.step, steps: self.set.entry_steps, beyond: 0 };
        let mut legs = [TicketLeg::default(); LEGS_MAX];
        for (leg, (&instrument, side)) in legs.iter_mut().zip(trade.legs.iter().zip(SIDES)) {
            let price = price::leg(&desk.chain, instrument, side, eager);
            let price = price.ok_or((Code::QUOTE_BAD, f64::from(instrument), 0.0))?;
            *leg = TicketLeg { instrument, side, ratio: 1, price };
        }
        let mut ticket =
            Ticket { purpose: Purpose::ENTRY, package: 0, quantity: 1, count: 4, legs };
        let credit = to_currency(-ticket.limit());
        let wanted = self.set.credit_min.max(self.set.credit_width_share_min * trade.width);
        if credit < wanted {
            return Err((Code::CREDIT_SMALL, credit, wanted));
        }
        ticket.quantity = self.packages(desk, trade, credit)?;
        Ok(ticket)
    }

    /// As many packages as the share of capital may lose.
    fn packages(&self, desk: &Desk, trade: &Trade, credit: f64) -> Result<u32, Reason> {
        if self.set.risk_share == 0.0 {
            return Ok(self.set.quantity);
        }
        let terms = desk.chain.instrument(trade.legs[0]);
        let multiplier = terms.map_or(f64::NAN, |terms| terms.multiplier);
        let loss = (trade.width - credit) * multiplier + 4.0 * to_currency(desk.book.fee);
        let allowed = to_currency(desk.book.capital) * self.set.risk_share;
        let packages = (allowed / loss.max(0.01)) as u32;
        if packages == 0 {
            return Err((Code::RISK_SMALL, loss, allowed));
        }
        Ok(packages.min(self.set.quantity))
    }

    fn enter<E: Emit<Desk, Event>>(
        &mut self,
        turn: &mut Turn<'_, E>,
        mut trade: Trade,
        ticket: Ticket,
    ) {
        match turn.order(&ticket) {
            Ok(id) => {
                (trade.order, trade.package) = (id, id);
                trade.since = turn.desk.chain.now;
                let packages = f64::from(ticket.quantity);
                turn.decide(Code::ENTER, id, to_currency(ticket.limit()), packages);
                self.trades.push(trade);
            }
            Err(violated) => {
                let (first, all) = (violated.trailing_zeros(), violated.count_ones());
                turn.decide(Code::REFUSED, 0, f64::from(first), f64::from(all));
                self.quiet_until = turn.desk.chain.now + self.set.cooldown.nanos();
            }
        }
    }

    /// A package of ours that holds something, has not settled, and that no trade follows.
    fn lost(&self, desk: &Desk, strategy: u16) -> Option<(u64, [u32; 4])> {
        if self.trades.len() == self.set.open_max as usize + 16 {
            return None;
        }
        let lost = desk.book.open_packages().find(|package| {
            let followed = self.trades.iter().any(|trade| trade.package == package.id);
            let terms = desk.chain.instrument(package.lines()[0].instrument);
            let settled = terms.is_some_and(|terms| terms.settles <= desk.chain.now);
            package.strategy == strategy && package.live == 0 && !followed && !settled
        })?;
        let mut legs = [0; 4];
        for (leg, line) in legs.iter_mut().zip(lost.lines()) {
            *leg = line.instrument;
        }
        Some((lost.id, legs))
    }

    /// Packages of ours that were filled after they were given up are taken back, and closed.
    fn adopt<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>) {
        let Some((id, legs)) = self.lost(turn.desk, turn.strategy()) else { return };
        let settles = turn.desk.chain.instrument(legs[0]).map_or(u64::MAX, |terms| terms.settles);
        let mut trade = Trade::new(legs, settles);
        (trade.package, trade.phase) = (id, Phase::Exiting(Purpose::FLATTEN));
        turn.decide(Code::ADOPTED, id, 0.0, 0.0);
        self.trades.push(trade);
    }
}

/// What stands against anything new, whatever the market.
fn may_open(desk: &Desk) -> Result<(), Reason> {
    let venue = &desk.book.venue;
    if venue.stopping {
        return Err((Code::STOPPING, 0.0, 0.0));
    }
    if venue.is_over() || venue.halted.is_some() {
        return Err((Code::HALTED, venue.halted.map_or(64.0, f64::from), 0.0));
    }
    if !venue.broker_up {
        return Err((Code::SESSION_DOWN, 0.0, 0.0));
    }
    if desk.book.in_doubt() > 0 {
        return Err((Code::IN_DOUBT, f64::from(desk.book.in_doubt()), 0.0));
    }
    Ok(())
}

impl Strategy for Condor {
    fn name(&self) -> &str {
        &self.set.name
    }

    fn horizon(&self) -> Horizon {
        self.set.horizon
    }

    fn on_batch<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>) {
        let mut i = 0;
        while i < self.trades.len() {
            let mut trade = self.trades[i];
            let goes_on = self.follow(&mut trade, turn);
            self.trades[i] = trade;
            if goes_on {
                i += 1;
            } else {
                self.trades.remove(i);
                self.quiet_until = turn.desk.chain.now + self.set.cooldown.nanos();
            }
        }
        self.adopt(turn);
        self.look(turn);
    }
}
