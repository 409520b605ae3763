//! Datagrams: gaps, repeats, late ones, restarts and garbage, alone and through real sockets.
mod feed_tools;

use feed_tools::{mapping, quote};
use std::net::UdpSocket;
use zomma::{
    config::Reader,
    feed::{
        Feed, Registry,
        control::Control,
        faults::Code,
        reader::{NoBroker, Parts},
        settings,
        udp::{MAGIC, Packets, RESTART_RUN, WINDOW},
    },
    wire::{
        Event, Kind,
        control::{Fault, Gap, Run, Session, SessionState},
        market::Quote,
    },
};

fn datagram(number: u64, records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend((records.len() as u16).to_le_bytes());
    bytes.extend([3, 0]);
    bytes.extend(number.to_le_bytes());
    records.iter().for_each(|record| bytes.extend(record));
    bytes
}

/// One quote a datagram, whose bid is the datagram's number.
fn numbered(number: u64) -> Vec<u8> {
    datagram(number, &[mapping(5, "GOOG"), quote(5, 1, number as i64, number as i64)])
}

struct Receiver {
    packets: Packets,
    registry: Registry,
    events: Vec<Event>,
}

impl Receiver {
    fn new() -> Receiver {
        Receiver { packets: Packets::new(0), registry: Registry::new(1, 16), events: Vec::new() }
    }

    fn take(&mut self, bytes: &[u8]) {
        let events = &mut self.events;
        self.packets.decode(bytes, &mut self.registry, &mut |event| events.push(event));
    }

    fn bids(&self) -> Vec<i64> {
        let quotes = self.events.iter().filter(|event| event.kind == Kind::QUOTE);
        quotes.map(|event| event.body::<Quote>().bid.0).collect()
    }

    fn gaps(&self) -> Vec<(u32, u64)> {
        let gaps = self.events.iter().filter(|event| event.kind == Kind::GAP);
        gaps.map(|event| event.body::<Gap>()).map(|gap| (gap.cause, gap.lost)).collect()
    }
}

#[test]
fn what_is_missing_is_announced_and_what_comes_twice_or_late_is_dropped() {
    let mut receiver = Receiver::new();
    for number in [10, 11, 11, 14, 12, 12, 13, 15, 14, 16] {
        receiver.take(&numbered(number));
    }
    assert_eq!(receiver.bids(), [10, 11, 14, 15, 16]);
    assert_eq!(receiver.gaps(), [(Gap::DATAGRAM, 2)]);
    let counts = receiver.packets.stream.counts;
    assert_eq!((counts.duplicates, counts.late, counts.lost, counts.gaps), (3, 2, 2, 1));
    assert_eq!(receiver.events.iter().filter(|e| e.kind == Kind::DEFINITION).count(), 1);
}

#[test]
fn a_sender_that_starts_anew_is_noticed_far_back_at_once_and_near_by_its_run() {
    let mut receiver = Receiver::new();
    receiver.take(&numbered(WINDOW + 100));
    receiver.take(&numbered(1));
    receiver.take(&numbered(2));
    assert_eq!(receiver.bids(), [WINDOW as i64 + 100, 1, 2]);
    assert_eq!(receiver.gaps(), [(Gap::SEQUENCE, 0)]);
    let mut receiver = Receiver::new();
    for number in (100..200).chain(1..50) {
        receiver.take(&numbered(number));
    }
    assert_eq!(receiver.gaps(), [(Gap::SEQUENCE, 0)]);
    let run = i64::from(RESTART_RUN);
    assert_eq!(receiver.bids(), (100..200).chain(run..50).collect::<Vec<i64>>());
}

