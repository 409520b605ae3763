//! Whole sessions over real sockets: a gateway that logs in, streams, breaks off and comes back.
mod feed_tools;

use feed_tools::{interest, mapping, metadata, quote, system};
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};
use zomma::{
    config::{Reader, Section},
    feed::{
        Decoder, Feed, Key,
        control::Control,
        faults::Code,
        reader::{Broker, NoBroker, Parts},
        series,
        settings::{self, Session, Settings},
    },
    wire::{
        Event, Kind,
        control::{Fault, Gap, Run, SessionState, Timer},
        market::{Observation, Quote},
    },
};

const KEY: &str = "32-character-with-lots-of-filler";
const NONCE: &str = "0123456789abcdef0123456789abcdef";

/// The clock of these tests: the processor's counter, from an arbitrary instant on.
fn clock() -> impl Fn() -> u64 + use<> {
    let clock = quanta::Clock::new();
    let start = clock.raw();
    move || 1_000_000_000 + clock.delta_as_nanos(start, clock.raw())
}

fn config(text: &str) -> (Settings, Vec<Session>) {
    let mut reader = Reader::new("test.toml", text).unwrap();
    let read = settings::from_config(&mut reader);
    reader.finish().unwrap();
    read.unwrap()
}

fn databento(address: &str, more: &str) -> String {
    format!(
        "[[session]]\nname = \"options\"\naddress = \"{address}\"\ndataset = \"OPRA.PILLAR\"\n\
         schemas = [\"cmbp-1\", \"statistics\"]\nsymbols = [\"GOOG.OPT\"]\nstype = \"parent\"\n\
         backoff_min = \"10ms\"\nbackoff_max = \"40ms\"\n{more}\n"
    )
}

fn feed<D: Decoder>(text: &str, broker: Option<Broker<D>>) -> Feed<D, impl Fn() -> u64 + use<D>> {
    feed_with(text, broker, Vec::new())
}

fn feed_with<D: Decoder>(
    text: &str,
    broker: Option<Broker<D>>,
    observations: Vec<Event>,
) -> Feed<D, impl Fn() -> u64 + use<D>> {
    let (settings, sessions) = config(text);
    let run = Run { epoch: 7, order_base: 0, reserved: [0; 2] };
    let control = Control::new("");
    let parts = Parts {
        settings: &settings,
        sessions: &sessions,
        broker,
        run,
        clock: clock(),
        control,
        series: &series_names(),
        observations,
    };
    Feed::new(parts, &|name| (name == "DATABENTO_API_KEY").then(|| KEY.into())).unwrap()
}

fn series_names() -> [String; 2] {
    ["VIX", "FOMC"].map(String::from)
}

/// Runs until `done` says so; every batch is checked for what holds of all of them.
fn run<D: Decoder, T: Fn() -> u64>(
    feed: &mut Feed<D, T>,
    done: impl Fn(&[Event]) -> bool,
) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    feed.start(&mut |event: &Event| events.push(*event)).unwrap();
    while !done(&events) {
        feed.duty(&mut |event: &Event| events.push(*event));
    }
    for pair in events.windows(2) {
        assert_eq!(pair[1].seq, pair[0].seq + 1);
        assert!(pair[1].ts_recv >= pair[0].ts_recv);
        let same = pair[0].source == pair[1].source && pair[0].ts_recv == pair[1].ts_recv;
        assert!(pair[0].ends_batch() || same, "a batch is of one read");
    }
    assert_eq!((events[0].seq, events[0].kind), (1, Kind::RUN));
    assert!(events.last().unwrap().ends_batch());
    events
}

fn of(events: &[Event], kind: Kind) -> Vec<Event> {
    events.iter().filter(|event| event.kind == kind).copied().collect()
}

fn states(events: &[Event]) -> Vec<SessionState> {
    use zomma::wire::control;
    of(events, Kind::SESSION).iter().map(|e| e.body::<control::Session>().state).collect()
}

fn line(reader: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line
}

/// The gateway's side of a login; the lines that the client sent.
fn accept(listener: &TcpListener) -> (TcpStream, Vec<String>) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    stream.write_all(format!("lsg_version=0.9\ncram={NONCE}\n").as_bytes()).unwrap();
    let mut lines = vec![line(&mut reader)];
    stream.write_all(b"success=1|session_id=17\n").unwrap();
    while lines.last().unwrap() != "start_session\n" {
        lines.push(line(&mut reader));
    }
    (stream, lines)
}

