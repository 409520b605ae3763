//! The strategies, one file each, and the one table of them that everything else is derived from.

mod iron_condor;

pub use iron_condor::IronCondor;

use super::{
    Entry, Exit, Set, Trader,
    codes::Reason,
    pick::Pick,
    recipe::{Declared, Preset, mistakes},
};
use crate::config::{Key, Reader, Section};
use alloc::{format, sync::Arc, vec::Vec};

/// A kind of strategy as it is declared.
#[derive(Clone, Copy, Debug)]
pub struct KindDoc {
    /// The section of a file that configures one.
    pub section: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its keys, shared ones first, with its defaults.
    pub keys: fn() -> Vec<Key>,
    pub(super) read: fn(&mut Reader, &mut Set),
}

impl KindDoc {
    const fn of<R: Declared>() -> KindDoc {
        KindDoc { section: R::SECTION, about: R::ABOUT, keys: Preset::<R>::keys, read: read::<R> }
    }
}

/// Adds every section of a kind to the set.
fn read<R: Declared>(reader: &mut Reader, set: &mut Set) {
    for Preset(recipe) in reader.list::<Preset<R>>(R::SECTION) {
        for (key, what) in mistakes(&recipe) {
            let at = format!("[{} {}] {key}", R::SECTION, recipe.entry().name);
            reader.refuse(&at, what);
        }
        set.add(super::Instance::Trader(Trader::new(Arc::new(recipe))));
    }
}

macro_rules! kinds {
    ($($kind:ident)*) => {
        /// All kinds, in the order in which a file is read.
        pub const KINDS: &[KindDoc] = &[$(KindDoc::of::<$kind>()),*];
    };
}

kinds! {
    IronCondor
}

/// Gives a kind its shared parts, which are the fields `entry` and `exit`.
macro_rules! recipe {
    ($kind:ident { $($own:item)* }) => {
        impl $crate::strategy::Recipe for $kind {
            fn entry(&self) -> &$crate::strategy::Entry {
                &self.entry
            }
            fn exit(&self) -> &$crate::strategy::Exit {
                &self.exit
            }
            $($own)*
        }
    };
}
use recipe;
