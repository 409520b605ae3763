//! How long a strategy holds what it opens, and who it is, by its number: what limits go by.

use crate::config::Value;
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// How long a strategy means to hold what it opens. Limits of size and loss go by it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Horizon {
    /// Opened and closed within a session, settling later.
    Intraday,
    /// Held over days.
    Swing,
    /// On the day on which it settles.
    Expiry,
}

impl Horizon {
    /// All of them, in the order of their numbers.
    pub const ALL: [Horizon; 3] = [Horizon::Intraday, Horizon::Swing, Horizon::Expiry];

    /// Its name in configurations and reports.
    pub fn name(self) -> &'static str {
        ["intraday", "swing", "expiry"][self as usize]
    }
}

impl Value for Horizon {
    const WANTED: &'static str = "\"intraday\", \"swing\" or \"expiry\"";
    fn read(value: &toml::Value) -> Option<Horizon> {
        let text = value.as_str()?;
        Horizon::ALL.into_iter().find(|horizon| horizon.name() == text)
    }
    fn show(&self) -> String {
        format!("\"{}\"", self.name())
    }
}

/// The strategies of a run, by number: their names and horizons.
#[derive(Clone, Debug, Default)]
pub struct Roster(Vec<(String, Horizon)>);

impl Roster {
    /// Strategies in the order of their numbers, from 0.
    pub fn new<'a>(members: impl IntoIterator<Item = (&'a str, Horizon)>) -> Roster {
        Roster(members.into_iter().map(|(name, horizon)| (name.to_string(), horizon)).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The horizon of a strategy; `None` for a number that nobody has.
    #[inline]
    pub fn horizon(&self, strategy: u16) -> Option<Horizon> {
        self.0.get(usize::from(strategy)).map(|(_, horizon)| *horizon)
    }

    /// The name of a strategy; `-` for a number that nobody has.
    pub fn name(&self, strategy: u16) -> &str {
        self.0.get(usize::from(strategy)).map_or("-", |(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_horizon_reads_back_and_a_stranger_has_none() {
        for horizon in Horizon::ALL {
            let shown = horizon.show();
            let text = toml::Value::String(shown.trim_matches('"').into());
            assert_eq!(Horizon::read(&text), Some(horizon));
        }
        assert_eq!(Horizon::read(&toml::Value::String("never".into())), None);
        let roster = Roster::new([("a", Horizon::Swing)]);
        assert_eq!((roster.horizon(0), roster.horizon(1)), (Some(Horizon::Swing), None));
        assert_eq!((roster.name(0), roster.name(1), roster.len()), ("a", "-", 1));
    }
}
