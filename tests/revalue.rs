//! What is valued when: an incremental state against a full revaluation over random streams, the
//! window's borders, the turns and the longest wait.
mod support;

use proptest::prelude::*;
use std::collections::BTreeMap;
use wide::f64x8;
use zomma::{
    chain::{Chain, Universe, name_of},
    greeks::{
        Revalue,
        implied::Priced,
        math,
        options::Options,
        sets::{Model, Tick},
    },
    stage::{Stage, Tap},
    wire::{
        Event, Flags, Kind, NO_INSTRUMENT, Price,
        control::Timer,
        market::{Class, Definition, Forward, Quote, VolStatus},
    },
};

const DAY: u64 = 86_400_000_000_000;
const SECOND: u64 = 1_000_000_000;
const TODAY: u64 = 20_500;
const SPOT: f64 = 6_000.0;
const ROWS: u32 = 64;
const EXPIRIES: u32 = 6;

fn all(x: f64) -> f64x8 {
    f64x8::splat(x)
}

fn first(x: f64x8) -> f64 {
    x.to_array()[0]
}

fn universe(greeks: &str) -> Universe {
    let text = include_str!("../config/universe.toml")
        .replace("[rates]", &format!("[greeks]\n{greeks}\n[rates]"));
    Universe::parse("universe.toml", &text).unwrap()
}

/// Expiries of one root on the coming days, 64 strikes each, call and put.
struct Market {
    chain: Chain,
    revalue: Revalue,
    now: u64,
    beat: u64,
    // Forwards as they were told, with the beat, by expiry.
    forwards: BTreeMap<u16, Vec<(u64, Forward)>>,
    // Instruments of the last batch whose Greeks were told.
    told: Vec<u32>,
}

fn strike(row: u32) -> f64 {
    SPOT + 5.0 * (f64::from(row) - f64::from(ROWS / 2))
}

fn index(expiry: u32, row: u32, call: bool) -> u32 {
    (expiry * ROWS + row) * 2 + u32::from(!call)
}

