//! Bars in; realised volatility by every estimator, and the moments of returns, for every window,
//! out.
//!
//! Volatilities are annual: variance a bar times bars a year, where a year has 252 sessions of
//! today's length. Those of bars of volume and turnover are a bar's: no such bar has a time of its
//! own.

use super::{
    bar::Bars,
    block::{Block, See, Setup},
    lanes::{Ratio, each, store},
    settings::Resolution,
    table::{Axis, POSITIVE, REAL, Stat, Table, stat},
};
use crate::greeks::math::V;
use alloc::{vec, vec::Vec};

const SESSIONS_A_YEAR: f64 = 252.0;

const STATS: &[Stat] = &[
    stat(
        "rv_close",
        "1/√year",
        POSITIVE,
        "√(B·Σ(r − mean)²/(w − 1)), r = ln(C/C₁), B bars a year (1 for vol and usd)",
    )
    .after(|w| w + 1)
    .by("sample standard deviation"),
    stat("rv_parkinson", "1/√year", POSITIVE, "√(B·Σ ln(H/L)²/(4 ln 2·w))")
        .after(|w| w)
        .by("Parkinson 1980"),
    stat("rv_garman_klass", "1/√year", POSITIVE, "√(B·Σ(½ ln(H/L)² − (2 ln 2 − 1) ln(C/O)²)/w)")
        .after(|w| w)
        .by("Garman and Klass 1980"),
    stat("rv_rogers_satchell", "1/√year", POSITIVE, "√(B·Σ(ln(H/C) ln(H/O) + ln(L/C) ln(L/O))/w)")
        .after(|w| w)
        .by("Rogers and Satchell 1991"),
    stat(
        "rv_yang_zhang",
        "1/√year",
        POSITIVE,
        "√(B·(var ln(O/C₁) + k·var ln(C/O) + (1 − k)·RS)), k = 0.34/(1.34 + (w + 1)/(w − 1))",
    )
    .after(|w| w + 1)
    .by("Yang and Zhang 2000"),
    stat("rv_bipower", "1/√year", POSITIVE, "√(B·π/2·Σ|r||r₁|/w)")
        .after(|w| w + 2)
        .by("Barndorff-Nielsen and Shephard 2004"),
    stat("jump_share", "1", [f64::NEG_INFINITY, 1.0], "1 − (π/2·Σ|r||r₁|)/Σr²")
        .after(|w| w + 2)
        .by("Barndorff-Nielsen and Shephard 2006"),
    stat("down_share", "1", [0.0, 1.0], "Σ r² of falls / Σ r²")
        .after(|w| w + 1)
        .by("Barndorff-Nielsen, Kinnebrock and Shephard 2010"),
    stat("sharpe", "1", REAL, "mean r / standard deviation of r (sample)")
        .after(|w| w + 1)
        .by("mean over deviation"),
    stat("skewness", "1", REAL, "m₃/m₂^1.5, moments of the population")
        .after(|w| w + 1)
        .by("scipy.stats.skew"),
    stat("kurtosis", "1", [-2.0, f64::INFINITY], "m₄/m₂² − 3, moments of the population")
        .after(|w| w + 1)
        .by("scipy.stats.kurtosis"),
    stat("autocorrelation", "1", REAL, "Σ r·r₁ / Σ r²").after(|w| w + 2).by("lag 1 about zero"),
    stat("rv_absolute", "1/√year", POSITIVE, "√(B·π/2)·Σ|r|/w")
        .after(|w| w + 1)
        .by("Taylor 1986: the deviation of a normal r from its mean size"),
];

const PI_HALF: f64 = core::f64::consts::FRAC_PI_2;
const FOUR_LN_2: f64 = 4.0 * core::f64::consts::LN_2;

/// Realised volatility and moments of all kinds of bars.
#[derive(Debug)]
pub(super) struct Volatility {
    resolutions: Vec<Resolution>,
    columns: Vec<f64>,
    used: usize,
}

fn columns(bars: &Bars, a_year: f64) -> [V; STATS.len()] {
    let (w, s) = (bars.windows.length, &bars.windows.sums);
    let one = each(1.0);
    let annual = |variance: V| each(0.0).fast_max(each(a_year) * variance).sqrt();
    let sample = |sum: V, squares: V| (squares - sum * sum / w) / (w - one);
    let mean = s.r / w;
    let variance = sample(s.r, s.r2);
    let rogers = s.rogers_satchell / w;
    let k = each(0.34) / (each(1.34) + (w + one) / (w - one));
    let yang = sample(s.gap, s.gap2) + k * sample(s.body, s.body2) + (one - k) * rogers;
    let bipower = each(PI_HALF) * s.bipower;
    // Moments about the mean from those about zero.
    let (a2, a3, a4) = (s.r2 / w, s.r3 / w, s.r4 / w);
    let square = mean * mean;
    let m2 = each(0.0).fast_max(a2 - square);
    let m3 = a3 - each(3.0) * mean * a2 + each(2.0) * square * mean;
    let m4 = a4 - each(4.0) * mean * a3 + each(6.0) * square * a2 - each(3.0) * square * square;
    [
        annual(variance),
        annual(s.parkinson / (each(FOUR_LN_2) * w)),
        annual(s.garman_klass / w),
        annual(rogers),
        annual(yang),
        annual(bipower / w),
        (s.r2 - bipower).over(s.r2),
        s.down.over(s.r2),
        mean.over(each(0.0).fast_max(variance).sqrt()),
        m3.over(m2 * m2.sqrt()),
        (m4 - each(3.0) * m2 * m2).over(m2 * m2),
        s.lagged.over(s.r2),
        each(a_year * PI_HALF).sqrt() * s.size / w,
    ]
}

impl Volatility {
    /// Bars a year; 1 for bars without a length.
    fn a_year(&self, kind: usize, see: &See<'_>) -> f64 {
        let session = see.day.closes.saturating_sub(see.day.opens) as f64;
        match self.resolutions.get(kind) {
            Some(&Resolution::SESSION) => SESSIONS_A_YEAR,
            Some(resolution) => SESSIONS_A_YEAR * session / resolution.0 as f64,
            None => 1.0,
        }
    }
}

impl Block for Volatility {
    const TABLE: &'static Table =
        &Table { family: "volatility", outer: Axis::Bars, inner: Axis::Windows, stats: STATS };

    fn new(setup: &Setup<'_>) -> Volatility {
        let kinds = Bars::all(setup.settings).count();
        let used = setup.settings.windows.len();
        let columns = vec![f64::NAN; kinds * STATS.len() * used];
        Volatility { resolutions: setup.settings.resolutions.clone(), columns, used }
    }

    fn on_bar(&mut self, see: &See<'_>, kind: usize, bars: &Bars) {
        let values = columns(bars, self.a_year(kind, see));
        store(&values, self.used, kind, &mut self.columns);
    }

    fn fill(&mut self, _: &See<'_>, _: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&self.columns);
    }
}
