//! Order receipts and the intended send times of their causes in; wire-to-wire percentiles out.

use crate::pace::Pace;
use hdrhistogram::Histogram;

const NS_MAX: u64 = 60_000_000_000;

/// When each record was meant to go out.
#[derive(Debug)]
pub struct Intended {
    pace: Pace,
    /// Flat out there is no schedule: the market's time of the last record of each batch, and when
    /// the batch was handed to the sockets.
    log: Vec<(u64, u64)>,
}

impl Intended {
    /// Of a schedule.
    pub fn new(pace: Pace) -> Intended {
        Intended { pace, log: Vec::new() }
    }

    /// The schedule.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// A batch that ended with the market's time `at` is handed to the sockets at `now`.
    pub fn on_batch(&mut self, at: u64, now: u64) {
        if self.pace.due(at).is_none() && self.log.last().is_none_or(|(last, _)| *last < at) {
            self.log.push((at, now));
        }
    }

    /// When the record of the market's time `at` was meant to go out.
    pub fn of(&self, at: u64) -> Option<u64> {
        self.pace.due(at).or_else(|| {
            let place = self.log.partition_point(|(last, _)| *last < at);
            self.log.get(place).map(|(_, sent)| *sent)
        })
    }
}

/// Wire-to-wire: from the intended send time of the causing record to the receipt of the order.
#[derive(Debug)]
pub struct Wire {
    histogram: Histogram<u64>,
    /// Orders that name no record that was sent.
    pub unattributed: u64,
}

impl Wire {
    /// Nothing measured. `None` never happens: the bounds are constants.
    pub fn new() -> Option<Wire> {
        let histogram = Histogram::new_with_bounds(1, NS_MAX, 3).ok()?;
        Some(Wire { histogram, unattributed: 0 })
    }

    /// An order received at `now`, caused by a record meant to go out at `intended`.
    pub fn record(&mut self, intended: Option<u64>, now: u64) {
        match intended.filter(|&t| t <= now) {
            Some(then) => self.histogram.saturating_record((now - then).max(1)),
            None => self.unattributed += 1,
        }
    }

    /// Percentiles, ns, with their names.
    pub fn rows(&self) -> Vec<(&'static str, u64)> {
        let q = |q: f64| self.histogram.value_at_quantile(q);
        vec![
            ("count", self.histogram.len()),
            ("p50", q(0.5)),
            ("p90", q(0.9)),
            ("p99", q(0.99)),
            ("p99.9", q(0.999)),
            ("p99.99", q(0.9999)),
            ("max", self.histogram.max()),
        ]
    }

    /// As a line for people.
    pub fn line(&self) -> String {
        let rows = self.rows();
        let shown: Vec<String> = rows.iter().map(|(name, v)| format!("{name} {v}")).collect();
        format!("wire-to-wire ns: {} unattributed {}", shown.join(" "), self.unattributed)
    }

    /// As JSON: the percentiles and the recorded buckets.
    pub fn json(&self) -> serde_json::Value {
        let mut rows: serde_json::Map<String, serde_json::Value> =
            self.rows().into_iter().map(|(name, v)| (name.into(), v.into())).collect();
        rows.insert("unattributed".into(), self.unattributed.into());
        let buckets = self.histogram.iter_recorded();
        let buckets: Vec<[u64; 2]> =
            buckets.map(|b| [b.value_iterated_to(), b.count_since_last_iteration()]).collect();
        rows.insert("unit".into(), "ns".into());
        rows.insert("buckets".into(), serde_json::json!(buckets));
        rows.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paced_the_schedule_says_when_and_flat_out_the_batch() {
        let paced = Intended::new(Pace::new(100, 1_000, Some(10.0), None));
        assert_eq!(paced.of(200), Some(1_010));
        let mut flat = Intended::new(Pace::new(100, 1_000, None, None));
        flat.on_batch(150, 5_000);
        flat.on_batch(180, 6_000);
        assert_eq!(flat.of(120), Some(5_000));
        assert_eq!(flat.of(150), Some(5_000));
        assert_eq!(flat.of(151), Some(6_000));
        assert_eq!(flat.of(181), None, "not sent yet");
    }
}
