//! A kind in, the names, places and types of its event's fields out: for dumps, for differences
//! said in words, and for the schema hash.

use crate::wire::{
    Event, KINDS, Kind, NO_INSTRUMENT, PRICE_SCALE, Timestamp, UNDEF_PRICE, UNDEF_TIME,
    audit::{Assignment, Audit, Difference, Position, Positions},
    control::{Clock, Command, Disk, Fault, Gap, Run, Session, Timer},
    market::{
        Definition, Features, Forward, Greeks, Interest, Name, Observation, Quote, Smile, Status,
        Trade,
    },
    order::{
        Admin, Breach, Cancel, Decision, Halt, Inquiry, Leg, Order, Profit, Refusal, Report,
        Settlement,
    },
};
use alloc::{
    format,
    string::{String, ToString},
};
use core::mem::offset_of;
use sha2::{Digest, Sha256};

/// How the bytes of a field are to be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldType {
    /// Unsigned, by its size.
    Number,
    /// Signed, by its size.
    Signed,
    /// In 1e-9, or undefined.
    Price,
    /// ns UTC, or undefined.
    Time,
    /// A binary floating-point number, by its size.
    Float,
    /// Text padded with zeros.
    Text,
}

/// A field of an event.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Where it begins, in bytes from the start of the event.
    pub at: usize,
    /// How many bytes.
    pub bytes: usize,
    /// How they are to be read.
    pub of: FieldType,
}

/// Size of a field, from its type alone.
const fn size_of_field<S, T>(_: fn(&S) -> &T) -> usize {
    size_of::<T>()
}

macro_rules! table {
    ($base:expr, $type:ty: $($field:ident $of:ident),*) => {
        const { &[$(Field {
            name: stringify!($field),
            at: $base + offset_of!($type, $field),
            bytes: size_of_field::<$type, _>(|s| &s.$field),
            of: FieldType::$of,
        }),*] }
    };
}

/// Where the payload of an event begins, in bytes.
pub const PAYLOAD_AT: usize = offset_of!(Event, payload);

const HEADER: &[Field] = table!(0, Event: seq Number, ts_event Time, ts_recv Time,
    instrument Number, source Number, kind Number, flags Number);

