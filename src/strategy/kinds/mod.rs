//! The strategies, one file each, and the one table of them that everything else is derived from.

mod butterfly;
mod calendar;
mod covered_call;
mod expiry_pin;
mod flyagonal;
mod frames;
mod gamma_scalping;
mod iron_condor;
mod iv_rank;
mod mean_reversion;
mod momentum;
mod oi_build_up;
mod protective_put;
mod short_strangle;
mod vertical;
mod volatility_expansion;

pub use butterfly::Butterfly;
pub use calendar::Calendar;
pub use covered_call::CoveredCall;
pub use expiry_pin::ExpiryPin;
pub use flyagonal::Flyagonal;
pub use frames::Frames;
pub use gamma_scalping::GammaScalping;
pub use iron_condor::IronCondor;
pub use iv_rank::IvRank;
pub use mean_reversion::MeanReversion;
pub use momentum::Momentum;
pub use oi_build_up::OiBuildUp;
pub use protective_put::ProtectivePut;
pub use short_strangle::ShortStrangle;
pub use vertical::Vertical;
pub use volatility_expansion::VolatilityExpansion;

use super::{
    Entry, Exit, Set, Trader,
    codes::Reason,
    pick::Pick,
    recipe::{Declared, Preset, mistakes},
};
use crate::{
    config::{Key, Reader, Section},
    feature::Schema,
};
use alloc::{format, string::String, sync::Arc, vec::Vec};

/// A kind of strategy as it is declared.
#[derive(Clone, Copy, Debug)]
pub struct KindDoc {
    /// The section of a file that configures one.
    pub section: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its keys, shared ones first, with its defaults.
    pub keys: fn() -> Vec<Key>,
    pub(super) read: fn(&mut Reader, &Schema, &mut Set),
}

impl KindDoc {
    const fn of<R: Declared>() -> KindDoc {
        KindDoc { section: R::SECTION, about: R::ABOUT, keys: Preset::<R>::keys, read: read::<R> }
    }
}

/// Adds every section of a kind to the set.
fn read<R: Declared>(reader: &mut Reader, schema: &Schema, set: &mut Set) {
    for Preset(mut recipe) in reader.list::<Preset<R>>(R::SECTION) {
        for (key, what) in mistakes(&recipe) {
            let at = format!("[{} {}] {key}", R::SECTION, recipe.entry().name);
            reader.refuse(&at, what);
        }
        for (key, what) in resolve(&mut recipe, schema) {
            reader.refuse(&format!("[{} {}] {key}", R::SECTION, recipe.entry().name), what);
        }
        set.add(super::Instance::Trader(Trader::new(Arc::new(recipe))));
    }
}

/// Looks up the columns of features that conditions name; what is wrong with their names.
fn resolve(recipe: &mut impl Declared, schema: &Schema) -> Vec<(&'static str, String)> {
    let (entry, exit) = recipe.shared();
    let lists = [
        ("entry_when", &mut entry.entry_when),
        ("exit_when", &mut exit.exit_when),
        ("adjust_when", &mut exit.adjust_when),
    ];
    let each = lists.into_iter().flat_map(|(key, list)| list.iter_mut().map(move |one| (key, one)));
    each.filter_map(|(key, one)| Some((key, one.resolve(schema).err()?))).collect()
}

macro_rules! kinds {
    ($($kind:ident)*) => {
        /// All kinds, in the order in which a file is read.
        pub const KINDS: &[KindDoc] = &[$(KindDoc::of::<$kind>()),*];
    };
}

kinds! {
    IronCondor
    Vertical
    IvRank
    GammaScalping
    OiBuildUp
    VolatilityExpansion
    ShortStrangle
    Butterfly
    Calendar
    Flyagonal
    ExpiryPin
    CoveredCall
    ProtectivePut
    Momentum
    MeanReversion
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
            fn shared(
                &mut self,
            ) -> (&mut $crate::strategy::Entry, &mut $crate::strategy::Exit) {
                (&mut self.entry, &mut self.exit)
            }
            $($own)*
        }
    };
}
use recipe;
