//! Intents in; the only maker of an approved order out.
//!
//! [`Risk`] collects an intent with its legs, measures it against every limit of [`LIMITS`] without
//! an early exit, and either enters it in the book and emits ORDER and ORDER_LEGs, or emits a
//! REFUSAL with the whole set and one BREACH per violated limit. What cannot be measured is
//! refused. At batch ends and timers it watches the breakers: one that trips is announced, stays so
//! until the operator resets it, and cancels what it does not allow; the kill switch cancels
//! everything. After a restart it inquires after every order in doubt, and refuses all others until
//! the broker has answered. It shares a thread with DECIDE, which tells the book of the same events
//! before it passes them on.
//!
//! Closing orders have a looser rule of their own: see [`CLOSING`].

mod breakers;
mod bucket;
mod check;
mod cleared;
mod conduct;
mod curve;
mod dollars;
mod draft;
mod grid;
mod horizon;
mod ledger;
mod limits;
mod margin;
mod payoff;
mod tail;
mod verdict;
mod watch;

pub use breakers::{Action, BREAKERS};
pub use cleared::Cleared;
pub use limits::{CLOSING, FLOORS, LIMITS, Limit, LimitDoc, Limits, limit_doc};
pub use payoff::{Claim, Claimed, Extremes, extremes};
pub use verdict::Verdict;

use crate::{
    book::{Account, Desk, Refused, Roster, Sheet, UNBOUNDED},
    config::Reader,
    stage::{Emit, Stage},
    wire::{
        Event, Kind, NO_INSTRUMENT,
        order::{Breach, Cancel, Decision, LEGS_MAX, Refusal, Report, ReportKind},
    },
};
use alloc::format;
use breakers::Breakers;
use check::Case;
use conduct::Conduct;
use draft::{Draft, Outlook, View, sheet, unit_of};
use grid::{BLOCKS_MAX, Grid, SCENARIOS_MAX};
use horizon::Reckoner;
use ledger::{Exposure, LINES_MAX, Ledger};
use margin::Naked;
use tail::{TAIL_MAX, Tail};

/// Takes `[account]` and `[limits]` out of a file such as `config/limits.toml`.
pub fn from_config(reader: &mut Reader) -> Option<(Account, Limits)> {
    let account = reader.section::<Account>("account");
    let limits = reader.section::<Limits>("limits");
    limits.iter().for_each(|limits| check_lists(limits, reader));
    Some((account?, limits?))
}

/// Lists of scenarios that say less, or more, than they seem to.
fn check_lists(limits: &Limits, reader: &mut Reader) {
    let grid = grid::product(limits).len();
    if grid >= SCENARIOS_MAX {
        let what = format!("make {grid} scenarios; write less than {SCENARIOS_MAX}");
        reader.refuse("[limits] grid_spots, grid_vols, grid_days", what);
    }
    let days = limits.tail_spots.len();
    if days == 0 || days >= TAIL_MAX {
        reader.refuse("[limits] tail_spots", format!("has {days}; write 1 to {}", TAIL_MAX - 1));
    }
    let beside = [("tail_vols", &limits.tail_vols), ("tail_weights", &limits.tail_weights)];
    for (key, list) in beside.into_iter().filter(|(_, list)| ![0, days].contains(&list.len())) {
        let what = format!("has {}; write as many as tail_spots, {days}, or none", list.len());
        reader.refuse(&format!("[limits] {key}"), what);
    }
    let weights = &limits.tail_weights;
    if weights.iter().any(|weight| *weight < 0.0)
        || weights.iter().sum::<f64>() <= 0.0 && days > 0 && !weights.is_empty()
    {
        reader.refuse("[limits] tail_weights", "must not be negative, nor all zero");
    }
    if limits.regime_calm > 0.0 && limits.regime_wild <= limits.regime_calm {
        let what = format!("is {}; write more than regime_calm", limits.regime_wild);
        reader.refuse("[limits] regime_wild", what);
    }
}

/// Packages that breakers follow at once.
const PACKAGES_MAX: usize = 4_096;

/// The risk gate. See the module's documentation.
#[derive(Debug)]
pub struct Risk {
    limits: Limits,
    roster: Roster,
    conduct: Conduct,
    pending: Option<Draft>,
    ledger: Ledger,
    reckoner: Reckoner,
    naked: Naked,
    grid: Grid<BLOCKS_MAX>,
    tail: Tail,
    breakers: Breakers,
    verdict: Verdict,
    announced_kill: bool,
    was_up: bool,
    sweeping: bool,
    /// Outputs that came from upstream, which nobody but this stage may make: dropped.
    pub forged: u64,
}

