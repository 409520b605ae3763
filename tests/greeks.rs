//! The kernels against reference values of fifty digits, and against their own laws.
mod support;

use support::Rows;
use wide::f64x8;
use zomma::greeks::{black::Options, math};

const EPSILON: f64 = f64::EPSILON;

fn all(x: f64) -> f64x8 {
    f64x8::splat(x)
}

fn first(x: f64x8) -> f64 {
    x.to_array()[0]
}

struct Errors(Vec<(f64, String)>);

impl Errors {
    fn report(&mut self, name: &str) -> (f64, f64, f64) {
        self.0.sort_by(|a, b| a.0.total_cmp(&b.0));
        let at = |share: f64| &self.0[((self.0.len() - 1) as f64 * share) as usize];
        let (median, p99, max) = (at(0.5).0, at(0.99).0, at(1.0));
        println!("{name:>12}: median {median:.2e} p99 {p99:.2e} max {:.2e} ({})", max.0, max.1);
        (median, p99, max.0)
    }
}

/// Price within four units of what the inputs' own rounding costs, on every row; the Greeks of
/// tradable rows to 1e-14 in the median and 1e-13 at the 99th percentile.
#[test]
fn price_and_greeks_meet_the_reference() {
    let Some(rows) = Rows::read("reference.csv.gz") else { return };
    let mut units = Errors(Vec::new());
    let names = ["delta", "gamma", "theta", "vega"];
    let mut greeks: Vec<Errors> = names.iter().map(|_| Errors(Vec::new())).collect();
    for row in rows.iter() {
        let [s, k, t, r, q, vol] = ["S", "K", "T", "r", "q", "sigma"].map(|c| row.number(c));
        let options = Options {
            spot: all(s),
            strike: all(k),
            years: all(t),
            r: all(r),
            q: all(q),
            vol: all(vol),
        };
        let pair = options.price();
        let call = row.number("cp") > 0.0;
        let pick = |a: f64x8, b: f64x8| first(if call { a } else { b });
        let (found, wanted) = (pick(pair.call, pair.put), row.number("price"));
        let label = format!("{} {}: {found:e} for {wanted:e}", row.text("stratum"), row.text("id"));
        if wanted != 0.0 {
            let [delta, dual, vega, theta] =
                ["delta", "dual_delta", "vega", "theta"].map(|c| row.number(c));
            let scale = (s * delta).abs() + (k * dual).abs() + vol * vega + (t * theta).abs();
            let condition = scale / wanted;
            // Below the normal range the last place itself is the limit.
            let error = ((found - wanted).abs() - 4.0 * f64::from_bits(1)).max(0.0) / wanted;
            units.0.push((error / (EPSILON * condition), label));
        } else {
            assert!(found.abs() < 1e-300, "{label}");
        }
        let intrinsic = ((s * (-q * t).exp() - k * (-r * t).exp()) * row.number("cp")).max(0.0);
        let tradable = ["zerodte", "chain", "b76"].contains(&row.text("stratum"))
            && t >= 60.0 / (365.0 * 86_400.0)
            && wanted - intrinsic > 1e-8 * s;
        if !tradable {
            continue;
        }
        let found = [
            pick(pair.call_delta, pair.put_delta),
            first(pair.gamma),
            pick(pair.call_theta, pair.put_theta),
            first(pair.vega),
        ];
        for ((found, name), errors) in found.iter().zip(names).zip(&mut greeks) {
            let wanted = row.number(name);
            let label = format!("{} {found:e} for {wanted:e}", row.text("id"));
            errors.0.push(((found / wanted - 1.0).abs(), label));
        }
    }
    let (_, _, worst) = units.report("price, units");
    for (name, errors) in names.iter().zip(&mut greeks) {
        let (median, p99, _) = errors.report(name);
        assert!(median <= 1e-14 && p99 <= 1e-13, "{name}");
    }
    assert!(worst <= 4.0);
}

