//! The commands: arguments in, an exit code out. 0 done, 1 the thing checked does not hold,
//! 2 unusable input or usage, 3 the environment.

use lexopt::prelude::*;
use std::{io::Write as _, path::PathBuf, process::ExitCode};
use zomma::{
    config::{Span, Value as _},
    journal::dump::Form,
    run::{self, Failure, features::Form as List, settings::Threads},
};

#[global_allocator]
static ALLOCATOR: zomma::rt::seal::Sealed = zomma::rt::seal::Sealed;

/// A command: its name, its arguments as a user types them, what it does, and how.
struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&Arguments) -> Result<(), Failure>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "run",
        arguments: "--config F [--dir DIR] [--resume [--force]] [--for 60s] \
            [--live HASH] [--set section.key=value]…",
        about: "runs the engine until the market ends, the time is up, or it is told to stop; \
            --resume takes up the run in DIR again, --force with another program or configuration; \
            --live trades for real with the configuration of this hash",
        run: |a| run::live::run(&a.config()?, a.request()?),
    },
    Command {
        name: "check",
        arguments: "--config F [--set section.key=value]… [--keys]",
        about: "checks a configuration and what it names; --keys lists all settings",
        run: |a| if a.keys { run::check::keys() } else { run::check::check(&a.config()?) },
    },
    Command {
        name: "replay",
        arguments: "DIR [--verify] [--from N|TIME] [--to N|TIME] [--speed X] [--until-order N] \
            [--threads inline|shared|dedicated] [--config F [--set section.key=value]… \
            [--differences N]] [--force]",
        about: "replays a journal; --verify compares every output with what was decided, --config \
            shows what another configuration would have decided",
        run: |a| run::replay::replay(a.target("a journal's directory")?, &a.replay()?),
    },
    Command {
        name: "risk",
        arguments: "explain DIR --order N [--json]",
        about: "says why an order passed or was refused, limit by limit; N is its number or its \
            place among all that was judged",
        run: |a| match (a.positional.as_slice(), a.order) {
            ([verb, dir], Some(order)) if verb == "explain" => {
                run::explain::explain(dir.as_ref(), order, a.as_json)
            }
            _ => Err(Failure::input("zomma risk explain DIR --order N")),
        },
    },
    Command {
        name: "sim",
        arguments: "--seed N [--runs K] [--steps S] [--only FAULT]… [--weaken NAME] [--dir DIR]",
        about: "runs the engine among simulated faults and checks what must hold; repeats a seed",
        run: |a| {
            let case = run::simulate::Case { keep: a.dir.clone(), ..a.case.clone() };
            run::simulate::command(&case, a.runs.unwrap_or(1))
        },
    },
    Command {
        name: "price",
        arguments: "[--in FILE.csv] [--out FILE.csv]",
        about: "prices a file of options (id,model,cp,S,K,T,r,q,sigma) with all Greeks; `-` or \
                nothing is standard input or output",
        run: |a| run::price::price(a.input.as_deref(), a.output.as_deref()),
    },
    Command {
        name: "iv",
        arguments: "[--in FILE.csv] [--out FILE.csv]",
        about: "implied volatilities of a file of prices (id,model,cp,S,K,T,r,q,price), or why \
                there is none",
        run: |a| run::price::iv(a.input.as_deref(), a.output.as_deref()),
    },
    Command {
        name: "features",
        arguments: "[--config F] [--json|--markdown]",
        about: "lists the columns of a row of features: unit, range, warm-up, formula and source",
        run: |a| {
            let files = a.config.is_some().then(|| a.config()).transpose()?;
            run::features::list(files.as_ref(), a.list)
        },
    },
    Command {
        name: "report",
        arguments: "DIR [--html F] [--json F]",
        about: "prints the latency report of a run",
        run: |a| {
            let target = a.target("a run's directory")?;
            run::tools::report(target, a.html.as_deref(), a.json.as_deref())
        },
    },
    Command {
        name: "strategy",
        arguments: "list [--markdown]; new NAME",
        about: "lists the strategies with their keys and what conditions may measure; or makes a \
                new one in the sources here: file, configuration, test",
        run: |a| run::strategies::command(&a.positional, matches!(a.list, List::Markdown)),
    },
    Command {
        name: "journal",
        arguments: "verify|stat|dump|follow DIR [--inputs] [--outputs] [--from N|TIME] \
            [--to N|TIME] [--kind K,…] [--instrument I,…] [--json|--csv] [--skip-damaged] \
            [--force]; cut DIR OUT [--from N|TIME] [--to N|TIME]",
        about: "checks, summarises, prints or follows a journal, or cuts a span out of it",
        run: |a| match a.positional.as_slice() {
            [verb, dir, to @ ..] if to.len() <= usize::from(verb == "cut") => {
                let (verb, to) = (verb.to_string_lossy(), to.first().map(|to| to.as_ref()));
                run::tools::journal(&verb, dir.as_ref(), to, &a.wanted)
            }
            _ => Err(Failure::input(format!(
                "zomma journal: name a verb ({}) and DIR",
                run::tools::VERBS
            ))),
        },
    },
];

