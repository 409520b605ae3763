//! Arguments in; what to export, from where, to where, out.

use crate::{
    column::Day,
    group::{GROUPS, Group},
};
use lexopt::prelude::*;
use std::path::PathBuf;
use zomma::config::{Span, Value as _};

/// When the chain is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Every {
    /// At the end of every batch.
    Batch,
    /// At the end of the first batch at or behind each multiple of so many ns.
    Span(u64),
}

/// What to export.
#[derive(Clone, Debug)]
pub struct Options {
    /// The run's directory.
    pub directory: PathBuf,
    /// The folder that the files go to.
    pub out: PathBuf,
    /// From this input on: its number, or when it was received, as `zomma replay` reads it.
    pub from: Option<String>,
    /// Up to and with this one.
    pub to: Option<String>,
    /// Names of groups; all where it is empty.
    pub only: Vec<String>,
    /// When the chain is written.
    pub every: Every,
    /// Expiries of the chain that are written; all where it is empty.
    pub expiries: Vec<Day>,
    /// Whether files may be replaced.
    pub overwrite: bool,
}

/// The chain is written so often where nothing is said.
const EVERY: u64 = 60_000_000_000;

impl Options {
    /// The whole of a run to a folder.
    pub fn new(directory: impl Into<PathBuf>, out: impl Into<PathBuf>) -> Options {
        Options {
            directory: directory.into(),
            out: out.into(),
            from: None,
            to: None,
            only: Vec::new(),
            every: Every::Span(EVERY),
            expiries: Vec::new(),
            overwrite: false,
        }
    }

    /// What was typed behind `zomma-lab export`.
    pub fn parse(parser: &mut lexopt::Parser) -> Result<Options, String> {
        let (mut found, mut directory, mut out) = (Options::new("", ""), None, None);
        let typed = |e: lexopt::Error| e.to_string();
        while let Some(argument) = parser.next().map_err(typed)? {
            match argument {
                Long("out") => out = Some(parser.value().map_err(typed)?.into()),
                Long("from") => found.from = Some(text(parser)?),
                Long("to") => found.to = Some(text(parser)?),
                Long("only") => found.only = groups(&text(parser)?)?,
                Long("every") => found.every = every(&text(parser)?)?,
                Long("expiry") => found.expiries = days(&text(parser)?)?,
                Long("overwrite") => found.overwrite = true,
                Value(value) if directory.is_none() => directory = Some(value.into()),
                other => return Err(other.unexpected().to_string()),
            }
        }
        found.directory = directory.ok_or("name a run's directory")?;
        found.out = out.ok_or("--out FOLDER is missing")?;
        found.check()
    }

    fn check(self) -> Result<Options, String> {
        if self.every == Every::Batch && self.expiries.is_empty() {
            return Err("--every batch writes much: choose --expiry DAY[,DAY…]".into());
        }
        Ok(self)
    }

    /// The groups that were asked for.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &'static Group> {
        let wanted = |group: &&Group| {
            self.only.is_empty() || self.only.iter().any(|name| name == group.name)
        };
        GROUPS.iter().filter(wanted)
    }
}

fn text(parser: &mut lexopt::Parser) -> Result<String, String> {
    parser.value().and_then(|value| value.string()).map_err(|e| e.to_string())
}

fn every(text: &str) -> Result<Every, String> {
    if text == "batch" {
        return Ok(Every::Batch);
    }
    span(text).map(Every::Span).map_err(|e| format!("{e}, or batch"))
}

/// A positive time such as `1s`, ns.
pub fn span(text: &str) -> Result<u64, String> {
    match Span::read(&toml::Value::String(text.into())) {
        Some(span) if span.nanos() > 0 => Ok(span.nanos()),
        _ => Err(format!("--every is {text:?}; write a time such as \"1s\"")),
    }
}

fn groups(text: &str) -> Result<Vec<String>, String> {
    let known: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_string()).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("--only names {name:?}; there are {}", known.join(", "))),
        None => Ok(names),
    }
}

fn days(text: &str) -> Result<Vec<Day>, String> {
    text.split(',').map(day).collect()
}

/// A date.
pub fn day(text: &str) -> Result<Day, String> {
    let midnight = format!("{}T00:00:00Z", text.trim()).parse::<jiff::Timestamp>().ok();
    let day = midnight.and_then(|at| Day::of(u64::try_from(at.as_nanosecond()).ok()?));
    day.ok_or_else(|| format!("--expiry is {text:?}; write days such as 2015-12-24"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options, String> {
        Options::parse(&mut lexopt::Parser::from_args(text.split_whitespace()))
    }

    #[test]
    fn what_is_typed_is_understood() {
        let text = "runs/day --out out --from 17 --to 13:30 --only chain,fills --every 1s \
            --expiry 2015-12-24,2016-01-15 --overwrite";
        let found = parse(text).unwrap();
        assert_eq!((found.from.as_deref(), found.to.as_deref()), (Some("17"), Some("13:30")));
        assert_eq!((found.every, found.overwrite), (Every::Span(1_000_000_000), true));
        assert_eq!(
            found.expiries.iter().map(|day| day.number()).collect::<Vec<_>>(),
            [16_793, 16_815]
        );
        assert_eq!(found.groups().map(|group| group.name).collect::<Vec<_>>(), ["chain", "fills"]);
        assert_eq!(parse("run --out out").unwrap().groups().count(), GROUPS.len());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            ("", "directory"),
            ("run", "--out"),
            ("run more --out out", "more"),
            ("run --out out --only quotes", "events, chain"),
            ("run --out out --every 0s", "--every"),
            ("run --out out --every batch", "--expiry"),
            ("run --out out --expiry tomorrow", "2015-12-24"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(word), "{text:?}: {error}");
        }
    }
}
