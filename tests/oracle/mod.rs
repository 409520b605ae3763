//! The slow program: claims on a few strikes in; losses, margin, exposures and scenarios out, by
//! evaluation at every price that matters, in wide integers and plain numbers.
mod market;

pub(crate) use market::{Claim, Dice, EXPIRIES, Market, STOCK, STRIKES};

use market::{FIRST, NANO, Right};
use statrs::function::erf::erfc;
use zomma::risk::{Limit, Limits};

const FEE: i128 = 650_000_000;
const CAPITAL: f64 = 50_000.0;

/// The settlements of a root that claims have, the nearest first.
fn settlements(claims: &[Claim], root: usize) -> Vec<usize> {
    let has = |expiry: &usize| {
        claims.iter().any(|c| !c.is_share() && (c.root, c.expiry) == (root, *expiry))
    };
    (0..EXPIRIES).filter(has).collect()
}

/// Least worth over all prices, of claims that settle together; `None` for no floor.
fn floor(claims: &[&Claim]) -> Option<i128> {
    let at = |price: i128| claims.iter().map(|claim| claim.worth(price)).sum::<i128>();
    let strikes = claims.iter().map(|claim| i128::from(claim.strike));
    let worst = strikes.chain([0, 100_000]).map(at).min()?;
    (at(200_000) >= at(100_000)).then_some(worst)
}

/// Worst loss by root and settlement, each by itself; shares go with the nearest.
fn separate(claims: &[Claim], cash: i128) -> Option<i128> {
    let mut loss = -cash;
    for root in 0..2 {
        let first = settlements(claims, root).first().copied().unwrap_or(0);
        for expiry in 0..EXPIRIES {
            let at = |c: &&Claim| if c.is_share() { first } else { c.expiry };
            let its: Vec<&Claim> =
                claims.iter().filter(|c| c.root == root && at(c) == expiry).collect();
            loss -= floor(&its)?;
        }
    }
    Some(loss)
}

fn normal(x: f64) -> f64 {
    0.5 * erfc(-x / std::f64::consts::SQRT_2)
}

/// Black's formula without a discount.
fn black(forward: f64, claim: &Claim, s: f64) -> f64 {
    let (strike, call) = (claim.strike as f64, claim.right == Right::Call);
    if s < 1e-12 || forward <= 0.0 {
        let inside = if call { forward - strike } else { strike - forward };
        return inside.max(0.0);
    }
    let d1 = (forward / strike).ln() / s + 0.5 * s;
    let d2 = d1 - s;
    if call {
        forward * normal(d1) - strike * normal(d2)
    } else {
        strike * normal(-d2) - forward * normal(-d1)
    }
}

/// What is lost when everything is closed as the nearer settlement comes, in random markets: a loss
/// that the bound must not be below.
fn shown(market: &Market, claims: &[Claim], cash: i128, dice: &mut Dice) -> f64 {
    let mut worst = f64::NEG_INFINITY;
    for _ in 0..24 {
        let mut value = cash as f64 / 1e9;
        let vol = if dice.below(3) == 0 { 1e-9 } else { 0.02 + 1.5 * dice.unit() };
        let (r, q) = (0.08 * dice.unit(), 0.03 * dice.unit());
        for (root, first) in FIRST.into_iter().enumerate() {
            let strikes = claims.iter().filter(|c| c.root == root && !c.is_share());
            // Without an option a share is worth its worst at nothing.
            let top = strikes.map(|c| c.strike).max().unwrap_or(first) as f64;
            let near = settlements(claims, root).first().copied().unwrap_or(0);
            let price = match dice.below(4) {
                0 => top * 2.0 * dice.unit(),
                1 => (first + dice.between(-2, 10) * 5) as f64,
                2 => 0.01,
                _ => top * 2.0,
            };
            for claim in claims.iter().filter(|claim| claim.root == root) {
                let inside = claim.inside(price);
                let unit = if claim.is_share() || claim.expiry == near {
                    inside
                } else {
                    let span = market.settles[root][claim.expiry] - market.settles[root][near];
                    let years = span as f64 / 1e9 / 86_400.0 / 365.0;
                    let forward = price * ((r - q) * years).exp();
                    let european = (-r * years).exp() * black(forward, claim, vol * years.sqrt());
                    // The second root's options are American.
                    if root == 1 { european.max(inside) } else { european }
                };
                value += claim.units() as f64 * unit;
            }
        }
        worst = worst.max(-value);
    }
    worst
}

