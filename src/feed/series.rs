//! Lines of external series in, OBSERVATION events out: from a file at the start, from a socket
//! while it runs.
//!
//! ```text
//! known,series,value,about
//! 2015-12-23T21:15:00Z,VIX,15.57
//! ,SENTIMENT,-0.25
//! 1450000000000000000,FOMC,1,2016-01-27T19:00:00Z
//! ```
//! `known` is the instant from which the number was known and `about` what it is about; both are
//! UTC in RFC 3339 or in ns since 1970. An empty `known` means the chain's time when the line
//! comes; an empty or absent `about` the same as `known`. The series must be declared in the
//! universe. Empty lines, lines that begin with `#`, and the line that names the columns say
//! nothing.

use super::{
    counts::Counts,
    faults::{Code, Faults},
};
use crate::wire::{Event, Kind, Timestamp, UNDEF_TIME, market::Observation};
use alloc::{format, string::String, vec::Vec};
use core::fmt;

/// Bytes of the longest line.
pub const LINE_MAX: usize = 512;

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wrong<'a> {
    /// Not text, or too long.
    Text,
    /// Not three or four fields.
    Fields(usize),
    /// No such series; those that there are.
    Series(&'a str, &'a [String]),
    /// The value is no finite number.
    Value(&'a str),
    /// A time that is none.
    Time(&'a str),
}

impl fmt::Display for Wrong<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Text => write!(f, "is no text, or longer than {LINE_MAX} bytes"),
            Wrong::Fields(count) => {
                write!(
                    f,
                    "has {count} fields; write known,series,value or known,series,value,about"
                )
            }
            Wrong::Series(name, names) => {
                let names = names.join(", ");
                write!(f, "series {name:?} is not declared; the universe has: {names}")
            }
            Wrong::Value(text) => write!(f, "value {text:?} is no finite number"),
            Wrong::Time(text) => write!(
                f,
                "time {text:?} is none; write it like 2015-12-24T14:30:00Z or in ns since 1970"
            ),
        }
    }
}

/// The event that a line means, if it means one. `names` are the universe's series, in its order.
pub fn parse<'a>(line: &'a [u8], names: &'a [String]) -> Result<Option<Event>, Wrong<'a>> {
    let text = core::str::from_utf8(line).ok().filter(|text| text.len() <= LINE_MAX);
    let text = text.ok_or(Wrong::Text)?.trim();
    if text.is_empty() || text.starts_with('#') || text.starts_with("known,") {
        return Ok(None);
    }
    let mut fields = text.split(',').map(str::trim);
    let [known, name, value] = [fields.next(), fields.next(), fields.next()];
    let (Some(known), Some(name), Some(value)) = (known, name, value) else {
        return Err(Wrong::Fields(text.split(',').count()));
    };
    let about = fields.next().unwrap_or("");
    if fields.next().is_some() {
        return Err(Wrong::Fields(text.split(',').count()));
    }
    let series = names.iter().position(|known| known == name);
    let series = series.ok_or(Wrong::Series(name, names))?;
    let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
    let value = number.ok_or(Wrong::Value(value))?;
    let body = Observation { value, about: time(about)?, reserved: [0; 2] };
    let mut event = Event::new(Kind::OBSERVATION, series as u32, body);
    event.ts_event = time(known)?;
    Ok(Some(event))
}

/// Ns since 1970, or RFC 3339; nothing is undefined.
fn time(text: &str) -> Result<Timestamp, Wrong<'_>> {
    if text.is_empty() {
        return Ok(UNDEF_TIME);
    }
    let nanos = text.parse::<u64>().ok().or_else(|| {
        let instant = text.parse::<jiff::Timestamp>().ok()?;
        u64::try_from(instant.as_nanosecond()).ok()
    });
    nanos.filter(|time| *time != UNDEF_TIME).ok_or(Wrong::Time(text))
}

/// All observations of a file's text, by the instant from which they were known; or every mistake,
/// with its line.
pub fn read(file: &str, text: &str, names: &[String]) -> Result<Vec<Event>, Vec<String>> {
    let (mut events, mut wrong) = (Vec::new(), Vec::new());
    for (at, line) in text.lines().enumerate() {
        match parse(line.as_bytes(), names) {
            Ok(Some(event)) if event.ts_event == UNDEF_TIME => {
                wrong.push(format!("{file}: line {}: known is empty; a file must say it", at + 1));
            }
            Ok(event) => events.extend(event),
            Err(what) => wrong.push(format!("{file}: line {}: {what}", at + 1)),
        }
    }
    events.sort_by_key(order);
    if wrong.is_empty() { Ok(events) } else { Err(wrong) }
}

fn order(event: &Event) -> (Timestamp, u32, Timestamp) {
    (event.ts_event, event.instrument, event.body::<Observation>().about)
}

/// What was read from files and is still to be told: all of it, or what an earlier session of the
/// run has not told yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    events: Vec<Event>,
    told: Vec<(Timestamp, Timestamp)>,
}

impl Waiting {
    pub(super) fn new(events: Vec<Event>) -> Waiting {
        let series = events.iter().map(|event| event.instrument as usize + 1).max().unwrap_or(0);
        Waiting { events, told: alloc::vec![(0, 0); series] }
    }

    /// An earlier session has told this one.
    pub(super) fn restore(&mut self, event: &Event) {
        if let Some(told) = self.told.get_mut(event.instrument as usize) {
            *told = (*told).max((event.ts_event, event.body::<Observation>().about));
        }
    }

