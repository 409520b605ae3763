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
    feature::Features,
    feed::fix::{FixDecoder, store},
    gate::{Ends, Gate},
    greeks::Revalue,
    journal::{ConfigFile, Inputs, Journal, Manifest, Opened, Outputs, Resumed, Stream},
    risk::{Cleared, Risk},
    run::{
        Files, Plan,
        agents::Signs,
        recovery::{Past, Relive, Stand},
    },
    stage::{Emit, Then},
    strategy::Decide,
    wire::{Event, Timestamp, control::Run},
};
use std::{
    boxed::Box,
    cell::RefCell,
    collections::VecDeque,
    format, fs,
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
    pub(super) base: PathBuf,
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
        let told = |e: crate::journal::Error| e.to_string();
        let manifest = Manifest::new(now, config(&common.files)).map_err(told)?;
        let directory = base.join("journal");
        let opened = Journal::create(&directory, &common.plan.journal, manifest).map_err(told)?;
        let mut engine = Engine::assemble(common, base, opened, Past::default())?;
        engine.begin(now);
        Ok(engine)
    }

    /// Takes up the run whose journal and session store are in a directory.
    pub(super) fn resume(common: &Common, base: &Path, now: Timestamp) -> Result<Engine, String> {
        let told = |e: crate::journal::Error| e.to_string();
        let directory = base.join("journal");
        let manifest = Manifest::new(now, config(&common.files)).map_err(told)?;
        let resumed = Journal::resume(&directory, &common.plan.journal, manifest).map_err(told)?;
        let Resumed { opened, inputs, outputs, same_boot, .. } = resumed;
        let mut past = Past::open(&directory, [inputs, outputs], !same_boot).map_err(told)?;
        let relive = past.relive.take();
        let mut engine = Engine::assemble(common, base, opened, past)?;
        common.witness.borrow_mut().relive(true);
        if let Some(relive) = relive {
            engine.relive(relive, now)?;
        }
        common.witness.borrow_mut().relive(false);
        engine.begin(now);
        Ok(engine)
    }

    /// The recorded inputs come again, through the very stages that go on then.
    fn relive(&mut self, mut relive: Relive, now: Timestamp) -> Result<(), String> {
        let signs = Signs::default();
        loop {
            let Engine { intake, desk, stages, .. } = self;
            let stand = relive.turn(now, &signs, |event| {
                intake.restore(event);
                stages.emit(desk, event);
            });
            match stand {
                Stand::Given(_) => {}
                Stand::Done(_) => return Ok(()),
                Stand::Waiting => return Err("the last recorded input never came through".into()),
                Stand::Failed => {
                    let why = signs.failed.get().map(|failure| failure.message.clone());
                    return Err(why.unwrap_or_default());
                }
            }
        }
    }

    fn begin(&mut self, now: Timestamp) {
        let order_base = (now / 1_000_000_000) << 24;
        let run = Run { epoch: now, order_base, reserved: [0; 2] };
        self.feed(|intake, out| intake.start(run, now, out));
    }

    fn assemble(
        common: &Common,
        base: &Path,
        opened: Opened,
        past: Past,
    ) -> Result<Engine, String> {
        let Common { plan, weakness, witness, .. } = common;
        let fuse = Rc::new(Fuse::new(base, &survivor(base)));
        let state = base.join("state");
        fs::create_dir_all(&state).map_err(|e| e.to_string())?;
        let broker = &plan.broker;
        let (ours, theirs) = (&broker.sender_comp_id, &broker.target_comp_id);
        let (inbound, outbound) =
            store::open(&state.join(&broker.store), ours, theirs, broker.reset_on_logon)
                .map_err(|e| e.to_string())?;
        let replies = Rc::new(RefCell::new(VecDeque::new()));
        let (pipes, streams) = sync_channel(4);
        let gate = gate((plan, past.first), outbound, streams, &replies);
        let Opened { journal, inputs, outputs } = opened;
        let watches = [Stream::Inputs, Stream::Outputs].map(|s| journal.watch(s).clone());
        witness.borrow_mut().watches = Some(watches);
        let view = Cleared::event as fn(&Cleared) -> &Event;
        let exit = Exit {
            outputs: Outputs::new(outputs, view).after(past.recorded),
            gate: Rc::clone(&gate),
            witness: Rc::clone(witness),
            fuse: Rc::clone(&fuse),
            weakness: *weakness,
            count: 0,
        };
        let decide = Decide::new(plan.strategies.clone());
        let rear =
            Then(decide, Then(Risk::new(plan.limits.clone(), plan.strategies.roster()), exit));
        let rear = Then(Features::new(&plan.features, &plan.universe), rear);
        let front = Then(Track, Then(Revalue::new(&plan.universe), rear));
        let look = Look { witness: Rc::clone(witness), weakness: *weakness, count: 0 };
        let cut = || Cut(Rc::clone(&fuse));
        let record = Record { inputs: Inputs::new(inputs, past.first), weakness: *weakness };
        let stages = Then(cut(), Then(record, Then(look, Then(cut(), front))));
        let decoder = FixDecoder::new(ours, theirs, inbound);
        Ok(Engine {
            intake: Intake::new(plan, decoder)?,
            desk: plan.desk(),
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

/// Where the next process finds what this one leaves.
pub(super) fn survivor(base: &Path) -> PathBuf {
    let number = base.file_name().and_then(|name| name.to_str()).and_then(|n| n.parse().ok());
    base.with_file_name(format!("{}", number.unwrap_or(0u64) + 1))
}

fn config(files: &Files) -> Vec<ConfigFile> {
    let file =
        |(name, text): &(String, String)| ConfigFile { name: name.clone(), text: text.clone() };
    files.list().iter().map(file).collect()
}

fn gate(
    (plan, first): (&Plan, u64),
    outbound: store::Outbound,
    streams: std::sync::mpsc::Receiver<Pipe>,
    replies: &Rc<RefCell<VecDeque<Event>>>,
) -> Rc<RefCell<SimGate>> {
    let into = Rc::clone(replies);
    let ends = Ends {
        streams,
        kill: Arc::new(AtomicBool::new(false)),
        // A step of time is over before the gate's next one.
        clock: Box::new(|| 0),
        reply: Box::new(move |event| into.borrow_mut().push_back(event)) as Reply,
        on_sent: Box::new(|_: &Event| {}) as Box<dyn FnMut(&Event)>,
    };
    let source = plan.broker_source();
    let gate = Gate::new(plan.broker.clone(), String::new(), source, outbound, ends);
    Rc::new(RefCell::new(gate.starting_at(first)))
}