impl Risk {
    /// A gate with these limits, for these strategies.
    pub fn new(limits: Limits, roster: Roster) -> Risk {
        Risk {
            conduct: Conduct::new(&limits, &roster),
            ledger: Ledger::new(&roster),
            reckoner: Reckoner::new(&limits, LINES_MAX + LEGS_MAX + 1),
            naked: Naked::new(&limits),
            grid: Grid::new(grid::product(&limits), limits.grid_turns),
            tail: Tail::new(&limits),
            breakers: Breakers::new(&roster, PACKAGES_MAX),
            limits,
            roster,
            pending: None,
            verdict: Verdict::default(),
            announced_kill: false,
            was_up: false,
            sweeping: false,
            forged: 0,
        }
    }

    /// Measures an intent and its legs against all limits; nothing is entered or emitted.
    pub fn evaluate(&mut self, desk: &mut Desk, intent: &Event, legs: &[Event]) -> &Verdict {
        desk.mark();
        self.refresh(desk);
        self.weigh(desk, intent, legs)
    }

    /// The same of a book and a market that have not changed since [`Risk::refresh`].
    pub fn weigh(&mut self, desk: &Desk, intent: &Event, legs: &[Event]) -> &Verdict {
        let mut draft = Draft::new(intent);
        for leg in legs {
            draft.add(leg);
        }
        self.measure(desk, &draft);
        &self.verdict
    }

    /// What was measured last.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Makes its sums of the book anew, whatever has changed.
    pub fn refresh(&mut self, desk: &Desk) {
        self.ledger.renew(desk, &self.roster, &mut self.reckoner, &self.naked);
        self.grid.renew(desk);
    }

    fn keep_up(&mut self, desk: &Desk) {
        if self.ledger.is_behind(&desk.book) {
            self.refresh(desk);
        }
    }

    fn measure(&mut self, desk: &Desk, draft: &Draft) -> Option<Sheet> {
        self.conduct.advance(draft.cause.ts_recv);
        let mut views = [View::NONE; LEGS_MAX];
        let views = &mut views[..usize::from(draft.head.legs).min(LEGS_MAX)];
        let look = |leg| View::new(&desk.chain, &draft.head, leg);
        views.iter_mut().zip(draft.legs).for_each(|(to, leg)| *to = look(leg));
        let views = &*views;
        let outlook =
            Outlook::of(desk, &draft.head, views, &self.ledger, &mut self.reckoner, &self.naked);
        let mut greeks = Exposure::default();
        views.iter().for_each(|view| greeks.add(view.dollars()));
        let case = Case {
            limits: &self.limits,
            desk,
            draft,
            views,
            outlook,
            gauges: self.conduct.gauges(draft),
            horizon: self.roster.horizon(draft.head.strategy),
            ledger: &self.ledger,
            greeks,
            worst: self.grid.worst(&desk.chain, views),
            breakers: &self.breakers,
            contracts: views.iter().map(|view| view.counted).max(),
            unit: unit_of(views),
        };
        case.judge(&mut self.verdict);
        let loss = outlook.order_loss.unwrap_or(UNBOUNDED);
        (self.verdict.violated == 0).then(|| sheet(draft, views, loss))
    }

    fn conclude(&mut self, desk: &mut Desk, draft: &Draft, out: &mut impl Emit<Desk, Cleared>) {
        self.keep_up(desk);
        match self.measure(desk, draft) {
            Some(sheet) if desk.book.register(&sheet) => self.approve(desk, draft, out),
            _ => self.refuse(desk, draft, out),
        }
    }

    fn approve(&mut self, desk: &mut Desk, draft: &Draft, out: &mut impl Emit<Desk, Cleared>) {
        let legs = draft.legs[..draft.count].iter();
        let counted = |leg| View::new(&desk.chain, &draft.head, leg).counted;
        self.conduct.on_order(draft, legs.map(|leg| counted(*leg)).max().unwrap_or(0));
        let cause = &draft.cause;
        emit(desk, out, Event::caused_by(cause, Kind::ORDER, cause.instrument, draft.head));
        for (instrument, leg) in &draft.legs[..draft.count] {
            emit(desk, out, Event::caused_by(cause, Kind::ORDER_LEG, *instrument, *leg));
        }
    }

