//! What a report promises: the histograms' own percentiles, the owner of the tail, files that other
//! tools read and a page that needs nothing else.

use std::{fs, path::Path};
use zomma::{
    rt::{
        counters::Counters,
        histogram::{Histogram, Histograms, Snapshot},
    },
    run::report::{self, Interval, IntervalLog, Report, intervals},
};

const STAGES: [(&str, f64); 7] = [
    ("feed", 250.0),
    ("inputs", 30.0),
    ("chain", 140.0),
    ("greeks", 900.0),
    ("strategy", 220.0),
    ("risk", 110.0),
    ("gate", 3_400.0),
];

/// A run as it could be: a body, a tail of one in a hundred, a host's stall of one in a thousand.
struct Run {
    file: Histograms,
    stages: Vec<(Histogram, Histogram)>,
    whole: Histogram,
    gap: Histogram,
    state: u64,
}

impl Run {
    fn new(mut file: Histograms) -> Run {
        let mut declare =
            |group: &str, name: &str| file.histogram(group, name, "ns", "about").unwrap();
        let stages = STAGES
            .iter()
            .map(|(name, _)| (declare(name, report::SINCE_RECEIVE), declare(name, report::OWN)))
            .collect();
        let whole = declare("order", "tick_to_trade");
        let gap = declare(report::HOST, "gap");
        Run { file, stages, whole, gap, state: 7 }
    }

    fn random(&mut self) -> f64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.state >> 11) as f64 / (1u64 << 53) as f64
    }

    fn batch(&mut self) {
        let mut since = 0;
        for (i, (_, typical)) in STAGES.iter().enumerate() {
            let spread = 0.7 + 0.3 / (1.0 - self.random()).powf(0.35);
            let own = (typical * spread) as u64;
            since += own;
            self.stages[i].0.record(since);
            self.stages[i].1.record(own);
        }
        if self.random() < 0.05 {
            self.whole.record(since);
        }
        let gap = 20.0 * (0.8 + 0.2 / (1.0 - self.random()).powf(0.8));
        self.gap.record(gap as u64);
    }

    fn batches(&mut self, count: usize) -> Vec<Snapshot> {
        (0..count).for_each(|_| self.batch());
        self.file.read()
    }
}

fn run() -> Run {
    Run::new(Histograms::in_memory().unwrap())
}

fn facts() -> Vec<(String, String)> {
    let fact = |name: &str, value: &str| (name.into(), value.into());
    vec![
        fact("began", "2026-11-20 14:30:00 UTC"),
        fact("status", "ended"),
        fact("processor target", "x86-64-v3"),
        fact("note", "</script><!-- text that must not break out"),
    ]
}

