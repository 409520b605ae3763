//! Session and venue number in, dense instrument index out; names in, definitions out.
//!
//! Everything is allocated when it is built. An index is given once per session and symbol, in the
//! order of arrival, and never taken back: a venue number that comes to mean another symbol gets
//! another index, and after a reconnect the same symbol has the index that it had. The events of an
//! earlier session ([`Registry::restore`]) bring it back as it was, so a restart changes no index.

use super::symbol::{SYMBOL_MAX, Symbol};
use crate::wire::{
    Event, Kind, NO_INSTRUMENT,
    market::{Definition, Name},
};
use alloc::{boxed::Box, vec, vec::Vec};

/// Most instruments of one registry: [`NO_INSTRUMENT`] and the table's own marks stay free.
pub const INSTRUMENTS_MAX: usize = 1 << 22;

/// What a mapping or a definition came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Named {
    /// An instrument that was not there before: pass on its name, then this.
    New(u32, Definition),
    /// Something new is known: pass it on.
    Changed(u32, Definition),
    /// Nothing new.
    Same,
    /// There is no room for another instrument or number.
    Full,
}

/// All instruments of all sessions.
#[derive(Debug)]
pub struct Registry {
    tables: Vec<Table>,
    symbols: Table,
    known: Vec<Known>,
    max: usize,
    /// A name of several parts that is being restored.
    partial: ([u8; SYMBOL_MAX], usize),
}

#[derive(Clone, Copy, Debug)]
struct Known {
    symbol: Symbol,
    session: u16,
    definition: Definition,
}

impl Registry {
    /// Room for `max` instruments, shared by `sessions` sessions.
    pub fn new(sessions: usize, max: usize) -> Registry {
        let max = max.clamp(1, INSTRUMENTS_MAX);
        Registry {
            tables: (0..sessions).map(|_| Table::new(max)).collect(),
            symbols: Table::new(max),
            known: Vec::with_capacity(max),
            max,
            partial: ([0; SYMBOL_MAX], 0),
        }
    }

    /// The index of a venue's number, or [`NO_INSTRUMENT`].
    #[inline(always)]
    pub fn index(&self, session: u16, venue_id: u32) -> u32 {
        match self.tables.get(session as usize) {
            Some(table) => table.get(venue_id),
            None => NO_INSTRUMENT,
        }
    }

    /// Instruments named so far.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing was named so far.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// A symbol mapping: a definition record that came before is kept.
    pub fn map(&mut self, session: u16, venue_id: u32, symbol: &Symbol) -> Named {
        let Some(bound) = self.bind(session, venue_id, symbol) else { return Named::Full };
        let known = self.known[bound.index as usize].definition;
        if is_defined(&known) && known.mapped == 0 {
            return self.change(bound, Definition { venue_id, ..known });
        }
        self.change(bound, symbol.definition(venue_id))
    }

    /// A definition record.
    pub fn define(&mut self, session: u16, symbol: &Symbol, definition: Definition) -> Named {
        match self.bind(session, definition.venue_id, symbol) {
            Some(bound) => self.change(bound, definition),
            None => Named::Full,
        }
    }

    /// Takes an event of an earlier session: names give their indices again, definitions what was
    /// passed on. Others are passed over.
    pub fn restore(&mut self, event: &Event) {
        match event.kind {
            // A name that a crash has cut off begins anew behind the next RUN.
            Kind::RUN => self.partial.1 = 0,
            Kind::NAME => self.restore_name(event),
            Kind::DEFINITION => {
                let definition: Definition = *event.body();
                if let Some(known) = self.known.get_mut(event.instrument as usize) {
                    known.definition = definition;
                    if let Some(table) = self.tables.get_mut(usize::from(known.session)) {
                        table.set(definition.venue_id, event.instrument);
                    }
                }
            }
            _ => {}
        }
    }

    fn restore_name(&mut self, event: &Event) {
        let (name, session) = (event.body::<Name>(), event.source.wrapping_sub(1));
        let (text, len) = (&mut self.partial.0, self.partial.1);
        let part = name.text();
        let end = (len + part.len()).min(SYMBOL_MAX);
        text[len..end].copy_from_slice(&part[..end - len]);
        self.partial.1 = if name.is_last() { 0 } else { end };
        let symbol = Symbol::of_field(&self.partial.0[..end]);
        let (index, room) = (self.known.len() as u32, self.known.len() < self.max);
        if let Some(symbol) = symbol
            && name.is_last()
            && index == event.instrument
            && room
        {
            self.add(session, &symbol);
        }
    }

    fn change(&mut self, bound: Bound, definition: Definition) -> Named {
        let Bound { index, new, moved } = bound;
        let known = &mut self.known[index as usize].definition;
        let same = *known == definition;
        *known = definition;
        match (new, same && !moved) {
            (true, _) => Named::New(index, definition),
            (false, true) => Named::Same,
            (false, false) => Named::Changed(index, definition),
        }
    }

