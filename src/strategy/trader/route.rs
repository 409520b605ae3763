//! A trade that is about to be entered in; what the router is asked, out.
//!
//! Until a volatility index is a feature, its level is the volatility at the money of the front
//! expiry in percent. The trend is the last hour's move over one standard deviation of an hour.

use super::{Trade, size};
use crate::{
    book::Desk,
    chain::Chain,
    router::{Ask, Readings},
    strategy::{measure::Sight, structure::Structure, turn::Ticket},
};

/// Hours of a year of calendar time, as volatility is annual.
const HOURS: f64 = 8_760.0;
/// √252, sessions a year.
const ROOT_SESSIONS: f64 = 15.874_507_866_387_544;
/// |delta| of a package on one unit from which it has a direction.
const DIRECTED: f64 = 0.10;

pub(super) fn ask(desk: &Desk, sight: &Sight<'_>, trade: &Trade, ticket: &Ticket) -> Ask {
    let (chain, structure) = (&desk.chain, &trade.structure);
    let net = ticket.limit().to_f64();
    let delta = structure.greek(chain, |greeks| greeks.delta);
    let vega = structure.greek(chain, |greeks| greeks.vega);
    Ask {
        root: sight.root,
        settles: trade.first,
        direction: sign(delta, DIRECTED),
        vega: sign(vega, 0.0),
        loss: size::loss(desk, structure, net),
        swing: swing(sight, structure, delta) * size::multiplier(desk, structure),
        spread: spread(chain, structure),
        edge: None,
        most: ticket.quantity,
        readings: readings(sight),
    }
}

fn sign(value: f64, least: f64) -> i8 {
    match value {
        value if value > least => 1,
        value if value < -least => -1,
        _ => 0,
    }
}

/// Standard deviation a day per unit of a package that is linear and quadratic in a normal move:
/// √(δ² + γ²/2) with δ = Δ S s, γ = Γ S² s² and s the deviation of a day.
fn swing(sight: &Sight<'_>, structure: &Structure, delta: f64) -> f64 {
    let day = sight.level() * sight.atm_iv(0) / ROOT_SESSIONS;
    let gamma = structure.greek(sight.chain, |greeks| greeks.gamma) * day * day;
    let delta = delta * day;
    (delta * delta + 0.5 * gamma * gamma).sqrt()
}

/// Sum of the legs' spreads over the sum of their mids.
fn spread(chain: &Chain, structure: &Structure) -> f64 {
    let sums = structure.legs().iter().fold((0.0, 0.0), |(spread, mid), leg| {
        let quote = chain.quote(leg.instrument);
        let multiplier = chain.instrument(leg.instrument).map_or(f64::NAN, |t| t.multiplier);
        let units = f64::from(leg.ratio) * multiplier;
        (spread + units * (quote.ask - quote.bid), mid + units * quote.mid())
    });
    sums.0 / sums.1
}

fn readings(sight: &Sight<'_>) -> Readings {
    let vol = sight.atm_iv(0);
    let trend = sight.change(3_600) / (vol / HOURS.sqrt());
    Readings {
        index: 100.0 * vol,
        rank: sight.iv_rank(),
        ratio: sight.realised_vol() / vol,
        trend: trend.clamp(-1.0, 1.0),
    }
}
