//! Exposures of a whole real chain against a plain reckoning, option by option, with an
//! independent normal distribution; levels against their definitions.
mod snapshot;
mod support;

use statrs::distribution::{Continuous, ContinuousCDF, Normal};
use zomma::{
    chain::{Chain, Expiry},
    greeks::{
        exposure::{Exposure, Exposures, Weight, max_pain},
        surface::smile_of,
    },
    wire::market::VolStatus,
};

/// One option of the chain with what the plain reckoning needs.
struct Held {
    strike: f64,
    call: bool,
    contracts: f64,
    vol: f64,
    spot: f64,
    years: f64,
    rate: f64,
}

fn vol(chain: &Chain, expiry: &Expiry, row: usize) -> f64 {
    let sides = [expiry.call(row), expiry.put(row)];
    let own = sides.iter().flatten().filter_map(|index| chain.greeks(*index));
    let own = own.filter(|greeks| greeks.status == VolStatus::OK).map(|greeks| greeks.iv).next();
    let smile = || smile_of(expiry).map(|s| s.vol((expiry.strike(row) / expiry.forward).ln()));
    own.or_else(smile).unwrap_or(f64::NAN)
}

fn holdings(chain: &Chain) -> Vec<Held> {
    let mut all = Vec::new();
    for (_, expiry) in chain.expiries() {
        for row in 0..expiry.rows() {
            for (call, side) in [(true, expiry.call(row)), (false, expiry.put(row))] {
                let Some(instrument) = side else { continue };
                all.push(Held {
                    strike: expiry.strike(row),
                    call,
                    contracts: chain.tape(instrument).interest as f64,
                    vol: vol(chain, expiry, row),
                    spot: expiry.discount * expiry.forward,
                    years: expiry.years,
                    rate: -expiry.discount.ln() / expiry.years,
                });
            }
        }
    }
    all.retain(|held| held.contracts > 0.0 && held.vol > 0.0);
    all
}

/// Dollar gamma, vanna, charm, vomma of one option by the textbook, and by differences of those
/// the rest; contracts of 100.
impl Held {
    fn delta_gamma_vega(&self, spot: f64, vol: f64, years: f64) -> [f64; 3] {
        let normal = Normal::new(0.0, 1.0).unwrap();
        let s = vol * years.sqrt();
        // The spot is the discounted forward: the asset yields what the money costs, so the
        // forward moves in step with it and the discount alone stands before the shares.
        let forward = spot * (self.rate * self.years).exp();
        let d1 = (forward / self.strike).ln() / s + 0.5 * s;
        // With less time the payoff is discounted less, and the forward stays where it is.
        let later = (-self.rate * (years - self.years)).exp();
        let share = later * if self.call { normal.cdf(d1) } else { -normal.cdf(-d1) };
        let density = normal.pdf(d1);
        [share, density / (spot * s), spot * density * years.sqrt()]
    }

    fn sums(&self) -> [f64; 6] {
        let (s, v, t) = (self.spot, self.vol, self.years);
        let at = |spot, vol, years| self.delta_gamma_vega(spot, vol, years);
        let (hs, hv) = (s * 1e-5, v * 1e-5);
        let slope = |a: f64, b: f64, h: f64| (a - b) / (2.0 * h);
        let vanna = slope(at(s, v + hv, t)[0], at(s, v - hv, t)[0], hv);
        let vomma = slope(at(s, v + hv, t)[2], at(s, v - hv, t)[2], hv);
        let speed = slope(at(s + hs, v, t)[1], at(s - hs, v, t)[1], hs);
        let zomma = slope(at(s, v + hv, t)[1], at(s, v - hv, t)[1], hv);
        let charm = -slope(at(s, v, t + t * 1e-5)[0], at(s, v, t - t * 1e-5)[0], t * 1e-5);
        let gamma = at(s, v, t)[1];
        [
            gamma * s * s * 0.01,
            vanna * s * 0.01,
            charm * s / 365.0,
            vomma * 1e-4,
            speed * s * s * s * 1e-4,
            zomma * s * s * 1e-4,
        ]
        .map(|figure| figure * 100.0 * self.contracts)
    }
}