fn quotes(from: u64, count: u64) -> Vec<u8> {
    (from..from + count).flat_map(|i| quote(77, i, i as i64, i as i64 + 1)).collect()
}

#[test]
fn a_session_that_breaks_off_in_a_record_comes_back_with_a_gap_and_ends_in_good_order() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let gateway = thread::spawn(move || {
        let (mut stream, lines) = accept(&listener);
        let mut bytes = metadata(3, false, vec!["GOOG  151224P00748500".into(); 900]);
        bytes.extend(mapping(77, "GOOG  151224P00748500"));
        bytes.extend(interest(77, 42));
        bytes.extend(quotes(1, 5_000));
        bytes.extend(&quotes(9_999, 1)[..33]);
        stream.write_all(&bytes).unwrap();
        drop(stream);
        let (mut stream, again) = accept(&listener);
        stream.write_all(&metadata(3, false, Vec::new())).unwrap();
        stream.write_all(&mapping(77, "GOOG  151224P00748500")).unwrap();
        // One byte at a time: as many reads as the system likes to make of it.
        for byte in quotes(6_000, 20).iter().chain(&system(0)) {
            stream.write_all(&[*byte]).unwrap();
        }
        (lines, again)
    });
    let text = "[feed]\nbatch_max = 64\n".to_string() + &databento(&address, "on_close = \"end\"");
    let mut feed = feed::<NoBroker>(&text, None);
    let events = run(&mut feed, |events| {
        states(&events[events.len().saturating_sub(3)..]).contains(&SessionState::ENDED)
    });
    let (lines, again) = gateway.join().unwrap();
    let answer = Key::new(KEY).unwrap().answer(NONCE.as_bytes());
    let auth = format!("auth={}|dataset=OPRA.PILLAR|", String::from_utf8_lossy(&answer));
    assert!(lines[0].starts_with(&auth), "{}", lines[0]);
    assert!(lines[0].contains("|encoding=dbn|compression=none|ts_out=0|"));
    let subscription = "stype_in=parent|symbols=GOOG.OPT|snapshot=0|is_last=1|id=";
    assert_eq!(lines[1], format!("schema=cmbp-1|{subscription}1\n"));
    assert_eq!(lines[2], format!("schema=statistics|{subscription}2\n"));
    assert_eq!(lines, again);
    use SessionState as S;
    assert_eq!(states(&events), [S::CONNECTED, S::UP, S::DOWN, S::CONNECTED, S::UP, S::ENDED]);
    assert_eq!(of(&events, Kind::DEFINITION).len(), 1, "the same symbol keeps its index");
    let gaps: Vec<u32> = of(&events, Kind::GAP).iter().map(|e| e.body::<Gap>().cause).collect();
    assert_eq!(gaps, [Gap::RECONNECT]);
    let faults = of(&events, Kind::FAULT);
    assert_eq!(faults.len(), 1);
    let fault = faults[0].body::<Fault>();
    assert_eq!((Code(fault.code), fault.found), (Code::CLOSED, 33));
    let bids: Vec<i64> = of(&events, Kind::QUOTE).iter().map(|e| e.body::<Quote>().bid.0).collect();
    assert_eq!(bids, (1..5_001).chain(6_000..6_020).collect::<Vec<i64>>());
    assert!(of(&events, Kind::QUOTE).iter().all(|event| event.instrument == 0));
    let batches = events.chunk_by(|a, _| !a.ends_batch()).map(<[Event]>::len).max();
    assert!(batches <= Some(64));
    let counts = feed.counts_of(0);
    assert_eq!((counts.quotes, counts.interests, counts.heartbeats), (5_020, 1, 1));
    assert_eq!((counts.connects, counts.drops, counts.gaps, counts.faults), (2, 1, 1, 1));
    assert!(feed.ended());
}

