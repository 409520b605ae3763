//! An entry that a strategy wants and the market's readings in; how many packages it may have, or
//! why none, out.
//!
//! The size is the least of the methods of [`size`], times the strategy's weight in the regime,
//! times what the vote leaves, shrunk where others have signalled the same, and then bounded by
//! what was asked for and by the budgets of the strategy and of its horizon. What is not whole is
//! cut off. Models have slots among the votes and no other influence.

pub mod regime;
pub mod settings;
pub mod size;
pub mod vote;

pub use regime::{Readings, Regime};
pub use settings::Rules;
pub use size::Edge;
pub use vote::{MODELS, Vote};

use crate::{
    book::{Book, Desk, Horizon, Roster, from_currency, to_currency},
    chain::Chain,
    wire::Timestamp,
};
use settings::{Settings, Weight};
use vote::Scene;

/// An entry that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Option root.
    pub root: u16,
    /// When the first of its legs settles.
    pub settles: Timestamp,
    /// +1 gains when the underlying rises, −1 when it falls, 0 neither.
    pub direction: i8,
    /// +1 buys volatility, −1 sells it, 0 neither.
    pub vega: i8,
    /// Worst loss of one package, currency.
    pub loss: f64,
    /// Standard deviation of one package's value a day, currency; NaN where it is not known.
    pub swing: f64,
    /// Sum of the legs' spreads over the sum of their mids; NaN where it is not known.
    pub spread: f64,
    /// Chance and odds, where the strategy knows them.
    pub edge: Option<Edge>,
    /// Packages at most.
    pub most: u32,
    /// The market.
    pub readings: Readings,
}

/// What stands behind a size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// Packages; 0 for a no-go.
    pub packages: u32,
    /// What bound it, by the table of [`BOUNDS`].
    pub bound: usize,
    /// What regime, vote and other signals left of the size.
    pub multiplier: f64,
    /// The regime.
    pub regime: Regime,
    /// Whether it is another one than at the last ask on the root.
    pub changed: bool,
    /// The horizon that it counts for.
    pub horizon: Horizon,
    /// The vote, and the confidence behind it.
    pub vote: (f64, f64),
}

/// What can bound a size, by number.
pub const BOUNDS: [&str; 7] = [
    "asked for",
    "method",
    "regime",
    "vote",
    "other signals",
    "strategy's budget",
    "horizon's budget",
];

const SIGNALS: usize = 64;
const ROOTS: usize = 64;

#[derive(Clone, Copy, Debug, Default)]
struct Signal {
    at: Timestamp,
    strategy: u16,
    root: u16,
    direction: i8,
    vega: i8,
}

/// The router of a run.
#[derive(Clone, Debug)]
pub struct Router {
    rules: Rules,
    roster: Roster,
    /// By root, modulo [`ROOTS`].
    regimes: [Regime; ROOTS],
    signals: [Signal; SIGNALS],
    next: usize,
    /// What models say; nothing until they do.
    pub models: [Vote; MODELS],
}

impl Router {
    /// With these rules, for these strategies.
    pub fn new(rules: Rules, roster: Roster) -> Router {
        let (regimes, signals) = ([Regime::default(); ROOTS], [Signal::default(); SIGNALS]);
        Router { rules, roster, regimes, signals, next: 0, models: [Vote::default(); MODELS] }
    }

    /// Sizes an entry of a strategy; `None` where there are no rules, and it goes as it was asked.
    pub fn size(&mut self, desk: &Desk, strategy: u16, ask: &Ask) -> Option<Answer> {
        let set = self.rules.router.as_ref()?;
        let readings = self.rules.inputs.over(&desk.features, &ask.readings);
        let edge = ask.edge.or_else(|| self.edge(&desk.book, strategy, set));
        let ask = &Ask { readings, edge, ..*ask };
        let held = &mut self.regimes[usize::from(ask.root) % ROOTS];
        let regime = held.after(&ask.readings, set);
        let changed = core::mem::replace(held, regime) != regime;
        let name = self.roster.name(strategy);
        let weight = regime.weight(row_of(&self.rules, name), set.unknown_weight);
        let vote = self.vote(desk, ask, set);
        let others = self.others(desk.chain.now, strategy, ask, set);
        let kept = if vote.0 < set.score_min { 0.0 } else { (1.0 + vote.0).clamp(0.0, 1.0) };
        let factors = [weight, kept, size::shrink(others, set.correlation)];
        let horizon = self.horizon(&desk.chain, strategy, ask, set);
        let method =
            size::packages(to_currency(desk.book.capital), ask.loss, ask.swing, ask.edge, set);
        let left =
            self.budgets(&desk.book, strategy, horizon).map(|left| left / ask.loss.max(0.01));
        let (packages, bound) = least(f64::from(ask.most), method, factors, left);
        let multiplier = factors.iter().product();
        let answer = Answer { packages, bound, multiplier, regime, changed, horizon, vote };
        if packages > 0 {
            self.remember(desk.chain.now, strategy, ask);
        }
        Some(answer)
    }

