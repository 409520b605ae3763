//! A section declared once: the macro that makes the structure, its reader and its documentation.

use super::{Error, Value};
use alloc::{format, string::String, vec::Vec};
use core::ops::RangeInclusive;

/// A row of a section's table: what `zomma check --keys` prints.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What to write.
    pub wanted: &'static str,
    /// The default as written in a file; `None` where the key must be given.
    pub default: Option<String>,
    /// Bounds as written, empty for none.
    pub bounds: &'static str,
    /// Unit, `-` for none.
    pub unit: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// A section: a structure with one field per key.
pub trait Section: Sized {
    /// Its keys, in the order of the declaration.
    fn keys() -> Vec<Key>;
    /// Takes its keys out of `table`, which keeps the others; what is wrong goes to `errors`, with
    /// `None` as the result.
    fn take(file: &str, at: &str, table: &mut toml::Table, errors: &mut Vec<Error>)
    -> Option<Self>;
    /// The same; what is left of the table is wrong too.
    fn read(file: &str, at: &str, mut table: toml::Table, errors: &mut Vec<Error>) -> Option<Self> {
        let taken = Self::take(file, at, &mut table, errors);
        for (key, _) in &table {
            let known: Vec<&str> = Self::keys().iter().map(|key| key.name).collect();
            let what = format!("is no key here; known: {}", known.join(", "));
            errors.push(Error::new(file, format!("[{at}] {key}"), what));
        }
        taken
    }
}

/// Takes one key out of a table.
pub fn take<T: Value>(
    (file, at, name): (&str, &str, &str),
    table: &mut toml::Table,
    default: Option<T>,
    errors: &mut Vec<Error>,
) -> Option<T> {
    let place = format!("[{at}] {name}");
    let Some(found) = table.remove(name) else {
        if default.is_none() {
            errors.push(Error::new(file, place, format!("is missing; write {}", T::WANTED)));
        }
        return default;
    };
    let value = T::read(&found);
    if value.is_none() {
        let what = format!("is {found}; write {}", T::WANTED);
        errors.push(Error::new(file, place, what));
    }
    value
}

/// Whether `value` is within `range`; an error with the bounds otherwise.
pub fn in_range<T: Value + PartialOrd>(
    (file, at, name): (&str, &str, &str),
    value: &T,
    range: RangeInclusive<T>,
    unit: &str,
    errors: &mut Vec<Error>,
) {
    if range.contains(value) {
        return;
    }
    let (low, high) = (range.start().show(), range.end().show());
    let unit = if unit == "-" { String::new() } else { format!(" ({unit})") };
    let what = format!("is {}; it must be from {low} to {high}{unit}", value.show());
    errors.push(Error::new(file, format!("[{at}] {name}"), what));
}

/// Declares a section of the configuration: fields, defaults, bounds, units and documentation.
/// A line `..part: Other;` in front takes the keys of another section into this one.
///
/// ```
/// zomma::section! {
///     /// How to read a socket.
///     pub struct Socket {
///         /// Bytes asked for at once.
///         pub read_bytes: usize = 262_144, in 4_096..=67_108_864, "bytes";
///         /// Where to connect.
///         pub address: String, "-";
///     }
/// }
/// ```
#[macro_export]
macro_rules! section {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(.. $part:ident : $whole:ty;)*
            $(
                #[doc = $about:literal] $(#[doc = $more:literal])*
                $kvis:vis $key:ident : $type:ty
                $(= $default:expr)? $(, in $range:expr)? , $unit:literal;
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $name {
            $(#[doc = concat!("The keys of [`", stringify!($whole), "`].")] pub $part: $whole,)*
            $(#[doc = $about] $(#[doc = $more])* $kvis $key: $type,)*
        }

        impl $crate::config::Section for $name {
            fn keys() -> $crate::config::macros::Vec<$crate::config::Key> {
                let mut keys = $crate::config::macros::Vec::new();
                $(keys.extend(<$whole as $crate::config::Section>::keys());)*
                $(
                    let default: Option<$type> = None$(.or(Some($default)))?;
                    keys.push($crate::config::Key {
                        name: stringify!($key),
                        wanted: <$type as $crate::config::Value>::WANTED,
                        default: default.as_ref().map($crate::config::Value::show),
                        bounds: concat!($(stringify!($range))?),
                        unit: $unit,
                        about: concat!($about, $($more),*),
                    });
                )*
                keys
            }

            fn take(
                file: &str,
                at: &str,
                table: &mut $crate::config::macros::Table,
                errors: &mut $crate::config::macros::Vec<$crate::config::Error>,
            ) -> Option<Self> {
                $(let $part = <$whole as $crate::config::Section>::take(file, at, table, errors);)*
                $(
                    let place = (file, at, stringify!($key));
                    let default: Option<$type> = None$(.or(Some($default)))?;
                    let $key = $crate::config::macros::take(place, table, default, errors);
                    $(if let Some(value) = &$key {
                        $crate::config::macros::in_range(place, value, $range, $unit, errors);
                    })?
                )*
                Some($name { $($part: $part?,)* $($key: $key?),* })
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::super::{Reader, Span};
    use super::*;

    crate::section! {
        /// For the tests.
        struct Sample {
            /// Share of capital.
            share: f64 = 0.02, in 0.0..=1.0, "1";
            /// How long.
            wait: Span = Span(1_000), "-";
            /// Where to.
            address: String, "-";
        }
    }

    fn read(text: &str) -> Result<Sample, Vec<Error>> {
        let mut reader = Reader::new("sample.toml", text)?;
        let sample = reader.section::<Sample>("sample");
        reader.finish()?;
        Ok(sample.unwrap())
    }

    #[test]
    fn a_complete_section_is_read_and_defaults_fill_the_rest() {
        let sample = read("[sample]\naddress = \"here\"\nwait = \"5s\"").unwrap();
        assert_eq!((sample.share, sample.wait), (0.02, Span(5_000_000_000)));
        assert_eq!(sample.address, "here");
    }

    #[test]
    fn every_mistake_is_named_with_file_section_and_key_at_once() {
        let text = "[sample]\nshare = 7\nwiat = \"5s\"\n[smaple]\nx = 1";
        let errors = read(text).unwrap_err();
        let all: Vec<String> = errors.iter().map(|e| format!("{e}")).collect();
        assert_eq!(
            all,
            [
                "sample.toml: [sample] share: is 7; it must be from 0 to 1 (1)",
                "sample.toml: [sample] address: is missing; write a string in quotes",
                "sample.toml: [sample] wiat: is no key here; known: share, wait, address",
                "sample.toml: [smaple]: is no section here; known: sample",
            ]
        );
    }

    #[test]
    fn wrong_types_infinities_and_broken_text_are_refused() {
        for text in [
            "[sample]\naddress = 7",
            "[sample]\naddress = \"a\"\nshare = nan",
            "[sample]\naddress = \"a\"\nwait = 5",
            "sample = 3",
            "[sample\n",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
