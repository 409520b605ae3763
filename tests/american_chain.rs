//! American options in the chain: quotes and beats in; forwards, volatilities and Greeks that a
//! direct valuation confirms out.
mod support;

use zomma::{
    chain::{Chain, Universe, calendar_years, name_of},
    greeks::{
        Revalue,
        american::{Contract, Standard, even_yield},
    },
    stage::{Sink, Stage},
    wire::{
        Event, Flags, Kind, Price,
        control::Timer,
        market::{Class, Definition, Quote, VolStatus},
    },
};

const DAY_NS: u64 = 86_400_000_000_000;
const TODAY: u64 = 20_500;
const RATE: f64 = 0.045;
const SPOT: f64 = 600.0;
const ROWS: u32 = 24;

/// SPY with one expiry in 90 days, quoted by the American model itself.
struct Market {
    chain: Chain,
    revalue: Revalue,
    now: u64,
    dividends: f64,
    greeks: usize,
}

fn strike(row: u32) -> f64 {
    540.0 + 5.0 * f64::from(row)
}

fn vol(strike: f64) -> f64 {
    0.2 - 0.3 * (strike / SPOT - 1.0)
}

impl Market {
    fn new(boundaries: usize, rate: f64, dividend: &str) -> Market {
        let text = include_str!("../config/universe.toml");
        let text = text.replace("rate = 0.045", &format!("rate = {rate:?}"));
        let greeks = format!("[greeks]\nboundaries = {boundaries}\n[rates]");
        let text = format!("{}{dividend}", text.replace("[rates]", &greeks));
        let universe = Universe::parse("universe.toml", &text).unwrap();
        let now = TODAY * DAY_NS + 15 * 3_600_000_000_000;
        let (chain, revalue) = (Chain::new(&universe), Revalue::new(&universe));
        let mut market = Market { chain, revalue, now, dividends: 0.0, greeks: 0 };
        (0..2 * ROWS).for_each(|index| market.define(index));
        let spy = market.chain.root(market.chain.find_root("SPY").unwrap()).unwrap();
        let worth = |ex: u64, amount: f64| amount * (-rate * calendar_years(now, ex)).exp();
        market.dividends = spy.dividends.iter().map(|paid| worth(paid.ex, paid.amount)).sum();
        market
    }

    fn define(&mut self, index: u32) {
        let call = index.is_multiple_of(2);
        let definition = Definition {
            strike: Price::from_f64(strike(index / 2)),
            expiration: (TODAY + 90) * DAY_NS + 21 * 3_600_000_000_000,
            root: name_of("SPY"),
            venue_id: index,
            class: if call { Class::CALL } else { Class::PUT },
            mapped: 0,
            reserved: 0,
        };
        self.on(Event::new(Kind::DEFINITION, index, definition), false);
    }

    fn contract(&self, index: u32, spot: f64) -> Contract {
        let years = self.chain.years(0);
        let strike = strike(index / 2);
        let (q, vol) = (even_yield(spot, self.dividends, years), vol(strike));
        let r = self.chain.rate();
        Contract { call: index.is_multiple_of(2), spot, strike, years, r, q, vol }
    }

    fn quote_all(&mut self, spot: f64) {
        for index in 0..2 * ROWS {
            let mid = self.contract(index, spot).value(&Standard::new()).unwrap().price;
            let (bid, ask) = (Price::from_f64(mid - 0.01), Price::from_f64(mid + 0.01));
            let body = Quote { bid, ask, bid_size: 1, ask_size: 1, ..bytemuck::Zeroable::zeroed() };
            self.on(Event::new(Kind::QUOTE, index, body), index == 2 * ROWS - 1);
        }
    }

    fn beats(&mut self, count: u64) {
        for count in 0..count {
            self.now += 10_000_000;
            let id = Timer::BEAT;
            let timer = Timer { id, reserved: 0, due: self.now, count, reserved2: 0 };
            self.on(Event::new(Kind::TIMER, u32::MAX, timer), true);
        }
    }

    fn on(&mut self, event: Event, ends: bool) {
        let flags = if ends { Flags::BATCH_END } else { Flags::NONE };
        let event = Event { ts_recv: self.now, flags, ..event };
        self.chain.apply(&event);
        self.greeks += 1;
        self.revalue.on(&mut self.chain, &event, &mut Sink);
    }

    /// Greatest distance of what the chain knows from the model that made the quotes: volatility,
    /// price over spot, delta, vega over spot.
    fn distance(&self, spot: f64) -> [f64; 4] {
        let mut worst = [0.0f64; 4];
        for index in 0..2 * ROWS {
            let found = self.chain.greeks(index).unwrap();
            if found.status == VolStatus::AT_INTRINSIC_ITM {
                continue;
            }
            assert_eq!(found.status, VolStatus::OK, "{index}");
            let contract = self.contract(index, spot);
            let wanted = contract.value(&Standard::new()).unwrap();
            // Escrowed dividends do not move with the spot, an even yield does.
            let fixed = contract.european().delta * ((contract.q * contract.years).exp() - 1.0);
            let errors = [
                found.iv - contract.vol,
                (f64::from(found.price) - wanted.price) / spot,
                f64::from(found.delta) - wanted.delta - fixed,
                (f64::from(found.vega) - wanted.vega) / spot,
            ];
            worst = core::array::from_fn(|i| worst[i].max(errors[i].abs()));
        }
        worst
    }
}

/// Once boundaries are solved and the forward has been taken with their premiums, the chain's
/// volatilities and Greeks are the model's; without them they are off by what the premium is worth.
/// Below zero it is the calls that are exercised early: the strike is better paid now than later.
#[test]
fn the_chain_sees_american_options_as_they_are() {
    let dividend = "\n[[dividend]]\nunderlying = \"SPY\"\ndate = \"2026-03-20\"\namount = 2.0\n";
    for (rate, dividend) in [(RATE, ""), (RATE, dividend), (-0.03, "")] {
        let mut plain = Market::new(0, rate, dividend);
        let mut market = Market::new(2, rate, dividend);
        for (step, spot) in [SPOT, SPOT, 604.0, 590.0].into_iter().enumerate() {
            for market in [&mut plain, &mut market] {
                // The second time with the forward that the premiums of the first have mended.
                for _ in 0..2 {
                    market.quote_all(spot);
                    market.beats(200);
                }
            }
            let (off, near) = (plain.distance(spot), market.distance(spot));
            println!("{step} {spot}: European {off:?}, American {near:?}");
            assert!(off[0] > 5e-4, "{off:?}");
            assert!(near[0] <= 5e-5 && near[1] <= 2e-5, "{near:?}");
            assert!(near[2] <= 2e-3 && near[3] <= 2e-3, "{near:?}");
        }
    }
}

/// The budget is a count of boundaries, so the same events give the same Greeks.
#[test]
fn the_same_events_give_the_same_greeks() {
    let run = || {
        let mut market = Market::new(1, RATE, "");
        market.quote_all(SPOT);
        market.beats(3);
        market.quote_all(603.0);
        market.beats(5);
        (0..2 * ROWS).map(|index| market.chain.greeks(index)).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

/// A dividend of a ticker that no root has is a mistake of the file.
#[test]
fn a_dividend_needs_its_root() {
    let text = "[[dividend]]\nunderlying = \"NONE\"\ndate = \"2026-03-20\"\namount = 1.0\n";
    let errors = Universe::parse("u", text).unwrap_err();
    assert!(errors.iter().any(|error| format!("{error}").contains("[dividend NONE]")));
}
