//! The kernels against reference values of fifty digits, and against their own laws.
mod support;

use std::collections::BTreeMap;
use support::{Row, Rows};
use wide::{f64x4, f64x8};
use zomma::greeks::{
    implied::Priced,
    lanes::{Lanes, Scalar},
    math,
    options::Options,
    sets::{All, Model, Set, Tick},
};

const EPSILON: f64 = f64::EPSILON;
const CALL: f64 = 0.0;
const PUT: f64 = -0.0;

fn all(x: f64) -> f64x8 {
    f64x8::splat(x)
}

fn first(x: f64x8) -> f64 {
    x.to_array()[0]
}

#[derive(Default)]
struct Errors(Vec<(f64, String)>);

impl Errors {
    fn add(&mut self, error: f64, label: impl FnOnce() -> String) {
        // Only the worst is ever named.
        let worst = self.0.iter().rev().take(1).all(|last| error > last.0);
        self.0.push((error, if worst || error > 1e-13 { label() } else { String::new() }));
    }

    /// Median, 99th percentile and greatest.
    fn report(&mut self, name: &str) -> (f64, f64, f64) {
        self.0.sort_by(|a, b| a.0.total_cmp(&b.0));
        let at = |share: f64| &self.0[((self.0.len() - 1) as f64 * share) as usize];
        let (median, p99, max) = (at(0.5).0, at(0.99).0, at(1.0));
        println!(
            "{name:>20} {:6} rows: median {median:.2e} p99 {p99:.2e} max {:.2e} {}",
            self.0.len(),
            max.0,
            max.1
        );
        (median, p99, max.0)
    }
}

fn model(row: &Row<'_>) -> Model {
    if row.text("model") == "bsm" { Model::Spot } else { Model::Forward }
}

fn terms<R: Lanes>(row: &Row<'_>, vol: f64) -> Options<R> {
    let [s, k, t, r, q] = ["S", "K", "T", "r", "q"].map(|c| R::splat(row.number(c)));
    Options { spot: s, strike: k, years: t, r, q, vol: R::splat(vol) }
}

fn sign(row: &Row<'_>) -> f64 {
    if row.number("cp") > 0.0 { CALL } else { PUT }
}

/// All columns of a row, by name.
fn values<R: Lanes>(options: &Options<R>, model: Model, sign: f64) -> Vec<f64> {
    let mut found = Vec::new();
    options.value(model).side::<All<R>>(R::splat(sign)).tell(|column| found.push(column.lane(0)));
    found
}

/// Price within four units of what the inputs' own rounding costs, on every row; all sixteen Greeks
/// of tradable rows to 1e-14 in the median and 1e-13 at the 99th percentile. The others are told:
/// where a Greek is almost nothing, the inputs' own rounding moves all of it.
#[test]
fn price_and_greeks_meet_the_reference() {
    let Some(rows) = Rows::read("reference.csv.gz") else { return };
    let mut prices: BTreeMap<String, Errors> = Default::default();
    let mut greeks: BTreeMap<(&str, String), Errors> = Default::default();
    for row in rows.iter() {
        let options = terms::<f64x8>(&row, row.number("sigma"));
        let found = values(&options, model(&row), sign(&row));
        let stratum = row.text("stratum").to_string();
        prices
            .entry(stratum.clone())
            .or_default()
            .add(units(&row, found[0]), || row.text("id").into());
        let kind = if is_tradable(&row) { "" } else { ", not tradable" };
        for (name, found) in All::<f64x8>::NAMES.iter().zip(&found).skip(1) {
            let wanted = row.number(name);
            if *name == "phi" && wanted.is_nan() {
                assert!(found.is_nan(), "a forward has no phi");
                continue;
            }
            let error = if *found == wanted { 0.0 } else { (found / wanted - 1.0).abs() };
            let label = || format!("row {}: {found:e} for {wanted:e}", row.text("id"));
            for of in [stratum.as_str(), "all"] {
                greeks.entry((name, format!("{of}{kind}"))).or_default().add(error, label);
            }
        }
    }
    println!("price, in units of the inputs' rounding; Greeks, relative");
    for (stratum, errors) in &mut prices {
        let (_, _, worst) = errors.report(&format!("price {stratum}"));
        assert!(worst <= 4.0, "{stratum}: {worst}");
    }
    assert_eq!(prices.values().map(|errors| errors.0.len()).sum::<usize>(), 20_000);
    for ((name, stratum), errors) in &mut greeks {
        let (median, p99, _) = errors.report(&format!("{name} {stratum}"));
        let told = stratum.contains("not tradable");
        assert!(told || median <= 1e-14 && p99 <= 1e-13, "{name} {stratum}");
    }
}

