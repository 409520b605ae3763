//! Histograms and counters of a run in; a table, JSON, one page of HTML and an interval log out.
//!
//! Percentiles, maximum and count per stage, never a mean alone, and beside them what the host
//! itself takes away: a figure below that floor says nothing about the engine.

mod html;
mod interval;
mod json;
mod profit;
mod text;

pub use html::html;
pub use interval::{Interval, IntervalLog, intervals, merge};
pub use json::json;
pub use profit::{Profit, profits};
pub use text::{duration, table};

use crate::{
    journal::{Manifest, Status},
    rt::{
        counters::{Counters, Reading},
        histogram::{Histograms, Snapshot},
    },
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use std::{io, path::Path};

/// Name of the histograms' file in a run's directory.
pub const HISTOGRAMS: &str = "histograms";
/// Name of the counters' file in a run's directory.
pub const COUNTERS: &str = "counters";
/// Name of the interval log in a run's directory.
pub const INTERVAL_LOG: &str = "latency.hlog";

/// The group of histograms that measure the host and not the engine.
pub const HOST: &str = "host";
/// A stage's histogram of the time from the socket read to the end of its work.
pub const SINCE_RECEIVE: &str = "since_receive";
/// A stage's histogram of what it took itself.
pub const OWN: &str = "own";

/// The percentiles of every table, as titles and quantiles.
pub const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)];

/// Everything that is shown.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What ran, as names and values.
    pub facts: Vec<(String, String)>,
    /// From the socket read to the end of each stage's work, in the order of the pipeline.
    pub since_receive: Vec<Snapshot>,
    /// What each stage took itself.
    pub own: Vec<Snapshot>,
    /// Other durations, such as tick to trade.
    pub other: Vec<Snapshot>,
    /// What the host takes from a spinning core.
    pub noise: Vec<Snapshot>,
    /// All counters.
    pub counters: Vec<Reading>,
    /// Profit by cause, a row a strategy.
    pub profits: Vec<Profit>,
}

/// The stage whose own time is longest where it hurts.
#[derive(Clone, Debug, PartialEq)]
pub struct TailOwner {
    /// The stage.
    pub stage: String,
    /// Its own time at p99.9, ns.
    pub own_ns: u64,
    /// Its share of the sum over all stages, 0 to 1.
    pub share: f64,
}

impl Report {
    /// Sorts histograms by what they measure. Those that counted nothing are left out.
    pub fn new(
        facts: Vec<(String, String)>,
        histograms: Vec<Snapshot>,
        counters: Vec<Reading>,
    ) -> Report {
        let mut report = Report { facts, counters, ..Report::default() };
        for snapshot in histograms.into_iter().filter(|snapshot| !snapshot.counts.is_empty()) {
            let group = match (snapshot.label.group.as_str(), snapshot.label.name.as_str()) {
                (HOST, _) => &mut report.noise,
                (_, SINCE_RECEIVE) => &mut report.since_receive,
                (_, OWN) => &mut report.own,
                _ => &mut report.other,
            };
            group.push(snapshot);
        }
        report
    }

    /// Reads what a run left, or what a running one shows now.
    pub fn read(directory: &Path) -> io::Result<Report> {
        let named = |name: &str, e: io::Error| {
            let path = directory.join(name);
            io::Error::new(e.kind(), format!("{}: {e}; is this a run's directory?", path.display()))
        };
        let histograms = Histograms::open(&directory.join(HISTOGRAMS));
        let histograms = histograms.map_err(|e| named(HISTOGRAMS, e))?.read();
        let counters = Counters::open(&directory.join(COUNTERS));
        let counters = counters.map_err(|e| named(COUNTERS, e))?.read();
        let facts = Manifest::read(directory).map_or_else(|_| Vec::new(), |m| facts(&m));
        let profits = profits(directory);
        Ok(Report { profits, ..Report::new(facts, histograms, counters) })
    }

    /// Who owns the tail, where anything was measured.
    pub fn tail_owner(&self) -> Option<TailOwner> {
        let tail = |snapshot: &Snapshot| snapshot.counts.value_at_quantile(0.999);
        let sum: u64 = self.own.iter().map(tail).sum();
        let owner = self.own.iter().max_by_key(|snapshot| tail(snapshot))?;
        let (stage, own_ns) = (owner.label.group.clone(), tail(owner));
        Some(TailOwner { stage, own_ns, share: own_ns as f64 / sum.max(1) as f64 })
    }

    /// All durations of the engine with the titles of their families.
    pub fn families(&self) -> [(&'static str, &[Snapshot]); 4] {
        [
            ("from the socket read to the end of the stage", &self.since_receive),
            ("the stage's own time", &self.own),
            ("other durations", &self.other),
            ("noise floor: what the host takes from a spinning core", &self.noise),
        ]
    }
}

/// The name under which a duration is shown: the stage, or group and name.
pub fn title(snapshot: &Snapshot) -> String {
    let label = &snapshot.label;
    match label.name.as_str() {
        SINCE_RECEIVE | OWN => label.group.clone(),
        name => format!("{} {}", label.group, name.replace('_', " ")),
    }
}

/// What a manifest says of a run, for the head of a report.
fn facts(manifest: &Manifest) -> Vec<(String, String)> {
    let status = match manifest.status {
        Status::Running => "running, or killed",
        Status::Recovering => "starting again after a crash, or killed at that",
        Status::Ended => "ended",
        Status::Failed => "ended by a fault",
    };
    let wall = i64::try_from(manifest.wall).unwrap_or(0);
    let began = jiff::Timestamp::from_nanosecond(i128::from(wall))
        .map_or_else(|_| manifest.wall.to_string(), |t| t.strftime("%F %T UTC").to_string());
    let hash = |bytes: &[u8; 32]| bytes[..6].iter().map(|b| format!("{b:02x}")).collect::<String>();
    let program = format!("zomma {}, {}", manifest.version, hash(&manifest.program));
    let facts = [
        ("began", began),
        ("status", status.to_string()),
        ("program", program),
        ("processor target", manifest.cpu.clone()),
        ("configuration", hash(&manifest.config_hash)),
        ("session", format!("{:032x}", manifest.epoch)),
        ("inputs", manifest.inputs.to_string()),
        ("outputs", manifest.outputs.to_string()),
    ];
    facts.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}
