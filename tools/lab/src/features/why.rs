//! A column that carried nothing and a run's inputs in; what the run lacked for it out.
//!
//! This is what tells a column that no run can fill from one that this run could not.

use super::Rows;
use zomma::feature::{ColumnDoc, Resolution};

/// Why a column was never known or never moved; `None` where nothing in the inputs says it.
pub(super) fn why(column: &ColumnDoc, rows: &Rows) -> Option<String> {
    let by = [
        too_short,
        few_ticks,
        no_series,
        no_prints,
        no_reports,
        one_day,
        as_its_source,
        no_smile,
        apart,
    ];
    by.into_iter().find_map(|by| by(column, rows))
}

/// The values of a column by its name.
fn values<'a>(rows: &'a Rows, name: &str) -> Option<(&'a ColumnDoc, &'a [f64])> {
    let at = rows.schema.column(name)?.at();
    Some((&rows.schema.columns()[at], &rows.values[at]))
}

/// A column that was never known, or had one value.
fn is_silent(values: &[f64]) -> bool {
    let mut known = values.iter().filter(|value| !value.is_nan());
    let first = known.next();
    known.all(|value| Some(value) == first)
}

/// Bars that all hold the same number of ticks: what came in has a coarser grain than they.
fn few_ticks(column: &ColumnDoc, rows: &Rows) -> Option<String> {
    let (root, name) = column.name.split_once('.')?;
    let of_bars = ["bars", "technical", "volatility"].contains(&column.family);
    let (_, resolution) = name.rsplit_once('_').filter(|_| of_bars)?;
    let (_, ticks) = values(rows, &format!("{root}.bar_ticks_{resolution}"))?;
    let count = ticks.iter().find(|ticks| !ticks.is_nan())?;
    is_silent(ticks).then(|| format!("{count} ticks in every bar of {resolution}"))
}

/// What is derived from a column that carried nothing.
fn as_its_source(column: &ColumnDoc, rows: &Rows) -> Option<String> {
    let (root, name) = column.name.split_once('.').filter(|_| column.family == "derived")?;
    let scored = name.strip_prefix("z_").and_then(|name| name.rsplit_once('_')).map(|(of, _)| of);
    let of = scored.or_else(|| name.strip_prefix("rank_"));
    let mut words = column.stat.formula.split(' ');
    let both = [words.next(), words.nth(1)];
    let names = of.map_or(both, |of| [Some(of), None]);
    let mut found = names.into_iter().flatten().filter_map(|name| {
        let (source, values) = values(rows, &format!("{root}.{name}"))?;
        is_silent(values).then(|| why(source, rows)).flatten()
    });
    found.next()
}

/// A change of the smile's level, which is known too seldom for two of so far apart.
fn no_smile(column: &ColumnDoc, rows: &Rows) -> Option<String> {
    let (root, _) = column.name.split_once('.')?;
    let (_, level) = values(rows, &format!("{root}.atm_iv_1"))?;
    let (known, all) = (level.iter().filter(|level| !level.is_nan()).count(), level.len());
    let is_change = column.family == "surface" && column.stat.formula.contains("atm_iv_1");
    (is_change && 2 * known < all).then(|| format!("atm_iv_1 is known in {known} of {all} rows"))
}

/// What is derived from two columns that are not known at the same time.
fn apart(column: &ColumnDoc, rows: &Rows) -> Option<String> {
    let (root, _) = column.name.split_once('.').filter(|_| column.family == "derived")?;
    let mut words = column.stat.formula.split(' ');
    let (one, other) = (words.next()?, words.nth(1)?);
    let [(_, ones), (_, others)] =
        [values(rows, &format!("{root}.{one}"))?, values(rows, &format!("{root}.{other}"))?];
    let both = ones.iter().zip(others).filter(|(a, b)| !a.is_nan() && !b.is_nan()).count();
    (both < 2).then(|| format!("{one} and {other} are known together in {both} rows"))
}

fn bare(column: &ColumnDoc) -> &str {
    column.name.split_once('.').map_or(&*column.name, |(_, name)| name)
}

