//! `zomma price` and `zomma iv`: a file or stream of option terms in; the same rows with price and
//! Greeks, or with status and volatility, out.
//!
//! Rows go through in chunks, European ones eight to a kernel call, and come out in their order. A
//! row that cannot be read is told on stderr with its line and the reason; all others are done.
//!
//! | `model` | what `S` is | what the row is valued by |
//! |---|---|---|
//! | `bsm` | the spot | Black, Scholes and Merton: European, continuous yield `q` |
//! | `b76`, `black` | the forward | Black 1976: European; `q` is not read, phi is `nan` |
//! | `american` | the spot | Andersen, Lake and Offengenden: exercise at any time, yield `q` |
//!
//! Columns and units are the same for all. American Greeks beyond price, delta, gamma, theta and
//! vega are differences, good to some six digits away from the boundary; an option that is
//! exercised at once has the Greeks of what it is exchanged for. A put with q < r < 0, or a call
//! with r < q < 0, would be exercised between two boundaries: such a row is refused.

use super::{
    Failure,
    sheet::{self, Header, LINE_BYTES_MAX, Lines},
};
use crate::{
    greeks::{
        american::{Contract, Early, Standard},
        lanes::{Lanes as _, Scalar, V},
        options::Options,
        sets::{All, Model, Set},
    },
    wire::market::VolStatus,
};
use std::{
    boxed::Box,
    eprint, eprintln, format,
    fs::{self, File},
    io::{self, IsTerminal, Read, Write},
    ops::Range,
    path::{Path, PathBuf},
    string::{String, ToString},
    vec::Vec,
};

const CHUNK_ROWS: usize = 4_096;
const CHUNK_BYTES: usize = 1 << 22;
const LANES: usize = V::COUNT;
const COLUMNS: usize = 18;

/// What a row is valued by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum By {
    European(Model),
    American,
}

/// A row's terms: spot, strike, years, rate, yield, and volatility or price.
#[derive(Clone, Copy, Debug)]
struct Terms {
    by: By,
    // 0.0 for a call, −0.0 for a put.
    sign: f64,
    numbers: [f64; 6],
}

impl Terms {
    fn is_call(&self) -> bool {
        self.sign.is_sign_positive()
    }

    fn contract(&self) -> Contract {
        let [spot, strike, years, r, q, vol] = self.numbers;
        Contract { call: self.is_call(), spot, strike, years, r, q, vol }
    }

    /// Why an American option has no value here.
    fn between(&self) -> Option<String> {
        let between = self.by == By::American && self.contract().early() == Early::Between;
        let rates = if self.is_call() { "r < q < 0" } else { "q < r < 0" };
        between.then(|| format!("{rates}: exercised between two boundaries, which is not valued"))
    }
}

/// What a command makes of terms.
trait Task {
    /// Columns read, after `model` and `cp`.
    const NUMBERS: [&'static str; 6];
    /// Columns written after those of the input.
    const GIVES: &'static [&'static str];
    /// What a row gives.
    type Value: Copy;
    /// Where nothing was computed.
    const NONE: Self::Value;

    /// Why terms cannot be valued.
    fn refuse(terms: &Terms) -> Option<String>;
    /// Eight rows.
    fn value(options: &Options, model: Model, rows: &[Terms; LANES]) -> [Self::Value; LANES];
    /// An American row.
    fn american(rule: &Standard, terms: &Terms) -> Self::Value;
    /// As text, with a comma before each column.
    fn write(value: &Self::Value, out: &mut Vec<u8>);
}

struct Price;

impl Task for Price {
    const NUMBERS: [&'static str; 6] = ["S", "K", "T", "r", "q", "sigma"];
    const GIVES: &'static [&'static str] = <All as Set<V>>::NAMES;
    type Value = [f64; COLUMNS];
    const NONE: Self::Value = [f64::NAN; COLUMNS];

    fn refuse(terms: &Terms) -> Option<String> {
        let named = Self::NUMBERS.iter().zip(terms.numbers);
        let bad = |(name, value): (&&str, f64)| {
            let signed = ["r", "q"].contains(name);
            let wanted = if signed { "finite" } else { "finite and not negative" };
            let good = value.is_finite() && (signed || value >= 0.0);
            (!good).then(|| format!("{name} is {value}; it must be {wanted}"))
        };
        named.into_iter().find_map(bad).or_else(|| terms.between())
    }

