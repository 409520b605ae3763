//! The program itself: arguments and signals in, exit codes and what it says out.
#![allow(missing_docs)]

mod common;

use common::{OPTIONS, file, listing, quote};
use std::{
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpListener},
    process::{Command, Output, Stdio},
};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zomma-market"));
    command.args(arguments).env_remove("DATABENTO_API_KEY");
    command
}

fn output(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

#[test]
fn what_cannot_be_served_says_why_with_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.toml");
    std::fs::write(&bad, "[session]\nrate = -1\nx = 2").unwrap();
    let garbage = folder.path().join("garbage.dbn");
    std::fs::write(&garbage, "DBN\x09 this is none").unwrap();
    let (bad, garbage) = (bad.to_str().unwrap(), garbage.to_str().unwrap());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let good = file(folder.path(), "good.dbn", OPTIONS, &listing());
    let good = good.to_str().unwrap();
    for (arguments, code, part) in [
        (&[][..], 2, "--replay"),
        (&["--replay", "nowhere.dbn"], 3, "nowhere.dbn"),
        (&["--replay", garbage], 2, "garbage.dbn"),
        (&["--simulate", bad], 2, "[session] rate: is -1"),
        (&["--simulate", "nowhere.toml"], 3, "nowhere.toml"),
        (&["--replay", good, "--listen", &taken], 3, "free the port"),
        (&["--replay", good, "--orders", &taken, "--listen", "127.0.0.1:0"], 3, "--orders"),
        (&["--replay", good, "--listen", "127.0.0.1"], 2, "127.0.0.1:13000"),
    ] {
        let output = output(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
    assert!(String::from_utf8(output(&["--help"]).stdout).unwrap().contains("Exit codes"));
}

#[test]
fn it_says_where_it_listens_serves_and_ends_on_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let records: Vec<_> =
        listing().into_iter().chain((0..60).map(|s| quote(1, s * 1000, (1, 1), (2, 1)))).collect();
    let file = file(folder.path(), "options.dbn", OPTIONS, &records);
    let stats = folder.path().join("stats.json");
    let arguments = ["--listen", "127.0.0.1:0", "--orders", "127.0.0.1:0", "--idle", "sleep"];
    let mut child = command(&arguments)
        .args(["--replay".as_ref(), file.as_os_str(), "--stats".as_ref(), stats.as_os_str()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut ready = String::new();
    stdout.read_line(&mut ready).unwrap();
    let port = ready.split(' ').find_map(|word| word.strip_prefix("data=")).unwrap();
    let to: SocketAddr = port.parse().unwrap();
    let mut client = common::Client::connect(to);
    client.authenticate(common::KEY, OPTIONS, "");
    client.say("schema=cmbp-1|stype_in=parent|symbols=SPXW.OPT\nstart_session\n");
    client.header();
    assert!(client.record().is_some());
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("(interrupted)") && rest.contains("wire-to-wire ns: count 0"), "{rest}");
    let stats: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(stats).unwrap()).unwrap();
    assert_eq!(stats["interrupted"], true);
    assert_eq!(stats["wire_to_wire"]["unit"], "ns");
}
