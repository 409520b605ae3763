//! The life of all packages of one strategy: chain and book in, entries, hedges and exits out.
//!
//! One entry at most in each window, with the legs that the [`Recipe`] chooses. The limit starts
//! at the mid and goes step by step to the far side; each step is a cancel, its confirmation, and
//! a new order. What is held is watched at every batch: profit target, stop and trailing stop at
//! the mid, time, rules, the operator's stop, a halt. A closing order always closes exactly what
//! is held, so partial and uneven fills need no rule of their own, and it becomes more eager until
//! nothing is held. An adjustment is a close and a new entry.

mod entering;
mod exiting;
mod follow;
mod hedging;
mod route;
mod trade;

use super::{
    Pick, Recipe, Strategy, Turn,
    codes::{Code, Reason},
    course::Course,
    measure::{Held, Sight},
    pick, size,
    structure::Structure,
};
use crate::{
    book::{Desk, Horizon},
    stage::Emit,
    wire::{Event, NANOS_PER_SECOND, Timestamp, control::DiskState, order::Purpose},
};
use alloc::{sync::Arc, vec::Vec};
use trade::{Phase, Trade};

/// Trades beyond `open_max` that there is room for: hedges and what is taken back.
const ROOM: usize = 80;

/// What happened in the current entry window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Visit {
    date: u32,
    window: usize,
    attempts: u32,
    entered: bool,
}

/// An adjusted package that is to be opened anew: how often it was, and until when it is tried.
#[derive(Clone, Copy, Debug)]
struct Again {
    adjusted: u32,
    until: Timestamp,
}

/// A configured strategy: its recipe, and the packages that it follows.
#[derive(Debug)]
pub struct Trader {
    recipe: Arc<dyn Recipe>,
    course: Course,
    trades: Vec<Trade>,
    visit: Visit,
    again: Option<Again>,
    quiet_until: Timestamp,
    look_at: Timestamp,
    hedge_at: Timestamp,
    told: Option<Code>,
    /// The last package that was told to be too much for one order.
    unwieldy: u64,
}

/// With the same room: a list's own clone has none, and would allocate at the first trade.
impl Clone for Trader {
    fn clone(&self) -> Trader {
        let mut trades = Vec::with_capacity(self.trades.capacity());
        trades.extend_from_slice(&self.trades);
        let (recipe, course) = (self.recipe.clone(), self.course.clone());
        let Trader { visit, again, quiet_until, look_at, hedge_at, told, unwieldy, .. } = *self;
        Trader {
            recipe,
            course,
            trades,
            visit,
            again,
            quiet_until,
            look_at,
            hedge_at,
            told,
            unwieldy,
        }
    }
}

impl Trader {
    /// With nothing open.
    pub fn new(recipe: Arc<dyn Recipe>) -> Trader {
        Trader {
            trades: Vec::with_capacity(recipe.entry().open_max as usize + ROOM),
            recipe,
            course: Course::new(),
            visit: Visit::default(),
            again: None,
            quiet_until: 0,
            look_at: 0,
            hedge_at: 0,
            told: None,
            unwieldy: 0,
        }
    }

