//! Fields in place: the body of a message in, tags with their values out; texts to numbers.

use crate::wire::PRICE_SCALE;

/// The byte that ends a field.
pub const SOH: u8 = 1;

/// The fields of a message's body, in order. It ends at the first thing that is no field;
/// [`Fields::is_clean`] tells whether that was the end.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    sized: Option<usize>,
    clean: bool,
}

impl<'a> Fields<'a> {
    /// Over `body`, which ends with the terminator of its last field.
    pub fn new(body: &'a [u8]) -> Fields<'a> {
        Fields { rest: body, sized: None, clean: true }
    }

    /// False after something that is no field.
    pub fn is_clean(&self) -> bool {
        self.clean
    }

    fn cut(&mut self) -> Option<(u32, &'a [u8])> {
        let mut tag = 0u32;
        let mut at = 0;
        loop {
            match *self.rest.get(at)? {
                b'=' if at > 0 => break,
                digit @ b'0'..=b'9' if at < 9 => tag = tag * 10 + u32::from(digit - b'0'),
                _ => return None,
            }
            at += 1;
        }
        let value = &self.rest[at + 1..];
        let end = match self.sized.take() {
            Some(len) if value.get(len) == Some(&SOH) => len,
            Some(_) => return None,
            None => value.iter().position(|&b| b == SOH)?,
        };
        self.rest = &value[end + 1..];
        if is_length(tag) {
            self.sized = Some(usize::try_from(number(&value[..end])?).ok()?);
        }
        Some((tag, &value[..end]))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u32, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<(u32, &'a [u8])> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.cut();
        if field.is_none() {
            self.clean = false;
            self.rest = &[];
        }
        field
    }
}

/// Whether the field after this one holds raw data of the length given here (FIX 4.4, type DATA):
/// such data may contain the terminator.
fn is_length(tag: u32) -> bool {
    match tag {
        90 | 93 | 95 | 212 | 445 | 618 | 621 => true,
        348..=364 => tag.is_multiple_of(2),
        _ => false,
    }
}

/// A whole number of up to 18 digits, leading zeros allowed.
pub fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter().try_fold(0u64, |sum, &b| b.is_ascii_digit().then(|| sum * 10 + u64::from(b - b'0')))
}

/// A decimal number in units of 1e-9, exactly; digits beyond the ninth place are rounded half away
/// from zero. `None` for what is no number or does not fit.
pub fn decimal(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let point = digits.iter().position(|&b| b == b'.').unwrap_or(digits.len());
    let (whole, part) = (&digits[..point], digits.get(point + 1..).unwrap_or(&[]));
    if whole.is_empty() && part.is_empty() || !part.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let units = whole.iter().try_fold(0i64, |sum, &b| {
        let digit = b.is_ascii_digit().then(|| i64::from(b - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })?;
    let mut scale = PRICE_SCALE;
    let nanos = part.iter().take(9).fold(0i64, |sum, &b| {
        scale /= 10;
        sum + i64::from(b - b'0') * scale
    });
    let round = i64::from(part.get(9).is_some_and(|&b| b >= b'5'));
    let value = units.checked_mul(PRICE_SCALE)?.checked_add(nanos + round)?;
    // i64::MAX is the undefined price.
    (value != i64::MAX).then_some(if negative { -value } else { value })
}

/// A quantity: a decimal number without a fraction.
pub fn quantity(text: &[u8]) -> Option<u32> {
    let units = decimal(text)?;
    (units % PRICE_SCALE == 0).then(|| u32::try_from(units / PRICE_SCALE).ok())?
}

/// FNV-1a, 64 bits, over several texts with a separator between them: stable over builds and
/// machines. <http://www.isthe.com/chongo/tech/comp/fnv/>
pub fn hash(texts: &[&[u8]]) -> u64 {
    let step = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3);
    texts
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |h, text| step(text.iter().fold(h, |h, &b| step(h, b)), SOH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn decimals_are_exact_and_nonsense_is_refused() {
        for (text, value) in [
            ("0", 0),
            ("1.05", 1_050_000_000),
            ("-1.2", -1_200_000_000),
            (".5", 500_000_000),
            ("5.", 5_000_000_000),
            ("0.000000001", 1),
            ("0.0000000005", 1),
            ("0.1", 100_000_000),
            ("9223372036.854775806", i64::MAX - 1),
        ] {
            assert_eq!(decimal(text.as_bytes()), Some(value), "{text}");
        }
        for bad in ["", "-", ".", "1,5", "1e5", "+1", "1.2.3", "9223372036.854775807", "nan"] {
            assert_eq!(decimal(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!((quantity(b"5.0"), quantity(b"5.5"), quantity(b"-5")), (Some(5), None, None));
    }

    #[test]
    fn raw_data_may_hold_the_terminator() {
        let fields: Vec<_> = Fields::new(b"95=3\x0196=a\x01b\x0158=x\x01").collect();
        assert_eq!(fields, [(95, &b"3"[..]), (96, &b"a\x01b"[..]), (58, &b"x"[..])]);
        let mut torn = Fields::new(b"95=9\x0196=ab\x01");
        assert_eq!(torn.by_ref().count(), 1);
        assert!(!torn.is_clean());
    }
}
