//! A configuration and the operator's word in; whether a run may trade for real, or one line that
//! says why not, out.
//!
//! A run is for paper unless its configuration says `trading = "live"`. For paper the broker must
//! be one of `[run] paper_targets`, whatever address it has: a tunnel looks like this host. For
//! real it must be none of them, the operator names the configuration by the hash that `zomma
//! check` printed, so that what was checked is what runs, and every limit that is looser than the
//! program ships it has the word of a second person in an `[[approval]]`. All of that is among the
//! configuration's files, and so in the manifest of the journal.

use super::{Failure, Files, Plan, settings::Trading};
use crate::{
    book::Account,
    config::{Section as _, Span, Value as _},
    risk::{FLOORS, LIMITS, Limits},
};
use std::{
    format,
    string::{String, ToString},
    vec::Vec,
};

crate::section! {
    /// A limit that is looser than shipped, and who besides the operator wants it so.
    pub struct Approval {
        /// Key of `[limits]`, or `capital`.
        pub limit: String, "-";
        /// The loosest value that is approved, as it is written in the file.
        pub value: String, "-";
        /// Who approves it.
        pub by: String, "-";
    }
}

/// Digits of a hash that the operator must type at the least.
const DIGITS_MIN: usize = 12;

/// Whether a run may begin. `live` is the hash that the operator typed, if it is to be live.
pub(super) fn admit(
    plan: &Plan,
    files: &Files,
    hash: &str,
    live: Option<&str>,
) -> Result<(), Failure> {
    let run = &plan.run;
    let target = plan.broker.target_comp_id.as_str();
    let has_broker = plan.broker_source() != 0;
    let on_paper = run.paper_targets.iter().any(|name| name == target);
    match (run.trading, live) {
        (Trading::Paper, Some(_)) => Err(Failure::input(
            "--live: the configuration is for paper; set run.trading to \"live\" if that is meant",
        )),
        (Trading::Paper, None) if has_broker && !on_paper => Err(Failure::input(format!(
            "the run is for paper, but the broker is {target}, which is none of [run] \
             paper_targets; set run.trading to \"live\" if that is meant",
        ))),
        (Trading::Paper, None) => Ok(()),
        (Trading::Live, _) if on_paper => Err(Failure::input(format!(
            "the run is live, but the broker is {target} of [run] paper_targets",
        ))),
        (Trading::Live, None) => Err(Failure::input(
            "the configuration trades live: say --live and the hash that `zomma check` prints for \
             it",
        )),
        (Trading::Live, Some(typed)) => {
            is_hash(typed, hash)?;
            four_eyes(plan, files)
        }
    }
}

fn is_hash(typed: &str, hash: &str) -> Result<(), Failure> {
    if typed.len() >= DIGITS_MIN && hash.starts_with(&typed.to_ascii_lowercase()) {
        return Ok(());
    }
    Err(Failure::input(format!(
        "--live {typed}: the configuration's hash is {hash}: another one than was checked, or less \
         than {DIGITS_MIN} digits were typed",
    )))
}

fn four_eyes(plan: &Plan, files: &Files) -> Result<(), Failure> {
    let operator = plan.run.operator.as_str();
    let missing: Vec<String> = loosened(files.text(&plan.run.limits).unwrap_or_default())
        .iter()
        .filter(|raise| !plan.approvals.iter().any(|approval| raise.is_covered(approval, operator)))
        .map(|raise| format!("{} = {} (shipped: {})", raise.key, raise.given, raise.shipped))
        .collect();
    if operator.is_empty() {
        return Err(Failure::input(
            "the run is live: name its operator in [run] operator, so that a second person can \
             approve what is loosened",
        ));
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::input(format!(
        "looser than shipped without an [[approval]] of a second person: {}; see [run] approvals",
        missing.join(", ")
    )))
}

/// A key whose value lets more pass than the shipped one.
struct Raise {
    key: String,
    shipped: toml::Value,
    given: toml::Value,
}

impl Raise {
    fn is_covered(&self, approval: &Approval, operator: &str) -> bool {
        let second = !approval.by.trim().is_empty() && approval.by.trim() != operator.trim();
        let approved = parse(&approval.value);
        let enough = approved.is_some_and(|approved| !loosens(&self.key, &approved, &self.given));
        approval.limit == self.key && second && enough
    }
}