    /// What measures look at.
    fn sight<'a>(&'a self, desk: &'a Desk, root: u16, held: Option<Held<'a>>) -> Sight<'a> {
        let (chain, features) = (&desk.chain, &desk.features);
        Sight { chain, root, features, course: &self.course, held }
    }

    /// Remembers the underlying and its volatility, at the pace of the settings.
    fn sample(&mut self, desk: &Desk) {
        let (chain, entry) = (&desk.chain, self.recipe.entry());
        if !self.course.is_due(chain.now, entry.sample_every.nanos()) {
            return;
        }
        let Some(root) = chain.find_root(&entry.root) else { return };
        let sight = self.sight(desk, root, None);
        let (level, vol, interest) = (sight.level(), sight.atm_iv(0), sight.interest());
        self.course.take(chain.now, level, vol, interest);
    }

    /// Looks for an entry; what stands against it is told when it changes.
    fn look<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>) {
        let now = turn.desk.chain.now;
        if now < self.look_at {
            return;
        }
        self.look_at = now + self.recipe.entry().look_every.nanos();
        self.again = self.again.filter(|again| now < again.until);
        match self.plan(turn.desk) {
            Ok(trade) => {
                self.told = None;
                self.enter(turn, trade);
            }
            Err((code, a, b)) if self.told != Some(code) => {
                self.told = Some(code);
                turn.decide(code, 0, a, b);
            }
            Err(_) => {}
        }
    }

    /// The trade that the market allows now.
    fn plan(&mut self, desk: &Desk) -> Result<Trade, Reason> {
        let chain = &desk.chain;
        may_open(desk)?;
        let (entry, exit) = (self.recipe.entry(), self.recipe.exit());
        let root = chain.find_root(&entry.root).ok_or((Code::NO_ROOT, 0.0, 0.0))?;
        let (date, second) = chain.local(root, chain.now);
        if self.again.is_none() {
            let held = entry.entry_windows.iter().position(|window| window.holds(second));
            let window = held.ok_or((Code::OUT_OF_WINDOW, f64::from(second), 0.0))?;
            if (self.visit.date, self.visit.window) != (date, window) {
                self.visit = Visit { date, window, ..Visit::default() };
            }
            self.has_turn(chain.now)?;
            self.wants(&self.sight(desk, root, None))?;
        }
        let mut pick = Pick::new(self.sight(desk, root, None));
        self.recipe.choose(&mut pick)?;
        let structure = pick.done();
        pick::quotes(chain, &structure, entry)?;
        let mut trade = Trade::new(structure, structure.settles(chain));
        let left = u64::from(exit.time_exit.0) + u64::from(exit.hold_days) * 86_400;
        let left = left.saturating_sub(u64::from(second));
        trade.exit_at = chain.now + left * NANOS_PER_SECOND;
        trade.adjusted = self.again.map_or(0, |again| again.adjusted);
        self.ticket(desk, &trade)?;
        Ok(trade)
    }

    fn has_turn(&self, now: Timestamp) -> Result<(), Reason> {
        let entry = self.recipe.entry();
        let own = || self.trades.iter().filter(|trade| trade.hedges == 0);
        let open = own().count();
        if open >= entry.open_max as usize {
            return Err((Code::ALL_OPEN, open as f64, 0.0));
        }
        if self.visit.entered || own().any(|trade| trade.phase == Phase::Entering) {
            return Err((Code::WINDOW_USED, self.visit.window as f64, 0.0));
        }
        if self.visit.attempts >= entry.attempts_max {
            return Err((Code::ATTEMPTS_USED, f64::from(self.visit.attempts), 0.0));
        }
        if now < self.quiet_until {
            return Err((Code::COOLDOWN, (self.quiet_until - now) as f64 / 1e9, 0.0));
        }
        Ok(())
    }

    fn wants(&self, sight: &Sight<'_>) -> Result<(), Reason> {
        let against = self.recipe.entry().entry_when.iter().find(|when| !when.holds(sight));
        match against {
            Some(when) => Err((Code::NOT_NOW, when.measured(sight), when.bound())),
            None => Ok(()),
        }
    }

    /// A package of ours that holds something, has not settled, and that no trade follows. Shares
    /// that were delivered never settle.
    fn lost(&self, desk: &Desk, strategy: u16) -> Option<(u64, Option<Structure>)> {
        if self.trades.len() == self.trades.capacity() {
            return None;
        }
        let lost = desk.book.open_packages().find(|package| {
            let followed = self.trades.iter().any(|trade| trade.package == package.id);
            let told = self.unwieldy == package.id;
            package.strategy == strategy && package.live == 0 && !followed && !told && {
                let last = Structure::of(package).map(|s| s.settles(&desk.chain).1);
                last.is_none_or(|last| last == 0 || last > desk.chain.now)
            }
        })?;
        Some((lost.id, Structure::of(lost)))
    }

    /// Packages of ours that were filled after they were given up are taken back, and closed.
    fn adopt<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>) {
        let Some((id, structure)) = self.lost(turn.desk, turn.strategy()) else { return };
        let Some(structure) = structure else {
            self.unwieldy = id;
            return turn.decide(Code::UNWIELDY, id, 0.0, 0.0);
        };
        let mut trade = Trade::new(structure, structure.settles(&turn.desk.chain));
        (trade.package, trade.phase) = (id, Phase::Exiting(Purpose::FLATTEN));
        turn.decide(Code::ADOPTED, id, 0.0, 0.0);
        self.trades.push(trade);
    }

    /// A trade is over: what follows from it.
    fn ended(&mut self, trade: &Trade, now: Timestamp) {
        if trade.hedges != 0 {
            return;
        }
        self.quiet_until = now + self.recipe.entry().cooldown.nanos();
        if trade.phase == Phase::Exiting(Purpose::ADJUST) {
            let until = now + self.recipe.entry().quote_wait.nanos();
            self.again = Some(Again { adjusted: trade.adjusted + 1, until });
            self.look_at = now;
        }
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
    if venue.disk != DiskState::KEEPS_UP {
        return Err((Code::JOURNAL_BEHIND, f64::from(venue.disk.0), 0.0));
    }
    if !venue.broker_up {
        return Err((Code::SESSION_DOWN, 0.0, 0.0));
    }
    if desk.book.in_doubt() > 0 {
        return Err((Code::IN_DOUBT, f64::from(desk.book.in_doubt()), 0.0));
    }
    Ok(())
}

impl Strategy for Trader {
    fn name(&self) -> &str {
        &self.recipe.entry().name
    }

    fn horizon(&self) -> Horizon {
        self.recipe.entry().horizon
    }

    fn root(&self) -> Option<&str> {
        Some(&self.recipe.entry().root)
    }

    fn on_batch<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>) {
        self.sample(turn.desk);
        let mut i = 0;
        while i < self.trades.len() {
            let mut trade = self.trades[i];
            let goes_on = self.follow(&mut trade, turn);
            self.trades[i] = trade;
            if goes_on {
                i += 1;
            } else {
                self.trades.remove(i);
                self.ended(&trade, turn.desk.chain.now);
            }
        }
        self.hedge(turn);
        self.adopt(turn);
        self.look(turn);
    }
}
