//! What an order is to the exchange, whatever protocol it came by, and what can become of it.

use std::collections::BTreeMap;

/// How long an order lives.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TimeInForce {
    /// Until filled or cancelled.
    #[default]
    Day,
    /// What cannot be filled at once is cancelled.
    ImmediateOrCancel,
    /// All at once or nothing.
    FillOrKill,
}

/// One leg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leg {
    /// Dense index of the contract.
    pub index: u32,
    /// +1 buys, −1 sells.
    pub side: i8,
    /// Contracts per package.
    pub ratio: u32,
    /// Units of a contract: what nets of different ones are made comparable by.
    pub units: u32,
}

/// An order as it arrives.
#[derive(Clone, Debug, PartialEq)]
pub struct NewOrder {
    /// Who sent it: executions go back there.
    pub owner: usize,
    /// The client's id, unique per owner.
    pub client_id: String,
    /// Legs in the order in which the client wrote them.
    pub legs: Vec<Leg>,
    /// Most that is paid per package on one unit of its largest contract, 1e-9, negative for a
    /// credit; `None` takes any.
    pub limit: Option<i64>,
    /// Packages.
    pub quantity: u32,
    /// How long it lives.
    pub time_in_force: TimeInForce,
}

/// Why an order or a cancel was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The id is in use.
    DuplicateId,
    /// No such order.
    UnknownOrder,
    /// It is filled, cancelled or rejected already.
    TooLate,
    /// By the fault plan.
    Injected,
}

/// What has become of an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is in the book.
    Accepted,
    /// It is not.
    Rejected(Reason),
    /// Packages were filled, one price per leg.
    Filled {
        /// Packages of this fill.
        packages: u32,
        /// Price of each leg, 1e-9.
        prices: Vec<i64>,
        /// What was paid per package, 1e-9.
        net: i64,
    },
    /// The rest is cancelled; the id of the request, none where it was not asked for.
    Canceled(Option<String>),
    /// A cancel was refused: the request's id and why.
    CancelRefused(String, Reason),
    /// How it stands, because the owner asked.
    Status(Standing),
}

/// What legs at these prices cost per package on one unit of the largest contract, 1e-9.
pub fn net(legs: &[Leg], prices: &[i64]) -> i64 {
    let largest = legs.iter().map(|leg| leg.units).max().unwrap_or(1).max(1);
    let each = legs.iter().zip(prices).map(|(leg, price)| {
        i128::from(leg.side) * i128::from(leg.ratio) * i128::from(leg.units) * i128::from(*price)
    });
    // A buyer's fraction is paid, a seller's lost.
    let cost: i128 = each.sum();
    let whole = -(-cost).div_euclid(i128::from(largest));
    i64::try_from(whole).unwrap_or(i64::MAX)
}

/// How an order stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It works, or it has ended with what was filled.
    Taken,
    /// It was rejected.
    Rejected,
    /// No such order has come.
    Unknown,
}

/// An order in the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// As it came.
    pub order: NewOrder,
    /// When it was received, ns UTC.
    pub at: u64,
    /// Packages filled.
    pub filled: u32,
    /// Whether it works.
    pub open: bool,
}

/// What the exchange's books say of all owners together.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Orders in the order of their arrival, the rejected ones included.
    pub orders: Vec<Entry>,
    /// Orders under an id that was in use.
    pub duplicates: u64,
    /// Contracts held by symbol; what is flat is left out.
    pub positions: BTreeMap<String, i64>,
}

/// What the owner of an order is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// Number of the execution: the same when it is told twice.
    pub number: u64,
    /// Who is told.
    pub owner: usize,
    /// The order; of an unknown one only the ids are true.
    pub order: NewOrder,
    /// The exchange's number for it, 0 for an unknown one.
    pub order_number: u64,
    /// Packages filled so far.
    pub filled: u32,
    /// Sum of packages × net, 1e-9.
    pub paid: i128,
    /// Whether it still works.
    pub open: bool,
    /// What has happened.
    pub outcome: Outcome,
}
