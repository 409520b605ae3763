//! A configuration, or the defaults for a root called ROOT, in; every column of a row with its
//! unit, range, warm-up, formula and source, as text, JSON or Markdown, out.

use super::{Failure, Files, Plan, say::print};
use crate::feature::{ColumnDoc, MEMBERS, Schema, Settings};
use std::{format, string::String, vec::Vec};

/// How columns are listed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Form {
    /// A line a column.
    #[default]
    Text,
    /// One object: the schema's hash and a list of columns.
    Json,
    /// A table.
    Markdown,
}

/// Lists the columns of a configuration's schema.
pub fn list(files: Option<&Files>, form: Form) -> Result<(), Failure> {
    let schema = match files {
        Some(files) => Plan::new(files)?.features,
        None => Schema::new(&Settings::with_roots(&["ROOT"])),
    };
    print!("{}", show(&schema, form));
    Ok(())
}

/// The listing of a schema.
pub fn show(schema: &Schema, form: Form) -> String {
    match form {
        Form::Text => text(schema),
        Form::Json => json(schema),
        Form::Markdown => markdown(schema),
    }
}

fn text(schema: &Schema) -> String {
    let mut out = String::new();
    for column in schema.columns() {
        let ColumnDoc { name, family, stat, warmup } = column;
        let [low, high] = stat.range;
        out += &format!("{name}  [{family}] {} ({low} to {high})\n", stat.unit);
        out += &format!("    {}  (after: {warmup}; {})\n", stat.formula, stat.source);
    }
    let (count, hash) = (schema.columns().len(), schema.hash());
    out + &format!("{count} columns, schema {hash:016x}\n")
}

fn json(schema: &Schema) -> String {
    let finite = |bound: f64| Some(bound).filter(|bound| bound.is_finite());
    let column = |(at, column): (usize, &ColumnDoc)| {
        serde_json::json!({
            "at": at,
            "name": column.name,
            "family": column.family,
            "unit": column.stat.unit,
            "low": finite(column.stat.range[0]),
            "high": finite(column.stat.range[1]),
            "warmup": column.warmup,
            "formula": column.stat.formula,
            "source": column.stat.source,
        })
    };
    let columns = schema.columns().iter().enumerate().map(column);
    let whole = serde_json::json!({
        "schema": format!("{:016x}", schema.hash()),
        "every_ns": schema.settings().every.nanos(),
        "columns": columns.collect::<serde_json::Value>(),
    });
    format!("{whole:#}\n")
}

fn markdown(schema: &Schema) -> String {
    let head = "| column | family | unit | range | known after | formula | source |";
    let mut out = format!("{head}\n|---|---|---|---|---|---|---|\n");
    let cell = |text: &str| text.replace('|', "\\|");
    for ColumnDoc { name, family, stat, warmup } in schema.columns() {
        let [low, high] = stat.range;
        let (formula, source) = (cell(stat.formula), cell(stat.source));
        let unit = stat.unit;
        out += &format!("| {name} | {family} | {unit} | {low} to {high} | {warmup} ");
        out += &format!("| {formula} | {source} |\n");
    }
    out + &members(schema)
}

/// What is asked for by name, and which columns carry it.
fn members(schema: &Schema) -> String {
    let mut out = String::from(
        "\n## What is asked for by name\n\nColumns in brackets need a series, dates or a pair that \
         this configuration does not name under [features]; config/markets.toml does.\n\n\
         | group | asked for | columns |\n|---|---|---|\n",
    );
    for member in MEMBERS {
        let show = |name: String| match schema.column(&name) {
            Some(_) => name,
            None => format!("[{name}]"),
        };
        let columns: Vec<String> = member.columns_of(schema).into_iter().map(show).collect();
        out += &format!("| {} | {} | {} |\n", member.group, member.name, columns.join(", "));
    }
    out
}
