//! American options against QuantLib's high-precision scheme, and against their own laws.
mod support;

use proptest::prelude::*;
use std::collections::BTreeMap;
use support::{Row, Rows};
use zomma::{
    greeks::american::{Contract, Early, Quick, Rule, Standard, Value},
    wire::market::VolStatus,
};

/// Errors of the standard nodes as shares of the spot: at the 99th percentile of the reference, and
/// for any terms.
const NEARLY_ALL: f64 = 1e-7;
const WORST: f64 = 1e-6;

fn contract(row: &Row<'_>) -> Contract {
    let [spot, strike, years, r, q, vol] =
        ["S", "K", "T", "r", "q", "sigma"].map(|c| row.number(c));
    Contract { call: row.number("cp") > 0.0, spot, strike, years, r, q, vol }
}

/// Errors by name, told as median, 99th percentile and worst.
#[derive(Default)]
struct Table(BTreeMap<String, Vec<f64>>);

impl Table {
    fn push(&mut self, name: &str, error: f64) {
        assert!(error.is_finite(), "{name}");
        self.0.entry(name.into()).or_default().push(error);
    }

    fn report(&mut self, name: &str) -> (f64, f64) {
        let errors = self.0.get_mut(name).unwrap();
        errors.sort_by(f64::total_cmp);
        let at = |share: f64| errors[((errors.len() - 1) as f64 * share) as usize];
        let (median, p99, max) = (at(0.5), at(0.99), at(1.0));
        println!("{name:>18} {:>5}: {median:.1e} {p99:.1e} {max:.1e}", errors.len());
        (p99, max)
    }
}

/// Prices by stratum, errors as shares of the spot; rows that are exercised at once or are near it
/// apart.
#[test]
fn prices_meet_the_reference() {
    let Some(rows) = Rows::read("american.csv.gz") else { return };
    prices_of(&rows, &Standard::new(), (NEARLY_ALL, WORST));
    println!("the chain's nodes");
    prices_of(&rows, &Quick::new(), (5e-7, 5e-6));
}

fn prices_of<const P: usize>(rows: &Rows, rule: &Rule<10, 8, P>, (nearly_all, most): (f64, f64)) {
    let mut table = Table::default();
    for row in rows.iter() {
        let contract = contract(&row);
        let value = contract.value(rule).unwrap();
        let flagged = row.text("early_exercise") == "1" || row.text("near_boundary") == "1";
        let stratum = if flagged { "near the boundary" } else { row.text("stratum") };
        let error = (value.price - row.number("price")).abs() / contract.spot;
        table.push(stratum, error);
        table.push("all", error);
        let european = (contract.european().price - row.number("european")).abs();
        assert!(european <= 1e-9 * contract.spot, "{}", row.text("id"));
    }
    println!("{:>18}  rows: median p99 worst, of the spot", "price");
    let names: Vec<String> = table.0.keys().cloned().collect();
    for name in names {
        let (p99, worst) = table.report(&name);
        assert!(worst <= most && (name != "all" || p99 <= nearly_all), "{name}");
    }
}

/// Greeks of the rows that have them: relative, or to a thousandth of their own scale where they
/// are less. The reference's bumps straddle the boundary where it is near.
#[test]
fn greeks_meet_the_reference() {
    let Some(rows) = Rows::read("american.csv.gz") else { return };
    greeks_of(&rows, &Standard::new(), [5e-6, 5e-5, 2e-4, 5e-5, 2e-4]);
    println!("the chain's nodes");
    greeks_of(&rows, &Quick::new(), [5e-5, 2e-4, 4e-4, 5e-4, 4e-4]);
}

fn greeks_of<const P: usize>(rows: &Rows, rule: &Rule<10, 8, P>, most: [f64; 5]) {
    let mut table = Table::default();
    let free =
        |row: &Row<'_>| row.text("early_exercise") == "0" && row.text("near_boundary") == "0";
    for row in rows.iter().filter(free) {
        let contract = contract(&row);
        let value = contract.value(rule).unwrap();
        let (rho, _) = contract.rho_phi(rule).unwrap();
        let s = contract.spot;
        let found = [value.delta, value.gamma, value.theta, value.vega, rho];
        let scales = [1e3, 1.0 / s, s, s, s];
        let names = ["delta", "gamma", "theta", "vega", "rho"];
        for ((name, found), scale) in names.iter().zip(found).zip(scales) {
            let wanted = row.number(name);
            let scale = wanted.abs().max(1e-3 * scale);
            table.push(name, (found - wanted).abs() / scale);
        }
    }
    for (name, bound) in ["delta", "gamma", "theta", "vega", "rho"].into_iter().zip(most) {
        assert!(table.report(name).0 <= bound, "{name}");
    }
}

