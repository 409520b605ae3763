//! Command-line arguments in; what to do, or what is wrong with them, out.

use crate::{fault, server::Idle};
use lexopt::prelude::*;
use std::{net::SocketAddr, path::PathBuf};
use zomma::config::{Span, Value};

/// What to serve.
#[derive(Debug, PartialEq)]
pub enum Job {
    /// Recorded files, one per dataset.
    Replay(Vec<PathBuf>),
    /// A simulated market.
    Simulate(PathBuf),
    /// No market: a bare client of one.
    Echo,
    /// The help.
    Help,
}

/// The arguments.
#[derive(Debug)]
pub struct Options {
    /// What to serve.
    pub job: Job,
    /// Port of the live gateway; with `--echo` that of the market to connect to.
    pub listen: SocketAddr,
    /// Port of the broker; with `--echo` that of the market.
    pub orders: SocketAddr,
    /// The market's time to wall time; `Some(None)` for flat out.
    pub speed: Option<Option<f64>>,
    /// Sessions to wait for.
    pub sessions: Option<usize>,
    /// Whether to wait for an order session too.
    pub wait_orders: bool,
    /// Name of the variable that holds the API key.
    pub key_env: String,
    /// Names for the datasets of the recorded files, in order.
    pub datasets: Vec<String>,
    /// From receipt of an order to the book, ns.
    pub latency_ns: u64,
    /// Every order fills at its limit.
    pub fill_at_limit: bool,
    /// What goes wrong.
    pub plan: fault::Plan,
    /// Seed of faults.
    pub seed: u64,
    /// Where the statistics go.
    pub stats: Option<PathBuf>,
    /// Where datagrams go, by dataset in order.
    pub udp: Vec<SocketAddr>,
    /// When nothing is due.
    pub idle: Idle,
    /// How long order clients may stay after the end, ns.
    pub linger_ns: u64,
    /// `--echo`: an order every so many records.
    pub every: u64,
    /// `--echo`: the dataset and the symbols (parent) to subscribe to.
    pub subscribe: (String, String),
}

/// The help.
pub const HELP: &str = "\
zomma-market: the other side of the wire, on loopback

  zomma-market --replay FILE.dbn.zst [--underlying FILE.dbn.zst] [options]
  zomma-market --simulate CONFIG.toml [options]
  zomma-market --echo --listen HOST:PORT --orders HOST:PORT   a bare client, to compare with

  --listen ADDR       live gateway (127.0.0.1:13000; port 0 takes a free one)
  --orders ADDR       FIX 4.4 broker (127.0.0.1:13001)
  --speed N|max       market seconds per second (replay: 1; simulate: as configured)
  --sessions N        start when so many sessions have (1; 2 with an underlying)
  --wait-orders       and when an order session is logged on
  --key-env NAME      variable with the API key (DATABENTO_API_KEY; unset: any key is good)
  --dataset NAME      another name for the dataset of a recorded file; repeat in their order
  --latency SPAN      from receipt of an order to the book, such as 250us (0s)
  --fill-at-limit     fill every order at once at its limit: for latency tests
  --fault PLAN        drop=P, dup=P, reorder=P, garbage=P, reject=P, repeat=P (P from 0 to 1),
                      astray=N (contracts that the broker books and nobody has traded),
                      disconnect=every:5s or disconnect=at:5s, stall=1s@10s, burst=100x@10s/200ms
  --seed N            of the faults (1)
  --udp ADDR          also send numbered datagrams of records; repeat per dataset
  --idle HOW          spin, yield or sleep when nothing is due (yield)
  --linger SPAN       how long order clients may stay after the end (5s)
  --stats FILE        write wire-to-wire percentiles and counts as JSON
  --every N           echo: an order every N records (10)
  --subscribe DATASET,SYMBOL   echo: what to subscribe to (OPRA.PILLAR,SPXW.OPT)

Exit codes: 0 done, 2 unusable input or usage, 3 the environment (port, disk).
";

impl Options {
    /// Reads the arguments of the process.
    pub fn from_arguments() -> Result<Options, String> {
        Options::parse(lexopt::Parser::from_env())
    }

    fn parse(mut parser: lexopt::Parser) -> Result<Options, String> {
        let mut options = Options::default();
        let mut jobs: Vec<Job> = Vec::new();
        let mut underlying = None;
        while let Some(argument) = parser.next().map_err(said)? {
            match argument {
                Long("replay") => jobs.push(Job::Replay(vec![path(&mut parser)?])),
                Long("underlying") => underlying = Some(path(&mut parser)?),
                Long("simulate") => jobs.push(Job::Simulate(path(&mut parser)?)),
                Long("echo") => jobs.push(Job::Echo),
                Short('h') | Long("help") => jobs = vec![Job::Help],
                Long(name) => {
                    let name = name.to_string();
                    options.set(&name, &mut parser)?;
                }
                other => return Err(format!("{}; see --help", said(other.unexpected()))),
            }
        }
        options.job = match (jobs.len(), jobs.pop()) {
            (_, Some(Job::Help)) => Job::Help,
            (1, Some(Job::Replay(files))) => {
                Job::Replay(files.into_iter().chain(underlying).collect())
            }
            (1, Some(job)) => job,
            _ => return Err("give one of --replay, --simulate and --echo; see --help".into()),
        };
        Ok(options)
    }

