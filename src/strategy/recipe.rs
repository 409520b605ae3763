//! What one strategy is: parameters in; legs, a rule to leave by and bands of a hedge out.

use super::{
    Entry, Exit, Pick,
    codes::Reason,
    hedge::Hedge,
    measure::{Held, Sight},
};
use crate::config::{Error, Key, Section};
use alloc::{string::String, vec::Vec};
use core::fmt::Debug;

/// A strategy's own part: it chooses legs. Entering, working orders, following, adjusting, hedging
/// and closing are the same for all, in [`Trader`](super::Trader).
pub trait Recipe: Debug + Send + Sync {
    /// The keys of its entries.
    fn entry(&self) -> &Entry;
    /// The keys of its exits.
    fn exit(&self) -> &Exit;
    /// Both, while the configuration is read.
    fn shared(&mut self) -> (&mut Entry, &mut Exit);
    /// The legs that the market calls for now, or why there are none.
    fn choose(&self, pick: &mut Pick<'_>) -> Result<(), Reason>;
    /// Whether what it holds has lost its reason.
    fn is_over(&self, _: &Sight<'_>, _: &Held<'_>) -> bool {
        false
    }
    /// How its delta is hedged, if it is.
    fn hedge(&self) -> Option<&Hedge> {
        None
    }
}

/// What a strategy is declared with besides its keys.
pub trait Declared: Recipe + Section + 'static {
    /// The section of a file that configures one, without brackets.
    const SECTION: &'static str;
    /// What it does, in a line.
    const ABOUT: &'static str;
    /// Defaults of the shared keys that differ, as lines of a file.
    const PRESET: &'static str;
    /// Mistakes that only several of its own keys together show: key and what is wrong.
    fn mistakes(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// A declared section with its presets as defaults.
#[derive(Debug)]
pub(super) struct Preset<R>(pub(super) R);

fn presets<R: Declared>() -> toml::Table {
    // A test reads every preset.
    R::PRESET.parse().unwrap_or_default()
}

impl<R: Declared> Section for Preset<R> {
    fn keys() -> Vec<Key> {
        let presets = presets::<R>();
        let preset = |key: Key| match presets.get(key.name) {
            Some(value) => Key { default: Some(alloc::format!("{value}")), ..key },
            None => key,
        };
        R::keys().into_iter().map(preset).collect()
    }

    fn take(
        file: &str,
        at: &str,
        table: &mut toml::Table,
        errors: &mut Vec<Error>,
    ) -> Option<Self> {
        for (key, value) in presets::<R>() {
            table.entry(key).or_insert(value);
        }
        R::take(file, at, table, errors).map(Preset)
    }
}

/// All mistakes of a strategy's keys.
pub(super) fn mistakes<R: Declared>(recipe: &R) -> Vec<(&'static str, String)> {
    let (entry, exit) = (recipe.entry(), recipe.exit());
    let shared = [entry.mistakes(), exit.mistakes(entry)];
    shared.into_iter().flatten().chain(Declared::mistakes(recipe)).collect()
}