#[test]
fn a_refused_key_and_version_4_end_the_session_for_good() {
    for version in [0, 4] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let gateway = thread::spawn(move || match version {
            4 => {
                let (mut stream, _) = accept(&listener);
                let mut bytes = metadata(3, false, Vec::new());
                bytes[3] = 4;
                stream.write_all(&bytes).unwrap();
                drop(stream.write_all(&quotes(1, 10)));
            }
            _ => {
                let (mut stream, _) = listener.accept().unwrap();
                stream.write_all(format!("lsg\ncram={NONCE}\n").as_bytes()).unwrap();
                line(&mut BufReader::new(stream.try_clone().unwrap()));
                stream.write_all(b"success=0|error=Authentication failed.\n").unwrap();
            }
        });
        let mut feed = feed::<NoBroker>(&databento(&address, ""), None);
        let events = run(&mut feed, |events| states(events).contains(&SessionState::REFUSED));
        gateway.join().unwrap();
        let code = if version == 4 { Code::VERSION } else { Code::REFUSED };
        let faults = of(&events, Kind::FAULT);
        assert_eq!(Code(faults[0].body::<Fault>().code), code);
        assert!(of(&events, Kind::QUOTE).is_empty());
        assert!(feed.ended());
    }
}

#[test]
fn silence_makes_a_session_stale_and_then_gives_it_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let gateway = thread::spawn(move || {
        let (mut first, _) = accept(&listener);
        first.write_all(&metadata(3, false, Vec::new())).unwrap();
        let (mut second, _) = accept(&listener);
        second.write_all(&metadata(3, false, Vec::new())).unwrap();
        drop(first);
        second
    });
    let more = "heartbeat = \"1s\"\nstale_after = \"1100ms\"\ndrop_after = \"1300ms\"";
    let mut feed = feed::<NoBroker>(&databento(&address, more), None);
    let events = run(&mut feed, |events| of(events, Kind::GAP).len() == 1);
    drop(gateway.join().unwrap());
    use SessionState as S;
    assert_eq!(states(&events), [S::CONNECTED, S::UP, S::STALE, S::DOWN, S::CONNECTED, S::UP]);
    let faults = of(&events, Kind::FAULT);
    assert_eq!(Code(faults[0].body::<Fault>().code), Code::TIMEOUT);
    let beats = of(&events, Kind::TIMER);
    assert!(beats.iter().all(|beat| beat.source == 0 && beat.ends_batch()));
    let due: Vec<u64> = beats.iter().map(|beat| beat.body::<Timer>().due).collect();
    assert!(due.windows(2).all(|pair| (pair[1] - pair[0]) % 10_000_000 == 0));
}

/// A protocol of one byte a message, for the broker's side.
struct Bytes;

impl Decoder for Bytes {
    fn decode(&mut self, bytes: &[u8], out: &mut impl FnMut(Event)) -> usize {
        for &byte in bytes {
            out(Event::new(Kind::ADMIN, u32::from(byte), [0u64; 4]));
        }
        bytes.len()
    }
    fn next_in(&self) -> u64 {
        55
    }
}

#[test]
fn a_brokers_connection_is_handed_over_before_the_gate_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let peer = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        let logon = line(&mut reader);
        stream.write_all(b"ok").unwrap();
        (logon, stream)
    });
    let text = format!("[[session]]\nname = \"b\"\nkind = \"broker\"\naddress = \"{address}\"\n");
    let (sender, receiver) = mpsc::sync_channel(1);
    let mut feed = feed(&text, Some(Broker { decoder: Bytes, gate: sender }));
    let mut events: Vec<Event> = Vec::new();
    feed.start(&mut |event: &Event| events.push(*event)).unwrap();
    while of(&events, Kind::ADMIN).len() < 2 {
        let before = events.len();
        feed.duty(&mut |event: &Event| events.push(*event));
        if states(&events[before..]).contains(&SessionState::CONNECTED) {
            let mut gate: TcpStream = receiver.try_recv().unwrap();
            gate.write_all(b"logon\n").unwrap();
        }
    }
    let (logon, _stream) = peer.join().unwrap();
    assert_eq!(logon, "logon\n");
    let session = of(&events, Kind::SESSION)[0];
    assert_eq!(session.body::<zomma::wire::control::Session>().next_in, 55);
    assert_eq!(session.source, 1);
    let texts: Vec<u32> = of(&events, Kind::ADMIN).iter().map(|e| e.instrument).collect();
    assert_eq!(texts, [u32::from(b'o'), u32::from(b'k')]);
}

#[test]
fn nothing_of_a_run_shows_the_key() {
    let (_, sessions) = config(&databento("127.0.0.1:1", ""));
    let client = zomma::feed::live::Client::new(0, &sessions[0], Key::new(KEY).unwrap());
    assert!(!format!("{client:?}").contains(KEY));
    assert!(Settings::keys().iter().chain(&Session::keys()).all(|key| !key.about.is_empty()));
}