    fn value(options: &Options, model: Model, rows: &[Terms; LANES]) -> [Self::Value; LANES] {
        let signs = V::from_fn(|lane| rows[lane].sign);
        let mut values = [[0.0; COLUMNS]; LANES];
        let mut column = 0;
        options.value(model).side::<All>(signs).tell(|lanes| {
            for (value, lane) in values.iter_mut().zip(lanes.to_array()) {
                value[column] = lane;
            }
            column += 1;
        });
        values
    }

    fn american(rule: &Standard, terms: &Terms) -> Self::Value {
        let mut values = Self::NONE;
        let mut columns = values.iter_mut();
        if let Some(greeks) = terms.contract().sixteen(rule) {
            greeks.tell(|value| columns.by_ref().take(1).for_each(|column| *column = value.0));
        }
        values
    }

    fn write(value: &Self::Value, out: &mut Vec<u8>) {
        for number in value {
            out.push(b',');
            sheet::number(*number, out);
        }
    }
}

struct Iv;

impl Task for Iv {
    const NUMBERS: [&'static str; 6] = ["S", "K", "T", "r", "q", "price"];
    const GIVES: &'static [&'static str] = &["status", "sigma"];
    type Value = (VolStatus, f64);
    const NONE: Self::Value = (VolStatus::UNKNOWN, f64::NAN);

    // What has no volatility says so in its status.
    fn refuse(terms: &Terms) -> Option<String> {
        terms.between()
    }

    fn value(options: &Options, model: Model, rows: &[Terms; LANES]) -> [Self::Value; LANES] {
        let calls = V::mask(|lane| rows[lane].is_call());
        let vols = options.implied(model, options.vol, calls).to_array();
        core::array::from_fn(|lane| {
            let (row, vol) = (&rows[lane], vols[lane]);
            if !vol.is_nan() {
                return (VolStatus::OK, vol);
            }
            let alone: Options<Scalar> = columns(|column| Scalar(row.numbers[column]));
            (alone.status(model, 0, row.numbers[5], row.is_call()), vol)
        })
    }

    fn american(rule: &Standard, terms: &Terms) -> Self::Value {
        let price = terms.numbers[5];
        match terms.contract().implied(rule, price, f64::NAN) {
            Ok(vol) => (VolStatus::OK, vol),
            Err(status) => (status, f64::NAN),
        }
    }

    fn write(value: &Self::Value, out: &mut Vec<u8>) {
        out.push(b',');
        out.extend_from_slice(value.0.name().as_bytes());
        out.push(b',');
        sheet::number(value.1, out);
    }
}

fn columns<R>(column: impl Fn(usize) -> R) -> Options<R> {
    let [spot, strike, years, r, q, vol] = core::array::from_fn(column);
    Options { spot, strike, years, r, q, vol }
}

/// Values the options of a file; `-` or nothing is standard input or output.
pub fn price(input: Option<&Path>, output: Option<&Path>) -> Result<(), Failure> {
    run::<Price>(input, output)
}

/// Volatilities of the prices of a file.
pub fn iv(input: Option<&Path>, output: Option<&Path>) -> Result<(), Failure> {
    run::<Iv>(input, output)
}

fn run<T: Task>(input: Option<&Path>, output: Option<&Path>) -> Result<(), Failure> {
    let ends = Ends::open(input, output)?;
    let outcome = Sheet::<T, _, _>::open(ends)?.all();
    match outcome {
        // A reader that closes its pipe has seen enough.
        Err(Stop::Write(e)) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(Stop::Write(e)) => {
            Err(Failure::environment(format!("the output cannot be written: {e}")))
        }
        Err(Stop::Read(e)) => Err(Failure::input(format!("the input cannot be read: {e}"))),
        Ok((_, 0)) => Ok(()),
        Ok((rows, bad)) => Err(Failure::input(format!(
            "{bad} of {rows} rows could not be used, each is told above; the others are done"
        ))),
    }
}

/// Both ends, opened.
struct Ends<R, W> {
    name: String,
    input: R,
    // Bytes of the input, where it is a file.
    size: u64,
    output: W,
    // Whether the operator looks at something else than the output.
    watched: bool,
}

type Anything = Ends<Box<dyn Read>, Box<dyn Write>>;