/// The price's error over what the rounding of the inputs alone costs.
fn units(row: &Row<'_>, found: f64) -> f64 {
    let [s, k, t, vol, wanted] = ["S", "K", "T", "sigma", "price"].map(|c| row.number(c));
    if wanted == 0.0 {
        assert!(found.abs() < 1e-300, "row {}: {found:e} for 0", row.text("id"));
        return 0.0;
    }
    let [delta, dual, vega, theta] =
        ["delta", "dual_delta", "vega", "theta"].map(|c| row.number(c));
    let scale = (s * delta).abs() + (k * dual).abs() + vol * vega + (t * theta).abs();
    // Below the normal range the last place itself is the limit.
    let error = ((found - wanted).abs() - 4.0 * f64::from_bits(1)).max(0.0);
    error / (EPSILON * scale)
}

fn is_tradable(row: &Row<'_>) -> bool {
    let [s, k, t, r, q, cp] = ["S", "K", "T", "r", "q", "cp"].map(|c| row.number(c));
    let floor = ((s * (-q * t).exp() - k * (-r * t).exp()) * cp).max(0.0);
    ["zerodte", "chain", "b76"].contains(&row.text("stratum"))
        && t >= 60.0 / (365.0 * 86_400.0)
        && row.number("price") - floor > 1e-8 * s
}

/// The vector kernels have the bits of their scalar twin in every lane, and of half their width.
#[test]
fn every_lane_has_the_bits_of_the_scalar_twin() {
    let Some(rows) = Rows::read("reference.csv.gz") else { return };
    let rows: Vec<Row<'_>> = rows.iter().collect();
    let columns = ["S", "K", "T", "r", "q", "sigma"];
    for block in rows.chunks_exact(8) {
        let column = |name: &str| f64x8::from_fn(|lane| block[lane].number(name));
        let [spot, strike, years, r, q, vol] = columns.map(column);
        let options = Options { spot, strike, years, r, q, vol };
        let signs = f64x8::from_fn(|lane| sign(&block[lane]));
        let call = f64x8::mask(|lane| sign(&block[lane]).is_sign_positive());
        let prices = f64x8::from_fn(|lane| block[lane].number("price"));
        for model in [Model::Spot, Model::Forward] {
            let mut found = Vec::new();
            let set = options.value(model).side::<All>(signs);
            set.tell(|column| found.push(column.to_array()));
            found.push(options.implied(model, prices, call).to_array());
            for (lane, row) in block.iter().enumerate() {
                let bits: Vec<u64> = found.iter().map(|column| column[lane].to_bits()).collect();
                assert_eq!(bits, twin::<Scalar>(row, model), "row {}", row.text("id"));
                assert_eq!(bits, twin::<f64x4>(row, model), "row {}", row.text("id"));
            }
        }
    }
}

fn twin<R: Lanes>(row: &Row<'_>, model: Model) -> Vec<u64> {
    let options = terms::<R>(row, row.number("sigma"));
    let mut found = values(&options, model, sign(row));
    let call = R::mask(|_| sign(row).is_sign_positive());
    found.push(options.implied(model, R::splat(row.number("price")), call).lane(0));
    found.into_iter().map(f64::to_bits).collect()
}

