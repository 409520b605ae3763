//! Sessions, trading status and commands in; whether trading is possible and allowed out.

use crate::wire::{
    Event, Kind, NO_INSTRUMENT,
    control::{Clock, Command, Disk, DiskState, Session, SessionState, Verb},
    market::Status,
};
use alloc::{vec, vec::Vec};

/// What the outside has said of trading.
#[derive(Debug)]
pub struct Venue {
    /// Whether the broker's session is logged on.
    pub broker_up: bool,
    /// The operator wants the run to end: nothing new is opened.
    pub stopping: bool,
    /// The kill switch: no order leaves any more.
    pub killed: bool,
    /// The stop's time is over: as killed, but for this session alone.
    pub leaving: bool,
    /// How far the system's clocks are from ours, the further of them, ns.
    pub drift: u64,
    /// How the journal stands: while it does not keep up, nothing is opened.
    pub disk: DiskState,
    /// The breaker that halts trading: the bit number of its limit. Only the operator resets it.
    pub halted: Option<u32>,
    /// Volatility of the market a year, by whatever measures it; NaN where nothing does.
    pub volatility: f64,
    broker: u16,
    market_closed: bool,
    closed: Vec<u64>,
}

/// DBN's status actions that leave trading as it is: none, and a change of the short-sale rule.
const NO_CHANGE: [u16; 2] = [0, 14];
/// DBN's status action for trading.
const TRADING: u16 = 7;

impl Venue {
    pub(super) fn new(broker: u16, instruments_max: usize) -> Venue {
        Venue {
            broker_up: false,
            stopping: false,
            killed: false,
            leaving: false,
            drift: 0,
            disk: DiskState::KEEPS_UP,
            halted: None,
            volatility: f64::NAN,
            broker,
            market_closed: false,
            closed: vec![0; instruments_max.div_ceil(64)],
        }
    }

    /// A session of the run begins: nothing is connected, and a stop was meant for the one before.
    /// The journal is another one too. Kill switch and halts stay until the operator starts a run
    /// of its own.
    pub(super) fn begin(&mut self) {
        (self.broker_up, self.stopping, self.leaving) = (false, false, false);
        self.disk = DiskState::KEEPS_UP;
    }

    /// Whether no order may leave any more, and all that work are to be cancelled.
    #[inline]
    pub fn is_over(&self) -> bool {
        self.killed || self.leaving
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match event.kind {
            Kind::SESSION if event.source == self.broker => {
                self.broker_up = event.body::<Session>().state == SessionState::UP;
            }
            Kind::STATUS => self.status(event.instrument, event.body::<Status>().action),
            Kind::CLOCK => {
                let clock: &Clock = event.body();
                self.drift = clock.wall_ahead.unsigned_abs().max(clock.raw_ahead.unsigned_abs());
            }
            Kind::DISK => self.disk = event.body::<Disk>().state,
            Kind::COMMAND => self.command(event.body::<Command>().verb),
            _ => {}
        }
    }

    /// Whether an instrument can be traded; one that nobody spoke of can.
    #[inline]
    pub fn is_trading(&self, instrument: u32) -> bool {
        let word = self.closed.get(instrument as usize / 64).copied().unwrap_or(0);
        !self.market_closed && word >> (instrument % 64) & 1 == 0
    }

    fn status(&mut self, instrument: u32, action: u16) {
        if NO_CHANGE.contains(&action) {
            return;
        }
        let closed = action != TRADING;
        if instrument == NO_INSTRUMENT {
            self.market_closed = closed;
        } else if let Some(word) = self.closed.get_mut(instrument as usize / 64) {
            let bit = 1 << (instrument % 64);
            *word = if closed { *word | bit } else { *word & !bit };
        }
    }

    fn command(&mut self, verb: Verb) {
        match verb {
            Verb::STOP => self.stopping = true,
            Verb::KILL => self.killed = true,
            Verb::LEAVE => self.leaving = true,
            _ => {}
        }
    }
}
