//! The FIX decoder against hostile bytes, lossy wires and everything a broker may report.
#[path = "fix/peer.rs"]
mod peer;

use peer::{Peer, is_same, message, report, session};
use proptest::prelude::*;
use zomma::{
    feed::{
        Decoder,
        fix::{FixDecoder, fault, store},
    },
    wire::{
        Event, Kind, Price,
        audit::Assignment,
        control::{Fault, Session, SessionState},
        market::Class,
        order::{Admin, AdminKind, OrderStatus, Report, ReportKind, client_order_id},
    },
};

/// A decoder with a store of its own.
struct Rig {
    decoder: FixDecoder,
    _directory: tempfile::TempDir,
}

impl Rig {
    fn new() -> Rig {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("session");
        let (inbound, _) = store::open(&path, "US", "THEM", false).unwrap();
        Rig { decoder: FixDecoder::new("US", "THEM", inbound), _directory: directory }
    }

    fn logged_on() -> Rig {
        let mut rig = Rig::new();
        assert!(rig.events(&session(1, "A", "98=0|108=10|")).len() == 2);
        rig
    }

    fn events(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        let done = self.decoder.decode(bytes, &mut |event| events.push(event));
        assert!(done <= bytes.len());
        events
    }

    /// In pieces of these lengths, over and over, as a socket's buffer would hold them.
    fn split(&mut self, bytes: &[u8], lengths: &[usize]) -> Vec<Event> {
        let (mut events, mut held, mut at) = (Vec::new(), Vec::new(), 0);
        for length in lengths.iter().cycle() {
            let end = (at + length).min(bytes.len());
            held.extend_from_slice(&bytes[at..end]);
            let done = self.decoder.decode(&held, &mut |event| events.push(event));
            held.drain(..done);
            at = end;
            if at == bytes.len() {
                break;
            }
        }
        events
    }
}

fn reports(events: &[Event]) -> Vec<Report> {
    events.iter().filter(|e| e.kind == Kind::REPORT).map(|e| *e.body()).collect()
}

fn admins(events: &[Event]) -> Vec<(AdminKind, u64)> {
    let admins = events.iter().filter(|e| e.kind == Kind::ADMIN).map(|e| e.body::<Admin>());
    admins.map(|a| (a.kind, a.begin_end().0)).collect()
}

fn faults(events: &[Event]) -> Vec<u32> {
    let faults = events.iter().filter(|e| e.kind == Kind::FAULT);
    faults.map(|e| e.body::<Fault>().code).collect()
}

fn is_up(events: &[Event]) -> bool {
    let mut sessions = events.iter().rev().filter(|e| e.kind == Kind::SESSION);
    sessions.next().is_some_and(|e| e.body::<Session>().state == SessionState::UP)
}