impl Anything {
    fn open(input: Option<&Path>, output: Option<&Path>) -> Result<Anything, Failure> {
        let file =
            |path: Option<&Path>| path.filter(|path| *path != Path::new("-")).map(PathBuf::from);
        let (input, output) = (file(input), file(output));
        if let (Some(from), Some(to)) = (&input, &output)
            && let (Ok(from), Ok(to)) = (fs::canonicalize(from), fs::canonicalize(to))
            && from == to
        {
            return Err(Failure::input(format!("{}: is both --in and --out", to.display())));
        }
        let name = input.as_ref().map_or("stdin".into(), |path| path.display().to_string());
        let unreadable = |e: io::Error| Failure::input(format!("{name}: cannot be read: {e}"));
        let (source, size): (Box<dyn Read>, u64) = match &input {
            None => (Box::new(io::stdin().lock()), 0),
            Some(path) => {
                let file = File::open(path).map_err(unreadable)?;
                let size = file.metadata().map_or(0, |data| data.len());
                (Box::new(file), size)
            }
        };
        let watched = size > 0 && io::stderr().is_terminal() && output.is_some();
        let sink: Box<dyn Write> = match &output {
            None => Box::new(io::stdout().lock()),
            Some(path) => {
                let file = File::create(path);
                Box::new(file.map_err(|e| Failure::file(path, "write the output", &e))?)
            }
        };
        Ok(Ends { name, input: source, size, output: sink, watched })
    }
}

/// Why the stream ended before its end.
enum Stop {
    Read(io::Error),
    Write(io::Error),
}

/// A stream of rows under way.
struct Sheet<T: Task, R, W> {
    name: String,
    lines: Lines<R>,
    output: W,
    size: u64,
    watched: bool,
    header: Header,
    rule: Box<Standard>,
    fields: Vec<Range<usize>>,
    // The chunk: its text, where its rows are in it, their terms and values.
    text: Vec<u8>,
    rows: Vec<(Range<usize>, Terms)>,
    values: Vec<T::Value>,
    out: Vec<u8>,
    good: u64,
    bad: u64,
}

impl<T: Task, R: Read, W: Write> Sheet<T, R, W> {
    fn open(ends: Ends<R, W>) -> Result<Sheet<T, R, W>, Failure> {
        let Ends { name, input, size, output, watched } = ends;
        let mut lines = Lines::new(input);
        let mut first = Vec::new();
        let unusable = |what: String| Failure::input(format!("{name}:1: {what}"));
        let found = lines.next(&mut first);
        match found.map_err(|e| Failure::input(format!("{name}: cannot be read: {e}")))? {
            Some(true) => {}
            Some(false) => return Err(unusable("the first line is no header: too long".into())),
            None => return Err(unusable("empty; the first line must name the columns".into())),
        }
        let wanted: Vec<&str> = ["model", "cp"].into_iter().chain(T::NUMBERS).collect();
        let header = Header::read(&first, &wanted, T::GIVES).map_err(unusable)?;
        let mut sheet = Sheet {
            name,
            lines,
            output,
            size,
            watched,
            header,
            rule: Box::default(),
            fields: Vec::new(),
            text: Vec::new(),
            rows: Vec::with_capacity(CHUNK_ROWS),
            values: Vec::with_capacity(CHUNK_ROWS),
            out: Vec::new(),
            good: 0,
            bad: 0,
        };
        sheet.header.keep(&first, &mut sheet.fields, &mut sheet.out);
        for name in T::GIVES {
            sheet.out.push(b',');
            sheet.out.extend_from_slice(name.as_bytes());
        }
        sheet.out.push(b'\n');
        Ok(sheet)
    }

    /// Rows seen and rows refused.
    fn all(mut self) -> Result<(u64, u64), Stop> {
        loop {
            let start = self.text.len();
            match self.lines.next(&mut self.text).map_err(Stop::Read)? {
                None => break,
                Some(false) => self.told(&format!("longer than {LINE_BYTES_MAX} bytes")),
                Some(true) => self.line(start),
            }
            let full = self.rows.len() == CHUNK_ROWS || self.text.len() > CHUNK_BYTES;
            if full || self.lines.is_drained() {
                self.chunk()?;
            }
        }
        self.chunk()?;
        if self.watched {
            eprintln!();
        }
        Ok((self.good + self.bad, self.bad))
    }

