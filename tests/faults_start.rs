//! A machine that refuses what the program asks for in; one line and an exit code, or a run that
//! goes on and says what it did not get, out.

mod folder;

use folder::Folder;
use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};
use zomma::journal::{Reader, Stream, tool};

const ENGINE: &str = r#"
[run]
universe = "universe.toml"
limits = "limits.toml"
strategies = ["strategy.toml"]
clock = "exchange"
idle = "park"
fifo = false
lock_memory = false
noise = "0s"
drain = "0s"
state = "state"

[journal]
segment_bytes = 65536
output_segment_bytes = 65536

[[session]]
name = "options"
address = "127.0.0.1:9"
dataset = "OPRA.PILLAR"
schemas = ["cmbp-1"]
symbols = ["SPXW.OPT"]
stype = "parent"

[[session]]
name = "broker"
kind = "broker"
address = "127.0.0.1:9"
"#;

/// A good configuration, readable by everybody.
fn open() -> Folder {
    let folder = Folder::new(ENGINE);
    fs::set_permissions(folder.path(""), Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A short run in `directory`, behind whatever takes something from it.
fn run(folder: &Folder, before: &[&str], directory: &str, sets: &[&str]) -> Command {
    let words = ["run", "--config", "engine.toml", "--dir", directory, "--for", "200ms"];
    let mut command = folder.behind(before, &words, sets);
    command.env("RUST_BACKTRACE", "0");
    command
}

fn lines(output: &Output) -> Vec<String> {
    let said = String::from_utf8_lossy(&output.stderr);
    said.lines().map(String::from).collect()
}

/// One line, no panic, this code.
#[track_caller]
fn assert_refused(output: &Output, code: i32, part: &str) {
    let said = lines(output);
    assert_eq!((output.status.code(), said.len()), (Some(code), 1), "{said:?}");
    assert!(said[0].starts_with("zomma: ") && said[0].contains(part), "{part:?}: {said:?}");
}

fn assert_whole(directory: &Path) {
    let mut text = Vec::new();
    assert!(tool::verify(directory, &mut text).unwrap(), "{}", String::from_utf8_lossy(&text));
}

/// Whether a command that takes something away works here.
fn works(before: &[&str]) -> bool {
    let mut command = Command::new(before[0]);
    let tried = command.args(&before[1..]).arg(env!("CARGO_BIN_EXE_zomma")).arg("version").output();
    let works = tried.is_ok_and(|output| output.status.success());
    if !works {
        println!("skipped: {before:?} does not work here");
    }
    works
}

const NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

#[test]
fn f15_an_output_that_takes_nothing_ends_no_run() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let folder = open();
    let output = run(&folder, &[], "full", &[]).stdout(full()).output().unwrap();
    assert_refused(&output, 3, "standard output");
    assert_whole(&folder.path("full"));
    let mut closed = run(&folder, &[], "closed", &[]).stdout(Stdio::piped()).spawn().unwrap();
    drop(closed.stdout.take());
    assert_eq!(closed.wait().unwrap().code(), Some(3));
    assert_whole(&folder.path("closed"));
    let deaf = run(&folder, &[], "closed", &[]).stderr(full()).stdout(full()).status().unwrap();
    assert_eq!(deaf.code(), Some(3), "the directory is used: the code says so where no line can");
    println!("F15 outputs: 3 that take nothing, 3 runs that kept their journal and their code");
}

#[test]
fn f15_a_directory_that_cannot_be_written_refuses_the_start() {
    let folder = open();
    let mut refused = 0;
    if works(&NOBODY) {
        let output = run(&folder, &NOBODY, "mine", &[]).output().unwrap();
        assert_refused(&output, 3, "mine");
        refused += 1;
    }
    let mount = folder.path("fixed");
    fs::create_dir(&mount).unwrap();
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "-o", "ro", "tmpfs"]).arg(&mount).stderr(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) {
        let output = run(&folder, &[], "fixed/run", &[]).output().unwrap();
        assert!(Command::new("umount").arg(&mount).status().unwrap().success());
        assert_refused(&output, 3, "Read-only");
        refused += 1;
    } else {
        println!("skipped: a read-only file system needs root");
    }
    fs::write(folder.path("file"), "").unwrap();
    assert_refused(&run(&folder, &[], "file", &[]).output().unwrap(), 3, "file");
    println!("F15 directories: {} that cannot be written, all refused in one line", refused + 1);
}

