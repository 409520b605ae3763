//! Approved orders, cancels, fills and decisions in; how we have behaved, as limits see it, out.

use super::{bucket::Bucket, draft::Draft, limits::Limits};
use crate::{
    book::Roster,
    wire::{
        Timestamp,
        order::{LEGS_MAX, Leg},
    },
};
use alloc::{vec, vec::Vec};

/// What conduct is at the time of an intent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gauges {
    /// Messages missing before an order may leave, and from the reserve.
    pub(super) missing: f64,
    pub(super) reserve_missing: f64,
    /// Shares of the burst and of the reserve that are used up.
    pub(super) used: [f64; 2],
    /// Seconds since the same order was approved; infinite for never.
    pub(super) same_order_age: f64,
    /// Messages of the window, and fills.
    pub(super) messages: u64,
    pub(super) fills: u64,
    /// Fills of the strategy since it decided anything.
    pub(super) repeated: u64,
    /// Contracts of the strategy's orders so far, and how many they were.
    pub(super) contracts: u64,
    pub(super) orders: u64,
}

const RECENT: usize = 32;

/// What is remembered of one strategy.
#[derive(Clone, Copy, Debug, Default)]
struct Habit {
    repeated: u64,
    contracts: u64,
    orders: u64,
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Conduct {
    orders: Bucket,
    reserve: Bucket,
    recent: [(u64, Timestamp); RECENT],
    next: usize,
    window: u64,
    turn: u64,
    /// Messages and fills of this window and of the one before.
    counts: [(u64, u64); 2],
    habits: Vec<Habit>,
}

impl Conduct {
    pub(super) fn new(limits: &Limits, roster: &Roster) -> Conduct {
        Conduct {
            orders: Bucket::new(limits.message_rate_max, limits.message_burst),
            reserve: Bucket::new(limits.reserve_rate, limits.reserve_burst),
            recent: [(0, 0); RECENT],
            next: 0,
            window: limits.order_to_trade_window.nanos().max(1),
            turn: 0,
            counts: [(0, 0); 2],
            habits: vec![Habit::default(); roster.len()],
        }
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.orders.advance(now);
        self.reserve.advance(now);
        let turn = now / self.window;
        if turn > self.turn {
            let before = if turn == self.turn + 1 { self.counts[0] } else { (0, 0) };
            (self.counts, self.turn) = ([(0, 0), before], turn);
        }
    }

    /// As an intent finds it, after [`Conduct::advance`].
    pub(super) fn gauges(&self, draft: &Draft) -> Gauges {
        let habit = self.habits.get(usize::from(draft.head.strategy)).copied().unwrap_or_default();
        let [now, before] = self.counts;
        Gauges {
            missing: self.orders.missing(),
            reserve_missing: self.reserve.missing(),
            used: [self.orders.used(), self.reserve.used()],
            same_order_age: self.age_of(print_of(draft), draft.cause.ts_recv),
            messages: now.0 + before.0,
            fills: now.1 + before.1,
            repeated: habit.repeated,
            contracts: habit.contracts,
            orders: habit.orders,
        }
    }

    fn age_of(&self, print: u64, now: Timestamp) -> f64 {
        let same = self.recent.iter().filter(|(other, _)| *other == print);
        let last = same.map(|(_, at)| *at).max();
        last.map_or(f64::INFINITY, |at| now.saturating_sub(at) as f64 / 1e9)
    }

    /// An order was approved; `contracts` are those of its largest leg.
    pub(super) fn on_order(&mut self, draft: &Draft, contracts: u64) {
        self.recent[self.next] = (print_of(draft), draft.cause.ts_recv);
        self.next = (self.next + 1) % RECENT;
        self.counts[0].0 += 1;
        if self.orders.has_one() {
            self.orders.take()
        } else {
            self.reserve.take()
        }
        if let Some(habit) = self.habits.get_mut(usize::from(draft.head.strategy)) {
            habit.contracts = habit.contracts.saturating_add(contracts);
            habit.orders += 1;
        }
    }

    /// A cancel leaves. It is never refused for its rate: there is at most one per order and
    /// window.
    pub(super) fn on_cancel(&mut self, now: Timestamp) {
        self.advance(now);
        self.counts[0].0 += 1;
        if self.reserve.has_one() { self.reserve.take() } else { self.orders.take() }
    }

    /// A fill of a strategy's order.
    pub(super) fn on_fill(&mut self, strategy: u16) {
        self.counts[0].1 += 1;
        if let Some(habit) = self.habits.get_mut(usize::from(strategy)) {
            habit.repeated += 1;
        }
    }

    /// A strategy has decided something: what it fills now was meant.
    pub(super) fn on_decision(&mut self, strategy: u16) {
        if let Some(habit) = self.habits.get_mut(usize::from(strategy)) {
            habit.repeated = 0;
        }
    }

    /// Fills of a strategy since it decided anything.
    pub(super) fn repeated(&self, strategy: u16) -> u64 {
        self.habits.get(usize::from(strategy)).map_or(0, |habit| habit.repeated)
    }
}

/// What makes two orders the same: strategy, package where it closes, limit, quantity and legs.
fn print_of(draft: &Draft) -> u64 {
    let head = &draft.head;
    let mix = |hash: u64, word: u64| {
        (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ word
    };
    let package = if head.purpose.opens() { 0 } else { head.package };
    let words = [u64::from(head.strategy), package, head.limit.0 as u64, u64::from(head.quantity)];
    let hash = words.into_iter().fold(1, mix);
    draft.legs[..draft.count.min(LEGS_MAX)].iter().fold(
        hash,
        |hash, (instrument, leg): &(u32, Leg)| {
            let side = u64::from(leg.side > 0);
            mix(hash, u64::from(*instrument) << 33 | u64::from(leg.ratio) << 1 | side)
        },
    )
}
