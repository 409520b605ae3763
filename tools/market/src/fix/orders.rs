//! NewOrderSingle and NewOrderMultileg in; an order of the exchange, or the reason why not, out.

use super::codec::{Message, price_of};
use crate::{
    catalog::{Catalog, Contract},
    venue::{Leg, NewOrder, TimeInForce},
};

/// Most legs of an order.
const LEGS_MAX: usize = 8;

/// Why an order is refused before the exchange sees it: OrdRejReason (103) and a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused(pub u32, pub String);

const UNKNOWN_SYMBOL: u32 = 1;
const UNSUPPORTED: u32 = 11;
const INCORRECT_QUANTITY: u32 = 13;
const OTHER: u32 = 99;

/// The order that a message asks for.
pub fn order_of(message: &Message, owner: usize, catalog: &Catalog) -> Result<NewOrder, Refused> {
    let multileg = message.kind() == "AB";
    let legs = if multileg { legs(message, catalog)? } else { vec![single(message, catalog)?] };
    let quantity = message.number(38).and_then(|q| u32::try_from(q).ok()).filter(|&q| q > 0);
    let quantity = quantity.ok_or_else(|| Refused(INCORRECT_QUANTITY, "OrderQty (38)".into()))?;
    let limit = limit(message, if multileg { 1 } else { legs[0].side })?;
    let time_in_force = match message.get(59) {
        None | Some("0" | "1" | "6") => TimeInForce::Day,
        Some("3") => TimeInForce::ImmediateOrCancel,
        Some("4") => TimeInForce::FillOrKill,
        Some(_) => return Err(Refused(UNSUPPORTED, "TimeInForce (59)".into())),
    };
    let client_id = message.get(11).unwrap_or("").into();
    Ok(NewOrder { owner, client_id, legs, limit, quantity, time_in_force })
}

/// Most that is paid per package: a seller's limit counts backwards.
fn limit(message: &Message, side: i8) -> Result<Option<i64>, Refused> {
    match message.get(40) {
        Some("1") => Ok(None),
        Some("2") => {
            let price = message.get(44).and_then(price_of);
            let price = price.ok_or_else(|| Refused(OTHER, "Price (44) missing".into()))?;
            Ok(Some(i64::from(side) * price))
        }
        _ => Err(Refused(UNSUPPORTED, "OrdType (40) must be 1 or 2".into())),
    }
}

fn side(value: Option<&str>) -> Result<i8, Refused> {
    match value {
        Some("1") => Ok(1),
        Some("2" | "5") => Ok(-1),
        _ => Err(Refused(OTHER, "Side must be 1 or 2".into())),
    }
}

fn single(message: &Message, catalog: &Catalog) -> Result<Leg, Refused> {
    let names = Names { symbol: 55, expiry: 541, strike: 202, cfi: 461, put_or_call: 201 };
    let index = instrument(message, &names, catalog)?;
    Ok(Leg { index, side: side(message.get(54))?, ratio: 1, units: catalog.units(index) })
}

fn legs(message: &Message, catalog: &Catalog) -> Result<Vec<Leg>, Refused> {
    let names = Names { symbol: 600, expiry: 611, strike: 612, cfi: 608, put_or_call: 1358 };
    let mut legs = Vec::new();
    for entry in message.group(600) {
        let index = instrument(&entry, &names, catalog)?;
        let ratio = entry.number(623).unwrap_or(1).try_into().unwrap_or(0);
        if ratio == 0 {
            return Err(Refused(INCORRECT_QUANTITY, "LegRatioQty (623)".into()));
        }
        let units = catalog.units(index);
        legs.push(Leg { index, side: side(entry.get(624))?, ratio, units });
    }
    if legs.is_empty() || legs.len() > LEGS_MAX || message.number(555) != Some(legs.len() as u64) {
        return Err(Refused(OTHER, format!("NoLegs (555) must be 1 to {LEGS_MAX} and true")));
    }
    Ok(legs)
}

/// Tags that name a contract.
struct Names {
    symbol: u32,
    expiry: u32,
    strike: u32,
    cfi: u32,
    put_or_call: u32,
}

fn instrument(message: &Message, names: &Names, catalog: &Catalog) -> Result<u32, Refused> {
    let symbol = message.get(names.symbol).unwrap_or("").trim_end();
    let missing = |what: &str| Refused(UNKNOWN_SYMBOL, format!("{symbol}: {what}"));
    let Some(strike) = message.get(names.strike).and_then(price_of) else {
        // An underlying, or an option under its own OSI symbol.
        return catalog.find_symbol(symbol).ok_or_else(|| missing("no such instrument"));
    };
    let expiry = message.number(names.expiry).and_then(|e| u32::try_from(e).ok());
    let expiry = expiry.ok_or_else(|| missing("maturity date missing"))?;
    let cfi = message.get(names.cfi).unwrap_or("");
    let call = match (cfi.get(..2), message.get(names.put_or_call)) {
        (Some("OC"), _) | (_, Some("1")) => true,
        (Some("OP"), _) | (_, Some("0")) => false,
        _ => return Err(missing("neither call nor put")),
    };
    let contract = Contract { root: symbol.into(), expiry, strike, call };
    catalog.find(&contract).ok_or_else(|| missing("no such contract"))
}