impl Market {
    fn new(universe: &Universe) -> Market {
        Market {
            chain: Chain::new(universe),
            revalue: Revalue::new(universe),
            now: TODAY * DAY + 15 * 3_600 * SECOND,
            beat: 0,
            forwards: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    fn with_options(universe: &Universe) -> Market {
        let mut market = Market::new(universe);
        (0..EXPIRIES).for_each(|expiry| market.list("SPXW", expiry, expiry.into()));
        market
    }

    fn list(&mut self, root: &str, expiry: u32, day: u64) {
        for row in 0..ROWS {
            for (call, class) in [(true, Class::CALL), (false, Class::PUT)] {
                let definition = Definition {
                    strike: Price::from_f64(strike(row)),
                    expiration: (TODAY + day) * DAY + 21 * 3_600 * SECOND,
                    root: name_of(root),
                    venue_id: index(expiry, row, call),
                    class,
                    mapped: 0,
                    reserved: 0,
                };
                let event = Event::new(Kind::DEFINITION, index(expiry, row, call), definition);
                self.on(event, false);
            }
        }
    }

    fn quote(&mut self, instrument: u32, bid: f64, ask: f64, ends: bool) {
        let (bid, ask) = (Price::from_f64(bid), Price::from_f64(ask));
        let body = Quote { bid, ask, bid_size: 1, ask_size: 1, ..bytemuck::Zeroable::zeroed() };
        self.on(Event::new(Kind::QUOTE, instrument, body), ends);
    }

    /// Quotes a row's call and put around Black's price on this forward.
    fn quote_row(&mut self, expiry: u32, row: u32, (forward, vol): (f64, f64), ends: bool) {
        let years = (f64::from(expiry) + 0.25) / 365.0;
        let strike = strike(row);
        let s = vol * years.sqrt();
        let d1 = (forward / strike).ln() / s + 0.5 * s;
        let cdf = |x: f64| math::one(math::cdf, x);
        for (sign, call) in [(1.0, true), (-1.0, false)] {
            let mid = sign * (forward * cdf(sign * d1) - strike * cdf(sign * (d1 - s))) + 1e-4;
            self.quote(index(expiry, row, call), mid - 5e-5, mid + 5e-5, ends && !call);
        }
    }

    fn quote_all(&mut self, forward: f64, vol: f64) {
        for (expiry, row) in (0..EXPIRIES).flat_map(|e| (0..ROWS).map(move |row| (e, row))) {
            let last = expiry == EXPIRIES - 1 && row == ROWS - 1;
            self.quote_row(expiry, row, (forward, vol), last);
        }
    }

    /// The strikes that make an expiry's forward, quoted around another one.
    fn move_forward(&mut self, expiry: u32, forward: f64, vol: f64) {
        let centre = ((forward - strike(0)) / 5.0) as u32;
        for row in centre - 6..=centre + 6 {
            self.quote_row(expiry, row, (forward, vol), row == centre + 6);
        }
    }

    fn beats(&mut self, count: usize) {
        for _ in 0..count {
            self.beat += 1;
            let timer = Timer {
                id: Timer::BEAT,
                reserved: 0,
                due: self.now,
                count: self.beat,
                reserved2: 0,
            };
            self.on(Event::new(Kind::TIMER, NO_INSTRUMENT, timer), true);
        }
    }

    fn on(&mut self, event: Event, ends: bool) {
        let flags = if ends { Flags::BATCH_END } else { Flags::NONE };
        let event = Event { ts_recv: self.now, flags, ..event };
        self.chain.apply(&event);
        if ends {
            self.told.clear();
        }
        let (beat, forwards, told) = (self.beat, &mut self.forwards, &mut self.told);
        let mut hear = Tap(|_: &mut Chain, event: &Event| match event.kind {
            Kind::FORWARD => {
                let of = forwards.entry(event.instrument as u16).or_default();
                of.push((beat, *event.body::<Forward>()));
            }
            Kind::GREEKS => told.push(event.instrument),
            _ => {}
        });
        self.revalue.on(&mut self.chain, &event, &mut hear);
    }

    /// Standard deviations of a strike from its expiry's forward, by its own volatility.
    fn deviations(&self, expiry: u16, row: usize, vol: f64) -> f64 {
        let expiry = self.chain.expiry(expiry);
        (expiry.forward / expiry.strike(row)).ln().abs() / (vol * expiry.years.sqrt())
    }

    /// Whether what the chain holds of an option is what the kernel makes of its volatility at this
    /// forward, to the digits that the event carries.
    fn is_valued_at(&self, expiry: u16, row: usize, call: bool, at: &Forward) -> bool {
        let held = self.chain.greeks(index(expiry.into(), row as u32, call)).unwrap();
        let terms = Options {
            spot: all(at.forward * at.discount),
            strike: all(self.chain.expiry(expiry).strike(row)),
            years: all(at.years),
            r: all(self.chain.rate()),
            q: all(0.0),
            vol: all(held.iv),
        };
        let valued = terms.value(Model::Spot);
        let wanted: Tick = if call { valued.call() } else { valued.put() };
        // A digit of f32, and what is left of the forward's own where it cancels.
        let near = |found: f32, wanted: f64x8, scale: f64| {
            let wanted = first(wanted);
            (f64::from(found) - wanted).abs() <= 1.2e-7 * wanted.abs() + 1e-11 * scale
        };
        near(held.price, wanted.price, SPOT)
            && near(held.delta, wanted.delta, 1.0)
            && near(held.gamma, wanted.gamma, 1.0)
            && near(held.vega, wanted.vega, SPOT)
    }

    /// The state against a full revaluation. Strikes near the money in active expiries are as of
    /// now; nothing else is older than `rounds` beats. How many options were compared.
    fn check(&self, active: u16, near: f64, rounds: u64) -> usize {
        let mut compared = 0;
        for (of, expiry) in self.chain.expiries().filter(|(_, e)| e.years > 0.0) {
            let told = &self.forwards[&of];
            let now = told.last().unwrap();
            // What was in force since then, the one before it included.
            let since = told.iter().rposition(|(beat, _)| beat + rounds < self.beat).unwrap_or(0);
            for (row, call) in (0..expiry.rows()).flat_map(|row| [(row, true), (row, false)]) {
                let option = index(of.into(), row as u32, call);
                let Some(held) = self.chain.greeks(option) else { continue };
                if held.status != VolStatus::OK {
                    continue;
                }
                let at_once = of < active && self.deviations(of, row, held.iv) <= near;
                let found = self.is_valued_at(of, row, call, &now.1)
                    || !at_once
                        && told[since..].iter().any(|f| self.is_valued_at(of, row, call, &f.1));
                assert!(found, "expiry {of} row {row} call {call} at once {at_once} {held:?}");
                compared += 1;
            }
        }
        compared
    }

    /// The volatility of a row, from its quote and the forward as they stand, without a start, and
    /// what a rounding of the inputs moves it by.
    fn cold(&self, expiry: u16, row: u32) -> Option<(f64, f64)> {
        let of = self.chain.expiry(expiry);
        let is_call = of.strike(row as usize) >= of.forward;
        let quote = self.chain.quote(index(expiry.into(), row, is_call));
        let (a, b) = (of.forward * of.discount, of.strike(row as usize) * of.discount);
        let priced = Priced {
            price: all(quote.mid()),
            call: f64x8::mask_of(is_call),
            a: all(a),
            b: all(b),
            x: math::ln_ratio(all(of.forward), all(of.strike(row as usize))),
            inv_root_t: all(1.0 / of.years.sqrt()),
        };
        let vol = first(priced.implied().0);
        let (spot, strike) = (all(a), all(of.strike(row as usize)));
        let (years, r, q) = (all(of.years), all(self.chain.rate()), all(0.0));
        let terms = Options { spot, strike, years, r, q, vol: all(vol) };
        let valued = terms.value(Model::Spot);
        let side: Tick = if is_call { valued.call() } else { valued.put() };
        let leg = (a * first(side.delta)).abs();
        let unit = 1.0 + (quote.mid() + 2.0 * leg) / (vol * first(side.vega));
        vol.is_finite().then_some((vol, f64::EPSILON * unit))
    }

    /// Whether the volatilities of an expiry's freshly quoted rows are the cold ones.
    fn check_vols(&self, expiry: u16, rows: impl Iterator<Item = u32>) {
        for row in rows {
            let Some((cold, unit)) = self.cold(expiry, row) else { continue };
            let held = self.chain.greeks(index(expiry.into(), row, true)).unwrap().iv;
            // Each of the two may be off by four.
            assert!((held / cold - 1.0).abs() <= 8.0 * unit, "{expiry} {row}: {held} for {cold}");
        }
    }
}

trait MaskOf {
    fn mask_of(set: bool) -> f64x8;
}

impl MaskOf for f64x8 {
    fn mask_of(set: bool) -> f64x8 {
        f64x8::splat(f64::from_bits(if set { u64::MAX } else { 0 }))
    }
}

/// What can happen between two looks.
#[derive(Clone, Debug)]
enum Step {
    /// A row of an expiry is quoted anew at another volatility.
    Row(u32, u32, f64),
    /// An expiry's forward moves, by points.
    Forward(u32, f64),
    /// A row's call loses its bid.
    OneSided(u32, u32),
    /// Milliseconds pass.
    Time(u64),
    /// Beats come.
    Beats(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..EXPIRIES, 0..ROWS, 0.1f64..0.3).prop_map(|(e, row, vol)| Step::Row(e, row, vol)),
        4 => (0..EXPIRIES, -12.0f64..12.0).prop_map(|(e, by)| Step::Forward(e, by)),
        1 => (0..EXPIRIES, 0..ROWS).prop_map(|(e, row)| Step::OneSided(e, row)),
        1 => (1u64..3_000).prop_map(Step::Time),
        3 => (1usize..4).prop_map(Step::Beats),
    ];
    prop::collection::vec(step, 40)
}

const ACTIVE: u16 = 2;
const NEAR: f64 = 2.0;
const GREEKS: &str = "active = 2\nturns = 1\nnear = 2.0\nnear_slack = 0.5\nmove_min = 0.0";

/// What a fresh start makes of the same quotes, to the digits that the warm start leaves open.
fn agree(market: &Market, fresh: &Market) {
    for (of, expiry) in market.chain.expiries() {
        assert_eq!(expiry.forward.to_bits(), fresh.chain.expiry(of).forward.to_bits());
        for option in index(of.into(), 0, true)..index(u32::from(of) + 1, 0, true) {
            let (held, wanted) =
                (market.chain.greeks(option).unwrap(), fresh.chain.greeks(option).unwrap());
            assert_eq!(held.status, wanted.status);
            let row = option / 2 % ROWS;
            let Some((_, unit)) = market.cold(of, row) else { continue };
            let far = (held.iv / wanted.iv - 1.0).abs();
            assert!(far <= 8.0 * unit, "{option}: {held:?} {wanted:?}");
            let same = |a: f32, b: f32| (a - b).abs() <= 2.4e-7 * b.abs() + f32::MIN_POSITIVE;
            assert!(same(held.price, wanted.price) && same(held.gamma, wanted.gamma));
            assert!(same(held.delta, wanted.delta) && same(held.theta, wanted.theta));
            assert!(same(held.vega, wanted.vega));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(11),
        ..ProptestConfig::with_cases(24)
    })]

