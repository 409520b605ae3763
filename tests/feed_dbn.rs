//! The decoder against the `dbn` crate on the format's own test files, split in every way, and
//! against garbage.
mod feed_tools;

use dbn::{VersionUpgradePolicy, decode::DbnMetadata};
use feed_tools::{
    data, decode, decode_with, error, expected, interest, mapping, metadata, quote, system,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, fs, io::Read, path::Path};
use zomma::{
    feed::{
        Registry,
        dbn::{Prints, STRIKES_MAX, Stream, Verdict},
        faults::Code,
    },
    wire::{
        Event, Kind, NO_INSTRUMENT, Price, UNDEF_PRICE, UNDEF_TIME,
        control::{Fault, Gap},
        market::{Class, Definition, Interest, Quote, Trade},
    },
};

/// The plain bytes of a file.
fn bytes_of(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if !bytes.starts_with(&0xFD2F_B528u32.to_le_bytes()) {
        return bytes;
    }
    let mut plain = Vec::new();
    // The format's own reader knows every frame that its writers make.
    dbn::decode::DynReader::new(bytes.as_slice(), dbn::Compression::Zstd)
        .unwrap()
        .read_to_end(&mut plain)
        .unwrap();
    plain
}

/// All records of a stream by the `dbn` crate, upgraded to version 3, from the metadata on or, for
/// a fragment of version `fragment`, without any.
fn oracle(bytes: &[u8], fragment: Option<u8>) -> (bool, Vec<dbn::RecordBuf>) {
    let policy = VersionUpgradePolicy::UpgradeToV3;
    let mut records = Vec::new();
    let mut keep = |record: dbn::RecordRef<'_>| {
        records.push(dbn::RecordBuf::try_from(record).unwrap());
    };
    match fragment {
        None => {
            let mut decoder =
                dbn::decode::dbn::Decoder::with_upgrade_policy(bytes, policy).unwrap();
            let ts_out = decoder.metadata().ts_out;
            while let Some(record) =
                dbn::decode::DecodeRecordRef::decode_record_ref(&mut decoder).unwrap()
            {
                keep(record);
            }
            (ts_out, records)
        }
        Some(version) => {
            let mut decoder =
                dbn::decode::dbn::RecordDecoder::with_version(bytes, version, policy, false)
                    .unwrap();
            while let Some(record) = decoder.decode_ref().unwrap() {
                keep(record);
            }
            (false, records)
        }
    }
}

/// Mappings of version 3 for every instrument that the records name.
fn mappings(records: &[dbn::RecordBuf]) -> (Vec<u8>, BTreeMap<u32, u32>) {
    let (mut bytes, mut indices) = (Vec::new(), BTreeMap::new());
    for record in records {
        let id = record.header().instrument_id;
        let next = indices.len() as u32;
        indices.entry(id).or_insert_with(|| {
            bytes.extend(mapping(id, &format!("X{id}")));
            next
        });
    }
    (bytes, indices)
}

/// Feeds the metadata, then mappings, then the rest: as a live stream would come.
fn decode_mapped(
    bytes: &[u8],
    fragment: bool,
    maps: &[u8],
    prints: Prints,
) -> (Vec<Event>, Stream) {
    let (mut stream, mut registry) = (Stream::new(0, prints), Registry::new(1, 4096));
    let head =
        if fragment { 0 } else { 8 + u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize };
    if fragment {
        stream.restart_in_records(false);
    }
    decode_with(&mut stream, &mut registry, &bytes[..head], &[usize::MAX]);
    decode_with(&mut stream, &mut registry, maps, &[usize::MAX]);
    let events = decode_with(&mut stream, &mut registry, &bytes[head..], &[7, 80, 1, 333]);
    (events, stream)
}

fn plain(event: &Event) -> Event {
    Event { seq: 0, ts_recv: 0, source: 0, ..*event }
}

fn is_readable(name: &str) -> bool {
    !name.ends_with(".dbz") && name.contains("dbn") && !name.contains("v4")
}

