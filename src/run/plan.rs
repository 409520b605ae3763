//! The texts of a configuration in; everything that a run is made of, checked, out.

use super::{Files, files::MAIN, guard::Approval, settings::Run};
use crate::{
    book::{Account, Book, Desk, Tariffs},
    chain::{Chain, Universe},
    config::{Error, Reader, Section},
    feature::{self, Gauge, Row, Schema},
    feed, gate, journal, risk, router, strategy,
};
use std::{string::String, vec::Vec};

/// A checked configuration.
#[derive(Debug)]
pub struct Plan {
    /// `[run]`.
    pub run: Run,
    /// `[feed]`.
    pub feed: feed::settings::Settings,
    /// `[[session]]`.
    pub sessions: Vec<feed::settings::Session>,
    /// `[broker]`.
    pub broker: gate::Broker,
    /// `[journal]`.
    pub journal: journal::Settings,
    /// `[features]`.
    pub features: Schema,
    /// The universe's file.
    pub universe: Universe,
    /// `[account]` of the limits' file.
    pub account: Account,
    /// `[[fee]]` of the fees' file.
    pub fees: Tariffs,
    /// `[limits]` of the limits' file.
    pub limits: risk::Limits,
    /// `[[approval]]` of the approvals' file.
    pub approvals: Vec<Approval>,
    /// The strategies' files, one instance each, in the order of `[run]`.
    pub strategies: strategy::Set,
}

impl Plan {
    /// Reads and checks the main file, then, where that is right, all that it includes; all
    /// mistakes of a step at once.
    pub fn new(files: &Files) -> Result<Plan, Vec<Error>> {
        let mut errors = Vec::new();
        let main = Reader::new(MAIN_NAME, files.text(MAIN).map_err(|e| Vec::from([e]))?);
        let main = keep(main.and_then(main_file), &mut errors);
        let Some((run, (feed, sessions), broker, journal, features)) = main else {
            return Err(errors);
        };
        let universe = other(files, &run.universe, Universe::from_config, &mut errors);
        let limits = other(files, &run.limits, risk::from_config, &mut errors);
        let fees = fees(files, &run.fees, &mut errors);
        let approvals = approvals(files, &run.approvals, &mut errors);
        if let Some(universe) = &universe {
            errors.extend(check_features(&features, universe));
        }
        let features = Schema::new(&features);
        if let (Some(universe), Some((_, limits))) = (&universe, &limits) {
            errors.extend(check_regime(&run.limits, limits, universe, &features));
        }
        let strategies = strategies(files, &run.strategies, &features, &mut errors);
        match (universe, limits, errors.is_empty()) {
            (Some(universe), Some((account, limits)), true) => Ok(Plan {
                universe: Universe { clock: run.clock, interest: strategies.roots(), ..universe },
                run,
                feed,
                sessions,
                broker,
                journal,
                features,
                account,
                fees,
                limits,
                approvals,
                strategies,
            }),
            _ => Err(errors),
        }
    }

    /// An empty book of this account, with its fees.
    pub fn book(&self) -> Book {
        let (name, scale) = (&self.limits.regime_input, self.limits.regime_scale);
        let gauge = Gauge::find(name, &self.universe, &self.features).ok();
        let book = Book::new(&self.account, self.broker_source()).with_fees(&self.fees);
        book.with_regime(gauge.map(|gauge| (gauge, scale)))
    }

    /// A replica of what the stages of a thread know, empty.
    pub fn desk(&self) -> Desk {
        let chain = Chain::new(&self.universe);
        Desk { chain, book: self.book(), features: Row::new(&self.features) }
    }

    /// The number of the broker's session in events; none is configured where it is 0.
    pub fn broker_source(&self) -> u16 {
        feed::settings::broker_source(&self.sessions).unwrap_or_default()
    }
}

/// How messages call the main file: its text has the `--set`s in it.
const MAIN_NAME: &str = "configuration";

type Main = (
    Run,
    (feed::settings::Settings, Vec<feed::settings::Session>),
    gate::Broker,
    journal::Settings,
    feature::Settings,
);

fn main_file(mut reader: Reader) -> Result<Main, Vec<Error>> {
    let run = reader.section::<Run>("run");
    if let Some(run) = &run {
        check_cores(run, &mut reader);
    }
    let feed = feed::settings::from_config(&mut reader);
    let broker = reader.section::<gate::Broker>("broker");
    broker.iter().for_each(|broker| broker.check(&mut reader));
    let journal = reader.section::<journal::Settings>("journal");
    let features = reader.section::<feature::Settings>("features");
    reader.finish()?;
    match (run, feed, broker, journal, features) {
        (Some(run), Some(feed), Some(broker), Some(journal), Some(features)) => {
            Ok((run, feed, broker, journal, features))
        }
        _ => Err(Vec::new()),
    }
}

