//! The broker without sockets: FIX bytes in, FIX bytes out, against quotes that the test sets.
#![allow(missing_docs)]

mod common;

use common::{OPEN, calls, quote};
use zomma_market::{
    catalog::{Catalog, osi},
    fix::{Body, Desk, Message, Parsed, frame, parse},
    venue::{Exchange, Terms},
};

const MS: u64 = 1_000_000;

/// A broker with one client that writes what the test says, and reads what comes back.
struct Table {
    desk: Desk,
    exchange: Exchange,
    catalog: Catalog,
    now: u64,
    line: u64,
    seq: u64,
    causes: Vec<Option<u64>>,
}

impl Table {
    fn new(terms: Terms) -> Table {
        let mut catalog = Catalog::default();
        for (id, contract) in (1..).zip(calls()) {
            let index = catalog.index_of(0, id);
            catalog.name(index, &osi(&contract));
        }
        let exchange = Exchange::new(2, terms, 1);
        let (desk, causes) = (Desk::default(), Vec::new());
        Table { desk, exchange, catalog, now: OPEN, line: 0, seq: 1, causes }
    }

    /// Connected and logged on with fresh numbers.
    fn logged_on(terms: Terms) -> Table {
        let mut table = Table::new(terms);
        table.connect();
        let said = table.say("A", Body::default().with(98, 0).with(108, 30).with(141, "Y"));
        assert_eq!((said[0].kind(), said[0].get(141)), ("A", Some("Y")));
        table
    }

    fn connect(&mut self) {
        self.line += 1;
        self.desk.open(self.line, self.now);
    }

    fn say(&mut self, kind: &str, body: Body) -> Vec<Message> {
        let seq = self.seq;
        self.seq += 1;
        self.say_as(kind, seq, body)
    }

    fn say_as(&mut self, kind: &str, seq: u64, body: Body) -> Vec<Message> {
        let header = Body::default().with(35, kind).with(49, "ME").with(56, "MARKET").with(34, seq);
        let bytes = frame(&header.with(52, "20240119-14:30:00.000"), &body);
        let causes = &mut self.causes;
        let mut each = |request: zomma_market::fix::Request| causes.push(request.caused_by);
        let (exchange, catalog) = (&mut self.exchange, &self.catalog);
        self.desk.on_bytes(self.line, &bytes, self.now, exchange, catalog, &mut each);
        self.heard()
    }

    /// What has come back.
    fn heard(&mut self) -> Vec<Message> {
        self.exchange.advance(self.now);
        self.desk.tell(self.exchange.take_executions(), &self.catalog, self.now);
        let Some((out, _)) = self.desk.outbox(self.line) else { return Vec::new() };
        let bytes = std::mem::take(out);
        let (mut at, mut all) = (0, Vec::new());
        while let Parsed::Whole(message, used) = parse(&bytes[at..]) {
            all.push(message);
            at += used;
        }
        assert_eq!(at, bytes.len());
        all
    }

    fn is_closing(&mut self) -> bool {
        self.desk.outbox(self.line).is_some_and(|(_, closing)| closing)
    }

    fn quote(&mut self, id: u32, bid: (i64, u32), ask: (i64, u32)) -> Vec<Message> {
        self.exchange.on_record(id - 1, &quote(id, 0, bid, ask));
        self.heard()
    }
}

fn single(id: &str, side: u8, quantity: u32, price: &str) -> Body {
    Body::default()
        .with(11, id)
        .with(526, 1_705_674_600_000_000_777u64)
        .with(55, "SPXW")
        .with(167, "OPT")
        .with(461, "OCXXXX")
        .with(541, 20_240_119)
        .with(202, 4800)
        .with(201, 1)
        .with(54, side)
        .with(38, quantity)
        .with(40, 2)
        .with(44, price)
}

/// Buys the lower call and sells the upper one.
fn vertical(id: &str, quantity: u32, price: &str) -> Body {
    let leg = |body: Body, strike: u32, side: u8| {
        body.with(600, "SPXW")
            .with(608, "OCXXXX")
            .with(611, 20_240_119)
            .with(612, strike)
            .with(623, 1)
            .with(624, side)
    };
    let head = Body::default().with(11, id).with(55, "SPXW").with(54, 1).with(38, quantity);
    let body = head.with(40, 2).with(44, price).with(555, 2);
    leg(leg(body, 4800, 1), 4810, 2)
}

fn shape(messages: &[Message]) -> Vec<String> {
    let field = |m: &Message, tag| m.get(tag).unwrap_or("-").to_string();
    let tags = [35, 150, 39, 32, 31, 14, 151, 442, 654];
    messages.iter().map(|m| tags.map(|tag| field(m, tag)).join(" ")).collect()
}

