//! A text such as `iv_rank > 0.5` in; whether it holds at an instant out.

use super::measure::{MEASURES, Sight};
use crate::{
    config::Value,
    feature::{Column, Schema},
};
use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt;

/// What is compared: a row of [`MEASURES`], or a column of the features by its name.
#[derive(Clone, PartialEq)]
enum Subject {
    Measure(usize),
    Feature(String, Option<Column>),
}

/// A measure or a feature, or its magnitude, above or below a bound. What is not known never holds.
#[derive(Clone, PartialEq)]
pub struct Condition {
    subject: Subject,
    magnitude: bool,
    above: bool,
    bound: f64,
}

impl Condition {
    /// Whether it holds.
    pub(super) fn holds(&self, sight: &Sight<'_>) -> bool {
        let value = self.measured(sight);
        let value = if self.magnitude { value.abs() } else { value };
        // Both are false for NaN.
        if self.above { value > self.bound } else { value < self.bound }
    }

    /// What it measures now.
    pub(super) fn measured(&self, sight: &Sight<'_>) -> f64 {
        match &self.subject {
            Subject::Measure(at) => (MEASURES[*at].value)(sight),
            Subject::Feature(_, column) => {
                column.map_or(f64::NAN, |column| sight.features.get(column))
            }
        }
    }

    /// Looks up the column that it names; what is wrong with the name otherwise.
    pub(super) fn resolve(&mut self, schema: &Schema) -> Result<(), String> {
        if let Subject::Feature(name, column) = &mut self.subject {
            *column = Some(schema.resolve(name)?);
        }
        Ok(())
    }

    /// The bound.
    pub(super) fn bound(&self) -> f64 {
        self.bound
    }

    /// Whether it needs something that is held.
    pub(super) fn is_of_package(&self) -> bool {
        matches!(self.subject, Subject::Measure(at) if MEASURES[at].of_package)
    }

    fn name(&self) -> &str {
        match &self.subject {
            Subject::Measure(at) => MEASURES[*at].name,
            Subject::Feature(name, _) => name,
        }
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bars = if self.magnitude { "|" } else { "" };
        let sign = if self.above { '>' } else { '<' };
        write!(f, "{bars}{}{bars} {sign} {}", self.name(), self.bound)
    }
}

impl Value for Condition {
    const WANTED: &'static str = "a condition such as \"iv_rank > 0.5\", \"|package_delta| > \
        0.3\" or \"SPXW.rsi_14_1m < 30\"; `zomma strategy list` names the measures, `zomma \
        features` the columns";
    fn read(value: &toml::Value) -> Option<Condition> {
        let text = value.as_str()?;
        let above = text.contains('>');
        let (name, bound) = text.split_once(if above { '>' } else { '<' })?;
        let bound: f64 = bound.trim().parse().ok()?;
        let name = name.trim();
        let inner = name.strip_prefix('|').and_then(|rest| rest.strip_suffix('|'));
        let (name, magnitude) = (inner.unwrap_or(name).trim(), inner.is_some());
        let subject = match MEASURES.iter().position(|row| row.name == name) {
            Some(at) => Subject::Measure(at),
            // A column begins with its root.
            None if name.contains('.') => Subject::Feature(name.to_string(), None),
            None => return None,
        };
        bound.is_finite().then_some(Condition { subject, magnitude, above, bound })
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
        for text in
            ["iv_rank > 0.5", "|package_delta| > 0.3", "pain_distance < -0.01", "X.rsi_14_1m < 30"]
        {
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