#[test]
fn every_test_file_of_the_format_gives_what_its_own_crate_reads() {
    let Some(folder) = data("databento-dbn/files") else { return };
    let (mut files, mut compared, mut kinds) = (0, 0, BTreeMap::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !is_readable(&name) {
            continue;
        }
        let bytes = bytes_of(&path);
        // A fragment has no version: the size of its first definition tells.
        let version = [(90, 1), (100, 2), (130, 3)].iter().find(|(words, _)| *words == bytes[0]);
        let fragment = name.contains("frag").then(|| version.unwrap().1);
        let (_, records) = oracle(&bytes, fragment);
        let (maps, indices) = mappings(&records);
        for prints in [Prints::Trades, Prints::Tcbbo, Prints::Book] {
            let (events, stream) = decode_mapped(&bytes, fragment.is_some(), &maps, prints);
            assert_eq!(stream.counts.records as usize, records.len() + indices.len(), "{name}");
            assert_eq!(stream.counts.faults, 0, "{name}: {events:?}");
            let index = |id: u32| indices[&id];
            let wanted: Vec<Event> = records
                .iter()
                .filter_map(|record| expected(record.as_rec_ref(), prints, &index))
                .flatten()
                .collect();
            let named = [Kind::NAME, Kind::DEFINITION];
            let found: Vec<Event> =
                events.iter().filter(|e| !named.contains(&e.kind)).map(plain).collect();
            assert_eq!(found, wanted, "{name} {prints:?}");
            compared += found.len();
            found.iter().for_each(|e| *kinds.entry(e.kind).or_insert(0) += 1);
            definitions(&name, &records, &events);
        }
        files += 1;
    }
    println!("{files} files, {compared} events compared: {kinds:?}");
    assert!(files >= 60 && compared >= 200, "{files} files, {compared} events");
}

/// A recorded day as a live stream, against the totals of its description.
#[test]
fn the_recorded_goog_day_has_the_totals_of_its_description() {
    let Some(folder) = data("lean-goog-20151224/dbn") else { return };
    let bytes = bytes_of(&folder.join("goog-20151224.live.dbn.zst"));
    let (events, stream) = decode(&bytes, &[65_536], Prints::Trades);
    let counts = stream.counts;
    assert_eq!((counts.records, counts.faults), (282_952, 0));
    assert_eq!((counts.mappings, counts.definitions, counts.interests), (2_192, 2_192, 2_058));
    assert_eq!((counts.quotes, counts.trades), (275_552, 958));
    let (mut interest, mut sizes, mut volume) = (0, 0, 0);
    for event in &events {
        match event.kind {
            Kind::QUOTE => {
                let quote = event.body::<Quote>();
                sizes += u64::from(quote.bid_size) + u64::from(quote.ask_size);
            }
            Kind::TRADE => volume += event.body::<Trade>().size,
            Kind::INTEREST => interest += event.body::<Interest>().contracts,
            _ => {}
        }
    }
    assert_eq!((interest, sizes, volume), (179_502, 11_657_931, 7_471));
}

/// Definition records against the crate's upgraded ones.
fn definitions(name: &str, records: &[dbn::RecordBuf], events: &[Event]) {
    let mut found = events.iter().filter(|event| event.kind == Kind::DEFINITION);
    let mut last = None;
    for record in records {
        let Some(wanted) = record.get::<dbn::InstrumentDefMsg>() else { continue };
        let fields = (wanted.strike_price, wanted.expiration, wanted.instrument_class as u8);
        let all = (wanted.hd.instrument_id, wanted.raw_symbol().unwrap().to_owned(), fields);
        // A definition that says nothing new gives no event.
        if last.replace(all.clone()) == Some(all) {
            continue;
        }
        let event = found.next().unwrap_or_else(|| panic!("{name}: a definition is missing"));
        let definition = event.body::<Definition>();
        assert_eq!(definition.venue_id, wanted.hd.instrument_id, "{name}");
        assert_eq!(definition.class, Class(wanted.instrument_class as u8), "{name}");
        assert_eq!(definition.expiration, wanted.expiration, "{name}");
        assert_eq!(definition.mapped, 0);
        assert_eq!(definition.strike, Price(wanted.strike_price), "{name}");
    }
    assert!(found.next().is_none(), "{name}");
}

/// A stream with every kind of record that a session carries.
fn session(ts_out: bool) -> Vec<u8> {
    let mut bytes = metadata(3, ts_out, (0..40).map(|i| format!("S{i}")).collect());
    let mut push = |mut record: Vec<u8>| {
        if ts_out {
            record[0] += 2;
            record.extend(8u64.to_le_bytes());
        }
        bytes.extend(record);
    };
    for i in 0..20 {
        push(mapping(i, &format!("GOOG  151224C{:08}", 700_000 + 2_500 * i)));
        push(interest(i, i64::from(i) * 10));
    }
    push(system(0));
    for i in 0..300u32 {
        let ts = if i % 7 == 0 { UNDEF_TIME } else { u64::from(i) };
        push(quote(i % 20, ts, if i % 5 == 0 { UNDEF_PRICE } else { i64::from(i) }, 5));
    }
    push(error(7));
    push(error(4));
    push(system(3));
    bytes
}

