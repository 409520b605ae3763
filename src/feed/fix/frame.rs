//! The framer: a byte stream in, whole messages with verified length and checksum out.

use super::{
    fault,
    field::{SOH, number},
};

/// Most bytes of one message; a longer BodyLength is taken for garbage.
pub const MESSAGE_BYTES_MAX: usize = 65_536;

const BEGIN: &[u8] = b"8=FIX";
const HEAD: &[u8] = b"8=FIX.4.4\x019=";
/// `10=000` and its terminator.
const TRAILER: usize = 7;
/// Most digits of a BodyLength, leading zeros included.
const LENGTH_DIGITS_MAX: usize = 9;

/// What stands at the front of the bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step<'a> {
    /// A message: its body (from MsgType to the field before the checksum) and its whole length.
    Message {
        /// From `35=` to the terminator before `10=`.
        body: &'a [u8],
        /// Bytes from `8=` to the end.
        len: usize,
    },
    /// Nothing whole yet.
    Partial,
    /// No message: pass over `len` bytes, of which the first begin no valid message.
    Garbled {
        /// Bytes up to where the next message may begin.
        len: usize,
        /// Why: see [`fault`].
        code: u32,
    },
}

/// Looks at the front of `bytes`.
pub fn step(bytes: &[u8]) -> Step<'_> {
    let known = bytes.len().min(HEAD.len());
    if bytes[..known] != HEAD[..known] {
        let begins = bytes.len() >= BEGIN.len() && bytes.starts_with(BEGIN);
        let code = if begins { fault::VERSION } else { fault::GARBAGE };
        return garbled(bytes, code);
    }
    let Some(digits) = bytes.get(HEAD.len()..) else { return Step::Partial };
    let Some(end) = digits.iter().take(LENGTH_DIGITS_MAX + 1).position(|&b| b == SOH) else {
        let sane = digits.len() <= LENGTH_DIGITS_MAX && digits.iter().all(u8::is_ascii_digit);
        return if sane { Step::Partial } else { garbled(bytes, fault::LENGTH) };
    };
    let Some(len) = number(&digits[..end]).filter(|&n| n <= MESSAGE_BYTES_MAX as u64) else {
        return garbled(bytes, fault::LENGTH);
    };
    whole(bytes, HEAD.len() + end + 1, len as usize)
}

/// The body lies at `start` and is `len` long, if BodyLength tells the truth.
fn whole(bytes: &[u8], start: usize, len: usize) -> Step<'_> {
    let end = start + len;
    let Some(trailer) = bytes.get(end..end + TRAILER) else {
        // A length that is too long would swallow the messages behind it.
        let swallows = find(&bytes[1..], b"\x018=FIX").is_some();
        return if swallows { garbled(bytes, fault::LENGTH) } else { Step::Partial };
    };
    if bytes[end - 1] != SOH || !trailer.starts_with(b"10=") || trailer[TRAILER - 1] != SOH {
        return garbled(bytes, fault::LENGTH);
    }
    if number(&trailer[3..6]) != Some(u64::from(checksum(&bytes[..end]))) {
        return garbled(bytes, fault::CHECKSUM);
    }
    Step::Message { body: &bytes[start..end], len: end + TRAILER }
}

/// The sum of the bytes modulo 256.
#[inline]
pub fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0u8, |sum, &b| sum.wrapping_add(b))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|w| w == what)
}

/// Passes to the next place where a message may begin: the next `8=FIX`, or a start of it that the
/// bytes break off.
fn garbled(bytes: &[u8], code: u32) -> Step<'_> {
    let rest = &bytes[1..];
    let len = match find(rest, BEGIN) {
        Some(at) => 1 + at,
        None => {
            let kept = (1..BEGIN.len()).rev().find(|&n| rest.ends_with(&BEGIN[..n])).unwrap_or(0);
            bytes.len() - kept
        }
    };
    Step::Garbled { len, code }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEARTBEAT: &[u8] =
        b"8=FIX.4.4\x019=49\x0135=0\x0149=B\x0156=A\x0134=2\x0152=20260102-14:30:00.000\x01";

    #[test]
    fn a_message_is_whole_only_with_its_length_and_checksum() {
        let mut wire = [0u8; 128];
        let n = HEARTBEAT.len();
        wire[..n].copy_from_slice(HEARTBEAT);
        // BodyLength counts from 35= to the last terminator.
        assert_eq!(n - 15, 45);
        wire[12..14].copy_from_slice(b"45");
        let sum = checksum(&wire[..n]);
        let text = [b'0' + sum / 100, b'0' + sum / 10 % 10, b'0' + sum % 10];
        wire[n..n + 3].copy_from_slice(b"10=");
        wire[n + 3..n + 6].copy_from_slice(&text);
        wire[n + 6] = SOH;
        let total = n + TRAILER;
        for cut in 1..total {
            assert_eq!(step(&wire[..cut]), Step::Partial, "cut at {cut}");
        }
        assert_eq!(step(&wire[..total]), Step::Message { body: &wire[15..n], len: total });
        wire[n - 2] ^= 1;
        let garbled = Step::Garbled { len: total, code: fault::CHECKSUM };
        assert_eq!(step(&wire[..total]), garbled);
    }

    #[test]
    fn garbage_is_passed_over_up_to_what_may_be_a_beginning() {
        let garbled = |len, code| Step::Garbled { len, code };
        assert_eq!(step(b"xxx8=FIX.4.4\x01"), garbled(3, fault::GARBAGE));
        assert_eq!(step(b"xxx8=F"), garbled(3, fault::GARBAGE));
        assert_eq!(step(b"8=FIX.4.2\x019=5\x01"), garbled(14, fault::VERSION));
        assert_eq!(step(b"8=FIX.4.4\x019=99999999999"), garbled(23, fault::LENGTH));
        assert_eq!(step(b"8=FIX.4.4\x019=x\x018=FIX"), garbled(14, fault::LENGTH));
    }
}
