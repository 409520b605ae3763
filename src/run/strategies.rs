//! The declared strategies in; what they are and which keys they have, as text or Markdown, out.

use super::{
    Failure,
    say::{self, println},
    scaffold,
};
use crate::{
    config::{Key, Section},
    strategy::{Entry, Exit, KINDS, MEASURES},
};
use std::{ffi::OsString, format, path::Path, string::String, vec::Vec};

/// `zomma strategy list` and `zomma strategy new NAME`.
pub fn command(words: &[OsString], markdown: bool) -> Result<(), Failure> {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    match words.iter().map(AsRef::as_ref).collect::<Vec<&str>>()[..] {
        ["list"] if markdown => say::write(format_args!("{}", document())),
        ["list"] => list(),
        ["new", name] => return scaffold::new(Path::new("."), name),
        _ => {
            let what = "zomma strategy: write list, or new and a name such as broken_wing";
            return Err(Failure::input(what));
        }
    }
    Ok(())
}

fn list() {
    for kind in KINDS {
        println!("[[{}]] {}", kind.section, kind.about);
        for key in own(&(kind.keys)()) {
            println!("  {} {}: {}", key.name, value(&key), key.about.trim());
        }
    }
    for (title, keys) in [("entries", Entry::keys()), ("exits", Exit::keys())] {
        println!("\n{title} of all of them");
        keys.iter().for_each(|key| println!("  {} {}: {}", key.name, value(key), key.about.trim()));
    }
    println!("\nmeasures of conditions");
    for row in MEASURES {
        println!("  {} ({}): {}", row.name, row.unit, row.about);
    }
}

/// Keys that only one kind has, and shared ones with a default of its own.
fn own(keys: &[Key]) -> Vec<Key> {
    let shared = [Entry::keys(), Exit::keys()].concat();
    let same = |key: &Key, other: &Key| other.name == key.name && other.default == key.default;
    keys.iter().filter(|key| !shared.iter().any(|other| same(key, other))).cloned().collect()
}

fn value(key: &Key) -> String {
    let default = key.default.as_ref().map_or("required".into(), |text| format!("= {text}"));
    let unit = if key.unit == "-" { String::new() } else { format!(" ({})", key.unit) };
    default + &unit
}

/// The whole declaration as a document.
pub fn document() -> String {
    let mut text = String::from(
        "# Strategies\n\nMade by `zomma strategy list --markdown` from the declarations in \
         `src/strategy`.\n",
    );
    for kind in KINDS {
        text += &format!("\n## `[[{}]]`\n\nIt {}.\n\n", kind.section, kind.about);
        text += &table(&own(&(kind.keys)()));
    }
    text += "\n## Entries of all of them\n\n";
    text += &table(&Entry::keys());
    text += "\n## Exits of all of them\n\n";
    text += &table(&Exit::keys());
    text += "\n## Measures of conditions\n\n| name | unit | meaning |\n|---|---|---|\n";
    for row in MEASURES {
        let held = if row.of_package { " Of a package that is held." } else { "" };
        let unit = row.unit;
        text += &format!("| `{}` | {unit} | {}{held} |\n", row.name, row.about.replace('|', "\\|"));
    }
    text
}

fn table(keys: &[Key]) -> String {
    let mut text =
        String::from("| key | default | bounds | unit | meaning |\n|---|---|---|---|---|\n");
    for key in keys {
        let default = key.default.as_ref().map_or("required".into(), |text| format!("`{text}`"));
        let bounds = if key.bounds.is_empty() { "" } else { key.bounds };
        let about = key.about.trim().replace('|', "\\|");
        let default = default.replace('|', "\\|");
        text += &format!("| `{}` | {default} | {bounds} | {} | {about} |\n", key.name, key.unit);
    }
    text
}