/// The payload's fields by the type that the table of kinds names.
fn payload(name: &str) -> &'static [Field] {
    const AT: usize = PAYLOAD_AT;
    match name {
        "Definition" => table!(AT, Definition: strike Price, expiration Time, root Text,
            venue_id Number, class Text, mapped Number),
        "Quote" => table!(AT, Quote: bid Price, ask Price, bid_size Number, ask_size Number,
            venue_seq Number),
        "Trade" => table!(AT, Trade: price Price, size Number, side Text, venue_seq Number),
        "Interest" => table!(AT, Interest: contracts Signed, ts_ref Time),
        "Observation" => table!(AT, Observation: value Float, about Time),
        "Status" => table!(AT, Status: action Number, reason Number),
        "Name" => table!(AT, Name: text Text),
        "Run" => table!(AT, Run: epoch Number, order_base Number),
        "Timer" => table!(AT, Timer: id Number, due Time, count Number),
        "Session" => table!(AT, Session: state Number, attempts Number, next_in Number),
        "Gap" => table!(AT, Gap: cause Number, lost Number),
        "Command" => table!(AT, Command: verb Number, limit Number, reason Text),
        "Clock" => table!(AT, Clock: wall_ahead Number, raw_ahead Number),
        "Disk" => table!(AT, Disk: state Number, lag Number),
        "Fault" => table!(AT, Fault: code Number, offset Number, found Number, count Number),
        "Report" => table!(AT, Report: order Number, exec_id Number, price Price, quantity Number,
            event Number, status Number, leg Number, resent Number),
        "Admin" => table!(AT, Admin: kind Number, len Number, seq Number, text Text),
        "Forward" => table!(AT, Forward: forward Float, discount Float, years Float, spread Float,
            strikes Number),
        "Smile" => {
            table!(AT, Smile: a Float, b Float, rho Float, m Float, sigma Float, rms Float,
                butterfly Float, points Number, crossed Number)
        }
        "Greeks" => {
            table!(AT, Greeks: iv Float, price Float, delta Float, gamma Float, theta Float,
            vega Float, status Number)
        }
        "Order" => table!(AT, Order: id Number, limit Price, quantity Number, strategy Number,
            legs Number, purpose Number, package Number),
        "Leg" => table!(AT, Leg: order Number, price Price, ratio Number, side Signed,
            index Number),
        "Cancel" => table!(AT, Cancel: id Number, order Number, strategy Number),
        "Decision" => table!(AT, Decision: strategy Number, code Number, package Number, a Float,
            b Float),
        "Refusal" => table!(AT, Refusal: order Number, violated Number, strategy Number,
            breaches Number, violated_high Number),
        "Breach" => table!(AT, Breach: order Number, limit Number, measured Float, bound Float),
        "Inquiry" => table!(AT, Inquiry: order Number, tries Number, strategy Number),
        "Halt" => table!(AT, Halt: limit Number, action Number, measured Float,
            bound Float, scope Number),
        "Audit" => table!(AT, Audit: request Number, tries Number),
        "Positions" => table!(AT, Positions: request Number, total Number, valid Number),
        "Position" => table!(AT, Position: strike Price, root Text, request Number, date Number,
            contracts Signed, class Text),
        "Assignment" => table!(AT, Assignment: strike Price, root Text, id Number, date Number,
            contracts Number, class Text),
        "Difference" => table!(AT, Difference: ours Signed, theirs Signed, strike Price,
            date Number, class Text),
        "Features" => table!(AT, Features: schema Number, digest Number, number Number,
            known Number, columns Number),
        "Profit" => table!(AT, Profit: package Number, amount Price, change Price,
            strategy Number, cause Number, occasion Number),
        "Settlement" => table!(AT, Settlement: price Price, cash Price, exercised Number,
            assigned Number, expired Number, delivered Signed),
        _ => &[],
    }
}

/// The fields of an event of this kind: the header's, then the payload's. Reserved ones are left
/// out.
pub fn fields(kind: Kind) -> impl Iterator<Item = &'static Field> {
    HEADER.iter().chain(payload_fields(kind))
}

/// The payload's fields of an event of this kind, without the header's.
pub(super) fn payload_fields(kind: Kind) -> &'static [Field] {
    kind.doc().map_or(&[][..], |row| payload(row.payload))
}

impl Field {
    /// The field's bytes in an event.
    pub fn of_event<'a>(&self, event: &'a Event) -> &'a [u8] {
        event.bytes().get(self.at..self.at + self.bytes).unwrap_or_default()
    }

    /// The field's value in words.
    pub fn show(&self, event: &Event) -> String {
        let bytes = self.of_event(event);
        let mut wide = [0; 8];
        let len = bytes.len().min(8);
        wide[..len].copy_from_slice(&bytes[..len]);
        let number = u64::from_le_bytes(wide);
        match self.of {
            FieldType::Number if self.at == KIND_AT => format!("{:?}", event.kind),
            FieldType::Number if self.is_no_instrument(event) => "-".into(),
            FieldType::Number => number.to_string(),
            FieldType::Signed => sign_extend(number, len).to_string(),
            FieldType::Price => show_price(number as i64),
            FieldType::Time => show_time(number),
            FieldType::Float if len == 4 => f32::from_bits(number as u32).to_string(),
            FieldType::Float => f64::from_bits(number).to_string(),
            FieldType::Text => show_text(bytes),
        }
    }

    /// The field's value as JSON has it: prices as decimals, times in ns UTC, names and text as
    /// strings, `null` for what is undefined or no number.
    pub fn json(&self, event: &Event) -> String {
        let text = self.show(event);
        match self.of {
            FieldType::Text => quoted(&text),
            _ if text == "-" => "null".into(),
            FieldType::Float if ["NaN", "inf", "-inf"].contains(&text.as_str()) => "null".into(),
            FieldType::Time => {
                u64::from_le_bytes(self.of_event(event).try_into().unwrap_or_default()).to_string()
            }
            _ if self.at == KIND_AT => quoted(&text),
            _ => text,
        }
    }

    /// Whether it is the header's instrument, and there is none.
    fn is_no_instrument(&self, event: &Event) -> bool {
        self.at == INSTRUMENT_AT && event.instrument == NO_INSTRUMENT
    }
}

