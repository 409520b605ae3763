//! A structure and its net premium in; how many packages out.

use super::{
    Entry,
    codes::{Code, Reason},
    structure::Structure,
};
use crate::book::{Desk, to_currency};

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
    let terms = structure.legs().first().and_then(|leg| desk.chain.instrument(leg.instrument));
    let multiplier = terms.map_or(f64::NAN, |terms| terms.multiplier);
    let fees = f64::from(structure.contracts()) * to_currency(desk.book.fee);
    let loss = (structure.width(&desk.chain) + net) * multiplier + fees;
    let allowed = to_currency(desk.book.capital) * entry.risk_share;
    // Not a number of packages where the loss is unbounded or unknown.
    let packages = (allowed / loss.max(0.01)) as u32;
    if packages == 0 || loss.is_nan() {
        return Err((Code::RISK_SMALL, loss, allowed));
    }
    Ok(packages.min(entry.quantity))
}
