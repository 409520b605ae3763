//! One step of market, broker and engine: bytes carried, cut and lost between them.

use super::{
    intake::{BROKER, MARKET, State},
    pipe::{Pipe, Wire},
    weakness::Weakness,
    world::{World, command},
};
use crate::{
    sim::{Fault, gateway::Way, records},
    wire::control::Verb,
};
use std::{mem, rc::Rc, vec::Vec};

impl World {
    pub(super) fn move_market(&mut self) {
        if self.bad.strikes(Fault::Silence) {
            self.silent_until = self.now + self.bad.below(6_000_000_000);
        }
        self.pause();
        if self.now < self.silent_until {
            return;
        }
        let World { now, dice, bad, market, gateway, .. } = self;
        for _ in 0..dice.between(0, 6) {
            let place = market.place(dice);
            market.quote(place, *now, dice, bad);
            let mut list = Vec::new();
            let (contract, best) = (&market.contracts[place], market.best[place]);
            match dice.below(30) {
                0 => records::interest(&mut list, contract, dice.below(9_999) as i64, *now),
                1 => records::definition(&mut list, contract, *now),
                2 => records::trade(&mut list, contract, best.ask, best.ask_size, *now),
                _ => {}
            }
            records::quote(&mut list, contract, &best, *now);
            if bad.strikes(Fault::Twice) {
                records::quote(&mut list, contract, &best, *now);
            }
            if bad.strikes(Fault::Alien) {
                records::alien(&mut list);
            }
            gateway.send(&list, *now, bad);
        }
        if dice.chance(0.02) {
            let mut beat = Vec::new();
            records::heartbeat(&mut beat, *now);
            gateway.send(&beat, *now, bad);
        }
    }

    /// Trading pauses, and goes on later.
    pub(super) fn pause(&mut self) {
        let World { now, bad, market, gateway, paused, .. } = self;
        let mut list = Vec::new();
        if bad.strikes(Fault::Pause) {
            let place = bad.below(market.contracts.len() as u64) as usize;
            let which = (bad.below(3) > 0).then_some(place);
            let contract = which.map(|place| &market.contracts[place]);
            records::status(&mut list, contract, records::HALTED, *now);
            paused.push((*now + bad.below(2_000_000_000), which));
        }
        while let Some(at) = paused.iter().position(|(until, _)| until <= now) {
            let (_, which) = paused.swap_remove(at);
            let contract = which.map(|place| &market.contracts[place]);
            records::status(&mut list, contract, records::TRADING, *now);
        }
        gateway.send(&list, *now, bad);
    }

    /// The way between the gate and the broker, in both directions.
    pub(super) fn move_broker(&mut self) {
        let (now, wire) = (self.now, self.wire.clone());
        if let Some(wire) = &wire {
            let slow = self.bad.strikes(Fault::Slow);
            wire.room.set(slow.then(|| self.bad.below(200) as usize));
            let bytes = mem::take(&mut *wire.bytes.borrow_mut());
            self.broker.borrow_mut().on_bytes(&bytes, &self.market, now, &mut self.bad);
        }
        self.broker.borrow_mut().on_time(now, &self.market, &mut self.bad);
        let cut = wire.is_some() && self.bad.strikes(Fault::Cut);
        let (mut bytes, closing) = {
            let mut broker = self.broker.borrow_mut();
            (mem::take(&mut broker.bytes), broker.closing)
        };
        if cut {
            bytes.truncate(self.bad.below(bytes.len() as u64 + 1) as usize);
        }
        self.deliver(BROKER, &bytes);
        let gone = wire.as_ref().is_some_and(|wire| wire.closed.get());
        if cut || closing || gone {
            self.hang_up_broker();
        }
    }

    pub(super) fn hang_up_broker(&mut self) {
        let now = self.now;
        if let Some(wire) = self.wire.take() {
            self.lose_wire(&wire);
        }
        if !matches!(self.engine().intake.state(BROKER), State::Down { .. }) {
            self.engine().feed(|intake, out| intake.on_closed(BROKER, now, out));
        }
    }

