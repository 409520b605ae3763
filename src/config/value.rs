//! The types that a key can have: what they accept and how they are written.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// A type of key.
pub trait Value: Sized {
    /// What a user should write, for messages and listings.
    const WANTED: &'static str;
    /// The value, or `None` where the text is of another type.
    fn read(value: &toml::Value) -> Option<Self>;
    /// As it is written in a file.
    fn show(&self) -> String;
}

impl Value for bool {
    const WANTED: &'static str = "true or false";
    fn read(value: &toml::Value) -> Option<bool> {
        value.as_bool()
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for f64 {
    const WANTED: &'static str = "a finite number";
    fn read(value: &toml::Value) -> Option<f64> {
        let number = value.as_float().or_else(|| value.as_integer().map(|i| i as f64))?;
        number.is_finite().then_some(number)
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for String {
    const WANTED: &'static str = "a string in quotes";
    fn read(value: &toml::Value) -> Option<String> {
        value.as_str().map(String::from)
    }
    fn show(&self) -> String {
        format!("{self:?}")
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Value for $type {
            const WANTED: &'static str = "a whole number";
            fn read(value: &toml::Value) -> Option<$type> {
                <$type>::try_from(value.as_integer()?).ok()
            }
            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, usize, i32, i64);

impl<T: Value> Value for Vec<T> {
    const WANTED: &'static str = "a list in square brackets";
    fn read(value: &toml::Value) -> Option<Vec<T>> {
        value.as_array()?.iter().map(T::read).collect()
    }
    fn show(&self) -> String {
        let items: Vec<String> = self.iter().map(T::show).collect();
        format!("[{}]", items.join(", "))
    }
}

/// A duration, written with its unit: `"250ms"`, `"5s"`, `"10m"`, `"2h"`, `"50us"`, `"0s"`.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Span(pub u64);

impl Span {
    /// In nanoseconds.
    pub fn nanos(self) -> u64 {
        self.0
    }
}

const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl Value for Span {
    const WANTED: &'static str = "a duration with its unit, such as \"250ms\", \"5s\" or \"10m\"";
    fn read(value: &toml::Value) -> Option<Span> {
        let text = value.as_str()?.trim();
        let split = text.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = text[..split].parse().ok()?;
        let unit = UNITS.iter().find(|(name, _)| *name == text[split..].trim())?;
        number.checked_mul(unit.1).map(Span)
    }
    fn show(&self) -> String {
        let fits = |unit: &&(&str, u64)| self.0.is_multiple_of(unit.1);
        let (name, size) = UNITS.iter().rev().find(fits).unwrap_or(&UNITS[0]);
        format!("\"{}{name}\"", self.0 / size)
    }
}

/// A time of day in the exchange's zone, written `"09:45"` or `"15:59:30"`; in seconds.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct TimeOfDay(pub u32);

impl Value for TimeOfDay {
    const WANTED: &'static str = "a time of day such as \"09:45\" or \"15:59:30\"";
    fn read(value: &toml::Value) -> Option<TimeOfDay> {
        let text = value.as_str()?;
        let mut seconds = 0;
        let mut parts = 0;
        for (part, limit) in text.split(':').zip([24, 60, 60]) {
            let number: u32 = (part.len() == 2).then(|| part.parse().ok())??;
            seconds = seconds * 60 + (number < limit).then_some(number)?;
            parts += 1;
        }
        match (parts, text.split(':').count()) {
            (2, 2) => Some(TimeOfDay(seconds * 60)),
            (3, 3) => Some(TimeOfDay(seconds)),
            _ => None,
        }
    }
    fn show(&self) -> String {
        format!("\"{:02}:{:02}:{:02}\"", self.0 / 3600, self.0 / 60 % 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> toml::Value {
        toml::Value::String(s.into())
    }

    #[test]
    fn a_span_needs_a_number_and_a_unit() {
        assert_eq!(Span::read(&text("250ms")), Some(Span(250_000_000)));
        assert_eq!(Span::read(&text("2h")), Some(Span(7_200_000_000_000)));
        for bad in ["", "5", "ms", "-1s", "1.5s", "5 parsecs", "99999999999999h"] {
            assert_eq!(Span::read(&text(bad)), None, "{bad:?}");
        }
    }

    #[test]
    fn a_time_of_day_is_on_the_clock_face() {
        assert_eq!(TimeOfDay::read(&text("09:45")), Some(TimeOfDay(35_100)));
        assert_eq!(TimeOfDay::read(&text("15:59:30")), Some(TimeOfDay(57_570)));
        for bad in ["", "9:45", "24:00", "12:60", "12", "12:00:00:00", "ab:cd", "12:00:60"] {
            assert_eq!(TimeOfDay::read(&text(bad)), None, "{bad:?}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for span in [0, 1, 1_500, 250_000_000, 90_000_000_000] {
            let shown = Span(span).show();
            assert_eq!(Span::read(&text(shown.trim_matches('"'))), Some(Span(span)));
        }
    }
}