/// Everything that was typed; each command takes what it knows.
#[derive(Default)]
struct Arguments {
    positional: Vec<std::ffi::OsString>,
    config: Option<PathBuf>,
    dir: Option<PathBuf>,
    input: Option<PathBuf>,
    output: Option<PathBuf>,
    html: Option<PathBuf>,
    json: Option<PathBuf>,
    sets: Vec<String>,
    span: Option<Span>,
    case: run::simulate::Case,
    runs: Option<u64>,
    keys: bool,
    resume: bool,
    live: Option<String>,
    order: Option<u64>,
    as_json: bool,
    wanted: run::tools::Request,
    replay: run::replay::Request,
    list: List,
}

impl Arguments {
    fn parse(command: &str, parser: &mut lexopt::Parser) -> Result<Arguments, lexopt::Error> {
        let mut found = Arguments::default();
        while let Some(argument) = parser.next()? {
            let Arguments { wanted, replay, .. } = &mut found;
            match argument {
                Long("json") if command == "journal" => wanted.form = Form::Json,
                Long("json") if command == "risk" => found.as_json = true,
                Long("order") => found.order = Some(parser.value()?.parse()?),
                Long("json") if command == "features" => found.list = List::Json,
                Long("markdown") => found.list = List::Markdown,
                Long("csv") => wanted.form = Form::Csv,
                Long("inputs") => wanted.inputs = true,
                Long("outputs") => wanted.outputs = true,
                Long("from") => wanted.from = Some(parser.value()?.string()?),
                Long("to") => wanted.to = Some(parser.value()?.string()?),
                Long("kind") => wanted.kinds = parser.value()?.string()?,
                Long("instrument") => wanted.instruments = parser.value()?.string()?,
                Long("force") => wanted.force = true,
                Long("skip-damaged") => wanted.skip = true,
                Long("speed") => replay.speed = Some(positive(&parser.value()?.string()?)?),
                Long("until-order") => replay.until_order = Some(parser.value()?.parse()?),
                Long("threads") => replay.threads = Some(threads(&parser.value()?.string()?)?),
                Long("differences") => replay.differences = Some(parser.value()?.parse()?),
                Long("verify") => replay.verify = true,
                Long("config") => found.config = Some(parser.value()?.into()),
                Long("dir") => found.dir = Some(parser.value()?.into()),
                Long("in") => found.input = Some(parser.value()?.into()),
                Long("out") => found.output = Some(parser.value()?.into()),
                Long("html") => found.html = Some(parser.value()?.into()),
                Long("json") => found.json = Some(parser.value()?.into()),
                Long("set") => found.sets.push(parser.value()?.string()?),
                Long("for") => found.span = Some(span(&parser.value()?.string()?)?),
                Long("seed") => found.case.seed = parser.value()?.parse()?,
                Long("steps") => found.case.steps = parser.value()?.parse()?,
                Long("only") => {
                    let name = parser.value()?.string()?;
                    found.case.only.get_or_insert_default().push(name);
                }
                Long("weaken") => found.case.weakness = Some(weakness(&parser.value()?.string()?)?),
                Long("runs") => found.runs = Some(parser.value()?.parse()?),
                Long("keys") => found.keys = true,
                Long("resume") => found.resume = true,
                Long("live") => found.live = Some(parser.value()?.string()?),
                Value(value) => found.positional.push(value),
                other => return Err(other.unexpected()),
            }
        }
        Ok(found)
    }

