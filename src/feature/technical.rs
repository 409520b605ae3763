//! Bars in; the technical indicators of every window, as TA-Lib has them, out.
//!
//! Wilder's averages begin with the plain mean of their first values and go on as
//! (w − 1)/w of themselves; exponential ones begin with the simple one of their first w closes
//! (TA-Lib's default). Where a denominator is 0, the indicator is 0, as there.

use super::{
    bar::Bars,
    block::{Block, See, Setup},
    lanes::{Ratio, each, eq, store},
    table::{Axis, PERCENT, POSITIVE, REAL, Stat, Table, stat},
    windows::Windows,
};
use crate::greeks::math::V;
use alloc::{vec, vec::Vec};

const STATS: &[Stat] = &[
    stat("sma_gap", "1", REAL, "C / SMA(C, w) − 1").after(|w| w).by("TA-Lib SMA"),
    stat("ema_gap", "1", REAL, "C / EMA(C, w) − 1, k = 2/(w+1), seeded by SMA")
        .after(|w| w)
        .by("TA-Lib EMA"),
    stat("wma_gap", "1", REAL, "C / WMA(C, w) − 1, weights w … 1").after(|w| w).by("TA-Lib WMA"),
    stat("rsi", "%", PERCENT, "100·G/(G + L), G and L Wilder's averages of rises and falls")
        .after(|w| w + 1)
        .by("Wilder 1978; TA-Lib RSI"),
    stat("bb_place", "1", REAL, "(C − lower)/(upper − lower), bands SMA ± 2σ, σ of the population")
        .after(|w| w)
        .by("Bollinger 2001; TA-Lib BBANDS"),
    stat("bb_width", "1", POSITIVE, "(upper − lower)/SMA")
        .after(|w| w)
        .by("Bollinger 2001; TA-Lib BBANDS"),
    stat("natr", "%", POSITIVE, "100·ATR/C, ATR Wilder's average of the true range")
        .after(|w| w + 1)
        .by("Wilder 1978; TA-Lib NATR"),
    stat("roc", "%", REAL, "100·(C/C_w − 1)").after(|w| w + 1).by("TA-Lib ROC"),
    stat("willr", "%", [-100.0, 0.0], "−100·(HH − C)/(HH − LL)").after(|w| w).by("TA-Lib WILLR"),
    stat("stoch_k", "%", PERCENT, "SMA₃ of 100·(C − LL)/(HH − LL)")
        .after(|w| w + 2)
        .by("TA-Lib STOCH, 3"),
    stat("stoch_d", "%", PERCENT, "SMA₃ of stoch_k").after(|w| w + 4).by("TA-Lib STOCH, 3, 3"),
    stat("plus_di", "%", PERCENT, "100·(+DM)/TR, Wilder's sums")
        .after(|w| w + 1)
        .by("Wilder 1978; TA-Lib PLUS_DI"),
    stat("minus_di", "%", PERCENT, "100·(−DM)/TR, Wilder's sums")
        .after(|w| w + 1)
        .by("Wilder 1978; TA-Lib MINUS_DI"),
    stat("adx", "%", PERCENT, "Wilder's average of 100·|+DI − −DI|/(+DI + −DI)")
        .after(|w| 2 * w)
        .by("Wilder 1978; TA-Lib ADX"),
    stat("cci", "1", REAL, "(T − SMA(T))/(0.015·mean |T − SMA(T)|), T = (H+L+C)/3")
        .after(|w| w)
        .by("Lambert 1980; TA-Lib CCI"),
    stat("aroon", "%", [-100.0, 100.0], "100·(age of LL − age of HH)/w over w + 1 bars")
        .after(|w| w + 1)
        .by("Chande 1995; TA-Lib AROONOSC"),
    stat("donchian", "1", POSITIVE, "(HH − LL)/C").after(|w| w).by("Donchian; TA-Lib MAX, MIN"),
    stat("slope", "1/bar", REAL, "least-squares slope of C over the bars, / C")
        .after(|w| w)
        .by("TA-Lib LINEARREG_SLOPE"),
    stat("r_squared", "1", [0.0, 1.0], "squared correlation of C with time")
        .after(|w| w)
        .by("scipy.stats.linregress"),
    stat("efficiency", "1", [-1.0, 1.0], "(C − C_w)/Σ|C − C₁|").after(|w| w + 1).by("Kaufman 1995"),
    stat("vwap_gap", "1", REAL, "C / (Σ price·volume / Σ volume) − 1")
        .after(|w| w)
        .by("volume-weighted average"),
    stat("volume_ratio", "1", POSITIVE, "V / SMA(V, w)").after(|w| w).by("TA-Lib SMA of volume"),
    stat("volume_tide", "1", [-1.0, 1.0], "Σ V·sign(C − C₁) / Σ V")
        .after(|w| w)
        .by("Granville 1963, by volume"),
];