/// Worst loss, and whether it is exact. Over two settlements it is what was shown, which a bound
/// must not be below; nothing is claimed where one of them has no floor by itself.
fn worst(
    market: &Market,
    claims: &[Claim],
    cash: i128,
    dice: &mut Dice,
) -> Option<(Option<i128>, bool)> {
    let several = (0..2).any(|root| settlements(claims, root).len() > 1);
    let apart = separate(claims, cash);
    if !several {
        return Some((apart, true));
    }
    apart.map(|_| (Some((shown(market, claims, cash, dice) * 1e9) as i128), false))
}

/// What the slow program makes of an order.
pub(crate) struct Reckoned {
    rows: Vec<(Limit, Option<f64>, bool)>,
    pub(crate) contracts: i64,
    scale: f64,
}

type Known<'a> = (&'a [Claim], &'a [(Vec<Claim>, i128)], i128);

impl Reckoned {
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Limit, Option<f64>, bool)> {
        self.rows.iter().copied()
    }

    /// The size of what was added up for a limit.
    pub(crate) fn scale(&self, _: Limit) -> f64 {
        self.scale
    }

    pub(crate) fn new(
        market: &Market,
        (held, working, packages): Known<'_>,
        order: &[Claim],
        limits: &Limits,
        dice: &mut Dice,
    ) -> Reckoned {
        let contracts: i64 = order.iter().map(Claim::counted).max().unwrap_or(0);
        let all: i64 = order.iter().map(|claim| claim.contracts.abs()).sum();
        let paid = order.iter().map(Claim::cost).sum::<i128>() + FEE * i128::from(all);
        let mut found = Reckoned { rows: Vec::new(), contracts, scale: 0.0 };
        found.losses(market, (held, working, packages), order, paid, dice);
        found.exposures(market, held, working, order);
        found.grid(market, held, order);
        found.tail(market, held, limits);
        found.sizes(market, order);
        found
    }

    fn money(&mut self, limit: Limit, nano: Option<i128>, exact: bool) {
        self.rows.push((limit, nano.map(|nano| nano as f64 / 1e9), exact));
    }

    fn share(&mut self, limit: Limit, nano: Option<i128>, exact: bool) {
        self.rows.push((limit, nano.map(|nano| nano as f64 / 1e9 / CAPITAL), exact));
    }

    fn losses(
        &mut self,
        market: &Market,
        (held, working, packages): Known<'_>,
        order: &[Claim],
        paid: i128,
        dice: &mut Dice,
    ) {
        let touched = |root: usize| order.iter().any(|claim| claim.root == root);
        let cost = |claims: &[Claim]| claims.iter().map(Claim::cost).sum::<i128>();
        let of = |claims: &[Claim], keep: &dyn Fn(&Claim) -> bool| -> Vec<Claim> {
            claims.iter().copied().filter(keep).collect()
        };
        let here = of(held, &|claim| touched(claim.root));
        let together: Vec<Claim> = here.iter().chain(order).copied().collect();
        let whole: Vec<Claim> = held.iter().chain(order).copied().collect();
        let waits = |keep: &dyn Fn(usize) -> bool| {
            let its = working.iter().filter(|(claims, _)| keep(claims[0].root));
            its.map(|(_, loss)| *loss).sum::<i128>()
        };
        let (waiting, all) = (waits(&touched), waits(&|_| true));
        // Without a floor of its own an order counts with what it adds to the book.
        let alone = worst(market, order, -paid, dice).filter(|(alone, _)| alone.is_some());
        if let Some((alone, exact)) = alone {
            self.money(Limit::ORDER_LOSS, alone, exact);
            self.share(Limit::TRADE_RISK, alone, exact);
            if let (Some(loss), true) = (alone, exact) {
                let sum = loss.max(0) + packages;
                self.share(Limit::STRATEGY_RISK, Some(sum), true);
                self.share(Limit::HORIZON_SIZE, Some(sum), true);
            }
        }
        let rows = [
            (Limit::ROOT_LOSS, &together, -cost(&here) - paid, waiting),
            (Limit::BOOK_LOSS, &whole, -cost(held) - paid, all),
        ];
        for (limit, claims, cash, more) in rows {
            if let Some((value, exact)) = worst(market, claims, cash, dice) {
                self.share(limit, value.map(|value| value + more), exact);
            }
        }
        self.cash(market, (held, working), order, paid);
    }

    fn cash(
        &mut self,
        market: &Market,
        (held, working): (&[Claim], &[(Vec<Claim>, i128)]),
        order: &[Claim],
        paid: i128,
    ) {
        let spent: i128 = held.iter().map(Claim::cost).sum();
        let fees = held.iter().map(|claim| FEE * i128::from(claim.contracts.abs())).sum::<i128>();
        let (mut premium, mut promised) = (paid.abs(), 0);
        for (claims, _) in working {
            let net: i128 = claims.iter().map(Claim::cost).sum();
            let count: i64 = claims.iter().map(|claim| claim.contracts.abs()).sum();
            premium += net.abs();
            promised += net.max(0) + FEE * i128::from(count);
        }
        let left = (CAPITAL * 1e9) as i128 - spent - fees - promised - paid;
        self.money(Limit::BUYING_POWER, Some(left), true);
        let every: Vec<Claim> = held.iter().chain(order).copied().collect();
        let single = every.iter().all(|claim| claim.is_share() || claim.expiry == 0);
        if single && left > 0 {
            let margin = (0..2).map(|root| margin(market, &every, root)).sum::<i128>();
            self.rows.push((Limit::MARGIN, Some(margin as f64 / left as f64), true));
        }
        self.money(Limit::WORKING_PREMIUM, Some(premium), true);
        let net: i128 = order.iter().map(Claim::cost).sum();
        self.money(Limit::ORDER_PREMIUM, Some(net.abs()), true);
    }

    fn exposures(
        &mut self,
        market: &Market,
        held: &[Claim],
        working: &[(Vec<Claim>, i128)],
        order: &[Claim],
    ) {
        let of = |claim: &Claim| {
            let (spot, units) = (market.spot(claim.root, claim.expiry), claim.units() as f64);
            let option = market.rows.get(claim.instrument as usize).map(|row| row.greeks);
            let [_, delta, gamma, vega, theta] = option.unwrap_or([0.0, 1.0, 0.0, 0.0, 0.0]);
            [
                units * delta * spot,
                units * gamma * spot * spot * 0.01,
                units * vega * 0.01,
                -units * theta / 365.0,
            ]
        };
        let waiting: Vec<Claim> = working.iter().flat_map(|(claims, _)| claims).copied().collect();
        let sum = |claims: &[Claim], at: usize| claims.iter().map(|c| of(c)[at]).sum::<f64>();
        let gross =
            |claims: &[Claim], at: usize| claims.iter().map(|c| of(c)[at].abs()).sum::<f64>();
        let scale = (0..4).map(|at| gross(held, at) + gross(order, at) + gross(&waiting, at));
        self.scale = scale.fold(1.0, f64::max) / CAPITAL;
        let limits = [
            (Limit::DELTA, Limit::DELTA_GROSS),
            (Limit::GAMMA, Limit::GAMMA_GROSS),
            (Limit::VEGA, Limit::VEGA_GROSS),
        ];
        for (at, (net, all)) in limits.into_iter().enumerate() {
            let base = sum(held, at) + sum(order, at);
            let most = base.abs().max((base + sum(&waiting, at)).abs());
            self.rows.push((net, Some(most / CAPITAL), true));
            let total = gross(held, at) + gross(order, at) + gross(&waiting, at);
            self.rows.push((all, Some(total / CAPITAL), true));
        }
        let base = sum(held, 3) + sum(order, 3);
        let most = base.max(base + sum(&waiting, 3));
        self.rows.push((Limit::THETA, Some(most / CAPITAL), true));
    }

    fn grid(&mut self, market: &Market, held: &[Claim], order: &[Claim]) {
        let mut worst = f64::INFINITY;
        for spot in [-0.10, -0.06, -0.03, 0.0, 0.03, 0.06, 0.10] {
            for vol in [-0.30, 0.0, 0.25, 0.50] {
                for days in [0.0, 1.0] {
                    let all = held.iter().chain(order);
                    let profit: f64 =
                        all.map(|claim| moved(market, claim, [spot, vol, days])).sum();
                    worst = worst.min(profit);
                }
            }
        }
        let scale = self.scale;
        self.scale = scale.max(1.0);
        self.rows.push((Limit::GRID_LOSS, Some(-worst / CAPITAL), true));
    }

    /// Value at risk and shortfall of what is held: the least loss that is not exceeded with the
    /// confidence, and the least of c + E max(loss − c, 0) / (1 − β) over all losses c.
    fn tail(&mut self, market: &Market, held: &[Claim], limits: &Limits) {
        let scenarios = limits.tail_spots.iter().zip(&limits.tail_vols).zip(&limits.tail_weights);
        let all: f64 = limits.tail_weights.iter().sum();
        let losses: Vec<(f64, f64)> = scenarios
            .map(|((&spot, &vol), weight)| {
                let profit = |claim| moved(market, claim, [spot, vol, limits.tail_days]);
                (-held.iter().map(profit).sum::<f64>(), weight / all)
            })
            .collect();
        let beta = limits.tail_confidence;
        let below = |c: f64| losses.iter().filter(|l| l.0 <= c).map(|l| l.1).sum::<f64>();
        let enough = losses.iter().map(|l| l.0).filter(|&c| below(c) >= beta - 1e-9);
        let quantile = enough.fold(f64::INFINITY, f64::min);
        let over = |c: f64| losses.iter().map(|l| l.1 * (l.0 - c).max(0.0)).sum::<f64>();
        let mean = losses.iter().map(|l| l.0 + over(l.0) / (1.0 - beta));
        let shortfall = mean.fold(f64::INFINITY, f64::min);
        self.rows.push((Limit::VALUE_AT_RISK, Some(quantile / CAPITAL), true));
        self.rows.push((Limit::SHORTFALL, Some(shortfall / CAPITAL), true));
    }

    fn sizes(&mut self, market: &Market, order: &[Claim]) {
        let notional = |claim: &Claim| {
            let strike = i128::from(claim.strike) * NANO;
            let each = if claim.is_share() { i128::from(claim.price) } else { strike };
            each * i128::from(claim.units().abs())
        };
        self.money(Limit::ORDER_NOTIONAL, order.iter().map(notional).max(), true);
        let quote = |claim: &Claim| market.quote(claim.instrument);
        let spread = order.iter().map(quote).map(|(bid, ask, _)| (ask - bid) as f64 / 100.0);
        self.rows.push((Limit::LEG_SPREAD, spread.reduce(f64::max), true));
        let size = order.iter().map(|c| c.contracts.abs() as f64 / f64::from(quote(c).2));
        self.rows.push((Limit::DISPLAYED_SIZE, size.reduce(f64::max), true));
        self.rows.push((Limit::ORDER_CONTRACTS, Some(self.contracts as f64), true));
    }
}

