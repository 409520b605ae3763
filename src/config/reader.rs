//! What was typed: one TOML file, taken apart section by section, with every mistake collected.

use super::{Error, Section};
use alloc::{format, string::String, vec::Vec};

/// A file being read. Sections are taken out of it; what nobody takes is a mistake.
#[derive(Debug)]
pub struct Reader {
    file: String,
    table: toml::Table,
    known: Vec<&'static str>,
    errors: Vec<Error>,
}

impl Reader {
    /// Parses the text; `file` is its name in messages.
    pub fn new(file: &str, text: &str) -> Result<Reader, Vec<Error>> {
        let table = text.parse::<toml::Table>().map_err(|e| {
            let line = e.span().map_or(0, |span| 1 + text[..span.start].matches('\n').count());
            let what = e.message().replace('\n', ", ");
            Vec::from([Error::new(file, format!("line {line}"), what)])
        })?;
        Ok(Reader { file: file.into(), table, known: Vec::new(), errors: Vec::new() })
    }

    /// The section `name`; an absent one is read as an empty one, so its defaults hold.
    pub fn section<S: Section>(&mut self, name: &'static str) -> Option<S> {
        self.known.push(name);
        match self.table.remove(name) {
            None => self.read(name, toml::Table::new()),
            Some(toml::Value::Table(table)) => self.read(name, table),
            Some(_) => self.wrong(name, format!("must be a section: write [{name}] on a line")),
        }
    }

    /// The section `name` if the file has it.
    pub fn optional<S: Section>(&mut self, name: &'static str) -> Option<S> {
        if !self.table.contains_key(name) {
            self.known.push(name);
            return None;
        }
        self.section(name)
    }

    /// All sections `[[name]]`, in the order of the file.
    pub fn list<S: Section>(&mut self, name: &'static str) -> Vec<S> {
        self.known.push(name);
        let items = match self.table.remove(name) {
            None => return Vec::new(),
            Some(toml::Value::Array(items)) => items,
            Some(_) => {
                self.wrong::<S>(name, format!("must be a list: write [[{name}]] on a line"));
                return Vec::new();
            }
        };
        let mut read = Vec::new();
        for (i, item) in items.into_iter().enumerate() {
            let at = format!("{name} {}", i + 1);
            match item {
                toml::Value::Table(table) => read.extend(self.read(&at, table)),
                _ => drop(self.wrong::<S>(&at, format!("must be a section [[{name}]]"))),
            }
        }
        read
    }

    /// Adds a mistake that only the meaning shows.
    pub fn refuse(&mut self, at: &str, what: impl Into<String>) {
        self.errors.push(Error::new(&self.file, at, what));
    }

    /// All mistakes, including sections that nobody took.
    pub fn finish(mut self) -> Result<(), Vec<Error>> {
        let known = self.known.join(", ");
        for name in self.table.keys() {
            let what = format!("is no section here; known: {known}");
            self.errors.push(Error::new(&self.file, format!("[{name}]"), what));
        }
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }

    fn read<S: Section>(&mut self, at: &str, table: toml::Table) -> Option<S> {
        S::read(&self.file, at, table, &mut self.errors)
    }

    fn wrong<S>(&mut self, at: &str, what: String) -> Option<S> {
        self.errors.push(Error::new(&self.file, format!("[{at}]"), what));
        None
    }
}
