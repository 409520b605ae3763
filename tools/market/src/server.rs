//! The loop: a market and two listeners in; both ports served on one thread, a summary out.

use crate::{
    broker::Broker,
    clock::Clock,
    fault::{self, Fate, Fates, Plan},
    gateway::Gateway,
    lsg::{Context, Keys},
    pace::Pace,
    record::{Fields, bits_by_rtype},
    source::{Item, Source},
    stats::{Intended, Wire},
    udp::Multicast,
    venue::{Exchange, Ledger, Terms},
};
use std::{
    io,
    net::TcpListener,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Records between two looks at the order port.
const BATCH_MAX: usize = 256;
/// Between two looks at what needs no haste: new connections, subscriptions, heartbeats.
const CHORES_NS: u64 = 500_000;
const BITS: [u32; 256] = bits_by_rtype();

/// What the thread does when nothing is due.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Idle {
    /// Keeps its core.
    Spin,
    /// Offers its core to others and goes on.
    #[default]
    Yield,
    /// Sleeps for 50 µs: for tests and demonstrations on a shared machine.
    Sleep,
}

/// How to serve.
#[derive(Debug)]
pub struct Settings {
    /// Sessions that must have started before the clock starts.
    pub sessions: usize,
    /// Whether an order session must be logged on too.
    pub wait_orders: bool,
    /// Good API keys.
    pub keys: Keys,
    /// The market's time to wall time; `None` for flat out.
    pub speed: Option<f64>,
    /// How the exchange treats orders.
    pub terms: Terms,
    /// What goes wrong.
    pub plan: Plan,
    /// Of faults and challenges.
    pub seed: u64,
    /// When nothing is due.
    pub idle: Idle,
    /// After the end, how long the order port stays open for clients that do not log out, ns.
    pub linger_ns: u64,
}

/// What was served.
#[derive(Debug)]
pub struct Summary {
    /// Records that the market produced.
    pub records: u64,
    /// Records handed to sessions.
    pub sent: u64,
    /// Orders, cancels, packages filled.
    pub orders: (u64, u64, u64),
    /// Faults: dropped, doubled, delayed, spoilt.
    pub faults: [u64; 4],
    /// Datagrams.
    pub datagrams: u64,
    /// From the start of the clock to the last record, ns.
    pub took_ns: u64,
    /// Wire-to-wire.
    pub wire: Wire,
    /// Inquiries after orders.
    pub inquiries: u64,
    /// Questions for all open orders that came.
    pub audits: u64,
    /// Orders and positions as the exchange has them.
    pub ledger: Ledger,
}

/// The server.
pub struct Server {
    settings: Settings,
    source: Box<dyn Source>,
    clock: Clock,
    gateway: Gateway,
    broker: Broker,
    exchange: Exchange,
    udp: Vec<Multicast>,
    fates: Fates,
    wire: Wire,
    intended: Option<Intended>,
    started: u64,
    chores_due: u64,
    cut_due: Option<u64>,
    /// The market's time of the last record.
    at: u64,
    records: u64,
    took_ns: u64,
    delayed: Option<(u64, u8, u32, Vec<u8>)>,
}

impl Server {
    /// A server on bound listeners.
    pub fn new(
        settings: Settings,
        source: Box<dyn Source>,
        data: TcpListener,
        orders: TcpListener,
        udp: Vec<Multicast>,
    ) -> io::Result<Server> {
        let clock = Clock::start();
        let fault::Plan { reject, repeat, astray, .. } = settings.plan;
        let terms = Terms { reject, repeat, astray, ..settings.terms };
        let exchange = Exchange::new(source.catalog().listed.len(), terms, settings.seed);
        let wire = Wire::new().ok_or_else(|| io::Error::other("histogram bounds"))?;
        let gateway = Gateway::new(data, clock.now() ^ settings.seed)?;
        let fates = Fates::new(&settings.plan, settings.seed);
        Ok(Server {
            broker: Broker::new(orders)?,
            settings,
            source,
            clock,
            gateway,
            exchange,
            udp,
            fates,
            wire,
            intended: None,
            started: 0,
            chores_due: 0,
            cut_due: None,
            at: 0,
            records: 0,
            took_ns: 0,
            delayed: None,
        })
    }

    /// Serves until the market has ended and its clients have gone, or until told to stop.
    pub fn run(mut self, stop: &AtomicBool) -> Summary {
        let mut ended: Option<u64> = None;
        while !stop.load(Ordering::Relaxed) {
            let now = self.clock.now();
            let mut busy = false;
            if now >= self.chores_due {
                self.chores(now, ended.is_some());
            }
            if self.intended.is_some() && ended.is_none() {
                busy = self.pump(now);
                if self.source.peek().is_none()
                    && self.delayed.is_none()
                    && !self.gateway.is_behind()
                {
                    ended = self.gateway.is_drained().then_some(now);
                    ended.iter().for_each(|_| self.gateway.end());
                }
            }
            busy |= self.orders();
            if let Some(when) = ended {
                let late = now - when > self.settings.linger_ns;
                if late || !self.broker.desk.is_up() {
                    break;
                }
            }
            if !busy {
                self.rest();
            }
        }
        self.close()
    }