/// Strikes, rates and volatilities of all signs that have one boundary, 1 minute to 5 years.
fn contracts() -> impl Strategy<Value = Contract> {
    let rates = (-0.03..0.12, -0.03..0.12);
    let terms = (any::<bool>(), 0.6f64..1.6, -13.0f64..1.6, 0.03f64..1.2);
    (terms, rates)
        .prop_map(|((call, moneyness, log_years, vol), (r, q))| Contract {
            call,
            spot: 100.0 * moneyness,
            strike: 100.0,
            years: log_years.exp(),
            r,
            q,
            vol,
        })
        .prop_filter("two boundaries", |contract| contract.early() != Early::Between)
}

fn value(contract: &Contract) -> Value {
    contract.value(&Standard::new()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(7),
        ..ProptestConfig::with_cases(300)
    })]

    /// Never below the European price or the intrinsic one; never less for more time or volatility;
    /// delta and gamma keep their signs; nothing is NaN.
    #[test]
    fn bounds_and_monotony(contract in contracts()) {
        let rule = Standard::new();
        let slack = WORST * contract.spot;
        let here = contract.value(&rule).unwrap();
        let numbers = [here.price, here.delta, here.gamma, here.theta, here.vega];
        prop_assert!(numbers.iter().all(|number| number.is_finite()), "{here:?}");
        let sign = if contract.call { 1.0 } else { -1.0 };
        prop_assert!(here.price >= contract.european().price - slack);
        prop_assert!(here.price >= sign * (contract.spot - contract.strike));
        let most = (-contract.q * contract.years).exp().max(1.0);
        prop_assert!(here.delta * sign >= -1e-4 && here.delta * sign <= most + 1e-4, "{here:?}");
        let later = Contract { years: contract.years * 1.1, ..contract };
        let wilder = Contract { vol: contract.vol * 1.1, ..contract };
        for more in [later, wilder] {
            prop_assert!(more.value(&rule).unwrap().price >= here.price - slack, "{more:?}");
        }
    }

    /// A call is a put with spot and strike, rate and yield exchanged.
    #[test]
    fn calls_mirror_puts(contract in contracts()) {
        let Contract { call, spot, strike, r, q, .. } = contract;
        let mirrored = Contract { call: !call, spot: strike, strike: spot, r: q, q: r, ..contract };
        let (here, there) = (value(&contract), value(&mirrored));
        prop_assert!((here.price - there.price).abs() <= 1e-11 * spot, "{here:?} {there:?}");
        prop_assert!((here.vega - there.vega).abs() <= 1e-6 * spot, "{here:?} {there:?}");
    }

    /// The Greeks are the price's own differences.
    #[test]
    fn greeks_are_slopes(contract in contracts()) {
        let rule = Rule::<16, 16, 64>::new();
        let at = |contract: Contract| contract.value(&rule).unwrap();
        let here = at(contract);
        let s = contract.vol * contract.years.sqrt();
        let step = contract.spot * s.min(1.0) * 1e-2;
        let up = at(Contract { spot: contract.spot + step, ..contract });
        let down = at(Contract { spot: contract.spot - step, ..contract });
        // Where a step crosses the boundary the second derivative jumps.
        if [here, up, down].iter().any(|value| value.gamma == 0.0) {
            return Ok(());
        }
        let slope = (up.price - down.price) / (2.0 * step);
        prop_assert!((slope - here.delta).abs() <= 2e-4, "{slope} {here:?}");
        let bend = (up.delta - down.delta) / (2.0 * step);
        let gamma = (bend - here.gamma).abs() * contract.spot * s;
        prop_assert!(gamma <= 5e-3, "{bend} {here:?}");
        let bump = contract.vol * 1e-3;
        let wilder = at(Contract { vol: contract.vol + bump, ..contract });
        let calmer = at(Contract { vol: contract.vol - bump, ..contract });
        let slope = (wilder.price - calmer.price) / (2.0 * bump);
        let scale = contract.spot * contract.years.sqrt();
        prop_assert!((slope - here.vega).abs() <= 2e-3 * scale, "{slope} {here:?}");
        let bump = contract.years * 1e-3;
        let later = at(Contract { years: contract.years + bump, ..contract });
        let sooner = at(Contract { years: contract.years - bump, ..contract });
        let slope = (later.price - sooner.price) / (2.0 * bump);
        let scale = contract.spot * contract.vol / contract.years.sqrt();
        prop_assert!((slope + here.theta).abs() <= 2e-3 * scale, "{slope} {here:?}");
    }

    /// A price gives back its volatility, from nothing and from one nearby, within what the price's
    /// own digits allow.
    #[test]
    fn prices_give_their_volatilities_back(contract in contracts()) {
        let rule = Standard::new();
        let value = contract.value(&rule).unwrap();
        // Less time value than this says nothing of the volatility.
        if value.vega < 1e-6 * contract.spot {
            return Ok(());
        }
        let most = 1e-7 + 1e-12 * contract.spot / value.vega;
        for near in [f64::NAN, contract.vol * 1.03, contract.vol * 0.5] {
            let found = contract.implied(&rule, value.price, near);
            let error = found.map(|vol| (vol - contract.vol).abs());
            prop_assert!(error.is_ok_and(|error| error <= most), "{near} {found:?} {value:?}");
        }
    }

    /// Twice the nodes, and steps to go with them, change a price by less than the stated error.
    #[test]
    fn more_nodes_change_little(contract in contracts()) {
        let here = value(&contract).price;
        let there = contract.value(&Rule::<20, 24, 48>::new()).unwrap().price;
        prop_assert!((here - there).abs() <= WORST * contract.spot, "{here} {there}");
    }
}

