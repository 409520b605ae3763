//! Mappings and definitions in; instruments by dense index, by contract and by subscription out.

use crate::record::{Fields, rtype};
use std::collections::HashMap;

/// Shares of an option.
const OPTION_UNITS: u32 = 100;

/// The index of a record that names no instrument.
pub const NO_INDEX: u32 = u32::MAX;

/// What a contract is, whatever its symbol: how FIX orders name it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Contract {
    /// Root, such as `SPXW`.
    pub root: String,
    /// Expiry as yyyymmdd.
    pub expiry: u32,
    /// Strike, 1e-9.
    pub strike: i64,
    /// Whether it is a call.
    pub call: bool,
}

/// One instrument of one dataset.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Which dataset.
    pub channel: u8,
    /// Its id in the dataset.
    pub id: u32,
    /// Its own symbol.
    pub symbol: String,
    /// The contract, for an option.
    pub contract: Option<Contract>,
}

impl Listed {
    /// Its root: the contract's, or the symbol of what is no option.
    pub fn root(&self) -> &str {
        self.contract.as_ref().map_or(&self.symbol, |c| &c.root)
    }
}

/// All instruments of all datasets, with dense indices in the order in which they appeared.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Dataset names by channel.
    pub datasets: Vec<String>,
    /// Whether a dataset that is not here may stand for one that is: recordings bear the names of
    /// their makers, and clients ask for those of the venues.
    pub has_aliases: bool,
    /// By dense index.
    pub listed: Vec<Listed>,
    by_id: HashMap<(u8, u32), u32>,
    by_contract: HashMap<Contract, u32>,
    by_symbol: HashMap<String, u32>,
}

impl Catalog {
    /// The dense index of an instrument id; a new one where it was not seen before.
    pub fn index_of(&mut self, channel: u8, id: u32) -> u32 {
        let next = self.listed.len() as u32;
        let index = *self.by_id.entry((channel, id)).or_insert(next);
        if index == next {
            let symbol = String::new();
            self.listed.push(Listed { channel, id, symbol, contract: None });
        }
        index
    }

    /// Learns the symbol of an instrument.
    pub fn name(&mut self, index: u32, symbol: &str) {
        let listed = &mut self.listed[index as usize];
        if listed.symbol == symbol || symbol.is_empty() {
            return;
        }
        listed.symbol = symbol.into();
        self.by_symbol.insert(symbol.trim_end().into(), index);
        if let Some(contract) = contract_of(symbol) {
            listed.contract = Some(contract.clone());
            self.by_contract.insert(contract, index);
        }
    }

    /// Learns from a record what it says about its instrument; returns the instrument's index.
    pub fn learn(&mut self, channel: u8, record: &[u8]) -> u32 {
        let id = record.instrument();
        match record.rtype() {
            rtype::SYSTEM | rtype::ERROR => NO_INDEX,
            rtype::MAPPING => {
                let index = self.index_of(channel, id);
                let out = record.text(89, 71);
                let own = if contract_of(out).is_some() || out.parse::<u32>().is_err() {
                    out
                } else {
                    record.text(17, 71)
                };
                self.name(index, own);
                index
            }
            rtype::DEFINITION => {
                let index = self.index_of(channel, id);
                self.name(index, record.text(238, 71));
                index
            }
            _ => self.index_of(channel, id),
        }
    }

    /// Units of a contract: 100 for an option, 1 for what is none.
    pub fn units(&self, index: u32) -> u32 {
        let listed = self.listed.get(index as usize);
        if listed.is_some_and(|listed| listed.contract.is_some()) { OPTION_UNITS } else { 1 }
    }

    /// The instrument of a contract.
    pub fn find(&self, contract: &Contract) -> Option<u32> {
        self.by_contract.get(contract).copied()
    }

    /// The instrument of a symbol.
    pub fn find_symbol(&self, symbol: &str) -> Option<u32> {
        self.by_symbol.get(symbol.trim_end()).copied()
    }

    /// The channel of a dataset; with aliases, `OPRA…` is the one with options, and any other name
    /// the one without.
    pub fn channel(&self, dataset: &str) -> Option<u8> {
        let named = self.datasets.iter().position(|d| d == dataset).map(|c| c as u8);
        named.or_else(|| {
            let options = dataset.starts_with("OPRA");
            let all = 0..self.datasets.len() as u8;
            self.has_aliases.then_some(all)?.find(|&c| self.has_options(c) == options)
        })
    }

    fn has_options(&self, channel: u8) -> bool {
        self.listed.iter().any(|listed| listed.channel == channel && listed.contract.is_some())
    }

    /// Whether a subscription's symbol means this instrument.
    pub fn matches(&self, index: u32, stype_in: &str, symbol: &str) -> bool {
        let listed = &self.listed[index as usize];
        if symbol == "ALL_SYMBOLS" {
            return true;
        }
        match stype_in {
            "parent" => {
                let (root, class) = symbol.rsplit_once('.').unwrap_or((symbol, ""));
                listed.root() == root && (class != "OPT" || listed.contract.is_some())
            }
            "instrument_id" => symbol.parse() == Ok(listed.id),
            _ => listed.symbol.trim_end() == symbol.trim_end(),
        }
    }
}

/// The contract of an OSI symbol, `"SPXW  240119C04800000"`.
pub fn contract_of(symbol: &str) -> Option<Contract> {
    if symbol.len() != 21 || !symbol.is_ascii() {
        return None;
    }
    let date: u32 = symbol[6..12].parse().ok()?;
    let strike: i64 = symbol[13..21].parse().ok()?;
    let call = match &symbol[12..13] {
        "C" => true,
        "P" => false,
        _ => return None,
    };
    let root = symbol[..6].trim_end().into();
    Some(Contract { root, expiry: 20_000_000 + date, strike: strike * 1_000_000, call })
}

/// The OSI symbol of a contract.
pub fn osi(contract: &Contract) -> String {
    let class = if contract.call { 'C' } else { 'P' };
    let (date, strike) = (contract.expiry % 1_000_000, contract.strike / 1_000_000);
    format!("{:<6}{date:06}{class}{strike:08}", contract.root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_osi_symbol_is_a_contract_and_back() {
        let contract = contract_of("SPXW  240119C04800000").unwrap();
        assert_eq!((contract.expiry, contract.strike), (20_240_119, 4_800_000_000_000));
        assert_eq!(contract.root, "SPXW");
        assert_eq!(osi(&contract), "SPXW  240119C04800000");
        for bad in ["SPY", "SPXW  240119X04800000", "SPXW  24011 C04800000"] {
            assert_eq!(contract_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_subscription_means_parents_symbols_ids_and_everything() {
        let mut catalog = Catalog::default();
        let option = catalog.index_of(0, 7);
        catalog.name(option, "SPXW  240119C04800000");
        let stock = catalog.index_of(1, 7);
        catalog.name(stock, "SPY");
        assert_eq!((option, stock), (0, 1));
        assert!(catalog.matches(option, "parent", "SPXW.OPT"));
        assert!(!catalog.matches(option, "parent", "SPX.OPT"));
        assert!(catalog.matches(option, "raw_symbol", "SPXW  240119C04800000"));
        assert!(catalog.matches(option, "instrument_id", "7"));
        assert!(catalog.matches(stock, "raw_symbol", "SPY"));
        assert!(!catalog.matches(stock, "parent", "SPY.OPT"));
        assert!(catalog.matches(stock, "raw_symbol", "ALL_SYMBOLS"));
    }
}