/// Every price of the reference that has a volatility gives it within four units; every other is
/// refused with its reason.
#[test]
fn implied_volatility_meets_the_reference() {
    let Some(rows) = Rows::read("implied_vol.csv.gz") else { return };
    let mut strata: BTreeMap<String, Errors> = Default::default();
    let mut refused: BTreeMap<&'static str, usize> = Default::default();
    for row in rows.iter() {
        let (price, is_call) = (row.number("price"), row.number("cp") > 0.0);
        let options = terms::<f64x8>(&row, f64::NAN);
        let found = first(options.implied(model(&row), all(price), f64x8::mask(|_| is_call)));
        let status = options.status(model(&row), 0, price, is_call);
        let wanted = row.text("status").trim_end_matches("_ulp");
        assert_eq!(status.name(), wanted, "row {}", row.text("id"));
        assert_eq!(found.is_nan(), wanted != "ok", "row {}: {found}", row.text("id"));
        if wanted != "ok" {
            *refused.entry(status.name()).or_default() += 1;
            continue;
        }
        let sigma = row.number("sigma");
        let condition = 1.0 + row.number("cond_price") + 2.0 * row.number("cond_spot");
        let units = (found / sigma - 1.0).abs() / (EPSILON * condition);
        let label = || format!("row {}: {found:e} for {sigma:e}", row.text("id"));
        strata.entry(row.text("stratum").into()).or_default().add(units, label);
    }
    println!("volatility, in units of the inputs' rounding; refused: {refused:?}");
    let worst = strata.iter_mut().map(|(name, errors)| errors.report(name).2).fold(0.0, f64::max);
    assert!(worst <= 4.0, "{worst}");
    assert_eq!(refused.values().sum::<usize>(), 1_000);
}

fn options(spot: f64, strike: f64, years: f64, vol: f64) -> Options {
    let (spot, strike, years, vol) = (all(spot), all(strike), all(years), all(vol));
    Options { spot, strike, years, r: all(0.05), q: all(0.01), vol }
}

fn tick(options: &Options, sign: f64) -> [f64; 5] {
    let Tick { price, delta, gamma, theta, vega } = options.value(Model::Spot).side(all(sign));
    [price, delta, gamma, theta, vega].map(first)
}

/// As time runs out the values go to their limits and stay numbers down to the last instant.
#[test]
fn the_limits_as_time_runs_out_are_reached_and_never_jump() {
    for (strike, delta) in [(90.0, 1.0), (110.0, 0.0), (100.0, 0.5)] {
        let limit = options(100.0, strike, 0.0, 0.2);
        let [price, call_delta, gamma, _, vega] = tick(&limit, CALL);
        assert_eq!((price, call_delta, gamma, vega), ((100.0 - strike).max(0.0), delta, 0.0, 0.0));
        let [price, put_delta, ..] = tick(&limit, PUT);
        assert_eq!((price, put_delta), ((strike - 100.0).max(0.0), delta - 1.0));
        for seconds in [60.0, 1.0, 1e-3, 1e-6, 1e-9] {
            let years = seconds / (365.0 * 86_400.0);
            let [price, near_delta, gamma, theta, _] =
                tick(&options(100.0, strike, years, 0.2), CALL);
            let reach = 100.0 * 0.2 * years.sqrt() + 10.0 * years;
            assert!((price - (100.0 - strike).max(0.0)).abs() <= reach, "{strike} {seconds}");
            assert!((near_delta - delta).abs() < 1e-2, "{strike} {seconds}");
            assert!(theta.is_finite() && gamma.is_finite());
        }
    }
}

