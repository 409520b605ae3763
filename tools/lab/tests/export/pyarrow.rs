//! An export in; what another implementation of the format reads of it out: pyarrow, in the Python
//! that `ZOMMA_PYARROW_PYTHON` names.

use crate::files::exported;
use std::process::Command;

#[test]
fn pyarrow_reads_the_same_sums() {
    let Some(python) = std::env::var_os("ZOMMA_PYARROW_PYTHON") else {
        println!("skipped: no pyarrow; set ZOMMA_PYARROW_PYTHON to a Python that has it");
        return;
    };
    let Some(export) = exported(|_| ()) else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/export/read_back.py");
    let done = Command::new(python).arg(script).arg(export.folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    for line in [
        "options 2192",
        "option quotes 275552 of size sum 11657931",
        "underlying quotes 260",
        "trades 958 of volume 7471",
        "open interest 179502",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
}

#[test]
fn numpy_reckons_the_same_features_from_what_came_in() {
    let Some(python) = std::env::var_os("ZOMMA_PYARROW_PYTHON") else {
        println!("skipped: no numpy; set ZOMMA_PYARROW_PYTHON to a Python that has it");
        return;
    };
    let only = |options: &mut zomma_lab::options::Options| {
        options.only = ["events", "features"].map(String::from).into();
    };
    let Some(export) = exported(only) else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/export/parity.py");
    let done = Command::new(python).arg(script).arg(export.folder.path()).arg("GOOG").output();
    let done = done.unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    println!("{said}");
    assert!(said.contains("393 columns"), "{said}");
}

/// Strikes need the chain at each row, with the Greeks that there were.
#[test]
fn numpy_finds_the_same_among_the_strikes() {
    let Some(python) = std::env::var_os("ZOMMA_PYARROW_PYTHON") else {
        println!("skipped: no numpy; set ZOMMA_PYARROW_PYTHON to a Python that has it");
        return;
    };
    let part = |options: &mut zomma_lab::options::Options| {
        options.only = ["events", "chain", "features"].map(String::from).into();
        options.every = zomma_lab::options::Every::Span(1_000_000_000);
    };
    let Some(export) = exported(part) else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/export/strikes.py");
    let done = Command::new(python).arg(script).arg(export.folder.path()).arg("GOOG").output();
    let done = done.unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    println!("{said}");
}