/// Messages and things that are none, as a wire in trouble carries them.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let garbage = proptest::collection::vec(any::<u8>(), 0..40);
    let fixlike = proptest::sample::select(vec![
        "8=FIX.4.4\x019=5\x0135=0\x0110=000\x01",
        "8=FIX.4.2\x019=5\x0135=0\x01",
        "8=FIX.4.4\x019=99999\x01",
        "8=FIX.4.4\x019=\x01",
        "8=FIX",
        "8=FIX.4.4\x019=60000\x0135=8\x01",
        "10=000\x01",
    ]);
    let good = (0u64..6, any::<bool>())
        .prop_map(|(seq, dup)| session(seq, "0", if dup { "43=Y|112=x|" } else { "112=x|" }));
    let torn = (1u64..6, 0usize..90).prop_map(|(seq, cut)| {
        let mut bytes = session(seq, "0", "112=a long enough text|");
        bytes.truncate(cut);
        bytes
    });
    let flipped = (1u64..6, 0usize..80, any::<u8>()).prop_map(|(seq, at, bit)| {
        let mut bytes = session(seq, "0", "112=x|");
        let at = at % bytes.len();
        bytes[at] ^= bit;
        bytes
    });
    prop_oneof![
        garbage,
        fixlike.prop_map(|text| text.as_bytes().to_vec()),
        good,
        torn,
        flipped,
        (2u64..6).prop_map(|seq| report(seq, seq, "150=F|39=2|32=1|31=1.5|")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn what_is_decoded_does_not_depend_on_how_it_is_split(
        pieces in proptest::collection::vec(piece(), 0..12),
        lengths in proptest::collection::vec(1usize..60, 1..8),
    ) {
        let mut bytes = session(1, "A", "98=0|108=10|");
        bytes.extend(pieces.concat());
        let (mut whole, mut split) = (Rig::new(), Rig::new());
        let (expected, found) = (whole.events(&bytes), split.split(&bytes, &lengths));
        prop_assert!(is_same(&expected, &found), "{expected:#?}\n{found:#?}");
        prop_assert_eq!(whole.decoder.next_in(), split.decoder.next_in());
    }

    #[test]
    fn after_garbage_the_next_message_is_found(
        garbage in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut rig = Rig::logged_on();
        let mut bytes = garbage;
        bytes.extend(report(2, 77, "150=F|39=2|32=1|31=1.5|"));
        bytes.extend(session(3, "0", ""));
        prop_assert_eq!(reports(&rig.events(&bytes)).len(), 1);
    }

    /// The broker's reports reach us once each and in order, whatever is lost, torn or repeated on
    /// the way, as long as the broker answers requests for a resend and goes on living.
    #[test]
    fn no_report_is_lost_or_doubled_by_a_lossy_wire(
        fates in proptest::collection::vec(0u8..10, 1..120),
        sent in 1u64..40,
    ) {
        let mut peer = Peer::new(fates);
        let mut rig = Rig::logged_on();
        let mut seen = Vec::new();
        for exec in 1..=sent {
            peer.report(exec);
            seen.extend(peer.deliver(|bytes| rig.events(bytes)));
        }
        for _ in 0..2_000 {
            if rig.decoder.next_in() == peer.next {
                break;
            }
            peer.heartbeat();
            seen.extend(peer.deliver(|bytes| rig.events(bytes)));
        }
        let orders: Vec<u64> = reports(&seen).iter().map(|r| r.order).collect();
        prop_assert_eq!(orders, (1..=sent).collect::<Vec<_>>());
        prop_assert_eq!(rig.decoder.next_in(), peer.next);
    }
}

#[test]
fn a_report_says_what_happened_to_which_order_and_leg() {
    let mut rig = Rig::logged_on();
    let mut seq = 1;
    let mut next = |fields: &str| {
        seq += 1;
        let events = rig.events(&report(seq, 5, fields));
        (*reports(&events).last().unwrap(), faults(&events))
    };
    let (fill, _) = next("150=F|39=1|32=3|31=-1.05|");
    assert_eq!((fill.event, fill.status), (ReportKind::FILL, OrderStatus::PARTIAL));
    assert_eq!((fill.order, fill.quantity, fill.price), (5, 3, Price(-1_050_000_000)));
    assert_eq!((fill.leg, fill.resent), (0, 0));
    let (leg, _) = next("150=F|39=1|32=3.0|31=1|442=2|555=1|600=SPXW|654=2|");
    assert_eq!((leg.leg, leg.quantity), (2, 3));
    assert_eq!(next("150=F|39=2|32=3|31=1|442=3|").0.leg, Report::WHOLE);
    // A report on a cancel names the order second.
    let cancel = format!("150=4|39=4|41={}|", text(9));
    let (canceled, _) = next(&cancel);
    assert_eq!((canceled.order, canceled.event), (9, ReportKind::CANCELED));
    assert_eq!((canceled.quantity, canceled.price), (0, Price::UNDEF));
    // Nothing is lost for being unreadable: what can be said is said, and a fault beside it.
    let (odd, why) = next("150=F|39=2|32=1.5|31=x|");
    assert_eq!((odd.event, odd.quantity, odd.price), (ReportKind::FILL, 0, Price::UNDEF));
    assert_eq!(why, [fault::VALUE]);
    assert_eq!(next("150=F|39=1|32=1|31=1|442=2|").1, [fault::LEG]);
    assert_eq!(next("150=H|39=1|").1, [fault::BUST]);
    for (kind, event) in [
        ("0", ReportKind::NEW),
        ("A", ReportKind::PENDING),
        ("8", ReportKind::REJECTED),
        ("C", ReportKind::EXPIRED),
        ("I", ReportKind::STATUS),
        ("?", ReportKind::STATUS),
    ] {
        assert_eq!(next(&format!("150={kind}|39=0|")).0.event, event, "{kind}");
    }
}

fn text(id: u64) -> String {
    String::from_utf8(client_order_id(id).to_vec()).unwrap()
}

/// An assignment names its contract and its number; the long side of a pair is none.
#[test]
fn an_assignment_report_says_what_was_exercised_against_us() {
    let mut rig = Rig::logged_on();
    let fields = "1=A|581=1|55=GOOG|167=OPT|461=OCXXXX|541=20151224|202=750|";
    let told = |rig: &mut Rig, seq, more: &str| {
        let events = rig.events(&session(seq, "AW", &format!("833={more}{fields}702=1|703=AS|")));
        let is_it = |event: &&Event| event.kind == Kind::ASSIGNMENT;
        (events.iter().find(is_it).map(|event| *event.body::<Assignment>()), faults(&events))
    };
    let short = |name: &str| format!("{name}|704=0|705=3|");
    let (first, _) = told(&mut rig, 2, &short("X1"));
    let first = first.unwrap();
    assert_eq!((first.contracts, first.date, first.class), (3, 20_151_224, Class::CALL));
    assert_eq!((first.strike, &first.root[..4]), (Price(750_000_000_000), &b"GOOG"[..]));
    assert_eq!(told(&mut rig, 3, &short("X1")).0, Some(first));
    assert_ne!(told(&mut rig, 4, &short("X2")).0.unwrap().id, first.id);
    assert_eq!(told(&mut rig, 5, "X3|704=3|705=0|"), (None, vec![fault::VALUE]));
    assert_eq!(told(&mut rig, 6, "|705=3|"), (None, vec![fault::VALUE]));
}

/// Late, doubled and unknown reports all come out; only the same execution has the same hash.
#[test]
fn late_doubled_and_unknown_reports_are_told_apart_by_their_execution() {
    let mut rig = Rig::logged_on();
    let exec = |seq, exec: &str| {
        let body = format!("37=B|17={exec}|11={}|150=F|39=2|32=1|31=1|", text(5));
        session(seq, "8", &body)
    };
    let mut all = Vec::new();
    for bytes in [exec(2, "E1"), exec(3, "E1"), exec(4, "E2")] {
        all.extend(reports(&rig.events(&bytes)));
    }
    assert_eq!(all[0].exec_id, all[1].exec_id);
    assert_ne!(all[0].exec_id, all[2].exec_id);
    let stranger = session(5, "8", "37=B|17=E9|11=somebody-else|150=F|39=2|32=1|31=1|");
    assert_eq!(reports(&rig.events(&stranger))[0].order, 0);
    // The same bytes again are below the expected number: a possible duplicate is passed over, an
    // unmarked one ends the session.
    let again = session(5, "8", "43=Y|37=B|17=E9|11=x|150=F|39=2|32=1|31=1|");
    assert!(rig.events(&again).is_empty());
    assert_eq!(admins(&rig.events(&stranger)), [(AdminKind::TOO_LOW, 6)]);
}

#[test]
fn a_gap_is_reported_once_and_the_session_is_up_only_when_it_is_filled() {
    let mut rig = Rig::new();
    let events = rig.events(&session(4, "A", "98=0|108=10|"));
    assert_eq!(admins(&events), [(AdminKind::LOGON, 10), (AdminKind::GAP, 1)]);
    assert!(!is_up(&events));
    assert!(rig.events(&report(5, 1, "150=0|39=0|")).is_empty());
    // Out of turn, but to be answered at once.
    let asked = rig.events(&session(6, "2", "7=2|16=0|"));
    assert_eq!(admins(&asked), [(AdminKind::RESEND, 2)]);
    assert!(rig.events(&session(1, "4", "43=Y|123=Y|36=4|")).is_empty());
    assert!(rig.events(&session(4, "4", "43=Y|123=Y|36=5|")).is_empty());
    let filled = rig.events(&report(5, 1, "43=Y|150=0|39=0|"));
    assert_eq!(reports(&filled)[0].resent, 1);
    assert!(is_up(&rig.events(&session(6, "4", "43=Y|123=Y|36=7|"))));
    assert_eq!(rig.decoder.next_in(), 7);
}

#[test]
fn resets_raise_the_sequence_and_never_lower_it_except_by_a_logon() {
    let mut rig = Rig::logged_on();
    assert!(rig.events(&session(1, "4", "36=50|")).is_empty());
    assert_eq!(rig.decoder.next_in(), 50);
    assert_eq!(faults(&rig.events(&session(9, "4", "36=9|"))), [fault::NEW_SEQUENCE]);
    assert_eq!(faults(&rig.events(&session(50, "4", "123=Y|36=50|"))), [fault::NEW_SEQUENCE]);
    assert_eq!(rig.decoder.next_in(), 51);
    assert_eq!(admins(&rig.events(&session(1, "A", "98=0|108=10|"))), [(AdminKind::TOO_LOW, 51)]);
    assert!(is_up(&rig.events(&session(1, "A", "98=0|108=10|141=Y|"))));
    assert_eq!(rig.decoder.next_in(), 2);
}

#[test]
fn strangers_and_early_talkers_are_refused() {
    let mut rig = Rig::new();
    assert_eq!(faults(&rig.events(&report(1, 1, "150=0|39=0|"))), [fault::NOT_LOGGED_ON]);
    let stranger = message("35=A|49=ELSE|56=US|34=1|52=20260102-14:30:00|98=0|108=10|");
    assert_eq!(faults(&rig.events(&stranger)), [fault::IDENTITY]);
    let nameless = message("35=A|49=THEM|56=US|52=20260102-14:30:00|98=0|108=10|");
    assert_eq!(faults(&rig.events(&nameless)), [fault::SEQUENCE_MISSING]);
    let refused = rig.events(&session(1, "5", "58=bad password|"));
    assert_eq!(admins(&refused).len(), 1);
    assert!(!is_up(&refused));
    assert_eq!(rig.decoder.next_in(), 1);
}

/// A number is kept only once its events were journaled; and where the store is newer than the
/// journal, what the journal proves counts: the rest comes again.
#[test]
fn a_number_counts_as_received_only_behind_its_journal() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("session");
    let open = || {
        let (inbound, _) = store::open(&path, "US", "THEM", false).unwrap();
        FixDecoder::new("US", "THEM", inbound)
    };
    let mut events = Vec::new();
    {
        let mut decoder = open();
        let mut bytes = session(1, "A", "98=0|108=10|");
        (2..=300).for_each(|seq| bytes.extend(session(seq, "0", "")));
        decoder.decode(&bytes, &mut |event| events.push(event));
        assert_eq!(decoder.next_in(), 301);
    }
    assert_eq!(open().next_in(), 1, "nothing was committed");
    {
        let mut decoder = open();
        decoder.decode(&session(1, "A", "98=0|108=10|"), &mut drop);
        for seq in 2..=300 {
            decoder.decode(&session(seq, "0", ""), &mut drop);
        }
        decoder.commit();
    }
    assert_eq!(open().next_in(), 301);
    for (kept, wanted) in [(events.len(), 258), (200, 2), (1, 301)] {
        let mut decoder = open();
        events[..kept].iter().for_each(|event| decoder.restore(event));
        assert_eq!(decoder.next_in(), wanted, "{kept} events kept");
    }
}
