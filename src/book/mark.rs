//! A chain and an instrument in; what it is worth now by one of three conventions out.

use super::{Line, money::Money};
use crate::{
    chain::Chain,
    wire::{Price, market::VolStatus},
};

/// What a holding is valued at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mark {
    /// What it could be given away for: longs at the bid (0 without one), shorts at the ask.
    Worse,
    /// The middle of a sound quote, an absent bid counting as 0; theory where there is none.
    Mid,
    /// What the chain's volatility makes of it; the mid for what is no option.
    Theory,
}

/// The mark of an instrument, 1e-9 per unit; `None` where it is not known. `held` is read by
/// [`Mark::Worse`] alone.
pub fn mark(chain: &Chain, instrument: u32, held: i64, by: Mark) -> Option<i64> {
    match by {
        Mark::Worse => worse(chain, instrument, held),
        Mark::Mid => mid(chain, instrument).or_else(|| theory(chain, instrument)),
        Mark::Theory if is_option(chain, instrument) => theory(chain, instrument),
        Mark::Theory => mid(chain, instrument),
    }
}

fn worse(chain: &Chain, instrument: u32, held: i64) -> Option<i64> {
    let quote = chain.quote(instrument);
    let side = defined(if held > 0 { quote.bid } else { quote.ask });
    side.or((held > 0).then_some(0))
}

fn mid(chain: &Chain, instrument: u32) -> Option<i64> {
    let quote = chain.quote(instrument);
    let sound = !quote.stale && !quote.is_crossed();
    let ask = defined(quote.ask).filter(|_| sound)?;
    match defined(quote.bid) {
        Some(bid) => Some(bid + (ask - bid) / 2),
        None => is_option(chain, instrument).then_some(ask / 2),
    }
}

fn theory(chain: &Chain, instrument: u32) -> Option<i64> {
    let greeks = chain.greeks(instrument).filter(|greeks| greeks.status == VolStatus::OK)?;
    defined(greeks.price.into())
}

fn defined(price: f64) -> Option<i64> {
    Some(Price::from_f64(price)).filter(|price| price.is_defined()).map(|price| price.0)
}

fn is_option(chain: &Chain, instrument: u32) -> bool {
    chain.instrument(instrument).is_some_and(|terms| terms.class.is_option())
}

/// Profit of what is held in all lines at a mark; `None` where one has none.
pub fn unrealised<'a>(
    chain: &Chain,
    lines: impl Iterator<Item = &'a Line>,
    by: Mark,
) -> Option<Money> {
    lines.filter(|line| line.held != 0).try_fold(0, |sum: Money, line| {
        let price = mark(chain, line.instrument, line.held, by)?;
        Some(sum.saturating_add(line.unrealised(price)))
    })
}
