//! How the chain changes: one event in, the tables it touches brought up to date.

use super::{
    Chain, Instrument, NO_EXPIRY, NO_ROOT, Root,
    state::{Live, NOBODY},
    universe::Clock,
};
use crate::wire::{
    Event, Kind, NANOS_PER_SECOND, NO_INSTRUMENT, SECONDS_PER_YEAR, Timestamp, UNDEF_TIME,
    control::{Session, SessionState},
    market,
};

impl Chain {
    /// Takes one event. Kinds that are not the market's only move the time.
    #[inline]
    pub fn apply(&mut self, event: &Event) {
        self.advance(event);
        if self.now >= self.series_due {
            self.disclose();
        }
        match event.kind {
            Kind::QUOTE => self.on_quote(event),
            Kind::TRADE => self.on_trade(event),
            Kind::GREEKS => self.on_greeks(event),
            Kind::FORWARD => self.on_forward(event),
            Kind::SMILE => self.on_smile(event),
            Kind::DEFINITION => self.on_definition(event),
            Kind::INTEREST => self.on_interest(event),
            Kind::STATUS => self.on_status(event),
            Kind::OBSERVATION => self.on_observation(event),
            Kind::GAP => self.on_loss(event.source),
            Kind::SESSION => self.on_session(event),
            Kind::RUN => self.on_run(),
            _ => {}
        }
    }

    #[inline(always)]
    fn advance(&mut self, event: &Event) {
        match self.clock {
            Clock::Receive => self.now = self.now.max(event.ts_recv),
            Clock::Exchange => {
                let market = event.kind == Kind::QUOTE || event.kind == Kind::TRADE;
                if market && event.ts_event != UNDEF_TIME {
                    self.believe(event.ts_event);
                }
            }
        }
    }

    // One wild stamp would stop the clock for good, because it never goes back.
    #[inline(always)]
    fn believe(&mut self, ts: Timestamp) {
        if self.now != 0 && ts > self.now.saturating_add(self.limits.jump_max.nanos()) {
            self.totals.bad_times += 1;
        } else {
            self.now = self.now.max(ts);
        }
    }

    #[inline(always)]
    fn known(&mut self, index: u32) -> Option<&mut Live> {
        match self.live.get_mut(index as usize) {
            Some(live) if live.class != NOBODY => Some(live),
            _ => {
                self.totals.unknown_instruments += 1;
                None
            }
        }
    }

    #[inline(always)]
    fn on_quote(&mut self, event: &Event) {
        let quote: &market::Quote = event.body();
        let now = self.now.max(1);
        let generation = self.stamps.get(event.source as usize).copied().unwrap_or(0);
        let Some(live) = self.known(event.instrument) else { return };
        (live.bid, live.ask) = (quote.bid.to_f64(), quote.ask.to_f64());
        (live.bid_size, live.ask_size) = (quote.bid_size, quote.ask_size);
        (live.ts, live.generation, live.source) = (now, generation, event.source);
        let (is_option, expiry, row) = (live.class.is_option(), live.expiry, live.row);
        if !is_option {
            self.totals.other_quotes += 1;
            return;
        }
        self.count(quote);
        if expiry != NO_EXPIRY {
            self.mark(expiry, row);
        }
    }

    #[inline(always)]
    fn count(&mut self, quote: &market::Quote) {
        let (bid, ask) = (quote.bid, quote.ask);
        let totals = &mut self.totals;
        totals.quotes += 1;
        totals.quote_size += u64::from(quote.bid_size) + u64::from(quote.ask_size);
        match (bid.is_defined(), ask.is_defined()) {
            (true, true) => {
                totals.locked += u64::from(bid == ask);
                totals.crossed += u64::from(bid > ask);
            }
            (false, false) => totals.empty += 1,
            _ => totals.one_sided += 1,
        }
    }

    fn on_trade(&mut self, event: &Event) {
        let trade: &market::Trade = event.body();
        let Some(live) = self.known(event.instrument) else { return };
        live.last = trade.price.to_f64();
        live.volume += u64::from(trade.size);
        if live.class.is_option() {
            self.totals.trades += 1;
            self.totals.volume += u64::from(trade.size);
        }
    }

    fn on_interest(&mut self, event: &Event) {
        let contracts = event.body::<market::Interest>().contracts;
        if self.known(event.instrument).is_none() {
            return;
        }
        let held = &mut self.interests[event.instrument as usize];
        let before = core::mem::replace(held, contracts);
        self.totals.interests += 1;
        self.totals.interest = self.totals.interest.wrapping_add(contracts).wrapping_sub(before);
    }

