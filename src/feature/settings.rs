//! The `[features]` section: which roots have columns, how often there is a row, over which bars.

use super::common::{daily_sides, sides};
use crate::{
    chain::Universe,
    config::{Span, Value},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// Most windows: the lanes of one kernel.
pub const WINDOWS_MAX: usize = 8;

/// Longest window, bars.
pub const WINDOW_MAX: usize = 250;

/// How long a bar of time is: a duration, or a whole session.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Resolution(pub u64);

impl Resolution {
    /// A bar a session.
    pub const SESSION: Resolution = Resolution(u64::MAX);

    /// As columns carry it: `1s`, `5m`, `1h`, `1d`.
    pub fn text(self) -> String {
        match self {
            Resolution::SESSION => "1d".to_string(),
            Resolution(nanos) => Span(nanos).show().trim_matches('"').to_string(),
        }
    }
}

impl Value for Resolution {
    const WANTED: &'static str = "a duration such as \"1s\" or \"5m\", or \"1d\" for a session";
    fn read(value: &toml::Value) -> Option<Resolution> {
        if value.as_str() == Some("1d") {
            return Some(Resolution::SESSION);
        }
        Span::read(value).map(|span| Resolution(span.nanos()))
    }
    fn show(&self) -> String {
        format!("{:?}", self.text())
    }
}

/// An option of a root, as symbols write it: `240612C05420000`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contract {
    /// The day on which it settles, as 20240612.
    pub date: u32,
    /// A call; otherwise a put.
    pub call: bool,
    /// Strike.
    pub strike: f64,
}

impl Value for Contract {
    const WANTED: &'static str =
        "an option as symbols write it behind the root, such as \"240612C05420000\"";
    fn read(value: &toml::Value) -> Option<Contract> {
        let text = value.as_str().filter(|text| text.len() == 15 && text.is_ascii())?;
        let number = |from: usize, to: usize| {
            let digits = &text[from..to];
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u32>().ok())?
        };
        let call = match &text[6..7] {
            "C" => true,
            "P" => false,
            _ => return None,
        };
        let strike = f64::from(number(7, 15)?) / 1_000.0;
        Some(Contract { date: 20_000_000 + number(0, 6)?, call, strike })
    }
    fn show(&self) -> String {
        format!("{:?}", self.text())
    }
}

impl Contract {
    /// As it is written.
    pub fn text(self) -> String {
        let side = if self.call { 'C' } else { 'P' };
        format!("{:06}{side}{:08}", self.date % 1_000_000, (self.strike * 1_000.0 + 0.5) as u64)
    }
}

crate::section! {
    /// Rows of features.
    pub struct Settings {
        /// Option roots that have columns, each with its underlying. None: no rows are made.
        pub roots: Vec<String> = Vec::new(), "-";
        /// Chain time between two rows. One is made at the first batch end past each multiple.
        pub every: Span = Span(1_000_000_000), in Span(1_000_000)..=Span(3_600_000_000_000), "-";
        /// How long bars are, ascending: durations within a session, and "1d".
        pub resolutions: Vec<Resolution> = default_resolutions(), "-";
        /// Windows of rolling statistics, ascending; one to eight, 3 to 250 bars each.
        pub windows: Vec<usize> = Vec::from([5, 14, 20, 50, 100]), "bars";
        /// Options of each root that have bars of their own, such as "240612C05420000".
        pub options: Vec<Contract> = Vec::new(), "-";
        /// What fills a bar of volume; 0 for none.
        pub volume_bar: f64 = 10_000.0, in 0.0..=1e12, "units traded";
        /// What fills a bar of turnover; 0 for none.
        pub dollar_bar: f64 = 1_000_000.0, in 0.0..=1e15, "currency";
        /// A print of an option of at least this size is a block.
        pub block: u32 = 1_000, in 1..=1_000_000_000, "contracts";
        /// Volume of one of the 50 buckets of VPIN.
        pub vpin_bucket: u32 = 500, in 1..=1_000_000_000, "units traded";
        /// External series of numbers that have columns.
        pub series: Vec<String> = Vec::new(), "-";
        /// External series that are calendars: how far the next and the last date are.
        pub dates: Vec<String> = Vec::new(), "-";
        /// What is set against each other from row to row: `A/B`, either a root (by its underlying)
        /// or a series that moves within the day.
        pub pairs: Vec<String> = Vec::new(), "-";
        /// Series that are set against each other from observation to observation: `A/B`, or sums
        /// of them, `A+B/C`.
        pub daily_pairs: Vec<String> = Vec::new(), "-";
    }
}