    fn chores(&mut self, now: u64, ended: bool) {
        self.chores_due = now + CHORES_NS;
        self.broker.on_time(now);
        if ended {
            return self.gateway.flush(now);
        }
        let ts = if self.at > 0 { self.at } else { self.source.opens() };
        let context = Context { catalog: self.source.catalog(), keys: &self.settings.keys, ts };
        self.gateway.poll(context, now);
        let enough = self.gateway.started() >= self.settings.sessions
            && (!self.settings.wait_orders || self.broker.desk.is_up());
        if self.intended.is_none() && enough {
            self.source.on_start(now);
            let (opens, speed) = (self.source.opens(), self.settings.speed);
            let pace = Pace::new(opens, now, speed, self.settings.plan.burst);
            self.intended = Some(Intended::new(pace));
            self.started = now;
            self.cut_due = self.settings.plan.disconnect.map(|d| now + d.at_ns);
        }
        if self.intended.is_some() {
            self.gateway.start(self.source.as_ref(), ts, now);
        }
        if self.cut_due.is_some_and(|due| now >= due) {
            self.gateway.cut();
            let every = self.settings.plan.disconnect.map_or(0, |d| d.every_ns);
            self.cut_due = (every > 0).then_some(now + every);
        }
        self.gateway.flush(now);
    }

    /// Sends what is due; whether there was something.
    fn pump(&mut self, now: u64) -> bool {
        let flat_out = self.settings.speed.is_none();
        let deaf = flat_out && self.settings.sessions > 0 && !self.gateway.streams();
        if self.gateway.is_behind() || deaf || self.is_stalled(now) {
            self.gateway.flush(now);
            return false;
        }
        let mut count = 0;
        while count < BATCH_MAX
            && let Some(at) = self.source.peek()
            && self.is_due(at, now)
        {
            self.emit(now);
            self.at = self.at.max(at);
            count += 1;
        }
        if count == 0 && self.source.peek().is_none() {
            self.release(now);
        }
        if count > 0 {
            if let Some(intended) = &mut self.intended {
                intended.on_batch(self.at, now);
            }
            self.records += count as u64;
            self.took_ns = now - self.started;
            self.udp.iter_mut().for_each(Multicast::flush);
        }
        self.gateway.flush(now);
        count > 0
    }

    #[inline]
    fn is_due(&self, at: u64, now: u64) -> bool {
        let due = self.intended.as_ref().and_then(|i| i.pace().due(at));
        due.is_none_or(|due| due <= now)
    }

    fn is_stalled(&self, now: u64) -> bool {
        let since = now - self.started;
        self.settings.plan.stall.is_some_and(|(at, long)| (at..at + long).contains(&since))
    }

    fn emit(&mut self, now: u64) {
        let item = self.source.take();
        let bits = BITS[usize::from(item.bytes.rtype())];
        self.exchange.on_record(item.index, item.bytes);
        if let Some(udp) = self.udp.get_mut(usize::from(item.channel)) {
            udp.on_record(&item);
        }
        match self.fates.draw() {
            Fate::Sent => self.gateway.offer(&item, bits, now),
            Fate::Dropped => {}
            Fate::Doubled => {
                self.gateway.offer(&item, bits, now);
                self.gateway.offer(&item, bits, now);
            }
            Fate::Spoilt => {
                self.gateway.spoil(&self.fates.garbage());
                self.gateway.offer(&item, bits, now);
            }
            Fate::Delayed => {
                let held = (item.at, item.channel, item.index, item.bytes.to_vec());
                if let Some(before) = self.delayed.replace(held) {
                    offer(&mut self.gateway, before, now);
                }
                return;
            }
        }
        self.release(now);
    }

    /// Sends the record that waited for its successor.
    fn release(&mut self, now: u64) {
        if let Some(held) = self.delayed.take() {
            offer(&mut self.gateway, held, now);
        }
    }

    /// Reads orders, lets the exchange work, tells what it has done; whether there was something.
    fn orders(&mut self) -> bool {
        let (clock, wire, intended) = (self.clock, &mut self.wire, &self.intended);
        let catalog = self.source.catalog();
        let busy =
            self.broker.read(&|| clock.now(), &mut self.exchange, catalog, &mut |request, came| {
                let cause = request.caused_by.filter(|&ts| ts != u64::MAX);
                let then = cause.and_then(|ts| intended.as_ref().and_then(|i| i.of(ts)));
                wire.record(then, came);
            });
        let now = clock.now();
        self.exchange.advance(now);
        self.broker.flush(&mut self.exchange, catalog, now);
        busy
    }

    fn rest(&self) {
        match self.settings.idle {
            Idle::Spin => std::hint::spin_loop(),
            Idle::Yield => std::thread::yield_now(),
            Idle::Sleep => std::thread::sleep(Duration::from_micros(50)),
        }
    }

    fn close(mut self) -> Summary {
        let now = self.clock.now();
        self.gateway.flush(now);
        self.gateway.end();
        self.broker.desk.logout("The market is closed", now);
        self.broker.flush(&mut self.exchange, self.source.catalog(), now);
        let desk = &self.broker.desk;
        Summary {
            records: self.records,
            sent: self.gateway.sent,
            orders: (desk.orders, desk.cancels, desk.packages),
            faults: self.fates.counts,
            datagrams: self.udp.iter().map(|u| u.sent).sum(),
            took_ns: self.took_ns,
            inquiries: desk.inquiries,
            audits: desk.audits,
            ledger: self.exchange.ledger(self.source.catalog()),
            wire: self.wire,
        }
    }
}

fn offer(gateway: &mut Gateway, (at, channel, index, bytes): (u64, u8, u32, Vec<u8>), now: u64) {
    let bits = BITS[usize::from(bytes.rtype())];
    gateway.offer(&Item { at, channel, index, bytes: &bytes }, bits, now);
}
