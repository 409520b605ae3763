//! A journal and an order in; in words, why RISK let it pass or refused it, out.
//!
//! The recorded inputs go through the stages until the intent is judged; what RISK then measured
//! against every limit is told, in the order of how close it came to its bound.

use super::{
    Failure, Plan, lanes,
    replay::{files_of, open},
    say::println,
    source::Source,
    tools::{names, unusable},
};
use crate::{
    book::Desk,
    chain::Track,
    feature::Features,
    greeks::Revalue,
    journal::{Between, Manifest, Names, Stream, show_time},
    risk::{CLOSING, Cleared, FLOORS, LIMITS, LimitDoc, Risk, Verdict},
    stage::{Emit, Stage, Tap, Then},
    strategy::Decide,
    wire::{
        Event, Kind,
        order::{Leg, Order, Refusal},
    },
};
use serde_json::{Value, json};
use std::{
    format,
    path::Path,
    string::String,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    vec::Vec,
};

/// Numbers below this mean a place among all that was judged.
const PLACES: u64 = 1 << 24;

/// Tells why an order passed or was refused: of this number, or in this place among all intents of
/// the run that were judged, from 1.
pub fn explain(directory: &Path, order: u64, as_json: bool) -> Result<(), Failure> {
    let manifest = Manifest::read(directory).map_err(unusable)?;
    let plan = Plan::new(&files_of(&manifest))?;
    let mut source = Source::new(open(directory, Stream::Inputs)?, Between::default(), None);
    let mut gate = Gate::new(&plan, order, source.stop(), names(directory)?);
    let decide = Then(Decide::new(plan.strategies.clone()), &mut gate);
    let rear = Then(Features::new(&plan.features, &plan.universe), decide);
    let mut stages = Then(Track, Then(Revalue::new(&plan.universe), rear));
    let mut desk = plan.desk();
    lanes::feed(&mut source, &mut desk, &mut stages);
    let Some(told) = gate.told else {
        let (place, judged) = (directory.display(), gate.judged);
        let what = format!("{place}: {judged} intents were judged; {order} is not among them");
        return Err(Failure::mismatch(what));
    };
    if as_json {
        println!("{:#}", told.json())
    } else {
        println!("{}", told.text())
    }
    Ok(())
}

/// RISK, and what it said of one intent.
struct Gate {
    risk: Risk,
    wanted: u64,
    stop: Arc<AtomicBool>,
    names: Names,
    strategies: Vec<String>,
    intent: Vec<Event>,
    judged: u64,
    told: Option<Told>,
}

impl Gate {
    fn new(plan: &Plan, wanted: u64, stop: Arc<AtomicBool>, names: Names) -> Gate {
        Gate {
            risk: Risk::new(plan.limits.clone(), plan.strategies.roster()),
            wanted,
            stop,
            names,
            strategies: plan.strategies.names().map(String::from).collect(),
            intent: Vec::new(),
            judged: 0,
            told: None,
        }
    }

    /// The number of the intent that was judged, and whether it passed.
    fn outcome(outputs: &[Event]) -> Option<(u64, bool)> {
        outputs.iter().find_map(|event| match event.kind {
            Kind::ORDER => Some((event.body::<Order>().id, true)),
            Kind::REFUSAL => Some((event.body::<Refusal>().order, false)),
            _ => None,
        })
    }

    fn tell(&mut self, id: u64, passed: bool) {
        let Some(head) = self.intent.first().filter(|head| head.kind == Kind::INTENT) else {
            return;
        };
        self.judged += 1;
        if self.wanted != if self.wanted < PLACES { self.judged } else { id } {
            return;
        }
        let order: &Order = head.body();
        let name = self.strategies.get(usize::from(order.strategy)).map_or("-", String::as_str);
        let legs = self.intent[1..].iter().map(|leg| self.leg(leg)).collect();
        self.told = Some(Told {
            place: self.judged,
            order: *order,
            at: *head,
            strategy: name.into(),
            legs,
            passed,
            rows: rows(self.risk.verdict(), order.purpose.opens()),
        });
        self.stop.store(true, Ordering::Relaxed);
    }