fn default_resolutions() -> Vec<Resolution> {
    let seconds = [1, 5, 60, 300, 900, 3_600].map(|s| Resolution(s * 1_000_000_000));
    seconds.into_iter().chain([Resolution::SESSION]).collect()
}

impl Default for Settings {
    fn default() -> Settings {
        let mut errors = Vec::new();
        let read =
            <Settings as crate::config::Section>::read("", "", toml::Table::new(), &mut errors);
        read.unwrap_or_else(|| unreachable!("every key has a default"))
    }
}

impl Settings {
    /// These settings with other roots.
    pub fn with_roots(roots: &[&str]) -> Settings {
        Settings {
            roots: roots.iter().map(|root| root.to_string()).collect(),
            ..Settings::default()
        }
    }

    /// Mistakes that the bounds of single keys do not show: key and what is wrong.
    pub fn mistakes(&self, universe: &Universe) -> Vec<(&'static str, String)> {
        let roots: Vec<&str> = universe.roots.iter().map(|root| root.text()).collect();
        let mut found = self.unknown_names(universe);
        for (at, root) in self.roots.iter().enumerate() {
            if !roots.contains(&root.as_str()) {
                let what = format!("has {root:?}; the universe lists: {}", roots.join(", "));
                found.push(("roots", what));
            }
            if self.roots[..at].contains(root) {
                found.push(("roots", format!("has {root:?} twice")));
            }
        }
        let bars = &self.resolutions;
        let sane =
            |r: &Resolution| *r == Resolution::SESSION || (1_000_000..=DAY_NS).contains(&r.0);
        if bars.is_empty() || !bars.is_sorted_by(|a, b| a < b) || !bars.iter().all(sane) {
            let what = "must be one or more, ascending, from \"1ms\" to \"24h\", with \"1d\" last";
            found.push(("resolutions", what.to_string()));
        }
        let windows = &self.windows;
        let count = (1..=WINDOWS_MAX).contains(&windows.len());
        let bounds = windows.iter().all(|window| (3..=WINDOW_MAX).contains(window));
        if !count || !bounds || !windows.is_sorted_by(|a, b| a < b) {
            let what = format!("must be 1 to {WINDOWS_MAX}, ascending, of 3 to {WINDOW_MAX} bars");
            found.push(("windows", what));
        }
        found
    }

    /// Series and pairs of what the universe does not have.
    fn unknown_names(&self, universe: &Universe) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let known: Vec<&str> = universe.series.iter().map(|row| row.name.as_str()).collect();
        for (key, list) in [("series", &self.series), ("dates", &self.dates)] {
            for name in list.iter().filter(|name| !known.contains(&name.as_str())) {
                let what = format!("has {name:?}; the universe has: {}", known.join(", "));
                found.push((key, what));
            }
        }
        for pair in self.pairs.iter().filter(|pair| sides(universe, pair).is_none()) {
            let what = format!("has {pair:?}; write A/B, each a root or a series of the universe");
            found.push(("pairs", what));
        }
        let is_both =
            |name: &&str| universe.find_root(name).and(universe.find_series(name)).is_some();
        for name in self.pairs.iter().flat_map(|pair| pair.split('/')).filter(is_both) {
            found
                .push(("pairs", format!("has {name:?}, which is a root and a series; rename one")));
        }
        for pair in self.daily_pairs.iter().filter(|pair| daily_sides(universe, pair).is_none()) {
            let what = format!("has {pair:?}; write A/B or A+B/C, each a series of the universe");
            found.push(("daily_pairs", what));
        }
        let twice = |list: &[String], at: usize| list[..at].contains(&list[at]);
        let lists = [
            ("series", &self.series),
            ("dates", &self.dates),
            ("pairs", &self.pairs),
            ("daily_pairs", &self.daily_pairs),
        ];
        for (key, list) in lists {
            let again = (0..list.len()).filter(|at| twice(list, *at));
            found.extend(again.map(|at| (key, format!("has {:?} twice", list[at]))));
        }
        found
    }
}

const DAY_NS: u64 = 86_400_000_000_000;
