//! Real prices as ticks in; what TA-Lib, SciPy and NumPy make of the bars that they came from, and
//! what an export of the features has, held against each other, out: by Python programs, in the
//! Python that `ZOMMA_PYARROW_PYTHON` names.

use crate::recorded::{data, journaled};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use zomma::{
    chain::name_of,
    feed::Sequencer,
    run::Files,
    wire::{
        Event, Kind, NO_INSTRUMENT, Price, UNDEF_TIME,
        control::Run,
        market::{Class, Definition, Observation, Quote, Trade},
    },
};
use zomma_lab::{export::export, options::Options};

/// What ticks are about, by the instrument.
const INSTRUMENTS: [(&str, Class); 3] =
    [("SPY", Class::STOCK), ("ES", Class::FUTURE), ("VIX", Class::INDEX)];

/// What the shipped universe does not have.
const MORE: &str = "
[[root]]
name = \"VIX\"
underlying = \"VIX\"
style = \"european\"

[[series]]
name = \"CLOSES\"
unit = \"points\"
";

/// A Python with all that these tests need; `None` with a visible word.
fn python() -> Option<std::ffi::OsString> {
    let found = std::env::var_os("ZOMMA_PYARROW_PYTHON").filter(|python| {
        let needed = "import numpy, pyarrow, scipy, talib";
        Command::new(python).args(["-c", needed]).output().is_ok_and(|done| done.status.success())
    });
    if found.is_none() {
        println!("skipped: no TA-Lib and SciPy; set ZOMMA_PYARROW_PYTHON to a Python with them");
    }
    found
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export").join(name)
}

fn said(command: &mut Command) -> String {
    let done = command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    said
}

fn definition(instrument: u32) -> Event {
    let (name, class) = INSTRUMENTS[instrument as usize];
    let body = Definition {
        strike: Price::UNDEF,
        expiration: UNDEF_TIME,
        root: name_of(name),
        venue_id: instrument,
        class,
        mapped: 0,
        reserved: 0,
    };
    Event::new(Kind::DEFINITION, instrument, body)
}

/// The event of a line: `T time name price size`, `Q time name bid ask`, `O known series value
/// about`; times in ns, prices in 1e-9.
fn event(line: &str) -> Event {
    let words: Vec<&str> = line.split(' ').collect();
    let place = INSTRUMENTS.iter().position(|(name, _)| *name == words[2]).unwrap_or(0) as u32;
    let price = |at: usize| Price(words[at].parse().unwrap());
    let event = match words[0] {
        "T" => {
            let (price, size) = (price(3), words[4].parse().unwrap());
            let zeroed: Trade = bytemuck::Zeroable::zeroed();
            Event::new(Kind::TRADE, place, Trade { price, size, side: b'N', ..zeroed })
        }
        "Q" => {
            let (bid, ask) = (price(3), price(4));
            let zeroed: Quote = bytemuck::Zeroable::zeroed();
            Event::new(Kind::QUOTE, place, Quote { bid, ask, bid_size: 1, ask_size: 1, ..zeroed })
        }
        "O" => {
            let (value, about) = (words[3].parse().unwrap(), words[4].parse().unwrap());
            // The first series, and the only one.
            Event::new(Kind::OBSERVATION, 0, Observation { value, about, reserved: [0; 2] })
        }
        other => panic!("{other}"),
    };
    Event { ts_event: words[1].parse().unwrap(), ..event }
}

/// Plays the lines: observations at the start, as a file is read, whenever they become known.
fn play(ticks: &str, mut out: &mut dyn FnMut(&Event)) {
    let mut sequencer = Sequencer::new(1, 1_024);
    let events: Vec<Event> = ticks.lines().map(event).collect();
    let market = events.iter().filter(|event| event.kind != Kind::OBSERVATION);
    let start = market.map(|event| event.ts_event).min().unwrap() - 1;
    let run = Run { epoch: 7, order_base: 1 << 24, reserved: [0; 2] };
    let head = [Event::new(Kind::RUN, NO_INSTRUMENT, run)].into_iter();
    for event in head.chain((0..INSTRUMENTS.len() as u32).map(definition)) {
        sequencer.alone(1, start, event, &mut out);
    }
    for event in events {
        let now = if event.kind == Kind::OBSERVATION { start } else { event.ts_event };
        sequencer.alone(1, now, event, &mut out);
    }
}

/// Ticks that `ticks.py` makes, through the stages into a journal, exported, and the words of
/// programs about it.
fn compared(ticks: &str, folder: &str, sets: &[&str], programs: &[&str]) -> Option<String> {
    let (python, data) = (python()?, data(folder)?);
    let lines = said(Command::new(&python).arg(script("ticks.py")).arg(ticks).arg(&data));
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/recorded.toml");
    let none = ["features.series=[]", "features.dates=[]", "features.daily_pairs=[]"];
    let sets: Vec<String> = ["run.strategies=[]", "run.clock=receive", "features.every=60s"]
        .iter()
        .chain(&none)
        .chain(sets)
        .map(|set| set.to_string())
        .collect();
    let mut list = Files::gather(&config, &sets).unwrap().list().to_vec();
    let universe = list.iter_mut().find(|(name, _)| name == "universe.toml").unwrap();
    // In the place of the shipped series.
    let own = universe.1.split("\n# Numbers from beside the market").next().unwrap();
    universe.1 = format!("{own}{MORE}");
    let run = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("prices-{ticks}"));
    let _ = std::fs::remove_dir_all(&run);
    std::fs::create_dir_all(&run).unwrap();
    journaled(&run.join("run"), &Files::from_list(list), |_| (), |_, out| play(&lines, out));
    let mut options = Options::new(run.join("run"), run.join("export"));
    options.only = ["events", "features"].map(String::from).into();
    export(&options).unwrap();
    let told = programs.iter().map(|program| {
        said(Command::new(&python).arg(script(program)).arg(run.join("export")).arg(&data))
    });
    let words: String = told.collect();
    println!("{words}");
    Some(words)
}

#[test]
fn talib_has_the_same_indicators_of_minutes() {
    let sets = [
        "features.roots=[\"SPY\"]",
        "features.volume_bar=2_000_000.0",
        "features.dollar_bar=300_000_000.0",
    ];
    let told = compared("minutes", "lean-underlyings", &sets, &["bars.py", "derived.py"]);
    // Nine kinds of bars, 13 columns of each and 36 of each of five windows.
    assert!(told.is_none_or(|told| told.contains("parity: 1737 columns of SPY")));
}

#[test]
fn talib_has_the_same_indicators_of_days() {
    let sets = [
        "features.every=1h",
        "features.roots=[\"VIX\"]",
        "features.series=[\"CLOSES\"]",
        "features.resolutions=[\"1d\"]",
        "features.volume_bar=0.0",
        "features.dollar_bar=0.0",
    ];
    let told = compared("days", "vix-daily", &sets, &["bars.py", "beside.py", "derived.py"]);
    // One kind, but for the times of day, which the archive does not tell.
    assert!(told.is_none_or(|told| told.contains("parity: 191 columns of VIX")));
}

#[test]
fn numpy_has_the_same_of_two_markets_and_a_series_beside_them() {
    let sets = [
        "features.roots=[\"SPY\", \"ES\"]",
        "features.resolutions=[\"1d\"]",
        "features.series=[\"CLOSES\"]",
        "features.pairs=[\"SPY/ES\", \"SPY/CLOSES\"]",
    ];
    let told = compared("markets", ".", &sets, &["beside.py"]);
    // A series, two pairs, and all roots together, at four windows of rows.
    assert!(told.is_none_or(|told| told.contains("parity: 51 columns")));
}
