//! Configurations for paper and for real in; a run that begins, or one line that says why not, out.
#![allow(missing_docs)]
mod folder;

use folder::Folder;
use std::process::Output;
use zomma::journal::Manifest;

const ENGINE: &str = r#"
[run]
universe = "universe.toml"
limits = "limits.toml"
strategies = ["strategy.toml"]
idle = "park"
fifo = false
lock_memory = false
noise = "0s"
drain = "0s"
end_with_market = false

[journal]
segment_bytes = 65536
output_segment_bytes = 65536

[[session]]
name = "broker"
kind = "broker"
address = "127.0.0.1:9"
"#;

/// A configuration for paper.
fn paper() -> Folder {
    let folder = Folder::new(ENGINE);
    folder.write("limits.toml", "[account]\n[limits]\norder_loss_max = 500.0\n");
    folder
}

fn run(folder: &Folder, more: &[&str], sets: &[&str]) -> Output {
    let run = ["run", "--config", "engine.toml", "--dir", "run", "--for", "1s"];
    folder.behind(&[], &[&run[..], more].concat(), sets).output().unwrap()
}

/// The hash that `zomma check` prints.
fn hash_of(folder: &Folder, sets: &[&str]) -> String {
    let check = ["check", "--config", "engine.toml"];
    let output = folder.behind(&[], &check, sets).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let line = said.lines().find_map(|line| line.strip_prefix("configuration: "));
    line.expect("a hash").to_string()
}

/// Refused before anything was made, in one line with these words.
#[track_caller]
fn is_refused(folder: &Folder, more: &[&str], sets: &[&str], parts: &[&str]) {
    let output = run(folder, more, sets);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    parts.iter().for_each(|part| assert!(said.contains(part), "{part:?} is missing: {said}"));
    assert!(!folder.path("run").exists(), "a journal was begun");
}

const LIVE: [&str; 2] = ["run.trading=live", "broker.target_comp_id=REAL"];

#[test]
fn paper_speaks_to_brokers_for_paper_alone() {
    let folder = paper();
    is_refused(&folder, &[], &["broker.target_comp_id=REAL"], &["for paper", "REAL"]);
    is_refused(&folder, &["--live", "0123456789ab"], &[], &["--live", "for paper"]);
    let output = run(&folder, &[], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("trading: for paper with MARKET"), "{said}");
}

#[test]
fn a_live_run_is_meant_checked_and_seen_by_four_eyes() {
    let folder = paper();
    is_refused(&folder, &[], &["run.trading=live"], &["live", "MARKET", "paper_targets"]);
    is_refused(&folder, &[], &LIVE, &["--live", "zomma check"]);
    let hash = hash_of(&folder, &LIVE);
    is_refused(&folder, &["--live", &hash[..11]], &LIVE, &["12 digits"]);
    // What was checked is another configuration than what is to run.
    is_refused(&folder, &["--live", &hash_of(&folder, &[])], &LIVE, &["--live", &hash]);
    is_refused(&folder, &["--live", &hash], &LIVE, &["[run] operator"]);
    let mut sets = LIVE.to_vec();
    sets.push("run.operator=ada");
    folder.write("limits.toml", "[account]\n[limits]\norder_loss_max = 2_000.0\n");
    let raised = &["order_loss_max = 2000", "1000", "[[approval]]"];
    is_refused(&folder, &["--live", &hash_of(&folder, &sets)], &sets, raised);
    sets.push("run.approvals=approvals.toml");
    let approval = |value: &str, by: &str| {
        let row =
            format!("[[approval]]\nlimit = \"order_loss_max\"\nvalue = \"{value}\"\nby = \"{by}\"");
        folder.write("approvals.toml", &row);
    };
    for (value, by) in [("2_000.0", "ada"), ("1_999.0", "ben"), ("2_000.0", "")] {
        approval(value, by);
        is_refused(&folder, &["--live", &hash_of(&folder, &sets)], &sets, raised);
    }
    approval("2_000.0", "ben");
    let output = run(&folder, &["--live", &hash_of(&folder, &sets)[..12]], &sets);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("trading: FOR REAL with REAL") && said.contains("ada"), "{said}");
    // The journal says who.
    let manifest = Manifest::read(&folder.path("run")).unwrap();
    let approvals = manifest.config.iter().find(|file| file.name == "approvals.toml").unwrap();
    assert!(approvals.text.contains("by = \"ben\""));
}
