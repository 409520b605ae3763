//! FIX bytes in, fields out; fields in, framed bytes with length and checksum out.

use std::fmt::{Display, Write};

/// Ends every field.
pub const SOH: u8 = 1;
/// No message of an order session is longer.
const MESSAGE_LEN_MAX: usize = 64 * 1024;

/// A whole message: tags and values in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message(pub Vec<(u32, String)>);

impl Message {
    /// The first value of a tag.
    pub fn get(&self, tag: u32) -> Option<&str> {
        self.0.iter().find(|(t, _)| *t == tag).map(|(_, value)| value.as_str())
    }

    /// The first value of a tag as a number.
    pub fn number(&self, tag: u32) -> Option<u64> {
        self.get(tag)?.parse().ok()
    }

    /// Whether a Boolean tag says yes.
    pub fn is_yes(&self, tag: u32) -> bool {
        self.get(tag) == Some("Y")
    }

    /// The message type.
    pub fn kind(&self) -> &str {
        self.get(35).unwrap_or("")
    }

    /// The entries of a repeating group, each from one `first` tag to the next.
    pub fn group(&self, first: u32) -> Vec<Message> {
        let mut entries: Vec<Message> = Vec::new();
        for (tag, value) in &self.0 {
            if *tag == first {
                entries.push(Message::default());
            }
            if let Some(entry) = entries.last_mut() {
                entry.0.push((*tag, value.clone()));
            }
        }
        entries
    }
}

/// What lies at the head of a buffer.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    /// Not yet a whole message.
    Partial,
    /// A message, and how many bytes it took.
    Whole(Message, usize),
    /// Bytes that are no message: skip so many.
    Garbage(usize),
}

/// Looks for one message at the head of `bytes`.
pub fn parse(bytes: &[u8]) -> Parsed {
    const HEAD: &[u8] = b"8=FIX.4.4\x019=";
    let seen = bytes.len().min(HEAD.len());
    if bytes[..seen] != HEAD[..seen] {
        // Resynchronise at the next thing that looks like a beginning.
        let next = bytes.windows(2).skip(1).position(|w| w == b"8=").map_or(bytes.len(), |i| i + 1);
        return Parsed::Garbage(next);
    }
    let rest = &bytes[seen..];
    let Some(digits) = rest.iter().position(|&b| b == SOH) else {
        return if rest.len() > 6 { Parsed::Garbage(2) } else { Parsed::Partial };
    };
    let length = std::str::from_utf8(&rest[..digits]).ok().and_then(|d| d.parse::<usize>().ok());
    let Some(length) = length.filter(|&l| l <= MESSAGE_LEN_MAX) else { return Parsed::Garbage(2) };
    let (body, end) = (seen + digits + 1, seen + digits + 1 + length);
    let Some(trailer) = bytes.get(end..end + 7) else { return Parsed::Partial };
    let sum: u8 = bytes[..end].iter().fold(0, |sum, &b| sum.wrapping_add(b));
    if trailer != format!("10={sum:03}\x01").as_bytes() {
        return Parsed::Garbage(2);
    }
    let mut message = Message::default();
    for field in bytes[body..end].split(|&b| b == SOH).filter(|f| !f.is_empty()) {
        let text = String::from_utf8_lossy(field);
        let Some((tag, value)) = text.split_once('=') else { continue };
        let Ok(tag) = tag.parse() else { continue };
        message.0.push((tag, value.into()));
    }
    Parsed::Whole(message, end + 7)
}

/// The fields of a message after its header, as text.
#[derive(Clone, Debug, Default)]
pub struct Body(pub String);

impl Body {
    /// Adds a field.
    pub fn with(mut self, tag: u32, value: impl Display) -> Body {
        // Writing into a string cannot fail.
        let _ = write!(self.0, "{tag}={value}\x01");
        self
    }

    /// Adds a field where there is a value.
    pub fn with_some(self, tag: u32, value: Option<impl Display>) -> Body {
        match value {
            Some(value) => self.with(tag, value),
            None => self,
        }
    }
}

/// Frames header fields and body: begin string, length, checksum.
pub fn frame(header: &Body, body: &Body) -> Vec<u8> {
    let length = header.0.len() + body.0.len();
    let mut text = format!("8=FIX.4.4\x019={length}\x01{}{}", header.0, body.0);
    let sum: u8 = text.bytes().fold(0, |sum, b| sum.wrapping_add(b));
    let _ = write!(text, "10={sum:03}\x01");
    text.into_bytes()
}

/// A decimal price in units of 1e-9; `None` for what is no number.
pub fn price_of(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let decimal = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !decimal(whole) || !decimal(part) || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let nanos: i64 = format!("{:0<9}", &part[..part.len().min(9)]).parse().ok()?;
    Some(sign * whole.checked_mul(1_000_000_000)?.checked_add(nanos)?)
}

/// A price as a decimal without needless zeros.
pub fn show_price(price: i64) -> String {
    let sign = if price < 0 { "-" } else { "" };
    let (whole, part) =
        (price.unsigned_abs() / 1_000_000_000, price.unsigned_abs() % 1_000_000_000);
    if part == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{part:09}").trim_end_matches('0').into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_framed_parses_and_every_proper_prefix_waits() {
        let header = Body::default().with(35, "D").with(49, "ME");
        let bytes = frame(&header, &Body::default().with(11, "x").with(44, "-1.25"));
        for end in 0..bytes.len() {
            assert_eq!(parse(&bytes[..end]), Parsed::Partial, "{end}");
        }
        let Parsed::Whole(message, used) = parse(&bytes) else { panic!("not whole") };
        assert_eq!(used, bytes.len());
        assert_eq!((message.kind(), message.get(44)), ("D", Some("-1.25")));
    }

    #[test]
    fn garbage_is_skipped_to_the_next_beginning() {
        let good = frame(&Body::default().with(35, "0"), &Body::default());
        let mut bytes = b"\x00\xffrubbish 8=FIX.4.4\x019=5\x0135=0\x0110=999\x01".to_vec();
        bytes.extend_from_slice(&good);
        let mut at = 0;
        let found = loop {
            match parse(&bytes[at..]) {
                Parsed::Garbage(skip) => at += skip,
                other => break other,
            }
        };
        assert!(matches!(found, Parsed::Whole(m, _) if m.kind() == "0"));
    }

    #[test]
    fn prices_are_exact() {
        for (text, price) in [
            ("0.05", 50_000_000),
            ("-1.25", -1_250_000_000),
            ("3", 3_000_000_000),
            (".5", 500_000_000),
        ] {
            assert_eq!(price_of(text), Some(price));
            assert_eq!(price_of(&show_price(price)), Some(price));
        }
        for bad in ["", "-", "1e5", "1.2.3", "nan", "99999999999999"] {
            assert_eq!(price_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn groups_are_cut_at_their_first_tag() {
        let fields = [(555, "2"), (600, "A"), (612, "1"), (600, "B"), (612, "2")];
        let message = Message(fields.map(|(tag, value)| (tag, value.to_string())).to_vec());
        let legs = message.group(600);
        assert_eq!(legs.len(), 2);
        assert_eq!((legs[1].get(600), legs[1].get(612)), (Some("B"), Some("2")));
    }
}
