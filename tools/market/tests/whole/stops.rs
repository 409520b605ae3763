//! The operator's signals, the kill file, `kill -9` and a full disk in; what is left behind out.

use crate::engine::{
    Engine, Extra, HOUR, Served, Site, alone, assert_positions_are_fills, assert_sound, events,
    simulated,
};
use zomma::{
    journal::{Manifest, Reader, Status, Stream, tool},
    run::replay,
    wire::{
        Event, Kind,
        control::{Command, Verb},
        order::Halt,
    },
};

/// A slow hour, so that there is a middle.
fn slow() -> Served {
    simulated(&HOUR.replace("1800.0", "60.0").replace("6000.0", "3000.0"), "")
}

/// A run that has sent orders.
fn busy(served: &Served, extra: &Extra) -> (Site, Engine) {
    let site = Site::new(served.market.data, served.market.orders, extra);
    let mut engine = site.start();
    engine.until("orders", |engine| engine.counter("outcome", "orders") > 10);
    (site, engine)
}

fn stop(served: Served) -> zomma_market::server::Summary {
    served.market.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    served.join().1
}

fn orders(events: &[Event]) -> usize {
    events.iter().filter(|event| event.kind == Kind::ORDER).count()
}

#[test]
fn a_stop_in_the_middle_leaves_nothing_open() {
    let _alone = alone();
    let served = slow();
    let (site, engine) = busy(&served, &Extra::default());
    engine.signal("TERM");
    engine.done();
    let summary = stop(served);
    let directory = site.run_directory();
    let counter = |group, name| crate::engine::counter(&directory, group, name);
    assert_eq!(counter("book", "working_orders"), 0);
    assert_eq!(counter("outcome", "orders"), summary.orders.0);
    assert_sound(&directory);
    assert_positions_are_fills(&directory);
}

fn kill_holds(threads: &str, kill: impl Fn(&Site, &Engine)) {
    let _alone = alone();
    let served = slow();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kill");
    let extra = Extra {
        feed: format!("kill_file = \"{}\"", file.display()),
        run: format!("threads = \"{threads}\""),
        ..Extra::default()
    };
    let (site, mut engine) = busy(&served, &extra);
    kill(&site, &engine);
    std::fs::write(&file, "").unwrap();
    engine.until("the halt", |engine| engine.counter("outcome", "halts") == 1);
    let before = engine.counter("market", "quotes");
    engine.until("more quotes", |engine| engine.counter("market", "quotes") > before + 500);
    engine.signal("TERM");
    engine.done();
    let summary = stop(served);
    let directory = site.run_directory();
    let inputs = events(&directory, Stream::Inputs);
    let is_kill = |e: &&Event| e.kind == Kind::COMMAND && e.body::<Command>().verb == Verb::KILL;
    let killed: Vec<u64> = inputs.iter().filter(is_kill).map(|event| event.seq).collect();
    assert_eq!(killed.len(), 1, "told once");
    let outputs = events(&directory, Stream::Outputs);
    let halts: Vec<&Event> = outputs.iter().filter(|event| event.kind == Kind::HALT).collect();
    assert_eq!(halts.len(), 1);
    assert_eq!((halts[0].body::<Halt>().limit, halts[0].seq), (64, killed[0]));
    let late: Vec<Event> = outputs.iter().filter(|e| e.seq >= killed[0]).copied().collect();
    assert_eq!(orders(&late), 0, "no order after the kill");
    assert_eq!(orders(&outputs) as u64, summary.orders.0, "nor at the broker's");
    assert_eq!(crate::engine::counter(&directory, "book", "working_orders"), 0);
    assert_sound(&directory);
}

#[test]
fn no_order_follows_the_kill_signal() {
    kill_holds("inline", |_, engine| engine.signal("USR1"));
}

#[test]
fn no_order_follows_the_kill_file() {
    kill_holds("dedicated", |_, _| {});
}

/// A copy of a directory's files.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn a_killed_run_holds_what_it_did(threads: &str) {
    let _alone = alone();
    let served = slow();
    let extra = Extra { run: format!("threads = \"{threads}\""), ..Extra::default() };
    let (site, engine) = busy(&served, &extra);
    engine.signal("KILL");
    assert_eq!(engine.wait().status.code(), None);
    let at_broker = stop(served).orders.0;
    let directory = site.run_directory();
    assert_eq!(Manifest::read(&directory).unwrap().status, Status::Running);
    let mut text = Vec::new();
    assert!(tool::verify(&directory, &mut text).unwrap(), "{}", String::from_utf8_lossy(&text));
    assert!(orders(&events(&directory, Stream::Outputs)) as u64 >= at_broker, "written first");
    let replayed = replay::through(&directory).unwrap();
    assert!(replayed.verdict.holds(), "{}", replayed.verdict);
    let records = Reader::open(&directory, Stream::Outputs).unwrap().verify().records();
    assert_eq!(replayed.verdict.equal, records);
    let copied = tempfile::tempdir().unwrap();
    copy(&directory, copied.path());
    assert!(replay::through(copied.path()).unwrap().verdict.holds(), "wherever it lies");
}

#[test]
fn a_killed_run_on_one_thread_holds_what_it_did() {
    a_killed_run_holds_what_it_did("inline");
}

#[test]
fn a_killed_run_on_four_threads_holds_what_it_did() {
    a_killed_run_holds_what_it_did("dedicated");
}

/// A disk of a few MiB, unmounted at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(mib: u32) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(SmallDisk(folder));
        }
        eprintln!("skipped: a small disk cannot be mounted here");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// The disk fills while the run goes on: trading ends, with one line and the environment's code.
#[test]
fn a_disk_that_fills_ends_the_run_and_its_orders() {
    let _alone = alone();
    let Some(disk) = SmallDisk::new(16) else { return };
    let served = slow();
    let site = Site::new(served.market.data, served.market.orders, &Extra::default());
    let directory = disk.0.path().join("run");
    let mut engine = site.start_in(&directory);
    engine.until("orders", |engine| engine.counter("outcome", "orders") > 10);
    let rest = vec![0u8; 1 << 16];
    let mut filler = std::fs::File::create(disk.0.path().join("filler")).unwrap();
    while std::io::Write::write_all(&mut filler, &rest).is_ok() {}
    let output = engine.wait();
    let said = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("zomma: ")).collect();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert_eq!(lines.len(), 1, "{said}");
    // Told early by the keeper, or by whatever file met the full disk first.
    assert!(["full", "room", "space"].iter().any(|word| lines[0].contains(word)), "{said}");
    let at_broker = stop(served).orders.0;
    let mut reader = Reader::open(&directory, Stream::Outputs).unwrap();
    let mut written = 0;
    while let Some(event) = reader.next_event() {
        written += u64::from(event.kind == Kind::ORDER);
    }
    assert!(at_broker <= written, "{at_broker} orders at the broker, {written} in the journal");
}