/// Every price of the reference that has a volatility gives it within four units; every other is
/// refused with its reason.
#[test]
fn implied_volatility_meets_the_reference() {
    let Some(rows) = Rows::read("implied_vol.csv.gz") else { return };
    let mut strata: std::collections::BTreeMap<String, Errors> = Default::default();
    for row in rows.iter() {
        let [s, k, t, r, q, price] = ["S", "K", "T", "r", "q", "price"].map(|c| row.number(c));
        let call = row.number("cp") > 0.0;
        let options = Options {
            spot: all(s),
            strike: all(k),
            years: all(t),
            r: all(r),
            q: all(q),
            vol: all(f64::NAN),
        };
        let mask = if call { all(f64::from_bits(u64::MAX)) } else { all(0.0) };
        let found = first(options.implied(all(price), mask));
        let status = options.status(0, price, call);
        let wanted = row.text("status").trim_end_matches("_ulp");
        assert_eq!(status.name(), wanted, "row {}", row.text("id"));
        assert_eq!(found.is_nan(), wanted != "ok", "row {}: {found}", row.text("id"));
        if wanted != "ok" {
            continue;
        }
        let sigma = row.number("sigma");
        let condition = 1.0 + row.number("cond_price") + 2.0 * row.number("cond_spot");
        let units = (found / sigma - 1.0).abs() / (EPSILON * condition);
        let label = format!("row {}: {found:e} for {sigma:e}", row.text("id"));
        strata
            .entry(row.text("stratum").into())
            .or_insert_with(|| Errors(Vec::new()))
            .0
            .push((units, label));
    }
    let worst = strata.iter_mut().map(|(name, errors)| errors.report(name).2).fold(0.0, f64::max);
    assert!(worst <= 4.0, "{worst}");
}

/// Distance in units in the last place.
fn ulps(found: f64, wanted: f64) -> f64 {
    let unit = f64::from_bits(wanted.abs().to_bits() + 1) - wanted.abs();
    (found - wanted).abs() / unit
}

/// The elementary functions against the platform's, which is within one unit itself.
#[test]
fn exp_and_ln_are_within_their_stated_error() {
    let (mut exp, mut ln) = (0.0f64, 0.0f64);
    let mut x = 1e-300f64;
    while x < 1e300 {
        ln = ln.max(ulps(first(math::ln(all(x))), x.ln()));
        x *= 1.000_731;
    }
    for i in 0..400_000 {
        let x = -700.0 + f64::from(i) * 0.003_517;
        if x < 708.0 {
            exp = exp.max(ulps(first(math::exp(all(x))), x.exp()));
        }
        let near = 0.5 + f64::from(i) * 5e-6;
        ln = ln.max(ulps(first(math::ln(all(near))), near.ln()));
    }
    println!("exp {exp:.2} ulp, ln {ln:.2} ulp");
    assert!(exp <= 1.5 && ln <= 1.5);
}

/// The distribution function against statrs' error function, as far as that one goes, and Mills'
/// ratio against its own differential equation M' = xM − 1.
#[test]
fn the_normal_distribution_is_within_its_stated_error() {
    use statrs::function::erf::erfc;
    for i in 0..4_000 {
        let x = -8.0 + f64::from(i) * 0.004;
        let wanted = 0.5 * erfc(-x / core::f64::consts::SQRT_2);
        let found = first(math::cdf(all(x)));
        assert!((found / wanted - 1.0).abs() < 1e-9, "{x}: {found} for {wanted}");
    }
    for i in 1..390 {
        let (x, h) = (f64::from(i) * 0.1, 1e-4);
        let m = |x: f64| first(math::mills(all(x)));
        let slope = (m(x + h) - m(x - h)) / (2.0 * h);
        assert!((slope - (x * m(x) - 1.0)).abs() < 1e-8, "{x}");
    }
}

