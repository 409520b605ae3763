//! A configuration's files: paths in, texts out. The texts go into the manifest, so a replay reads
//! what the run read, wherever the files are by then.

use crate::config::Error;
use std::{
    format, fs,
    path::Path,
    string::{String, ToString},
    vec::Vec,
};

/// The files of one configuration, each under the name by which others include it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Files {
    list: Vec<(String, String)>,
}

/// The name of the main file in [`Files`].
pub(super) const MAIN: &str = "main";

impl Files {
    /// Reads `path`, applies `sets` (`section.key=value`) to it, and reads what its `[run]` section
    /// includes, relative to its folder.
    pub fn gather(path: &Path, sets: &[String]) -> Result<Files, Vec<Error>> {
        let shown = path.display().to_string();
        let mut table = parse(&shown, &read(path, &shown)?)?;
        for set in sets {
            apply(&mut table, set).map_err(|what| [Error::new("--set", set.as_str(), what)])?;
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut files = Files { list: Vec::from([(MAIN.to_string(), table.to_string())]) };
        for name in included(&table) {
            let file = folder.join(&name);
            let text = read(&file, &file.display().to_string())?;
            files.list.push((name, text));
        }
        Ok(files)
    }

    /// As the manifest keeps them.
    pub fn from_list(list: Vec<(String, String)>) -> Files {
        Files { list }
    }

    /// For the manifest.
    pub fn list(&self) -> &[(String, String)] {
        &self.list
    }

    /// The text of a file.
    pub fn text(&self, name: &str) -> Result<&str, Error> {
        let found = self.list.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.as_str()).ok_or_else(|| {
            Error::new(name, "file", "is not part of this configuration; include it in [run]")
        })
    }
}

fn read(path: &Path, shown: &str) -> Result<String, Vec<Error>> {
    fs::read_to_string(path).map_err(|e| {
        Vec::from([Error::new(
            shown,
            "file",
            format!("cannot be read ({e}); name one that exists"),
        )])
    })
}

fn parse(file: &str, text: &str) -> Result<toml::Table, Vec<Error>> {
    text.parse::<toml::Table>().map_err(|e| {
        let line = e.span().map_or(0, |span| 1 + text[..span.start].matches('\n').count());
        Vec::from([Error::new(file, format!("line {line}"), e.message().replace('\n', ", "))])
    })
}

/// Names in `[run]` that are files: `universe`, `limits`, `fees` and `approvals` where they are not
/// empty, and the list `strategies`.
fn included(table: &toml::Table) -> Vec<String> {
    let Some(run) = table.get("run").and_then(|run| run.as_table()) else { return Vec::new() };
    let one = |key: &str| run.get(key).and_then(|v| v.as_str()).map(String::from);
    let many = run.get("strategies").and_then(|v| v.as_array()).into_iter().flatten();
    let many = many.filter_map(|v| v.as_str()).map(String::from);
    let single = ["universe", "limits", "fees", "approvals"].into_iter().filter_map(one);
    single.filter(|name| !name.is_empty()).chain(many).collect()
}

/// `section.key=value` or `list.N.key=value` (N from 1); the value is TOML, or a bare word.
fn apply(table: &mut toml::Table, set: &str) -> Result<(), String> {
    const FORM: &str = "is not of the form section.key=value";
    let (path, text) = set.split_once('=').ok_or(FORM)?;
    let value = format!("v = {text}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("v"));
    let value = value.unwrap_or_else(|| toml::Value::String(text.into()));
    let parts: Vec<&str> = path.split('.').collect();
    let section = match parts.as_slice() {
        [section, _] => table
            .entry(*section)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))
            .as_table_mut(),
        [list, number, _] => number
            .parse::<usize>()
            .ok()
            .and_then(|n| table.get_mut(*list)?.as_array_mut()?.get_mut(n.checked_sub(1)?))
            .and_then(|item| item.as_table_mut()),
        _ => return Err(FORM.into()),
    };
    let section = section.ok_or("names no section of the file")?;
    section.insert(parts[parts.len() - 1].into(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_changes_sections_and_list_items() {
        let mut table = parse("t", "[run]\ncores = [1]\n[[session]]\nname = \"a\"").unwrap();
        apply(&mut table, "run.cores=[0, 1]").unwrap();
        apply(&mut table, "run.threads=shared").unwrap();
        apply(&mut table, "session.1.name=b").unwrap();
        assert_eq!(table["run"]["cores"].as_array().unwrap().len(), 2);
        assert_eq!(table["run"]["threads"].as_str(), Some("shared"));
        assert_eq!(table["session"][0]["name"].as_str(), Some("b"));
    }

    #[test]
    fn a_set_that_names_nothing_is_refused() {
        let mut table = parse("t", "[[session]]\nname = \"a\"").unwrap();
        for bad in ["", "run", "run.x", "session.2.name=b", "session.0.name=b", "a.b.c.d=1"] {
            assert!(apply(&mut table, bad).is_err(), "{bad:?}");
        }
    }
}
