//! FIX 4.4 as the other side speaks it: bytes in, messages out; fields in, bytes out. Written apart
//! from the engine's own codec, so that both would have to be wrong in the same way.

use crate::wire::order::{client_order_id, order_of};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::Display;

const SOH: char = '\x01';

/// A message with all its fields, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message(Vec<(u32, String)>);

/// What stands at the front of a client's bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Front {
    /// A whole message and its length in bytes.
    Whole(Message, usize),
    /// More has to come.
    Partial,
    /// No message, and why.
    Broken(String),
}

impl Message {
    /// Looks at the front of `bytes`.
    pub fn front(bytes: &[u8]) -> Front {
        let Ok(text) = core::str::from_utf8(bytes) else {
            return Front::Broken("not ASCII".into());
        };
        const HEAD: &str = "8=FIX.4.4\x019=";
        if !text.starts_with(HEAD) {
            let partial = HEAD.starts_with(text);
            return if partial { Front::Partial } else { Front::Broken(shown(text)) };
        }
        let Some((digits, rest)) = text[HEAD.len()..].split_once(SOH) else {
            return Front::Partial;
        };
        let Ok(length) = digits.parse::<usize>() else { return Front::Broken(shown(text)) };
        let Some(trailer) = rest.get(length..length + 7) else { return Front::Partial };
        let whole = text.len() - rest.len() + length;
        let sum = bytes[..whole].iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte));
        if trailer != format!("10={sum:03}\x01") {
            return Front::Broken(shown(text));
        }
        match fields(&rest[..length]) {
            Some(fields) => Front::Whole(Message(fields), whole + 7),
            None => Front::Broken(shown(text)),
        }
    }

    /// The first value of a tag.
    pub fn get(&self, tag: u32) -> Option<&str> {
        self.0.iter().find(|field| field.0 == tag).map(|field| field.1.as_str())
    }

    /// MsgType.
    pub fn kind(&self) -> &str {
        self.get(35).unwrap_or("")
    }

    /// A tag's value as a number.
    pub fn number(&self, tag: u32) -> Option<u64> {
        self.get(tag)?.parse().ok()
    }

    /// A tag's value as a decimal, 1e-9.
    pub fn decimal(&self, tag: u32) -> Option<i64> {
        decimal(self.get(tag)?)
    }

    /// An order's number under a tag.
    pub fn order(&self, tag: u32) -> Option<u64> {
        order_of(self.get(tag)?.as_bytes())
    }

    /// The entries of a repeating group, each from its first tag on.
    pub fn group(&self, first: u32) -> Vec<Message> {
        let mut entries: Vec<Message> = Vec::new();
        for field in &self.0 {
            if field.0 == first {
                entries.push(Message(Vec::new()));
            }
            if let Some(entry) = entries.last_mut() {
                entry.0.push(field.clone());
            }
        }
        entries
    }
}

fn fields(text: &str) -> Option<Vec<(u32, String)>> {
    let text = text.strip_suffix(SOH)?;
    let field = |part: &str| {
        let (tag, value) = part.split_once('=')?;
        Some((tag.parse().ok()?, value.to_string()))
    };
    text.split(SOH).map(field).collect()
}

fn shown(text: &str) -> String {
    text.chars().take(60).map(|c| if c == SOH { '|' } else { c }).collect()
}

/// A decimal number as 1e-9.
pub fn decimal(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: i64 = if part.is_empty() { 0 } else { format!("{part:0<9}").parse().ok()? };
    Some(sign * (whole * 1_000_000_000 + part))
}

/// 1e-9 as a decimal number.
pub fn price(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    format!("{sign}{}.{:09}", value / 1_000_000_000, value % 1_000_000_000)
}

/// Fields being put together.
#[derive(Clone, Debug, Default)]
pub struct Body(String);

impl Body {
    /// With one field more.
    pub fn with(mut self, tag: u32, value: impl Display) -> Body {
        self.0 += &format!("{tag}={value}\x01");
        self
    }

    /// With an order's number as a client order id.
    pub fn with_order(self, tag: u32, order: u64) -> Body {
        let text: String = client_order_id(order).iter().map(|&byte| char::from(byte)).collect();
        self.with(tag, text)
    }

    /// The message with what frames it.
    pub fn framed(&self, header: &Body) -> Vec<u8> {
        let (header, body) = (&header.0, &self.0);
        let text = format!("8=FIX.4.4\x019={}\x01{header}{body}", header.len() + body.len());
        let sum = text.bytes().fold(0u8, |sum, byte| sum.wrapping_add(byte));
        format!("{text}10={sum:03}\x01").into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_framed_is_read_back_and_nothing_less_is() {
        let header = Body::default().with(35, "AB").with(34, 7);
        let body = Body::default().with_order(11, 255).with(600, "A").with(602, 1).with(600, "B");
        let bytes = body.with(44, price(-1_250_000_000)).framed(&header);
        for cut in 0..bytes.len() {
            assert_eq!(Message::front(&bytes[..cut]), Front::Partial, "cut at {cut}");
        }
        let Front::Whole(message, len) = Message::front(&bytes) else { panic!("not whole") };
        assert_eq!((len, message.kind(), message.order(11)), (bytes.len(), "AB", Some(255)));
        assert_eq!(message.decimal(44), Some(-1_250_000_000));
        let group = message.group(600);
        assert_eq!((group.len(), group[0].number(602), group[1].get(602)), (2, Some(1), None));
        let mut bad = bytes.clone();
        bad[30] ^= 1;
        assert!(matches!(Message::front(&bad), Front::Broken(_)));
    }
}
