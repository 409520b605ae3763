//! The simulation's own stages between the product's: where the process may die, where the witness
//! looks, and where a weakness does its harm.

use super::{
    fuse::Fuse,
    pipe::{Pipe, Reply},
    weakness::Weakness,
    witness::Witness,
};
use crate::{
    book::Desk,
    gate::Gate,
    journal::{Inputs, Outputs},
    risk::Cleared,
    stage::{Emit, Stage},
    wire::{
        Event, Kind, Price,
        audit::Position,
        control::{Command, Session, SessionState, Verb},
        market::Quote,
        order::{OrderStatus, Report, ReportKind},
    },
};
use std::{boxed::Box, cell::RefCell, rc::Rc};

/// The gate with memory in place of a socket.
pub(super) type SimGate = Gate<Reply, Box<dyn FnMut(&Event)>, Pipe>;

/// A point at which the process may die.
pub(super) struct Cut(pub(super) Rc<Fuse>);

impl Stage<Desk> for Cut {
    type In = Event;
    type Out = Event;

    fn on(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Event>) {
        if !self.0.passes() {
            out.emit(desk, event);
        }
    }
}

/// The input journal.
pub(super) struct Record {
    pub(super) inputs: Inputs,
    pub(super) weakness: Option<Weakness>,
}

impl Stage<Desk> for Record {
    type In = Event;
    type Out = Event;

    fn on(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Event>) {
        if self.weakness == Some(Weakness::DropInput) && event.seq.is_multiple_of(50) {
            return out.emit(desk, event);
        }
        self.inputs.on(desk, event, out);
    }
}

/// The witness, and what is done to events between the journal and the stages.
pub(super) struct Look {
    pub(super) witness: Rc<RefCell<Witness>>,
    pub(super) weakness: Option<Weakness>,
    pub(super) count: u64,
}

impl Stage<Desk> for Look {
    type In = Event;
    type Out = Event;

    fn on(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Event>) {
        self.witness.borrow_mut().on_input(event);
        match self.weakness {
            Some(weakness) => self.harm(weakness, desk, event, out),
            None => out.emit(desk, event),
        }
    }
}

impl Look {
    fn harm(
        &mut self,
        weakness: Weakness,
        desk: &mut Desk,
        event: &Event,
        out: &mut impl Emit<Desk, Event>,
    ) {
        let fill = is_report(event, ReportKind::FILL);
        self.count += u64::from(fill);
        let third = fill && self.count.is_multiple_of(3);
        let verb = (event.kind == Kind::COMMAND).then(|| event.body::<Command>().verb);
        let session = (event.kind == Kind::SESSION).then(|| event.body::<Session>().state);
        let down = matches!(session, Some(SessionState::DOWN | SessionState::STALE));
        let market = event.source == 1;
        let lost = match weakness {
            Weakness::LoseFill => third,
            Weakness::IgnoreGaps => market && (event.kind == Kind::GAP || down),
            Weakness::IgnoreKill => verb == Some(Verb::KILL),
            Weakness::IgnoreStop => verb == Some(Verb::STOP),
            Weakness::IgnoreLeave => verb == Some(Verb::LEAVE),
            Weakness::IgnorePauses => event.kind == Kind::STATUS,
            _ => false,
        };
        if lost {
            return;
        }
        if weakness == Weakness::BelieveResends && is_report(event, ReportKind::DOUBT) {
            let (event_kind, status) = (ReportKind::REJECTED, OrderStatus::REJECTED);
            let report = Report { event: event_kind, status, ..*event.body() };
            return out.emit(desk, &Event { payload: bytemuck::cast(report), ..*event });
        }
        if weakness == Weakness::BelievePositions && event.kind == Kind::POSITION {
            let believed = believed(desk, event);
            return out.emit(desk, &believed);
        }
        out.emit(desk, event);
        if weakness == Weakness::DoubleFill && third {
            let mut report: Report = *event.body();
            report.exec_id = !report.exec_id;
            out.emit(desk, &Event { payload: bytemuck::cast(report), ..*event });
        }
        if weakness == Weakness::ChangeInput
            && event.kind == Kind::QUOTE
            && event.seq.is_multiple_of(20)
        {
            let quote = Quote { bid: Price::UNDEF, ..*event.body() };
            out.emit(desk, &Event { payload: bytemuck::cast(quote), ..*event });
        }
    }
}

/// The broker's word as if it were ours.
fn believed(desk: &Desk, event: &Event) -> Event {
    let Position { root, date, strike, class, .. } = *event.body::<Position>();
    let ours = desk.chain.option(root, date, strike, class);
    let held = ours.map_or(0, |instrument| desk.book.position(instrument).line.held);
    let position = Position { contracts: held as i32, ..*event.body() };
    Event { payload: bytemuck::cast(position), ..*event }
}

fn is_report(event: &Event, kind: ReportKind) -> bool {
    event.kind == Kind::REPORT && event.body::<Report>().event == kind
}

/// The output journal and the gate.
pub(super) struct Exit {
    pub(super) outputs: Outputs<Cleared, fn(&Cleared) -> &Event>,
    pub(super) gate: Rc<RefCell<SimGate>>,
    pub(super) witness: Rc<RefCell<Witness>>,
    pub(super) fuse: Rc<Fuse>,
    pub(super) weakness: Option<Weakness>,
    pub(super) count: u64,
}

/// The gate, unless the process is dead.
struct Last<'a>(&'a RefCell<SimGate>, &'a Fuse);

impl Emit<Desk, Cleared> for Last<'_> {
    fn emit(&mut self, desk: &mut Desk, cleared: &Cleared) {
        if !self.1.passes() {
            self.0.borrow_mut().emit(desk, cleared);
        }
    }
}

impl Emit<Desk, Cleared> for Exit {
    fn emit(&mut self, desk: &mut Desk, cleared: &Cleared) {
        if self.fuse.passes() {
            return;
        }
        let mut last = Last(&self.gate, &self.fuse);
        if !cleared.event().kind.is_output() {
            return self.outputs.on(desk, cleared, &mut last);
        }
        self.witness.borrow_mut().on_output(cleared.event());
        self.count += 1;
        match self.weakness {
            Some(Weakness::DropOutput) if self.count.is_multiple_of(10) => last.emit(desk, cleared),
            Some(Weakness::SendFirst) => {
                last.emit(desk, cleared);
                self.outputs.on(desk, cleared, &mut crate::stage::Sink);
            }
            _ => self.outputs.on(desk, cleared, &mut last),
        }
    }
}
