//! The journal's events in; what an export knows at each of them out: the market as the pipeline
//! saw it, the terms of each contract, the orders that reports are about.

use crate::column::{Day, Name, Stamp};
use std::{collections::BTreeMap, sync::Arc};
use zomma::{
    chain::Chain,
    feature::Row,
    feed::registry::INSTRUMENTS_MAX,
    run::Plan,
    wire::{
        Event, Kind, Price, UNDEF_PRICE,
        market::{Class, Definition, Name as SymbolPart},
        order::{Cancel, Leg, Order},
    },
};

/// What is known after an event.
#[derive(Debug)]
pub(crate) struct Known {
    /// The market, as the same stages made it that ran.
    pub(crate) chain: Chain,
    /// The latest row of features.
    pub(crate) features: Row,
    /// The input at which it was made.
    pub(crate) row_at: u64,
    /// The contracts.
    pub(crate) contracts: Contracts,
    /// The orders.
    pub(crate) orders: Orders,
    strategies: Vec<Arc<str>>,
}

impl AsMut<Chain> for Known {
    fn as_mut(&mut self) -> &mut Chain {
        &mut self.chain
    }
}

impl AsRef<Chain> for Known {
    fn as_ref(&self) -> &Chain {
        &self.chain
    }
}

impl AsMut<Row> for Known {
    fn as_mut(&mut self) -> &mut Row {
        &mut self.features
    }
}

impl Known {
    /// Nothing yet, of a run with this plan.
    pub(crate) fn new(plan: &Plan) -> Known {
        Known {
            chain: Chain::new(&plan.universe),
            features: Row::new(&plan.features),
            row_at: 0,
            contracts: Contracts::default(),
            orders: Orders::default(),
            strategies: plan.strategies.names().map(Arc::from).collect(),
        }
    }

    /// The chain's time: the exchange's or the receive time, as the run was configured.
    pub(crate) fn time(&self) -> Option<Stamp> {
        Stamp::after_zero(self.chain.now)
    }

    /// Root and day of an expiry of the chain.
    pub(crate) fn expiry(&self, index: u32) -> Option<(Name, Day)> {
        let index = u16::try_from(index).ok()?;
        let (_, expiry) = self.chain.expiries().nth(usize::from(index))?;
        Some((Name(self.chain.root(expiry.root)?.name), Day::of(expiry.settles)?))
    }

    /// What the configuration calls a strategy.
    pub(crate) fn strategy(&self, index: u16) -> Option<Arc<str>> {
        self.strategies.get(usize::from(index)).cloned()
    }
}

/// An instrument as its definitions have it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contract {
    /// The latest definition.
    pub(crate) terms: Definition,
    /// Session that defined it.
    pub(crate) source: u16,
    /// First definition.
    pub(crate) first_seq: u64,
    /// Latest definition.
    pub(crate) last_seq: u64,
    /// How many definitions.
    pub(crate) definitions: u32,
}

/// The parts of a contract's symbol.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Symbol {
    pub(crate) root: Option<Name>,
    pub(crate) expiry: Option<Day>,
    pub(crate) strike: Option<Price>,
    pub(crate) cp: Option<&'static str>,
}

/// All instruments by dense index.
#[derive(Debug, Default)]
pub(crate) struct Contracts {
    terms: Vec<Option<Contract>>,
    symbols: Vec<Vec<u8>>,
    /// The instrument whose symbol goes on in the next part.
    unfinished: Option<u32>,
}

impl Contracts {
    /// Takes names and definitions; passes over the rest.
    #[inline]
    pub(crate) fn on_input(&mut self, event: &Event) {
        match event.kind {
            Kind::DEFINITION => self.on_definition(event),
            Kind::NAME => self.on_name(event),
            // Where a session begins, the rest of a symbol was cut off with the one before.
            Kind::RUN => self.unfinished = None,
            _ => {}
        }
    }

