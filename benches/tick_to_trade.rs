//! From tick to order, over real sockets, beside a client that does nothing: the market and each
//! grouping of the engine, the market and the echo, at each rate; one table of what was seen.
//!
//! In-process is the engine's own histogram (return of the read that held the tick to the return of
//! the order's write), wire-to-wire the market's (intended send time of the tick to the receipt
//! of the order). Every run's journal is replayed and compared.
//!
//! `cargo bench --bench tick_to_trade -- [--for 10s] [--only inline,echo] [--rate 10k]
//!  [--set section.key=value]… [--keep DIR]`
#![allow(missing_docs, clippy::disallowed_methods)]

use std::{
    error::Error,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use zomma::rt::{counters::Counters, histogram::Histograms, pin};

type Outcome<T> = Result<T, Box<dyn Error>>;

const ENGINE: &str = env!("CARGO_BIN_EXE_zomma");
const KEY: &str = "loopback-key-of-no-value-0000001";
/// Name, and an order every so many batches (of the engine) or records (of the echo).
const RATES: [(&str, u32); 2] = [("10k", 10), ("100k", 100)];
/// Name and hot threads.
const CLIENTS: [(&str, usize); 4] = [("echo", 1), ("inline", 1), ("shared", 2), ("dedicated", 4)];

#[derive(Default)]
struct Options {
    seconds: u64,
    only: Vec<String>,
    rates: Vec<String>,
    sets: Vec<String>,
    keep: Option<PathBuf>,
}

/// Of one client at one rate; durations at p50, p99 and p99.9 in ns, then their count.
#[derive(Default)]
struct Seen {
    wire: [u64; 4],
    inside: Option<[u64; 4]>,
    noise: [u64; 4],
    /// Allocations, page faults, stalls of the hot threads.
    blemishes: [u64; 3],
    replayed: bool,
}

fn options() -> Option<Options> {
    let mut options = Options { seconds: 10, ..Options::default() };
    let mut arguments = std::env::args().skip(1);
    let list = |text: String| text.split(',').map(String::from).collect();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--test" => return None,
            "--for" => options.seconds = arguments.next()?.trim_end_matches('s').parse().ok()?,
            "--only" => options.only = list(arguments.next()?),
            "--rate" => options.rates = list(arguments.next()?),
            "--set" => options.sets.push(arguments.next()?),
            "--keep" => options.keep = Some(arguments.next()?.into()),
            _ => {}
        }
    }
    Some(options)
}

/// The market's program lies beside ours, once it is built.
fn market_program() -> Outcome<PathBuf> {
    let cargo = std::env::var("CARGO").unwrap_or("cargo".into());
    let build = ["build", "--release", "--locked", "-q", "-p", "zomma-market"];
    match Command::new(cargo).args(build).status()?.success() {
        true => Ok(Path::new(ENGINE).with_file_name("zomma-market")),
        false => Err("zomma-market was not built".into()),
    }
}

/// A program on one core, with real-time scheduling where it spins alone there and the host grants
/// it.
fn placed(program: &Path, core: &str, spins: bool) -> Command {
    let may =
        || Command::new("chrt").args(["-f", "10", "true"]).status().is_ok_and(|s| s.success());
    let words: &[&str] = match spins && may() {
        true => &["chrt", "-f", "10", "taskset", "-c", core],
        false => &["taskset", "-c", core],
    };
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(program).env("DATABENTO_API_KEY", KEY);
    command
}

struct Market {
    child: Child,
    data: String,
    orders: String,
    stats: PathBuf,
}

impl Market {
    fn start(
        program: &Path,
        rate: &str,
        at: &Path,
        sessions: &str,
        spins: bool,
    ) -> Outcome<Market> {
        let stats = at.join("wire.json");
        let mut command = placed(program, "0", spins);
        command.arg("--simulate").arg(format!("config/latency/market_{rate}.toml"));
        command.args(["--listen", "127.0.0.1:0", "--orders", "127.0.0.1:0"]);
        command.args(["--sessions", sessions, "--idle", if spins { "spin" } else { "yield" }]);
        // The echo logs on to the order port when its data flows already.
        (sessions == "2").then(|| command.arg("--wait-orders"));
        let mut child = command.arg("--stats").arg(&stats).stdout(Stdio::piped()).spawn()?;
        let mut out = BufReader::new(child.stdout.take().ok_or("the market has no output")?);
        let mut line = String::new();
        out.read_line(&mut line)?;
        // Its last words go nowhere; the pipe must not fill.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        let field = |name: &str| {
            let found = line.split_whitespace().find_map(|word| word.strip_prefix(name));
            found.map(String::from).ok_or_else(|| format!("the market said {line:?}"))
        };
        Ok(Market { data: field("data=")?, orders: field("orders=")?, child, stats })
    }

    /// Stops it and reads what it measured.
    fn stop(mut self) -> Outcome<[u64; 4]> {
        interrupt(&self.child)?;
        self.child.wait()?;
        let stats: serde_json::Value = serde_json::from_str(&fs::read_to_string(&self.stats)?)?;
        let of = |name: &str| stats["wire_to_wire"][name].as_u64().unwrap_or(0);
        Ok(["p50", "p99", "p99.9", "count"].map(of))
    }
}

fn interrupt(child: &Child) -> Outcome<()> {
    Command::new("kill").args(["-INT", &child.id().to_string()]).status()?;
    Ok(())
}

