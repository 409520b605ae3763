//! The commands that only read: reports and journals.

use super::{
    Failure,
    report::{self, Report},
    say::println,
};
use crate::journal::{
    Stream,
    tool::{self, ToolError},
};
use std::{format, fs, io, path::Path, string::ToString};

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

/// `zomma journal VERB DIR`.
pub fn journal(verb: &str, directory: &Path) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match verb {
        "verify" => match tool::verify(directory, &mut out).map_err(unusable)? {
            true => Ok(()),
            false => Err(Failure::mismatch(format!("{}: damaged", directory.display()))),
        },
        "stat" => tool::stat(directory, &mut out).map_err(unusable),
        "dump" => {
            for stream in [Stream::Inputs, Stream::Outputs] {
                tool::dump(directory, stream, &mut out).map_err(unusable)?;
            }
            Ok(())
        }
        _ => Err(Failure::input(format!("no verb {verb:?}; there are verify, stat and dump"))),
    }
}

/// A reader that closes its pipe has seen enough.
fn unusable(error: ToolError) -> Failure {
    match error {
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