#[test]
fn exposures_are_the_sums_of_all_options() {
    let Some(chain) = snapshot::spxw() else { return };
    let universe = snapshot::spxw_universe();
    let mut exposures = Exposures::new(&universe, Weight::Interest);
    exposures.update_all(&chain);
    let root = chain.find_root("SPXW").unwrap();
    let total = exposures.total(root);
    let (mut dealer, mut gross, mut size) = ([0.0; 6], [0.0; 6], [0.0; 6]);
    for held in holdings(&chain) {
        let sign = if held.call { 1.0 } else { -1.0 };
        for (i, figure) in held.sums().into_iter().enumerate() {
            dealer[i] += sign * figure;
            gross[i] += figure;
            size[i] += figure.abs();
        }
    }
    println!("{total:#?}");
    let named = |sums: &zomma::greeks::exposure::Sums| {
        [
            sums.gamma_per_percent,
            sums.vanna_per_point,
            sums.charm_per_day,
            sums.vomma_per_point,
            sums.speed_per_percent,
            sums.zomma_per_point,
        ]
    };
    for (found, wanted) in [(named(&total.dealer), dealer), (named(&total.gross), gross)] {
        for (i, (found, wanted)) in found.iter().zip(wanted).enumerate() {
            let scale = size[i].max(1.0);
            assert!((found - wanted).abs() < 2e-5 * scale, "figure {i}: {found} against {wanted}");
        }
    }
    // The strikes' figures add up to the total, each of them.
    let (mut dealer, mut gross) = ([0.0; 6], [0.0; 6]);
    for level in exposures.levels(root).strikes {
        let Exposure { dealer: calls_less_puts, gross: both, .. } = level.exposure();
        for (sums, figures) in [(&mut dealer, named(&calls_less_puts)), (&mut gross, named(&both))]
        {
            sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
        }
    }
    for (found, wanted) in [(dealer, named(&total.dealer)), (gross, named(&total.gross))] {
        for ((found, wanted), size) in found.iter().zip(wanted).zip(size) {
            assert!((found - wanted).abs() <= 1e-12 * size, "{found} for {wanted}");
        }
    }
    let by_expiry: f64 =
        chain.expiries().map(|(i, _)| exposures.expiry(i).dealer.gamma_per_percent).sum();
    assert!((by_expiry / total.dealer.gamma_per_percent - 1.0).abs() < 1e-12);
    assert!(total.unpriced < 0.01 * total.contracts, "{} unpriced", total.unpriced);
}

#[test]
fn levels_are_what_their_names_say() {
    let Some(chain) = snapshot::spxw() else { return };
    let mut exposures = Exposures::new(&snapshot::spxw_universe(), Weight::Interest);
    exposures.update_all(&chain);
    let root = chain.find_root("SPXW").unwrap();
    let total = exposures.total(root).dealer.gamma_per_percent;
    assert!((exposures.gamma_at(root, 0.0) / total - 1.0).abs() < 1e-9);
    let spot = 2_918.1;
    let flip = exposures.flip(root, 0.1, 100).expect("dealers' gamma changes its sign");
    println!(
        "dealer gamma {total:.4e} a percent; flip at {:.1} ({:+.2} %)",
        spot * (1.0 + flip),
        100.0 * flip
    );
    let at = |share| exposures.gamma_at(root, share);
    assert!(at(flip - 1e-5) * at(flip + 1e-5) <= 0.0);
    let nearer = (-99..=99).map(|i| f64::from(i) / 100.0 * flip.abs() * 0.999);
    assert!(nearer.into_iter().all(|share| at(share) * at(0.0) > 0.0), "none is nearer");
    let levels = exposures.levels(root);
    println!(
        "call wall {}, put wall {}, concentration {:.4}",
        levels.call_wall, levels.put_wall, levels.concentration
    );
    assert!(levels.strikes.windows(2).all(|pair| pair[0].strike < pair[1].strike));
    let sum: f64 =
        levels.strikes.iter().map(|level| level.exposure().dealer.gamma_per_percent).sum();
    assert!((sum / total - 1.0).abs() < 1e-9);
    assert!((0.0..1.0).contains(&levels.concentration));
    for (_, expiry) in chain.expiries() {
        let Some(pain) = max_pain(&chain, expiry) else { continue };
        let pays = |at: f64| -> f64 {
            let open = |i: Option<u32>| i.map_or(0.0, |i| chain.tape(i).interest as f64);
            let row = |row: usize| {
                let strike = expiry.strike(row);
                open(expiry.call(row)) * (at - strike).max(0.0)
                    + open(expiry.put(row)) * (strike - at).max(0.0)
            };
            (0..expiry.rows()).map(row).sum()
        };
        let least = expiry.strikes().iter().map(|strike| pays(*strike)).fold(f64::MAX, f64::min);
        assert!(pays(pain) <= least * (1.0 + 1e-12), "{pain}");
    }
}