    /// What was on its way arrives up to some byte.
    pub(super) fn lose_wire(&mut self, wire: &Wire) {
        wire.closed.set(true);
        let mut bytes = mem::take(&mut *wire.bytes.borrow_mut());
        bytes.truncate(self.dice.below(bytes.len() as u64 + 1) as usize);
        let mut broker = self.broker.borrow_mut();
        broker.on_bytes(&bytes, &self.market, self.now, &mut self.bad);
        broker.on_disconnect();
    }

    pub(super) fn move_operator(&mut self) {
        if self.bad.strikes(Fault::Stop) {
            self.command = Some(command(Verb::STOP));
        }
        if self.bad.strikes(Fault::Leave) {
            self.command = Some(command(Verb::LEAVE));
        }
        if self.bad.strikes(Fault::Kill) {
            self.command = Some(command(Verb::KILL));
        }
        if self.bad.strikes(Fault::Crash) {
            let points = self.bad.below(200);
            self.engine().fuse.light(points);
        }
    }

    pub(super) fn move_engine(&mut self) {
        let now = self.now;
        self.read_market();
        self.engine().answer(now);
        let mut command = self.command.take();
        let dropped = self.engine().feed(|intake, out| intake.on_time(now, &mut command, out));
        self.command = command;
        if dropped[BROKER] {
            self.hang_up_broker();
        }
        if dropped[MARKET] {
            self.gateway.on_disconnect();
        }
        self.engine().answer(now);
        self.connect();
    }

    pub(super) fn read_market(&mut self) {
        let now = self.now;
        while let Some(datagram) = self.gateway.datagrams.pop_front() {
            self.engine().feed(|intake, out| intake.on_bytes(MARKET, &datagram, now, out));
        }
        let lines = self.engine().intake.outbox();
        if !lines.is_empty() {
            self.gateway.on_bytes(&lines, &self.market, now);
        }
        let mut bytes = mem::take(&mut self.gateway.bytes);
        let hangs_up = self.gateway.way == Way::Stream && self.bad.strikes(Fault::Hangup);
        if hangs_up {
            bytes.truncate(self.bad.below(bytes.len() as u64 + 1) as usize);
        }
        self.deliver(MARKET, &bytes);
        let down = matches!(self.engine().intake.state(MARKET), State::Down { .. });
        if hangs_up && !down {
            self.engine().feed(|intake, out| intake.on_closed(MARKET, now, out));
        }
        if hangs_up || down {
            self.gateway.on_disconnect();
        }
    }

    /// Hands bytes over in reads of any length.
    pub(super) fn deliver(&mut self, place: usize, bytes: &[u8]) {
        let (now, mut rest) = (self.now, bytes);
        while !rest.is_empty() {
            if matches!(self.engine().intake.state(place), State::Down { .. }) {
                return;
            }
            let all = rest.len() as u64;
            let len = if self.dice.chance(0.3) { 1 + self.dice.below(all) } else { all };
            let (read, later) = rest.split_at(len as usize);
            self.engine().feed(|intake, out| intake.on_bytes(place, read, now, out));
            self.engine().answer(now);
            rest = later;
        }
    }

    pub(super) fn connect(&mut self) {
        let now = self.now;
        if self.engine().intake.wants(MARKET, now) {
            self.gateway.on_connect();
            self.engine().feed(|intake, out| intake.on_connected(MARKET, now, out));
        }
        if !self.engine().intake.wants(BROKER, now) {
            return;
        }
        if self.dice.chance(0.1) {
            return self.engine().feed(|intake, out| intake.on_refused(BROKER, now, out));
        }
        let wire = Rc::new(Wire::default());
        let witness = Rc::clone(&self.witness);
        let twice = self.weakness == Some(Weakness::SendTwice);
        let on_write = Rc::new(move |bytes: &[u8]| {
            witness.borrow_mut().on_write(bytes);
            if twice {
                witness.borrow_mut().on_write(bytes);
            }
        });
        let fuse = Rc::clone(&self.engine().fuse);
        let pipe = Pipe { wire: Rc::clone(&wire), fuse, on_write };
        let taken = self.engine().pipes.try_send(pipe).is_ok();
        debug_assert!(taken, "the gate takes every pipe before the next one");
        self.broker.borrow_mut().on_connect(now);
        self.wire = Some(wire);
        self.engine().feed(|intake, out| intake.on_connected(BROKER, now, out));
    }
}