/// Margin of one root's claims on the nearer settlement: what they may come to owe, and for calls
/// that nothing covers a fifth of the underlying less what they are out of the money, a tenth at
/// the least, besides what they are in the money; half of it where shares are owed.
///
/// Calls and shares cover each other; shares alone are bought back where they are.
fn margin(market: &Market, claims: &[Claim], root: usize) -> i128 {
    let its: Vec<Claim> = claims.iter().copied().filter(|claim| claim.root == root).collect();
    let rises = its.iter().filter(|claim| claim.right != Right::Put);
    let open: i64 = rises.map(Claim::units).sum();
    let owed = |claims: &[Claim]| {
        let all: Vec<&Claim> = claims.iter().collect();
        -floor(&all).expect("covered").min(0)
    };
    if open >= 0 {
        return owed(&its);
    }
    let owes = its.iter().any(|claim| claim.is_share() && claim.contracts < 0);
    let short = its.iter().filter(|claim| claim.right == Right::Call && claim.contracts < 0);
    let spot = market.spot(root, 0);
    let strike = short.map(|claim| claim.strike).min().unwrap_or(spot as i64);
    // Its worth by the unit: what is open need be no whole contract.
    let cover = |price: i128| i128::from(-open) * (price - i128::from(strike)).max(0) * NANO;
    let worth =
        |price: i128| its.iter().map(|claim| claim.worth(price)).sum::<i128>() + cover(price);
    let strikes = its.iter().map(|claim| i128::from(claim.strike));
    let prices = strikes.chain([0, i128::from(strike), 100_000]);
    let owed = -prices.map(worth).min().unwrap_or(0).min(0);
    let strike = strike as f64;
    let out = (strike - spot).max(0.0);
    let half = if owes { 0.5 * spot } else { 0.0 };
    let each = (0.2 * spot - out).max(0.1 * spot).max(half) + (spot - strike).max(0.0);
    owed + (each * -open as f64 * 1e9) as i128
}

/// Profit of a claim in a scenario of spot, volatility and days.
fn moved(market: &Market, claim: &Claim, [spot, vol, days]: [f64; 3]) -> f64 {
    if claim.is_share() {
        return claim.units() as f64 * market.share() * spot;
    }
    let forward = market.forwards[claim.root][claim.expiry];
    let years = market.years[claim.root][claim.expiry];
    let iv = market.rows[claim.instrument as usize].greeks[0];
    let discount = market.discounts[claim.expiry];
    let worth = |forward: f64, iv: f64, years: f64| {
        let value = discount * black(forward, claim, iv * years.max(0.0).sqrt());
        if claim.root == 1 { value.max(claim.inside(forward)) } else { value }
    };
    let after = worth(forward * (1.0 + spot), iv * (1.0 + vol), years - days / 365.0);
    claim.units() as f64 * (after - worth(forward, iv, years))
}
