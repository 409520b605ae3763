//! Named rows of words in a mapped file: declared once by the engine, read live by any program.
//!
//! ```text
//! word 0      magic: what the rows are, 8 ASCII characters
//! word 1      version of this layout, 1
//! word 2      how many rows the file has room for
//! word 3      words in a row
//! word 4      rows declared so far (stored last, so a row that is counted is complete)
//! word 5      process id of the writer
//! words 6-15  zero
//! then, a row each: 32 words of label: group 32, name 48, unit 16, about 160 bytes, zero-padded
//! then, a row each: its words
//! ```
//! All words are little-endian. A row whose name is empty is padding.

use super::mapped::{Mapped, Words};
use alloc::{format, string::String, vec::Vec};
use core::sync::atomic::{AtomicU64, Ordering};
use std::{io, path::Path, sync::Arc};

const VERSION: u64 = 1;
const HEADER_WORDS: usize = 16;
const LABEL_WORDS: usize = 32;
const ROOM: usize = 2;
const ROW_WORDS: usize = 3;
const USED: usize = 4;
const PROCESS: usize = 5;
/// Bytes of group, name, unit and about in a label.
const FIELDS: [usize; 4] = [32, 48, 16, 160];
const _: () = assert!(FIELDS[0] + FIELDS[1] + FIELDS[2] + FIELDS[3] == LABEL_WORDS * 8);

/// What a row is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Label {
    /// Who writes it: a thread or a stage.
    pub group: String,
    /// What it is, with its unit last.
    pub name: String,
    /// Unit, `1` for counts.
    pub unit: String,
    /// What it means.
    pub about: String,
}

/// A file of rows, open for declaring.
#[derive(Debug)]
pub struct Table {
    map: Arc<Mapped>,
    row_words: usize,
    room: usize,
}

/// One row; it keeps the mapping alive.
#[derive(Clone, Debug)]
pub struct Row(Words);

impl Row {
    /// One of its words.
    ///
    /// # Panics
    /// Where the row has no such word.
    #[inline(always)]
    pub fn word(&self, index: usize) -> &AtomicU64 {
        self.0.word(index)
    }

    /// How many words it has.
    pub fn words(&self) -> usize {
        self.0.len()
    }
}

impl Table {
    /// A new file with room for so many rows, in place of what was there.
    pub fn create(path: &Path, magic: [u8; 8], room: usize, row_words: usize) -> io::Result<Table> {
        let map = Mapped::create(path, words(room, row_words))?;
        Ok(Table::begin(map, magic, room, row_words))
    }

    /// The same in memory, where nobody watches.
    pub fn in_memory(magic: [u8; 8], room: usize, row_words: usize) -> io::Result<Table> {
        let map = Mapped::anonymous(words(room, row_words))?;
        Ok(Table::begin(map, magic, room, row_words))
    }

    /// A file that an engine wrote or is writing, to be read.
    pub fn open(path: &Path, magic: [u8; 8]) -> io::Result<Table> {
        let map = Mapped::open(path)?;
        let wrong = |what: &str| io::Error::other(format!("{}: {what}", path.display()));
        let header = |i: usize| map.word(i).load(Ordering::Acquire);
        if map.len() < HEADER_WORDS || header(0) != u64::from_le_bytes(magic) {
            let magic = magic.escape_ascii();
            return Err(wrong(&format!("no file of this kind: it does not begin with {magic}")));
        }
        if header(1) != VERSION {
            return Err(wrong(&format!("version {}, not {VERSION}", header(1))));
        }
        let as_size = |word| usize::try_from(word).unwrap_or(usize::MAX).min(map.len());
        let (room, row_words) = (as_size(header(ROOM)), as_size(header(ROW_WORDS)));
        let wanted = room.saturating_mul(row_words + LABEL_WORDS);
        if row_words == 0 || wanted.saturating_add(HEADER_WORDS) > map.len() {
            return Err(wrong("shorter than its header says"));
        }
        Ok(Table { map: Arc::new(map), row_words, room })
    }

    fn begin(map: Mapped, magic: [u8; 8], room: usize, row_words: usize) -> Table {
        let set = |i: usize, value| map.word(i).store(value, Ordering::Relaxed);
        set(1, VERSION);
        set(ROOM, room as u64);
        set(ROW_WORDS, row_words as u64);
        set(PROCESS, u64::from(std::process::id()));
        // Last: who finds the magic finds the header.
        map.word(0).store(u64::from_le_bytes(magic), Ordering::Release);
        Table { map: Arc::new(map), row_words, room }
    }

