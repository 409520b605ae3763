//! Quotes and prints of the underlying, of the calls and of the puts in; how the book and the tape
//! lean, how wide and deep they are, and what trading moves, out.
//!
//! A quote counts for what it changed: the one before it is kept here, for the chain has forgotten
//! it. What is one-sided, locked or crossed moves nothing.

use super::{
    block::{Block, See, Setup, Subject},
    group::{GROUPS, group_of},
    rolling::{ROW_NAMES, ROWS, Rolling, fill, ratio},
    side::side_of,
    table::{Axis, POSITIVE, REAL, Stat, Table, stat},
};
use crate::wire::{
    Event, Kind,
    market::{Quote, Trade},
};
use alloc::{vec, vec::Vec};

/// A firm quote, prices in 1e-9; zeros for none.
#[derive(Clone, Copy, Debug, Default)]
struct Top {
    bid: i64,
    ask: i64,
    bid_size: i64,
    ask_size: i64,
}

impl Top {
    fn of(quote: &Quote) -> Top {
        let firm = quote.bid.is_defined() && quote.ask.is_defined() && quote.bid < quote.ask;
        let size = |size: u32| i64::from(size);
        let (bid_size, ask_size) = (size(quote.bid_size), size(quote.ask_size));
        let whole = Top { bid: quote.bid.0, ask: quote.ask.0, bid_size, ask_size };
        if firm { whole } else { Top::default() }
    }

    fn is_firm(&self) -> bool {
        self.bid < self.ask
    }

    fn mid_twice(&self) -> i64 {
        self.bid + self.ask
    }

    /// What the change from `before` adds to the bid and takes from the ask, contracts: e_n of
    /// Cont, Kukanov and Stoikov (2014), equation 4.
    fn flow_since(&self, before: &Top) -> i64 {
        let at = |holds: bool, size: i64| if holds { size } else { 0 };
        at(self.bid >= before.bid, self.bid_size)
            - at(self.bid <= before.bid, before.bid_size)
            - at(self.ask <= before.ask, self.ask_size)
            + at(self.ask >= before.ask, before.ask_size)
    }
}

/// What is counted between two rows. Prices are in 1e-9, those named `MICROS` in 1e-6.
mod tally {
    pub(super) const FLOW: usize = 0;
    pub(super) const QUOTES: usize = 1;
    pub(super) const UPS: usize = 2;
    pub(super) const DOWNS: usize = 3;
    pub(super) const MOVE_TWICE: usize = 4;
    pub(super) const PATH_TWICE: usize = 5;
    pub(super) const SPREAD: usize = 6;
    pub(super) const DEPTH: usize = 7;
    pub(super) const LEAN_MICROS: usize = 8;
    pub(super) const TRADES: usize = 9;
    pub(super) const BOUGHT: usize = 10;
    pub(super) const SOLD: usize = 11;
    pub(super) const VOLUME: usize = 12;
    pub(super) const HIDDEN: usize = 13;
    pub(super) const PAID_MICROS: usize = 14;
    // Of a whole row: signed contracts x, move of the mid y in 1e-6.
    pub(super) const XX: usize = 15;
    pub(super) const XY: usize = 16;
    /// Contracts printed while there was a firm quote to hold them against.
    pub(super) const COMPARED: usize = 17;
    pub(super) const COUNT: usize = 18;
}
use tally::*;

const OURS: &str = "sums over the window's rows";
const CONT: &str = "Cont, Kukanov, Stoikov 2014";

