//! A structure and its net premium in; how many packages out.

use super::{
    Entry,
    codes::{Code, Reason},
    structure::{Structure, StructureLeg},
};
use crate::{
    book::{Desk, to_currency},
    wire::Price,
};

/// Currency per point of one package; NaN where it is not known.
pub(super) fn multiplier(desk: &Desk, structure: &Structure) -> f64 {
    structure.unit(&desk.chain)
}

/// The most that one package can lose at settlement, fees of the entry included, currency.
pub(super) fn loss(desk: &Desk, structure: &Structure, net: f64) -> f64 {
    let fee = |leg: &StructureLeg| {
        let terms = desk.chain.instrument(leg.instrument);
        let multiplier = terms.map_or(0, |terms| terms.multiplier as i64);
        let contracts = i64::from(leg.ratio);
        let price = Price::from_f64(desk.chain.quote(leg.instrument).ask);
        let price = if price.is_defined() { price.0 } else { 0 };
        let signed = i64::from(leg.side) * contracts;
        to_currency(desk.book.charge(leg.instrument, signed, price, multiplier))
    };
    let fees: f64 = structure.legs().iter().map(fee).sum();
    (structure.width(&desk.chain) + net) * multiplier(desk, structure) + fees
}

/// As many packages as the share of capital may lose at settlement, fees of the entry included, and
/// no more than the quantity of the settings. `net` is paid per unit, negative received.
pub(super) fn packages(
    desk: &Desk,
    entry: &Entry,
    structure: &Structure,
    net: f64,
) -> Result<u32, Reason> {
    if entry.risk_share == 0.0 {
        return Ok(entry.quantity);
    }
    let loss = loss(desk, structure, net);
    let allowed = to_currency(desk.book.capital) * entry.risk_share;
    // Not a number of packages where the loss is unbounded or unknown.
    let packages = (allowed / loss.max(0.01)) as u32;
    if packages == 0 || loss.is_nan() {
        return Err((Code::RISK_SMALL, loss, allowed));
    }
    Ok(packages.min(entry.quantity))
}
