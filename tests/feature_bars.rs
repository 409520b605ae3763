//! Bars and what windows of them give, against plain programs over whole arrays that share nothing
//! with the engine: each after its definition, as TA-Lib, NumPy and SciPy have it.
mod floor;
mod walk;

use floor::{OPEN, SECOND};
use walk::{events, walk};
use zomma::{
    feature::{Row, Schema, Settings},
    wire::Event,
};

/// A bar as a plain program has it.
#[derive(Clone, Copy, Debug, Default)]
struct Plain {
    slot: u64,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
    turnover: f64,
}

/// Rows by the time after the open.
fn rows(schema: &Schema, inputs: &[Event]) -> Vec<(u64, Row)> {
    walk::rows(schema, inputs)
        .into_iter()
        .map(|(_, row)| (row.ts.wrapping_sub(OPEN), row))
        .collect()
}

/// Bars of so many seconds, by slots.
fn plain(ticks: &[(u64, i64, u32)], seconds: u64) -> Vec<Plain> {
    let mut bars: Vec<Plain> = Vec::new();
    for &(at, cents, units) in ticks {
        // The very mid: where +DM and −DM are equal in cents, the rounding of prices decides.
        let price = 0.5 * ((cents - 1) as f64 / 100.0 + (cents + 1) as f64 / 100.0);
        let slot = at / (seconds * SECOND);
        if bars.last().is_none_or(|bar| bar.slot != slot) {
            bars.push(Plain { slot, open: price, high: price, low: price, ..Plain::default() });
        }
        let bar = bars.last_mut().unwrap();
        (bar.high, bar.low, bar.close) = (bar.high.max(price), bar.low.min(price), price);
        bar.volume += f64::from(units);
        bar.turnover += f64::from(units) * (cents + 1) as f64 / 100.0;
    }
    bars
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn variance(x: &[f64], less: usize) -> f64 {
    let m = mean(x);
    x.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (x.len() - less) as f64
}

/// Wilder's average of `x`: the mean of the first `w`, then (w − 1)/w of itself.
fn wilder(x: &[f64], w: usize) -> f64 {
    let first = mean(&x[..w]);
    x[w..].iter().fold(first, |held, v| (held * (w as f64 - 1.0) + v) / w as f64)
}

fn ema(x: &[f64], w: usize) -> f64 {
    let k = 2.0 / (w as f64 + 1.0);
    x[w..].iter().fold(mean(&x[..w]), |held, v| held + k * (v - held))
}

/// All statistics of a window that end with the last of these bars.
fn technical(bars: &[Plain], w: usize) -> Vec<(&'static str, f64)> {
    let n = bars.len();
    let c: Vec<f64> = bars.iter().map(|b| b.close).collect();
    let (close, last) = (c[n - 1], &bars[n - w..]);
    let window = &c[n - w..];
    let changes: Vec<f64> = c.windows(2).map(|p| p[1] - p[0]).collect();
    let rises: Vec<f64> = changes.iter().map(|d| d.max(0.0)).collect();
    let falls: Vec<f64> = changes.iter().map(|d| (-d).max(0.0)).collect();
    let (gain, loss) = (wilder(&rises, w), wilder(&falls, w));
    let tr: Vec<f64> = bars
        .windows(2)
        .map(|p| {
            let (h, l, before) = (p[1].high, p[1].low, p[0].close);
            (h - l).max((h - before).abs()).max((l - before).abs())
        })
        .collect();
    let sma = mean(window);
    let sigma = variance(window, 0).sqrt();
    let (lower, upper) = (sma - 2.0 * sigma, sma + 2.0 * sigma);
    let high = last.iter().map(|b| b.high).fold(f64::MIN, f64::max);
    let low = last.iter().map(|b| b.low).fold(f64::MAX, f64::min);
    let typical: Vec<f64> = last.iter().map(|b| (b.high + b.low + b.close) / 3.0).collect();
    let middle = mean(&typical);
    let deviation = mean(&typical.iter().map(|t| (t - middle).abs()).collect::<Vec<_>>());
    let weights: f64 = (1..=w).map(|i| i as f64).sum();
    let wma = window.iter().enumerate().map(|(i, v)| (i + 1) as f64 * v).sum::<f64>() / weights;
    let time: Vec<f64> = (0..w).map(|i| i as f64).collect();
    let covariance =
        time.iter().zip(window).map(|(t, v)| (t - mean(&time)) * (v - sma)).sum::<f64>() / w as f64;
    let slope = covariance / variance(&time, 0);
    let volume: f64 = last.iter().map(|b| b.volume).sum();
    let turnover: f64 = last.iter().map(|b| b.turnover).sum();
    let (plus, minus, adx) = directional(bars, w);
    vec![
        ("sma_gap", close / sma - 1.0),
        ("ema_gap", close / ema(&c, w) - 1.0),
        ("wma_gap", close / wma - 1.0),
        ("rsi", 100.0 * gain / (gain + loss)),
        ("bb_place", (close - lower) / (upper - lower)),
        ("bb_width", (upper - lower) / sma),
        ("natr", 100.0 * wilder(&tr, w) / close),
        ("roc", 100.0 * (close / c[n - 1 - w] - 1.0)),
        ("willr", -100.0 * (high - close) / (high - low)),
        ("cci", (typical[w - 1] - middle) / (0.015 * deviation)),
        ("donchian", (high - low) / close),
        ("slope", slope / close),
        ("r_squared", covariance.powi(2) / (variance(&time, 0) * variance(window, 0))),
        (
            "efficiency",
            (close - c[n - 1 - w]) / changes[n - 1 - w..].iter().map(|d| d.abs()).sum::<f64>(),
        ),
        ("plus_di", plus),
        ("minus_di", minus),
        ("adx", adx),
        ("vwap_gap", close / (turnover / volume) - 1.0),
        ("volume_ratio", bars[n - 1].volume / (volume / w as f64)),
    ]
}

/// +DI, −DI and ADX as TA-Lib's loops have them.
fn directional(bars: &[Plain], w: usize) -> (f64, f64, f64) {
    let (mut plus, mut minus, mut tr) = (0.0, 0.0, 0.0);
    let (mut sum, mut adx, width) = (0.0, 0.0, w as f64);
    let (mut up_share, mut down_share) = (0.0, 0.0);
    for (i, pair) in bars.windows(2).enumerate() {
        let (before, bar) = (pair[0], pair[1]);
        let (up, down) = (bar.high - before.high, before.low - bar.low);
        let plus_move = if up > 0.0 && up > down { up } else { 0.0 };
        let minus_move = if down > 0.0 && down > up { down } else { 0.0 };
        let reach = (bar.high - bar.low)
            .max((bar.high - before.close).abs())
            .max((bar.low - before.close).abs());
        let bar_number = i + 1;
        if bar_number < w {
            (plus, minus, tr) = (plus + plus_move, minus + minus_move, tr + reach);
            continue;
        }
        plus = plus - plus / width + plus_move;
        minus = minus - minus / width + minus_move;
        tr = tr - tr / width + reach;
        (up_share, down_share) = (100.0 * plus / tr, 100.0 * minus / tr);
        let dx = 100.0 * (up_share - down_share).abs() / (up_share + down_share);
        if bar_number < 2 * w {
            sum += dx;
            adx = sum / width;
        } else {
            adx = (adx * (width - 1.0) + dx) / width;
        }
    }
    (up_share, down_share, adx)
}

fn volatility(bars: &[Plain], w: usize, a_year: f64) -> Vec<(&'static str, f64)> {
    let n = bars.len();
    let r: Vec<f64> = bars.windows(2).map(|p| (p[1].close / p[0].close).ln()).collect();
    let last = &r[r.len() - w..];
    let pairs = &r[r.len() - w - 1..];
    let each = |f: &dyn Fn(&Plain) -> f64| bars[n - w..].iter().map(f).collect::<Vec<f64>>();
    let range = each(&|b| (b.high / b.low).ln().powi(2));
    let body = each(&|b| (b.close / b.open).ln());
    let rogers = mean(&each(&|b| {
        (b.high / b.close).ln() * (b.high / b.open).ln()
            + (b.low / b.close).ln() * (b.low / b.open).ln()
    }));
    let gap: Vec<f64> =
        bars[n - w - 1..].windows(2).map(|p| (p[1].open / p[0].close).ln()).collect();
    let (ln2, width) = (std::f64::consts::LN_2, w as f64);
    let klass: Vec<f64> =
        range.iter().zip(&body).map(|(h, b)| 0.5 * h - (2.0 * ln2 - 1.0) * b * b).collect();
    let k = 0.34 / (1.34 + (width + 1.0) / (width - 1.0));
    let yang = variance(&gap, 1) + k * variance(&body, 1) + (1.0 - k) * rogers;
    let squares: f64 = last.iter().map(|v| v * v).sum();
    let bipower =
        std::f64::consts::FRAC_PI_2 * pairs.windows(2).map(|p| (p[0] * p[1]).abs()).sum::<f64>();
    let mean_size = mean(&last.iter().map(|v| v.abs()).collect::<Vec<_>>());
    let moment = |p: i32| mean(&last.iter().map(|v| (v - mean(last)).powi(p)).collect::<Vec<_>>());
    vec![
        ("rv_close", (a_year * variance(last, 1)).sqrt()),
        ("rv_parkinson", (a_year * mean(&range) / (4.0 * ln2)).sqrt()),
        ("rv_garman_klass", (a_year * mean(&klass).max(0.0)).sqrt()),
        ("rv_rogers_satchell", (a_year * rogers).sqrt()),
        ("rv_yang_zhang", (a_year * yang).sqrt()),
        ("rv_bipower", (a_year * bipower / width).sqrt()),
        ("jump_share", 1.0 - bipower / squares),
        ("down_share", last.iter().filter(|v| **v < 0.0).map(|v| v * v).sum::<f64>() / squares),
        ("skewness", moment(3) / moment(2).powf(1.5)),
        ("kurtosis", moment(4) / moment(2).powi(2) - 3.0),
        ("rv_absolute", (a_year * std::f64::consts::FRAC_PI_2).sqrt() * mean_size),
        ("autocorrelation", pairs.windows(2).map(|p| p[0] * p[1]).sum::<f64>() / squares),
    ]
}

/// Every window of the bars of a second and of five, at many rows of the walk.
#[test]
fn indicators_and_volatilities_are_those_of_plain_programs() {
    let schema = Schema::new(&Settings::with_roots(&["SPY"]));
    let ticks = walk(4_000);
    let rows = rows(&schema, &events(&ticks));
    let (mut compared, mut worst) = (0usize, (0.0f64, String::new()));
    for (name, seconds) in [("1s", 1u64), ("5s", 5)] {
        let bars = plain(&ticks, seconds);
        for (at, row) in rows.iter().skip(250).step_by(17) {
            let whole =
                bars.iter().take_while(|bar| (bar.slot + 1) * seconds * SECOND <= *at).count();
            for &w in &schema.settings().windows {
                if whole < 2 * w + 2 {
                    continue;
                }
                let a_year = 252.0 * 23_400.0 / seconds as f64;
                let wanted = technical(&bars[..whole], w).into_iter();
                for (stat, wanted) in wanted.chain(volatility(&bars[..whole], w, a_year)) {
                    let column = format!("SPY.{stat}_{w}_{name}");
                    let found = row.get(schema.resolve(&column).unwrap());
                    let scale = wanted.abs().max(1e-3);
                    let off = (found - wanted).abs() / scale;
                    assert!(off < 1e-8, "{column} at {at}: {found} for {wanted}");
                    compared += 1;
                    if off > worst.0 {
                        worst = (off, column);
                    }
                }
            }
        }
    }
    println!("{compared} values, worst relative difference {:e} in {}", worst.0, worst.1);
    assert!(compared > 5_000, "{compared}");
}

/// What is not known yet is NaN, and becomes known with the bar that the declaration names.
#[test]
fn a_column_is_known_from_the_bar_on_that_its_declaration_names() {
    let settings = Settings { windows: vec![5, 14], ..Settings::with_roots(&["SPY"]) };
    let schema = Schema::new(&settings);
    let ticks = walk(500);
    let rows = rows(&schema, &events(&ticks));
    let bars = plain(&ticks, 1);
    for column in schema.columns() {
        let Some(needed) = column.warmup.strip_suffix(" bars of 1s") else { continue };
        let needed: usize = needed.parse().unwrap();
        let place = schema.column(&column.name).unwrap();
        for (at, row) in &rows {
            let whole = bars.iter().take_while(|bar| (bar.slot + 1) * SECOND <= *at).count();
            let known = !row.get(place).is_nan();
            assert!(!known || whole >= needed, "{}: known after {whole} bars", column.name);
            let prints = ["vwap", "volume"].iter().any(|part| column.name.contains(part));
            assert!(known || whole < needed || prints, "{}: not known after {whole}", column.name);
        }
    }
}

/// Ticks outside of the session make no bar, and a bar that nothing ticked in does not exist.
#[test]
fn bars_keep_to_the_session_and_to_where_there_were_ticks() {
    let schema = Schema::new(&Settings::with_roots(&["SPY"]));
    let get = |row: &Row, name: &str| row.get(schema.resolve(&format!("SPY.{name}")).unwrap());
    let gap = [
        (100_000_000, 45_000, 0),
        (600_000_000, 45_010, 0),
        (30 * SECOND, 45_100, 0),
        (31 * SECOND, 45_200, 0),
    ];
    let rows = rows(&schema, &events(&gap));
    let row = &rows.last().unwrap().1;
    assert_eq!(get(row, "bar_ticks_1s"), 1.0, "the bar of second 30");
    let wanted = 451.0 / 450.1 - 1.0;
    assert!((get(row, "return_1s") - wanted).abs() < 1e-15, "against the bar before, 29 s earlier");
    assert!((get(row, "session_return") - (452.0 / 450.0 - 1.0)).abs() < 1e-14);
    // An hour before the open.
    let mut early = events(&walk(50));
    early.iter_mut().for_each(|event| event.ts_recv = event.ts_recv.saturating_sub(3_600 * SECOND));
    let early = self::rows(&schema, &early);
    assert!(early.iter().all(|(_, row)| get(row, "bar_ticks_1s").is_nan()));
}
