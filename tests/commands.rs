//! The program's commands as a user types them in; exit codes and one line that helps out.
#![allow(missing_docs)]
mod folder;

use folder::Folder;
use std::{
    fs,
    net::TcpListener,
    process::{Command, Output},
};

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
"#;

fn good() -> Folder {
    Folder::new(ENGINE)
}

fn check(folder: &Folder, sets: &[&str]) -> Output {
    folder.behind(&[], &["check", "--config", "engine.toml"], sets).output().unwrap()
}

/// What went wrong is one line for the user, with these parts and this exit code.
#[track_caller]
fn assert_says(output: &Output, code: i32, parts: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 1, "one line: {said}");
    assert!(lines[0].starts_with("zomma: ") && !said.contains("panicked"), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing: {said}");
    }
}

#[test]
fn a_good_configuration_is_ok() {
    let output = check(&good(), &[]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.starts_with("ok: 1 sessions"), "{said}");
    assert!(said.contains("all else within 1.280 s (128 expiries, 1 a beat of 0.010 s)"), "{said}");
}

#[test]
fn each_mistake_in_a_file_names_file_section_and_key() {
    let cases: [(&str, &str, &str, &[&str]); 12] = [
        ("engine.toml", "[run]", "[run", &["engine.toml", "line"]),
        ("engine.toml", "noise =", "noize =", &["[run]", "noize"]),
        ("engine.toml", "fifo = false", "fifo = 3", &["[run] fifo", "3"]),
        ("engine.toml", "\"park\"", "\"dream\"", &["[run] idle", "dream"]),
        ("engine.toml", "65536", "1", &["[journal] segment_bytes", "1"]),
        ("engine.toml", "[journal]", "[jornal]", &["jornal"]),
        ("engine.toml", "\"0s\"", "\"soon\"", &["[run] noise", "soon"]),
        ("engine.toml", "schemas = [\"cmbp-1\"]\n", "", &["schemas"]),
        ("engine.toml", "limits.toml", "nowhere.toml", &["nowhere.toml", "cannot be read"]),
        ("limits.toml", "[limits]", "[limits]\ncollar_max = -1.0", &["limits.toml", "collar_max"]),
        ("strategy.toml", "name", "nam", &["strategy.toml", "nam"]),
        ("universe.toml", "rate = 0.045", "rate = \"much\"", &["universe.toml", "rate"]),
    ];
    for (file, from, to, parts) in cases {
        let folder = good();
        folder.change(file, from, to);
        println!("{file}: {to}");
        assert_says(&check(&folder, &[]), 2, parts);
    }
}