/// With ever more descriptors: refused in one line each, until there are enough.
#[test]
fn f15_too_few_descriptors_refuse_the_start() {
    let folder = open();
    let (mut refused, mut ran) = (0, 0);
    for most in 4..48 {
        let limit = format!("--nofile={most}:{most}");
        if most == 4 && !works(&["prlimit", "--nofile=64:64"]) {
            return;
        }
        let directory = format!("with-{most}");
        let output = run(&folder, &["prlimit", &limit], &directory, &[]).output().unwrap();
        if output.status.success() {
            assert_whole(&folder.path(&directory));
            ran += 1;
            continue;
        }
        let said = lines(&output);
        assert!(!said.iter().any(|line| line.contains("panicked")), "{most}: {said:?}");
        // So few that not even the program's libraries can be opened: the loader's word.
        let loader = said.iter().any(|line| line.contains("shared librar"));
        assert!(loader || said.len() == 1, "{most}: {said:?}");
        assert!(ran == 0 || said[0].contains("open files"), "{most}: {said:?}");
        refused += 1;
        if ran > 3 {
            break;
        }
    }
    assert!(refused > 0 && ran > 0, "{refused} refused, {ran} ran");
    println!("F15 descriptors: {refused} starts with too few refused in one line, {ran} ran");
}

#[test]
fn f15_memory_that_cannot_be_locked_is_said_and_the_run_goes_on() {
    let before: Vec<&str> = ["prlimit", "--memlock=0:0"].into_iter().chain(NOBODY).collect();
    if !works(&before) {
        return;
    }
    let folder = open();
    fs::set_permissions(folder.path(""), Permissions::from_mode(0o777)).unwrap();
    let output = run(&folder, &before, "run", &["run.lock_memory=true"]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{:?}", lines(&output));
    assert!(printed.contains("memory not locked"), "{printed}");
    assert_whole(&folder.path("run"));
    println!("F15 locked memory: denied, said, the run went on");
}

/// With ever more memory: it dies before the first event, ends in order because no further segment
/// can be mapped, or not at all.
#[test]
fn f16_too_little_memory_ends_the_start_and_never_the_run() {
    if !works(&["prlimit", "--as=8589934592"]) {
        return;
    }
    let folder = open();
    let (mut died, mut ended, mut ran) = (0, 0, 0);
    for step in 0..24u64 {
        let limit = format!("--as={}", ((4 + step % 4) << 22) << (step / 4));
        let directory = format!("with-{step}");
        let output = run(&folder, &["prlimit", &limit], &directory, &[]).output().unwrap();
        if output.status.success() {
            assert_whole(&folder.path(&directory));
            ran += 1;
            continue;
        }
        let said = lines(&output);
        assert!(!said.is_empty(), "it does not go silently: {limit} {:?}", output.status);
        if let Ok(mut reader) = Reader::open(&folder.path(&directory), Stream::Inputs) {
            let began = reader.next_event().is_some();
            assert!(!began || output.status.code() == Some(3), "{limit}: in the run: {said:?}");
            if began {
                assert_eq!(said.len(), 1, "{said:?}");
                assert_whole(&folder.path(&directory));
                ended += 1;
                continue;
            }
        }
        died += 1;
    }
    assert!(died > 0 && ran > 0, "{died} {ran}");
    println!(
        "F16 memory: {died} limits ended the start, {ended} a run in order with its journal, {ran} \
         nothing, 0 died between"
    );
}

#[test]
fn f34_two_engines_share_neither_directory_nor_session() {
    let folder = open();
    let mut first = run(&folder, &[], "run", &[]);
    let mut first = first.args(["--for", "30s"]).stdout(Stdio::null()).spawn().unwrap();
    while Reader::open(&folder.path("run"), Stream::Inputs).map_or(0, |r| r.verify().records()) == 0
    {
        std::thread::yield_now();
    }
    let second = run(&folder, &[], "run", &[]).output().unwrap();
    assert_refused(&second, 3, "another process writes here");
    let third = run(&folder, &[], "other", &[]).output().unwrap();
    assert_refused(&third, 3, "in use by another engine");
    assert_eq!(first.try_wait().unwrap(), None, "the first goes on");
    let id = first.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert_whole(&folder.path("run"));
    println!("F34 two engines: one directory and one session refused, the first unharmed");
}