/// Bars or rows that the run was too short for.
fn too_short(column: &ColumnDoc, rows: &Rows) -> Option<String> {
    let settings = rows.schema.settings();
    if let Some((bars, of)) = column.warmup.split_once(" bars of ") {
        let bars: usize = bars.parse().ok()?;
        let resolution = settings.resolutions.iter().find(|one| one.text() == of)?;
        let there = whole_bars(rows, *resolution);
        // As many as are needed make one value.
        return (there <= bars).then(|| format!("too few bars of {of}: {there}"));
    }
    if let Some((before, _)) = column.stat.formula.split_once(" rows ago") {
        let needed: usize = before.rsplit(' ').next()?.parse().ok()?;
        return (rows.at.len() <= needed).then(|| format!("too few rows: {}", rows.at.len()));
    }
    let window = bare(column).split('_').find_map(|part| part.strip_prefix('r')?.parse().ok());
    let window: usize = window?;
    (rows.at.len() <= window).then(|| format!("too few rows: {}", rows.at.len()))
}

/// Whole bars that the rows' days had room for.
fn whole_bars(rows: &Rows, resolution: Resolution) -> usize {
    let days = rows.days();
    if resolution == Resolution::SESSION {
        return days.len().saturating_sub(1);
    }
    let seconds = super::rows::seconds(resolution.0);
    days.iter().map(|day| (f64::from(day.last - day.first) / seconds) as usize).sum()
}

fn no_series(column: &ColumnDoc, rows: &Rows) -> Option<String> {
    let (name, _) = column.name.split_once('.')?;
    let settings = rows.schema.settings();
    let silent = |name: &&str| !rows.census.observations.contains_key(*name);
    let is_in = |lists: [&[String]; 2]| lists.into_iter().flatten().any(|one| one == name);
    let is_series = is_in([&settings.series, &settings.dates]);
    let is_pair = is_in([&settings.pairs, &settings.daily_pairs]);
    let names = name.split(|c| !is_series && (c == '/' || c == '+'));
    let roots = |name: &&str| !settings.roots.iter().any(|root| root == name);
    let missing: Vec<&str> = names.filter(roots).filter(silent).collect();
    let said = (is_series || is_pair) && !missing.is_empty();
    said.then(|| format!("no observations of {}", missing.join(" and ")))
}

/// Whether a formula is over what was printed.
fn over_prints(column: &ColumnDoc) -> bool {
    let formula = column.stat.formula;
    let words = ["print", "volume", "bought", "sold", "contracts in", "bucket", "V/", "V·", "V /"];
    words.iter().any(|word| formula.contains(word)) || bare(column).starts_with("volume_")
}

fn no_prints(column: &ColumnDoc, rows: &Rows) -> Option<String> {
    let (name, census) = (bare(column), &rows.census);
    let filled = ["_vol", "_usd"].iter().any(|of| name.ends_with(of));
    let of_spot = ["bars", "technical", "volatility", "session"].contains(&column.family);
    let of_options = ["flow", "interest", "options", "exposure"].contains(&column.family);
    let of_spot = of_spot || name.contains("_under") || filled;
    let prints = over_prints(column) || filled || name.contains("volume");
    if of_spot && prints && census.spot_prints == 0 {
        return Some("no prints of the underlying".into());
    }
    if ["bucket", "vpin"].iter().any(|word| column.stat.formula.contains(word))
        || column.stat.name.starts_with("vpin")
    {
        return Some("too few buckets of volume".into());
    }
    if name.contains("block") && census.blocks == 0 {
        return Some("no print of the block's size".into());
    }
    if filled || of_spot && prints {
        return Some(format!("{} prints of the underlying", census.spot_prints));
    }
    (of_options && prints && census.prints == 0).then(|| "no prints of options".into())
}

fn no_reports(column: &ColumnDoc, rows: &Rows) -> Option<String> {
    let (name, formula, census) = (bare(column), column.stat.formula, &rows.census);
    let changes = formula.contains("open interest") || name.starts_with("pcr_");
    let over_time = formula.contains("change") || formula.contains("risen");
    let over_time = over_time || formula.contains("fallen") || formula.contains("window ago");
    let what = match (census.interests, census.interest_changes) {
        (0, _) => "no reports of open interest",
        (_, 0) if over_time => "open interest was reported once",
        _ => return None,
    };
    changes.then(|| what.into())
}

/// What the calendar changes from day to day.
fn one_day(column: &ColumnDoc, rows: &Rows) -> Option<String> {
    let daily = ["session before", "when they are over"];
    let daily = daily.iter().any(|words| column.stat.formula.contains(words));
    let single = (daily || column.family == "time") && rows.census.days.len() == 1;
    single.then(|| "new each day; the run has one".into())
}
