//! How a configuration describes legs: texts such as `delta 0.12` or `dte 7-45` in, rules out.

use crate::config::Value;
use alloc::{
    format,
    string::{String, ToString},
};

/// Which strike: away from an anchor (the forward, or another leg's strike), in the direction out
/// of the money: up for calls, down for puts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StrikeRule {
    /// `delta 0.12 within 0.05`: |delta| nearest to it, no further off than the tolerance.
    Delta(f64, f64),
    /// `money 1.5%`: so far from the anchor; negative is in the money. `money` is the anchor.
    Money(f64),
    /// `points 5 within 5`: the next strike at or beyond so many points, no further than the
    /// tolerance.
    Points(f64, f64),
    /// `move 1.0`: so many expected moves, forward × volatility × √years.
    Move(f64),
    /// `wall`: the strike with the most open contracts of the leg's kind.
    Wall,
    /// `pain`: the strike at which all options of the expiry pay their holders least.
    Pain,
}

/// What follows a word, with `within` and a tolerance behind it or not.
fn numbers(text: &str) -> Option<(f64, Option<f64>)> {
    let number = |text: &str| text.trim().parse().ok().filter(|n: &f64| n.is_finite());
    match text.split_once("within") {
        None => Some((number(text)?, None)),
        Some((value, within)) => Some((number(value)?, Some(number(within)?))),
    }
}

impl Value for StrikeRule {
    const WANTED: &'static str = "\"delta 0.12 within 0.05\", \"money 1.5%\", \"points 25 within \
        5\", \"move 1.0\", \"wall\" or \"pain\"";
    fn read(value: &toml::Value) -> Option<StrikeRule> {
        let text = value.as_str()?.trim();
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match (word, rest) {
            ("money", "") => Some(StrikeRule::Money(0.0)),
            ("wall", "") => Some(StrikeRule::Wall),
            ("pain", "") => Some(StrikeRule::Pain),
            ("money", rest) => {
                let (percent, within) = numbers(rest.trim().strip_suffix('%')?)?;
                let rule = StrikeRule::Money(percent / 100.0);
                Some(rule).filter(|_| within.is_none() && percent.abs() <= 100.0)
            }
            ("move", rest) => {
                let (moves, within) = numbers(rest)?;
                Some(StrikeRule::Move(moves)).filter(|_| within.is_none() && moves.abs() <= 10.0)
            }
            ("delta", rest) => {
                let (delta, within) = numbers(rest)?;
                let within = within.unwrap_or(delta / 2.0);
                let sound = delta > 0.0 && delta < 1.0 && (0.0..1.0).contains(&within);
                sound.then_some(StrikeRule::Delta(delta, within))
            }
            ("points", rest) => {
                let (points, within) = numbers(rest)?;
                let within = within.unwrap_or(points.abs());
                (within >= 0.0).then_some(StrikeRule::Points(points, within))
            }
            _ => None,
        }
    }
    fn show(&self) -> String {
        match self {
            StrikeRule::Delta(delta, within) => format!("\"delta {delta} within {within}\""),
            StrikeRule::Money(share) if *share == 0.0 => "\"money\"".to_string(),
            StrikeRule::Money(share) => format!("\"money {}%\"", share * 100.0),
            StrikeRule::Points(points, within) => format!("\"points {points} within {within}\""),
            StrikeRule::Move(moves) => format!("\"move {moves}\""),
            StrikeRule::Wall => "\"wall\"".to_string(),
            StrikeRule::Pain => "\"pain\"".to_string(),
        }
    }
}

/// Which expiry of the root: of those that have not settled, by their day in the exchange's zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExpiryRule {
    /// `today`: settles on the day of the chain's time.
    Today,
    /// `nth 2`: the second one from now.
    Nth(u32),
    /// `dte 7-45`: the first one that settles in so many to so many calendar days.
    Days(u32, u32),
}

impl Value for ExpiryRule {
    const WANTED: &'static str = "\"today\", \"nth 2\" or \"dte 7-45\"";
    fn read(value: &toml::Value) -> Option<ExpiryRule> {
        let text = value.as_str()?.trim();
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match word {
            "today" if rest.is_empty() => Some(ExpiryRule::Today),
            "nth" => {
                let n = rest.trim().parse().ok()?;
                (n > 0).then_some(ExpiryRule::Nth(n))
            }
            "dte" => {
                let (from, to) = rest.split_once('-')?;
                let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
                (from <= to).then_some(ExpiryRule::Days(from, to))
            }
            _ => None,
        }
    }
    fn show(&self) -> String {
        match self {
            ExpiryRule::Today => "\"today\"".to_string(),
            ExpiryRule::Nth(n) => format!("\"nth {n}\""),
            ExpiryRule::Days(from, to) => format!("\"dte {from}-{to}\""),
        }
    }
}

/// Two words for two ways.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl Value for $name {
            const WANTED: &'static str = concat!("one of" $(, " \"", $word, "\"")*);
            fn read(value: &toml::Value) -> Option<$name> {
                match value.as_str()? { $($word => Some($name::$variant),)* _ => None }
            }
            fn show(&self) -> String {
                match self { $($name::$variant => concat!("\"", $word, "\"").to_string(),)* }
            }
        }
    };
}

words! {
    /// The right of an option.
    Right {
        /// To buy.
        Call = "call"
        /// To sell.
        Put = "put"
    }
}

words! {
    /// Where the underlying is expected to go.
    Direction {
        /// Up.
        Bull = "bull"
        /// Down.
        Bear = "bear"
    }
}

words! {
    /// Which way premium flows when a package is opened.
    Premium {
        /// It is received.
        Credit = "credit"
        /// It is paid.
        Debit = "debit"
    }
}

impl Right {
    /// +1 for calls, −1 for puts: the direction out of the money.
    pub(super) fn sign(self) -> f64 {
        if self == Right::Call { 1.0 } else { -1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> toml::Value {
        toml::Value::String(s.into())
    }

    #[test]
    fn rules_read_back_and_what_is_none_is_refused() {
        for rule in [
            "delta 0.12 within 0.05",
            "money",
            "money 1.5%",
            "money -2%",
            "points 5 within 10",
            "move 0.5",
            "wall",
            "pain",
        ] {
            let read = StrikeRule::read(&text(rule)).unwrap();
            assert_eq!(
                StrikeRule::read(&text(read.show().trim_matches('"'))),
                Some(read),
                "{rule}"
            );
        }
        let read = |rule| StrikeRule::read(&text(rule));
        assert_eq!(read("delta 0.3"), Some(StrikeRule::Delta(0.3, 0.15)));
        assert_eq!(read("points 5"), Some(StrikeRule::Points(5.0, 5.0)));
        for bad in ["", "delta", "delta 0", "delta 1.2", "money 1.5", "points", "walls", "move nan"]
        {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        for rule in ["today", "nth 2", "dte 7-45"] {
            let read = ExpiryRule::read(&text(rule)).unwrap();
            assert_eq!(read.show(), format!("{rule:?}"));
        }
        for bad in ["", "nth", "nth 0", "dte 9", "dte 9-1", "tomorrow", "today 1"] {
            assert_eq!(ExpiryRule::read(&text(bad)), None, "{bad:?}");
        }
        assert_eq!(Direction::read(&text("bear")), Some(Direction::Bear));
        assert_eq!(Premium::WANTED, "one of \"credit\" \"debit\"");
    }
}