    /// The place of an index; none for a wild one, which would make a table of gigabytes.
    fn place<T: Clone + Default>(table: &mut Vec<T>, index: u32) -> Option<&mut T> {
        let at = index as usize;
        if at < INSTRUMENTS_MAX && table.len() <= at {
            table.resize(at + 1, T::default());
        }
        table.get_mut(at)
    }

    fn on_name(&mut self, event: &Event) {
        let (part, index) = (event.body::<SymbolPart>(), event.instrument);
        let goes_on = self.unfinished == Some(index);
        let Some(symbol) = Contracts::place(&mut self.symbols, index) else { return };
        if !goes_on {
            symbol.clear();
        }
        symbol.extend_from_slice(part.text());
        self.unfinished = (!part.is_last()).then_some(index);
    }

    fn on_definition(&mut self, event: &Event) {
        let Some(held) = Contracts::place(&mut self.terms, event.instrument) else { return };
        let before = *held;
        *held = Some(Contract {
            terms: *event.body(),
            source: event.source,
            first_seq: before.map_or(event.seq, |contract| contract.first_seq),
            last_seq: event.seq,
            definitions: before.map_or(0, |contract| contract.definitions) + 1,
        });
    }

    /// The parts of an instrument's symbol; none of one that nobody defined.
    pub(crate) fn symbol(&self, index: u32) -> Symbol {
        let found = self.terms.get(index as usize).and_then(Option::as_ref);
        found.map_or_else(Symbol::default, Contract::symbol)
    }

    /// The symbol as the venue writes it; none in a journal that has no names.
    pub(crate) fn text(&self, index: u32) -> Option<String> {
        let found = self.symbols.get(index as usize).filter(|symbol| !symbol.is_empty())?;
        Some(String::from_utf8_lossy(found).into_owned())
    }

    /// All that were defined, with their indices.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Contract)> {
        let numbered = self.terms.iter().enumerate();
        numbered.filter_map(|(index, found)| Some((index as u32, found.as_ref()?)))
    }
}

impl Contract {
    /// The parts of its symbol.
    pub(crate) fn symbol(&self) -> Symbol {
        let Definition { root, expiration, strike, class, .. } = self.terms;
        Symbol {
            root: Some(Name(root)),
            expiry: Day::of(expiration),
            strike: (strike.0 != UNDEF_PRICE).then_some(strike),
            cp: match class {
                Class::CALL => Some("C"),
                Class::PUT => Some("P"),
                _ => None,
            },
        }
    }
}

/// One leg of an order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) instrument: u32,
    pub(crate) side: i8,
    pub(crate) price: Price,
}

/// An order as it was approved.
#[derive(Clone, Debug)]
pub(crate) struct Approved {
    pub(crate) head: Order,
    pub(crate) legs: Vec<Part>,
}

/// The approved orders by number, and what cancels mean.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    orders: BTreeMap<u64, Approved>,
    cancels: BTreeMap<u64, u64>,
}

impl Orders {
    /// Takes orders, legs and cancels; passes over the rest.
    pub(crate) fn on_output(&mut self, event: &Event) {
        match event.kind {
            Kind::ORDER => {
                let head = *event.body::<Order>();
                let legs = Vec::with_capacity(head.legs.into());
                self.orders.insert(head.id, Approved { head, legs });
            }
            Kind::ORDER_LEG => {
                let Leg { order, price, side, .. } = *event.body::<Leg>();
                let part = Part { instrument: event.instrument, side, price };
                if let Some(approved) = self.orders.get_mut(&order) {
                    approved.legs.push(part);
                }
            }
            Kind::CANCEL => {
                let cancel = event.body::<Cancel>();
                self.cancels.insert(cancel.id, cancel.order);
            }
            _ => {}
        }
    }

    /// The order that a number means: its own, or the one that a cancel is for.
    pub(crate) fn target(&self, id: u64) -> Option<&Approved> {
        let id = self.cancels.get(&id).unwrap_or(&id);
        self.orders.get(id)
    }
}
