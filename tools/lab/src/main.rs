//! Arguments in; files, a listing and an exit code out. 0 done, 1 the thing checked does not hold,
//! 2 unusable input or usage, 3 the environment.

use lexopt::prelude::*;
use std::{fs, path::PathBuf, process::ExitCode, time::Instant};
use zomma::{
    run::{Failure, host},
    wire::Timestamp,
};
use zomma_lab::{
    export::{Exported, export},
    group::GROUPS,
    options::Options,
    surface::Request,
};

const HELP: &str = "\
zomma-lab: what is done with runs afterwards

  zomma-lab export DIR --out FOLDER [--from N|TIME] [--to N|TIME] [--only GROUP,…]
            [--every 1m|batch] [--expiry DAY,…] [--features] [--overwrite]
      writes a run's journal as Parquet files; --features rows of features alone
  zomma-lab columns [--markdown]
      lists files and columns with type, unit and meaning
  zomma-lab surface DIR [--at TIME] [--root ROOT] [--html F] [--json F]
  zomma-lab surface --cboe FILE --universe FILE --at TIME [--root ROOT] [--html F] [--json F]
      draws smiles, term structure and exposures of a run, or of a file in Cboe's layout

  TIME    when an input was received, UTC: 2015-12-24T15:30:00Z, or 15:30
  GROUP   events, chain, features, decisions, orders, fills
  --every  when the chain is written: each minute where nothing is said
";

fn main() -> ExitCode {
    match host::check_cpu().and_then(|()| dispatch()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.message.lines().for_each(|line| eprintln!("zomma-lab: {line}"));
            ExitCode::from(failure.code)
        }
    }
}

fn dispatch() -> Result<(), Failure> {
    let mut parser = lexopt::Parser::from_env();
    let typed = |e: String| Failure::input(format!("{e}; see `zomma-lab help`"));
    let name = match parser.next().map_err(|e| typed(e.to_string()))? {
        Some(Value(name)) => name.to_string_lossy().into_owned(),
        Some(Long("version") | Short('V')) => "version".into(),
        _ => "help".into(),
    };
    match name.as_str() {
        "help" => print!("{HELP}"),
        "version" => println!("zomma-lab {}", env!("CARGO_PKG_VERSION")),
        "columns" => columns(&mut parser).map_err(|e| typed(e.to_string()))?,
        "surface" => draw(&mut parser)?,
        "export" => run(&Options::parse(&mut parser).map_err(typed)?)?,
        _ => return Err(typed(format!("no command {name:?}"))),
    }
    Ok(())
}

fn run(options: &Options) -> Result<(), Failure> {
    let began = Instant::now();
    let Exported { files, inputs, outputs, notes } = export(options)?;
    let seconds = began.elapsed().as_secs_f64();
    for file in &files {
        println!("{:>12} rows {:>12} bytes  {}", file.rows, file.bytes, file.path.display());
    }
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    println!(
        "{inputs} inputs and {outputs} outputs as {rows} rows in {seconds:.2} s: {:.2} M rows/s",
        rows as f64 / seconds / 1e6
    );
    notes.iter().for_each(|note| eprintln!("zomma-lab: note: {note}"));
    Ok(())
}

fn draw(parser: &mut lexopt::Parser) -> Result<(), Failure> {
    let typed = |e: lexopt::Error| Failure::input(format!("{e}; see `zomma-lab help`"));
    let (mut request, mut html, mut json) = (Request::default(), None, None);
    let (mut cboe, mut universe) = (None::<PathBuf>, PathBuf::from("config/universe.toml"));
    while let Some(argument) = parser.next().map_err(typed)? {
        let name = match argument {
            Value(directory) => {
                request.directory = Some(directory.into());
                continue;
            }
            Long(name) => name.to_owned(),
            other => return Err(typed(other.unexpected())),
        };
        let value = parser.value().map_err(typed)?;
        match name.as_str() {
            "at" => request.at = Some(instant(&value.to_string_lossy())?),
            "root" => request.root = Some(value.to_string_lossy().into_owned()),
            "cboe" => cboe = Some(value.into()),
            "universe" => universe = value.into(),
            "html" => html = Some(PathBuf::from(value)),
            "json" => json = Some(PathBuf::from(value)),
            _ => return Err(typed(Long(&name).unexpected())),
        }
    }
    request.cboe = cboe.map(|file| (file, universe));
    let shot = request.take()?;
    let text = format!("{:#}\n", shot.json);
    if html.is_none() && json.is_none() {
        print!("{text}");
    }
    let files = [(html, shot.page()), (json, text)];
    for (path, text) in files.into_iter().filter_map(|(path, text)| Some((path?, text))) {
        fs::write(&path, text).map_err(|e| Failure::file(&path, "write the picture", &e))?;
    }
    Ok(())
}

fn instant(text: &str) -> Result<Timestamp, Failure> {
    let parsed = text.parse::<jiff::Timestamp>().ok();
    let wrong = || Failure::input(format!("{text:?} is no time; write 2019-06-26T19:45:00Z"));
    parsed.and_then(|time| u64::try_from(time.as_nanosecond()).ok()).ok_or_else(wrong)
}

fn columns(parser: &mut lexopt::Parser) -> Result<(), lexopt::Error> {
    let mut markdown = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("markdown") => markdown = true,
            other => return Err(other.unexpected()),
        }
    }
    for table in GROUPS.iter().flat_map(|group| (group.tables)()) {
        if markdown {
            println!("{}", table.markdown());
            continue;
        }
        println!("{}.parquet: {}", table.file, table.about);
        for [name, of, unit, about] in table.columns() {
            println!("  {name:<22} {of:<28} {unit:<14} {about}");
        }
    }
    Ok(())
}
