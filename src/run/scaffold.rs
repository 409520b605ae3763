//! A name in; the file of a new strategy, its configuration and its test, wired in, out.

use super::{Failure, say::println};
use crate::strategy::KINDS;
use std::{
    format, fs,
    path::Path,
    string::{String, ToString},
    vec::Vec,
};

/// The list of kinds that a new one is added to.
const TABLE: &str = "src/strategy/kinds/mod.rs";

/// What is made: the path of a file and its text, with `@NAME@` and the like to fill in.
const FILES: &[(&str, &str)] = &[
    ("src/strategy/kinds/@NAME@.rs", include_str!("scaffold/recipe.rs.txt")),
    ("config/strategy/@NAME@.toml", include_str!("scaffold/config.toml.txt")),
    ("tests/strategy_@NAME@.rs", include_str!("scaffold/test.rs.txt")),
];

/// Makes a strategy in the sources under `root`.
pub(super) fn new(root: &Path, name: &str) -> Result<(), Failure> {
    check(name)?;
    let table = root.join(TABLE);
    let text = fs::read_to_string(&table).map_err(|e| {
        Failure::input(format!("{}: {e}; run it where the sources are", table.display()))
    })?;
    let filled = FILES.iter().map(|(path, text)| (root.join(fill(path, name)), fill(text, name)));
    let files: Vec<_> = filled.collect();
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(Failure::input(format!("{} is there already", path.display())));
    }
    let wired = wire(&text, name)
        .ok_or_else(|| Failure::input(format!("{TABLE} has no list of kinds to add to")))?;
    for (path, text) in files.iter().chain([&(table, wired)]) {
        fs::write(path, text)
            .map_err(|e| Failure::environment(format!("{}: {e}", path.display())))?;
        println!("wrote {}", path.display());
    }
    println!("next: cargo test -p zomma --test strategy_{name}");
    println!("then: zomma strategy list --markdown > src/strategy/strategies.md");
    Ok(())
}

fn check(name: &str) -> Result<(), Failure> {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let sound = plain && name.starts_with(|c: char| c.is_ascii_lowercase());
    if !sound || name.ends_with('_') || name.contains("__") {
        let what = "write small letters, digits and single underscores";
        return Err(Failure::input(format!("{name:?} is no name for a strategy; {what}")));
    }
    let taken = KINDS.iter().any(|kind| kind.section == name);
    if taken || ["mod", "frames", "probe"].contains(&name) {
        return Err(Failure::input(format!("{name}: there is one of this name")));
    }
    Ok(())
}

fn fill(text: &str, name: &str) -> String {
    let words = name.replace('_', " ");
    text.replace("@NAME@", name).replace("@WORDS@", &words).replace("@KIND@", &kind(name))
}

/// `iron_condor` as `IronCondor`.
fn kind(name: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').map(capital).collect()
}

/// The list of kinds with one more: its module, its name, its row.
fn wire(text: &str, name: &str) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    insert(&mut lines, "mod ", format!("mod {name};"))?;
    insert(&mut lines, "pub use ", format!("pub use {name}::{};", kind(name)))?;
    let table = lines.iter().position(|line| line == "kinds! {")?;
    let end = (table..lines.len()).find(|&i| lines[i] == "}")?;
    lines.insert(end, format!("    {}", kind(name)));
    Some(lines.join("\n") + "\n")
}

/// Puts a line where it belongs in the first run of lines that begin alike.
fn insert(lines: &mut Vec<String>, begins: &str, line: String) -> Option<()> {
    let first = lines.iter().position(|other| other.starts_with(begins))?;
    let after = lines[first..]
        .iter()
        .take_while(|other| other.starts_with(begins) && other.to_string() < line);
    let at = first + after.count();
    lines.insert(at, line);
    Some(())
}
