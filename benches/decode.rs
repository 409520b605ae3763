//! What does a record cost from the socket's buffer to an event? Beside the `dbn` crate's own state
//! machine on the same bytes in the same run.
//!
//! Each run copies chunks of a stream of 100,000 cmbp-1 records on 2,192 instruments into a buffer,
//! as reads would, and adds up the bid sizes. `copy` is the do-nothing baseline.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dbn::{
    Cmbp1Msg, RecordHeader, SymbolMappingMsg, VersionUpgradePolicy,
    decode::dbn::fsm::{DbnFsm, ProcessResult},
    rtype,
};
use std::hint::black_box;
use zomma::{
    feed::{
        Registry,
        dbn::{Prints, Stream},
    },
    wire::{Event, Kind, market::Quote},
};

const RECORDS: u32 = 100_000;
const INSTRUMENTS: u32 = 2_192;

fn id(place: u32) -> u32 {
    16_777_216 + place * 37
}

fn quotes() -> Vec<u8> {
    let record = |i: u32| {
        let place = i.wrapping_mul(2_654_435_761) % INSTRUMENTS;
        let mut record = Cmbp1Msg {
            hd: RecordHeader::new::<Cmbp1Msg>(rtype::CMBP_1, 30, id(place), u64::from(i)),
            ..Cmbp1Msg::default_for_schema(dbn::Schema::Cmbp1)
        };
        record.levels[0].bid_sz = i % 100;
        record
    };
    (0..RECORDS).flat_map(|i| record(i).as_ref().to_vec()).collect()
}

fn mappings() -> Vec<u8> {
    let record = |i: u32| {
        let mut record = SymbolMappingMsg {
            hd: RecordHeader::new::<SymbolMappingMsg>(rtype::SYMBOL_MAPPING, 30, id(i), 0),
            ..Default::default()
        };
        let symbol = format!("GOOG  151224C{i:08}");
        let field = record.stype_out_symbol.iter_mut();
        field.zip(symbol.bytes()).for_each(|(to, from)| *to = from as _);
        record
    };
    (0..INSTRUMENTS).flat_map(|i| record(i).as_ref().to_vec()).collect()
}

fn ours(bytes: &[u8], chunk: usize, buffer: &mut [u8], s: &mut Stream, r: &mut Registry) -> u64 {
    let mut sum = 0;
    for piece in bytes.chunks(chunk) {
        buffer[..piece.len()].copy_from_slice(piece);
        s.decode(&buffer[..piece.len()], r, &mut |event: Event| {
            if black_box(&event).kind == Kind::QUOTE {
                sum += u64::from(event.body::<Quote>().bid_size);
            }
        });
    }
    sum
}

fn peer(bytes: &[u8], chunk: usize, fsm: &mut DbnFsm) -> u64 {
    let mut sum = 0;
    for piece in bytes.chunks(chunk) {
        let mut rest = piece;
        while !rest.is_empty() {
            let space = fsm.space();
            let len = space.len().min(rest.len());
            space[..len].copy_from_slice(&rest[..len]);
            fsm.fill(len);
            rest = &rest[len..];
            while let ProcessResult::Record(_) = fsm.process() {
                let record = fsm.last_record().and_then(|r| r.get::<Cmbp1Msg>().cloned());
                sum += black_box(&record).as_ref().map_or(0, |r| u64::from(r.levels[0].bid_sz));
            }
        }
    }
    sum
}

fn copy(bytes: &[u8], chunk: usize, buffer: &mut [u8]) -> u64 {
    bytes.chunks(chunk).fold(0, |sum, piece| {
        buffer[..piece.len()].copy_from_slice(piece);
        sum + u64::from(black_box(&buffer)[64])
    })
}

fn decode(c: &mut Criterion) {
    let (bytes, mut buffer) = (quotes(), vec![0; 65_536]);
    let (mut stream, mut registry) = (Stream::new(0, Prints::Trades), Registry::new(1, 65_536));
    stream.restart_in_records(false);
    stream.decode(&mappings(), &mut registry, &mut |_| {});
    let mut fsm: DbnFsm = DbnFsm::builder()
        .skip_metadata(true)
        .upgrade_policy(VersionUpgradePolicy::AsIs)
        .build()
        .unwrap();
    fsm.set_input_dbn_version(3).unwrap();
    let wanted = ours(&bytes, 80, &mut buffer, &mut stream, &mut registry);
    assert_eq!(wanted, peer(&bytes, 80, &mut fsm), "both decode the same");
    let mut group = c.benchmark_group("decode cmbp-1");
    group.throughput(Throughput::Elements(u64::from(RECORDS)));
    for chunk in [80, 800, 16_000, 65_520] {
        group.bench_function(BenchmarkId::new("copy", chunk), |b| {
            b.iter(|| copy(&bytes, chunk, &mut buffer));
        });
        group.bench_function(BenchmarkId::new("zomma", chunk), |b| {
            b.iter(|| ours(&bytes, chunk, &mut buffer, &mut stream, &mut registry));
        });
        group.bench_function(BenchmarkId::new("dbn fsm", chunk), |b| {
            b.iter(|| peer(&bytes, chunk, &mut fsm));
        });
    }
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
