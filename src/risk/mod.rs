//! Intents in; the only maker of an approved order out.
//!
//! [`Risk`] collects an intent with its legs, measures it against every limit of [`LIMITS`] without
//! an early exit, and either enters it in the book and emits ORDER and ORDER_LEGs, or emits a
//! REFUSAL with the whole set and one BREACH per violated limit. What cannot be measured is
//! refused. At batch ends and timers it watches the breakers: a halt is announced once, latched
//! for the run, and cancels what would open; the kill switch cancels everything. After a restart it
//! inquires after every order in doubt, and refuses all others until the broker has answered. It
//! shares a thread with DECIDE, which tells the book of the same events before it passes them on.
//!
//! Closing orders have a looser rule of their own: see [`CLOSING`].

mod bucket;
mod check;
mod cleared;
mod draft;
mod limits;
mod payoff;
mod verdict;

pub use cleared::Cleared;
pub use limits::{CLOSING, LIMITS, Limit, LimitDoc, Limits, limit_doc};
pub use payoff::{Claim, Claimed, Extremes, extremes};
pub use verdict::Verdict;

use crate::{
    book::{Account, Desk, Refused, Roster, from_currency, to_currency},
    config::Reader,
    stage::{Emit, Stage},
    wire::{
        Event, Kind, NO_INSTRUMENT, Timestamp,
        audit::Audit,
        order::{Breach, Cancel, Halt, Inquiry, LEGS_MAX, Leg, Refusal},
    },
};
use bucket::Bucket;
use check::Case;
use draft::{Draft, Oracle, View, sheet};

/// Takes `[account]` and `[limits]` out of a file such as `config/limits.toml`.
pub fn from_config(reader: &mut Reader) -> Option<(Account, Limits)> {
    let account = reader.section::<Account>("account");
    let limits = reader.section::<Limits>("limits");
    Some((account?, limits?))
}

/// What the gate itself remembers of conduct, at the time of an intent.
#[derive(Clone, Copy, Debug)]
struct Gauges {
    missing: f64,
    reserve_missing: f64,
    same_order_age: f64,
}

const RECENT: usize = 32;

/// Inquiries that leave at once: a broker that is flooded answers none.
const INQUIRIES_MAX: usize = 64;

/// The risk gate. See the module's documentation.
#[derive(Debug)]
pub struct Risk {
    limits: Limits,
    roster: Roster,
    orders: Bucket,
    reserve: Bucket,
    recent: [(u64, Timestamp); RECENT],
    next: usize,
    pending: Option<Draft>,
    oracle: Oracle,
    verdict: Verdict,
    announced_halt: bool,
    announced_kill: bool,
    /// Outputs that came from upstream, which nobody but this stage may make: dropped.
    pub forged: u64,
}

impl Risk {
    /// A gate with these limits, for these strategies.
    pub fn new(limits: Limits, roster: Roster) -> Risk {
        Risk {
            orders: Bucket::new(limits.message_rate_max, limits.message_burst),
            reserve: Bucket::new(limits.reserve_rate, limits.reserve_burst),
            limits,
            roster,
            recent: [(0, 0); RECENT],
            next: 0,
            pending: None,
            oracle: Oracle::new(1_024),
            verdict: Verdict::default(),
            announced_halt: false,
            announced_kill: false,
            forged: 0,
        }
    }

    /// Measures an intent and its legs against all limits; nothing is entered or emitted.
    pub fn evaluate(&mut self, desk: &mut Desk, intent: &Event, legs: &[Event]) -> &Verdict {
        let mut draft = Draft::new(intent);
        for leg in legs {
            draft.add(leg);
        }
        desk.mark();
        self.measure(desk, &draft);
        &self.verdict
    }

    fn measure(&mut self, desk: &Desk, draft: &Draft) -> Option<crate::book::Sheet> {
        let now = draft.cause.ts_recv;
        self.orders.advance(now);
        self.reserve.advance(now);
        let all = draft.legs.map(|leg| View::new(&desk.chain, leg));
        let views = &all[..usize::from(draft.head.legs).min(LEGS_MAX)];
        let outlook = self.oracle.outlook(desk, &draft.head, views);
        let gauges = Gauges {
            missing: self.orders.missing(),
            reserve_missing: self.reserve.missing(),
            same_order_age: self.age_of(print_of(draft), now),
        };
        let horizon = self.roster.horizon(draft.head.strategy);
        let case = Case { limits: &self.limits, desk, draft, views, outlook, gauges, horizon };
        case.judge(&mut self.verdict);
        let loss = outlook.order_loss.unwrap_or(crate::book::UNBOUNDED);
        (self.verdict.violated == 0).then(|| sheet(draft, views, loss))
    }

