//! Executions of the exchange in; the bodies of execution reports and cancel rejects out.

use super::codec::{Body, Message, show_price};
use crate::{
    catalog::Catalog,
    clock::fix_time,
    record::UNDEF_PRICE,
    venue::{Execution, Leg, Outcome, Reason, Standing},
};

const NO_PRICE: i64 = UNDEF_PRICE;

/// What the client wrote on its order and wants to see again, by tag.
#[derive(Clone, Debug, Default)]
pub struct Echo {
    fields: Vec<(u32, String)>,
    /// Whether it came as NewOrderMultileg.
    pub multileg: bool,
}

impl Echo {
    /// Of an order's message.
    pub fn of(message: &Message) -> Echo {
        let tags = [55, 54, 38, 40, 44, 59, 526, 1];
        let kept = |tag: &u32| message.get(*tag).map(|value| (*tag, value.to_string()));
        Echo { fields: tags.iter().filter_map(kept).collect(), multileg: message.kind() == "AB" }
    }

    fn get(&self, tag: u32) -> Option<&str> {
        self.fields.iter().find(|(t, _)| *t == tag).map(|(_, value)| value.as_str())
    }
}

/// The reports on one execution: message type and body, in the order in which they are sent.
pub fn reports(
    execution: &Execution,
    echo: &Echo,
    catalog: &Catalog,
    now: u64,
) -> Vec<(&'static str, Body)> {
    match &execution.outcome {
        Outcome::Accepted => vec![("8", whole(execution, echo, "0", "0", None, now))],
        Outcome::Rejected(reason) => {
            let (code, text) = rejection(*reason);
            let body = whole(execution, echo, "8", "8", None, now).with(103, code).with(58, text);
            vec![("8", body)]
        }
        Outcome::Canceled(request) => {
            vec![("8", whole(execution, echo, "4", "4", request.as_deref(), now))]
        }
        Outcome::CancelRefused(request, reason) => {
            vec![("9", cancel_refused(execution, request, *reason))]
        }
        Outcome::Status(standing) => {
            vec![("8", whole(execution, echo, "I", status(execution, *standing), None, now))]
        }
        Outcome::Filled { packages, prices, net } => {
            fills(execution, echo, catalog, now, *packages, prices, *net)
        }
    }
}

/// OrdStatus (39) of an order that was asked after.
fn status(execution: &Execution, standing: Standing) -> &'static str {
    let all = execution.filled == execution.order.quantity;
    match (standing, execution.open, execution.filled) {
        (Standing::Unknown | Standing::Rejected, ..) => "8",
        (Standing::Taken, true, 0) => "0",
        (Standing::Taken, true, _) => "1",
        (Standing::Taken, false, _) if all => "2",
        (Standing::Taken, false, _) => "4",
    }
}

/// A refusal of a message that never became an order.
pub fn refused(message: &Message, number: u64, code: u32, text: &str, now: u64) -> Body {
    Body::default()
        .with(37, "NONE")
        .with_some(11, message.get(11))
        .with(17, format!("R{number}"))
        .with(150, "8")
        .with(39, "8")
        .with(103, code)
        .with(55, message.get(55).unwrap_or("N/A"))
        .with(54, message.get(54).unwrap_or("1"))
        .with(151, 0)
        .with(14, 0)
        .with(6, 0)
        .with(60, fix_time(now))
        .with(58, text)
}

fn rejection(reason: Reason) -> (u32, &'static str) {
    match reason {
        Reason::DuplicateId => (6, "ClOrdID is in use"),
        Reason::UnknownOrder => (5, "unknown order"),
        Reason::TooLate => (4, "too late"),
        Reason::Injected => (99, "rejected by the fault plan"),
    }
}

fn order_id(execution: &Execution) -> String {
    match execution.order_number {
        0 => "NONE".into(),
        number => format!("M{number}"),
    }
}

fn average(execution: &Execution) -> i64 {
    let paid = execution.paid / i128::from(execution.filled.max(1));
    i64::try_from(paid).unwrap_or(0)
}