#[test]
fn a_buyer_gets_what_is_offered_and_the_rest_when_it_is() {
    let mut table = Table::logged_on(Terms::default());
    table.quote(1, (100, 5), (110, 3));
    let heard = table.say("D", single("a", 1, 5, "1.10"));
    assert_eq!(shape(&heard), ["8 0 0 - - 0 5 - -", "8 F 1 3 1.1 3 2 - -"]);
    assert_eq!(heard[1].get(11), Some("a"));
    assert_eq!(table.causes, [Some(1_705_674_600_000_000_777)]);
    assert_eq!(shape(&table.quote(1, (100, 5), (115, 9))), Vec::<String>::new(), "too dear");
    let heard = table.quote(1, (100, 5), (105, 9));
    assert_eq!(shape(&heard), ["8 F 2 2 1.05 5 0 - -"]);
    assert_eq!(heard[0].get(6), Some("1.08"), "3 at 1.10 and 2 at 1.05");
}

#[test]
fn what_was_taken_is_gone_until_the_next_quote() {
    let mut table = Table::logged_on(Terms::default());
    table.quote(1, (100, 5), (110, 3));
    table.say("D", single("a", 1, 3, "1.10"));
    assert_eq!(shape(&table.say("D", single("b", 1, 1, "1.10"))), ["8 0 0 - - 0 1 - -"]);
    assert_eq!(shape(&table.quote(1, (100, 5), (110, 1))), ["8 F 2 1 1.1 1 0 - -"]);
    let sold = table.say("D", single("c", 2, 2, "0.95"));
    assert_eq!(shape(&sold), ["8 0 0 - - 0 2 - -", "8 F 2 2 1 2 0 - -"], "at the bid");
}

#[test]
fn a_package_fills_leg_by_leg_and_as_a_whole_when_its_net_is_within_the_limit() {
    let mut table = Table::logged_on(Terms::default());
    table.quote(1, (500, 9), (520, 9));
    let none = ["8 0 0 - - 0 3 3 -"];
    assert_eq!(shape(&table.say("AB", vertical("a", 3, "1.50"))), none, "one leg has no quote");
    assert_eq!(
        shape(&table.quote(2, (360, 2), (370, 9))),
        Vec::<String>::new(),
        "1.60 is too dear"
    );
    let heard = table.quote(2, (380, 2), (390, 9));
    assert_eq!(
        shape(&heard),
        ["8 F 1 2 5.2 2 1 2 0", "8 F 1 2 3.8 2 1 2 1", "8 F 1 2 1.4 2 1 3 -"],
        "two packages are there"
    );
    let leg = &heard[1];
    assert_eq!(
        [54, 202, 461, 541].map(|tag| leg.get(tag).unwrap()),
        ["2", "4810", "OCXXXX", "20240119"]
    );
    let heard = table.quote(2, (370, 7), (390, 9));
    assert_eq!(
        shape(&heard),
        ["8 F 2 1 5.2 3 0 2 0", "8 F 2 1 3.7 3 0 2 1", "8 F 2 1 1.5 3 0 3 -"],
        "the whole counts packages"
    );
    let ids: Vec<_> = heard.iter().map(|m| m.get(17).unwrap()).collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "each report has its own id");
}

#[test]
fn cancels_are_done_or_refused_with_the_reason() {
    let mut table = Table::logged_on(Terms::default());
    table.say("D", single("a", 1, 5, "1.10"));
    let cancel = |id: &str, target: &str| Body::default().with(11, id).with(41, target);
    let heard = table.say("F", cancel("c1", "a"));
    assert_eq!(shape(&heard), ["8 4 4 - - 0 0 - -"]);
    assert_eq!((heard[0].get(11), heard[0].get(41)), (Some("c1"), Some("a")));
    for (target, reason, status) in [("a", "0", "4"), ("nobody", "1", "8")] {
        let heard = table.say("F", cancel("c2", target));
        let tags = [35, 102, 39, 434, 41].map(|tag| heard[0].get(tag).unwrap());
        assert_eq!(tags, ["9", reason, status, "1", target]);
    }
    assert!(table.quote(1, (100, 5), (105, 9)).is_empty(), "a cancelled order never fills");
}

