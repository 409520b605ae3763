//! A market and a configuration in; the engine's process, its counters while it runs, and the
//! directory that it leaves, out.

use crate::common::{KEY, Market, serve, settings};
use std::{
    env, fs,
    io::Read,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use zomma::{
    book::Desk,
    chain::Track,
    feature::Features,
    greeks::Revalue,
    journal::{Manifest, Reader, Status, Stream, tool},
    risk::{Cleared, Risk},
    rt::{counters::Counters, seal::Sealed},
    run::{Files, Plan, live, replay, report},
    stage::{Emit, Then},
    strategy::Decide,
    wire::{
        Event, Kind,
        market::Interest,
        order::{Leg, Order, Report, ReportKind},
    },
};
use zomma_market::{
    catalog::Catalog,
    fault,
    record::{Fields, rtype},
    server::{Settings, Summary},
    sim::{Config, Simulation},
    source::{Item, Source},
};

#[global_allocator]
static ALLOCATOR: Sealed = Sealed;

/// The last hour of a simulated day in two seconds.
pub const HOUR: &str = "[session]\nopen = \"15:00\"\nclose = \"16:00\"\n\
    speed = 1800.0\nrate = 6000.0\n[chain]\ndays = [0, 1]\nstrikes = 12\n\
    [quotes]\nwidth = 6.0\ntrades = 0.05\n";

/// Everything is allowed that a test of the pipeline wants to do.
const LIMITS: &str = concat!(
    "[account]\ncapital = 10000000.0\npackages_max = 4096\n\
    [limits]\norder_contracts_max = 1000\norder_premium_max = 1e8\n\
    order_loss_max = 1e8\ntrade_risk_share_max = 1.0\nexpiry_loss_max = 1e9\n\
    strategy_risk_share_max = 1.0\nopen_packages_max = 2000\nworking_orders_max = 100\n\
    position_contracts_max = 100000\ndaily_loss_max = 1e8\nquote_age_max = \"2h\"\n\
    leg_spread_max = 100.0\nsize_share_max = 1e6\ncollar_max = 100.0\nmessage_rate_max = 100000\n\
    message_burst = 100000\nduplicate_window = \"0s\"\nrejects_in_a_row_max = 1000000\n\
    expiry_margin_min = \"1m\"\n",
    include_str!("../../../../src/run/simulate/wide.toml")
);

pub const CONDOR: &str = "[[iron_condor]]\nname = \"condor\"\nroot = \"SPXW\"\n\
    entry_windows = [\"15:02-15:10\", \"15:15-15:25\"]\nshort_delta = 0.2\n\
    short_delta_tolerance = 0.15\nwing_width = 5.0\nwing_width_max = 20.0\ncredit_min = 0.05\n\
    credit_width_share_min = 0.0\nleg_spread_max = 5.0\nleg_spread_share_max = 2.0\n\
    quote_age_max = \"1h\"\ntime_exit = \"15:50\"\n";

const PROBE: &str = "[[probe]]\nname = \"probe\"\nevery = 20\nplace = \"ask\"\nworking_max = 8\n";

/// Two cores are little: whole runs come one after the other.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the market has produced, by kind.
#[derive(Clone, Debug, Default)]
pub struct Produced {
    pub quotes: u64,
    pub quote_size: u64,
    pub spots: u64,
    pub trades: u64,
    pub volume: u64,
    pub interests: u64,
    pub definitions: u64,
    pub open: std::collections::BTreeMap<u32, i64>,
}

impl Produced {
    fn take(&mut self, item: &Item<'_>) {
        let bytes = item.bytes;
        match bytes.rtype() {
            rtype::CMBP1 => {
                self.quotes += 1;
                self.quote_size += u64::from(bytes.u32_at(64)) + u64::from(bytes.u32_at(68));
            }
            rtype::MBP1 => self.spots += 1,
            rtype::TRADE => {
                self.trades += 1;
                self.volume += u64::from(bytes.u32_at(24));
            }
            rtype::STATISTICS => {
                self.interests += 1;
                self.open.insert(item.index, bytes.i64_at(40));
            }
            rtype::DEFINITION => self.definitions += 1,
            _ => {}
        }
    }
}

/// A source that is counted as it goes out.
struct Counted(Box<dyn Source>, Arc<Mutex<Produced>>);

impl Source for Counted {
    fn opens(&self) -> u64 {
        self.0.opens()
    }
    fn on_start(&mut self, wall: u64) {
        self.0.on_start(wall);
    }
    fn peek(&mut self) -> Option<u64> {
        self.0.peek()
    }
    fn take(&mut self) -> Item<'_> {
        let item = self.0.take();
        self.1.lock().unwrap().take(&item);
        item
    }
    fn preamble(&self, each: &mut dyn FnMut(Item<'_>)) {
        self.0.preamble(each);
    }
    fn catalog(&self) -> &Catalog {
        self.0.catalog()
    }
}

/// A market on free ports that waits for both sessions and the broker's, and what it produces.
pub struct Served {
    pub market: Market,
    pub produced: Arc<Mutex<Produced>>,
}

/// Serves a source.
pub fn serve_source(
    settings: Settings,
    source: impl FnOnce() -> Box<dyn Source> + Send + 'static,
) -> Served {
    let produced = Arc::new(Mutex::new(Produced::default()));
    let counted = produced.clone();
    let settings = Settings { sessions: 2, wait_orders: true, ..settings };
    let market = serve(settings, move || Box::new(Counted(source(), counted)));
    Served { market, produced }
}

/// Serves a simulated market with faults.
pub fn simulated(text: &str, faults: &str) -> Served {
    let config = Config::read("market.toml", text).unwrap();
    let speed = Some(config.session.speed);
    let plan = fault::Plan::parse(faults).unwrap();
    // With faults the engine is told to end only when the market has gone.
    let linger_ns = if faults.is_empty() { 60_000_000_000 } else { 300_000_000 };
    let settings = Settings { speed, plan, linger_ns, ..settings() };
    serve_source(settings, || Box::new(Simulation::new(config, 0).unwrap()))
}

impl Served {
    /// The counts and the summary, when the market has ended.
    pub fn join(self) -> (Produced, Summary) {
        let summary = self.market.handle.join().unwrap();
        let produced = self.produced.lock().unwrap().clone();
        (produced, summary)
    }
}

/// A folder with a configuration for one market.
pub struct Site {
    pub folder: tempfile::TempDir,
}

/// The sections that every configuration here has.
fn main_text(data: SocketAddr, orders: SocketAddr, state: &Path, more: &Extra) -> String {
    let session = |name: &str, dataset: &str, schemas: &str, symbols: &str, stype: &str| {
        format!(
            "[[session]]\nname = \"{name}\"\naddress = \"{data}\"\ndataset = \"{dataset}\"\n\
             schemas = [{schemas}]\nsymbols = [\"{symbols}\"]\nstype = \"{stype}\"\n{}\n",
            more.session
        )
    };
    let schemas = "\"definition\", \"statistics\", \"cmbp-1\", \"trades\"";
    let (stock, symbols) = more.stock;
    let symbols = symbols.split_once(' ').unwrap();
    let options = session("options", "OPRA.PILLAR", schemas, symbols.0, more.stype);
    let stock = session("underlying", stock, "\"mbp-1\"", symbols.1, "raw_symbol");
    format!(
        "[run]\nuniverse = \"universe.toml\"\nlimits = \"limits.toml\"\n\
         strategies = [\"strategy.toml\"]\nclock = \"exchange\"\nidle = \"park\"\nfifo = false\n\
         lock_memory = false\nnoise = \"0s\"\nstate = \"{}\"\n{}\n[feed]\n{}\n{options}{stock}\
         [[session]]\nname = \"broker\"\nkind = \"broker\"\naddress = \"{orders}\"\n\
         backoff_min = \"20ms\"\nbackoff_max = \"100ms\"\n[broker]\nreset_on_logon = {}\n\
         [journal]\nsegment_bytes = 1048576\noutput_segment_bytes = 65536\n{}\n",
        state.display(),
        more.run,
        more.feed,
        more.resets,
        more.journal,
    )
}

/// What differs from test to test: lines for sections of the configuration.
pub struct Extra {
    pub run: String,
    pub feed: String,
    pub session: &'static str,
    pub journal: &'static str,
    /// More of `[limits]`.
    pub limits: &'static str,
    pub stock: (&'static str, &'static str),
    pub stype: &'static str,
    pub strategy: String,
    pub universe: (&'static str, &'static str),
    /// Whether both sides of the broker's session begin at 1 on every logon.
    pub resets: bool,
}

impl Default for Extra {
    fn default() -> Extra {
        Extra {
            run: String::new(),
            feed: String::new(),
            session: "on_close = \"end\"",
            journal: "",
            limits: "",
            stock: ("DBEQ.BASIC", "SPXW.OPT SPX"),
            stype: "parent",
            strategy: format!("{CONDOR}\n{PROBE}"),
            universe: ("", ""),
            resets: true,
        }
    }
}

/// Sessions that come back when they are cut off.
pub const RECONNECT: &str = "on_close = \"reconnect\"\nbackoff_min = \"20ms\"\n\
    backoff_max = \"100ms\"";

/// What is allowed, but for the keys that a test sets itself.
fn limits(more: &str) -> String {
    let key = |line: &str| line.split('=').next().unwrap_or("").trim().to_string();
    let set: Vec<String> = more.lines().map(key).collect();
    let kept: Vec<&str> = LIMITS.lines().filter(|line| !set.contains(&key(line))).collect();
    format!("{}\n{more}", kept.join("\n"))
}

impl Site {
    pub fn new(data: SocketAddr, orders: SocketAddr, extra: &Extra) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let universe = fs::read_to_string(root.join("config/universe.toml")).unwrap();
        let state = folder.path().join("state");
        for (name, text) in [
            ("engine.toml", main_text(data, orders, &state, extra)),
            ("limits.toml", limits(extra.limits)),
            ("strategy.toml", extra.strategy.clone()),
            ("universe.toml", universe.replace(extra.universe.0, extra.universe.1)),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Site { folder }
    }

    /// Where the run writes.
    pub fn run_directory(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// Starts the engine.
    pub fn start(&self) -> Engine {
        self.start_in(&self.run_directory())
    }

    /// The engine's command, behind whatever is to run it.
    pub fn command(&self, directory: &Path, before: &[String]) -> Command {
        let this = env::current_exe().unwrap().display().to_string();
        let words = ["engine_itself", "--exact", "--nocapture", "--test-threads=1"];
        let words = words.map(String::from);
        let all: Vec<&String> = before.iter().chain([&this]).chain(&words).collect();
        let mut command = Command::new(all[0]);
        command
            .args(&all[1..])
            .env("ZOMMA_WHOLE_CONFIG", self.folder.path().join("engine.toml"))
            .env("ZOMMA_WHOLE_DIR", directory)
            .env("DATABENTO_API_KEY", KEY);
        command
    }

    /// Starts the engine with another directory for what it writes.
    pub fn start_in(&self, directory: &Path) -> Engine {
        begin(self.command(directory, &[]), directory)
    }

    /// Starts the engine on the directory of a run that was killed. What it counted is forgotten:
    /// counters are those of the new process.
    pub fn resume(&self) -> Engine {
        self.resume_behind(&[])
    }

    /// The same behind another program.
    pub fn resume_behind(&self, before: &[String]) -> Engine {
        let directory = self.run_directory();
        let _ = fs::remove_file(directory.join(report::COUNTERS));
        let mut command = self.command(&directory, before);
        command.env("ZOMMA_WHOLE_RESUME", "1");
        begin(command, &directory)
    }
}

fn begin(mut command: Command, directory: &Path) -> Engine {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    Engine { child, directory: directory.into() }
}

/// In the process that [`Site::start`] has made: what `main` does for `zomma run`.
pub fn run_if_asked() {
    let Some(config) = env::var_os("ZOMMA_WHOLE_CONFIG") else { return };
    let directory = PathBuf::from(env::var_os("ZOMMA_WHOLE_DIR").unwrap());
    let outcome = Files::gather(Path::new(&config), &[])
        .map_err(zomma::run::Failure::from)
        .and_then(|files| {
            let resume = env::var_os("ZOMMA_WHOLE_RESUME").is_some();
            let directory = Some(directory.as_path());
            live::run(&files, live::Request { directory, resume, ..Default::default() })
        });
    let code = outcome.map_or_else(
        |failure| {
            eprintln!("zomma: {}", failure.message);
            i32::from(failure.code)
        },
        |()| 0,
    );
    std::process::exit(code);
}

/// The engine's process.
pub struct Engine {
    pub child: Child,
    pub directory: PathBuf,
}

impl Engine {
    /// A counter that it shows now; 0 before it is there.
    pub fn counter(&self, group: &str, name: &str) -> u64 {
        counter(&self.directory, group, name)
    }

    /// Waits until it shows what is wanted; a run that has ended before that is an error.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Engine) -> bool) {
        let began = Instant::now();
        while !wanted(self) {
            if let Some(ended) = self.child.try_wait().unwrap() {
                let mut said = String::new();
                let told =
                    self.child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut said));
                panic!("ended ({ended:?}) before: {what}; it said ({told:?}): {said}");
            }
            assert!(began.elapsed() < Duration::from_secs(100), "waited in vain for: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits for its end.
    pub fn wait(self) -> Output {
        let output = self.child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "{said}");
        output
    }

    /// Waits for its end in good order.
    pub fn done(self) {
        let output = self.wait();
        assert!(is_good(output.status), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn is_good(status: ExitStatus) -> bool {
    status.code() == Some(0)
}

/// Sends a process a signal.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
    assert!(sent.unwrap().success());
}

/// A counter in a run's directory.
pub fn counter(directory: &Path, group: &str, name: &str) -> u64 {
    let Ok(counters) = Counters::open(&directory.join(report::COUNTERS)) else { return 0 };
    let rows = counters.read();
    rows.iter().find(|r| r.label.group == group && r.label.name == name).map_or(0, |r| r.value)
}

/// All events of one stream, and that it ends whole.
pub fn events(directory: &Path, stream: Stream) -> Vec<Event> {
    let mut reader = Reader::open(directory, stream).unwrap();
    let mut all = Vec::new();
    while let Some(event) = reader.next_event() {
        all.push(*event);
    }
    let end = reader.verify();
    assert!(end.is_whole(), "{end}");
    all
}

/// What holds of every run that has ended: whole journal, equal replay, readable report.
pub fn assert_sound(directory: &Path) {
    let manifest = Manifest::read(directory).unwrap();
    assert_eq!(manifest.status, Status::Ended);
    let mut text = Vec::new();
    assert!(tool::verify(directory, &mut text).unwrap(), "{}", String::from_utf8_lossy(&text));
    let replayed = replay::through(directory).unwrap();
    assert!(replayed.verdict.holds(), "{}", replayed.verdict);
    assert_eq!((replayed.inputs, replayed.verdict.equal), (manifest.inputs, manifest.outputs));
    let read = report::Report::read(directory).unwrap();
    assert!(!read.since_receive.is_empty() && !read.own.is_empty());
    let log = fs::read(directory.join(report::INTERVAL_LOG)).unwrap();
    assert!(!report::intervals(&log).unwrap().is_empty());
}

/// The desk as the inputs of a run leave it.
pub fn rebuilt(directory: &Path) -> Desk {
    let config = Manifest::read(directory).unwrap().config;
    let files = config.into_iter().map(|file| (file.name, file.text)).collect();
    let plan = Plan::new(&Files::from_list(files)).unwrap();
    let mut desk = plan.desk();
    struct Nothing;
    impl Emit<Desk, Cleared> for Nothing {
        fn emit(&mut self, _: &mut Desk, _: &Cleared) {}
    }
    let risk = Risk::new(plan.limits, plan.strategies.roster());
    let features = Features::new(&plan.features, &plan.universe);
    let rear = Then(features, Then(Decide::new(plan.strategies), Then(risk, Nothing)));
    let mut stages = Then(Track, Then(Revalue::new(&plan.universe), rear));
    events(directory, Stream::Inputs).iter().for_each(|event| stages.emit(&mut desk, event));
    desk
}

/// Positions are what the fills add up to, each told once; gives how many contracts were traded.
pub fn assert_positions_are_fills(directory: &Path) -> u64 {
    let (mut sizes, mut legs) = (std::collections::BTreeMap::new(), Vec::new());
    for event in events(directory, Stream::Outputs) {
        match event.kind {
            Kind::ORDER => {
                let order = event.body::<Order>();
                sizes.insert(order.id, order.quantity);
            }
            Kind::ORDER_LEG => legs.push((event.instrument, *event.body::<Leg>())),
            _ => {}
        }
    }
    let mut told = std::collections::BTreeSet::new();
    let mut positions = std::collections::BTreeMap::<u32, i64>::new();
    let (mut traded, mut fills) = (0, Vec::new());
    for event in events(directory, Stream::Inputs) {
        let report = event.body::<Report>();
        let is_fill = event.kind == Kind::REPORT && report.event == ReportKind::FILL;
        if !is_fill || report.leg == Report::WHOLE || !told.insert(report.exec_id) {
            continue;
        }
        let of = |(_, leg): &&(u32, Leg)| leg.order == report.order && leg.index == report.leg;
        let (instrument, leg) = legs.iter().find(of).expect("a fill of an order of ours");
        assert!(report.quantity <= sizes[&report.order] * leg.ratio);
        *positions.entry(*instrument).or_default() +=
            i64::from(leg.side) * i64::from(report.quantity);
        traded += u64::from(report.quantity);
        fills.push((*instrument, *report));
    }
    let desk = rebuilt(directory);
    for (instrument, contracts) in positions {
        let held = desk.book.position(instrument).line.held;
        // What has settled has become cash.
        let settles = desk.chain.instrument(instrument).expect("it was traded").settles;
        let contracts = if settles <= desk.chain.now { 0 } else { contracts };
        let told: Vec<_> = fills.iter().filter(|(of, _)| *of == instrument).collect();
        assert_eq!(held, contracts, "{instrument}: {told:?}; {:?}", desk.book.tally);
    }
    assert_eq!((desk.book.traded, counter(directory, "book", "traded")), (traded, traded));
    traded
}

/// Open interest of a run's inputs, the last word on each instrument.
pub fn open_interest(inputs: &[Event]) -> i64 {
    let mut last = std::collections::BTreeMap::new();
    for event in inputs.iter().filter(|event| event.kind == Kind::INTEREST) {
        last.insert(event.instrument, event.body::<Interest>().contracts);
    }
    last.values().sum()
}