#[test]
fn byte_by_byte_gives_the_same_events_as_all_at_once() {
    for ts_out in [false, true] {
        let bytes = session(ts_out);
        let (whole, stream) = decode(&bytes, &[usize::MAX], Prints::Trades);
        assert_eq!(whole.len(), 2 * 20 + 20 + 300 + 2, "a name and a definition, then the rest");
        assert_eq!((stream.counts.heartbeats, stream.counts.notices), (1, 1));
        assert_eq!(decode(&bytes, &[1], Prints::Trades).0, whole);
        // Undefined event times are the venue's receive times.
        let first = whole.iter().find(|event| event.kind == Kind::QUOTE).unwrap();
        assert_eq!((first.ts_event, first.body::<Quote>().bid), (UNDEF_TIME, Price::UNDEF));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    })]

    #[test]
    fn any_split_gives_the_same_events(sizes in prop::collection::vec(1usize..700, 1..50)) {
        let bytes = session(false);
        prop_assert_eq!(
            decode(&bytes, &sizes, Prints::Trades).0,
            decode(&bytes, &[usize::MAX], Prints::Trades).0
        );
    }
}

/// A record of this type and size whose other bytes are `body`, on instrument 1 or 2.
fn raw(rtype: u8, size: usize, body: &[u8]) -> Vec<u8> {
    let mut record: Vec<u8> = body.iter().copied().cycle().take(size).collect();
    record[0] = (size / 4) as u8;
    record[1] = rtype;
    record[4..8].copy_from_slice(&[1 + body[4] % 2, 0, 0, 0]);
    record
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Every type of record that carries prices, interest or a status, in each version's size, with
    /// arbitrary fields, beside what the format's own crate makes of the same bytes.
    #[test]
    fn any_fields_are_read_as_the_dbn_crate_reads_them(
        body in prop::collection::vec(any::<u8>(), 64..368),
        open_interest: bool,
        is_trade: bool,
    ) {
        for (version, rtype, size) in [
            (3, 0x00, 48), (3, 0x01, 80), (3, 0x0A, 368), (3, 0xB1, 80), (3, 0xC0, 80),
            (3, 0xC1, 80), (3, 0xC2, 80), (3, 0xC3, 80), (3, 0xC4, 80), (3, 0x12, 40),
            (3, 0x18, 80), (1, 0x18, 64), (1, 0x00, 48), (2, 0x01, 80),
        ] {
            let mut record = raw(rtype, size, &body);
            if is_trade && rtype != 0x18 && rtype != 0x12 {
                record[28] = b'T';
            }
            if open_interest && rtype == 0x18 {
                let at = if size == 64 { 52 } else { 56 };
                record[at..at + 2].copy_from_slice(&9u16.to_le_bytes());
            }
            let (_, records) = oracle(&record, Some(version));
            let maps = [mapping(1, "A"), mapping(2, "B")].concat();
            for prints in [Prints::Trades, Prints::Tcbbo, Prints::Book] {
                let (events, stream) = decode_mapped(&record, true, &maps, prints);
                let wanted = expected(records[0].as_rec_ref(), prints, &|id| id - 1).unwrap();
                let found: Vec<Event> = events.iter().map(plain).collect();
                prop_assert_eq!(found, wanted);
                prop_assert_eq!(stream.counts.faults, 0);
            }
        }
    }
}

/// A small fixed generator: the same garbage on every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// Flips, overwrites, removes, repeats or truncates a few places.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len().max(1));
            match self.below(6) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                1 if !bytes.is_empty() => bytes[at] = self.next() as u8,
                2 => drop(bytes.drain(at..(at + self.below(90)).min(bytes.len()))),
                3 => {
                    let end = (at + self.below(200)).min(bytes.len());
                    let piece = bytes[at.min(end)..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                4 => bytes.truncate(at),
                _ => bytes.extend((0..self.below(64)).map(|i| (i as u64 ^ self.0) as u8)),
            }
        }
    }
}

/// Whatever comes: no panic, no event out of nothing, faults numbered, an instrument that exists.
/// Returns how many records were framed.
fn survives(bytes: &[u8], sizes: &[usize]) -> u64 {
    let (mut stream, mut registry) = (Stream::new(0, Prints::Book), Registry::new(1, 64));
    let events = decode_with(&mut stream, &mut registry, bytes, sizes);
    for event in &events {
        match event.kind {
            Kind::FAULT => assert!(Code(event.body::<Fault>().code).doc().is_some()),
            Kind::GAP => assert_eq!(event.body::<Gap>().cause, Gap::SLOW_READER),
            Kind::STATUS => {}
            _ => assert!((event.instrument as usize) < registry.len()),
        }
        assert_ne!(event.instrument, NO_INSTRUMENT - 1);
    }
    stream.counts.records
}