/// A JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An instant as `2025-09-10T13:30:00.5Z`; one that is out of range as its number.
pub fn show_time(time: Timestamp) -> String {
    if time == UNDEF_TIME {
        return "-".into();
    }
    jiff::Timestamp::from_nanosecond(i128::from(time))
        .map_or_else(|_| time.to_string(), |instant| instant.to_string())
}

/// Where the header's kind and instrument lie.
const KIND_AT: usize = offset_of!(Event, kind);
const INSTRUMENT_AT: usize = offset_of!(Event, instrument);

fn sign_extend(number: u64, bytes: usize) -> i64 {
    let shift = 64 - 8 * bytes.clamp(1, 8) as u32;
    (number << shift) as i64 >> shift
}

/// A price with no more decimals than it has.
fn show_price(price: i64) -> String {
    if price == UNDEF_PRICE {
        return "-".into();
    }
    let sign = if price < 0 { "-" } else { "" };
    let scale = PRICE_SCALE.unsigned_abs();
    let (units, rest) = (price.unsigned_abs() / scale, price.unsigned_abs() % scale);
    let decimals = format!("{rest:09}");
    match decimals.trim_end_matches('0') {
        "" => format!("{sign}{units}"),
        decimals => format!("{sign}{units}.{decimals}"),
    }
}

fn show_text(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    bytes[..end].escape_ascii().to_string()
}

/// SHA-256 over all kinds and the places and types of their fields: two programs with the same one
/// read each other's events.
pub fn schema() -> [u8; 32] {
    let mut hash = Sha256::new();
    for row in KINDS {
        hash.update(format!("{} {} {}\n", row.kind.0, row.name, row.payload));
        for field in fields(row.kind) {
            let Field { name, at, bytes, of } = field;
            hash.update(format!(" {at} {bytes} {of:?} {name}\n"));
        }
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Price, market};

    #[test]
    fn every_kind_has_fields_that_lie_within_its_payload_without_overlap() {
        for row in KINDS {
            assert!(!payload(row.payload).is_empty(), "{}", row.name);
            let mut end = 0;
            for field in fields(row.kind) {
                assert!(field.at >= end && field.at + field.bytes <= 64, "{} {field:?}", row.name);
                end = field.at + field.bytes;
            }
        }
    }

    #[test]
    fn fields_are_shown_in_the_units_of_the_trade() {
        let quote = market::Quote {
            bid: Price(-1_250_000_000),
            ask: Price::UNDEF,
            bid_size: 7,
            ..bytemuck::Zeroable::zeroed()
        };
        let event = Event::new(Kind::QUOTE, 3, quote);
        let shown: alloc::vec::Vec<_> = fields(Kind::QUOTE).map(|f| f.show(&event)).collect();
        let epoch = "1970-01-01T00:00:00Z";
        let wanted = ["0", "-", epoch, "3", "0", "QUOTE", "0", "-1.25", "-", "7", "0", "0"];
        assert_eq!(shown, wanted);
        let json: alloc::vec::Vec<_> = fields(Kind::QUOTE).map(|f| f.json(&event)).collect();
        let wanted = ["0", "null", "0", "3", "0", "\"QUOTE\"", "0", "-1.25", "null", "7", "0", "0"];
        assert_eq!(json, wanted);
    }
}