    /// Over any stream of quotes, moves, time and beats: strikes near the money in the active
    /// expiries are always what a full revaluation gives, everything else is never older than the
    /// stated wait, and after that wait without news nothing differs any more, not even from what
    /// a fresh start makes of the same quotes.
    #[test]
    fn the_incremental_state_is_that_of_a_full_revaluation(steps in steps()) {
        let universe = universe(GREEKS);
        let rounds = universe.revaluation.rounds(EXPIRIES as usize);
        let mut market = Market::with_options(&universe);
        let mut forwards = [SPOT + 1.3; EXPIRIES as usize];
        market.quote_all(forwards[0], 0.15);
        market.beats(rounds);
        for step in &steps {
            match *step {
                Step::Row(e, row, vol) => {
                    market.quote_row(e, row, (forwards[e as usize], vol), true);
                    let at_once = (e as u16) < ACTIVE;
                    market.check_vols(e as u16, at_once.then_some(row).into_iter());
                }
                Step::Forward(e, by) => {
                    let forward = &mut forwards[e as usize];
                    *forward = (*forward + by).clamp(SPOT - 80.0, SPOT + 80.0);
                    let forward = *forward;
                    market.move_forward(e, forward, 0.16);
                    let centre = ((forward - strike(0)) / 5.0) as u32;
                    let rows = centre - 6..=centre + 6;
                    market.check_vols(e as u16, rows.filter(|_| (e as u16) < ACTIVE));
                }
                Step::OneSided(e, row) => {
                    market.quote(index(e, row, true), f64::NAN, 300.0, true);
                }
                Step::Time(ms) => {
                    market.now += ms * 1_000_000;
                    market.beats(1);
                }
                Step::Beats(count) => market.beats(count),
            }
            market.check(ACTIVE, NEAR, rounds as u64);
        }
        market.beats(rounds);
        let compared = market.check(EXPIRIES as u16, f64::INFINITY, 0);
        prop_assert!(compared > 600, "{compared}");
        prop_assert!(market.chain.totals.turn_wait_max <= rounds as u64);

        let mut fresh = Market::with_options(&universe);
        for _ in 0..2 {
            market.now += 2 * SECOND;
            fresh.now = market.now;
            for market in [&mut market, &mut fresh] {
                market.quote_all(SPOT + 2.2, 0.17);
                market.beats(rounds);
            }
        }
        agree(&market, &fresh);
    }