/// The averages that carry on from bar to bar, a window a lane.
#[derive(Clone, Copy, Debug)]
struct Averages {
    ema: V,
    gain: V,
    loss: V,
    atr: V,
    true_range: V,
    plus: V,
    minus: V,
    dx_sum: V,
    adx: V,
    fast_k: [V; 3],
    slow_k: [V; 3],
}

/// Indicators of all kinds of bars.
#[derive(Debug)]
pub(super) struct Technical {
    averages: Vec<Averages>,
    columns: Vec<f64>,
    used: usize,
}

const UNKNOWN: V = V::new([f64::NAN; 8]);

impl Averages {
    const NONE: Averages = Averages {
        ema: UNKNOWN,
        gain: UNKNOWN,
        loss: UNKNOWN,
        atr: UNKNOWN,
        true_range: UNKNOWN,
        plus: UNKNOWN,
        minus: UNKNOWN,
        dx_sum: UNKNOWN,
        adx: UNKNOWN,
        fast_k: [UNKNOWN; 3],
        slow_k: [UNKNOWN; 3],
    };

    fn take(&mut self, bars: &Bars) {
        let (windows, close) = (&bars.windows, bars.last.close);
        let (w, n) = (windows.length, windows.bars);
        let sums = &windows.sums;
        let one = each(1.0);
        let (full, more) = (eq(n, w), eq(n, w + one));
        let sma = each(close) + sums.close / w;
        let k = each(2.0) / (w + one);
        self.ema = full.select(sma, (each(close) - self.ema).mul_add(k, self.ema));

        let change = close - bars.before.close;
        let (rise, fall) = (each(change.max(0.0)), each((-change).max(0.0)));
        let net = each(close) - windows.close_ago;
        let half = each(0.5) / w;
        let wilder = |held: V, new: V| (held * (w - one) + new) / w;
        self.gain = more.select((sums.path + net) * half, wilder(self.gain, rise));
        self.loss = more.select((sums.path - net) * half, wilder(self.loss, fall));

        let terms = &bars.terms;
        self.atr = more.select(sums.true_range / w, wilder(self.atr, each(terms.true_range)));
        let smooth = |held: V, new: f64| held - held / w + each(new);
        self.true_range = full.select(sums.true_range, smooth(self.true_range, terms.true_range));
        self.plus = full.select(sums.plus_move, smooth(self.plus, terms.plus_move));
        self.minus = full.select(sums.minus_move, smooth(self.minus, terms.minus_move));
        self.take_adx(w, n);

        let range = windows.highest - windows.lowest;
        let fast = (each(100.0) * (each(close) - windows.lowest)).over(range);
        self.fast_k = [fast, self.fast_k[0], self.fast_k[1]];
        self.slow_k = [mean_of(&self.fast_k), self.slow_k[0], self.slow_k[1]];
    }

