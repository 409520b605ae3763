//! A journal's files in; the same files as the death of a process can leave them out.

use crate::journal::{
    Stream,
    format::{RECORD, RECORDS_AT},
};
use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    vec::Vec,
};

/// Where a segment says that it was opened.
const OPENING_AT: usize = 2_048;

/// The segment that was being written, which is the last one opened, and where its records end.
fn end(directory: &Path, stream: Stream) -> io::Result<Option<(PathBuf, u64)>> {
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        if name.starts_with(stream.prefix()) && name.ends_with(".zj") {
            found.push(path);
        }
    }
    found.sort();
    for path in found.into_iter().rev() {
        let bytes = fs::read(&path)?;
        let records = bytes.get(RECORDS_AT..).unwrap_or(&[]).chunks_exact(RECORD);
        let whole = records.take_while(|record| record[..4] != [0; 4]).count();
        let opened = bytes.get(OPENING_AT..OPENING_AT + 4).is_some_and(|word| word != [0; 4]);
        if opened {
            return Ok(Some((path, (RECORDS_AT + whole * RECORD) as u64)));
        }
    }
    Ok(None)
}

/// A record was being written: `bytes` of it are there, but not its commit word.
pub(super) fn tear(directory: &Path, stream: Stream, bytes: usize) -> io::Result<()> {
    let Some((path, at)) = end(directory, stream)? else { return Ok(()) };
    let file = File::options().write(true).open(path)?;
    if at + RECORD as u64 > file.metadata()?.len() {
        return Ok(());
    }
    file.write_all_at(&[0xa5; RECORD][..bytes.min(RECORD - 8)], at + 8)
}

/// The last records are gone.
pub(super) fn forget(directory: &Path, stream: Stream, records: u64) -> io::Result<()> {
    let Some((path, at)) = end(directory, stream)? else { return Ok(()) };
    let from = (at - records * RECORD as u64).max(RECORDS_AT as u64);
    let zeros = std::vec![0; (at - from) as usize];
    File::options().write(true).open(path)?.write_all_at(&zeros, from)
}
