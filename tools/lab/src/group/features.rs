//! Rows of features as the run's own stage makes them in; one file with a column each out.
//!
//! The row that a run made is in its journal as a digest. Each row that is written is held against
//! it, so what a model is trained on is, bit for bit, what strategies saw.

use super::{Done, Opened, Scribe};
use crate::{
    column::Stamp,
    known::Known,
    options::Options,
    sheet::{Close, Folder, Writer, Written},
    table::{ABOUT, Row as _, Table, UNIT, fields, table},
};
use arrow_array::{ArrayRef, builder::Float64Builder};
use arrow_schema::{DataType, Field};
use std::{collections::HashMap, sync::Arc};
use zomma::{
    feature::{ColumnDoc, Row},
    run::{Failure, Plan},
    wire::{Event, Kind, market},
};

table! {
    /// A row of features: these columns, then one for each that `zomma features` lists, under its
    /// name, with unit and formula in its metadata. What is not yet known is null. The footer's
    /// `zomma.features_hash` is the schema's: models name it.
    struct Head in "features" {
        /// Input number: what had come in when the row was made.
        seq: u64, "-";
        /// The chain's time then.
        time: Option<Stamp>, "-";
        /// Number of the row in the run.
        number: u64, "-";
        /// Digest of all values' bits, as the run's own row has it.
        digest: u64, "-";
        /// How many values are known.
        known: u32, "columns";
    }
}

/// The files of the group.
pub(super) fn tables() -> Vec<Table> {
    Vec::from([Table::of::<Head>()])
}

/// Begins them.
pub(super) fn open(folder: &mut Folder, plan: &Plan, _: &Options) -> Opened {
    let columns = plan.features.columns();
    let all = fields::<Head>().into_iter().chain(columns.iter().map(field)).collect();
    Ok(Box::new(Features {
        heads: Default::default(),
        values: columns.iter().map(|_| Float64Builder::new()).collect(),
        held: 0,
        out: folder.file(Head::FILE, Head::ABOUT, all)?,
    }))
}

fn field(column: &ColumnDoc) -> Field {
    let stat = column.stat;
    let about = format!("{} ({}); known after: {}", stat.formula, stat.source, column.warmup);
    let metadata = [(UNIT, stat.unit.to_string()), (ABOUT, about)];
    let metadata: HashMap<_, _> = metadata.map(|(key, text)| (key.to_string(), text)).into();
    Field::new(&column.name, DataType::Float64, true).with_metadata(metadata)
}

/// Rows that are held before they are encoded.
const BATCH_ROWS: usize = 1_024;

struct Features {
    heads: <Head as crate::table::Row>::Columns,
    values: Vec<Float64Builder>,
    held: usize,
    out: Writer,
}

impl Features {
    fn push(&mut self, seq: u64, row: &Row) -> Done {
        let Row { number, digest, count: known, ts, .. } = *row;
        Head { seq, time: Stamp::after_zero(ts), number, digest, known }.push(&mut self.heads);
        for (column, value) in self.values.iter_mut().zip(row.values()) {
            column.append_option(Some(*value).filter(|value| !value.is_nan()));
        }
        self.held += 1;
        if self.held == BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Done {
        if self.held == 0 {
            return Ok(());
        }
        self.held = 0;
        let values = self.values.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        let columns = Head::finish(&mut self.heads).into_iter().chain(values).collect();
        self.out.write(columns)
    }
}

impl Scribe for Features {
    fn on_input(&mut self, known: &Known, event: &Event) -> Done {
        if known.row_at == event.seq { self.push(event.seq, &known.features) } else { Ok(()) }
    }

    fn on_output(&mut self, known: &Known, event: &Event) -> Done {
        if event.kind != Kind::FEATURES {
            return Ok(());
        }
        let (was, is) = (event.body::<market::Features>(), &known.features);
        if (was.schema, was.number, was.digest) == (is.schema, is.number, is.digest) {
            return Ok(());
        }
        Err(Failure::mismatch(format!(
            "input {}: row {} of the run has the digest {:016x} under schema {:016x}, here row {} \
             has {:016x} under {:016x}: export with the program that ran",
            event.seq, was.number, was.digest, was.schema, is.number, is.digest, is.schema
        )))
    }

    fn sheets(&mut self) -> Vec<&mut dyn Close> {
        Vec::from([self as &mut dyn Close])
    }
}

impl Close for Features {
    fn close(&mut self) -> Result<Written, Failure> {
        self.flush()?;
        self.out.finish()
    }
}
