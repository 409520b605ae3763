//! Smiles: known ones are found again, arbitrage is seen and avoided, and the whole SPXW chain of
//! a real afternoon is fitted to within its quotes.
mod snapshot;
mod support;

use zomma::greeks::surface::{Bound, Fit, Fitter, Smile, Svi, forward_vol, smile_of};

/// Parameters in the range that equity indices show, from days to years.
const SMILES: [Svi; 4] = [
    Svi { a: 2e-5, b: 0.004, rho: -0.35, m: 0.002, sigma: 0.008 },
    Svi { a: 0.0008, b: 0.02, rho: -0.6, m: 0.02, sigma: 0.05 },
    Svi { a: 0.004, b: 0.06, rho: -0.7, m: 0.05, sigma: 0.12 },
    Svi { a: 0.02, b: 0.12, rho: -0.5, m: 0.1, sigma: 0.3 },
];

fn fitter(svi: &Svi, low: f64, high: f64, noise: impl Fn(usize) -> f64) -> Fitter {
    let (mut fitter, points) = (Fitter::new(256), 101);
    for i in 0..points {
        let k = low + (high - low) * i as f64 / (points - 1) as f64;
        let w = svi.variance(k);
        fitter.push(k, w * (1.0 + noise(i)), 1.0 / (0.01 * w * 0.01 * w));
    }
    fitter
}

fn worst(fit: &Fit, svi: &Svi, low: f64, high: f64) -> f64 {
    let at = |i: i32| low + (high - low) * f64::from(i) / 50.0;
    (0..=50)
        .map(|i| (fit.svi.variance(at(i)) / svi.variance(at(i)) - 1.0).abs())
        .fold(0.0, f64::max)
}

#[test]
fn a_smile_is_found_again_from_its_own_points_and_from_noisy_ones() {
    for svi in &SMILES {
        let width = 6.0 * svi.variance(0.0).sqrt();
        let (low, high) = (-width, 0.6 * width);
        let exact = fitter(svi, low, high, |_| 0.0).fit(None, None).unwrap();
        assert!(worst(&exact, svi, low, high) < 2e-3, "{svi:?}: {exact:?}");
        // Errors of half a spread with changing sign.
        let noise = |i: usize| 0.005 * ((i * 7_919 % 101) as f64 / 50.0 - 1.0);
        let noisy = fitter(svi, low, high, noise).fit(None, None).unwrap();
        assert!(worst(&noisy, svi, low, high) < 1.2e-2, "{svi:?}: {noisy:?}");
        assert!(noisy.rms < 0.6 && noisy.butterfly >= 0.0, "{noisy:?}");
    }
}

#[test]
fn a_warm_fit_is_as_good_as_a_cold_one_and_repeats_to_the_bit() {
    for svi in &SMILES {
        let width = 6.0 * svi.variance(0.0).sqrt();
        let moved = Svi { a: svi.a * 1.02, rho: svi.rho * 0.99, m: svi.m * 1.01, ..*svi };
        let mut points = fitter(&moved, -width, 0.6 * width, |_| 0.0);
        let cold = points.fit(None, None).unwrap();
        let warm = points.fit(Some(svi), None).unwrap();
        assert!(warm.rms <= cold.rms.max(0.05), "{warm:?} against {cold:?}");
        assert_eq!(points.fit(Some(svi), None).unwrap(), warm);
    }
}

/// Parameters of Vogt's example, which Gatheral and Jacquier show to have a negative density.
#[test]
fn butterfly_arbitrage_is_seen_and_a_fit_avoids_it() {
    let vogt = Svi { a: -0.0410, b: 0.1331, rho: 0.3060, m: 0.3586, sigma: 0.4153 };
    let least = (-150..=150).map(|i| vogt.density_sign(f64::from(i) / 100.0));
    assert!(least.fold(f64::INFINITY, f64::min) < -0.01);
    let mut points = fitter(&vogt, -1.0, 1.2, |_| 0.0);
    let fit = points.fit(None, None).unwrap();
    assert!(fit.butterfly > -2e-3, "{fit:?}");
    assert!(fit.rms < 6.0, "it stays near the quotes: {fit:?}");
}

#[test]
fn a_smile_stays_above_the_expiry_before_it() {
    let (near, far) = (SMILES[2], Svi { a: SMILES[2].a * 0.93, ..SMILES[2] });
    let mut points = fitter(&far, -0.5, 0.4, |_| 0.0);
    let free = points.fit(None, None).unwrap();
    let bound = points.fit(None, Some(Bound(near))).unwrap();
    assert!(free.svi.variance(0.05) < near.variance(0.05));
    assert!(bound.calendar > -0.02 * near.variance(0.0), "{bound:?}");
}

