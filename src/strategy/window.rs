//! A stretch of the trading day, as it is written in a configuration.

use crate::config::{TimeOfDay, Value};
use alloc::{format, string::String};

/// From a time of day until before another one, written `"09:45-10:15"`, in the exchange's zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    /// Its first second.
    pub from: u32,
    /// The second after its last.
    pub until: u32,
}

impl Window {
    /// Whether a second of the day lies in it.
    pub fn holds(&self, second: u32) -> bool {
        (self.from..self.until).contains(&second)
    }
}

impl Value for Window {
    const WANTED: &'static str = "a stretch of the day such as \"09:45-10:15\"";
    fn read(value: &toml::Value) -> Option<Window> {
        let (from, until) = value.as_str()?.split_once('-')?;
        let second = |text: &str| TimeOfDay::read(&toml::Value::String(text.trim().into()));
        let window = Window { from: second(from)?.0, until: second(until)?.0 };
        (window.from < window.until).then_some(window)
    }
    fn show(&self) -> String {
        let show = |second| TimeOfDay(second).show();
        format!("{}-{}", show(self.from), show(self.until)).replace("\"-\"", "-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_reads_back_and_must_not_be_empty() {
        let read = |text: &str| Window::read(&toml::Value::String(text.into()));
        let window = read("09:45-10:15").unwrap();
        assert_eq!(read(window.show().trim_matches('"')), Some(window));
        assert!(window.holds(35_100) && !window.holds(36_900) && !window.holds(35_099));
        for bad in ["", "09:45", "10:15-09:45", "09:45-09:45", "9-10"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