const STATS: &[Stat] = &[
    stat("ofi", "contracts", REAL, "Σ e_n: what changes of bid and ask add and take").by(CONT),
    stat("ofi_depth", "1", REAL, "ofi / mean of (bid size + ask size)/2").by(CONT),
    stat("quote_rate", "1/row", POSITIVE, "firm quotes / rows").by(OURS),
    stat("tick_momentum", "1", [-1.0, 1.0], "(ups − downs)/(ups + downs) of the mid, one a quote")
        .by(OURS),
    stat("mid_move", "currency", REAL, "Σ changes of the mid").by(OURS),
    stat("efficiency", "1", [0.0, 1.0], "|Σ changes of the mid| / Σ |changes|").by("Kaufman 1995"),
    stat("spread", "currency", POSITIVE, "mean spread of firm quotes").by(OURS),
    stat("book_lean", "1", [-1.0, 1.0], "mean of (bid size − ask size)/(bid size + ask size)")
        .by("Cao, Hansch, Wang 2009"),
    stat("trade_rate", "1/row", POSITIVE, "prints / rows").by(OURS),
    stat("volume", "contracts", POSITIVE, "Σ sizes of prints").by(OURS),
    stat("trade_lean", "1", [-1.0, 1.0], "(bought − sold)/(bought + sold)").by("Lee, Ready 1991"),
    stat(
        "impact",
        "currency/contract",
        REAL,
        "Σ xy / Σ x² over rows: x contracts bought less sold, y move of the mid",
    )
    .by("Kyle 1985: lambda, through the origin"),
    stat("illiquidity", "currency/contract", POSITIVE, "Σ |changes of the mid| / volume")
        .by("Amihud 2002, in currency"),
    stat(
        "paid_spread",
        "currency",
        POSITIVE,
        "Σ 2|price − mid| · size / volume, of prints at a firm quote",
    )
    .by("effective spread, SEC Rule 605"),
    stat(
        "hidden_share",
        "1",
        [0.0, 1.0],
        "contracts printed inside the spread or beyond the displayed size / all, at a firm quote",
    )
    .by(OURS),
];

const WIDTH: usize = STATS.len() * ROWS.len();

#[derive(Debug)]
struct Group {
    tallies: [i64; COUNT],
    rolling: Rolling<COUNT>,
    // A firm quote has come: before it nothing is known of the mid.
    quoted: bool,
}

impl Group {
    fn on_quote(&mut self, new: &Top, before: &Top) {
        let tallies = &mut self.tallies;
        if !new.is_firm() {
            return;
        }
        self.quoted = true;
        let depth = new.bid_size + new.ask_size;
        tallies[QUOTES] += 1;
        tallies[SPREAD] += new.ask - new.bid;
        tallies[DEPTH] += depth;
        tallies[LEAN_MICROS] += (new.bid_size - new.ask_size) * 1_000_000 / depth.max(1);
        if !before.is_firm() {
            return;
        }
        let moved = new.mid_twice() - before.mid_twice();
        tallies[FLOW] += new.flow_since(before);
        tallies[UPS] += i64::from(moved > 0);
        tallies[DOWNS] += i64::from(moved < 0);
        tallies[MOVE_TWICE] += moved;
        tallies[PATH_TWICE] += moved.abs();
    }

    fn on_trade(&mut self, trade: &Trade, top: &Top, side: i8) {
        let (tallies, size) = (&mut self.tallies, i64::from(trade.size));
        tallies[TRADES] += 1;
        tallies[VOLUME] += size;
        tallies[BOUGHT] += if side > 0 { size } else { 0 };
        tallies[SOLD] += if side < 0 { size } else { 0 };
        if !top.is_firm() {
            return;
        }
        tallies[COMPARED] += size;
        let price = trade.price.0;
        let inside = price > top.bid && price < top.ask;
        let shown = if side > 0 { top.ask_size } else { top.bid_size };
        tallies[HIDDEN] += if inside { size } else { (size - shown).max(0) };
        let off = (2 * price - top.mid_twice()).abs() / 1_000;
        tallies[PAID_MICROS] = tallies[PAID_MICROS].saturating_add(off.saturating_mul(size));
    }

    fn fill(&mut self, out: &mut [f64]) {
        let (x, y) =
            (self.tallies[BOUGHT] - self.tallies[SOLD], self.tallies[MOVE_TWICE] / 2 / 1_000);
        self.tallies[XX] = x.saturating_mul(x);
        self.tallies[XY] = x.saturating_mul(y);
        self.rolling.push(&mut self.tallies);
        fill(&self.rolling, out, |sums, rows| stats(sums, rows, self.quoted));
    }
}

