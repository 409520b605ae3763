//! Comma-separated rows as a stream: bytes in; lines with their numbers, fields and columns by
//! name, and numbers with 17 digits, out.

use std::{
    borrow::ToOwned,
    format,
    io::{self, BufRead, BufReader, Read, Write},
    ops::Range,
    string::String,
    vec::Vec,
};

/// A longer line is refused as a row; the next one is read as usual.
pub(super) const LINE_BYTES_MAX: usize = 1 << 20;
const BUFFER_BYTES: usize = 1 << 20;

/// Lines of an input.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    /// Number of the last line, from 1.
    pub(super) number: u64,
    /// Bytes read so far.
    pub(super) bytes: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Lines<R> {
        Lines { input: BufReader::with_capacity(BUFFER_BYTES, input), number: 0, bytes: 0 }
    }

    /// Appends the next line to `text`, without its end; `None` after the last. False where it is
    /// too long, and then nothing is appended.
    pub(super) fn next(&mut self, text: &mut Vec<u8>) -> io::Result<Option<bool>> {
        let start = text.len();
        let limit = LINE_BYTES_MAX as u64 + 2;
        let read = self.input.by_ref().take(limit).read_until(b'\n', text)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.bytes += read as u64;
        if text.last() == Some(&b'\n') {
            text.pop();
        } else if read as u64 == limit {
            self.bytes += self.skip_line()?;
        }
        if text.len() > start && text.last() == Some(&b'\r') {
            text.pop();
        }
        let fits = text.len() - start <= LINE_BYTES_MAX;
        if !fits {
            text.truncate(start);
        }
        Ok(Some(fits))
    }

    fn skip_line(&mut self) -> io::Result<u64> {
        let mut skipped = 0;
        loop {
            let held = self.input.fill_buf()?;
            let end = held.iter().position(|byte| *byte == b'\n');
            let count = end.map_or(held.len(), |at| at + 1);
            self.input.consume(count);
            skipped += count as u64;
            if end.is_some() || count == 0 {
                return Ok(skipped);
            }
        }
    }

    /// Whether the next line might have to be waited for.
    pub(super) fn is_drained(&self) -> bool {
        self.input.buffer().is_empty()
    }
}

/// Where the fields of a line are, quotes included; `Err` where a quote is not closed.
pub(super) fn split(line: &[u8], fields: &mut Vec<Range<usize>>) -> Result<(), &'static str> {
    fields.clear();
    let (mut start, mut quoted) = (0, false);
    for (at, byte) in line.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                fields.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    fields.push(start..line.len());
    if quoted { Err("a quote is not closed on this line") } else { Ok(()) }
}

/// What a field says: without the blanks around it and without its quotes.
pub(super) fn bare(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    let inner = field.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inner.map_or(field, <[u8]>::trim_ascii)
}

/// As a message shows it.
pub(super) fn shown(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(bare(field));
    let short: String = text.chars().take(40).collect();
    format!("{short:?}")
}

/// The columns of a file that a command reads, by name, and those that it hands on.
#[derive(Debug)]
pub(super) struct Header {
    /// Columns of the file.
    pub(super) count: usize,
    /// Positions of the columns wanted.
    pub(super) wanted: Vec<usize>,
    /// Positions of the columns that are not written anew.
    kept: Vec<usize>,
}

impl Header {
    /// Reads the first line; `gives` are the columns that the command writes itself.
    pub(super) fn read(line: &[u8], wanted: &[&str], gives: &[&str]) -> Result<Header, String> {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let mut fields = Vec::new();
        split(line, &mut fields).map_err(ToOwned::to_owned)?;
        let names: Vec<&[u8]> = fields.iter().map(|field| bare(&line[field.clone()])).collect();
        let find = |name: &&str| {
            let mut found = (0..names.len()).filter(|at| names[*at] == name.as_bytes());
            match (found.next(), found.next()) {
                (Some(at), None) => Ok(at),
                (None, _) => Err(format!("no column {name}; needed are {}", wanted.join(", "))),
                (Some(_), Some(_)) => Err(format!("two columns {name}")),
            }
        };
        let positions = wanted.iter().map(find).collect::<Result<_, _>>()?;
        let fresh = |at: &usize| !gives.iter().any(|name| name.as_bytes() == names[*at]);
        let kept = (0..names.len()).filter(fresh).collect();
        Ok(Header { count: names.len(), wanted: positions, kept })
    }

    /// The columns handed on, as they stand in the line.
    pub(super) fn keep(&self, line: &[u8], fields: &mut Vec<Range<usize>>, out: &mut Vec<u8>) {
        if self.kept.len() == self.count {
            return out.extend_from_slice(line);
        }
        if split(line, fields).is_ok() {
            for (nth, at) in self.kept.iter().enumerate() {
                if nth > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(&line[fields[*at].clone()]);
            }
        }
    }
}

/// A number with 17 significant digits, as `%.17g` writes it: what is read back is the same.
pub(super) fn number(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        return out.extend_from_slice(b"nan");
    }
    if value.is_infinite() {
        return out.extend_from_slice(if value > 0.0 { b"inf" } else { b"-inf" });
    }
    if value == 0.0 {
        return out.push(b'0');
    }
    // d.dddddddddddddddde±x
    let mut text = [0u8; 32];
    let mut rest = &mut text[..];
    if write!(rest, "{:.16e}", value.abs()).is_err() {
        return;
    }
    let length = 32 - rest.len();
    let text = &text[..length];
    let mut digits = [0u8; 17];
    digits[0] = text[0];
    digits[1..].copy_from_slice(&text[2..18]);
    let exponent = core::str::from_utf8(&text[19..]).ok().and_then(|text| text.parse().ok());
    if value < 0.0 {
        out.push(b'-');
    }
    place(&digits, exponent.unwrap_or(0), out);
}

// Digits without the zeros at their end, and the point where the exponent says.
fn place(digits: &[u8; 17], exponent: i32, out: &mut Vec<u8>) {
    let used = digits.iter().rposition(|digit| *digit != b'0').map_or(1, |last| last + 1);
    let zeros = |count: usize| core::iter::repeat_n(b'0', count);
    match exponent {
        -4..=-1 => {
            out.extend_from_slice(b"0.");
            out.extend(zeros((-exponent - 1) as usize));
            out.extend_from_slice(&digits[..used]);
        }
        0..=16 => {
            let whole = exponent as usize + 1;
            out.extend_from_slice(&digits[..whole.min(used)]);
            out.extend(zeros(whole.saturating_sub(used)));
            if used > whole {
                out.push(b'.');
                out.extend_from_slice(&digits[whole..used]);
            }
        }
        _ => {
            out.push(digits[0]);
            if used > 1 {
                out.push(b'.');
                out.extend_from_slice(&digits[1..used]);
            }
            let sign = if exponent < 0 { '-' } else { '+' };
            let written = write!(out, "e{sign}{:02}", exponent.abs());
            debug_assert!(written.is_ok(), "a Vec takes all");
        }
    }
}
