//! Quotes, prints and open interest of chosen options in; their bars of time out.
//!
//! The price is the mid of a firm quote, or the last print until there is one.

use super::{
    bar::{Bar, Bars, Priced, Tick},
    block::{Block, See, Setup, Subject},
    settings::{Contract, Settings},
    table::{Axis, POSITIVE, REAL, Stat, Table, all_by, stat},
};
use crate::{
    chain::Instrument,
    wire::{
        Event, Kind, NO_INSTRUMENT,
        market::{Class, Interest},
    },
};
use alloc::vec::Vec;

const STATS: &[Stat] = &all_by(
    "bar of the option",
    [
        stat("option_open", "currency", POSITIVE, "O").after(|_| 1),
        stat("option_high", "currency", POSITIVE, "H").after(|_| 1),
        stat("option_low", "currency", POSITIVE, "L").after(|_| 1),
        stat("option_close", "currency", POSITIVE, "C").after(|_| 1),
        stat("option_volume", "contracts", POSITIVE, "contracts printed").after(|_| 1),
        stat("option_vwap", "currency", POSITIVE, "Σ price·volume/Σ volume, NaN without prints")
            .after(|_| 1),
        stat("option_ticks", "ticks", POSITIVE, "prices taken").after(|_| 1),
        stat("option_interest", "contracts", REAL, "change of open interest in the bar")
            .after(|_| 1),
    ],
);

/// One chosen option.
#[derive(Debug)]
struct Chosen {
    contract: Contract,
    instrument: u32,
    priced: Priced,
    interest: Option<i64>,
    bars: Vec<Bars>,
}

impl Chosen {
    fn is(&self, see: &See<'_>, terms: &Instrument) -> bool {
        let Contract { date, call, strike } = self.contract;
        let class = if call { Class::CALL } else { Class::PUT };
        let day = || see.chain.local(see.root, terms.settles).0;
        terms.class == class && terms.strike == strike && day() == date
    }

    fn on(&mut self, see: &See<'_>, event: &Event) {
        let quote = see.chain.quote(event.instrument);
        for tick in self.priced.ticks(&quote, event).into_iter().flatten() {
            self.tick(see, tick);
        }
        if event.kind == Kind::INTEREST {
            let contracts = event.body::<Interest>().contracts;
            if let Some(before) = self.interest.replace(contracts) {
                self.tick(see, Tick::Interest((contracts - before) as f64));
            }
        }
    }

    fn tick(&mut self, see: &See<'_>, tick: Tick) {
        self.close_due(see);
        if (see.day.opens..see.day.closes).contains(&see.now) {
            for bars in &mut self.bars {
                bars.take(tick, see.now, &see.day);
            }
        }
    }

    fn close_due(&mut self, see: &See<'_>) {
        for bars in &mut self.bars {
            if see.now >= bars.ends() {
                bars.close(see.now);
            }
        }
    }
}

/// Bars of the chosen options.
#[derive(Debug)]
pub(super) struct Contracts {
    chosen: Vec<Chosen>,
}

impl Block for Contracts {
    const TABLE: &'static Table =
        &Table { family: "options", outer: Axis::Options, inner: Axis::Times, stats: STATS };

    fn new(setup: &Setup<'_>) -> Contracts {
        let time = Settings {
            windows: Vec::new(),
            volume_bar: 0.0,
            dollar_bar: 0.0,
            ..setup.settings.clone()
        };
        let chosen = |contract: &Contract| Chosen {
            contract: *contract,
            instrument: NO_INSTRUMENT,
            priced: Priced::NONE,
            interest: None,
            bars: Bars::all(&time).collect(),
        };
        Contracts { chosen: setup.settings.options.iter().map(chosen).collect() }
    }

    fn on(&mut self, see: &See<'_>, event: &Event, of: &Subject) {
        let Subject::Option(terms) = of else { return };
        for chosen in &mut self.chosen {
            if event.kind == Kind::DEFINITION && chosen.is(see, terms) {
                chosen.instrument = event.instrument;
            }
            if chosen.instrument == event.instrument {
                chosen.on(see, event);
            }
        }
    }

    fn fill(&mut self, see: &See<'_>, _: &[f64], out: &mut [f64]) {
        for (out, chosen) in out.chunks_exact_mut(self.width()).zip(&mut self.chosen) {
            chosen.close_due(see);
            let kinds = chosen.bars.len();
            for (kind, bars) in chosen.bars.iter().enumerate() {
                for (at, value) in columns(&bars.last).into_iter().enumerate() {
                    out[at * kinds + kind] = if bars.count == 0 { f64::NAN } else { value };
                }
            }
        }
    }
}

impl Contracts {
    fn width(&self) -> usize {
        self.chosen.first().map_or(1, |chosen| chosen.bars.len() * STATS.len())
    }
}

fn columns(bar: &Bar) -> [f64; STATS.len()] {
    let Bar { open, high, low, close, volume, ticks, interest, .. } = *bar;
    [open, high, low, close, volume, bar.vwap(), ticks, interest]
}