    /// A walk of a row's price and of the forward, quote by quote: the volatility that starts from
    /// the one before is the one that starts from nothing, wherever the walk jumps to.
    #[test]
    fn a_walk_of_volatilities_ends_where_each_of_them_would(
        walk in prop::collection::vec((-0.4f64..0.4, -15.0f64..15.0), 30),
    ) {
        let mut market = Market::with_options(&universe(GREEKS));
        market.quote_all(SPOT, 0.15);
        let (mut vol, mut forward) = (0.15f64, SPOT);
        for (step, (wilder, by)) in walk.into_iter().enumerate() {
            // Mostly a little, at times a jump.
            let scale = if step % 5 == 4 { 1.0 } else { 0.05 };
            vol = (vol * (wilder * scale).exp()).clamp(0.02, 3.0);
            forward = (forward + by * scale).clamp(SPOT - 80.0, SPOT + 80.0);
            market.move_forward(0, forward, vol);
            let centre = ((forward - strike(0)) / 5.0) as u32;
            market.check_vols(0, centre - 6..=centre + 6);
        }
    }
}

/// A forward that swings about the border of the window: with slack each row comes in once and
/// stays, without it rows come and go with every swing.
#[test]
fn the_window_does_not_flap() {
    let changes = |slack: f64| {
        let universe = universe(&format!("near = 1.9\nnear_slack = {slack}\nmove_min = 0.0"));
        let mut market = Market::with_options(&universe);
        market.quote_all(SPOT, 0.15);
        market.beats(universe.revaluation.rounds(EXPIRIES as usize));
        // Rows that are not quoted: those further out than the ones that make the forward.
        let mut member: BTreeMap<u32, bool> = BTreeMap::new();
        let (mut came, mut went) = (0, 0);
        for swing in 0..40 {
            // Never quite the same one, so that whatever is valued is told.
            let side = if swing % 2 == 0 { 2.4 } else { -2.4 };
            let forward = SPOT + side + 1e-3 * f64::from(swing);
            market.move_forward(0, forward, 0.15);
            for row in (0..ROWS).filter(|row| row.abs_diff(ROWS / 2) > 8) {
                let valued = market.told.contains(&index(0, row, true));
                match member.insert(row, valued) {
                    Some(before) if before != valued && valued => came += 1,
                    Some(before) if before != valued => went += 1,
                    _ => {}
                }
            }
        }
        assert!(member.values().any(|valued| *valued), "some are in the window");
        assert!(member.values().any(|valued| !valued), "some are not");
        (came, went)
    };
    let (came, went) = changes(0.5);
    println!("with slack {came} came and {went} went");
    assert!(came <= 2 * 8 && went == 0);
    let (came, went) = changes(0.0);
    println!("without it {came} and {went}");
    assert!(came > 50 && went > 50, "the border was not met");
}