/// What a limits' file loosens.
fn loosened(text: &str) -> Vec<Raise> {
    let Ok(table) = text.parse::<toml::Table>() else { return Vec::new() };
    let sections = [("account", Account::keys()), ("limits", Limits::keys())];
    let mut found = Vec::new();
    for (section, keys) in sections {
        let Some(given) = table.get(section).and_then(|section| section.as_table()) else {
            continue;
        };
        for key in keys.iter().filter(|key| section == "limits" || key.name == "capital") {
            let shipped = key.default.as_ref().and_then(|text| parse(text));
            let pair = given.get(key.name).cloned().zip(shipped);
            let raise = |(given, shipped)| Raise { key: key.name.to_string(), shipped, given };
            found.extend(pair.map(raise).filter(|r| loosens(&r.key, &r.shipped, &r.given)));
        }
    }
    found
}

fn parse(text: &str) -> Option<toml::Value> {
    let table = |text: &str| format!("v = {text}").parse::<toml::Table>().ok()?.remove("v");
    table(text).or_else(|| table(&format!("{text:?}")))
}

/// Whether `after` lets more pass than `before`. Where nobody can say what looser means, another
/// value is.
fn loosens(key: &str, before: &toml::Value, after: &toml::Value) -> bool {
    let limit = LIMITS.iter().find(|row| row.name == key);
    let is_floor = limit.is_some_and(|row| FLOORS.iter().any(|floor| floor.0 == row.bit));
    let is_most = limit.is_some() || key.ends_with("_max") || key == "capital";
    match (number(key, before), number(key, after)) {
        (Some(before), Some(after)) if is_floor => after < before,
        (Some(before), Some(after)) if is_most => after > before,
        (Some(before), Some(after)) => after != before,
        _ => after != before,
    }
}

/// A number or a time; of what 0 switches off, 0 is the loosest.
fn number(key: &str, value: &toml::Value) -> Option<f64> {
    let number = f64::read(value).or_else(|| Span::read(value).map(|span| span.nanos() as f64))?;
    Some(if key == "zero_day_vol_max" && number == 0.0 { f64::INFINITY } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        loosened(text).into_iter().map(|raise| raise.key).collect()
    }

    #[test]
    fn looser_is_more_of_a_most_less_of_a_least_and_any_other_value_else() {
        let tight = "[limits]\norder_loss_max = 10.0\nquote_age_max = \"1s\"\ncash_left_min = 5.0\n\
            zero_day_vol_max = 0.2\nduplicate_window = \"1m\"\n";
        assert!(keys(tight).is_empty());
        let loose = "[account]\ncapital = 60_000\nfee_per_contract = 9.0\n[limits]\n\
            order_loss_max = 1_001.0\nquote_age_max = \"6s\"\ncash_left_min = -1.0\n\
            duplicate_window = \"9ms\"\nlocked_allowed = true\ntail_vols = []\n";
        let wanted = [
            "capital",
            "order_loss_max",
            "quote_age_max",
            "duplicate_window",
            "cash_left_min",
            "locked_allowed",
            "tail_vols",
        ];
        let mut found = keys(loose);
        found.sort_unstable();
        let mut wanted = wanted.map(String::from).to_vec();
        wanted.sort_unstable();
        assert_eq!(found, wanted);
    }

    #[test]
    fn an_approval_is_of_another_person_and_as_loose_as_what_is_given() {
        let raise = &loosened("[limits]\ndelta_share_max = 4.0\n")[0];
        let covers = |limit: &str, value: &str, by: &str| {
            let [limit, value, by] = [limit, value, by].map(String::from);
            raise.is_covered(&Approval { limit, value, by }, "ada")
        };
        assert!(covers("delta_share_max", "4.0", "ben") && covers("delta_share_max", "5", "ben"));
        assert!(!covers("delta_share_max", "3.9", "ben"), "less than is given");
        assert!(!covers("delta_share_max", "4.0", "ada"), "the operator");
        assert!(!covers("delta_share_max", "4.0", " "), "nobody");
        assert!(!covers("vega_share_max", "4.0", "ben"), "another limit");
    }

    #[test]
    fn a_hash_is_typed_long_enough_and_right() {
        let hash = "0123456789abcdef";
        assert!(is_hash("0123456789AB", hash).is_ok() && is_hash(hash, hash).is_ok());
        for bad in ["", "0123456789a", "0123456789ac", "0123456789abcdef0"] {
            assert!(is_hash(bad, hash).is_err(), "{bad:?}");
        }
    }
}