    fn refuse(&mut self, desk: &mut Desk, draft: &Draft, out: &mut impl Emit<Desk, Cleared>) {
        let violated = self.verdict.violated;
        let order = draft.head.id;
        desk.book.refused = Refused { order, violated };
        let refusal = Refusal {
            order,
            violated: violated as u64,
            strategy: draft.head.strategy,
            breaches: violated.count_ones() as u16,
            reserved: 0,
            violated_high: (violated >> 64) as u64,
        };
        emit(desk, out, Event::caused_by(&draft.cause, Kind::REFUSAL, NO_INSTRUMENT, refusal));
        for bit in (0..128).filter(|bit| violated >> bit & 1 == 1) {
            let (measured, bound) = self.verdict.row(bit);
            let breach = Breach { order, limit: bit, reserved: 0, measured, bound };
            emit(desk, out, Event::caused_by(&draft.cause, Kind::BREACH, NO_INSTRUMENT, breach));
        }
    }

    /// An intent whose legs did not come is refused for that alone.
    fn abandon(&mut self, desk: &mut Desk, out: &mut impl Emit<Desk, Cleared>) {
        if let Some(draft) = self.pending.take() {
            self.verdict.clear();
            self.verdict.must(Limit::MALFORMED, false);
            self.verdict.close();
            self.refuse(desk, &draft, out);
        }
    }

    fn begin(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Cleared>) {
        let draft = Draft::new(event);
        self.pending = Some(draft);
        if draft.head.legs == 0 {
            self.abandon(desk, out);
        }
    }

    fn cancel(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Cleared>) {
        let cancel: &Cancel = event.body();
        let again = self.limits.cancel_again_after.nanos();
        let possible = desk.book.can_cancel(cancel.order, event.ts_recv, again);
        self.verdict.clear();
        self.verdict.must(Limit::CANCEL_UNKNOWN, possible);
        self.verdict.must(Limit::SESSION_DOWN, desk.book.venue.broker_up);
        self.verdict.close();
        if self.verdict.violated != 0 {
            let mut draft = Draft::new(event);
            (draft.head.id, draft.head.strategy) = (cancel.id, cancel.strategy);
            return self.refuse(desk, &draft, out);
        }
        self.conduct.on_cancel(event.ts_recv);
        desk.book.register_cancel(cancel.id, cancel.order, event.ts_recv);
        emit(desk, out, Event::caused_by(event, Kind::CANCEL, NO_INSTRUMENT, *cancel));
    }

    /// Fills tell of conduct. The book has taken the report already.
    fn on_report(&mut self, desk: &Desk, event: &Event) {
        let report: &Report = event.body();
        if report.event != ReportKind::FILL || report.quantity == 0 {
            return;
        }
        let Some(order) = desk.book.order(report.order) else { return };
        self.conduct.on_fill(order.strategy);
        let legs = order.legs();
        if let Some(leg) = legs.get(usize::from(report.leg)).or(legs.first()) {
            self.breakers.on_fill(desk, leg.instrument);
        }
    }
}

impl Stage<Desk> for Risk {
    type In = Event;
    type Out = Cleared;

    #[inline]
    fn on(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Cleared>) {
        if event.kind == Kind::INTENT_LEG {
            if self.pending.as_mut().is_some_and(|draft| draft.add(event))
                && let Some(draft) = self.pending.take()
            {
                self.conclude(desk, &draft, out);
            }
            return;
        }
        self.abandon(desk, out);
        match event.kind {
            Kind::INTENT => self.begin(desk, event, out),
            Kind::INTENT_CANCEL => self.cancel(desk, event, out),
            Kind::DECISION => {
                self.conduct.on_decision(event.body::<Decision>().strategy);
                emit(desk, out, *event);
            }
            kind if kind.is_statement() => emit(desk, out, *event),
            kind if kind.is_output() => self.forged += 1,
            kind => {
                match kind {
                    Kind::COMMAND => self.on_command(desk, event),
                    Kind::REPORT => self.on_report(desk, event),
                    Kind::SESSION => self.on_session(desk),
                    _ => {}
                }
                if event.ends_batch() || kind == Kind::TIMER || kind == Kind::COMMAND {
                    self.watch(desk, event, out);
                }
                if let Some(passed) = Cleared::pass(event) {
                    out.emit(desk, &passed);
                }
            }
        }
    }
}

fn emit(desk: &mut Desk, out: &mut impl Emit<Desk, Cleared>, event: Event) {
    out.emit(desk, &Cleared::approve(event));
}