fn options(spot: f64, strike: f64, years: f64, vol: f64) -> Options {
    let (spot, strike, years, vol) = (all(spot), all(strike), all(years), all(vol));
    Options { spot, strike, years, r: all(0.05), q: all(0.01), vol }
}

/// As time runs out the values go to their limits and stay numbers down to the last instant.
#[test]
fn the_limits_as_time_runs_out_are_reached_and_never_jump() {
    for (strike, delta) in [(90.0, 1.0), (110.0, 0.0), (100.0, 0.5)] {
        let limit = options(100.0, strike, 0.0, 0.2).price();
        assert_eq!(first(limit.call), (100.0 - strike).max(0.0));
        assert_eq!(first(limit.put), (strike - 100.0).max(0.0));
        assert_eq!(first(limit.call_delta), delta);
        assert_eq!(first(limit.put_delta), delta - 1.0);
        assert_eq!((first(limit.gamma), first(limit.vega)), (0.0, 0.0));
        for seconds in [60.0, 1.0, 1e-3, 1e-6, 1e-9] {
            let years = seconds / (365.0 * 86_400.0);
            let near = options(100.0, strike, years, 0.2).price();
            let reach = 100.0 * 0.2 * years.sqrt() + 10.0 * years;
            assert!((first(near.call) - first(limit.call)).abs() <= reach, "{strike} {seconds}");
            assert!((first(near.call_delta) - delta).abs() < 1e-2, "{strike} {seconds}");
            assert!(first(near.call_theta).is_finite() && first(near.gamma).is_finite());
        }
    }
}

/// A NaN stays in its lane: the neighbours' bits do not change.
#[test]
fn a_lane_without_an_input_does_not_touch_its_neighbours() {
    let clean = options(100.0, 105.0, 0.1, 0.2);
    let mut vols = [0.2; 8];
    vols[3] = f64::NAN;
    vols[5] = 0.0;
    let mixed = Options { vol: f64x8::new(vols), ..clean }.price().call.to_array();
    let alone = clean.price().call.to_array();
    let same: Vec<bool> = mixed.iter().zip(&alone).map(|(a, b)| a == b).collect();
    assert_eq!(same, [true, true, true, false, true, false, true, true]);
    assert!(mixed[3].is_nan());
    let mut prices = alone;
    prices[0] = f64::NAN;
    prices[6] = 500.0;
    let call = all(f64::from_bits(u64::MAX));
    let found = clean.implied(f64x8::new(prices), call).to_array();
    let whole = clean.implied(f64x8::new(alone), call).to_array();
    for lane in 0..8 {
        assert_eq!(found[lane].is_nan(), lane == 0 || lane == 6);
        assert!(found[lane].is_nan() || found[lane] == whole[lane]);
    }
}

proptest::proptest! {
    /// Call minus put is the discounted distance of forward and strike, and volatility survives
    /// the way to a price and back where the price tells it.
    #[test]
    fn parity_and_the_way_back_hold(
        spot in 1.0f64..10_000.0, moneyness in -0.3f64..0.3, years in 1e-5f64..3.0,
        vol in 0.05f64..2.0,
    ) {
        let strike = spot * moneyness.exp();
        let terms = options(spot, strike, years, vol);
        let pair = terms.price();
        let wanted = spot * (-0.01 * years).exp() - strike * (-0.05 * years).exp();
        let (call, put) = (first(pair.call), first(pair.put));
        proptest::prop_assert!((call - put - wanted).abs() <= 1e-12 * spot);
        let is_call = wanted < 0.0;
        let price = if is_call { call } else { put };
        if price > 1e-200 {
            let mask = if is_call { all(f64::from_bits(u64::MAX)) } else { all(0.0) };
            let back = first(terms.implied(all(price), mask));
            let s = vol * years.sqrt();
            proptest::prop_assert!((back / vol - 1.0).abs() < 1e-13 + 1e-14 / s, "{back} {vol}");
        }
    }
}