/// Whatever is listed and settles meanwhile, and however many have their turn at once, no expiry
/// waits for longer than the configuration says.
#[test]
fn no_expiry_waits_longer_than_stated() {
    for turns in [1, 2, 3, 5] {
        let universe = universe(&format!("active = 1\nturns = {turns}"));
        let mut market = Market::new(&universe);
        for expiry in 0..12 {
            market.list("SPXW", expiry, u64::from(expiry) % 9);
            market.beats(expiry as usize % 4);
        }
        market.beats(40);
        market.now += 2 * DAY;
        market.beats(40);
        let (waited, most) = (market.chain.totals.turn_wait_max, universe.revaluation.rounds(9));
        println!("{turns} a beat: {waited} beats of {most}");
        assert!(waited >= 2 && waited <= most as u64);
    }
}

/// Roots that strategies trade come first: the others' nearer expiries wait for their turn.
#[test]
fn the_window_is_that_of_the_roots_that_are_traded() {
    for (interest, at_once) in [(vec![], false), (vec![name_of("SPXW")], true)] {
        let universe = Universe { interest, ..universe("active = 1") };
        let mut market = Market::new(&universe);
        market.list("XSP", 0, 0);
        market.list("SPXW", 1, 1);
        market.move_forward(0, SPOT, 0.15);
        market.move_forward(1, SPOT, 0.15);
        let known = |market: &Market, expiry: u16| market.chain.expiry(expiry).forward > 0.0;
        assert_eq!((known(&market, 0), known(&market, 1)), (!at_once, at_once));
        market.beats(2);
        assert!(known(&market, 0) && known(&market, 1));
    }
}

/// Where no pair gives a forward the spot does, and it is followed in the batch in which it moves.
#[test]
fn a_forward_from_the_spot_follows_it_at_once() {
    let mut market = Market::new(&universe("move_min = 2.0"));
    market.list("SPY", 0, 0);
    let stock = Definition {
        strike: Price::UNDEF,
        expiration: u64::MAX,
        root: name_of("SPY"),
        venue_id: 9_999,
        class: Class::STOCK,
        mapped: 0,
        reserved: 0,
    };
    market.on(Event::new(Kind::DEFINITION, 9_999, stock), false);
    market.quote(9_999, SPOT - 0.01, SPOT + 0.01, false);
    market.quote(index(0, ROWS / 2 + 2, true), 11.9, 12.1, true);
    let forward = market.chain.expiry(0).forward;
    assert!((forward - SPOT).abs() < 1.0, "{forward}");
    market.quote(9_999, SPOT + 0.99, SPOT + 1.01, true);
    let moved = market.chain.expiry(0).forward - forward;
    assert!((moved - 1.0).abs() < 1e-2, "{moved}");
    assert!(market.told.contains(&index(0, ROWS / 2 + 2, true)), "a strike near the money");
    market.quote(9_999, SPOT + 0.995, SPOT + 1.015, true);
    assert_eq!(market.forwards[&0].len(), 2, "less than two ticks is no move");
}