#[test]
fn orders_that_make_no_sense_are_rejected_with_a_text() {
    let mut table = Table::logged_on(Terms::default());
    let unknown = |body: Body| Body(body.0.replace("202=4800", "202=4805"));
    let twice = |body: Body| Body(body.0.replace("555=2", "555=3"));
    for (body, kind, code) in [
        (unknown(single("a", 1, 5, "1.10")), "D", "1"),
        (single("b", 1, 0, "1.10"), "D", "13"),
        (single("c", 7, 1, "1.10"), "D", "99"),
        (single("d", 1, 1, "cheap"), "D", "99"),
        (twice(vertical("e", 1, "1")), "AB", "99"),
    ] {
        let heard = table.say(kind, body);
        let tags = [150, 39, 103].map(|tag| heard[0].get(tag).unwrap());
        assert_eq!(tags, ["8", "8", code]);
        assert!(heard[0].get(58).is_some_and(|text| !text.is_empty()));
    }
    table.say("D", single("f", 1, 1, "1.10"));
    let heard = table.say("D", single("f", 1, 1, "1.10"));
    assert_eq!([39, 103].map(|tag| heard[0].get(tag).unwrap()), ["8", "6"], "an id is used once");
    let heard = table.say("G", Body::default().with(11, "x"));
    assert_eq!((heard[0].kind(), heard[0].get(372)), ("j", Some("G")));
}

#[test]
fn latency_passes_before_the_book_is_reached() {
    let mut table = Table::logged_on(Terms { latency_ns: 5 * MS, ..Terms::default() });
    table.quote(1, (100, 5), (110, 9));
    assert!(table.say("D", single("a", 1, 1, "1.10")).is_empty());
    table.quote(1, (100, 5), (120, 9));
    table.now += 5 * MS;
    assert_eq!(shape(&table.heard()), ["8 0 0 - - 0 1 - -"], "the price had gone");
}

#[test]
fn orders_that_do_not_wait_are_cancelled_at_once() {
    let mut table = Table::logged_on(Terms::default());
    table.quote(1, (100, 5), (110, 3));
    let heard = table.say("D", single("a", 1, 5, "1.10").with(59, 3));
    assert_eq!(shape(&heard), ["8 0 0 - - 0 5 - -", "8 F 1 3 1.1 3 2 - -", "8 4 4 - - 3 0 - -"]);
    table.quote(1, (100, 5), (110, 3));
    let heard = table.say("D", single("b", 1, 5, "1.10").with(59, 4));
    assert_eq!(shape(&heard), ["8 0 0 - - 0 5 - -", "8 4 4 - - 0 0 - -"], "all or nothing");
}

#[test]
fn a_latency_test_fills_everything_at_its_limit() {
    let mut table = Table::logged_on(Terms { fill_at_limit: true, ..Terms::default() });
    table.quote(1, (500, 1), (520, 1));
    table.quote(2, (360, 1), (370, 1));
    let heard = table.say("AB", vertical("a", 9, "0.25"));
    assert_eq!(
        shape(&heard)[1..],
        ["8 F 2 9 3.85 9 0 2 0", "8 F 2 9 3.6 9 0 2 1", "8 F 2 9 0.25 9 0 3 -"]
    );
}

#[test]
fn a_gap_is_asked_for_and_closed_by_a_fill() {
    let mut table = Table::logged_on(Terms::default());
    table.seq = 5;
    let heard = table.say("0", Body::default());
    assert_eq!([35, 7, 16].map(|tag| heard[0].get(tag).unwrap()), ["2", "2", "0"]);
    assert!(table.say("0", Body::default()).is_empty(), "asked once");
    let fill = Body::default().with(43, "Y").with(123, "Y").with(36, 7);
    assert!(table.say_as("4", 2, fill).is_empty());
    let heard = table.say("1", Body::default().with(112, "hello"));
    assert_eq!([35, 112].map(|tag| heard[0].get(tag).unwrap()), ["0", "hello"], "in step again");
}

#[test]
fn what_was_said_is_said_again_on_request_and_what_was_said_to_nobody() {
    let mut table = Table::logged_on(Terms::default());
    let first = table.say("D", single("a", 1, 5, "1.10"));
    // The client goes away, its order fills, it comes back with its numbers.
    table.desk.close(table.line);
    table.quote(1, (100, 5), (105, 9));
    table.connect();
    let heard = table.say("A", Body::default().with(98, 0).with(108, 30));
    assert_eq!([35, 34].map(|tag| heard[0].get(tag).unwrap()), ["A", "4"]);
    let heard = table.say("2", Body::default().with(7, 1).with(16, 0));
    let brief = |m: &Message| [35, 34, 43].map(|tag| m.get(tag).unwrap_or("-").to_string());
    let brief: Vec<_> = heard.iter().map(brief).collect();
    assert_eq!(brief, [["4", "1", "Y"], ["8", "2", "Y"], ["8", "3", "Y"], ["4", "4", "Y"]]);
    assert_eq!([123, 36].map(|tag| heard[0].get(tag).unwrap()), ["Y", "2"]);
    assert_eq!(heard[1].get(17), first[0].get(17), "the same report");
    assert_eq!(heard[2].get(150), Some("F"));
    assert_eq!(heard[3].get(36), Some("5"));
}