    /// The symbol's index, which the venue's number means from now on.
    fn bind(&mut self, session: u16, venue_id: u32, symbol: &Symbol) -> Option<Bound> {
        let hash = hash(session, symbol);
        let known = &self.known;
        let same = |index: u32| {
            let known = &known[index as usize];
            known.session == session && known.symbol == *symbol
        };
        let found = self.symbols.find(hash, same);
        let index = found.unwrap_or(self.known.len() as u32);
        let table = self.tables.get_mut(session as usize)?;
        let moved = table.get(venue_id) != index;
        if found.is_none() && self.known.len() == self.max || !table.set(venue_id, index) {
            return None;
        }
        if found.is_none() {
            self.add(session, symbol);
        }
        Some(Bound { index, new: found.is_none(), moved })
    }

    /// The next index stands for this symbol.
    fn add(&mut self, session: u16, symbol: &Symbol) {
        self.symbols.add(hash(session, symbol), self.known.len() as u32);
        let definition = bytemuck::Zeroable::zeroed();
        self.known.push(Known { symbol: *symbol, session, definition });
    }
}

/// What binding a number to a symbol came to.
#[derive(Clone, Copy, Debug)]
struct Bound {
    index: u32,
    /// The symbol was not known.
    new: bool,
    /// The number meant something else, or nothing, before.
    moved: bool,
}

/// Every symbol has a root, so zeros mean that nothing was passed on yet.
fn is_defined(definition: &Definition) -> bool {
    definition.root != [0; 8]
}

/// FNV-1a, folded to 32 bits: fixed, so that a run can be repeated.
fn hash(session: u16, symbol: &Symbol) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64 ^ u64::from(session);
    for &byte in symbol.text() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    (hash ^ hash >> 32) as u32
}

/// A slot of a table: a key and an index, [`NO_INSTRUMENT`] where it is free.
#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u32,
    index: u32,
}

/// Open addressing with linear probing, never more than three quarters full.
#[derive(Debug)]
struct Table {
    slots: Box<[Slot]>,
    shift: u32,
    free: usize,
}

impl Table {
    fn new(max: usize) -> Table {
        let size = (2 * max).next_power_of_two().max(4);
        let slots = vec![Slot { key: 0, index: NO_INSTRUMENT }; size].into_boxed_slice();
        Table { slots, shift: 32 - size.trailing_zeros(), free: size / 4 * 3 }
    }

    /// Fibonacci hashing: neighbouring numbers, as venues give them, land far apart.
    #[inline(always)]
    fn start(&self, key: u32) -> usize {
        (key.wrapping_mul(0x9E37_79B1) >> self.shift) as usize
    }

    #[inline(always)]
    fn get(&self, key: u32) -> u32 {
        self.find(key, |_| true).unwrap_or(NO_INSTRUMENT)
    }

    /// The first index of `key` that `accept` takes. A quarter of the slots is free, so the search
    /// ends.
    #[inline(always)]
    fn find(&self, key: u32, accept: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = self.start(key) & mask;
        loop {
            let slot = self.slots[at & mask];
            if slot.index == NO_INSTRUMENT {
                return None;
            }
            if slot.key == key && accept(slot.index) {
                return Some(slot.index);
            }
            at += 1;
        }
    }

    /// Makes `key` mean `index`; false where there is no room.
    fn set(&mut self, key: u32, index: u32) -> bool {
        let mask = self.slots.len() - 1;
        let mut at = self.start(key) & mask;
        while self.slots[at].index != NO_INSTRUMENT {
            if self.slots[at].key == key {
                self.slots[at].index = index;
                return true;
            }
            at = (at + 1) & mask;
        }
        self.fill(at, Slot { key, index })
    }

    /// Adds another index under `key`.
    fn add(&mut self, key: u32, index: u32) -> bool {
        let mask = self.slots.len() - 1;
        let mut at = self.start(key) & mask;
        while self.slots[at].index != NO_INSTRUMENT {
            at = (at + 1) & mask;
        }
        self.fill(at, Slot { key, index })
    }

