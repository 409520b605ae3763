//! A valued chain in; the figures of one root as JSON, and the page that draws them, out.

use serde_json::{Value, json};
use zomma::{
    chain::{Chain, Expiry, Universe},
    greeks::{
        exposure::{Exposure, Exposures, Sums, Weight, max_pain},
        surface::{Smile, forward_vol, smile_of},
    },
    run::Failure,
    wire::{Timestamp, market::VolStatus},
};

/// How far spot is moved for the flip and the curve, and in how many steps on either side.
const REACH: f64 = 0.10;
const STEPS: usize = 80;

/// The figures of one root at one instant.
#[derive(Clone, Debug)]
pub struct Shot {
    /// All of them.
    pub json: Value,
}

impl Shot {
    /// Of this root, or of the one with most expiries.
    pub fn of(chain: &Chain, universe: &Universe, root: Option<&str>) -> Result<Shot, Failure> {
        let index = match root {
            Some(name) => chain.find_root(name),
            None => busiest(chain),
        };
        let Some(root) = index else {
            let what = root.map_or("no options".into(), |name| format!("no root {name}"));
            return Err(Failure::input(format!("{what} in this chain")));
        };
        let mut expiries: Vec<(u16, &Expiry)> =
            chain.expiries().filter(|(_, expiry)| expiry.root == root).collect();
        expiries.sort_by_key(|(_, expiry)| expiry.settles);
        let mut exposures = Exposures::new(universe, Weight::Interest);
        exposures.update_all(chain);
        let name = chain.root(root).map_or("?", |root| root.text());
        let smiles: Vec<Value> = expiries
            .iter()
            .map(|(at, expiry)| smile(chain, expiry, &exposures.expiry(*at)))
            .collect();
        let json = json!({
            "root": name,
            "at": utc(chain.now),
            "expiries": smiles,
            "term": term(&expiries),
            "exposure": exposure(&mut exposures, root, spot(&expiries)),
        });
        Ok(Shot { json })
    }

    /// One page with everything in it: no other file is needed to read it.
    pub fn page(&self) -> String {
        include_str!("page.html").replace("/*DATA*/null", &self.json.to_string())
    }
}

fn busiest(chain: &Chain) -> Option<u16> {
    let count = |root: u16| chain.expiries().filter(|(_, expiry)| expiry.root == root).count();
    let roots = chain.expiries().map(|(_, expiry)| expiry.root);
    roots.max_by_key(|root| (count(*root), u16::MAX - root))
}

/// The discounted forward of the nearest expiry that has one.
fn spot(expiries: &[(u16, &Expiry)]) -> f64 {
    let priced = expiries.iter().map(|(_, expiry)| expiry.forward * expiry.discount);
    priced.into_iter().find(|spot| *spot > 0.0).unwrap_or(f64::NAN)
}

fn smile(chain: &Chain, expiry: &Expiry, exposure: &Exposure) -> Value {
    let carried = &expiry.smile;
    json!({
        "settles": utc(expiry.settles),
        "days": expiry.years * 365.0,
        "forward": number(expiry.forward),
        "spread": number(f64::from(expiry.fit.0)),
        "strikes": expiry.fit.1,
        "rate": number(-expiry.discount.ln() / expiry.years),
        "points": points(chain, expiry),
        "fitted": carried.points,
        "rms": carried.rms,
        "butterfly": carried.butterfly,
        "crossed": carried.crossed == 1,
        "smile": smile_of(expiry).map(|smile| {
            let (near, far) = (smile.wing(Smile::DELTA_25), smile.wing(Smile::DELTA_10));
            json!({
                "a": smile.svi.a, "b": smile.svi.b, "rho": smile.svi.rho, "m": smile.svi.m,
                "sigma": smile.svi.sigma, "years": smile.years,
                "level": smile.level(), "skew": smile.skew(), "curvature": smile.curvature(),
                "rr25": near.risk_reversal, "bf25": near.butterfly,
                "rr10": far.risk_reversal, "bf10": far.butterfly,
            })
        }),
        "max_pain": max_pain(chain, expiry),
        "gamma": number(exposure.dealer.gamma_per_percent),
    })
}

/// Log-moneyness and volatility of every strike that has one.
fn points(chain: &Chain, expiry: &Expiry) -> Vec<[f64; 2]> {
    let point = |row: usize| {
        let strike = expiry.strike(row);
        let side = if strike < expiry.forward { expiry.put(row) } else { expiry.call(row) }?;
        let greeks = chain.greeks(side).filter(|greeks| greeks.status == VolStatus::OK)?;
        let firm = chain.quote(side).is_firm();
        firm.then(|| [(strike / expiry.forward).ln(), greeks.iv])
    };
    (0..expiry.rows()).filter_map(point).collect()
}

fn term(expiries: &[(u16, &Expiry)]) -> Vec<Value> {
    let smiles: Vec<(f64, Smile)> = expiries
        .iter()
        .filter_map(|(_, expiry)| Some((expiry.years * 365.0, smile_of(expiry)?)))
        .collect();
    let forward = smiles.windows(2).map(|pair| number(forward_vol(&pair[0].1, &pair[1].1)));
    let forward = forward.chain([Value::Null]);
    smiles
        .iter()
        .zip(forward)
        .map(|((days, smile), to_next)| {
            json!({"days": days, "level": smile.level(), "to_next": to_next})
        })
        .collect()
}

fn exposure(exposures: &mut Exposures, root: u16, spot: f64) -> Value {
    let total = exposures.total(root);
    let flip = exposures.flip(root, REACH, STEPS);
    let steps = -(STEPS as i32)..=STEPS as i32;
    let curve: Vec<[f64; 2]> = steps
        .map(|step| REACH * f64::from(step) / STEPS as f64)
        .map(|share| [spot * (1.0 + share), exposures.gamma_at(root, share)])
        .collect();
    let levels = exposures.levels(root);
    let strikes: Vec<[f64; 5]> = levels
        .strikes
        .iter()
        .map(|level| {
            let gammas = [&level.call, &level.put].map(|sums| sums.gamma_per_percent);
            [level.strike, level.calls, level.puts, gammas[0], gammas[1]]
        })
        .collect();
    json!({
        "spot": number(spot),
        "flip": flip.map(|share| spot * (1.0 + share)),
        "curve": curve,
        "call_wall": number(levels.call_wall),
        "put_wall": number(levels.put_wall),
        "concentration": number(levels.concentration),
        "strikes": strikes,
        "contracts": total.contracts,
        "unpriced": total.unpriced,
        "dealer": sums(&total.dealer),
        "gross": sums(&total.gross),
    })
}

fn sums(sums: &Sums) -> Value {
    json!({
        "gamma_per_percent": sums.gamma_per_percent,
        "vanna_per_point": sums.vanna_per_point,
        "charm_per_day": sums.charm_per_day,
        "vomma_per_point": sums.vomma_per_point,
        "speed_per_percent": sums.speed_per_percent,
        "zomma_per_point": sums.zomma_per_point,
    })
}

fn utc(ts: Timestamp) -> Option<String> {
    jiff::Timestamp::from_nanosecond(i128::from(ts)).map(|time| time.to_string()).ok()
}

/// JSON has no NaN.
fn number(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { Value::Null }
}
