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
    features::Report,
    group::GROUPS,
    options::{self, Options},
    surface::{DayRequest, Request},
    tail,
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
  zomma-lab day DIR [--root ROOT] [--expiry DAY] [--every 1m] [--html F] [--json F]
      draws the volatilities of one expiry through a run, the next to settle by itself
  zomma-lab features DIR [--html F] [--json F]
      what each column of a run's features carried: share known, values, range, twins, what never
      moved and what the run lacked for it; --html draws them by the exchange's clock
  zomma-lab var DIR [--at TIME] [--confidence 0.99] [--moves FILE.csv]
            [--paths N --seed N --spot 0.012 --vol 0.06 --correlation -0.75]
      value at risk and expected shortfall of a day, of what a run held: by the moves of a file
      (relative changes of spot and volatility), or by simulated ones

  TIME    when an input was received, UTC: 2015-12-24T15:30:00Z, or 15:30
  GROUP   events, chain, features, decisions, orders, fills, profits
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
        "var" => value_at_risk(&mut parser)?,
        "day" => follow(&mut parser)?,
        "features" => judge(&mut parser)?,
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
    let (mut request, mut picture) = (Request::default(), Picture::default());
    let (mut cboe, mut universe) = (None::<PathBuf>, PathBuf::from("config/universe.toml"));
    while let Some((name, value)) = next(parser)? {
        match name.as_str() {
            "" => request.directory = Some(value.into()),
            "at" => request.at = Some(instant(&value)?),
            "root" => request.root = Some(value),
            "cboe" => cboe = Some(value.into()),
            "universe" => universe = value.into(),
            _ => picture.take(&name, value)?,
        }
    }
    request.cboe = cboe.map(|file| (file, universe));
    let shot = request.take()?;
    picture.write(&shot.json, || shot.page())
}

fn follow(parser: &mut lexopt::Parser) -> Result<(), Failure> {
    let (mut request, mut picture) = (DayRequest::new(""), Picture::default());
    let typed = |e: String| Failure::input(format!("{e}; see `zomma-lab help`"));
    while let Some((name, value)) = next(parser)? {
        match name.as_str() {
            "" => request.directory = value.into(),
            "root" => request.root = Some(value),
            "expiry" => request.expiry = Some(options::day(&value).map_err(typed)?),
            "every" => request.every = options::span(&value).map_err(typed)?,
            _ => picture.take(&name, value)?,
        }
    }
    if request.directory.as_os_str().is_empty() {
        return Err(typed("name a run's directory".into()));
    }
    let day = request.take()?;
    picture.write(&day.json, || day.page())
}

fn judge(parser: &mut lexopt::Parser) -> Result<(), Failure> {
    let (mut directory, mut picture) = (None::<PathBuf>, Picture::default());
    while let Some((name, value)) = next(parser)? {
        match name.as_str() {
            "" => directory = Some(value.into()),
            _ => picture.take(&name, value)?,
        }
    }
    let directory = directory.ok_or_else(|| Failure::input("name a run's directory"))?;
    let report = Report::of(&directory)?;
    print!("{}", report.text());
    picture.files(&report.json(), || report.page())
}

/// An option and its value; no name before what stands alone.
fn next(parser: &mut lexopt::Parser) -> Result<Option<(String, String)>, Failure> {
    let typed = |e: lexopt::Error| Failure::input(format!("{e}; see `zomma-lab help`"));
    let Some(argument) = parser.next().map_err(typed)? else { return Ok(None) };
    let name = match argument {
        Value(value) => return value.string().map(|value| Some(("".into(), value))).map_err(typed),
        Long(name) => name.to_owned(),
        other => return Err(typed(other.unexpected())),
    };
    let value = parser.value().and_then(|value| value.string()).map_err(typed)?;
    Ok(Some((name, value)))
}

/// Where a picture goes; its figures go to standard output where nothing is said.
#[derive(Default)]
struct Picture {
    html: Option<PathBuf>,
    json: Option<PathBuf>,
}

impl Picture {
    fn take(&mut self, name: &str, value: String) -> Result<(), Failure> {
        match name {
            "html" => self.html = Some(value.into()),
            "json" => self.json = Some(value.into()),
            _ => {
                let wrong = Long(name).unexpected();
                return Err(Failure::input(format!("{wrong}; see `zomma-lab help`")));
            }
        }
        Ok(())
    }

    fn write(self, json: &serde_json::Value, page: impl Fn() -> String) -> Result<(), Failure> {
        let text = format!("{json:#}\n");
        if self.html.is_none() && self.json.is_none() {
            print!("{text}");
        }
        self.files(json, page)
    }

    fn files(self, json: &serde_json::Value, page: impl Fn() -> String) -> Result<(), Failure> {
        let text = format!("{json:#}\n");
        let files = [(self.html, page()), (self.json, text)];
        for (path, text) in files.into_iter().filter_map(|(path, text)| Some((path?, text))) {
            fs::write(&path, text).map_err(|e| Failure::file(&path, "write the picture", &e))?;
        }
        Ok(())
    }
}

fn value_at_risk(parser: &mut lexopt::Parser) -> Result<(), Failure> {
    let typed = |e: lexopt::Error| Failure::input(format!("{e}; see `zomma-lab help`"));
    let (mut directory, mut at, mut file) = (None, u64::MAX, None);
    let (mut confidence, mut paths, mut seed) = (0.99, 100_000, 1);
    let mut shape = [0.012, 0.06, -0.75];
    while let Some(argument) = parser.next().map_err(typed)? {
        let name = match argument {
            Value(value) => {
                directory = Some(PathBuf::from(value));
                continue;
            }
            Long(name) => name.to_owned(),
            other => return Err(typed(other.unexpected())),
        };
        let value = parser.value().map_err(typed)?;
        let number = || value.parse::<f64>().map_err(typed);
        match name.as_str() {
            "at" => at = instant(&value.to_string_lossy())?,
            "moves" => file = Some(PathBuf::from(&value)),
            "confidence" => confidence = number()?,
            "paths" => paths = number()? as usize,
            "seed" => seed = number()? as u64,
            "spot" => shape[0] = number()?,
            "vol" => shape[1] = number()?,
            "correlation" => shape[2] = number()?,
            _ => return Err(typed(Long(&name).unexpected())),
        }
    }
    let directory = directory.ok_or_else(|| Failure::input("name a run's directory"))?;
    if !(0.5..1.0).contains(&confidence) {
        return Err(Failure::input("--confidence must be from 0.5 to below 1"));
    }
    let (lines, capital) = tail::held(&directory, at)?;
    let moves = match file {
        Some(file) => tail::moves(&file)?,
        None => tail::simulated(paths, seed, shape),
    };
    let profits = tail::profits(&lines, &moves);
    println!("{:#}", tail::tell(&lines, &profits, confidence, capital));
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