fn check_features(settings: &feature::Settings, universe: &Universe) -> Vec<Error> {
    let mistakes = settings.mistakes(universe).into_iter();
    let error = |(key, what)| Error::new(MAIN_NAME, std::format!("[features] {key}"), what);
    mistakes.map(error).collect()
}

/// What the regime is to be read from there is, where anything hangs on it.
fn check_regime(
    file: &str,
    limits: &risk::Limits,
    universe: &Universe,
    features: &Schema,
) -> Option<Error> {
    let wanted = limits.regime_calm > 0.0 || limits.zero_day_vol_max > 0.0;
    let name = &limits.regime_input;
    if name.is_empty() && !wanted {
        return None;
    }
    let found = Gauge::find(name, universe, features);
    found.err().map(|what| Error::new(file, "[limits] regime_input", what))
}

fn check_cores(run: &Run, reader: &mut Reader) {
    let (given, wanted) = (run.cores.len(), run.threads.count());
    if given != 0 && given != wanted {
        let what = std::format!("has {given}; {} needs {wanted}, or none", run.threads.name());
        reader.refuse("[run] cores", what);
    }
    if !run.ring.is_power_of_two() {
        reader.refuse("[run] ring", std::format!("is {}; write a power of two", run.ring));
    }
}

fn keep<T>(read: Result<T, Vec<Error>>, errors: &mut Vec<Error>) -> Option<T> {
    read.map_err(|found| errors.extend(found)).ok()
}

fn other<T>(
    files: &Files,
    name: &str,
    take: impl FnOnce(&mut Reader) -> Option<T>,
    errors: &mut Vec<Error>,
) -> Option<T> {
    let text = files.text(name).map_err(|e| errors.push(e)).ok()?;
    let mut reader = keep(Reader::new(name, text), errors)?;
    let taken = take(&mut reader);
    keep(reader.finish(), errors).and(taken)
}

fn fees(files: &Files, name: &str, errors: &mut Vec<Error>) -> Tariffs {
    let mut fees = Tariffs::default();
    if !name.is_empty() {
        other(
            files,
            name,
            |reader| {
                fees.read(reader);
                Some(())
            },
            errors,
        );
    }
    fees
}

fn approvals(files: &Files, name: &str, errors: &mut Vec<Error>) -> Vec<Approval> {
    let take = |reader: &mut Reader| Some(reader.list::<Approval>("approval"));
    match name {
        "" => Vec::new(),
        name => other(files, name, take, errors).unwrap_or_default(),
    }
}

fn strategies(
    files: &Files,
    names: &[String],
    features: &Schema,
    errors: &mut Vec<Error>,
) -> strategy::Set {
    let mut set = strategy::Set::default();
    for name in names {
        other(
            files,
            name,
            |reader| {
                set.read(reader, features);
                Some(())
            },
            errors,
        );
    }
    set
}

/// Sections of the main file and of the strategies' with their keys, for the listing.
pub(super) fn sections() -> Vec<(String, Vec<crate::config::Key>)> {
    let main = [
        ("[run]", Run::keys()),
        ("[feed]", feed::settings::Settings::keys()),
        ("[[session]]", feed::settings::Session::keys()),
        ("[broker]", gate::Broker::keys()),
        ("[journal]", journal::Settings::keys()),
        ("[features]", feature::Settings::keys()),
    ];
    let main = main.into_iter().map(|(section, keys)| (String::from(section), keys));
    let beside = [
        ("[account] of the limits' file", Account::keys()),
        ("[limits] of the limits' file", risk::Limits::keys()),
        ("[[approval]] of the approvals' file", Approval::keys()),
        ("[router] of a strategies' file", router::settings::Settings::keys()),
        ("[[weight]] of a strategies' file", router::settings::Weight::keys()),
        ("[[budget]] of a strategies' file", router::settings::Budget::keys()),
        ("[[edge]] of a strategies' file", router::settings::Odds::keys()),
    ];
    let main = main.chain(beside.into_iter().map(|(section, keys)| (String::from(section), keys)));
    let kinds = strategy::KINDS.iter();
    let kinds = kinds.map(|kind| (std::format!("[[{}]]", kind.section), (kind.keys)()));
    let probe = (String::from("[[probe]]"), strategy::ProbeSettings::keys());
    main.chain(kinds).chain([probe]).collect()
}