#[test]
fn too_little_makes_no_smile() {
    let mut fitter = Fitter::new(64);
    assert!(fitter.fit(None, None).is_none());
    for _ in 0..20 {
        fitter.push(0.1, 0.04, 1.0);
    }
    assert!(fitter.fit(None, None).is_none(), "one strike has no smile");
    fitter.clear();
    for k in 0..20 {
        fitter.push(f64::from(k), f64::NAN, 1.0);
        fitter.push(f64::from(k), 0.04, f64::INFINITY);
        fitter.push(f64::NAN, 0.04, 1.0);
    }
    assert!(fitter.is_empty());
}

/// Slopes by differences, deltas by the normal distribution of an independent library.
#[test]
fn level_skew_curvature_and_wings_mean_what_they_say() {
    use statrs::distribution::{ContinuousCDF, Normal};
    let normal = Normal::new(0.0, 1.0).unwrap();
    for (svi, years) in SMILES.into_iter().zip([0.01, 0.1, 0.5, 2.0]) {
        let smile = Smile { svi, years };
        let h = 1e-4 * svi.sigma.max(0.01);
        let (up, at, down) = (smile.vol(h), smile.vol(0.0), smile.vol(-h));
        assert!(
            (smile.skew() - (up - down) / (2.0 * h)).abs() < 1e-6 * smile.skew().abs().max(1.0)
        );
        let curvature = (up - 2.0 * at + down) / (h * h);
        assert!((smile.curvature() / curvature - 1.0).abs() < 1e-3);
        for (d1, delta) in [(Smile::DELTA_25, 0.25), (Smile::DELTA_10, 0.10)] {
            let wing = smile.wing(d1);
            for (k, vol, wanted) in
                [(wing.at.0, wing.vol.0, delta), (wing.at.1, wing.vol.1, 1.0 - delta)]
            {
                let s = vol * years.sqrt();
                let found = normal.cdf(-k / s + 0.5 * s);
                assert!((found - wanted).abs() < 1e-9, "{found} for {wanted}");
            }
            assert_eq!(wing.risk_reversal, wing.vol.0 - wing.vol.1);
        }
    }
    let (near, far) = (Smile { svi: SMILES[1], years: 0.1 }, Smile { svi: SMILES[2], years: 0.5 });
    let between = forward_vol(&near, &far);
    let sum = near.level().powi(2) * 0.1 + between * between * 0.4;
    assert!((sum - far.level().powi(2) * 0.5).abs() < 1e-12);
}

/// 2019-06-26 15:45: 30 expiries from 15 minutes to 2.5 years.
#[test]
fn the_whole_spxw_chain_is_fitted_within_its_quotes() {
    let Some(chain) = snapshot::spxw() else { return };
    let mut expiries: Vec<_> = chain.expiries().map(|(_, expiry)| expiry).collect();
    expiries.sort_by_key(|expiry| expiry.settles);
    assert_eq!(expiries.len(), 30);
    println!("   days  forward  points   rms    g min  level    skew    rr25    bf25");
    let mut errors = Vec::new();
    for expiry in expiries {
        let Some(smile) = smile_of(expiry) else {
            println!("{:7.2}  {:8.2}  no smile", expiry.years * 365.0, expiry.forward);
            continue;
        };
        let (wing, carried) = (smile.wing(Smile::DELTA_25), &expiry.smile);
        println!(
            "{:7.2}  {:8.2}  {:5}  {:6.2}  {:6.3}  {:.4}  {:7.3}  {:.4}  {:.4}{}",
            expiry.years * 365.0,
            expiry.forward,
            carried.points,
            carried.rms,
            carried.butterfly,
            smile.level(),
            smile.skew(),
            wing.risk_reversal,
            wing.butterfly,
            if carried.crossed == 1 { "  crosses" } else { "" }
        );
        errors.push(carried.rms);
        assert!(carried.rms < 4.0 && carried.butterfly > -2e-3 && carried.crossed == 0);
        assert!(smile.skew() < 0.0, "an index's puts are dearer");
        assert!((0.05..0.4).contains(&smile.level()));
    }
    errors.sort_by(f32::total_cmp);
    println!("{} fitted; median error {:.2} half-spreads", errors.len(), errors[errors.len() / 2]);
    assert!(errors.len() >= 29 && errors[errors.len() / 2] < 2.5);
}

/// Dollar rates of that summer: the three-month bill paid 2.1 %, the one-year bill 2.0 %, swaps a
/// little more. The configured rate is 4.5 %.
#[test]
fn the_discount_of_far_expiries_comes_from_the_options_themselves() {
    let Some(chain) = snapshot::spxw() else { return };
    let mut taken = 0;
    for (_, expiry) in chain.expiries() {
        let rate = -expiry.discount.ln() / expiry.years;
        let days = expiry.years * 365.0;
        println!("{days:7.2} days: {:.5}, a rate of {:.3} %", expiry.discount, 100.0 * rate);
        if days < 14.0 {
            assert!((rate - chain.rate()).abs() < 1e-6, "near expiry no rate is implied");
        } else if days > 80.0 {
            assert!((0.019..0.027).contains(&rate), "{days}: {rate}");
            taken += 1;
        }
    }
    assert!(taken >= 8);
}