    /// Seconds since the same order was approved; infinite for never.
    fn age_of(&self, print: u64, now: Timestamp) -> f64 {
        let same = self.recent.iter().filter(|(other, _)| *other == print);
        let last = same.map(|(_, at)| *at).max();
        last.map_or(f64::INFINITY, |at| now.saturating_sub(at) as f64 / 1e9)
    }

    fn conclude(&mut self, desk: &mut Desk, draft: &Draft, out: &mut impl Emit<Desk, Cleared>) {
        desk.mark();
        match self.measure(desk, draft) {
            Some(sheet) if desk.book.register(&sheet) => self.approve(desk, draft, out),
            _ => self.refuse(desk, draft, out),
        }
    }

    fn approve(&mut self, desk: &mut Desk, draft: &Draft, out: &mut impl Emit<Desk, Cleared>) {
        self.recent[self.next] = (print_of(draft), draft.cause.ts_recv);
        self.next = (self.next + 1) % RECENT;
        if self.orders.has_one() {
            self.orders.take()
        } else {
            self.reserve.take()
        }
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
            self.refuse(desk, &draft, out);
        }
    }

    fn cancel(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Cleared>) {
        let cancel: &Cancel = event.body();
        let again = self.limits.cancel_again_after.nanos();
        let possible = desk.book.can_cancel(cancel.order, event.ts_recv, again);
        self.verdict.clear();
        self.verdict.must(Limit::CANCEL_UNKNOWN, possible);
        self.verdict.must(Limit::SESSION_DOWN, desk.book.venue.broker_up);
        if self.verdict.violated != 0 {
            let mut draft = Draft::new(event);
            (draft.head.id, draft.head.strategy) = (cancel.id, cancel.strategy);
            return self.refuse(desk, &draft, out);
        }
        self.orders.advance(event.ts_recv);
        self.reserve.advance(event.ts_recv);
        // Cancels are never refused for their rate: there is at most one per order and window.
        if self.reserve.has_one() {
            self.reserve.take()
        } else {
            self.orders.take()
        }
        desk.book.register_cancel(cancel.id, cancel.order, event.ts_recv);
        emit(desk, out, Event::caused_by(event, Kind::CANCEL, NO_INSTRUMENT, *cancel));
    }

    /// Latches breakers, announces them, and cancels what they do not allow.
    fn watch(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Cleared>) {
        desk.mark();
        self.latch(desk);
        if let (Some(limit), false) = (desk.book.venue.halted, self.announced_halt) {
            self.announced_halt = true;
            let (measured, bound) = self.breaker(desk, limit);
            announce(desk, event, out, (limit, measured, bound));
        }
        if desk.book.venue.killed && !self.announced_kill {
            self.announced_kill = true;
            announce(desk, event, out, (Limit::KILL_SWITCH, 1.0, 0.0));
        }
        if desk.book.venue.is_over() || desk.book.venue.halted.is_some() {
            self.sweep(desk, event, out);
        }
        if self.limits.reconcile_every.nanos() > 0 {
            self.reconcile(desk, event, out);
        }
        if desk.book.in_doubt() > 0 && desk.book.venue.broker_up {
            self.inquire(desk, event, out);
        }
    }

    /// Asks the broker how the orders in doubt stand, a few at a time.
    #[cold]
    fn inquire(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Cleared>) {
        let (again, now) = (self.limits.inquire_again_after.nanos(), event.ts_recv);
        let mut room = INQUIRIES_MAX;
        for i in 0..desk.book.live().len() {
            let Some(order) = desk.book.order(desk.book.live()[i]) else { continue };
            if room == 0 || !desk.book.is_inquiry_due(order, now, again) {
                continue;
            }
            room -= 1;
            let (order, strategy) = (order.id, order.strategy);
            let tries = desk.book.register_inquiry(order, now);
            let inquiry = Inquiry { order, tries, strategy, reserved: 0, reserved2: [0; 2] };
            emit(desk, out, Event::caused_by(event, Kind::INQUIRY, NO_INSTRUMENT, inquiry));
        }
    }

    /// Asks the broker for positions and orders when that is due, and tells where it differs.
    fn reconcile(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Cleared>) {
        let every = self.limits.reconcile_every.nanos();
        let (again, now) = (self.limits.reconcile_again_after.nanos(), event.ts_recv);
        while let Some((instrument, difference)) = desk.book.audit.next_news() {
            emit(desk, out, Event::caused_by(event, Kind::DIFFERENCE, instrument, difference));
        }
        if desk.book.may_ask() && desk.book.audit.is_due(now, every, again) {
            let tries = desk.book.register_audit(event.seq, now);
            let audit = Audit { request: event.seq, tries, reserved: 0, reserved2: [0; 2] };
            emit(desk, out, Event::caused_by(event, Kind::AUDIT, NO_INSTRUMENT, audit));
        }
    }

    fn latch(&mut self, desk: &mut Desk) {
        if desk.book.venue.halted.is_some() {
            return;
        }
        let breakers = [Limit::DAILY_LOSS, Limit::UNRECONCILED, Limit::REJECTS];
        let tripped = breakers.into_iter().find(|limit| {
            let (measured, bound) = self.breaker(desk, limit.0);
            // An unknown loss refuses orders but trips nothing: a quote may come back.
            measured > bound
        });
        desk.book.venue.halted = tripped.map(|limit| limit.0);
    }

    fn breaker(&self, desk: &Desk, limit: u32) -> (f64, f64) {
        let (book, limits) = (&desk.book, &self.limits);
        let bound = |count: u32| f64::from(count);
        match Limit(limit) {
            Limit::UNRECONCILED => {
                (book.tally.unreconciled as f64, bound(limits.unreconciled_fills_max))
            }
            Limit::REJECTS => {
                (book.tally.rejected_in_a_row as f64, bound(limits.rejects_in_a_row_max))
            }
            _ => {
                let allowed = to_currency(from_currency(limits.daily_loss_max));
                (book.pnl.map_or(f64::NAN, |pnl| to_currency(-pnl)), allowed)
            }
        }
    }

    /// Cancels every working order that would open; all of them when killed or leaving.
    fn sweep(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Cleared>) {
        let again = self.limits.cancel_again_after.nanos();
        for i in 0..desk.book.live().len() {
            let Some(order) = desk.book.order(desk.book.live()[i]) else { continue };
            let (order, strategy, opens) = (order.id, order.strategy, order.purpose.opens());
            let wanted = opens || desk.book.venue.is_over();
            let possible = desk.book.can_cancel(order, event.ts_recv, again);
            if wanted && possible && desk.book.venue.broker_up {
                let id = desk.book.number();
                let cancel = Cancel { id, order, strategy, reserved: [0; 7] };
                let asked = Event::caused_by(event, Kind::INTENT_CANCEL, NO_INSTRUMENT, cancel);
                self.cancel(desk, &asked, out);
            }
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
            Kind::DECISION | Kind::FEATURES => emit(desk, out, *event),
            kind if kind.is_output() => self.forged += 1,
            kind => {
                if kind == Kind::COMMAND {
                    desk.book.apply(event);
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

impl Risk {
    fn begin(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Cleared>) {
        let draft = Draft::new(event);
        self.pending = Some(draft);
        if draft.head.legs == 0 {
            self.abandon(desk, out);
        }
    }
}

fn emit(desk: &mut Desk, out: &mut impl Emit<Desk, Cleared>, event: Event) {
    out.emit(desk, &Cleared::approve(event));
}

fn announce(
    desk: &mut Desk,
    cause: &Event,
    out: &mut impl Emit<Desk, Cleared>,
    (limit, measured, bound): (u32, f64, f64),
) {
    let halt = Halt { limit, reserved: 0, measured, bound, reserved2: 0 };
    emit(desk, out, Event::caused_by(cause, Kind::HALT, NO_INSTRUMENT, halt));
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
