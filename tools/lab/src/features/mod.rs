//! A run in; what each column of its rows of features carried, as text and JSON, and one page that
//! draws them by the session's clock, out.
//!
//! The rows are made again from the run's inputs by the engine's own stages, and each is held
//! against the digest that the run journaled of it: what is judged here is what strategies saw.

mod carried;
mod census;
mod draw;
mod rows;
mod tell;
mod twins;
mod why;

pub use carried::{Carried, Verdict};
pub use census::Census;
pub use rows::Rows;

use serde_json::Value;
use std::path::Path;
use zomma::{feature::ColumnDoc, run::Failure};

/// What the rows of a run carried.
#[derive(Debug)]
pub struct Report {
    /// The rows.
    pub rows: Rows,
    /// What each column carried, in the schema's order.
    pub carried: Vec<Carried>,
}

impl Report {
    /// Of a run's directory.
    pub fn of(directory: &Path) -> Result<Report, Failure> {
        Ok(Report::from(Rows::of(directory)?))
    }

    /// Columns with what they carried.
    pub fn columns(&self) -> impl Iterator<Item = (&ColumnDoc, &Carried)> {
        self.rows.schema.columns().iter().zip(&self.carried)
    }

    /// Why a column carried nothing, where the run's inputs say it.
    pub fn why(&self, column: &ColumnDoc) -> Option<String> {
        why::why(column, &self.rows)
    }

    /// A line a column, and what stands out before them.
    pub fn text(&self) -> String {
        tell::text(self)
    }

    /// The same as JSON.
    pub fn json(&self) -> Value {
        tell::json(self)
    }

    /// One page of pictures; no other file is needed to read it.
    pub fn page(&self) -> String {
        draw::page(self)
    }
}

impl From<Rows> for Report {
    fn from(rows: Rows) -> Report {
        let carried = carried::of(&rows);
        Report { rows, carried }
    }
}
