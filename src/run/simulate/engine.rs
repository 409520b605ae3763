//! A plan, a directory and memory in place of sockets in; the product's own stages, journal, gate
//! and session store, on one thread, out.

use super::{
    fuse::Fuse,
    intake::Intake,
    pipe::{Pipe, Reply},
    stages::{Cut, Exit, Look, Record, SimGate},
    weakness::Weakness,
    witness::Witness,
};
use crate::{
    book::Desk,
    chain::Track,
    feed::fix::{FixDecoder, store},
    gate::{Ends, Gate},
    greeks::Revalue,
    journal::{ConfigFile, Inputs, Journal, Manifest, Opened, Outputs, Stream},
    risk::{Cleared, Risk},
    run::{Files, Plan, stages::desk},
    stage::{Emit, Then},
    strategy::Decide,
    wire::{Event, Timestamp, control::Run},
};
use std::{
    boxed::Box,
    cell::RefCell,
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    string::{String, ToString},
    sync::{Arc, atomic::AtomicBool, mpsc::SyncSender, mpsc::sync_channel},
    vec::Vec,
};

/// One process.
pub(super) struct Engine {
    pub(super) intake: Intake,
    pub(super) desk: Desk,
    pub(super) fuse: Rc<Fuse>,
    stages: Box<dyn Emit<Desk, Event>>,
    gate: Rc<RefCell<SimGate>>,
    replies: Rc<RefCell<VecDeque<Event>>>,
    /// Connected pipes on their way to the gate.
    pub(super) pipes: SyncSender<Pipe>,
    journal: Option<Journal>,
    base: PathBuf,
}

/// What engines of a run have in common.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) plan: Rc<Plan>,
    pub(super) files: Files,
    pub(super) weakness: Option<Weakness>,
    pub(super) witness: Rc<RefCell<Witness>>,
}

impl Engine {
    /// Starts on a new directory.
    pub(super) fn start(common: &Common, base: &Path, now: Timestamp) -> Result<Engine, String> {
        let texts = common.files.list().iter();
        let texts: Vec<ConfigFile> = texts
            .map(|(name, text)| ConfigFile { name: name.clone(), text: text.clone() })
            .collect();
        let told = |e: crate::journal::Error| e.to_string();
        let manifest = Manifest::new(now, texts).map_err(told)?;
        let directory = base.join("journal");
        let opened = Journal::create(&directory, &common.plan.journal, manifest).map_err(told)?;
        let mut engine = Engine::assemble(common, base, opened, 1)?;
        let order_base = (now / 1_000_000_000) << 24;
        let run = Run { epoch: now, order_base, reserved: [0; 2] };
        engine.feed(|intake, out| intake.start(run, now, out));
        Ok(engine)
    }

    fn assemble(
        common: &Common,
        base: &Path,
        opened: Opened,
        first: u64,
    ) -> Result<Engine, String> {
        let Common { plan, weakness, witness, .. } = common;
        let next = base.with_extension("survived");
        let fuse = Rc::new(Fuse::new(base, &next));
        let state = base.join("state");
        fs::create_dir_all(&state).map_err(|e| e.to_string())?;
        let broker = &plan.broker;
        let (ours, theirs) = (&broker.sender_comp_id, &broker.target_comp_id);
        let (inbound, outbound) =
            store::open(&state.join(&broker.store), ours, theirs, broker.reset_on_logon)
                .map_err(|e| e.to_string())?;
        let replies = Rc::new(RefCell::new(VecDeque::new()));
        let (pipes, streams) = sync_channel(4);
        let gate = gate(plan, outbound, streams, &replies);
        let Opened { journal, inputs, outputs } = opened;
        let watches = [Stream::Inputs, Stream::Outputs].map(|s| journal.watch(s).clone());
        witness.borrow_mut().watches = Some(watches);
        let view = Cleared::event as fn(&Cleared) -> &Event;
        let exit = Exit {
            outputs: Outputs::new(outputs, view),
            gate: Rc::clone(&gate),
            witness: Rc::clone(witness),
            fuse: Rc::clone(&fuse),
            weakness: *weakness,
            count: 0,
        };
        let rear =
            Then(Decide::new(plan.strategies.clone()), Then(Risk::new(plan.limits.clone()), exit));
        let front = Then(Track, Then(Revalue::new(&plan.universe), rear));
        let look = Look { witness: Rc::clone(witness), weakness: *weakness, count: 0 };
        let cut = || Cut(Rc::clone(&fuse));
        let record = Record { inputs: Inputs::new(inputs, 0), weakness: *weakness };
        let stages = Then(cut(), Then(record, Then(look, Then(cut(), front))));
        let decoder = FixDecoder::new(ours, theirs, inbound);
        Ok(Engine {
            intake: Intake::new(plan, decoder, first)?,
            desk: desk(plan),
            fuse,
            stages: Box::new(stages),
            gate,
            replies,
            pipes,
            journal: Some(journal),
            base: base.into(),
        })
    }

    /// Lets the intake number events, which go through all stages at once.
    pub(super) fn feed<T>(
        &mut self,
        act: impl FnOnce(&mut Intake, &mut dyn FnMut(&Event)) -> T,
    ) -> T {
        let Engine { intake, desk, stages, .. } = self;
        act(intake, &mut |event: &Event| stages.emit(desk, event))
    }

    /// Numbers what the gate could not send.
    pub(super) fn answer(&mut self, now: Timestamp) {
        loop {
            let reply = self.replies.borrow_mut().pop_front();
            let Some(reply) = reply else { return };
            self.feed(|intake, out| intake.inject(reply, now, out));
        }
    }

    /// Whether the session with the broker is logged on.
    pub(super) fn is_on(&self) -> bool {
        self.gate.borrow().state() == crate::gate::State::On
    }

    /// What the gate did.
    pub(super) fn counts(&self) -> crate::gate::Counts {
        *self.gate.borrow().counts()
    }

    /// Ends it in an orderly way; its directory.
    pub(super) fn finish(mut self) -> Result<PathBuf, String> {
        let journal = self.journal.take();
        let directory = self.base.join("journal");
        drop(self.stages);
        match journal.map(Journal::finish) {
            Some(Err(error)) => Err(error.to_string()),
            _ => Ok(directory),
        }
    }
}

fn gate(
    plan: &Plan,
    outbound: store::Outbound,
    streams: std::sync::mpsc::Receiver<Pipe>,
    replies: &Rc<RefCell<VecDeque<Event>>>,
) -> Rc<RefCell<SimGate>> {
    let into = Rc::clone(replies);
    let ends = Ends {
        streams,
        kill: Arc::new(AtomicBool::new(false)),
        reply: Box::new(move |event| into.borrow_mut().push_back(event)) as Reply,
        on_sent: Box::new(|_: &Event| {}) as Box<dyn FnMut(&Event)>,
    };
    let source = plan.broker_source();
    let gate = Gate::new(plan.broker.clone(), String::new(), source, outbound, ends);
    Rc::new(RefCell::new(gate))
}