    // A venue-wide status names no instrument; nothing here hangs on it.
    fn on_status(&mut self, event: &Event) {
        if event.instrument == NO_INSTRUMENT {
            return;
        }
        let action = event.body::<market::Status>().action;
        if let Some(live) = self.known(event.instrument) {
            live.status = action;
        }
    }

    // Quotes carry the generation of their session: raising it makes all of them stale at once.
    fn on_loss(&mut self, source: u16) {
        self.totals.gaps += 1;
        let at = source as usize;
        if let (Some(generation), Some(stamp)) =
            (self.generations.get_mut(at), self.stamps.get_mut(at))
        {
            *generation += 1;
            *stamp += 1;
        }
    }

    // While the process was away everything may have changed. What comes from now on is fresh.
    fn on_run(&mut self) {
        self.generations.iter_mut().for_each(|generation| *generation += 1);
        self.stamps.copy_from_slice(&self.generations);
    }

    // The end of a recording is no loss: what it quoted last is what there is.
    fn on_session(&mut self, event: &Event) {
        let (state, at) = (event.body::<Session>().state, event.source as usize);
        let current = self.generations.get(at).copied();
        if let (Some(stamp), Some(current)) = (self.stamps.get_mut(at), current) {
            *stamp = current;
        }
        if [SessionState::DOWN, SessionState::STALE, SessionState::REFUSED].contains(&state) {
            self.on_loss(event.source);
        }
        // What comes in before it is up again was on its way too long.
        if let (SessionState::STALE, Some(stamp)) = (state, self.stamps.get_mut(at)) {
            *stamp -= 1;
        }
    }

    #[inline(always)]
    fn on_greeks(&mut self, event: &Event) {
        self.totals.greeks += 1;
        if let Some(held) = self.greeks.get_mut(event.instrument as usize) {
            *held = *event.body();
        }
    }

    fn on_forward(&mut self, event: &Event) {
        let index = event.instrument as usize;
        if index >= self.expiries_used {
            return;
        }
        let forward: &market::Forward = event.body();
        // By the years that it carries: a thread that only follows has an earlier time as yet.
        let left = forward.years.max(0.0) * SECONDS_PER_YEAR * NANOS_PER_SECOND as f64;
        let at = self.expiries[index].settles.saturating_sub(left as u64);
        let (years, pace) = self.vol_clock(index as u16, at);
        self.expiries[index].take(forward, years, pace);
    }

    fn on_smile(&mut self, event: &Event) {
        let used = self.expiries_used;
        if let Some(expiry) = self.expiries[..used].get_mut(event.instrument as usize) {
            expiry.smile = *event.body();
        }
    }

    fn on_definition(&mut self, event: &Event) {
        let index = event.instrument;
        let definition = *event.body::<market::Definition>();
        let Some(held) = self.instruments.get(index as usize).copied() else {
            self.totals.refused += 1;
            return;
        };
        if definition.class == NOBODY {
            self.totals.refused += 1;
            return;
        }
        self.count_class(held.class, -1);
        self.count_class(definition.class, 1);
        let instrument = self.terms(&definition);
        if same_terms(&held, &instrument) {
            let terms = &mut self.instruments[index as usize];
            (terms.mapped, terms.venue_id) = (instrument.mapped, instrument.venue_id);
            return;
        }
        self.displace(&held, index);
        self.place(instrument, index);
        if !instrument.class.is_option() {
            self.adopt(&definition, index);
        }
    }

    // A definition can refine what a mapping alone said, so it is counted anew.
    fn count_class(&mut self, class: market::Class, change: i64) {
        if class == NOBODY {
            return;
        }
        let totals = &mut self.totals;
        let count = if class.is_option() { &mut totals.options } else { &mut totals.others };
        *count = count.saturating_add_signed(change);
    }

    fn terms(&mut self, definition: &market::Definition) -> Instrument {
        let root = self.root_for(definition);
        let rules = root.and_then(|at| self.roots.get(at as usize));
        let settles = rules.filter(|_| definition.expiration != UNDEF_TIME).and_then(|rules| {
            let calendar = &self.calendars[rules.calendar as usize];
            calendar.settles(definition.expiration, rules.settle_second, rules.morning)
        });
        Instrument {
            class: definition.class,
            root: root.unwrap_or(NO_ROOT),
            expiry: NO_EXPIRY,
            row: 0,
            strike: definition.strike.to_f64(),
            settles: settles.unwrap_or(0),
            multiplier: rules.map_or_else(|| self.units(definition), |rules| rules.multiplier),
            name: definition.root,
            venue_id: definition.venue_id,
            mapped: definition.mapped != 0,
        }
    }

    // A share is one unit; a future has as many as the options on it, whatever their root.
    fn units(&self, definition: &market::Definition) -> f64 {
        match definition.class {
            market::Class::STOCK => 1.0,
            market::Class::FUTURE => {
                let product = product(definition.root);
                let root = self.roots.iter().find(|root| root.underlying == product);
                root.map_or(f64::NAN, |root| root.multiplier)
            }
            _ => f64::NAN,
        }
    }