#[test]
fn a_shuffled_stream_applies_no_datagram_twice_and_none_backwards() {
    let mut state = 9u64;
    let mut receiver = Receiver::new();
    let mut numbers: Vec<u64> =
        (5_000..7_000).flat_map(|n| [n].repeat(1 + (n % 3 == 0) as usize)).collect();
    // The first one starts the stream, so it stays where it is.
    for i in 1..numbers.len() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let j = (i + (state >> 60) as usize).min(numbers.len() - 1);
        numbers.swap(i, j);
    }
    numbers.iter().for_each(|&number| receiver.take(&numbered(number)));
    let bids = receiver.bids();
    assert!(bids.windows(2).all(|pair| pair[0] < pair[1]));
    let counts = receiver.packets.stream.counts;
    let dropped = counts.duplicates + counts.late;
    assert_eq!(bids.len() as u64 + dropped, numbers.len() as u64);
    assert!(counts.lost >= counts.late);
}

#[test]
fn broken_datagrams_are_refused_whole_or_from_the_break_on() {
    let mut receiver = Receiver::new();
    receiver.take(&numbered(1));
    let mut cut = numbered(2);
    cut.truncate(cut.len() - 1);
    let mut other = numbered(3);
    other[6] = 4;
    let mut magic = numbered(3);
    magic[0] = b'X';
    for bytes in [&b""[..], &[0; 15], &cut, &other, &magic] {
        receiver.take(bytes);
    }
    receiver.take(&numbered(3));
    assert_eq!(receiver.bids(), [1, 3]);
    assert_eq!(receiver.packets.stream.counts.faults, 5);
    let faults = receiver.events.iter().filter(|event| event.kind == Kind::FAULT);
    assert!(faults.map(|e| e.body::<Fault>().code).all(|code| Code(code) == Code::DATAGRAM));
}

fn feed(address: &str) -> Feed<NoBroker, impl Fn() -> u64 + use<>> {
    let text = format!(
        "[[session]]\nname = \"u\"\nkind = \"udp\"\naddress = \"{address}\"\n\
         interface = \"127.0.0.1\"\nstale_after = \"50ms\"\nrcvbuf = 1000000\n"
    );
    let mut reader = Reader::new("test.toml", &text).unwrap();
    let (settings, sessions) = settings::from_config(&mut reader).unwrap();
    reader.finish().unwrap();
    let clock = quanta::Clock::new();
    let start = clock.raw();
    let parts = Parts {
        settings: &settings,
        sessions: &sessions,
        broker: None,
        run: Run { epoch: 1, order_base: 0, reserved: [0; 2] },
        clock: move || 1 + clock.delta_as_nanos(start, clock.raw()),
        control: Control::new(""),
        series: &[],
        observations: Vec::new(),
    };
    Feed::new(parts, &|_| None).unwrap()
}

/// A port that nobody has just now.
fn port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn datagrams_arrive_through_sockets_unicast_and_multicast_and_silence_is_noticed() {
    for host in ["127.0.0.1", "239.255.77.1"] {
        let address = format!("{host}:{}", port());
        let (mut feed, mut events) = (feed(&address), Vec::<Event>::new());
        match feed.start(&mut |event: &Event| events.push(*event)) {
            Ok(()) => {}
            Err(error) if host.starts_with("239") => {
                println!("skipped: multicast on this machine: {error}");
                continue;
            }
            Err(error) => panic!("{error}"),
        }
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        for number in [1, 2, 4] {
            if let Err(error) = sender.send_to(&numbered(number), &address) {
                println!("skipped: sending to {host}: {error}");
                return;
            }
        }
        let states = |events: &[Event]| -> Vec<SessionState> {
            let sessions = events.iter().filter(|event| event.kind == Kind::SESSION);
            sessions.map(|event| event.body::<Session>().state).collect()
        };
        while !states(&events).contains(&SessionState::STALE) {
            feed.duty(&mut |event: &Event| events.push(*event));
        }
        let quotes = events.iter().filter(|event| event.kind == Kind::QUOTE).count();
        assert_eq!(quotes, 3, "{host}");
        sender.send_to(&numbered(5), &address).unwrap();
        while states(&events).len() < 3 {
            feed.duty(&mut |event: &Event| events.push(*event));
        }
        use SessionState as S;
        assert_eq!(states(&events), [S::UP, S::STALE, S::UP]);
        assert_eq!(feed.counts_of(0).gaps, 1);
    }
}