    fn config(&self) -> Result<run::Files, Failure> {
        let path = self.config.as_ref().ok_or_else(|| Failure::input("--config F is missing"))?;
        Ok(run::Files::gather(path, &self.sets)?)
    }

    fn request(&self) -> Result<run::live::Request<'_>, Failure> {
        if self.resume && self.dir.is_none() {
            return Err(Failure::input("--resume: name the run's directory with --dir DIR"));
        }
        let (directory, force) = (self.dir.as_deref(), self.wanted.force);
        let (resume, live) = (self.resume, self.live.as_deref());
        Ok(run::live::Request { directory, span: self.span, resume, force, live })
    }

    fn replay(&self) -> Result<run::replay::Request, Failure> {
        let files = self.config.is_some().then(|| self.config()).transpose()?;
        let run::tools::Request { from, to, force, .. } = self.wanted.clone();
        Ok(run::replay::Request { files, from, to, force, ..self.replay.clone() })
    }

    fn target(&self, what: &str) -> Result<&std::path::Path, Failure> {
        match self.positional.as_slice() {
            [one] => Ok(one.as_ref()),
            _ => Err(Failure::input(format!("name {what}, and nothing else"))),
        }
    }
}

fn span(text: &str) -> Result<Span, lexopt::Error> {
    Span::read(&toml::Value::String(text.into()))
        .ok_or_else(|| format!("--for is {text:?}; write {}", Span::WANTED).into())
}

fn weakness(name: &str) -> Result<run::simulate::Weakness, lexopt::Error> {
    run::simulate::Weakness::named(name).ok_or_else(|| {
        let names = run::simulate::WEAKNESSES.iter().map(|row| row.name);
        format!("--weaken {name}: write one of {}", names.collect::<Vec<_>>().join(", ")).into()
    })
}

fn positive(text: &str) -> Result<f64, lexopt::Error> {
    let number = text.parse().ok().filter(|speed: &f64| *speed > 0.0 && speed.is_finite());
    number.ok_or_else(|| format!("--speed is {text:?}; write a number above 0").into())
}

fn threads(text: &str) -> Result<Threads, lexopt::Error> {
    Threads::read(&toml::Value::String(text.into()))
        .ok_or_else(|| format!("--threads is {text:?}; write {}", Threads::WANTED).into())
}

fn usage() -> String {
    let mut text = String::from("zomma: from tick to order on pinned cores\n\n");
    for command in COMMANDS {
        text +=
            &format!("  zomma {} {}\n      {}\n", command.name, command.arguments, command.about);
    }
    text
}

fn dispatch() -> Result<(), Failure> {
    let mut parser = lexopt::Parser::from_env();
    let typed = |e: lexopt::Error| Failure::input(format!("{e}; see `zomma help`"));
    let name = match parser.next().map_err(typed)? {
        Some(Value(name)) => name.to_string_lossy().into_owned(),
        Some(Long("version") | Short('V')) => "version".into(),
        _ => "help".into(),
    };
    match name.as_str() {
        "help" => run::say::write(format_args!("{}", usage())),
        "version" => {
            run::say::write(format_args!("zomma {}\n", env!("CARGO_PKG_VERSION")));
        }
        _ => {
            let found = COMMANDS.iter().find(|command| command.name == name);
            let unknown = || Failure::input(format!("no command {name:?}; see `zomma help`"));
            let command = found.ok_or_else(unknown)?;
            return (command.run)(&Arguments::parse(&name, &mut parser).map_err(typed)?);
        }
    }
    Ok(())
}

/// A line on the standard error, if that takes any.
fn tell(line: &str) {
    drop(writeln!(std::io::stderr(), "zomma: {line}"));
}

/// More stack than anything here needs, there from the start: it grows as it is used, and where
/// there is no memory left that is a death without a word.
#[inline(never)]
fn reserve_stack() {
    std::hint::black_box(&mut [0u8; 1 << 20]);
}

fn main() -> ExitCode {
    reserve_stack();
    let outcome = run::host::check_cpu().and_then(|()| dispatch());
    match outcome {
        Ok(()) if run::say::lost() => {
            tell("the standard output could not be written; what it was to hold is incomplete");
            ExitCode::from(3)
        }
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.message.lines().for_each(tell);
            ExitCode::from(failure.code)
        }
    }
}
