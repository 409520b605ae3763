//! A Parquet file in, its columns as vectors out; and the documentation of the columns.

use crate::recorded;
use arrow_array::{
    ArrayRef, DictionaryArray, RecordBatch, StringArray,
    cast::AsArray,
    types::{ArrowPrimitiveType, Int32Type},
};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
};
use zomma_lab::{
    export::{Exported, export},
    group::GROUPS,
    options::Options,
};

/// An export of the recorded run, into a folder that goes with it.
pub struct Export {
    pub folder: tempfile::TempDir,
    pub exported: Exported,
}

/// Exports the recorded run, with these changes to the options.
pub fn exported(change: impl FnOnce(&mut Options)) -> Option<Export> {
    let run = recorded::run()?;
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(run, folder.path());
    change(&mut options);
    let exported = export(&options).unwrap();
    Some(Export { folder, exported })
}

impl Export {
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(format!("{file}.parquet"))
    }

    /// A file of it.
    pub fn file(&self, name: &str) -> Columns {
        Columns::read(&self.path(name))
    }

    /// Rows of a file, by its footer.
    pub fn rows(&self, name: &str) -> u64 {
        let found = self.exported.files.iter().find(|file| file.path == self.path(name));
        found.unwrap().rows
    }
}

fn reader(path: &Path) -> ParquetRecordBatchReaderBuilder<File> {
    ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap()
}

/// The columns of a file.
pub struct Columns(Vec<RecordBatch>);

impl Columns {
    pub fn read(path: &Path) -> Columns {
        let reader: ParquetRecordBatchReader = reader(path).build().unwrap();
        Columns(reader.map(Result::unwrap).collect())
    }

    /// Each batch's part of a column.
    pub fn parts(&self, name: &str) -> impl Iterator<Item = &ArrayRef> {
        self.0.iter().map(move |batch| batch.column_by_name(name).unwrap())
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(RecordBatch::num_rows).sum()
    }

    /// A column of numbers, dates, times or decimals in their units.
    pub fn of<T: ArrowPrimitiveType>(&self, name: &str) -> Vec<Option<T::Native>> {
        self.parts(name).flat_map(|part| part.as_primitive::<T>().iter()).collect()
    }

    pub fn text(&self, name: &str) -> Vec<Option<String>> {
        let words = |part: &ArrayRef| -> Vec<Option<String>> {
            let words: &DictionaryArray<Int32Type> = part.as_dictionary();
            let words = words.downcast_dict::<StringArray>().unwrap();
            words.into_iter().map(|word| word.map(str::to_string)).collect()
        };
        self.parts(name).flat_map(words).collect()
    }
}

/// The listing that the documentation shows is the one that the declarations give; a column that
/// changes shows here, and the rule of `zomma_lab` says how it may.
#[test]
fn the_documented_columns_are_the_declared_ones() {
    let tables = GROUPS.iter().flat_map(|group| (group.tables)());
    let declared: Vec<String> = tables.map(|table| table.markdown()).collect();
    let documented = include_str!("../../src/columns.md");
    let wanted = declared.join("\n");
    let differs = wanted.lines().zip(documented.lines()).find(|(wanted, is)| wanted != is);
    assert_eq!(differs, None, "run: zomma-lab columns --markdown > tools/lab/src/columns.md");
    assert_eq!(wanted.trim_end(), documented.trim_end());
}

#[test]
fn every_file_carries_its_columns_meaning_and_the_run_that_it_is_of() {
    let Some(export) = exported(|_| ()) else { return };
    let manifest = zomma::journal::Manifest::read(recorded::run().unwrap()).unwrap();
    for table in GROUPS.iter().flat_map(|group| (group.tables)()) {
        let reader = reader(&export.path(table.file));
        for (found, declared) in reader.schema().fields().iter().zip(&table.fields) {
            assert_eq!(found.as_ref(), declared, "{}", table.file);
            assert!(!found.metadata()["about"].is_empty() && !found.metadata()["unit"].is_empty());
        }
        let facts = reader.metadata().file_metadata().key_value_metadata().unwrap();
        let facts: BTreeMap<&str, &str> =
            facts.iter().map(|kv| (&*kv.key, kv.value.as_deref().unwrap())).collect();
        assert_eq!(facts["zomma.table"], table.file);
        assert_eq!(facts["zomma.session"], format!("{:032x}", manifest.epoch));
        assert_eq!(facts["zomma.sources"], "1=options,2=underlying,3=broker");
        assert_eq!(facts["zomma.clock"], "exchange");
        assert_eq!(facts["zomma.config_hash"].len(), 64);
        assert!(facts["zomma.program"].starts_with("zomma "));
    }
}
