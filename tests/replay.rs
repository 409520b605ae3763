//! A recorded day in, what `zomma replay` says of it out: the same bytes, or a difference in words.
#![allow(missing_docs)]

mod floor;
mod recorded;

use recorded::{Day, config, said};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};
use zomma::{
    journal::{Journal, Manifest, dump},
    wire::{
        Event, Kind, Price,
        order::{Leg, Order, Purpose},
    },
};

/// A day in a directory of its own.
fn recorded(day: &Day) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    day.write(&run);
    let run = run.display().to_string();
    (folder, run)
}

#[test]
fn one_thread_or_many_decide_the_same_bytes() {
    let day = Day::trade(300);
    let orders = day.outputs.iter().filter(|event| event.kind == Kind::ORDER).count();
    let rows = day.outputs.iter().filter(|event| event.kind == Kind::FEATURES).count();
    assert!(orders > 30 && rows > 30 && day.inputs.len() > 5_000, "{orders} orders, {rows} rows");
    let (_folder, run) = recorded(&day);
    for threads in ["inline", "shared", "dedicated"] {
        let text = said(0, &["replay", &run, "--verify", "--threads", threads]);
        let (inputs, outputs) = (day.inputs.len(), day.outputs.len());
        let wanted = format!("replayed {inputs} inputs: {outputs} outputs equal byte for byte\n");
        assert_eq!(text, wanted, "{threads}");
    }
}

#[test]
fn a_changed_output_is_named_in_words_whatever_the_threads() {
    let mut day = Day::trade(60);
    let at = day.outputs.iter().rposition(|event| event.kind == Kind::ORDER_LEG).unwrap();
    let mut leg = *day.outputs[at].body::<Leg>();
    let true_price = leg.price;
    leg.price = Price(true_price.0 + 50_000_000);
    day.outputs[at].payload = bytemuck::must_cast(leg);
    let (_folder, run) = recorded(&day);
    let cause = day.outputs[at].seq;
    for threads in ["inline", "shared", "dedicated"] {
        let text = said(1, &["replay", &run, "--verify", "--threads", threads]);
        let (was, is) = (leg.price.to_f64(), true_price.to_f64());
        for part in [
            format!("after {at} equal outputs, output {}: ORDER_LEG of risk", at + 1),
            format!("caused by input {cause}"),
            format!("`price` was recorded as {was} and is replayed as {is}"),
            "(SPXW240612C05420000)".into(),
            format!(" seq={cause} ts_event"),
            "the replay differs".into(),
        ] {
            assert!(text.contains(&part), "{threads}: {part:?} is missing: {text}");
        }
    }
}

#[test]
fn an_output_that_is_missing_or_too_many_is_a_difference() {
    let day = Day::trade(60);
    let mut fewer = day.clone();
    fewer.outputs.pop();
    let (_folder, run) = recorded(&fewer);
    assert!(said(1, &["replay", &run, "--verify"]).contains("but the recording has ended"));
    let mut more = day.clone();
    more.outputs.push(*day.outputs.last().unwrap());
    let (_folder, run) = recorded(&more);
    assert!(said(1, &["replay", &run, "--verify"]).contains("but the replay has ended"));
    let mut missing = day.clone();
    missing.outputs.remove(day.outputs.len() / 2);
    let (_folder, run) = recorded(&missing);
    assert!(said(1, &["replay", &run, "--verify"]).contains("recorded as"));
}

#[test]
fn a_span_shows_and_compares_what_lies_in_it_alone() {
    let mut day = Day::trade(60);
    let order = day.outputs.iter().rposition(|event| event.kind == Kind::ORDER).unwrap();
    let (first, last) = (day.outputs[order / 2].seq, day.outputs[order].seq - 1);
    day.outputs[order].flags.0 ^= 1;
    let (_folder, run) = recorded(&day);
    let (from, to) = (first.to_string(), last.to_string());
    let text = said(0, &["replay", &run, "--verify", "--from", &from, "--to", &to]);
    let held: Vec<&Event> =
        day.outputs.iter().filter(|event| (first..=last).contains(&event.seq)).collect();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), held.len() + 1);
    for (line, event) in lines.iter().zip(&held) {
        assert!(line.contains(&format!("{:?} seq={} ", event.kind, event.seq)), "{line}");
    }
    assert!(lines[held.len()].contains(&format!("{} outputs equal", held.len())), "{text}");
    said(1, &["replay", &run, "--verify", "--from", &from]);
}

