//! Contracts that are held in; RequestForPositionsAck and PositionReport, by their bodies, out.

use super::codec::{Body, Message, show_price};
use crate::catalog::Listed;

/// The fields that every answer repeats of its question, under a name of its own.
fn answer(message: &Message, name: &str, total: usize) -> Body {
    let result = if total == 0 { 2 } else { 0 };
    Body::default()
        .with(721, name)
        .with_some(710, message.get(710))
        .with(727, total)
        .with(728, result)
        .with_some(1, message.get(1))
        .with_some(581, message.get(581))
}

/// RequestForPositionsAck: how many reports follow.
pub fn acknowledged(message: &Message, total: usize) -> Body {
    let name = format!("P{}", message.get(710).unwrap_or(""));
    answer(message, &name, total).with(729, 0)
}

/// PositionReport: contracts of one instrument, positive long. Nothing is valued here.
pub fn position(
    message: &Message,
    name: &str,
    total: usize,
    listed: &Listed,
    contracts: i64,
) -> Body {
    let body = answer(message, name, total)
        .with(724, 0)
        .with_some(715, message.get(715))
        .with(55, listed.root());
    let body = match &listed.contract {
        Some(contract) => body
            .with(167, "OPT")
            .with(461, if contract.call { "OCXXXX" } else { "OPXXXX" })
            .with(541, contract.expiry)
            .with(202, show_price(contract.strike)),
        None => body.with(167, "CS"),
    };
    body.with(730, 0)
        .with(731, 2)
        .with(734, 0)
        .with(702, 1)
        .with(703, "TOT")
        .with(704, contracts.max(0))
        .with(705, (-contracts).max(0))
        .with(753, 1)
        .with(707, "FMTM")
        .with(708, 0)
}