#[test]
fn mutated_and_random_streams_never_panic() {
    let (base, mut noise, mut fuzzed) = (session(true), Noise(0x1234_5678_9abc_def1), (0, 0));
    let head = 8 + u32::from_le_bytes(base[4..8].try_into().unwrap()) as usize;
    for round in 0..6_000 {
        let mut bytes = base.clone();
        if round % 3 == 0 {
            // The metadata stay whole, so that the records are reached.
            let mut records = bytes.split_off(head);
            noise.mutate(&mut records);
            bytes.extend(records);
        } else {
            noise.mutate(&mut bytes);
        }
        if round % 5 == 0 {
            bytes.truncate(head);
            bytes.extend((0..4_000).map(|_| noise.next() as u8));
        }
        let sizes = [1 + noise.below(900), 1 + noise.below(90), usize::MAX];
        fuzzed.0 += bytes.len();
        fuzzed.1 += survives(&bytes, &sizes[noise.below(3)..]);
    }
    println!("{} bytes fuzzed, {} records framed", fuzzed.0, fuzzed.1);
    assert!(fuzzed.0 > 100_000_000 && fuzzed.1 > 500_000);
}

fn faults(events: &[Event]) -> Vec<Code> {
    let faults = events.iter().filter(|event| event.kind == Kind::FAULT);
    faults.map(|event| Code(event.body::<Fault>().code)).collect()
}

#[test]
fn each_way_to_break_a_stream_has_its_number_and_its_offset() {
    let good = metadata(3, false, Vec::new());
    let with = |tail: &[u8]| [&good, tail].concat();
    let mut version = good.clone();
    version[3] = 4;
    let mut absurd = good.clone();
    absurd[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut short = mapping(1, "GOOG");
    short[0] = 3;
    let mut wrong = quote(1, 1, 1, 1);
    wrong.truncate(76);
    wrong[0] = 19;
    let mut unknown = quote(1, 1, 1, 1);
    unknown[1] = 0x77;
    for (bytes, code, verdict) in [
        (b"GET / HTTP/1.1".to_vec(), Code::NOT_DBN, Verdict::Broken),
        (version, Code::VERSION, Verdict::Refused),
        (absurd, Code::METADATA, Verdict::Broken),
        (with(&short), Code::LENGTH, Verdict::Broken),
        (with(&wrong), Code::SIZE, Verdict::Streaming),
        (with(&unknown), Code::TYPE, Verdict::Streaming),
        (with(&quote(1, 1, 1, 1)), Code::UNNAMED, Verdict::Streaming),
        (with(&mapping(1, "")), Code::SYMBOL, Verdict::Streaming),
        (with(&error(3)), Code::GATEWAY, Verdict::Streaming),
        (with(&error(2)), Code::GATEWAY, Verdict::Refused),
        (with(&system(2)), Code::SLOW, Verdict::Streaming),
    ] {
        let (events, stream) = decode(&bytes, &[usize::MAX], Prints::Trades);
        assert_eq!(faults(&events), [code], "{:?}", code.doc());
        assert_eq!(stream.verdict(), verdict, "{:?}", code.doc());
        let offset = events[0].body::<Fault>().offset;
        assert_eq!(offset, if bytes.starts_with(&good) { good.len() as u64 } else { 0 });
    }
    let (events, stream) = decode(&with(&unknown.repeat(40)), &[usize::MAX], Prints::Trades);
    assert_eq!(stream.verdict(), Verdict::Broken);
    assert_eq!(*faults(&events).last().unwrap(), Code::DESYNC);
    assert_eq!(stream.counts.unknown_records, u64::from(STRIKES_MAX));
}

#[test]
fn more_instruments_than_there_is_room_for_are_counted_and_the_rest_goes_on() {
    let mut bytes = metadata(3, false, Vec::new());
    (0..100).for_each(|i| bytes.extend(mapping(i, &format!("S{i}"))));
    (0..100).for_each(|i| bytes.extend(quote(i, 1, 1, 2)));
    let (mut stream, mut registry) = (Stream::new(0, Prints::Trades), Registry::new(1, 60));
    let events = decode_with(&mut stream, &mut registry, &bytes, &[999]);
    let quotes = events.iter().filter(|event| event.kind == Kind::QUOTE).count();
    assert_eq!((quotes, registry.len()), (60, 60));
    assert_eq!((stream.counts.unknown_instruments, stream.counts.faults), (40, 80));
    assert!(events.len() < 2 * 60 + 60 + 20, "a flood of faults is not a flood of events");
}