/// Series and value of every observation.
fn observed(events: &[Event]) -> Vec<(u32, f64)> {
    let observations = of(events, Kind::OBSERVATION);
    observations.iter().map(|e| (e.instrument, e.body::<Observation>().value)).collect()
}

#[test]
fn what_files_say_of_series_comes_right_after_the_run_and_once_in_all_its_sessions() {
    let text = "[[session]]\nname = \"options\"\nkind = \"udp\"\naddress = \"127.0.0.1:0\"\n";
    let file = "5,VIX,15.5\n9,FOMC,1,99\n9,FOMC,1,120\n";
    let told = |file: &str| series::read("a.csv", file, &series_names()).unwrap();
    let begins = |events: &[Event]| events.iter().any(|event| event.kind == Kind::TIMER);
    let mut feed = feed_with::<NoBroker>(text, None, told(file));
    let events = run(&mut feed, begins);
    assert_eq!(observed(&events[1..4]), [(0, 15.5), (1, 1.0), (1, 1.0)]);
    assert!(events[3].ends_batch(), "they are one batch");

    let more = format!("{file}12,VIX,16.5\n");
    let mut again = feed_with::<NoBroker>(text, None, told(&more));
    events.iter().for_each(|event| again.restore(event));
    let mut resumed = Vec::new();
    again.start(&mut |event: &Event| resumed.push(*event)).unwrap();
    assert_eq!(observed(&resumed), [(0, 16.5)]);
    assert_eq!(resumed[0].seq, events.last().unwrap().seq + 1);
}

#[test]
fn lines_on_a_socket_are_observations_and_a_run_does_not_wait_for_their_end() {
    let (quotes, lines) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let [options, series] = [&quotes, &lines].map(|of| of.local_addr().unwrap().to_string());
    let more = "on_close = \"end\"";
    let text = format!(
        "{}[[session]]\nname = \"vix\"\nkind = \"series\"\naddress = \"{series}\"\n\
         backoff_min = \"10ms\"\nbackoff_max = \"40ms\"\nstale_after = \"50ms\"\n\
         drop_after = \"50ms\"\n",
        databento(&options, more)
    );
    let (proceed, wait) = mpsc::channel::<()>();
    let publisher = thread::spawn(move || {
        let (mut stream, _) = lines.accept().unwrap();
        stream.write_all(b"known,series,value\n7,VIX,15.5\nVIX is high\n,VI").unwrap();
        stream.flush().unwrap();
        drop(stream);
        let (mut stream, _) = lines.accept().unwrap();
        // Silence is no reason to give such a session up: 50 ms would be one for others.
        assert!(wait.recv_timeout(std::time::Duration::from_millis(200)).is_err());
        stream.write_all(b",VIX,16.25\n9,FOMC,1,2015-12-16T19:00:00Z\n").unwrap();
        wait.recv().unwrap();
    });
    let gateway = thread::spawn(move || {
        let (mut stream, _) = accept(&quotes);
        stream.write_all(&metadata(3, false, Vec::new())).unwrap();
        stream
    });
    let mut feed = feed::<NoBroker>(&text, None);
    let events = run(&mut feed, |events| observed(events).len() == 3);
    assert_eq!(observed(&events), [(0, 15.5), (0, 16.25), (1, 1.0)]);
    let of_series: Vec<Event> = events.iter().filter(|event| event.source == 2).copied().collect();
    let codes = of(&of_series, Kind::FAULT);
    let codes: Vec<u32> = codes.iter().map(|event| event.body::<Fault>().code).collect();
    assert_eq!(codes, [Code::OBSERVATION.0, Code::CLOSED.0]);
    use SessionState as S;
    let seen = states(&of_series);
    assert!(seen.starts_with(&[S::CONNECTED, S::UP, S::DOWN, S::CONNECTED, S::UP]), "{seen:?}");
    assert_eq!(seen.iter().filter(|state| **state == S::DOWN).count(), 1);
    let meeting = of(&of_series, Kind::OBSERVATION)[2];
    assert_eq!(meeting.body::<Observation>().about, 1_450_292_400_000_000_000);
    let counts = feed.counts_of(1);
    assert_eq!((counts.observations, counts.connects, counts.drops), (3, 2, 1));

    drop(gateway.join().unwrap());
    while !feed.ended() {
        feed.duty(&mut |_: &Event| {});
    }
    proceed.send(()).unwrap();
    publisher.join().unwrap();
}