    /// Declares a row. Text that is too long for its field is cut at a character.
    pub fn declare(&mut self, label: &Label) -> io::Result<Row> {
        let index = self.used();
        if index == self.room {
            let what = format!("room for {} rows, none left for {}", self.room, label.name);
            return Err(io::Error::other(what));
        }
        let bytes = label_bytes(label);
        for (i, word) in bytes.chunks_exact(8).enumerate() {
            let word = word.try_into().map_or(0, u64::from_le_bytes);
            let at = HEADER_WORDS + index * LABEL_WORDS + i;
            self.map.word(at).store(word, Ordering::Relaxed);
        }
        self.map.word(USED).store(index as u64 + 1, Ordering::Release);
        Ok(self.row(index))
    }

    /// Declares empty rows until the next one begins a group of `rows`, so that what two threads
    /// write lies in different cache lines.
    pub fn align(&mut self, rows: usize) -> io::Result<()> {
        while !self.used().is_multiple_of(rows) {
            self.declare(&Label::default())?;
        }
        Ok(())
    }

    /// How many rows were declared.
    pub fn used(&self) -> usize {
        (self.map.word(USED).load(Ordering::Acquire) as usize).min(self.room)
    }

    /// The process that writes or wrote it.
    pub fn process(&self) -> u32 {
        self.map.word(PROCESS).load(Ordering::Relaxed) as u32
    }

    /// The declared rows with their labels, padding left out.
    pub fn rows(&self) -> Vec<(Label, Row)> {
        let all = (0..self.used()).map(|i| (self.label(i), self.row(i)));
        all.filter(|(label, _)| !label.name.is_empty()).collect()
    }

    fn row(&self, index: usize) -> Row {
        let first = HEADER_WORDS + self.room * LABEL_WORDS + index * self.row_words;
        Row(Words::new(&self.map, first, self.row_words))
    }

    fn label(&self, index: usize) -> Label {
        let at = HEADER_WORDS + index * LABEL_WORDS;
        let word = |i| self.map.word(at + i).load(Ordering::Relaxed).to_le_bytes();
        let bytes: Vec<u8> = (0..LABEL_WORDS).flat_map(word).collect();
        let mut from = 0;
        let [group, name, unit, about] = FIELDS.map(|length| {
            from += length;
            let field = &bytes[from - length..from];
            let end = field.iter().position(|&b| b == 0).unwrap_or(length);
            String::from_utf8_lossy(&field[..end]).into_owned()
        });
        Label { group, name, unit, about }
    }
}

fn words(room: usize, row_words: usize) -> usize {
    HEADER_WORDS + room * (LABEL_WORDS + row_words)
}

fn label_bytes(label: &Label) -> [u8; LABEL_WORDS * 8] {
    let mut bytes = [0; LABEL_WORDS * 8];
    let mut from = 0;
    let texts = [&label.group, &label.name, &label.unit, &label.about];
    for (text, length) in texts.into_iter().zip(FIELDS) {
        let end = text.floor_char_boundary(length);
        bytes[from..from + end].copy_from_slice(&text.as_bytes()[..end]);
        from += length;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: [u8; 8] = *b"ZMTESTS1";

    fn label(name: &str) -> Label {
        Label { group: "g".into(), name: name.into(), unit: "1".into(), about: "é".repeat(99) }
    }

    #[test]
    fn a_reader_sees_what_the_writer_declared_and_stored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        let mut table = Table::create(&path, MAGIC, 20, 2).unwrap();
        let one = table.declare(&label("one")).unwrap();
        table.align(16).unwrap();
        table.declare(&label("two")).unwrap().word(1).store(7, Ordering::Relaxed);

        let reader = Table::open(&path, MAGIC).unwrap();
        one.word(0).store(5, Ordering::Relaxed);
        let rows = reader.rows();
        let seen: Vec<_> = rows.iter().map(|(l, r)| (l.name.as_str(), r)).collect();
        assert_eq!((seen[0].0, seen[0].1.word(0).load(Ordering::Relaxed)), ("one", 5));
        assert_eq!((seen[1].0, seen[1].1.word(1).load(Ordering::Relaxed)), ("two", 7));
        assert_eq!(rows[0].0.about, "é".repeat(80));
        assert_eq!((rows.len(), reader.process()), (2, std::process::id()));
    }

    #[test]
    fn a_full_table_and_a_strange_file_are_refused() {
        let mut table = Table::in_memory(MAGIC, 1, 1).unwrap();
        table.declare(&label("one")).unwrap();
        assert!(table.declare(&label("two")).is_err());

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("strange");
        for content in [&b""[..], b"ZMTESTS1", &[0; 64], &[0xff; 4096]] {
            std::fs::write(&path, content).unwrap();
            assert!(Table::open(&path, MAGIC).is_err());
        }
    }
}