/// The table of limits in the kernel's documentation, and no value at any combination of ends that
/// is NaN, or infinite without an infinite input.
#[test]
fn every_combination_of_ends_has_a_defined_value() {
    let inf = f64::INFINITY;
    let ends = [0.0, f64::from_bits(1), 1e-300, 1e-31, 1e-29, 1e-12, 1.0, 50.0, 1e12, 1e300, inf];
    for (spot, strike) in ends.iter().flat_map(|s| ends.map(|k| (*s, k))) {
        for (years, vol) in ends.iter().flat_map(|t| ends.map(|v| (*t, v))) {
            let terms = options(spot, strike, years, vol);
            for (sign, model) in [(CALL, Model::Spot), (PUT, Model::Spot), (PUT, Model::Forward)] {
                let found = values(&terms, model, sign);
                let asked = [spot, strike, years, vol].contains(&inf);
                for (name, value) in All::<f64x8>::NAMES.iter().zip(found) {
                    let says = format!("{name} {value} at {spot} {strike} {years} {vol} {sign}");
                    let undefined = *name == "phi" && model == Model::Forward;
                    assert_eq!(value.is_nan(), undefined, "{says}");
                    let tiny = spot < 1e-30 || strike < 1e-30 || spot > 1e30 || strike > 1e30;
                    assert!(value.is_finite() || undefined || asked || tiny, "{says}");
                }
            }
        }
    }
    let (growth, discount) = ((-0.01f64).exp(), (-0.05f64).exp());
    let near = |found: f64, wanted: f64| {
        assert!((found - wanted).abs() <= 4.0 * EPSILON * wanted.abs(), "{found} for {wanted}");
    };
    for (spot, strike, vol, call, put) in [
        (100.0, 50.0, 0.0, 100.0 * growth - 50.0 * discount, 0.0),
        (50.0, 100.0, 0.0, 0.0, 100.0 * discount - 50.0 * growth),
        (0.0, 100.0, 0.2, 0.0, 100.0 * discount),
        (100.0, 0.0, 0.2, 100.0 * growth, 0.0),
        (100.0, 50.0, inf, 100.0 * growth, 50.0 * discount),
    ] {
        let terms = options(spot, strike, 1.0, vol);
        let is_call = vol == inf || spot > strike;
        let [price, delta, gamma, _, vega] = tick(&terms, CALL);
        near(price, call);
        near(delta, if is_call { growth } else { 0.0 });
        assert_eq!((gamma, vega), (0.0, 0.0));
        let [price, delta, ..] = tick(&terms, PUT);
        near(price, put);
        near(delta, if is_call { 0.0 } else { -growth });
    }
}

/// A negative or missing input makes its lane NaN, in every column, and nothing else.
#[test]
fn a_lane_without_an_input_does_not_touch_its_neighbours() {
    let clean = options(100.0, 105.0, 0.1, 0.2);
    let mut vols = [0.2; 8];
    (vols[3], vols[5], vols[7]) = (f64::NAN, 0.0, -0.2);
    let alone: All = clean.value(Model::Spot).call();
    let mixed: All = Options { vol: f64x8::new(vols), ..clean }.value(Model::Spot).call();
    let (mut wanted, mut found) = (Vec::new(), Vec::new());
    alone.tell(|column| wanted.push(column.to_array()));
    mixed.tell(|column| found.push(column.to_array()));
    for (wanted, found) in wanted.iter().zip(&found) {
        let same: Vec<bool> = found.iter().zip(wanted).map(|(a, b)| a == b).collect();
        assert_eq!(same, [true, true, true, false, true, false, true, false]);
        assert!(found[3].is_nan() && found[7].is_nan() && !found[5].is_nan());
    }
    let mut prices = wanted[0];
    (prices[0], prices[6]) = (f64::NAN, 500.0);
    let call = f64x8::mask(|_| true);
    let found = clean.implied(Model::Spot, f64x8::new(prices), call).to_array();
    let whole = clean.implied(Model::Spot, f64x8::new(wanted[0]), call).to_array();
    for lane in 0..8 {
        assert_eq!(found[lane].is_nan(), lane == 0 || lane == 6);
        assert!(found[lane].is_nan() || found[lane] == whole[lane]);
    }
}