/// Rates and yields below 0, and far from one another, by QuantLib 1.44's high-precision scheme.
#[test]
fn negative_and_distant_rates_meet_quantlib() {
    let rows = [
        (false, 100.0, 105.0, 365.0, 0.03, -0.02, 0.2, 8.822210878435952),
        (false, 100.0, 95.0, 730.0, 0.05, -0.05, 0.3, 8.455959260130708),
        (false, 100.0, 100.0, 30.0, 0.01, -0.01, 0.15, 1.6445493370299116),
        (false, 110.0, 100.0, 365.0, 0.08, -0.03, 0.25, 3.4550724156482335),
        (false, 100.0, 120.0, 1825.0, 0.02, -0.01, 0.35, 37.07569717573005),
        (true, 100.0, 95.0, 365.0, -0.02, 0.03, 0.2, 8.529471055532515),
        (true, 100.0, 105.0, 730.0, -0.05, 0.05, 0.3, 8.980974663370208),
        (true, 90.0, 100.0, 365.0, -0.03, 0.08, 0.25, 2.8983470789187016),
        (false, 100.0, 90.0, 3650.0, 0.12, 0.0, 0.1, 0.10779883232729329),
        (true, 100.0, 110.0, 3650.0, 0.0, 0.12, 0.6, 29.312964635843894),
        (false, 100.0, 100.0, 7.0, 0.05, 0.05, 0.8, 4.41381126894632),
        (true, 100.0, 100.0, 7.0, 0.05, 0.2, 0.8, 4.283443374145244),
    ];
    for (call, spot, strike, days, r, q, vol, wanted) in rows {
        let contract = Contract { call, spot, strike, years: days / 365.0, r, q, vol };
        let error = (value(&contract).price - wanted).abs() / spot;
        assert!(error <= WORST, "{contract:?}: {error:e}");
    }
}

fn at_the_money(call: bool, r: f64, q: f64) -> Contract {
    Contract { call, spot: 100.0, strike: 100.0, years: 1.0, r, q, vol: 0.2 }
}

/// What the signs of rate and yield say of early exercise, for puts and mirrored for calls.
#[test]
fn signs_of_rates_decide_what_is_american() {
    let cases = [
        (0.05, 0.02, Early::Below),
        (0.05, -0.02, Early::Below),
        (0.0, -0.02, Early::Below),
        (0.0, 0.0, Early::Never),
        (0.0, 0.03, Early::Never),
        (-0.02, 0.03, Early::Never),
        (-0.02, -0.02, Early::Never),
        (-0.02, -0.03, Early::Between),
    ];
    for (r, q, wanted) in cases {
        for contract in [at_the_money(false, r, q), at_the_money(true, q, r)] {
            assert_eq!(contract.early(), wanted, "{contract:?}");
            let found = contract.value(&Standard::new());
            match wanted {
                Early::Between => assert_eq!(found, None),
                Early::Never => assert_eq!(found, Some(contract.european())),
                Early::Below => assert!(found.unwrap().price > contract.european().price),
            }
        }
    }
}

