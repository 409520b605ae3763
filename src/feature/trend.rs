//! Bars in; what needs no window: the last bar's shape, MACD, the stretch since it ended, out.

use super::{
    bar::Bars,
    block::{Block, See, Setup},
    table::{Axis, POSITIVE, REAL, Stat, Table, stat},
};
use alloc::{vec, vec::Vec};

const STATS: &[Stat] = &[
    stat("return", "1", REAL, "C/C₁ − 1").after(|_| 2).by("TA-Lib ROCP, 1"),
    stat("live_return", "1", REAL, "price now / C − 1")
        .after(|_| 1)
        .by("price against the last bar"),
    stat("bar_range", "1", POSITIVE, "(H − L)/C").after(|_| 1).by("bar"),
    stat("bar_body", "1", [-1.0, 1.0], "(C − O)/(H − L), 0 for H = L").after(|_| 1).by("bar"),
    stat("bar_place", "1", [0.0, 1.0], "(C − L)/(H − L), ½ for H = L").after(|_| 1).by("bar"),
    stat("bar_ticks", "ticks", POSITIVE, "prices taken").after(|_| 1).by("bar"),
    stat("bar_volume", "units", POSITIVE, "units printed").after(|_| 1).by("bar"),
    stat("bar_vwap_gap", "1", REAL, "C/(Σ price·volume/Σ volume) − 1, NaN without prints")
        .after(|_| 1)
        .by("bar"),
    stat("bar_interest", "contracts", REAL, "change of the root's open interest in the bar")
        .after(|_| 1)
        .by("bar"),
    stat("bar_seconds", "s", POSITIVE, "from its first tick to its end").after(|_| 1).by("bar"),
    stat("bar_age", "s", POSITIVE, "now − end of the last bar").after(|_| 1).by("bar"),
    stat("macd", "1", REAL, "(EMA₁₂ − EMA₂₆)/C, both seeded at bar 26")
        .after(|_| 34)
        .by("Appel 1979; TA-Lib MACD"),
    stat("macd_hist", "1", REAL, "(MACD − its EMA₉)/C").after(|_| 34).by("Appel 1979; TA-Lib MACD"),
];

const FAST: u64 = 12;
const SLOW: u64 = 26;
const SIGNAL: u64 = 9;

/// MACD as TA-Lib has it: both averages begin at bar 26, each with the mean of its last closes.
#[derive(Clone, Copy, Debug)]
struct Macd {
    closes: [f64; SLOW as usize],
    fast: f64,
    slow: f64,
    line: f64,
    signal: f64,
    sum: f64,
}

impl Macd {
    const NONE: Macd = Macd {
        closes: [0.0; SLOW as usize],
        fast: f64::NAN,
        slow: f64::NAN,
        line: f64::NAN,
        signal: f64::NAN,
        sum: 0.0,
    };

    fn take(&mut self, count: u64, close: f64) {
        let step =
            |held: f64, new: f64, period: u64| held + (new - held) * 2.0 / (period + 1) as f64;
        if count <= SLOW {
            self.closes[count as usize - 1] = close;
        }
        if count == SLOW {
            let mean = |last: &[f64]| last.iter().sum::<f64>() / last.len() as f64;
            self.fast = mean(&self.closes[(SLOW - FAST) as usize..]);
            self.slow = mean(&self.closes);
        } else {
            self.fast = step(self.fast, close, FAST);
            self.slow = step(self.slow, close, SLOW);
        }
        self.line = self.fast - self.slow;
        let seed = SLOW + SIGNAL - 1;
        if (SLOW..=seed).contains(&count) {
            self.sum += self.line;
        }
        self.signal = match count {
            count if count < seed => f64::NAN,
            count if count == seed => self.sum / SIGNAL as f64,
            _ => step(self.signal, self.line, SIGNAL),
        };
    }
}

/// What needs no window, of all kinds of bars.
#[derive(Debug)]
pub(super) struct Trend {
    macd: Vec<Macd>,
    ended: Vec<(f64, u64)>,
    columns: Vec<f64>,
}

impl Block for Trend {
    const TABLE: &'static Table =
        &Table { family: "bars", outer: Axis::Bars, inner: Axis::One, stats: STATS };

    fn new(setup: &Setup<'_>) -> Trend {
        let kinds = Bars::all(setup.settings).count();
        let columns = vec![f64::NAN; kinds * STATS.len()];
        Trend { macd: vec![Macd::NONE; kinds], ended: vec![(f64::NAN, 0); kinds], columns }
    }

    fn on_bar(&mut self, _: &See<'_>, kind: usize, bars: &Bars) {
        let (bar, macd) = (&bars.last, &mut self.macd[kind]);
        macd.take(bars.count, bar.close);
        self.ended[kind] = (bar.close, bar.ends);
        let range = bar.high - bar.low;
        let within = |part: f64, flat: f64| if range > 0.0 { part / range } else { flat };
        let known = |value: f64| if macd.signal.is_nan() { f64::NAN } else { value / bar.close };
        self.columns[kind * STATS.len()..][..STATS.len()].copy_from_slice(&[
            bar.close / bars.before.close - 1.0,
            f64::NAN,
            range / bar.close,
            within(bar.close - bar.open, 0.0),
            within(bar.close - bar.low, 0.5),
            bar.ticks,
            bar.volume,
            bar.close / bar.vwap() - 1.0,
            bar.interest,
            bar.ends.saturating_sub(bar.begins) as f64 / 1e9,
            f64::NAN,
            known(macd.line),
            known(macd.line - macd.signal),
        ]);
    }

    fn fill(&mut self, see: &See<'_>, _: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&self.columns);
        for (kind, (close, ended)) in self.ended.iter().enumerate() {
            let mine = &mut out[kind * STATS.len()..][..STATS.len()];
            mine[LIVE_RETURN] = see.price / close - 1.0;
            if *ended > 0 {
                mine[AGE] = see.now.saturating_sub(*ended) as f64 / 1e9;
            }
        }
    }
}

const LIVE_RETURN: usize = 1;
const AGE: usize = 10;
