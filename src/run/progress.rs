//! Counters in; one line for the operator while the run lasts, and a summary at its end, out.

use super::say::{print, println};
use crate::{
    journal::Relived,
    rt::{counters::Counters, histogram::Snapshot},
};
use core::sync::atomic::Ordering;
use std::{
    format,
    io::{IsTerminal, Write, stdout},
    string::String,
    vec::Vec,
};

/// What the operator sees of the counters.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    rows: Vec<(String, String, u64)>,
    pub(super) working_orders: u64,
    pub(super) open_packages: u64,
}

impl View {
    /// As they are now.
    pub(super) fn of(counters: &Counters) -> View {
        let read = counters.read().into_iter();
        let rows = read.map(|r| (r.label.group, r.label.name, r.value)).collect();
        let mut view = View { rows, working_orders: 0, open_packages: 0 };
        view.working_orders = view.get("book", "working_orders");
        view.open_packages = view.get("book", "open_packages");
        view
    }

    /// One count; 0 where there is none.
    pub(super) fn get(&self, group: &str, name: &str) -> u64 {
        let found = self.rows.iter().find(|row| row.0 == group && row.1 == name);
        found.map_or(0, |row| row.2)
    }

    /// The sum of a count over all groups that have it.
    fn sum(&self, name: &str) -> u64 {
        self.rows.iter().filter(|row| row.1 == name).map(|row| row.2).sum()
    }

    /// Sessions of the run that the book has seen begin.
    pub(super) fn sessions(&self) -> u64 {
        self.get("book", "sessions")
    }

    /// What taking up the run came to.
    pub(super) fn resumed(&self, told: &Relived) -> String {
        let halted = self.get("book", "halted") == 1;
        format!(
            "resumed: {} inputs and {} outputs came again in {:.1} ms, {} outputs that the \
             end had cut off were written; {} orders in doubt, {} instruments held{}",
            told.inputs,
            told.equal.load(Ordering::Relaxed),
            told.took_ns.load(Ordering::Relaxed) as f64 / 1e6,
            told.added.load(Ordering::Relaxed),
            self.get("book", "in_doubt"),
            self.get("book", "positions"),
            if halted { "; trading is halted" } else { "" },
        )
    }

    fn doubts(&self) -> String {
        match (self.get("book", "in_doubt"), self.get("book", "differences")) {
            (0, 0) => String::new(),
            (0, rows) => format!("  THE BROKER DIFFERS in {rows}: nothing is opened"),
            (orders, _) => format!("  {orders} ORDERS IN DOUBT: nothing is sent"),
        }
    }

    fn pnl(&self) -> String {
        let cents = self.get("book", "pnl_cents") as i64;
        let known = self.get("book", "pnl_known") == 1;
        if known { format!("{:+.2}", cents as f64 / 100.0) } else { "unknown".into() }
    }

    /// What the run did, in the units of a recording's description.
    pub(super) fn summary(&self) -> Vec<String> {
        let market = |name: &str| self.get("market", name);
        Vec::from([
            format!(
                "records   {} in {} bytes: {} mappings, {} definitions, {} open-interest, \
                 {} quotes, {} trades",
                self.sum("records"),
                self.sum("bytes"),
                self.sum("mappings"),
                self.sum("definitions"),
                self.sum("interests") - market("interests"),
                self.sum("quotes") - market("quotes"),
                self.sum("trades") - market("trades"),
            ),
            format!(
                "options   {} instruments, {} quotes of size sum {}, {} trades of volume {}, open \
                 interest {}",
                market("options"),
                market("quotes"),
                market("quote_size"),
                market("trades"),
                market("volume"),
                market("open_interest"),
            ),
            format!(
                "quality   {} one-sided, {} empty, {} locked, {} crossed; {} underlying quotes; {} \
                 gaps, {} faults, {} unknown instruments",
                market("one_sided"),
                market("empty"),
                market("locked"),
                market("crossed"),
                market("underlying_quotes"),
                self.sum("gaps") - market("gaps"),
                self.sum("faults"),
                market("unknown_instruments"),
            ),
            format!(
                "trading   {} decisions, {} orders, {} cancels, {} refusals, {} contracts traded, \
                 {} packages open, fees {:.2}, P&L {}",
                self.get("outcome", "decisions"),
                self.get("outcome", "orders"),
                self.get("outcome", "cancels"),
                self.get("outcome", "refusals"),
                self.get("book", "traded"),
                self.get("book", "open_packages"),
                self.get("book", "fees_cents") as f64 / 100.0,
                self.pnl(),
            ),
            format!(
                "machine   {} allocations and {} page faults on hot threads after start, \
                 {} stalls, longest round {:.1} µs, {} waits on full rings",
                self.sum("allocations_after_start"),
                self.sum("faults_after_start"),
                self.sum("stalls"),
                self.rows.iter().filter(|r| r.1 == "round_ns_max").map(|r| r.2).max().unwrap_or(0)
                    as f64
                    / 1e3,
                self.sum("ring_waits"),
            ),
        ])
    }
}

/// Tells how the run goes: a line that changes on a terminal, a line a second elsewhere.
#[derive(Debug)]
pub(super) struct Progress {
    terminal: bool,
    events: u64,
}

impl Progress {
    pub(super) fn new() -> Progress {
        Progress { terminal: stdout().is_terminal(), events: 0 }
    }

    /// One line: how far, how fast, what was done.
    pub(super) fn line(&mut self, view: &View, trade: Option<&Snapshot>, ran: u64, since: u64) {
        let events = view.get("feed", "events");
        let rate = (events - self.events) as f64 / (since.max(1) as f64 / 1e9);
        self.events = events;
        let latency = trade.filter(|t| !t.counts.is_empty()).map_or(String::new(), |trade| {
            let micros = |q| trade.counts.value_at_quantile(q) as f64 / 1e3;
            format!("  tick-to-trade p50 {:.1} p99 {:.1} µs", micros(0.5), micros(0.99))
        });
        let text = format!(
            "{:4} s  {} {:>9} events {:>8.0}/s  {} options  {} Greeks  {} orders  {} fills  \
             {} open  P&L {}{}{latency}",
            ran / 1_000_000_000,
            clock_face(view.get("market", "now")),
            events,
            rate,
            view.get("market", "options"),
            view.get("market", "greeks"),
            view.get("outcome", "orders"),
            view.get("book", "traded"),
            view.get("book", "open_packages"),
            view.pnl(),
            view.doubts(),
        );
        if self.terminal {
            print!("\r\x1b[2K{text}")
        } else {
            println!("{text}")
        }
        // A closed pipe is no reason to stop trading.
        drop(stdout().flush());
    }

    /// Something that the operator must see between two lines.
    pub(super) fn note(&self, text: &str) {
        println!("{}{text}", if self.terminal { "\r\x1b[2K" } else { "" });
    }

    /// The last line stays.
    pub(super) fn end(&self) {
        if self.terminal {
            println!();
        }
    }
}

/// The market's time as UTC hours, minutes and seconds.
fn clock_face(now: u64) -> String {
    let second = now / 1_000_000_000 % 86_400;
    format!("{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}