    fn fill(&mut self, at: usize, slot: Slot) -> bool {
        if self.free == 0 {
            return false;
        }
        self.free -= 1;
        self.slots[at] = slot;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use std::collections::BTreeMap;

    fn symbol(text: &str) -> Symbol {
        Symbol::of_field(text.as_bytes()).unwrap()
    }

    fn index_of(named: Named) -> u32 {
        match named {
            Named::New(index, _) | Named::Changed(index, _) => index,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn indices_are_dense_in_order_and_stable_across_a_reconnect() {
        let mut registry = Registry::new(2, 8);
        assert_eq!(index_of(registry.map(0, 900, &symbol("GOOG"))), 0);
        assert_eq!(index_of(registry.map(1, 900, &symbol("ESM4"))), 1);
        assert_eq!(registry.map(0, 900, &symbol("GOOG")), Named::Same);
        // The next day's session numbers GOOG differently and gives 900 to another symbol.
        assert_eq!(index_of(registry.map(0, 17, &symbol("GOOG"))), 0);
        assert_eq!(index_of(registry.map(0, 900, &symbol("AAPL"))), 2);
        assert_eq!([registry.index(0, 17), registry.index(0, 900)], [0, 2]);
        assert_eq!([registry.index(1, 900), registry.index(1, 17)], [1, NO_INSTRUMENT]);
        assert_eq!(registry.index(9, 900), NO_INSTRUMENT);
    }

    #[test]
    fn a_definition_record_is_not_undone_by_a_mapping() {
        let mut registry = Registry::new(1, 8);
        let goog = symbol("GOOG  151224P00748500");
        let record = Definition { mapped: 0, ..goog.definition(5) };
        assert_eq!(index_of(registry.map(0, 5, &goog)), 0);
        assert_eq!(index_of(registry.define(0, &goog, record)), 0);
        assert_eq!(registry.define(0, &goog, record), Named::Same);
        assert_eq!(registry.map(0, 5, &goog), Named::Same);
        assert_eq!(
            registry.map(0, 6, &goog),
            Named::Changed(0, Definition { venue_id: 6, ..record })
        );
    }

    #[test]
    fn a_full_registry_says_so_and_keeps_what_it_has() {
        let mut registry = Registry::new(1, 4);
        for i in 0..4 {
            assert_eq!(index_of(registry.map(0, i, &symbol(&format!("S{i}")))), i);
        }
        assert_eq!(registry.map(0, 4, &symbol("S4")), Named::Full);
        assert_eq!((registry.index(0, 3), registry.index(0, 4)), (3, NO_INSTRUMENT));
        // Numbers are bounded too: a venue cannot fill the table with new numbers of one symbol.
        let full =
            (100..200).filter(|&id| registry.map(0, id, &symbol("S0")) == Named::Full).count();
        assert_eq!((full, registry.len()), (98, 4));
    }

    /// What a session passes on for a symbol, as the journal has it.
    fn events(session: u16, symbol: &Symbol, named: Named) -> Vec<Event> {
        let (new, index, definition) = match named {
            Named::New(index, definition) => (true, index, definition),
            Named::Changed(index, definition) => (false, index, definition),
            Named::Same | Named::Full => return Vec::new(),
        };
        let parts = Name::parts(symbol.text()).filter(|_| new);
        let names = parts.map(|part| Event::new(Kind::NAME, index, part));
        let all = names.chain([Event::new(Kind::DEFINITION, index, definition)]);
        all.map(|event| Event { source: session + 1, ..event }).collect()
    }

    /// Whatever the journal was cut after, the same words get the same answers, with the names
    /// that the cut has taken told again.
    #[test]
    fn what_was_journaled_brings_back_every_index() {
        let lengths = [4, 21, 31, 32, 33, 64, SYMBOL_MAX];
        let texts: Vec<Symbol> = (0..40)
            .map(|i| symbol(&format!("{:X<width$}", format!("S{i}"), width = lengths[i % 7])))
            .collect();
        let mut said = Vec::new();
        for i in 0..200usize {
            let (session, venue_id) = ((i * 7 % 3) as u16, (i * 13 % 50) as u32);
            said.push((session, venue_id, texts[i * i % 40], i % 5 == 0));
        }
        let say = |registry: &mut Registry,
                   &(session, id, symbol, record): &(u16, u32, _, bool)| {
            let plain = Definition { mapped: 0, ..Symbol::definition(&symbol, id) };
            let named = match record {
                true => registry.define(session, &symbol, plain),
                false => registry.map(session, id, &symbol),
            };
            events(session, &symbol, named)
        };
        let mut whole = Registry::new(3, 64);
        let journal: Vec<Event> = said.iter().flat_map(|word| say(&mut whole, word)).collect();
        let run = Event::new(Kind::RUN, NO_INSTRUMENT, [0u64; 4]);
        for cut in 0..=journal.len() {
            let mut again = Registry::new(3, 64);
            journal[..cut].iter().chain([&run]).for_each(|event| again.restore(event));
            said.iter().for_each(|word| drop(say(&mut again, word)));
            assert_eq!(again.len(), whole.len());
            for (a, b) in again.known.iter().zip(&whole.known) {
                assert_eq!(
                    (a.symbol, a.session, a.definition),
                    (b.symbol, b.session, b.definition)
                );
            }
            let pairs = (0..3).flat_map(|session| (0..50).map(move |id| (session, id)));
            for (session, id) in pairs {
                assert_eq!(again.index(session, id), whole.index(session, id));
            }
        }
    }

    #[test]
    fn lookups_agree_with_an_ordered_map_whatever_the_numbers() {
        let mut registry = Registry::new(1, 4096);
        let mut model = BTreeMap::new();
        let mut state = 1u64;
        for _ in 0..4096 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (id, name) = ((state >> 33) as u32 % 5000 * 4096, (state >> 20) % 3000);
            let index = match registry.map(0, id, &symbol(&format!("N{name}"))) {
                Named::New(index, _) | Named::Changed(index, _) => index,
                _ => continue,
            };
            model.insert(id, index);
        }
        assert!(model.iter().all(|(&id, &index)| registry.index(0, id) == index));
    }
}