#[test]
fn numbers_that_are_too_low_end_the_session() {
    let mut table = Table::logged_on(Terms::default());
    table.say("0", Body::default());
    assert!(table.say_as("0", 1, Body::default().with(43, "Y")).is_empty(), "a resend is harmless");
    let heard = table.say_as("0", 1, Body::default());
    assert_eq!(heard[0].kind(), "5");
    assert!(heard[0].get(58).unwrap().contains("too low, expecting 3 but received 1"));
    assert!(table.is_closing());
}

#[test]
fn a_silent_client_is_asked_and_then_left() {
    let mut table = Table::logged_on(Terms::default());
    table.now += 31_000 * MS;
    table.desk.on_time(table.now);
    assert_eq!(table.heard()[0].kind(), "0", "our own heartbeat");
    table.now += 10_000 * MS;
    table.desk.on_time(table.now);
    assert_eq!(table.heard()[0].kind(), "1");
    table.say("0", Body::default().with(112, "ARE-YOU-THERE"));
    table.now += 40_000 * MS;
    table.desk.on_time(table.now);
    table.heard();
    table.now += 31_000 * MS;
    table.desk.on_time(table.now);
    assert_eq!(table.heard().last().unwrap().kind(), "5");
    assert!(table.is_closing());
}

#[test]
fn nobody_trades_without_logging_on_and_goodbye_is_answered() {
    let mut table = Table::new(Terms::default());
    table.connect();
    assert!(table.say("D", single("a", 1, 5, "1.10")).is_empty());
    assert!(table.is_closing());
    let mut table = Table::logged_on(Terms::default());
    assert_eq!(table.say("5", Body::default())[0].kind(), "5");
    assert!(table.is_closing());
}

#[test]
fn injected_rejects_and_repeated_reports_come_as_planned() {
    let mut table = Table::logged_on(Terms { reject: 1.0, ..Terms::default() });
    assert_eq!(shape(&table.say("D", single("a", 1, 5, "1.10"))), ["8 8 8 - - 0 0 - -"]);
    let mut table = Table::logged_on(Terms { repeat: 1.0, ..Terms::default() });
    let heard = table.say("D", single("a", 1, 5, "1.10"));
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].get(17), heard[1].get(17), "the same execution");
}

/// The account by contract, and the orders that work, as the client's own numbers name them.
#[test]
fn positions_and_open_orders_are_told_on_request() {
    let mut table = Table::logged_on(Terms { astray: 4, ..Terms::default() });
    table.quote(1, (100, 5), (110, 3));
    table.quote(2, (50, 9), (60, 9));
    table.say("D", single("a", 1, 2, "1.10"));
    table.say("AB", vertical("b", 1, "-3.00"));
    table.say("D", single("c", 2, 3, "1.00"));
    let ask = || Body::default().with(710, "Q").with(724, 0).with(1, "ME").with(581, 1);
    let heard = table.say("AN", ask().with(715, 20_240_119));
    let fields = |m: &Message, tags: &[u32]| {
        let all: Vec<&str> = tags.iter().map(|tag| m.get(*tag).unwrap_or("-")).collect();
        all.join(" ")
    };
    let told: Vec<String> =
        heard.iter().map(|m| fields(m, &[35, 710, 727, 728, 202, 461, 541, 704, 705])).collect();
    assert_eq!(told, ["AO Q 1 0 - - - - -", "AP Q 1 0 4800 OCXXXX 20240119 3 0"]);
    let heard = table.say("AF", Body::default().with(584, "Q").with(585, 7));
    let told: Vec<String> =
        heard.iter().map(|m| fields(m, &[35, 150, 39, 11, 584, 911, 912])).collect();
    assert_eq!(told, ["8 I 0 b Q 1 Y"]);
    let mut flat = Table::logged_on(Terms::default());
    let heard = flat.say("AN", ask());
    assert_eq!(fields(&heard[0], &[35, 727, 728, 729]), "AO 0 2 0");
    assert!(heard.len() == 1 && flat.say("AF", Body::default().with(584, "Q")).is_empty());
}
