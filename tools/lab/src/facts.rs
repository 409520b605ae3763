//! A run and an export in; what every file says of them in its footer out.

use crate::options::{Every, Options};
use parquet::file::metadata::KeyValue;
use zomma::{
    chain::Clock,
    feed::settings::source,
    journal::{Manifest, Session, Stream},
    run::Plan,
};

/// The facts, as keys and values.
pub(crate) fn of(manifest: &Manifest, plan: &Plan, options: &Options) -> Vec<KeyValue> {
    let clock = if plan.universe.clock == Clock::Exchange { "exchange" } else { "receive" };
    let facts = [
        ("program", format!("zomma {}", manifest.version)),
        ("program_hash", hex(&manifest.program)),
        ("config_hash", hex(&manifest.config_hash)),
        ("schema_hash", hex(&manifest.schema)),
        ("features_hash", format!("{:016x}", plan.features.hash())),
        ("cpu", manifest.cpu.clone()),
        ("session", format!("{:032x}", manifest.epoch)),
        ("began", manifest.wall.to_string()),
        ("sessions", sessions(manifest)),
        ("clock", clock.to_string()),
        ("sources", sources(plan)),
        ("from", options.from.clone().unwrap_or_default()),
        ("to", options.to.clone().unwrap_or_default()),
        ("every", every(options.every)),
        ("exporter", concat!("zomma-lab ", env!("CARGO_PKG_VERSION")).to_string()),
    ];
    facts.map(|(key, value)| KeyValue::new(format!("zomma.{key}"), value)).into()
}

/// Which session a number in a `source` column is: `1=options,2=underlying`.
fn sources(plan: &Plan) -> String {
    let named = plan.sessions.iter().enumerate();
    let named: Vec<String> =
        named.map(|(place, session)| format!("{}={}", source(place), session.name)).collect();
    named.join(",")
}

/// Starts of the engine on the journal, each as its first input number and its epoch:
/// `1=…,5120=…`.
fn sessions(manifest: &Manifest) -> String {
    let first = |session: &Session| session.first(Stream::Inputs);
    let sessions = manifest.sessions.iter();
    let named: Vec<String> =
        sessions.map(|session| format!("{}={:032x}", first(session), session.epoch)).collect();
    named.join(",")
}

fn every(every: Every) -> String {
    match every {
        Every::Batch => "batch".into(),
        Every::Span(nanos) => format!("{nanos} ns"),
    }
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