    fn set(&mut self, name: &str, parser: &mut lexopt::Parser) -> Result<(), String> {
        match name {
            "wait-orders" => self.wait_orders = true,
            "fill-at-limit" => self.fill_at_limit = true,
            _ => {
                let value = parser.value().map_err(said)?.into_string();
                let value = value.map_err(|v| format!("--{name} {v:?}: no text"))?;
                self.set_value(name, &value)?;
            }
        }
        Ok(())
    }

    fn set_value(&mut self, name: &str, value: &str) -> Result<(), String> {
        let wrong = |wanted: &str| format!("--{name} {value}: write {wanted}");
        let address = || value.parse().map_err(|_| wanted_address(name, value));
        let number = || value.parse().map_err(|_| wrong("a whole number"));
        let span = || {
            let read = Span::read(&toml::Value::String(value.into()));
            read.map(Span::nanos).ok_or_else(|| wrong("a duration such as 250us or 5s"))
        };
        match name {
            "listen" => self.listen = address()?,
            "orders" => self.orders = address()?,
            "udp" => self.udp.push(address()?),
            "speed" if value == "max" => self.speed = Some(None),
            "speed" => {
                let speed = value.parse().ok().filter(|s| (0.001..=1e9).contains(s));
                self.speed = Some(Some(speed.ok_or_else(|| wrong("a number above 0, or max"))?));
            }
            "sessions" => self.sessions = Some(number()? as usize),
            "key-env" => self.key_env = value.into(),
            "dataset" => self.datasets.push(value.into()),
            "latency" => self.latency_ns = span()?,
            "linger" => self.linger_ns = span()?,
            "fault" => self.plan = fault::Plan::parse(value)?,
            "seed" => self.seed = number()?,
            "stats" => self.stats = Some(value.into()),
            "idle" => {
                self.idle = match value {
                    "spin" => Idle::Spin,
                    "yield" => Idle::Yield,
                    "sleep" => Idle::Sleep,
                    _ => return Err(wrong("spin, yield or sleep")),
                }
            }
            "every" => self.every = number()?.max(1),
            "subscribe" => {
                let (dataset, symbol) =
                    value.split_once(',').ok_or_else(|| wrong("DATASET,SYMBOL"))?;
                self.subscribe = (dataset.into(), symbol.into());
            }
            _ => return Err(format!("--{name}: no such option; see --help")),
        }
        Ok(())
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            job: Job::Help,
            listen: SocketAddr::from(([127, 0, 0, 1], 13_000)),
            orders: SocketAddr::from(([127, 0, 0, 1], 13_001)),
            speed: None,
            sessions: None,
            wait_orders: false,
            key_env: "DATABENTO_API_KEY".into(),
            datasets: Vec::new(),
            latency_ns: 0,
            fill_at_limit: false,
            plan: fault::Plan::default(),
            seed: 1,
            stats: None,
            udp: Vec::new(),
            idle: Idle::default(),
            linger_ns: 5_000_000_000,
            every: 10,
            subscribe: ("OPRA.PILLAR".into(), "SPXW.OPT".into()),
        }
    }
}

fn said(error: lexopt::Error) -> String {
    error.to_string()
}

fn wanted_address(name: &str, value: &str) -> String {
    format!("--{name} {value}: write an address and a port such as 127.0.0.1:13000")
}

fn path(parser: &mut lexopt::Parser) -> Result<PathBuf, String> {
    parser.value().map(PathBuf::from).map_err(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(lexopt::Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn arguments_are_read_in_any_order() {
        let line = "--speed max --underlying u.dbn --replay o.dbn --latency 250us --orders [::1]:0";
        let options = parse(line).unwrap();
        assert_eq!(options.job, Job::Replay(vec!["o.dbn".into(), "u.dbn".into()]));
        assert_eq!((options.speed, options.latency_ns), (Some(None), 250_000));
        assert_eq!(options.orders.port(), 0);
    }

    #[test]
    fn every_mistake_says_what_to_write() {
        for (line, part) in [
            ("", "--replay"),
            ("--replay a --simulate b", "give one"),
            ("--replay a --speed fast", "a number above 0, or max"),
            ("--replay a --speed 0", "a number above 0, or max"),
            ("--replay a --listen here", "127.0.0.1:13000"),
            ("--replay a --latency 5", "250us"),
            ("--replay a --fault x=1", "drop=P"),
            ("--replay a --wrong 1", "no such option"),
            ("--replay", "missing argument"),
        ] {
            let said = parse(line).unwrap_err();
            assert!(said.contains(part), "{line}: {said}");
        }
    }
}