#[test]
fn the_speed_paces_and_changes_nothing() {
    let (_folder, run) = recorded(&Day::trade(20));
    let text = said(0, &["replay", &run, "--verify", "--speed", "20"]);
    assert!(text.contains("outputs equal byte for byte"), "{text}");
}

#[test]
fn what_was_known_at_an_order_is_told() {
    let day = Day::trade(100);
    let heads: Vec<&Event> = day.outputs.iter().filter(|e| e.kind == Kind::ORDER).collect();
    let (_folder, run) = recorded(&day);
    let body = |head: &Event| *head.body::<Order>();
    let opens = |head: &&Event| body(head).purpose == Purpose::ENTRY;
    let at = 4 + heads[4..].iter().position(opens).expect("an entry");
    let (order, number) = (body(heads[at]), at + 1);
    let text = said(0, &["replay", &run, "--until-order", &number.to_string()]);
    assert_eq!(said(0, &["replay", &run, "--until-order", &order.id.to_string()]), text);
    for part in [
        format!("order {number} of the run, number {}", order.id),
        format!("  entry of probe, package {}", order.package),
        "buy 1 SPXW240612".into(),
        "theo ".into(),
        "forward 5".into(),
        "positions\n".into(),
        "P&L\n".into(),
        format!("cause\n  QUOTE seq={}", heads[at].seq),
    ] {
        assert!(text.contains(&part), "{part:?} is missing: {text}");
    }
    let text = said(1, &["replay", &run, "--until-order", "100000"]);
    assert!(text.contains(&format!("it has {} orders", heads.len())), "{text}");
}

/// The same configuration decides the same; a tighter one refuses, and says by which limit.
#[test]
fn another_configuration_is_shown_beside_what_was_decided() {
    let day = Day::trade(100);
    let orders = day.outputs.iter().filter(|event| event.kind == Kind::ORDER).count();
    let (folder, run) = recorded(&day);
    let file = config(folder.path(), |_, text| text).display().to_string();
    let text = said(0, &["replay", &run, "--config", &file]);
    assert!(text.contains("\n0 inputs lead to something else"), "{text}");
    let row = |text: &str, name: &str| -> Vec<usize> {
        let line = text.lines().find(|line| line.trim_start().starts_with(name));
        let words = line.unwrap_or_else(|| panic!("no {name}: {text}")).split_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    };
    assert_eq!(row(&text, "ORDER"), [orders, orders]);
    config(folder.path(), |name, text| match name {
        "limits.toml" => text.replace("order_premium_max = 1e8", "order_premium_max = 1.0"),
        _ => text,
    });
    let text = said(0, &["replay", &run, "--config", &file, "--differences", "1"]);
    assert_eq!(row(&text, "ORDER"), [orders, 0]);
    assert!(row(&text, "order_premium_max")[1] > 0, "{text}");
    assert!(text.contains("recorded  ORDER entry") && text.contains("replayed  BREACH"), "{text}");
    assert!(text.contains("cannot be known"), "{text}");
    let set = ["--set", "run.strategies=[]"];
    let text = said(0, &[&["replay", &run, "--config", &file][..], &set].concat());
    assert_eq!(row(&text, "ORDER"), [orders, 0], "{text}");
}

#[test]
fn a_journal_of_another_program_is_refused_and_says_why() {
    let day = Day::trade(20);
    let folder = tempfile::tempdir().unwrap();
    let whole = day.write(&folder.path().join("run"));
    type Change = fn(&mut Manifest);
    let cases: [(Change, &str); 3] = [
        (|m| m.program = [7; 32], "(0707070707070707)"),
        (|m| m.cpu = "x86-64-v4".into(), "x86-64-v4"),
        (|m| m.schema = [9; 32], "schema 0909090909090909"),
    ];
    for (change, part) in cases {
        let run = folder.path().join(part.replace(['(', ')'], ""));
        let mut manifest = Manifest { sessions: Vec::new(), ..whole.clone() };
        change(&mut manifest);
        day.write_as(&run, manifest);
        let run = run.display().to_string();
        let text = said(2, &["replay", &run, "--verify"]);
        assert!(text.contains(part) && text.contains("--force"), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        let output = recorded::zomma(&["replay", &run, "--verify", "--force"]);
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8_lossy(&output.stderr).contains(part), "it is still said");
    }
}

