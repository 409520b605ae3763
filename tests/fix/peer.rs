//! FIX messages made by `format!`, and a broker that keeps what it sent and resends on request
//! over a wire that loses, tears and doubles.
use zomma::wire::{
    Event, Kind,
    control::Fault,
    order::{Admin, AdminKind, client_order_id},
};

/// `body` with `|` for the terminator, framed.
pub fn message(body: &str) -> Vec<u8> {
    let body = body.replace('|', "\x01");
    let mut bytes = format!("8=FIX.4.4\x019={}\x01{body}", body.len()).into_bytes();
    let sum = bytes.iter().map(|&b| u32::from(b)).sum::<u32>() % 256;
    bytes.extend(format!("10={sum:03}\x01").into_bytes());
    bytes
}

/// A message of the broker's side of the session.
pub fn session(seq: u64, kind: &str, fields: &str) -> Vec<u8> {
    let time = "20260102-14:30:00.000";
    message(&format!("35={kind}|49=THEM|56=US|34={seq}|52={time}|{fields}"))
}

/// An execution report on order `id`, with an execution id of its own.
pub fn report(seq: u64, id: u64, fields: &str) -> Vec<u8> {
    let id = String::from_utf8(client_order_id(id).to_vec()).unwrap();
    session(seq, "8", &format!("37=B|17=E{seq}|11={id}|{fields}"))
}

/// Equal but for what a fault quotes: how many bytes were there depends on the split.
pub fn is_same(a: &[Event], b: &[Event]) -> bool {
    let plain = |event: &Event| match event.kind {
        Kind::FAULT => {
            let fault = Fault { found: 0, ..*event.body() };
            Event::new(Kind::FAULT, event.instrument, fault)
        }
        _ => *event,
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| plain(a) == plain(b))
}

/// A broker. Numbers start after its logon.
pub struct Peer {
    pub next: u64,
    /// Order numbers of the reports sent, `None` for session messages, from number 2 on.
    sent: Vec<Option<u64>>,
    /// What happens to the next messages on the wire; afterwards nothing does.
    fates: std::vec::IntoIter<u8>,
    wire: Vec<Vec<u8>>,
}

impl Peer {
    pub fn new(fates: Vec<u8>) -> Peer {
        Peer { next: 2, sent: Vec::new(), fates: fates.into_iter(), wire: Vec::new() }
    }

    pub fn report(&mut self, order: u64) {
        self.wire.push(report(self.next, order, "150=F|39=2|32=1|31=1.5|"));
        self.sent.push(Some(order));
        self.next += 1;
    }

    pub fn heartbeat(&mut self) {
        self.wire.push(session(self.next, "0", ""));
        self.sent.push(None);
        self.next += 1;
    }

    /// Everything from `begin` again: reports as they were, session messages filled over.
    fn resend(&mut self, begin: u64) {
        for seq in begin..self.next {
            self.wire.push(match self.sent[seq as usize - 2] {
                Some(order) => report(seq, order, "43=Y|150=F|39=2|32=1|31=1.5|"),
                None => session(seq, "4", &format!("43=Y|123=Y|36={}|", seq + 1)),
            });
        }
    }

    /// Carries what is on the wire over, with its fates, and answers what comes back.
    pub fn deliver(&mut self, mut take: impl FnMut(&[u8]) -> Vec<Event>) -> Vec<Event> {
        let mut seen = Vec::new();
        while !self.wire.is_empty() {
            for mut bytes in std::mem::take(&mut self.wire) {
                match self.fates.next() {
                    Some(0) => continue,
                    Some(1) => bytes[30] ^= 1,
                    _ => {}
                }
                for event in take(&bytes) {
                    seen.push(event);
                    if event.kind == Kind::ADMIN && event.body::<Admin>().kind == AdminKind::GAP {
                        self.resend(event.body::<Admin>().begin_end().0);
                    }
                }
            }
        }
        seen
    }
}