/// As a rate goes to where the premium is nil, so does the premium; as time and volatility go to
/// their ends, prices go to what is known then.
#[test]
fn limits_are_reached_smoothly() {
    for call in [false, true] {
        for small in [1e-4, 1e-6, 1e-8] {
            let rates = if call { (0.04, small) } else { (small, 0.04) };
            for contract in [at_the_money(call, rates.0, rates.1), at_the_money(call, small, small)]
            {
                let premium = value(&contract).price - contract.european().price;
                assert!((-1e-6..=20.0 * small + 1e-6).contains(&premium), "{contract:?} {premium}");
            }
        }
        for spot in [80.0, 99.0, 101.0, 125.0] {
            for (r, q) in [(0.05, 0.02), (0.02, 0.05), (0.05, 0.05)] {
                let still = Contract { call, spot, strike: 100.0, years: 1.0, r, q, vol: 0.0 };
                let limit = value(&still);
                let calm = value(&Contract { vol: 1e-3, ..still });
                assert!((limit.price - calm.price).abs() <= 2e-2, "{still:?} {limit:?} {calm:?}");
                let soon = Contract { years: 1e-9, vol: 0.2, ..still };
                let sign = if call { 1.0 } else { -1.0 };
                let intrinsic = (sign * (spot - 100.0)).max(0.0);
                assert!((value(&soon).price - intrinsic).abs() <= 1e-6, "{soon:?}");
                let past = Contract { years: 0.0, ..soon };
                assert!((value(&past).price - intrinsic).abs() <= 1e-12, "{past:?}");
            }
        }
    }
}

/// What is no price of an American option is refused with its reason.
#[test]
fn what_is_no_price_has_no_volatility() {
    let rule = Standard::new();
    let put = Contract { strike: 110.0, ..at_the_money(false, 0.05, 0.02) };
    let high_yield = Contract { q: 0.20, ..put };
    let cases = [
        (put, f64::NAN, VolStatus::NAN_PRICE),
        (put, f64::INFINITY, VolStatus::INF_PRICE),
        (put, -1.0, VolStatus::NEGATIVE_PRICE),
        (put, 0.0, VolStatus::ZERO_PRICE),
        (put, 9.99, VolStatus::BELOW_INTRINSIC),
        (put, 10.0, VolStatus::AT_INTRINSIC_ITM),
        (put, 110.0, VolStatus::ABOVE_MAX),
        // Worth waiting for, whatever the volatility.
        (high_yield, 12.0, VolStatus::BELOW_INTRINSIC),
        (Contract { years: 0.0, ..put }, 11.0, VolStatus::EXPIRED),
        (Contract { spot: f64::NAN, ..put }, 11.0, VolStatus::NAN_INPUT),
        (Contract { r: -0.02, q: -0.03, ..put }, 11.0, VolStatus::UNKNOWN),
    ];
    for (contract, price, wanted) in cases {
        let found = contract.implied(&rule, price, f64::NAN);
        assert_eq!(found, Err(wanted), "{price} {contract:?}");
    }
}

/// At the boundary price and delta join the intrinsic ones.
#[test]
fn value_is_smooth_at_the_boundary() {
    for call in [false, true] {
        let contract = Contract { strike: 100.0, ..at_the_money(call, 0.05, 0.03) };
        let exercised = |spot: f64| value(&Contract { spot, ..contract }).gamma == 0.0;
        let (mut inside, mut outside) = (if call { 300.0 } else { 30.0 }, 100.0);
        for _ in 0..50 {
            let middle = 0.5 * (inside + outside);
            *if exercised(middle) { &mut inside } else { &mut outside } = middle;
        }
        let sign = if call { 1.0 } else { -1.0 };
        for share in [1e-9, 1e-4, 1e-3] {
            let spot = outside * (1.0 - sign * share);
            let value = value(&Contract { spot, ..contract });
            let above = value.price - sign * (spot - 100.0);
            assert!((0.0..=spot * (WORST + 10.0 * share * share)).contains(&above), "{value:?}");
            assert!((value.delta - sign).abs() <= 1e-3 + 20.0 * share, "{value:?}");
        }
    }
}
