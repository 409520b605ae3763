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
