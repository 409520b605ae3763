//! Value at risk and expected shortfall against numpy and scipy, in the Python that
//! `ZOMMA_SCIPY_PYTHON` or `ZOMMA_PYARROW_PYTHON` names: revaluation, historical and simulated
//! tails.

use std::{ffi::OsString, fmt::Write as _, fs, process::Command};
use zomma_lab::tail::{Line, Tail, profits, simulated};

fn book() -> Vec<Line> {
    let line = |cp: f64, strike: f64, days: f64, iv: f64, units: f64, american: bool| {
        let (forward, discount) = (5_400.0 + days, 1.0 - days / 9_000.0);
        Line { cp, forward, strike, years: days / 365.0, iv, discount, units, american }
    };
    vec![
        // A condor with unequal wings, a calendar, a ratio, and a straddle that settles today.
        line(-1.0, 5_250.0, 30.0, 0.19, 300.0, false),
        line(-1.0, 5_300.0, 30.0, 0.18, -300.0, false),
        line(1.0, 5_500.0, 30.0, 0.14, -300.0, false),
        line(1.0, 5_600.0, 30.0, 0.13, 300.0, false),
        line(1.0, 5_400.0, 7.0, 0.15, -200.0, false),
        line(1.0, 5_400.0, 37.0, 0.155, 200.0, false),
        line(-1.0, 5_100.0, 90.0, 0.22, 100.0, true),
        line(-1.0, 4_900.0, 90.0, 0.24, -200.0, true),
        line(1.0, 5_400.0, 0.2, 0.25, -100.0, false),
        line(-1.0, 5_400.0, 0.2, 0.26, -100.0, false),
    ]
}

/// A Python with scipy, of those that are named.
fn python() -> Option<OsString> {
    let named = ["ZOMMA_SCIPY_PYTHON", "ZOMMA_PYARROW_PYTHON"].into_iter();
    let has_scipy = |python: &OsString| {
        let asked = Command::new(python).args(["-c", "import scipy"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    named.filter_map(std::env::var_os).find(has_scipy)
}

#[test]
fn numpy_and_scipy_find_the_same_tails() {
    let Some(python) = python() else {
        println!("skipped: no scipy; set ZOMMA_SCIPY_PYTHON to a Python that has it");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let lines = book();
    let write = |name: &str, rows: Vec<Vec<f64>>| {
        let mut text = String::new();
        for row in rows {
            let cells: Vec<String> = row.iter().map(|value| format!("{value:?}")).collect();
            writeln!(text, "{}", cells.join(",")).unwrap();
        }
        fs::write(folder.path().join(name), text).unwrap();
    };
    let row = |l: &Line| {
        let american = f64::from(u8::from(l.american));
        vec![l.cp, l.forward, l.strike, l.years, l.iv, l.discount, l.units, american]
    };
    write("lines.csv", lines.iter().map(row).collect());
    // 1,003 days: nβ is no whole number.
    let moves = simulated(1_003, 11, [0.012, 0.06, -0.75]);
    write("moves.csv", moves.iter().map(|m| m.to_vec()).collect());
    let found = profits(&lines, &moves);
    write("profits.csv", found.iter().map(|profit| vec![*profit]).collect());
    let many = profits(&lines, &simulated(400_000, 12, [0.012, 0.06, -0.75]));
    let tails = [0.95, 0.99].map(|beta| {
        let (one, other) = (Tail::of(&found, beta).unwrap(), Tail::of(&many, beta).unwrap());
        vec![beta, one.value_at_risk, one.shortfall, other.value_at_risk, other.shortfall]
    });
    write("tails.csv", tails.to_vec());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tail.py");
    let done = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    print!("{said}");
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
}