    fn told(&mut self, reason: &str) {
        let clear = if self.watched { "\r\x1b[2K" } else { "" };
        eprintln!("{clear}zomma: {}:{}: {reason}", self.name, self.lines.number);
        self.bad += 1;
    }

    fn line(&mut self, start: usize) {
        let row = start..self.text.len();
        if self.text[row.clone()].trim_ascii().is_empty() {
            return;
        }
        match self.terms(row.clone()) {
            Ok(terms) => self.rows.push((row, terms)),
            Err(reason) => self.told(&reason),
        }
    }

    fn terms(&mut self, row: Range<usize>) -> Result<Terms, String> {
        let line = &self.text[row];
        sheet::split(line, &mut self.fields)?;
        if self.fields.len() != self.header.count {
            let (found, wanted) = (self.fields.len(), self.header.count);
            return Err(format!("{found} fields; the header has {wanted}"));
        }
        let field = |nth: usize| &line[self.fields[self.header.wanted[nth]].clone()];
        let number = |nth: usize, name: &str| {
            let text = core::str::from_utf8(sheet::bare(field(nth))).ok();
            let value = text.and_then(|text| text.parse::<f64>().ok());
            value.ok_or_else(|| format!("{name} is {}, not a number", sheet::shown(field(nth))))
        };
        let by = match sheet::bare(field(0)) {
            b"bsm" => By::European(Model::Spot),
            b"b76" | b"black" => By::European(Model::Forward),
            b"american" => By::American,
            _ => {
                let found = sheet::shown(field(0));
                return Err(format!("model is {found}; write bsm, b76 or american"));
            }
        };
        let sign = match number(1, "cp") {
            Ok(1.0) => 0.0,
            Ok(-1.0) => -0.0,
            _ => return Err(format!("cp is {}; write 1 or -1", sheet::shown(field(1)))),
        };
        let mut numbers = [0.0; 6];
        for (at, name) in T::NUMBERS.iter().enumerate() {
            // A forward's yield is the rate, whatever is written.
            let forward = *name == "q" && by == By::European(Model::Forward);
            numbers[at] = if forward { numbers[at - 1] } else { number(at + 2, name)? };
        }
        let terms = Terms { by, sign, numbers };
        T::refuse(&terms).map_or(Ok(terms), Err)
    }

    /// Values what was read and writes it out.
    fn chunk(&mut self) -> Result<(), Stop> {
        self.values.clear();
        self.values.resize(self.rows.len(), T::NONE);
        for model in [Model::Spot, Model::Forward] {
            self.value(model);
        }
        let rows = self.rows.iter().map(|(_, terms)| terms).zip(&mut self.values);
        for (terms, value) in rows.filter(|(terms, _)| terms.by == By::American) {
            *value = T::american(&self.rule, terms);
        }
        for ((row, _), value) in self.rows.iter().zip(&self.values) {
            self.header.keep(&self.text[row.clone()], &mut self.fields, &mut self.out);
            T::write(value, &mut self.out);
            self.out.push(b'\n');
        }
        self.output.write_all(&self.out).and_then(|()| self.output.flush()).map_err(Stop::Write)?;
        self.good += self.rows.len() as u64;
        if self.watched && self.size > 0 {
            let share = self.lines.bytes * 100 / self.size;
            eprint!("\r\x1b[2K{share:3} %  {} rows", self.good + self.bad);
        }
        self.rows.clear();
        self.text.clear();
        self.out.clear();
        Ok(())
    }

    // Eight rows of one model at a time, wherever they stand in the chunk.
    fn value(&mut self, model: Model) {
        let by = By::European(model);
        let mut places = (0..self.rows.len()).filter(|at| self.rows[*at].1.by == by);
        while let Some(first) = places.next() {
            let mut at = [first; LANES];
            let mut count = 1;
            for (slot, place) in at[1..].iter_mut().zip(places.by_ref()) {
                *slot = place;
                count += 1;
            }
            let rows = at.map(|at| self.rows[at].1);
            let options = columns(|column| V::from_fn(|lane| rows[lane].numbers[column]));
            let values = T::value(&options, model, &rows);
            for (place, value) in at[..count].iter().zip(values) {
                self.values[*place] = value;
            }
        }
    }
}
