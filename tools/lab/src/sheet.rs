//! Rows in; Parquet files out, all of them or none.
//!
//! A file is written as `NAME.parquet.partial`, row group by row group, so memory is bounded
//! whatever the run's length; when all files of an export are on the disk they get their names.

use crate::table::{Row, fields};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema, SchemaRef};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{metadata::KeyValue, properties::WriterProperties},
};
use std::{
    error::Error,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use zomma::run::Failure;

/// Rows that are held before they are encoded.
const BATCH_ROWS: usize = 8_192;
/// Rows of a group: what a reader takes at once, and what is held encoded in memory.
const GROUP_ROWS: usize = 524_288;

/// The folder of an export while it is written.
pub(crate) struct Folder {
    path: PathBuf,
    facts: Vec<KeyValue>,
    overwrite: bool,
    partial: Vec<PathBuf>,
}

/// A file that is whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Written {
    /// Where it lies.
    pub path: PathBuf,
    /// Its rows.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

impl Folder {
    /// Makes the folder. `facts` go into the footer of every file.
    pub(crate) fn make(
        path: &Path,
        facts: Vec<KeyValue>,
        overwrite: bool,
    ) -> Result<Folder, Failure> {
        fs::create_dir_all(path).map_err(|e| Failure::file(path, "make the folder", &e))?;
        Ok(Folder { path: path.into(), facts, overwrite, partial: Vec::new() })
    }

    /// Begins a file of rows that are declared.
    pub(crate) fn sheet<R: Row>(&mut self) -> Result<Sheet<R>, Failure> {
        let out = self.file(R::FILE, R::ABOUT, fields::<R>())?;
        Ok(Sheet { columns: R::Columns::default(), held: 0, out })
    }

    /// Begins a file with these columns.
    pub(crate) fn file(
        &mut self,
        name: &str,
        about: &str,
        fields: Vec<Field>,
    ) -> Result<Writer, Failure> {
        let path = self.path.join(format!("{name}.parquet"));
        if path.exists() && !self.overwrite {
            let what = "exists; give another --out, or --overwrite";
            return Err(Failure::input(format!("{}: {what}", path.display())));
        }
        let partial = partial_of(&path);
        let file = File::create(&partial).map_err(|e| Failure::file(&partial, "make it", &e))?;
        self.partial.push(partial.clone());
        let facts = self.facts.iter().cloned().chain([
            KeyValue::new("zomma.table".to_string(), name.to_string()),
            KeyValue::new("zomma.about".to_string(), about.trim().to_string()),
        ]);
        Writer::new((path, partial, file), fields, facts.collect())
    }

    /// Gives all files their names. They must have been closed.
    pub(crate) fn publish(&mut self, sheets: &[Written]) -> Result<(), Failure> {
        for Written { path, .. } in sheets {
            let failed = |e: io::Error| Failure::file(path, "give the file its name", &e);
            fs::rename(partial_of(path), path).map_err(failed)?;
        }
        self.partial.clear();
        let synced = File::open(&self.path).and_then(|folder| folder.sync_all());
        synced.map_err(|e| Failure::file(&self.path, "bring the names to the disk", &e))
    }
}

fn partial_of(path: &Path) -> PathBuf {
    path.with_extension("parquet.partial")
}

impl Drop for Folder {
    /// What was not published is no file.
    fn drop(&mut self) {
        for path in &self.partial {
            let _ = fs::remove_file(path);
        }
    }
}

/// A file that takes batches of columns.
pub(crate) struct Writer {
    rows: u64,
    schema: SchemaRef,
    path: PathBuf,
    partial: PathBuf,
    writer: ArrowWriter<File>,
}

impl Writer {
    fn new(
        (path, partial, file): (PathBuf, PathBuf, File),
        fields: Vec<Field>,
        facts: Vec<KeyValue>,
    ) -> Result<Writer, Failure> {
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_key_value_metadata(Some(facts))
            .set_created_by(concat!("zomma-lab ", env!("CARGO_PKG_VERSION")).into())
            .build();
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))
            .map_err(|e| unwritten(&partial, &e))?;
        Ok(Writer { rows: 0, schema, path, partial, writer })
    }

    /// Adds rows, given as columns in the order of the file's.
    pub(crate) fn write(&mut self, columns: Vec<ArrayRef>) -> Result<(), Failure> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        let rows = batch.as_ref().map_or(0, RecordBatch::num_rows);
        let written = batch.map_err(ParquetError::from).and_then(|b| self.writer.write(&b));
        self.rows += rows as u64;
        written.map_err(|e| unwritten(&self.partial, &e))
    }

    /// Writes the footer and brings the file to the disk.
    pub(crate) fn finish(&mut self) -> Result<Written, Failure> {
        self.writer.finish().map_err(|e| unwritten(&self.partial, &e))?;
        let file = self.writer.inner();
        let failed = |e: io::Error| Failure::file(&self.partial, "bring the file to the disk", &e);
        file.sync_all().map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        Ok(Written { path: self.path.clone(), rows: self.rows, bytes })
    }
}

/// A file that takes rows of one type.
pub(crate) struct Sheet<R: Row> {
    columns: R::Columns,
    held: usize,
    out: Writer,
}

/// What all files of an export have in common at their end.
pub(crate) trait Close {
    /// Writes what is held and the footer, and brings the file to the disk.
    fn close(&mut self) -> Result<Written, Failure>;
}

impl<R: Row> Sheet<R> {
    /// Adds a row.
    pub(crate) fn push(&mut self, row: R) -> Result<(), Failure> {
        row.push(&mut self.columns);
        self.held += 1;
        if self.held == BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if self.held == 0 {
            return Ok(());
        }
        self.held = 0;
        self.out.write(R::finish(&mut self.columns))
    }
}

impl<R: Row> Close for Sheet<R> {
    fn close(&mut self) -> Result<Written, Failure> {
        self.flush()?;
        self.out.finish()
    }
}

/// The system's word where there is one, in one line.
fn unwritten(path: &Path, error: &ParquetError) -> Failure {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let text = cause.to_string().replace('\n', " ");
    let advice = "free some room or give another --out";
    Failure::environment(format!("{}: cannot write: {text}; {advice}", path.display()))
}
