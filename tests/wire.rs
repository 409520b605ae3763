//! The tables of the wire in; that the documents show them as they are, out.
#![allow(missing_docs)]

use std::{fs, path::Path};
use zomma::wire::KINDS;

/// Whoever changes the table is told what the document must say.
#[test]
fn the_architecture_shows_the_table_of_kinds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = fs::read_to_string(path).unwrap();
    let section = text.split("\n## The kinds of event\n").nth(1).expect("a section of its own");
    let section = section.split("\n## ").next().unwrap();
    let shown: Vec<&str> = section.lines().filter(|line| line.starts_with('|')).collect();
    let head = ["| kind | name | payload | meaning |", "|---|---|---|---|"].map(String::from);
    let rows = KINDS
        .iter()
        .map(|row| format!("| {} | {} | {} | {} |", row.kind.0, row.name, row.payload, row.about));
    let wanted: Vec<String> = head.into_iter().chain(rows).collect();
    assert_eq!(shown, wanted, "write these lines into ARCHITECTURE.md:\n{}", wanted.join("\n"));
}

/// Inputs, what stages tell each other and outputs are apart by number, as the journals rely on.
#[test]
fn kinds_fall_into_inputs_internals_and_outputs() {
    for row in KINDS {
        let (input, output) = (row.kind.is_input(), row.kind.is_output());
        assert!(!(input && output), "{}", row.name);
        assert_eq!(input, row.kind.0 < 96, "{}", row.name);
        assert_eq!(output, row.kind.0 >= 128, "{}", row.name);
        assert_eq!(row.kind.doc().unwrap().name, format!("{:?}", row.kind));
    }
}