/// All mistakes of the main file; where it is good, all of the files that it names.
#[test]
fn all_mistakes_are_told_at_once() {
    let told = |changes: [(&str, &str, &str); 2]| {
        let folder = good();
        changes.iter().for_each(|(file, from, to)| folder.change(file, from, to));
        let output = check(&folder, &[]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap().lines().count()
    };
    let main = [("engine.toml", "fifo = false", "fifo = 3"), ("engine.toml", "65536", "1")];
    assert_eq!(told(main), 2);
    let limits = ("limits.toml", "[limits]", "[limits]\ncollar_max = -1.0");
    assert_eq!(told([limits, ("strategy.toml", "name", "nam")]).min(2), 2);
}

#[test]
fn each_wrong_set_is_quoted() {
    for (set, part) in [
        ("run", "section.key=value"),
        ("session.2.name=b", "names no section"),
        ("run.nothing=1", "nothing"),
        ("run.cores=[0,1,2]", "[run] cores"),
        ("run.ring=100", "power of two"),
        ("journal.sync=often", "[journal] sync"),
        ("session.1.kind=ftp", "kind"),
    ] {
        println!("{set}");
        assert_says(&check(&good(), &[set]), 2, &[part]);
    }
}

#[test]
fn what_the_host_does_not_have_is_the_environments() {
    let folder = good();
    assert_says(&check(&folder, &["run.cores=[4095]"]), 3, &["[run] cores", "4095"]);
    let arguments = ["check", "--config", "engine.toml"];
    let without = folder.zomma(&arguments).env_remove("DATABENTO_API_KEY").output().unwrap();
    assert_says(&without, 3, &["options", "DATABENTO_API_KEY"]);
    let short = folder.zomma(&arguments).env("DATABENTO_API_KEY", "short").output().unwrap();
    assert_says(&short, 3, &["options", "DATABENTO_API_KEY"]);
    assert!(!String::from_utf8_lossy(&short.stderr).contains("short;"), "the key is a secret");
}

#[test]
fn what_is_not_typed_right_says_where_to_look() {
    let folder = good();
    for (arguments, part) in [
        (&["fly"][..], "zomma help"),
        (&["run"], "--config"),
        (&["run", "--config"], "--config"),
        (&["run", "--config", "nowhere.toml"], "nowhere.toml"),
        (&["run", "--config", "engine.toml", "--for", "ever"], "--for"),
        (&["run", "--config", "engine.toml", "--fast"], "--fast"),
        (&["replay"], "directory"),
        (&["journal"], "verb"),
        (&["journal", "burn", "x"], "burn"),
        (&["journal", "cut", "x"], "OUT"),
        (&["journal", "dump", "x", "y"], "verb"),
        (&["replay", "x", "--speed", "0"], "--speed"),
        (&["replay", "x", "--threads", "many"], "--threads"),
    ] {
        println!("{arguments:?}");
        assert_says(&folder.zomma(arguments).output().unwrap(), 2, &[part]);
    }
}

#[test]
fn help_names_every_command_and_keys_every_section() {
    let folder = good();
    let said = |arguments: &[&str]| {
        let output = folder.zomma(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    let help = said(&["help"]);
    for command in ["run", "check", "replay", "price", "iv", "report", "journal"] {
        assert!(help.contains(&format!("zomma {command} ")), "{help}");
    }
    assert_eq!(said(&[]), help);
    let keys = said(&["check", "--keys"]);
    for part in ["[run]", "[feed]", "[[session]]", "[broker]", "[journal]", "threads", "key_env"] {
        assert!(keys.contains(part), "{part}");
    }
}

#[test]
fn a_directory_that_is_no_run_is_unusable() {
    let folder = good();
    fs::create_dir(folder.path("empty")).unwrap();
    fs::create_dir(folder.path("wrong")).unwrap();
    fs::write(folder.path("wrong/manifest"), "no manifest").unwrap();
    fs::write(folder.path("wrong/histograms"), "no histograms").unwrap();
    for directory in ["nowhere", "empty", "wrong"] {
        for command in [
            &["replay", directory][..],
            &["replay", directory, "--verify"],
            &["report", directory],
            &["journal", "verify", directory],
            &["journal", "stat", directory],
            &["journal", "dump", directory],
            &["journal", "follow", directory],
            &["journal", "cut", directory, "out"],
        ] {
            println!("{command:?}");
            assert_says(&folder.zomma(command).output().unwrap(), 2, &[directory]);
        }
    }
}

/// Nobody listens, or somebody who says nothing: the run lasts as told, and ends well.
#[test]
fn a_venue_that_is_not_there_does_not_hang_the_run() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = silent.local_addr().unwrap().to_string();
    for address in ["127.0.0.1:9", mute.as_str()] {
        let folder = good();
        let set = format!("session.1.address={address}");
        let arguments = ["run", "--config", "engine.toml", "--dir", "d", "--for", "300ms"];
        let output = folder.zomma(&arguments).args(["--set", &set]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        for command in [&["journal", "verify", "d"][..], &["replay", "d", "--verify"]] {
            let output = folder.zomma(command).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{command:?}");
        }
        let again = folder.zomma(&arguments).output().unwrap();
        assert_says(&again, 3, &["d", "journal already"]);
    }
}

/// A disk without room for the first segments: the start is refused and says what is missing.
/// A directory is taken up again only on request, and only by what wrote it.
#[test]
fn a_run_is_taken_up_again_on_request_and_by_the_same_configuration() {
    let folder = good();
    let run = |more: &[&str]| {
        let first = ["run", "--config", "engine.toml", "--dir", "d", "--for", "200ms"];
        folder.zomma(&[&first, more].concat()).output().unwrap()
    };
    assert_says(
        &folder.zomma(&["run", "--config", "engine.toml", "--resume"]).output().unwrap(),
        2,
        &["--dir"],
    );
    assert_eq!(run(&["--resume"]).status.code(), Some(2), "there is nothing yet");
    assert_eq!(run(&[]).status.code(), Some(0));
    assert_says(&run(&[]), 3, &["--resume"]);
    let other = ["--resume", "--set", "run.drain=1ms"];
    assert_says(&run(&other), 2, &["configuration", "--force"]);
    let again = run(&["--resume"]);
    let said = String::from_utf8_lossy(&again.stdout);
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(said.contains("0 orders in doubt"), "{said}");
    let replay = |more: &[&str]| {
        let output = folder.zomma(&[&["replay", "d", "--verify"], more].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    };
    replay(&[]);
    assert_eq!(run(&[&other[..], &["--force"]].concat()).status.code(), Some(0));
    replay(&["--force"]);
}

#[test]
fn a_full_disk_refuses_the_start() {
    let folder = good();
    fs::create_dir(folder.path("disk")).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
        .arg(folder.path("disk"))
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        println!("skipped: a small disk cannot be mounted here");
        return;
    }
    let arguments = ["run", "--config", "engine.toml", "--dir", "disk/run", "--for", "300ms"];
    let set = ["--set", "journal.segment_bytes=1048576"];
    let output = folder.zomma(&arguments).args(set).output().unwrap();
    let unmounted = Command::new("umount").arg(folder.path("disk")).status().unwrap();
    assert!(unmounted.success());
    assert_says(&output, 3, &["disk/run", "room"]);
}
