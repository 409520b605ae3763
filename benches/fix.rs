//! Cost of a call: an order into FIX bytes, a report out of them; beside the obvious way with
//! `format!` in the same run.
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use zomma::{
    config::Reader,
    feed::{
        Decoder,
        fix::{FixDecoder, store},
    },
    gate::{Broker, Encoder, Facts, LegFacts, Stamp},
    wire::{
        Price,
        market::{Class, Definition},
        order::{Leg, Order, Purpose, client_order_id},
    },
};

const NOW: u64 = 1_767_364_199_987_654_321;
const ID: u64 = 0x1234_5678;

fn broker() -> Broker {
    let mut reader = Reader::new("bench.toml", "[broker]\naccount = \"A1\"").unwrap();
    let broker = reader.section("broker").unwrap();
    reader.finish().unwrap();
    broker
}

fn facts(strike: i64, class: u8) -> Facts {
    Facts::new(&Definition {
        strike: Price(strike * 1_000_000_000),
        expiration: 1_767_312_000_000_000_000,
        root: *b"SPXW\0\0\0\0",
        class: Class(class),
        ..bytemuck::Zeroable::zeroed()
    })
}

fn order(legs: u8) -> Order {
    let limit = Price(if legs == 1 { 1_050_000_000 } else { -1_350_000_000 });
    Order { id: ID, limit, quantity: 3, strategy: 1, legs, purpose: Purpose::ENTRY, package: ID }
}

fn legs(count: u8) -> Vec<Leg> {
    let side = |index| if index == 0 || index == 3 { 1 } else { -1 };
    let zeros: Leg = bytemuck::Zeroable::zeroed();
    (0..count).map(|index| Leg { order: ID, ratio: 1, side: side(index), index, ..zeros }).collect()
}

fn framed(body: &str) -> String {
    let message = format!("8=FIX.4.4\x019={}\x01{body}", body.len());
    let sum = message.bytes().map(u32::from).sum::<u32>() % 256;
    format!("{message}10={sum:03}\x01")
}

/// The obvious encoder: a `format!` a part, and a sum over the whole.
fn naive(order: &Order, legs: &[LegFacts<'_>], seq: u64) -> String {
    let id = String::from_utf8(client_order_id(order.id).to_vec()).unwrap();
    let time = "20260102-14:29:59.987";
    let (limit, quantity) = (order.limit.to_f64(), order.quantity);
    let side = |leg: &Leg| if leg.side > 0 { 1 } else { 2 };
    let head =
        format!("49=ZOMMA\x0156=MARKET\x0134={seq}\x0152={time}\x0111={id}\x011=A1\x0121=1\x01");
    let tail = format!("60={time}\x0138={quantity}\x0140=2\x0144={limit}\x0159=0\x01526={NOW}\x01");
    if let [(leg, facts)] = legs {
        let (strike, side) = (facts.strike.to_f64(), side(leg));
        let option = "55=SPXW\x01167=OPT\x01461=OCXXXX\x01541=20260102\x01200=202601\x01201=1\x01";
        return framed(&format!(
            "35=D\x01{head}{option}202={strike}\x0177=O\x0154={side}\x01{tail}"
        ));
    }
    let option = "600=SPXW\x01609=OPT\x01608=OCXXXX\x01611=20260102\x01";
    let mut body = format!("35=AB\x01{head}54=B\x0155=SPXW\x01167=MLEG\x01555={}\x01", legs.len());
    for (leg, facts) in legs {
        let (strike, ratio, side) = (facts.strike.to_f64(), leg.ratio, side(leg));
        let (quantity, index) = (ratio * quantity, leg.index);
        body.push_str(&format!(
            "{option}612={strike}\x01623={ratio}\x01624={side}\x01\
             687={quantity}\x01564=O\x01654={index}\x01"
        ));
    }
    framed(&(body + &tail))
}

fn encode(c: &mut Criterion) {
    let facts = [facts(4_700, b'P'), facts(4_750, b'P'), facts(4_850, b'C'), facts(4_900, b'C')];
    let mut encoder = Encoder::new(&broker());
    for count in [1, 4] {
        let (order, legs) = (order(count), legs(count));
        let named: Vec<LegFacts<'_>> = legs.iter().zip(&facts).collect();
        let mut group = c.benchmark_group(format!("order of {count} leg(s)"));
        let mut seq = 1_000;
        group.bench_function("ours", |b| {
            b.iter(|| {
                seq += 1;
                let stamp = Stamp { seq, now: NOW + seq * 1_000_000, cause: NOW };
                encoder.order(black_box(&order), black_box(&named), stamp).unwrap().len()
            });
        });
        group.bench_function("format!", |b| {
            b.iter(|| {
                seq += 1;
                naive(black_box(&order), black_box(&named), seq).len()
            });
        });
    }
}

/// Reports with ascending numbers in one buffer: each is taken, none is passed over.
fn decode(c: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let (inbound, _) = store::open(&directory.path().join("s"), "US", "THEM", false).unwrap();
    let mut decoder = FixDecoder::new("US", "THEM", inbound);
    let message = |kind: &str, seq: u64, rest: &str| {
        let head = format!("35={kind}|49=THEM|56=US|34={seq:09}|52=20260102-14:30:00.000|");
        framed(&(head + rest).replace('|', "\x01")).into_bytes()
    };
    decoder.decode(&message("A", 1, "98=0|108=10|"), &mut |_| {});
    let report = |seq| {
        let rest = "6=1.05|11=0000000012345678|14=3|31=1.05|32=3|37=B000101|38=3|39=2|54=1|55=SPXW|\
                    150=F|151=0|17=E2";
        message("8", seq, &format!("{rest}{seq:06}|"))
    };
    let mut next = 2;
    c.bench_function("report decoded", |b| {
        b.iter_custom(|count| {
            let bytes: Vec<u8> = (next..next + count).flat_map(report).collect();
            next += count;
            let (mut events, start) = (0u64, now());
            let done = decoder.decode(&bytes, &mut |event| events ^= black_box(event).payload[0]);
            let elapsed = start.elapsed();
            assert_eq!((done, decoder.next_in(), decoder.faults()), (bytes.len(), next, 0));
            black_box(events);
            elapsed
        });
    });
}

#[expect(clippy::disallowed_methods, reason = "a bench measures by the wall clock")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

criterion_group!(benches, encode, decode);
criterion_main!(benches);