    // An option's root, listed or met now; only options make roots.
    fn root_for(&mut self, definition: &market::Definition) -> Option<u16> {
        if !definition.class.is_option() {
            return None;
        }
        if let Some(found) = self.root_named(definition.root) {
            self.totals.unknown_roots += u64::from(!self.roots[found as usize].listed);
            return Some(found);
        }
        self.totals.unknown_roots += 1;
        let room = self.roots.len() < self.limits.roots_max;
        let rules = self.default.clone().filter(|_| room)?;
        self.roots.push(Root { name: definition.root, underlying: definition.root, ..rules });
        let root = self.roots.len() - 1;
        self.spots[root] = self.find_underlying(definition.root);
        Some(root as u16)
    }

    fn find_underlying(&self, name: [u8; 8]) -> u32 {
        let found = self
            .instruments
            .iter()
            .position(|i| i.class != NOBODY && !i.class.is_option() && i.name == name);
        found.map_or(NO_INSTRUMENT, |index| index as u32)
    }

    fn displace(&mut self, held: &Instrument, index: u32) {
        if held.expiry != NO_EXPIRY {
            let call = held.class == market::Class::CALL;
            let expiry = &mut self.expiries[held.expiry as usize];
            expiry.set(held.row as usize, call, NO_INSTRUMENT);
        }
        self.live[index as usize].expiry = NO_EXPIRY;
    }

    fn place(&mut self, mut instrument: Instrument, index: u32) {
        let rowless = !instrument.class.is_option() || instrument.root == NO_ROOT;
        if !rowless {
            match self.row_for(&instrument) {
                Some(place) => (instrument.expiry, instrument.row) = place,
                None => self.totals.refused += 1,
            }
        }
        let live = &mut self.live[index as usize];
        live.class = instrument.class;
        (live.expiry, live.row) = (instrument.expiry, instrument.row);
        self.instruments[index as usize] = instrument;
        if instrument.expiry != NO_EXPIRY {
            let call = instrument.class == market::Class::CALL;
            self.expiries[instrument.expiry as usize].set(instrument.row as usize, call, index);
            self.mark(instrument.expiry, instrument.row);
        }
    }

    fn row_for(&mut self, terms: &Instrument) -> Option<(u16, u16)> {
        if terms.settles == 0 || !terms.strike.is_finite() {
            return None;
        }
        let at = self.expiry_for(terms.root, terms.settles)?;
        let Chain { expiries, instruments, live, .. } = self;
        let row = expiries[at as usize].insert(terms.strike, |index, row| {
            if index != NO_INSTRUMENT {
                instruments[index as usize].row = row;
                live[index as usize].row = row;
            }
        })?;
        Some((at, row as u16))
    }

    fn expiry_for(&mut self, root: u16, settles: Timestamp) -> Option<u16> {
        let used = self.expiries_used;
        let same = |e: &super::Expiry| e.root == root && e.settles == settles;
        if let Some(found) = self.expiries[..used].iter().position(same) {
            return Some(found as u16);
        }
        let fresh = self.expiries.get_mut(used)?;
        (fresh.root, fresh.settles) = (root, settles);
        self.expiries_used += 1;
        Some(used as u16)
    }

    // An underlying: every root that names it takes its spot from it, the nearest future first.
    fn adopt(&mut self, definition: &market::Definition, index: u32) {
        let future = definition.class == market::Class::FUTURE;
        for root in 0..self.roots.len() {
            let wanted = self.roots[root].underlying;
            let exact = wanted == definition.root;
            if wanted == [0; 8] || !(exact || future && product(definition.root) == wanted) {
                continue;
            }
            let held = self.spots[root];
            let nearer = held == NO_INSTRUMENT
                || !future
                || definition.expiration < self.instruments[held as usize].settles;
            if nearer {
                self.spots[root] = index;
            }
        }
        if future {
            self.instruments[index as usize].settles = definition.expiration;
        }
    }
}

fn same_terms(a: &Instrument, b: &Instrument) -> bool {
    let strike = a.strike == b.strike || a.strike.is_nan() && b.strike.is_nan();
    a.class == b.class && strike && a.name == b.name && a.settles == b.settles && a.root == b.root
}

/// The product of a future's symbol: `ESM4` is `ES` with a month letter and a year.
pub(super) fn product(mut name: [u8; 8]) -> [u8; 8] {
    let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
    let digits = name[..end].iter().rev().take_while(|b| b.is_ascii_digit()).count();
    if digits > 0 && end > digits + 1 {
        name[end - digits - 1..].fill(0);
    }
    name
}
