//! Chain and book in; intents, cancels and decisions out.
//!
//! [`Decide`] tells the book of every event and, where a batch ends or a timer fires, gives each
//! strategy its [`Turn`]. A strategy sees no clock: it decides by the chain's time and by what the
//! events carry. It emits before the event that ended the batch is passed on, and because RISK
//! shares its thread it knows at once whether an order was approved.
//!
//! A strategy is a [`Recipe`], which chooses legs, in a [`Trader`], which does all the rest. The
//! kinds are in [`kinds`], one file each; what conditions may measure is in [`MEASURES`].

mod codes;
mod condition;
mod course;
mod entry;
mod exit;
mod hedge;
pub mod kinds;
mod measure;
mod pick;
mod price;
mod probe;
mod recipe;
mod rule;
mod size;
mod structure;
mod trader;
mod turn;
mod window;

pub use codes::{CODES, Code, CodeDoc, Reason};
pub use condition::Condition;
pub use entry::Entry;
pub use exit::Exit;
pub use hedge::Hedge;
pub use kinds::{KINDS, KindDoc};
pub use measure::{Held, MEASURES, MeasureDoc, Sight};
pub use pick::Pick;
pub use probe::{Place, Probe, ProbeSettings};
pub use recipe::{Declared, Recipe};
pub use rule::{Direction, ExpiryRule, Premium, Right, StrikeRule};
pub use structure::{Structure, StructureLeg};
pub use trader::Trader;
pub use turn::{Ticket, TicketLeg, Turn};
pub use window::Window;

use crate::{
    book::{Desk, Horizon, Roster},
    chain::name_of,
    config::Reader,
    feature::Schema,
    router::{Router, Rules},
    stage::{Emit, Stage},
    wire::{Event, Kind},
};
use alloc::vec::Vec;

/// Something that decides.
pub trait Strategy {
    /// Its name in reports.
    fn name(&self) -> &str;
    /// How long it means to hold what it opens.
    fn horizon(&self) -> Horizon;
    /// The root that it trades; `None` where it may trade any.
    fn root(&self) -> Option<&str>;
    /// A batch has ended or a timer has fired.
    fn on_batch<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>);
}

macro_rules! instances {
    ($($kind:ident)*) => {
        /// A configured strategy: one that trades, or a probe.
        #[derive(Clone, Debug)]
        pub enum Instance { $(#[doc = stringify!($kind)] $kind($kind),)* }

        impl Strategy for Instance {
            fn name(&self) -> &str {
                match self { $(Instance::$kind(strategy) => strategy.name(),)* }
            }
            fn horizon(&self) -> Horizon {
                match self { $(Instance::$kind(strategy) => strategy.horizon(),)* }
            }
            fn root(&self) -> Option<&str> {
                match self { $(Instance::$kind(strategy) => strategy.root(),)* }
            }
            #[inline]
            fn on_batch<E: Emit<Desk, Event>>(&mut self, turn: &mut Turn<'_, E>) {
                match self { $(Instance::$kind(strategy) => strategy.on_batch(turn),)* }
            }
        }
    };
}

instances! { Trader Probe }

/// All strategies of a run. An instance's number is its place, from 0.
#[derive(Clone, Debug, Default)]
pub struct Set {
    instances: Vec<Instance>,
    rules: Rules,
}

impl Set {
    /// Adds one.
    pub fn add(&mut self, instance: Instance) {
        self.instances.push(instance);
    }

    /// Adds every section of a file that one of [`KINDS`] names, then every `[[probe]]`, and takes
    /// the router's rules. Columns of features that conditions name are looked up in `schema`.
    pub fn read(&mut self, reader: &mut Reader, schema: &Schema) {
        self.rules.read(reader, schema);
        KINDS.iter().for_each(|kind| (kind.read)(reader, schema, self));
        for settings in reader.list::<ProbeSettings>("probe") {
            self.add(Instance::Probe(Probe::new(settings)));
        }
    }

    /// Names, by number.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.instances.iter().map(Strategy::name)
    }

    /// Names and horizons, by number.
    pub fn roster(&self) -> Roster {
        Roster::new(self.instances.iter().map(|one| (one.name(), one.horizon())))
    }

    /// The roots that they trade, by name; empty where one of them may trade any, or there is none.
    pub fn roots(&self) -> Vec<[u8; 8]> {
        let roots = self.instances.iter().map(|instance| instance.root().map(name_of));
        roots.collect::<Option<Vec<_>>>().unwrap_or_default()
    }
}

/// The stage: events in, the same events and what was decided out.
#[derive(Clone, Debug)]
pub struct Decide {
    set: Set,
    router: Router,
    quoted: Option<u32>,
}

impl Decide {
    /// With these strategies.
    pub fn new(set: Set) -> Decide {
        let router = Router::new(set.rules.clone(), set.roster());
        Decide { set, router, quoted: None }
    }

    fn give_turns(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Event>) {
        desk.settle(event, out);
        desk.explain(event, out);
        desk.mark();
        let quoted = self.quoted.take();
        for (number, strategy) in self.set.instances.iter_mut().enumerate() {
            let strategy_number = number as u16;
            let mut turn = Turn {
                desk: &mut *desk,
                event,
                quoted,
                strategy: strategy_number,
                router: &mut self.router,
                out: &mut *out,
            };
            strategy.on_batch(&mut turn);
        }
    }
}

impl Stage<Desk> for Decide {
    type In = Event;
    type Out = Event;

    #[inline]
    fn on(&mut self, desk: &mut Desk, event: &Event, out: &mut impl Emit<Desk, Event>) {
        desk.book.apply(event);
        desk.hear(event);
        if event.kind == Kind::QUOTE {
            self.quoted = Some(event.instrument);
        }
        if event.ends_batch() || event.kind == Kind::TIMER {
            self.give_turns(desk, event, out);
        }
        out.emit(desk, event);
    }
}
