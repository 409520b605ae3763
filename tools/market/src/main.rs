//! Arguments in; a served market, a summary and an exit code out.

use std::{
    fs,
    io::Write,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use zomma_market::{
    cli::{HELP, Job, Options},
    clock::Clock,
    echo,
    fault::Fates,
    lsg::Keys,
    server::{Server, Settings, Summary},
    sim::{Config, Simulation},
    source::Source,
    tape::Tape,
    udp::Multicast,
    venue::Terms,
};

/// Why there is no market: unusable input or usage (2), or the environment (3).
enum Failure {
    Input(String),
    Environment(String),
}

use Failure::{Environment, Input};

fn main() -> ExitCode {
    let (code, text) = match run() {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Input(text)) => (2, text),
        Err(Environment(text)) => (3, text),
    };
    eprintln!("zomma-market: {text}");
    ExitCode::from(code)
}

fn run() -> Result<(), Failure> {
    let options = Options::from_arguments().map_err(Input)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        let hooked = signal_hook::flag::register(signal, stop.clone());
        hooked.map_err(|e| Environment(format!("signals: {e}")))?;
    }
    if options.job == Job::Help {
        print!("{HELP}");
        return Ok(());
    }
    let keys = Keys::from_environment(&options.key_env).map_err(Input)?;
    if options.job == Job::Echo {
        let text = echo::run(&options, &stop).map_err(|e| Environment(format!("echo: {e}")))?;
        println!("{text}");
        return Ok(());
    }
    let (source, speed) = market(&options)?;
    let (data, orders) = (bind("listen", options.listen)?, bind("orders", options.orders)?);
    let ready = format!("ready data={} orders={}", local(&data)?, local(&orders)?);
    let datasets = source.catalog().datasets.len();
    let settings = Settings {
        sessions: options.sessions.unwrap_or(datasets),
        wait_orders: options.wait_orders,
        keys,
        speed: options.speed.unwrap_or(speed),
        terms: Terms {
            latency_ns: options.latency_ns,
            fill_at_limit: options.fill_at_limit,
            ..Terms::default()
        },
        plan: options.plan.clone(),
        seed: options.seed,
        idle: options.idle,
        linger_ns: options.linger_ns,
    };
    let udp = multicasts(&options)?;
    let server = Server::new(settings, source, data, orders, udp)
        .map_err(|e| Environment(format!("sockets: {e}")))?;
    println!("{ready}");
    // Whoever started us may have gone; serving goes on without a reader.
    let _ = std::io::stdout().flush();
    let summary = server.run(&stop);
    let interrupted = stop.load(Ordering::Relaxed);
    report(&summary, interrupted, options.stats.as_deref())
}

fn market(options: &Options) -> Result<(Box<dyn Source>, Option<f64>), Failure> {
    match &options.job {
        Job::Simulate(file) => {
            let name = file.display().to_string();
            let text = fs::read_to_string(file)
                .map_err(|e| Environment(format!("{name}: {e}; give a readable configuration")))?;
            let config = Config::read(&name, &text).map_err(|errors| {
                let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
                Input(lines.join("\nzomma-market: "))
            })?;
            let simulation = Simulation::new(config, Clock::start().now())
                .ok_or_else(|| Input(format!("{name}: dates are out of the calendar's range")))?;
            let speed = simulation.speed();
            Ok((Box::new(simulation), Some(speed)))
        }
        Job::Replay(files) => {
            let files: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
            let tape = Tape::open(&files, &options.datasets).map_err(missing)?;
            Ok((Box::new(tape), Some(1.0)))
        }
        Job::Echo | Job::Help => Err(Input("no market".into())),
    }
}

/// A file that is not there is the environment's, one that does not decode is input.
fn missing(text: String) -> Failure {
    match text.contains("No such file") || text.contains("Permission denied") {
        true => Environment(text),
        false => Input(text),
    }
}

fn bind(name: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|e| {
        Environment(format!("--{name} {address}: {e}; free the port or choose another (0 for any)"))
    })
}

fn local(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(|e| Environment(format!("sockets: {e}")))
}

fn multicasts(options: &Options) -> Result<Vec<Multicast>, Failure> {
    let mut all = Vec::new();
    for (i, to) in options.udp.iter().enumerate() {
        let fates = Fates::new(&options.plan, options.seed + 1 + i as u64);
        let opened = Multicast::open(*to, Ipv4Addr::LOCALHOST, fates);
        all.push(opened.map_err(|e| Environment(format!("--udp {to}: {e}")))?);
    }
    Ok(all)
}

fn report(summary: &Summary, interrupted: bool, stats: Option<&Path>) -> Result<(), Failure> {
    let (orders, cancels, packages) = summary.orders;
    let seconds = summary.took_ns as f64 / 1e9;
    let rate = summary.records as f64 / seconds.max(1e-9);
    let [dropped, doubled, delayed, spoilt] = summary.faults;
    println!(
        "records {} sent {} seconds {seconds:.3} per-second {rate:.0} datagrams {}{}",
        summary.records,
        summary.sent,
        summary.datagrams,
        if interrupted { " (interrupted)" } else { "" }
    );
    println!("faults dropped {dropped} doubled {doubled} delayed {delayed} spoilt {spoilt}");
    println!("orders {orders} cancels {cancels} packages-filled {packages}");
    println!("{}", summary.wire.line());
    let Some(file) = stats else { return Ok(()) };
    let json = serde_json::json!({
        "records": summary.records,
        "sent": summary.sent,
        "seconds": seconds,
        "interrupted": interrupted,
        "datagrams": summary.datagrams,
        "faults": {"dropped": dropped, "doubled": doubled, "delayed": delayed, "spoilt": spoilt},
        "orders": {"orders": orders, "cancels": cancels, "packages": packages},
        "wire_to_wire": summary.wire.json(),
    });
    fs::write(file, format!("{json:#}\n"))
        .map_err(|e| Environment(format!("{}: {e}; give --stats a writable file", file.display())))
}
