//! The `[run]` section: how the same stages are put on threads and cores.

use crate::{
    chain::Clock,
    config::{Span, Value},
    rt::idle::Idle,
    section,
};
use std::{format, string::String, vec::Vec};

section! {
    /// How a run is put together.
    pub struct Run {
        /// Instruments, calendars and rates: a file beside this one.
        pub universe: String = "universe.toml".into(), "-";
        /// Limits of the risk gate: a file beside this one.
        pub limits: String = "limits.toml".into(), "-";
        /// Fees by venue and day: a file beside this one; empty for the account's flat fee alone.
        pub fees: String = String::new(), "-";
        /// Strategies: files beside this one, one instance each.
        pub strategies: Vec<String> = Vec::new(), "-";
        /// "paper" or "live": a live run wants `--live HASH` and its limits approved.
        pub trading: Trading = Trading::Paper, "-";
        /// TargetCompIDs of brokers that trade nothing real; a run for paper speaks to no other.
        pub paper_targets: Vec<String> = Vec::from([String::from("MARKET")]), "-";
        /// Who starts a live run.
        pub operator: String = String::new(), "-";
        /// A file beside this one with an `[[approval]]` (`limit`, `value`, `by`) of a second
        /// person for each limit that is looser than shipped; empty for none.
        pub approvals: String = String::new(), "-";
        /// Whose time decisions go by: "receive" (live), "exchange" (recorded or compressed data).
        pub clock: Clock = Clock::Receive, "-";
        /// Grouping of the stages: "inline" (one hot thread), "shared" (two), "dedicated" (four).
        pub threads: Threads = Threads::Inline, "-";
        /// Cores of the hot threads in the order of a tick's life; empty leaves them to the kernel.
        pub cores: Vec<u32> = Vec::new(), "-";
        /// Core of everything else (keeper, progress); equal to no hot core where there are enough.
        pub cold_core: i64 = -1, in -1..=4095, "core, -1 for none";
        /// What a hot thread does while it has nothing to do.
        pub idle: Idle = Idle::Pause, "-";
        /// Whether to ask for real-time scheduling; what was got is reported.
        pub fifo: bool = true, "-";
        /// Whether to lock memory; what was got is reported.
        pub lock_memory: bool = true, "-";
        /// Slots of each ring between threads, a power of two.
        pub ring: usize = 16_384, in 64..=1_048_576, "events";
        /// Directory of what outlives a run: the broker session's sequence numbers.
        pub state: String = "runs/state".into(), "path";
        /// Real-time priority of the hot threads where `fifo` is granted.
        pub priority: i32 = 20, in 1..=98, "-";
        /// A round of a thread longer than this counts as a stall.
        pub stall: Span = Span(1_000_000), in Span(1_000)..=Span(1_000_000_000), "time";
        /// A hot thread that ends no round for this long, and for four beats of the feed, is taken
        /// for dead: trading ends.
        pub hang_max: Span = Span(5_000_000_000),
            in Span(100_000_000)..=Span(600_000_000_000), "time";
        /// From this age of the oldest record that is not durable on, the operator is told.
        pub lag_max: Span = Span(1_000_000_000),
            in Span(10_000_000)..=Span(600_000_000_000), "time";
        /// From this age of it on nothing is opened, until it has been less for as long.
        pub lag_reduce: Span = Span(5_000_000_000),
            in Span(10_000_000)..=Span(600_000_000_000), "time";
        /// How long the host's own gaps are watched before the start.
        pub noise: Span = Span(1_000_000_000), in Span(0)..=Span(60_000_000_000), "time";
        /// Longest wait for packages to be closed at the stop. What works then is canceled, and the
        /// broker's answers are waited for as long again, a second at least.
        pub drain: Span = Span(10_000_000_000), in Span(0)..=Span(60_000_000_000), "time";
        /// Whether the run ends when every market session has ended.
        pub end_with_market: bool = true, "-";
    }
}

/// Whether orders are for real.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trading {
    /// They go to a broker that trades nothing real.
    Paper,
    /// They trade.
    Live,
}

impl Value for Trading {
    const WANTED: &'static str = "\"paper\" or \"live\"";
    fn read(value: &toml::Value) -> Option<Trading> {
        match value.as_str()? {
            "paper" => Some(Trading::Paper),
            "live" => Some(Trading::Live),
            _ => None,
        }
    }
    fn show(&self) -> String {
        let name = if *self == Trading::Paper { "paper" } else { "live" };
        format!("{name:?}")
    }
}

/// Grouping of the stages on threads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Threads {
    /// All stages on one thread.
    Inline,
    /// feed..greeks | strategy..gate.
    Shared,
    /// feed | chain, greeks | strategy, risk | gate.
    Dedicated,
}

impl Value for Threads {
    const WANTED: &'static str = "\"inline\", \"shared\" or \"dedicated\"";
    fn read(value: &toml::Value) -> Option<Threads> {
        let text = value.as_str()?;
        [Threads::Inline, Threads::Shared, Threads::Dedicated]
            .into_iter()
            .find(|t| t.name() == text)
    }
    fn show(&self) -> String {
        format!("{:?}", self.name())
    }
}

impl Threads {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Threads::Inline => "inline",
            Threads::Shared => "shared",
            Threads::Dedicated => "dedicated",
        }
    }

    /// How many hot threads it has.
    pub fn count(self) -> usize {
        match self {
            Threads::Inline => 1,
            Threads::Shared => 2,
            Threads::Dedicated => 4,
        }
    }
}