    fn take_adx(&mut self, w: V, n: V) {
        let one = each(1.0);
        let (up, down) = self.indicators();
        let both = up + down;
        let none = !both.simd_gt(each(0.0));
        let dx = (each(100.0) * (up - down).abs()).over(both);
        let began = eq(n, w + one);
        let held = began.select(each(0.0), self.dx_sum);
        self.dx_sum = n.simd_gt(w).select(held + dx, UNKNOWN);
        let seed = eq(n, w + w);
        let next = none.select(self.adx, (self.adx * (w - one) + dx) / w);
        self.adx = seed.select(self.dx_sum / w, next);
    }

    /// +DI and −DI.
    fn indicators(&self) -> (V, V) {
        let share = |held: V| (each(100.0) * held).over(self.true_range);
        (share(self.plus), share(self.minus))
    }

    fn columns(&self, bars: &Bars) -> [V; STATS.len()] {
        let windows = &bars.windows;
        let (close, w, sums) = (each(bars.last.close), windows.length, &windows.sums);
        let one = each(1.0);
        let mean = sums.close / w;
        let sma = close + mean;
        let wma = close + (w * sums.close - windows.aged) / (each(0.5) * w * (w + one));
        let variance = each(0.0).fast_max(windows.close2 / w - mean * mean);
        let band = each(2.0) * variance.sqrt();
        let range = windows.highest - windows.lowest;
        let di = self.indicators();
        let di = di_known(di, windows);
        let typical = each(bars.terms.typical) - close - sums.typical / w;
        let (slope, r_squared) = regression(windows, variance, mean);
        [
            close / sma - one,
            close / self.ema - one,
            close / wma - one,
            (each(100.0) * self.gain).over(self.gain + self.loss),
            (band - mean).over(each(2.0) * band),
            each(2.0) * band / sma,
            each(100.0) * self.atr / close,
            each(100.0) * (close / windows.close_ago - one),
            (each(-100.0) * (windows.highest - close)).over(range),
            self.slow_k[0],
            mean_of(&self.slow_k),
            di.0,
            di.1,
            self.adx,
            typical.over(each(0.015) * windows.deviation / w),
            each(100.0) * (windows.low_age - windows.high_age) / w,
            range / close,
            slope / close,
            r_squared,
            (close - windows.close_ago).over(sums.path),
            close / (sums.turnover / sums.volume) - one,
            each(bars.last.volume) / (sums.volume / w),
            sums.signed_volume / sums.volume,
        ]
    }
}

/// The sums that the indicators are made of begin a bar before they count.
fn di_known((plus, minus): (V, V), windows: &Windows) -> (V, V) {
    let known = windows.bars.simd_gt(windows.length);
    (known.select(plus, UNKNOWN), known.select(minus, UNKNOWN))
}

fn mean_of(last: &[V; 3]) -> V {
    (last[0] + last[1] + last[2]) / each(3.0)
}

/// Slope of the closes over the bars, and its share of their variance.
fn regression(windows: &Windows, variance: V, mean: V) -> (V, V) {
    let w = windows.length;
    let middle = each(0.5) * (w - each(1.0));
    // Ages grow backwards in time, hence the sign.
    let covariance = middle * mean - windows.aged / w;
    let spread = (w * w - each(1.0)) / each(12.0);
    let slope = covariance / spread;
    (slope, (covariance * covariance / spread).over(variance))
}

impl Block for Technical {
    const TABLE: &'static Table =
        &Table { family: "technical", outer: Axis::Bars, inner: Axis::Windows, stats: STATS };

    fn new(setup: &Setup<'_>) -> Technical {
        let kinds = Bars::all(setup.settings).count();
        let used = setup.settings.windows.len();
        let columns = vec![f64::NAN; kinds * STATS.len() * used];
        Technical { averages: vec![Averages::NONE; kinds], columns, used }
    }

    fn on_bar(&mut self, _: &See<'_>, kind: usize, bars: &Bars) {
        self.averages[kind].take(bars);
        let values = self.averages[kind].columns(bars);
        store(&values, self.used, kind, &mut self.columns);
    }

    fn fill(&mut self, _: &See<'_>, _: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&self.columns);
    }
}