fn stats(sums: &[i64; COUNT], rows: f64, quoted: bool) -> [f64; STATS.len()] {
    let at = |tally: usize| sums[tally];
    let per_quote = |tally: usize| ratio(at(tally), at(QUOTES));
    let currency = |nanos: f64| nanos / 1e9;
    let micros = |millionths: f64| millionths / 1e6;
    let if_quoted = |value: f64| if quoted { value } else { f64::NAN };
    [
        if_quoted(at(FLOW) as f64),
        at(FLOW) as f64 / (per_quote(DEPTH) / 2.0),
        at(QUOTES) as f64 / rows,
        ratio(at(UPS) - at(DOWNS), at(UPS) + at(DOWNS)),
        if_quoted(currency(at(MOVE_TWICE) as f64 / 2.0)),
        ratio(at(MOVE_TWICE).abs(), at(PATH_TWICE)),
        currency(per_quote(SPREAD)),
        micros(per_quote(LEAN_MICROS)),
        at(TRADES) as f64 / rows,
        at(VOLUME) as f64,
        ratio(at(BOUGHT) - at(SOLD), at(BOUGHT) + at(SOLD)),
        micros(ratio(at(XY), at(XX))),
        if_quoted(currency(ratio(at(PATH_TWICE), at(VOLUME)) / 2.0)),
        micros(ratio(at(PAID_MICROS), at(COMPARED))),
        ratio(at(HIDDEN), at(COMPARED)),
    ]
}

/// The book and the tape of three groups of instruments.
#[derive(Debug)]
pub(super) struct Micro {
    groups: [Group; GROUPS.len()],
    tops: Vec<Top>,
}

impl Block for Micro {
    const TABLE: &'static Table = &Table {
        family: "microstructure",
        outer: Axis::Named(GROUPS),
        inner: Axis::Named(ROW_NAMES),
        stats: STATS,
    };

    fn new(setup: &Setup<'_>) -> Micro {
        let group = || Group { tallies: [0; COUNT], rolling: Rolling::new(), quoted: false };
        Micro {
            groups: core::array::from_fn(|_| group()),
            tops: vec![Top::default(); setup.limits.instruments_max],
        }
    }

    #[inline(always)]
    fn on(&mut self, see: &See<'_>, event: &Event, of: &Subject) {
        let Some(top) = self.tops.get_mut(event.instrument as usize) else { return };
        let group = &mut self.groups[group_of(of)];
        if event.kind == Kind::QUOTE {
            let new = Top::of(event.body());
            group.on_quote(&new, &core::mem::replace(top, new));
        } else if event.kind == Kind::TRADE {
            let trade: &Trade = event.body();
            if trade.price.is_defined() {
                group.on_trade(trade, top, side_of(trade, &see.chain.quote(event.instrument)));
            }
        }
    }

    fn fill(&mut self, _: &See<'_>, _: &[f64], out: &mut [f64]) {
        for (group, out) in self.groups.iter_mut().zip(out.chunks_mut(WIDTH)) {
            group.fill(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Price;

    fn top(bid: i64, ask: i64, bid_size: i64, ask_size: i64) -> Top {
        Top { bid, ask, bid_size, ask_size }
    }

    /// The cases of the paper: a higher bid adds all of it, a lower one takes all that was there,
    /// the same price counts the difference; the ask the other way round.
    #[test]
    fn the_flow_is_that_of_cont_kukanov_and_stoikov() {
        let before = top(100, 110, 5, 7);
        for (after, wanted) in [
            (top(101, 110, 3, 7), 3),
            (top(99, 110, 3, 7), -5),
            (top(100, 110, 9, 7), 4),
            (top(100, 111, 5, 2), 7),
            (top(100, 109, 5, 2), -2),
            (top(100, 110, 5, 10), -3),
            (top(101, 111, 3, 2), 3 + 7),
        ] {
            assert_eq!(after.flow_since(&before), wanted, "{after:?}");
        }
    }

    #[test]
    fn impact_is_the_slope_of_the_mid_on_what_was_bought() {
        let mut group = Group { tallies: [0; COUNT], rolling: Rolling::new(), quoted: false };
        let mut out = [0.0; WIDTH];
        for row in 0..10i64 {
            let x = row % 3 - 1;
            let (from, to) = (top(100_000, 100_200, 1, 1), top(100_000 + x * 4_000, 0, 1, 1));
            let to = Top { ask: to.bid + 200, ..to };
            let price = Price(if x > 0 { from.ask } else { from.bid });
            let trade = |size| Trade { price, size, ..bytemuck::Zeroable::zeroed() };
            group.on_trade(&trade(x.unsigned_abs() as u32 * 2), &from, x as i8);
            group.on_quote(&to, &from);
            group.fill(&mut out);
        }
        // Two contracts moved the mid by 4,000e-9 each time.
        let impact = STATS.iter().position(|stat| stat.name == "impact").unwrap();
        assert!((out[impact * ROWS.len()] - 2e-6).abs() < 1e-12, "{}", out[impact * ROWS.len()]);
    }
}