proptest::proptest! {
    /// Call minus put is the discounted distance of forward and strike, for price and Greeks, and
    /// volatility survives the way to a price and back where the price tells it.
    #[test]
    fn parity_and_the_way_back_hold(
        spot in 1.0f64..10_000.0, moneyness in -0.3f64..0.3, years in 1e-5f64..3.0,
        vol in 0.05f64..2.0,
    ) {
        let strike = spot * moneyness.exp();
        let terms = options(spot, strike, years, vol);
        let (growth, discount) = ((-0.01 * years).exp(), (-0.05 * years).exp());
        let wanted = spot * growth - strike * discount;
        let [call, call_delta, ..] = tick(&terms, CALL);
        let [put, put_delta, ..] = tick(&terms, PUT);
        proptest::prop_assert!((call - put - wanted).abs() <= 1e-12 * spot);
        proptest::prop_assert!((call_delta - put_delta - growth).abs() <= 1e-12);
        let is_call = wanted < 0.0;
        let price = if is_call { call } else { put };
        if price > 1e-200 {
            let back = terms.implied(Model::Spot, all(price), f64x8::mask(|_| is_call));
            let (back, s) = (first(back), vol * years.sqrt());
            proptest::prop_assert!((back / vol - 1.0).abs() < 1e-13 + 1e-14 / s, "{back} {vol}");
        }
    }
}

/// A row's price as the tick path has it, with what the kernels share of an expiry.
fn priced(row: &Row<'_>) -> (Priced, f64) {
    let [s, k, t, r, q] = ["S", "K", "T", "r", "q"].map(|column| row.number(column));
    let (growth, discount) = (math::exp(all(-q * t)), math::exp(all(-r * t)));
    let is_call = row.number("cp") > 0.0;
    let priced = Priced {
        price: all(row.number("price")),
        call: f64x8::mask(|_| is_call),
        a: all(s) * growth,
        b: all(k) * discount,
        x: math::ln_ratio(all(s), all(k)) + all((r - q) * t),
        inv_root_t: all(1.0 / t.sqrt()),
    };
    (priced, t.sqrt())
}

/// From wherever a volatility starts it ends within the four units of the cold one, on every row of
/// the reference; where one step or two do not lead there, at the cold value to the bit. No lane of
/// a market's chain needs a solver of its own.
#[test]
fn a_warm_start_is_as_exact_as_the_cold_one() {
    // Shares by which the start is off: a size that changed, a tick, a jump, nonsense, none.
    const OFF: [f64; 8] = [0.0, 1e-4, -0.003, 0.03, -0.25, 1.5, -0.999, f64::NAN];
    let Some(rows) = Rows::read("implied_vol.csv.gz") else { return };
    let mut strata: BTreeMap<String, Errors> = Default::default();
    for row in rows.iter().filter(|row| row.text("status") == "ok") {
        let (priced, root_t) = priced(&row);
        let sigma = row.number("sigma");
        let starts = f64x8::new(OFF.map(|off| sigma * (1.0 + off)));
        let (warm, valid) = priced.implied_from(starts, all(1.0) / starts, all(root_t));
        assert_eq!(valid.to_bitmask(), 0xff, "row {}", row.text("id"));
        let condition = 1.0 + row.number("cond_price") + 2.0 * row.number("cond_spot");
        for (off, warm) in OFF.iter().zip(warm.to_array()) {
            let units = (warm / sigma - 1.0).abs() / (EPSILON * condition);
            let label = || format!("row {} from {off}: {warm:e}", row.text("id"));
            strata.entry(row.text("stratum").into()).or_default().add(units, label);
        }
        assert_eq!(warm.lane(7), first(priced.implied().0), "no start is a cold start");
    }
    println!("volatility from a start, in units of the inputs' rounding");
    let worst = strata.iter_mut().map(|(name, errors)| errors.report(name).2).fold(0.0, f64::max);
    assert!(worst <= 4.0, "{worst}");
    let Some(rows) = Rows::read("chain_1024.csv") else { return };
    for row in rows.iter() {
        let (priced, _) = priced(&row);
        let otm = (priced.a.lane(0) > priced.b.lane(0)) != (row.number("cp") > 0.0);
        assert!(!(otm && row.number("price") > 1e-10 * row.number("S") && priced.open().any()));
    }
}
