//! The kernels against reference values of fifty digits, and against their own laws.
mod support;

use support::Rows;
use wide::f64x8;
use zomma::greeks::black::Options;

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
