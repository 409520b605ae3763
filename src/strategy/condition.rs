//! A text such as `iv_rank > 0.5` in; whether it holds at an instant out.

use super::measure::{MEASURES, MeasureDoc, Sight};
use crate::config::Value;
use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt;

/// A measure, or its magnitude, above or below a bound. What is not known never holds.
#[derive(Clone, Copy, PartialEq)]
pub struct Condition {
    measure: usize,
    magnitude: bool,
    above: bool,
    bound: f64,
}

impl Condition {
    /// Whether it holds.
    pub(super) fn holds(&self, sight: &Sight<'_>) -> bool {
        let value = (self.doc().value)(sight);
        let value = if self.magnitude { value.abs() } else { value };
        // Both are false for NaN.
        if self.above { value > self.bound } else { value < self.bound }
    }

    /// What it measures now.
    pub(super) fn measured(&self, sight: &Sight<'_>) -> f64 {
        (self.doc().value)(sight)
    }

    /// The bound.
    pub(super) fn bound(&self) -> f64 {
        self.bound
    }

    /// Whether it needs something that is held.
    pub(super) fn is_of_package(&self) -> bool {
        self.doc().of_package
    }

    fn doc(&self) -> &'static MeasureDoc {
        &MEASURES[self.measure]
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bars = if self.magnitude { "|" } else { "" };
        let sign = if self.above { '>' } else { '<' };
        write!(f, "{bars}{}{bars} {sign} {}", self.doc().name, self.bound)
    }
}

impl Value for Condition {
    const WANTED: &'static str = "a condition such as \"iv_rank > 0.5\" or \"|package_delta| > \
        0.3\"; `zomma strategy list` names the measures";
    fn read(value: &toml::Value) -> Option<Condition> {
        let text = value.as_str()?;
        let above = text.contains('>');
        let (name, bound) = text.split_once(if above { '>' } else { '<' })?;
        let bound: f64 = bound.trim().parse().ok()?;
        let name = name.trim();
        let inner = name.strip_prefix('|').and_then(|rest| rest.strip_suffix('|'));
        let (name, magnitude) = (inner.unwrap_or(name).trim(), inner.is_some());
        let measure = MEASURES.iter().position(|row| row.name == name)?;
        bound.is_finite().then_some(Condition { measure, magnitude, above, bound })
    }
    fn show(&self) -> String {
        format!("{:?}", format!("{self:?}")).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_reads_back_and_names_what_it_measures() {
        let read = |text: &str| Condition::read(&toml::Value::String(text.into()));
        for text in ["iv_rank > 0.5", "|package_delta| > 0.3", "pain_distance < -0.01"] {
            let condition = read(text).unwrap();
            assert_eq!(condition.show(), format!("{text:?}"));
            assert_eq!(read(condition.show().trim_matches('"')), Some(condition));
        }
        for bad in ["", "iv_rank", "iv_rank = 1", "iv_rank > x", "nothing > 1", "iv_rank > nan"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        assert!(read("profit > 1").unwrap().is_of_package());
    }
}