/// A report on the order as a whole.
fn whole(
    execution: &Execution,
    echo: &Echo,
    kind: &str,
    status: &str,
    request: Option<&str>,
    now: u64,
) -> Body {
    let order = &execution.order;
    let leaves = if execution.open { order.quantity - execution.filled } else { 0 };
    let single =
        if echo.multileg { 1 } else { order.legs.first().map_or(1, |l| i64::from(l.side)) };
    Body::default()
        .with(37, order_id(execution))
        .with(11, request.unwrap_or(&order.client_id))
        .with_some(41, request.map(|_| &order.client_id))
        .with_some(526, echo.get(526))
        .with(17, format!("E{}W", execution.number))
        .with(150, kind)
        .with(39, status)
        .with(55, echo.get(55).unwrap_or("N/A"))
        .with(54, echo.get(54).unwrap_or("1"))
        .with(38, order.quantity)
        .with_some(40, echo.get(40))
        .with_some(44, echo.get(44))
        .with(151, leaves)
        .with(14, execution.filled)
        .with(6, show_price(single * average(execution)))
        .with(60, fix_time(now))
        .with_some(442, echo.multileg.then_some("3"))
}

fn cancel_refused(execution: &Execution, request: &str, reason: Reason) -> Body {
    let order = &execution.order;
    let status = match (reason, execution.filled == order.quantity) {
        (Reason::UnknownOrder, _) => "8",
        (_, true) => "2",
        _ => "4",
    };
    let (code, text) = match reason {
        Reason::UnknownOrder => (1, "unknown order"),
        _ => (0, "too late to cancel"),
    };
    Body::default()
        .with(37, order_id(execution))
        .with(11, request)
        .with(41, &order.client_id)
        .with(39, status)
        .with(434, 1)
        .with(102, code)
        .with(58, text)
}

fn fills(
    execution: &Execution,
    echo: &Echo,
    catalog: &Catalog,
    now: u64,
    packages: u32,
    prices: &[i64],
    net: i64,
) -> Vec<(&'static str, Body)> {
    let status = if execution.filled == execution.order.quantity { "2" } else { "1" };
    if !echo.multileg {
        let price = prices.first().copied().unwrap_or(NO_PRICE);
        let body = whole(execution, echo, "F", status, None, now);
        return vec![("8", body.with(32, packages).with(31, show_price(price)))];
    }
    let mut all = Vec::new();
    for (place, (leg, price)) in execution.order.legs.iter().zip(prices).enumerate() {
        let body = leg_fill(execution, place, leg, catalog, status, now);
        let body = body.with(32, packages * leg.ratio).with(31, show_price(*price));
        all.push(("8", body.with_some(526, echo.get(526))));
    }
    let body = whole(execution, echo, "F", status, None, now);
    all.push(("8", body.with(32, packages).with(31, show_price(net))));
    all
}

/// The report on one leg of a fill: quantities are the leg's own contracts.
fn leg_fill(
    execution: &Execution,
    place: usize,
    leg: &Leg,
    catalog: &Catalog,
    status: &str,
    now: u64,
) -> Body {
    let listed = &catalog.listed[leg.index as usize];
    let contract = listed.contract.as_ref();
    let (filled, total) = (execution.filled * leg.ratio, execution.order.quantity * leg.ratio);
    Body::default()
        .with(37, order_id(execution))
        .with(11, &execution.order.client_id)
        .with(17, format!("E{}L{place}", execution.number))
        .with(150, "F")
        .with(39, status)
        .with(55, listed.root())
        .with(167, if contract.is_some() { "OPT" } else { "CS" })
        .with(461, contract.map_or("ESXXXX", |c| if c.call { "OCXXXX" } else { "OPXXXX" }))
        .with_some(541, contract.map(|c| c.expiry))
        .with_some(202, contract.map(|c| show_price(c.strike)))
        .with(54, if leg.side > 0 { 1 } else { 2 })
        .with(38, total)
        .with(151, total - filled)
        .with(14, filled)
        .with(6, 0)
        .with(60, fix_time(now))
        .with(442, 2)
        .with(654, place)
}