    /// What no session has told already, in order.
    pub(super) fn left(&self) -> impl Iterator<Item = Event> {
        self.events.iter().copied().filter(|event| {
            let of = (event.ts_event, event.body::<Observation>().about);
            of > self.told[event.instrument as usize]
        })
    }
}

/// Decodes the lines of one session.
#[derive(Debug)]
pub struct Lines {
    names: Vec<String>,
    faults: Faults,
    offset: u64,
    counts: Counts,
}

impl Lines {
    /// Lines that name these series.
    pub fn new(names: Vec<String>) -> Lines {
        Lines { names, faults: Faults::default(), offset: 0, counts: Counts::default() }
    }

    /// Its counters.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes whole lines from the front of `bytes`; returns how many bytes it is done with.
    pub fn decode(&mut self, bytes: &[u8], out: &mut impl FnMut(Event)) -> usize {
        let mut done = 0;
        while let Some(end) = bytes[done..].iter().position(|&byte| byte == b'\n') {
            self.line(&bytes[done..done + end], done, out);
            done += end + 1;
        }
        if bytes.len() - done > LINE_MAX {
            // The rest of the line is refused as another one.
            self.refuse(&bytes[done..], done, out);
            done = bytes.len();
        }
        self.offset += done as u64;
        done
    }

    fn line(&mut self, line: &[u8], at: usize, out: &mut impl FnMut(Event)) {
        match parse(line, &self.names) {
            Ok(Some(event)) => {
                self.counts.records += 1;
                self.counts.observations += 1;
                out(event);
            }
            Ok(None) => {}
            Err(_) => self.refuse(line, at, out),
        }
    }

    #[cold]
    fn refuse(&mut self, line: &[u8], at: usize, out: &mut impl FnMut(Event)) {
        self.counts.records += 1;
        self.counts.faults += 1;
        let mut first = [0; 8];
        let len = line.len().min(8);
        first[..len].copy_from_slice(&line[..len]);
        let found = u64::from_le_bytes(first);
        let fault = self.faults.note(Code::OBSERVATION, self.offset + at as u64, found);
        fault.into_iter().for_each(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn names() -> Vec<String> {
        ["VIX", "FOMC"].map(ToString::to_string).to_vec()
    }

    #[test]
    fn a_file_is_ordered_by_what_was_known_first() {
        let text = "known,series,value,about\n# closes\n1970-01-01T00:00:00.000000020Z,VIX,15.5\n\n\
                    10,FOMC,1,99\n10,FOMC,1,50\n";
        let events = read("vix.csv", text, &names()).unwrap();
        let seen: Vec<_> = events.iter().map(order).collect();
        assert_eq!(seen, [(10, 1, 50), (10, 1, 99), (20, 0, UNDEF_TIME)]);
        assert_eq!(events[2].body::<Observation>().value, 15.5);
    }

    #[test]
    fn every_mistake_is_named_with_its_line() {
        let text = "1,VIX\n1,VXX,2\n1,VIX,nan\nnoon,VIX,1\n,VIX,1\n1,VIX,1,2,3\n5,VIX,1\n";
        let wrong = read("a.csv", text, &names()).unwrap_err();
        let wanted = [
            "a.csv: line 1: has 2 fields",
            "a.csv: line 2: series \"VXX\" is not declared; the universe has: VIX, FOMC",
            "a.csv: line 3: value \"nan\"",
            "a.csv: line 4: time \"noon\"",
            "a.csv: line 5: known is empty",
            "a.csv: line 6: has 5 fields",
        ];
        assert_eq!(wrong.len(), wanted.len());
        assert!(wrong.iter().zip(wanted).all(|(is, begins)| is.starts_with(begins)), "{wrong:?}");
    }

    #[test]
    fn lines_come_out_whatever_way_they_are_split_and_garbage_is_a_fault() {
        let bytes = b"1,VIX,15.5\n,FOMC,2\ngarbage\n3,VIX,16\n4,VI";
        for split in 1..bytes.len() {
            let (mut lines, mut seen, mut held) = (Lines::new(names()), Vec::new(), Vec::new());
            for part in [&bytes[..split], &bytes[split..]] {
                held.extend_from_slice(part);
                let done =
                    lines.decode(&held, &mut |event| seen.push((event.kind, event.ts_event)));
                held.drain(..done);
            }
            let kinds = [Kind::OBSERVATION, Kind::OBSERVATION, Kind::FAULT, Kind::OBSERVATION];
            assert!(seen.iter().map(|(kind, _)| *kind).eq(kinds), "{split}: {seen:?}");
            assert_eq!((seen[1].1, held.as_slice()), (UNDEF_TIME, &b"4,VI"[..]));
        }
        let mut lines = Lines::new(names());
        assert_eq!(lines.decode(&[b'x'; LINE_MAX + 1], &mut |_| {}), LINE_MAX + 1);
        assert_eq!(lines.counts().faults, 1);
    }

    #[test]
    fn what_an_earlier_session_has_told_is_not_told_again() {
        let text = "1,VIX,1\n2,VIX,2\n2,FOMC,1,7\n2,FOMC,1,9\n";
        let events = read("a.csv", text, &names()).unwrap();
        let mut waiting = Waiting::new(events.clone());
        for event in &events[..3] {
            waiting.restore(event);
        }
        assert_eq!(waiting.left().map(|event| order(&event)).collect::<Vec<_>>(), [(2, 1, 9)]);
    }
}