fn echo(program: &Path, rate: (&str, u32), options: &Options, at: &Path) -> Outcome<Seen> {
    let market = Market::start(program, rate.0, at, "1", true)?;
    let mut command = placed(program, "1", true);
    command.args(["--echo", "--listen", &market.data, "--orders", &market.orders]);
    command.args(["--every", &rate.1.to_string()]).stdout(Stdio::null());
    let mut child = command.spawn()?;
    std::thread::sleep(Duration::from_secs(options.seconds));
    interrupt(&child)?;
    child.wait()?;
    Ok(Seen { wire: market.stop()?, replayed: true, ..Seen::default() })
}

/// Where there are fewer cores than spinning threads, nobody spins: two real-time threads that do
/// so on one core would hang it.
fn engine(
    program: &Path,
    rate: (&str, u32),
    client: (&str, usize),
    options: &Options,
    at: &Path,
) -> Outcome<Seen> {
    let spins = client.1 < pin::cores().len();
    let market = Market::start(program, rate.0, at, "2", spins)?;
    let run = at.join("run");
    let mut command = Command::new(ENGINE);
    command.args(["run", "--config", "config/latency.toml", "--dir"]).arg(&run);
    command.args(["--for", &format!("{}s", options.seconds)]);
    let mut set = |text: String| {
        command.args(["--set", &text]);
    };
    set(format!("run.threads={}", client.0));
    set(format!("run.strategies=['latency/probe_{}.toml']", rate.1));
    set(format!("run.state='{}'", at.join("state").display()));
    set(format!("session.1.address={:?}", market.data));
    set(format!("session.2.address={:?}", market.data));
    set(format!("session.3.address={:?}", market.orders));
    if !spins {
        for text in ["run.cores=[]", "run.cold_core=-1", "run.fifo=false", "run.idle=yield"] {
            set(text.into());
        }
    }
    options.sets.iter().for_each(|text| set(text.clone()));
    command.env("DATABENTO_API_KEY", KEY);
    let log = fs::File::create(at.join("engine.log"))?;
    let status = command.stdout(log).status()?;
    let wire = market.stop()?;
    if !status.success() {
        return Err(format!("the engine ended with {status}").into());
    }
    let replay = Command::new(ENGINE).arg("replay").arg(&run).arg("--verify").output()?;
    Ok(Seen { wire, replayed: replay.status.success(), ..inside(&run)? })
}

/// What the engine measured itself.
fn inside(run: &Path) -> Outcome<Seen> {
    let all = Histograms::open(&run.join("histograms"))?.read();
    let of = |name: &str| {
        let found = all.iter().find(|snapshot| snapshot.label.name == name);
        found.map(|found| {
            let at = |q| found.counts.value_at_quantile(q);
            [at(0.5), at(0.99), at(0.999), found.counts.len()]
        })
    };
    let counters = Counters::open(&run.join("counters"))?.read();
    let sum = |name: &str| counters.iter().filter(|c| c.label.name == name).map(|c| c.value).sum();
    Ok(Seen {
        inside: of("tick_to_trade"),
        noise: of("noise").unwrap_or_default(),
        blemishes: ["allocations_after_start", "faults_after_start", "stalls"].map(sum),
        ..Seen::default()
    })
}

fn print_row(rate: &str, client: (&str, usize), seen: &Seen) {
    let micros = |values: &[u64; 4]| {
        let [a, b, c] = [0, 1, 2].map(|i| values[i] as f64 / 1e3);
        format!("{a:>8.1} {b:>8.1} {c:>9.1}")
    };
    let inside = seen.inside.as_ref().map_or(format!("{:>27}", "-"), micros);
    let [allocations, faults, stalls] = seen.blemishes;
    println!(
        "{rate:>5} {:<10}{} {inside}  {} {:>7} {:>10.1}  {allocations} {faults} {stalls}  {}",
        client.0,
        if client.1 < pin::cores().len() { " " } else { "*" },
        micros(&seen.wire),
        seen.wire[3],
        seen.noise[2] as f64 / 1e3,
        if seen.replayed { "yes" } else { "NO" },
    );
}

fn main() -> Outcome<()> {
    let Some(options) = options() else { return Ok(()) };
    let program = market_program()?;
    let folder = tempfile::tempdir()?;
    let folder = options.keep.as_deref().unwrap_or(folder.path());
    let wanted = |list: &[String], name: &str| list.is_empty() || list.iter().any(|l| l == name);
    println!(
        "µs; 1,000 orders a second; noise: the host at p99.9; *: fewer cores than \
         threads, so all yield\n rate client       in: p50      p99     p99.9  wire: p50      p99  \
         \x20p99.9  orders     noise  allocations faults stalls  replayed"
    );
    for rate in RATES.into_iter().filter(|rate| wanted(&options.rates, rate.0)) {
        for client in CLIENTS.into_iter().filter(|client| wanted(&options.only, client.0)) {
            let at = folder.join(format!("{}-{}", client.0, rate.0));
            fs::create_dir_all(&at)?;
            let seen = match client.0 {
                "echo" => echo(&program, rate, &options, &at)?,
                _ => engine(&program, rate, client, &options, &at)?,
            };
            print_row(rate.0, client, &seen);
        }
    }
    Ok(())
}
