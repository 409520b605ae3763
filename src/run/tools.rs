//! The commands that only read: reports and journals.

use super::{
    Failure,
    report::{self, Report},
    say::println,
};
use crate::journal::{
    self, Between, Cut, Manifest, Names,
    dump::{Form, Wanted, kind_named},
    tool::{self, ToolError},
};
use std::{
    format, fs, io,
    path::Path,
    string::{String, ToString},
    vec::Vec,
};

/// Prints the report of a run; writes it as HTML or JSON where asked.
pub fn report(directory: &Path, html: Option<&Path>, json: Option<&Path>) -> Result<(), Failure> {
    let report = Report::read(directory).map_err(|e| Failure::input(e.to_string()))?;
    report::table(&report, &mut io::stdout().lock())
        .map_err(|e| Failure::environment(format!("the report cannot be printed: {e}")))?;
    let json = json.map(|path| (path, format!("{:#}\n", report::json(&report))));
    let html = html.map(|path| (path, report::html(&report)));
    for (path, text) in html.into_iter().chain(json) {
        fs::write(path, text).map_err(|e| Failure::file(path, "write the report", &e))?;
    }
    Ok(())
}

/// What is asked of a journal, as typed.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Inputs only, unless `outputs` is set too.
    pub inputs: bool,
    /// Outputs only, unless `inputs` is set too.
    pub outputs: bool,
    /// Where the span begins.
    pub from: Option<String>,
    /// Where it ends.
    pub to: Option<String>,
    /// Kinds, separated by commas; all where it is empty.
    pub kinds: String,
    /// Instruments, separated by commas: dense indices, symbols or roots; all where it is empty.
    pub instruments: String,
    /// How events are written.
    pub form: Form,
    /// Steps over damage and goes on behind it.
    pub skip: bool,
    /// Goes on although the events are of another schema.
    pub force: bool,
}

/// `zomma journal VERB DIR`, or `zomma journal cut DIR OUT`.
pub fn journal(
    verb: &str,
    directory: &Path,
    to: Option<&Path>,
    request: &Request,
) -> Result<(), Failure> {
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let damaged = || Failure::mismatch(format!("{}: damaged", directory.display()));
    let whole = match verb {
        "verify" => tool::verify_over(directory, request.skip, &mut out).map_err(told)?,
        "stat" => tool::stat(directory, request.skip, &mut out).map_err(told)?,
        "dump" => {
            let (wanted, names) = wanted(directory, request)?;
            tool::dump(directory, &wanted, (request.form, names), &mut out).map_err(told)?
        }
        "follow" => {
            let (wanted, names) = wanted(directory, request)?;
            tool::follow(directory, &wanted, (request.form, names), &mut out).map_err(told)?;
            true
        }
        "cut" => {
            let missing = || Failure::input("zomma journal cut: name DIR and OUT");
            cut(directory, to.ok_or_else(missing)?, request)?;
            true
        }
        _ => return Err(Failure::input(format!("no verb {verb:?}; there are {VERBS}"))),
    };
    if whole { Ok(()) } else { Err(damaged()) }
}

/// All verbs of `zomma journal`.
pub const VERBS: &str = "verify, stat, dump, follow, cut";

fn cut(from: &Path, to: &Path, request: &Request) -> Result<(), Failure> {
    let (wanted, _) = wanted(from, request)?;
    match journal::cut(from, to, &wanted.between).map_err(told)? {
        Cut { inputs: 0, outputs: 0 } => {
            Err(Failure::input(format!("{}: nothing lies in that span", from.display())))
        }
        Cut { inputs, outputs } => {
            println!("{}: {inputs} inputs, {outputs} outputs", to.display());
            Ok(())
        }
    }
}

/// Which events are wanted, and what contracts are called.
fn wanted(directory: &Path, request: &Request) -> Result<(Wanted, Names), Failure> {
    let manifest = Manifest::read(directory).map_err(unusable)?;
    refuse_schema(directory, &manifest, request.force)?;
    let (from, to) = (request.from.as_deref(), request.to.as_deref());
    let between = Between::read(from, to, manifest.wall).map_err(Failure::input)?;
    let names = names(directory)?;
    let mut wanted = Wanted { between, skip: request.skip, ..Wanted::default() };
    if request.inputs != request.outputs {
        (wanted.inputs, wanted.outputs) = (request.inputs, request.outputs);
    }
    for name in parts(&request.kinds) {
        let unknown = || Failure::input(format!("no kind {name:?}; ARCHITECTURE.md lists them"));
        wanted.kinds.push(kind_named(name).ok_or_else(unknown)?);
    }
    for name in parts(&request.instruments) {
        let found = name.parse().map_or_else(|_| names.find(name), |index| Vec::from([index]));
        if found.is_empty() {
            return Err(Failure::input(format!("no instrument {name:?} in this journal")));
        }
        wanted.instruments.get_or_insert_default().extend(found);
    }
    Ok((wanted, names))
}

fn parts(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// Events of another schema would be read as what they are not.
fn refuse_schema(directory: &Path, manifest: &Manifest, force: bool) -> Result<(), Failure> {
    let here = Manifest::new(0, Vec::new()).map_err(unusable)?;
    match manifest.unreadable_by(&here) {
        Some(why) if !force => {
            let place = directory.display();
            Err(Failure::input(format!("{place}: {why}; read it with that program, or --force")))
        }
        _ => Ok(()),
    }
}

/// What contracts are called in a journal.
pub(super) fn names(directory: &Path) -> Result<Names, Failure> {
    Names::read(directory).map_err(unusable)
}

/// A journal that cannot be read.
pub(super) fn unusable(error: crate::journal::Error) -> Failure {
    Failure::input(error.to_string())
}

/// A reader that closes its pipe has seen enough.
fn told(error: ToolError) -> Failure {
    match error {
        ToolError::Damage(..) => Failure::mismatch(error.to_string()),
        ToolError::Journal(journal::Error::Exists(_)) => Failure::environment(error.to_string()),
        ToolError::Text(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        error => Failure::input(error.to_string()),
    }
}

/// The table of event kinds as Markdown, as `ARCHITECTURE.md` holds it.
pub fn kinds() {
    println!("| kind | name | payload | meaning |\n|---|---|---|---|");
    for row in crate::wire::KINDS {
        println!("| {} | {} | {} | {} |", row.kind.0, row.name, row.payload, row.about);
    }
}