fn lines(run: &str, arguments: &[&str]) -> Vec<String> {
    let text = said(0, &[&["journal", "dump", run][..], arguments].concat());
    text.lines().map(String::from).collect()
}

#[test]
fn a_dump_has_every_record_in_every_form() {
    let day = Day::trade(40);
    let (_folder, run) = recorded(&day);
    let (inputs, outputs) = (day.inputs.len(), day.outputs.len());
    assert_eq!(lines(&run, &[]).len(), inputs + outputs);
    assert_eq!(lines(&run, &["--inputs"]).len(), inputs);
    assert_eq!(lines(&run, &["--outputs"]).len(), outputs);
    let json = lines(&run, &["--json"]);
    let parsed: Vec<serde_json::Value> =
        json.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(parsed.len(), inputs + outputs);
    let mut both = [day.inputs.iter(), day.outputs.iter()];
    let mut last = 0;
    for value in &parsed {
        let event = both[usize::from(value["stream"] == "out")].next().unwrap();
        assert_eq!(value["seq"], event.seq);
        assert_eq!(value["kind"], format!("{:?}", event.kind));
        assert_eq!(value["ts_recv"], event.ts_recv);
        if event.kind == Kind::QUOTE {
            let bid = event.body::<zomma::wire::market::Quote>().bid;
            assert_eq!(value["bid"].as_f64().unwrap_or(f64::NAN).to_bits(), bid.to_f64().to_bits());
        }
        assert!(event.seq >= last, "an output follows the input that led to it");
        last = event.seq;
    }
    let table = lines(&run, &["--csv"]);
    let columns: Vec<&str> = table[0].split(',').collect();
    assert_eq!(table.len(), inputs + outputs + 1);
    assert!(table.iter().all(|line| line.split(',').count() == columns.len()));
    let column = |name| columns.iter().position(|column| *column == name).unwrap();
    let bid = column("bid");
    for (line, value) in table[1..].iter().zip(&parsed) {
        let cell = line.split(',').nth(bid).unwrap();
        assert_eq!(cell.parse().ok(), value["bid"].as_f64(), "{line}");
    }
}