#[test]
fn the_table_shows_the_histograms_percentiles_and_names_the_owner_of_the_tail() {
    let report = Report::new(facts(), run().batches(50_000), Vec::new());
    let mut text = Vec::new();
    report::table(&report, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let own = report.own.iter().find(|s| s.label.group == "gate").unwrap();
    for quantile in [0.5, 0.9, 0.99, 0.999, 0.9999] {
        let shown = report::duration(own.counts.value_at_quantile(quantile));
        assert!(text.contains(&shown), "{shown}\n{text}");
    }
    assert!(text.contains("the tail belongs to gate:"), "{text}");
    assert!(text.contains("noise floor"), "{text}");
    assert_eq!(report.tail_owner().unwrap().stage, "gate");
}

#[test]
fn nothing_recorded_is_said_and_no_mistake() {
    let report = Report::new(Vec::new(), run().file.read(), Vec::new());
    let mut text = Vec::new();
    report::table(&report, &mut text).unwrap();
    assert!(String::from_utf8(text).unwrap().contains("no durations were recorded"));
    assert!(report::html(&report).contains("</html>"));
}

#[test]
fn the_json_holds_every_percentile_and_curves_that_rise() {
    let report = Report::new(facts(), run().batches(10_000), Vec::new());
    let json = report::json(&report);
    assert_eq!(json["own"].as_array().unwrap().len(), STAGES.len());
    let last = &json["since_receive"][6];
    let counts = &report.since_receive[6].counts;
    assert_eq!(last["p99.9"], counts.value_at_quantile(0.999));
    assert_eq!(last["max"], report.since_receive[6].max);
    let curve: Vec<[f64; 2]> = serde_json::from_value(last["curve"].clone()).unwrap();
    assert!(curve.len() > 20 && curve.windows(2).all(|w| w[0][0] <= w[1][0] && w[0][1] <= w[1][1]));
    assert!(curve.iter().all(|point| point[0] < 1.0));
}

/// With ZOMMA_REPORT the page and the log are kept there, to be looked at.
#[test]
fn the_page_is_whole_loads_nothing_and_no_text_breaks_out_of_its_data() {
    let mut counters = Counters::in_memory().unwrap();
    for (group, name, unit, value) in [
        ("market", "now", "ns UTC", 1_795_190_400_000_000_000u64),
        ("market", "quotes", "records", 282_952),
        ("market", "open_interest", "contracts", 1_204_377),
        ("feed", "bytes", "B", 90_112_000),
        ("feed", "full_ring_waits", "1", 0),
        ("desk", "traded", "contracts", 48),
        ("desk", "pnl_cents", "cents", (-18_250i64) as u64),
        ("outcome", "orders", "orders", 12),
        ("outcome", "refusals", "intents", 3),
        ("reader", "duty_ns_max", "ns", 4_812_000),
    ] {
        counters.counter(group, name, unit, "what it counts").unwrap().set(value);
    }
    let report = Report::new(facts(), run().batches(400_000), counters.read());
    let page = report::html(&report);
    assert_eq!(page.matches("</script>").count(), 1);
    for loads in ["http:", "https:", "src=", "url(", "import", "fetch("] {
        assert!(!page.contains(loads), "{loads}");
    }
    if let Some(folder) = std::env::var_os("ZOMMA_REPORT") {
        fs::write(Path::new(&folder).join("report.html"), page).unwrap();
        let log = log(&mut run(), 5).0;
        fs::write(Path::new(&folder).join("report.hlog"), log).unwrap();
        report::table(&report, &mut std::io::stdout()).unwrap();
    }
}

/// A log of so many seconds and the histograms at its end.
fn log(run: &mut Run, seconds: u64) -> (Vec<u8>, Vec<Snapshot>) {
    const START: u64 = 1_795_190_400_000_000_000;
    let mut text = Vec::new();
    let mut log = IntervalLog::new(&mut text, START).unwrap();
    for second in 1..=seconds {
        let seen = run.batches(2_000);
        log.write(START + second * 1_000_000_000, &seen).unwrap();
    }
    (text, run.file.read())
}

#[test]
fn the_intervals_of_a_log_add_up_to_the_histograms() {
    let (text, seen) = log(&mut run(), 4);
    let found = intervals(&text).unwrap();
    assert_eq!(found.len(), 4 * seen.len());
    let second = |interval: &Interval| (interval.since.as_secs(), interval.length.as_secs());
    assert_eq!(second(&found[3 * seen.len()]), (3, 1));
    let merged = report::merge(&found).unwrap();
    for (snapshot, (tag, counts)) in seen.iter().zip(&merged) {
        assert_eq!(*tag, format!("{}.{}", snapshot.label.group, snapshot.label.name));
        assert_eq!(counts, &snapshot.counts, "{tag}");
    }
}

#[test]
fn a_damaged_log_is_an_error() {
    let (text, _) = log(&mut run(), 1);
    for at in (0..text.len()).step_by(97) {
        let mut damaged = text.clone();
        damaged[at] = b'!';
        let _ = intervals(&damaged);
        let _ = intervals(&text[..at]);
    }
    let line = text.iter().rposition(|&b| b == b',').unwrap();
    assert!(intervals(&[&text[..line + 9], b"????\n"].concat()).is_err());
}