    fn leg(&self, event: &Event) -> String {
        let leg: &Leg = event.body();
        let (side, name) =
            (if leg.side > 0 { "buy" } else { "sell" }, self.names.of(event.instrument));
        format!("{side} {} {name} at {}", leg.ratio, short(leg.price.to_f64()))
    }
}

impl Emit<Desk, Event> for Gate {
    fn emit(&mut self, desk: &mut Desk, event: &Event) {
        match event.kind {
            Kind::INTENT | Kind::INTENT_CANCEL => self.intent = Vec::from([*event]),
            Kind::INTENT_LEG => self.intent.push(*event),
            _ => {}
        }
        let mut outputs = Vec::new();
        let mut tap = Tap(|_: &mut Desk, cleared: &Cleared| outputs.push(*cleared.event()));
        self.risk.on(desk, event, &mut tap);
        if self.told.is_none()
            && let Some((id, passed)) = Gate::outcome(&outputs)
        {
            self.tell(id, passed);
        }
    }
}

/// A limit with what was measured.
#[derive(Clone, Copy)]
struct Row {
    doc: &'static LimitDoc,
    measured: f64,
    bound: f64,
    violated: bool,
    /// A closing order need not keep it.
    waived: bool,
}

/// All that was measured: what is violated first, then the closest.
fn rows(verdict: &Verdict, opens: bool) -> Vec<Row> {
    let row = |doc: &'static LimitDoc| {
        let (measured, bound) = verdict.row(doc.bit);
        let violated = verdict.violated >> doc.bit & 1 == 1;
        Row { doc, measured, bound, violated, waived: !opens && CLOSING >> doc.bit & 1 == 0 }
    };
    let judged = LIMITS.iter().filter(|doc| verdict.was_judged(doc.bit));
    let mut rows: Vec<Row> = judged.map(row).collect();
    rows.sort_by(|a, b| {
        let closer = b.closeness().total_cmp(&a.closeness());
        b.violated.cmp(&a.violated).then(a.waived.cmp(&b.waived)).then(closer)
    });
    rows
}

impl Row {
    fn is_floor(&self) -> bool {
        FLOORS.iter().any(|limit| limit.0 == self.doc.bit)
    }

    /// How much of its bound is used: 1 at the bound, more beyond it.
    fn closeness(&self) -> f64 {
        let share = match (self.doc.unit, self.is_floor()) {
            ("-", _) => self.measured,
            (_, true) => self.bound / self.measured,
            (_, false) => self.measured / self.bound,
        };
        if share.is_nan() { 0.0 } else { share.max(0.0) }
    }

    fn text(&self) -> String {
        let Row { doc, measured, bound, .. } = *self;
        let mark = match (self.violated, self.waived) {
            (true, _) => "REFUSED",
            (_, true) => "waived ",
            _ => "ok     ",
        };
        let [seen, least] = [measured, bound].map(short);
        let figures = match (doc.unit, self.is_floor()) {
            // What is written of a condition is what it refuses.
            ("-", _) => String::from(if measured == 0.0 { "no" } else { "yes" }),
            (unit, true) => format!("{seen} of at least {least} {unit}"),
            (unit, false) => format!("{seen} of at most {least} {unit}"),
        };
        let used = match doc.unit {
            "-" => String::new(),
            _ if measured.is_nan() => String::new(),
            _ => format!("{:.1} %", 100.0 * self.closeness()),
        };
        format!("  {mark} {used:>10}  {}: {figures}\n      {}\n", doc.name, doc.about)
    }

    /// Whether somebody who asks why wants to read it.
    fn is_worth_a_word(&self) -> bool {
        let used = self.closeness() >= WORTH_A_WORD;
        self.violated || self.waived && self.closeness() >= 1.0 || !self.waived && used
    }

    fn json(&self) -> Value {
        // JSON has no infinity and no NaN.
        let number =
            |value: f64| if value.is_finite() { json!(value) } else { json!(format!("{value}")) };
        json!({
            "limit": self.doc.bit, "name": self.doc.name, "unit": self.doc.unit,
            "about": self.doc.about, "measured": number(self.measured),
            "bound": number(self.bound), "is_least": self.is_floor(),
            "used": number(self.closeness()), "violated": self.violated, "waived": self.waived,
        })
    }
}