#[test]
fn a_dump_takes_spans_kinds_and_instruments() {
    let day = Day::trade(100);
    let (_folder, run) = recorded(&day);
    let count = |keep: &dyn Fn(&Event) -> bool| {
        day.inputs.iter().chain(&day.outputs).filter(|event| keep(event)).count()
    };
    let dumped = |arguments: &[&str]| lines(&run, arguments).len();
    let span = |event: &Event| (500..=1_500).contains(&event.seq);
    assert_eq!(dumped(&["--from", "500", "--to", "1500"]), count(&span));
    let (from, to) = (day.inputs[600].ts_recv, day.inputs[1_600].ts_recv);
    let [early, late] = [from, to].map(zomma::journal::show_time);
    let wanted = count(&|event| (from..=to).contains(&event.ts_recv));
    assert_eq!(dumped(&["--from", &early, "--to", &late]), wanted);
    let kinds = [Kind::ORDER, Kind::ORDER_LEG, Kind::REPORT];
    let wanted = count(&|event| kinds.contains(&event.kind));
    assert_eq!(dumped(&["--kind", "order,order_leg,REPORT"]), wanted);
    let wanted = count(&|event| event.instrument == floor::call(5_420));
    assert_eq!(dumped(&["--instrument", "SPXW240612C05420000"]), wanted);
    let all = count(&|event| event.instrument < 82);
    assert_eq!(dumped(&["--instrument", "SPXW"]), all);
    for (arguments, part) in [
        (["--from", "noon"], "noon"),
        (["--kind", "quota"], "quota"),
        (["--instrument", "GOOG"], "GOOG"),
    ] {
        let text = said(2, &[&["journal", "dump", &run][..], &arguments].concat());
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(dump::kind_named("trade"), Some(Kind::TRADE));
}

#[test]
fn the_summary_counts_what_is_there() {
    let day = Day::trade(40);
    let (_folder, run) = recorded(&day);
    let text = said(0, &["journal", "stat", &run]);
    let quotes = day.inputs.iter().filter(|event| event.kind == Kind::QUOTE).count();
    let row = text.lines().find(|line| line.contains(" QUOTE ")).unwrap();
    assert_eq!(row.split_whitespace().next(), Some(quotes.to_string().as_str()));
    for part in ["1 sessions", "Ended", "end: clean", &format!("inputs: {}", day.inputs.len())] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(Path::new(&run).join("manifest").exists());
}

/// A cut that begins at the start replays; one that does not is refused, and says what is missing.
#[test]
fn a_cut_from_the_start_replays() {
    let day = Day::trade(60);
    let (_folder, run) = recorded(&day);
    let (cut, seq) = (format!("{run}-cut"), day.outputs[day.outputs.len() / 2].seq);
    said(0, &["journal", "cut", &run, &cut, "--to", &seq.to_string()]);
    let kept = day.outputs.iter().filter(|event| event.seq <= seq).count();
    let text = said(0, &["replay", &cut, "--verify"]);
    assert_eq!(text, format!("replayed {seq} inputs: {kept} outputs equal byte for byte\n"));
    assert!(said(0, &["journal", "stat", &cut]).contains("cut out of epoch"));
    let text = said(3, &["journal", "cut", &run, &cut, "--to", "5"]);
    assert!(text.contains("-cut"), "{text}");
    let middle = format!("{run}-middle");
    said(0, &["journal", "cut", &run, &middle, "--from", "100"]);
    let text = said(2, &["replay", &middle, "--verify"]);
    assert!(text.contains("99 inputs before it are missing"), "{text}");
    said(2, &["journal", "cut", &run, &format!("{run}-none"), "--from", "900000"]);
}

/// Two starts of the engine on one directory are one row.
#[test]
fn a_directory_of_several_sessions_replays_as_one_row() {
    let day = Day::trade(60);
    let folder = tempfile::tempdir().unwrap();
    let (run, middle) = (folder.path().join("run"), day.outputs[day.outputs.len() / 2].seq);
    let part = |from: u64, to: u64| {
        let of = |events: &[Event]| -> Vec<Event> {
            events.iter().filter(|event| (from..=to).contains(&event.seq)).copied().collect()
        };
        Day { inputs: of(&day.inputs), outputs: of(&day.outputs) }
    };
    part(1, middle).write(&run);
    let resumed = Journal::resume(&run, &recorded::settings(), recorded::manifest()).unwrap();
    part(middle + 1, u64::MAX).append(resumed.opened);
    let run = run.display().to_string();
    for threads in ["inline", "dedicated"] {
        let text = said(0, &["replay", &run, "--verify", "--threads", threads]);
        assert!(text.contains(&format!("{} outputs equal", day.outputs.len())), "{text}");
    }
    assert!(said(0, &["journal", "stat", &run]).contains("2 sessions"));
}

#[test]
fn another_format_version_is_refused_by_its_number() {
    let (_folder, run) = recorded(&Day::trade(4));
    let path = Path::new(&run).join("manifest");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8] = 9;
    std::fs::write(&path, bytes).unwrap();
    for command in [["journal", "stat", &run].as_slice(), &["replay", &run, "--force"]] {
        assert!(said(2, command).contains("format version 9"), "{command:?}");
    }
}

/// Whoever has seen enough closes the pipe: no error.
#[test]
fn a_closed_pipe_ends_a_dump_in_peace() {
    let (_folder, run) = recorded(&Day::trade(100));
    let mut command = Command::new(env!("CARGO_BIN_EXE_zomma"));
    command.args(["journal", "dump", &run]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(line.starts_with("in 1 RUN ") && output.stderr.is_empty());
    assert_eq!(output.status.code(), Some(0));
}