    /// What a strategy has won and lost so far, or is thought to.
    fn edge(&self, book: &Book, strategy: u16, set: &Settings) -> Option<Edge> {
        let record = book.record(strategy);
        let enough = record.won + record.lost >= set.kelly_trades_min.max(1);
        if set.kelly_trades_min > 0 && enough {
            return Edge::of(&record);
        }
        let name = self.roster.name(strategy);
        let row = self.rules.edges.iter().find(|row| row.strategy == name)?;
        Some(Edge { win: row.win, odds: row.odds })
    }

    fn vote(&self, desk: &Desk, ask: &Ask, set: &Settings) -> (f64, f64) {
        let pnl = desk.book.pnl.map_or(f64::NAN, to_currency);
        let lost = -pnl / to_currency(desk.book.capital);
        let scene = Scene { passed: passed(&desk.chain, ask.root), lost };
        let weights = [
            set.vote_volatility,
            set.vote_direction,
            set.vote_timing,
            set.vote_execution,
            set.vote_risk,
        ];
        let rules = weights.into_iter().zip(vote::rules(ask, &scene, set));
        vote::tally(rules.chain(self.models.iter().map(|vote| (set.vote_model, *vote))))
    }

    /// Other strategies that have lately signalled the same.
    fn others(&self, now: Timestamp, strategy: u16, ask: &Ask, set: &Settings) -> usize {
        let same = |signal: &Signal| {
            signal.at != 0
                && now.saturating_sub(signal.at) <= set.together.nanos()
                && (signal.root, signal.direction, signal.vega)
                    == (ask.root, ask.direction, ask.vega)
                && signal.strategy != strategy
        };
        // One that signals again and again is one signal.
        let first = |at: usize| {
            let earlier = self.signals[..at].iter();
            let strategy = self.signals[at].strategy;
            earlier.filter(|signal| same(signal)).all(|signal| signal.strategy != strategy)
        };
        (0..SIGNALS).filter(|&at| same(&self.signals[at]) && first(at)).count()
    }

    fn remember(&mut self, at: Timestamp, strategy: u16, ask: &Ask) {
        let Ask { root, direction, vega, .. } = *ask;
        self.signals[self.next] = Signal { at: at.max(1), strategy, root, direction, vega };
        self.next = (self.next + 1) % SIGNALS;
    }

    /// The day of settlement makes it an expiry entry, whatever the strategy means; late in the day
    /// nothing is intraday.
    fn horizon(&self, chain: &Chain, strategy: u16, ask: &Ask, set: &Settings) -> Horizon {
        let (date, second) = chain.local(ask.root, chain.now);
        if chain.local(ask.root, ask.settles).0 == date {
            return Horizon::Expiry;
        }
        match self.roster.horizon(strategy) {
            Some(Horizon::Intraday) if second < set.overnight_from.0 => Horizon::Intraday,
            _ => Horizon::Swing,
        }
    }

    /// Currency that the budgets of the strategy and of the horizon have left.
    fn budgets(&self, book: &Book, strategy: u16, horizon: Horizon) -> [f64; 2] {
        let name = self.roster.name(strategy);
        let left = |share: f64, mine: &dyn Fn(u16) -> bool| {
            let open = book.open_packages().filter(|package| mine(package.strategy));
            let used = open.fold(0i64, |sum, p| sum.saturating_add(p.loss.max(0)));
            let all = from_currency(to_currency(book.capital) * share);
            to_currency(all.saturating_sub(used))
        };
        let budgets = || self.rules.budgets.iter();
        let of_strategy = budgets().find(|row| !row.strategy.is_empty() && row.strategy == name);
        let of_horizon = budgets().find(|row| row.strategy.is_empty() && row.horizon == horizon);
        [
            of_strategy.map_or(f64::INFINITY, |row| left(row.share, &|other| other == strategy)),
            of_horizon.map_or(f64::INFINITY, |row| {
                left(row.share, &|other| self.roster.horizon(other) == Some(horizon))
            }),
        ]
    }
}

/// Whole packages, and what bounds them: the last step that took one away.
fn least(most: f64, method: f64, factors: [f64; 3], left: [f64; 2]) -> (u32, usize) {
    // NaN is nothing.
    let mut size = if method > 0.0 { method } else { 0.0 };
    let mut bound = 1;
    let steps = factors.into_iter().enumerate().map(|(i, factor)| (2 + i, Some(factor), 0.0));
    let caps = [(0, most), (5, left[0]), (6, left[1])].map(|(number, cap)| (number, None, cap));
    for (number, factor, cap) in steps.chain(caps) {
        let next = factor.map_or(size.min(cap), |factor| size * factor).max(0.0);
        if (next as u32) < (size as u32) {
            bound = number;
        }
        size = next;
    }
    (size as u32, bound)
}

fn row_of<'a>(rules: &'a Rules, name: &str) -> Option<&'a Weight> {
    let find = |wanted: &str| rules.weights.iter().find(|row| row.strategy == wanted);
    find(name).or_else(|| find(""))
}

/// Share of the session that has passed; NaN outside of one.
fn passed(chain: &Chain, root: u16) -> f64 {
    let (_, second) = chain.local(root, chain.now);
    let Some(calendar) = chain.calendar(root) else { return f64::NAN };
    let (open, close) = calendar.session();
    let share =
        (f64::from(second) - f64::from(open)) / f64::from(close.saturating_sub(open).max(1));
    if (0.0..=1.0).contains(&share) { share } else { f64::NAN }
}