/// A limit that is used by less than this is only named.
const WORTH_A_WORD: f64 = 0.01;

/// A figure as one reads it: six digits, and no more zeros than it has; in words where the market
/// gives none, which is a reason to refuse by itself.
fn short(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        return "not known,".into();
    }
    if !value.is_finite() || size == 0.0 || (size >= 1e6 && size.fract() == 0.0) {
        return format!("{value}");
    }
    let digits = (5 - size.log10().floor() as i32).clamp(0, 12) as usize;
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').into(),
        false => text,
    }
}

/// Names of limits, in lines of a page's width.
fn listed(what: &str, rows: &[&Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = format!("{what} ({}):", rows.len());
    let mut width = usize::MAX;
    for row in rows {
        let name = row.doc.name;
        if width.saturating_add(name.len() + 2) > 96 {
            text += "\n ";
            width = 1;
        }
        text += &format!(" {name}");
        width += name.len() + 1;
    }
    text + "\n"
}

/// An intent and what became of it.
struct Told {
    place: u64,
    order: Order,
    at: Event,
    strategy: String,
    legs: Vec<String>,
    passed: bool,
    rows: Vec<Row>,
}

impl Told {
    fn text(&self) -> String {
        let Order { id, quantity, limit, purpose, package, .. } = self.order;
        let broken = self.rows.iter().filter(|row| row.violated).count();
        let outcome = match (self.passed, broken) {
            (true, _) => format!("passed all {} limits", self.rows.len()),
            (false, n) => format!("was refused: it violates {n} of {} limits", self.rows.len()),
        };
        let mut text = format!(
            "intent {} of the run, number {id}, {outcome}\n  {} of {}, package {package}\n  \
             {quantity} package{} for {} a unit, {}\n  decided {} on input {}\n",
            self.place,
            purpose.name(),
            self.strategy,
            if quantity == 1 { "" } else { "s" },
            short(limit.to_f64().abs()),
            if limit.0 < 0 { "received" } else { "paid" },
            show_time(self.at.ts_recv),
            self.at.seq,
        );
        self.legs.iter().for_each(|leg| text += &format!("  {leg}\n"));
        text += "limits, the closest first\n";
        let (told, others): (Vec<&Row>, Vec<&Row>) =
            self.rows.iter().partition(|row| row.is_worth_a_word());
        told.iter().for_each(|row| text += &row.text());
        let (waived, far): (Vec<&Row>, Vec<&Row>) = others.into_iter().partition(|row| row.waived);
        text += &listed("not near their bounds", &far);
        text += &listed("not asked of an order that closes", &waived);
        text
    }

    fn json(&self) -> Value {
        let Order { id, quantity, limit, purpose, package, .. } = self.order;
        json!({
            "place": self.place, "order": id, "passed": self.passed, "strategy": self.strategy,
            "purpose": purpose.name(), "package": package, "quantity": quantity,
            "limit": limit.to_f64(), "ts_recv": self.at.ts_recv, "input": self.at.seq,
            "legs": self.legs,
            "limits": self.rows.iter().map(Row::json).collect::<Vec<Value>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_six_digits_at_most_and_no_zeros_behind_them() {
        let told = [0.0, 1.0, 0.025_000_000_000_000_022, 767.6, 652_772.572_96, 1e10, 0.000_603_87];
        let told = told.map(short);
        let wanted = ["0", "1", "0.025", "767.6", "652773", "10000000000", "0.00060387"];
        assert_eq!(told, wanted.map(String::from));
        assert_eq!(short(f64::INFINITY), "inf");
    }

    #[test]
    fn what_is_not_known_is_refused_in_words_and_has_no_share() {
        let doc = LIMITS.iter().find(|doc| doc.name == "delta_share_max").unwrap();
        let row = Row { doc, measured: f64::NAN, bound: 4.0, violated: true, waived: false };
        let text = row.text();
        let line = text.lines().next().unwrap();
        assert!(line.ends_with("delta_share_max: not known, of at most 4 of capital"), "{line}");
        assert!(line.contains("REFUSED") && !text.contains('%'), "{text}");
    }
}
