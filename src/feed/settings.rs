//! `[feed]` and `[[session]]` of the configuration in, checked settings out.

use crate::config::{Reader, Span};
use alloc::{format, string::String, vec::Vec};

crate::section! {
    /// The feed as a whole.
    pub struct Settings {
        /// Size of each session's read buffer; a read asks for at least half of it.
        pub read_bytes: usize = 262_144, in 65_536..=67_108_864, "bytes";
        /// Most bytes taken from one session before the others have their turn.
        pub turn_bytes: usize = 262_144, in 4_096..=67_108_864, "bytes";
        /// Most events of one batch: decisions are never further apart than this.
        pub batch_max: u32 = 1_024, in 1..=1_000_000, "events";
        /// Between two TIMER events; staleness and the kill file are looked at as often.
        pub beat: Span = Span(10_000_000), in Span(100_000)..=Span(60_000_000_000), "time";
        /// A feed that stood still for longer, and for longer than four beats, believes no quote
        /// that was on its way meanwhile.
        pub pause_max: Span = Span(1_000_000_000),
            in Span(1_000_000)..=Span(600_000_000_000), "time";
        /// A CLOCK event tells whenever the system's clocks have moved this far from ours since the
        /// last one.
        pub clock_step: Span = Span(100_000_000),
            in Span(1_000_000)..=Span(600_000_000_000), "time";
        /// Room for instruments of all sessions together.
        pub instruments_max: usize = 65_536, in 1..=4_194_304, "instruments";
        /// Poll without ever sleeping; a core of its own is needed.
        pub busy_poll: bool = false, "-";
        /// The kill switch is thrown as soon as this file exists; empty for none.
        pub kill_file: String = String::new(), "path";
        /// One command in words, taken as soon as this file exists; empty for none.
        pub command_file: String = String::new(), "path";
        /// The kill switch is thrown when this file is not touched for `heartbeat_max`; empty for
        /// none.
        pub heartbeat_file: String = String::new(), "path";
        /// How long nobody may have touched the heartbeat file.
        pub heartbeat_max: Span = Span(10_000_000_000),
            in Span(10_000_000)..=Span(86_400_000_000_000), "time";
        /// Files of external series, told at the start: known,series,value,about a line.
        pub series_files: Vec<String> = Vec::new(), "paths";
    }
}

crate::section! {
    /// One connection that FEED reads.
    pub struct Session {
        /// Its name in reports.
        pub name: String, "-";
        /// `databento` (live protocol), `udp` (datagrams), `series` (lines of external series) or
        /// `broker` (FIX; GATE writes to it).
        pub kind: String = String::from("databento"), "-";
        /// `host:port` to connect to; for `udp` the address to listen on or the group to join.
        pub address: String, "-";
        /// Of `databento`: the dataset, such as `OPRA.PILLAR`.
        pub dataset: String = String::new(), "-";
        /// Of `databento`: what to subscribe to, such as `cmbp-1`, `definition`, `statistics`.
        pub schemas: Vec<String> = Vec::new(), "-";
        /// Of `databento`: the symbols, such as `SPXW.OPT`, or `ALL_SYMBOLS`.
        pub symbols: Vec<String> = Vec::new(), "-";
        /// Of `databento`: how the symbols are meant: `parent`, `raw_symbol`, `continuous`, …
        pub stype: String = String::from("raw_symbol"), "-";
        /// Of `databento`: replay from this time on before going live, 0 for no replay.
        pub start: u64 = 0, "ns UTC";
        /// Of `databento`: whether the venue's send time follows each record; nothing reads it.
        pub ts_out: bool = false, "-";
        /// Of `databento`: what the gateway does when we read too slowly: `skip` or `warn`.
        pub slow_reader: String = String::from("skip"), "-";
        /// Of `databento`: the environment variable that holds the API key.
        pub key_env: String = String::from("DATABENTO_API_KEY"), "-";
        /// Of `databento`: how often the gateway shall send a heartbeat when nothing else comes.
        pub heartbeat: Span = Span(10_000_000_000),
            in Span(1_000_000_000)..=Span(600_000_000_000), "time";
        /// Silence after which what the session quoted is stale. Above `heartbeat`.
        pub stale_after: Span = Span(15_000_000_000),
            in Span(10_000_000)..=Span(3_600_000_000_000), "time";
        /// Silence after which the connection is given up and made anew.
        pub drop_after: Span = Span(60_000_000_000),
            in Span(10_000_000)..=Span(86_400_000_000_000), "time";
        /// Longest wait for the transport to open.
        pub connect_timeout: Span = Span(10_000_000_000),
            in Span(1_000_000)..=Span(600_000_000_000), "time";
        /// Longest wait from the open transport to the first record.
        pub login_timeout: Span = Span(30_000_000_000),
            in Span(1_000_000)..=Span(600_000_000_000), "time";
        /// Wait after the first failed attempt; it doubles from there.
        pub backoff_min: Span = Span(250_000_000),
            in Span(1_000_000)..=Span(600_000_000_000), "time";
        /// Longest wait between two attempts.
        pub backoff_max: Span = Span(30_000_000_000),
            in Span(1_000_000)..=Span(3_600_000_000_000), "time";
        /// When the peer closes in good order: `reconnect`, or `end` where it replays a recording.
        pub on_close: String = String::from("reconnect"), "-";
        /// Size of the socket's receive buffer, 0 for the system's choice.
        pub rcvbuf: usize = 0, in 0..=1_073_741_824, "bytes";
        /// Of `udp`: the address of the interface on which a group is joined.
        pub interface: String = String::from("0.0.0.0"), "-";
    }
}

/// What a session is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// The Databento live protocol over TCP.
    Databento,
    /// Datagrams.
    Udp,
    /// Lines of external series over TCP.
    Series,
    /// FIX over TCP: FEED connects and reads, GATE writes.
    Broker,
}

impl Session {
    /// What it is; `None` for a kind that [`from_config`] refuses.
    pub fn transport(&self) -> Option<Transport> {
        match self.kind.as_str() {
            "databento" => Some(Transport::Databento),
            "udp" => Some(Transport::Udp),
            "series" => Some(Transport::Series),
            "broker" => Some(Transport::Broker),
            _ => None,
        }
    }

    /// Whether a close in good order is the end of a recording.
    pub fn ends_on_close(&self) -> bool {
        self.on_close == "end"
    }

    fn check(&self, at: &str, reader: &mut Reader) {
        let mut one_of = |key: &str, value: &str, choices: &[&str]| {
            if !choices.contains(&value) {
                let what = format!("is {value:?}; it must be one of {}", choices.join(", "));
                reader.refuse(&format!("{at} {key}"), what);
            }
        };
        one_of("kind", &self.kind, &["databento", "udp", "series", "broker"]);
        one_of("on_close", &self.on_close, &["reconnect", "end"]);
        one_of("slow_reader", &self.slow_reader, &["skip", "warn"]);
        let mut refuse = |key: &str, wrong: bool, what: &str| {
            if wrong {
                reader.refuse(&format!("{at} {key}"), what);
            }
        };
        refuse("drop_after", self.drop_after < self.stale_after, "must not be below stale_after");
        refuse("backoff_max", self.backoff_max < self.backoff_min, "must not be below backoff_min");
        if self.transport() != Some(Transport::Databento) {
            return;
        }
        refuse("stale_after", self.stale_after <= self.heartbeat, "must be above heartbeat");
        refuse("schemas", self.schemas.is_empty(), "is empty; name at least one schema");
        refuse("symbols", self.symbols.is_empty(), "is empty; name at least one symbol");
        refuse("dataset", self.dataset.is_empty(), "is missing; such as \"OPRA.PILLAR\"");
        let plain = |text: &String| text.bytes().all(|b| b.is_ascii_graphic() && b != b'|');
        let spaced = |text: &String| text.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'|');
        refuse("dataset", !plain(&self.dataset), "must be printable ASCII without `|`");
        refuse("schemas", !self.schemas.iter().all(plain), "must be printable ASCII without `|`");
        refuse("stype", !plain(&self.stype), "must be printable ASCII without `|`");
        let listed = self.symbols.iter().all(|s| spaced(s) && !s.contains(','));
        refuse("symbols", !listed, "must be printable ASCII without `|` and `,`, one a string");
    }
}

/// Reads and checks both; mistakes go to the reader.
pub fn from_config(reader: &mut Reader) -> Option<(Settings, Vec<Session>)> {
    let settings = reader.section::<Settings>("feed");
    let sessions = reader.list::<Session>("session");
    if sessions.is_empty() {
        reader.refuse("[[session]]", "is missing; FEED needs at least one session");
    }
    let brokers = sessions.iter().filter(|s| s.transport() == Some(Transport::Broker)).count();
    if brokers > 1 {
        reader.refuse("[[session]]", "more than one is of kind \"broker\"; there is one gate");
    }
    for (i, session) in sessions.iter().enumerate() {
        session.check(&format!("[session {}]", i + 1), reader);
    }
    Some((settings?, sessions))
}

/// The number that events of a session carry as their source: its place in the list, from 1. What
/// the pipeline makes itself (RUN, TIMER, COMMAND) has 0.
pub fn source(place: usize) -> u16 {
    place as u16 + 1
}

/// The source of the broker's session.
pub fn broker_source(sessions: &[Session]) -> Option<u16> {
    sessions.iter().position(|s| s.transport() == Some(Transport::Broker)).map(source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn read(text: &str) -> Result<(Settings, Vec<Session>), Vec<String>> {
        let shown = |errors: Vec<crate::config::Error>| -> Vec<String> {
            errors.iter().map(ToString::to_string).collect()
        };
        let mut reader = Reader::new("engine.toml", text).map_err(shown)?;
        let settings = from_config(&mut reader);
        reader.finish().map_err(shown)?;
        Ok(settings.unwrap())
    }

    #[test]
    fn sessions_are_numbered_in_the_order_of_the_file() {
        let text = "[[session]]\nname = \"options\"\naddress = \"a:1\"\ndataset = \"X\"\n\
                    schemas = [\"cmbp-1\"]\nsymbols = [\"GOOG  151224P00748500\"]\n\
                    [[session]]\nname = \"broker\"\nkind = \"broker\"\naddress = \"b:2\"\n";
        let (settings, sessions) = read(text).unwrap();
        assert_eq!(settings.beat.nanos(), 10_000_000);
        assert_eq!((source(0), broker_source(&sessions)), (1, Some(2)));
    }

    #[test]
    fn what_only_the_meaning_shows_is_refused_with_its_place() {
        let text = "[[session]]\nname = \"o\"\nkind = \"ftp\"\naddress = \"a:1\"\n\
                    on_close = \"x\"\n\
                    [[session]]\nname = \"p\"\naddress = \"a:1\"\nsymbols = [\"A|B\"]\n\
                    stale_after = \"5s\"\n";
        let errors = read(text).unwrap_err();
        for part in [
            "[session 1] kind: is \"ftp\"",
            "[session 1] on_close",
            "[session 2] schemas: is empty",
            "[session 2] symbols: must be printable",
            "[session 2] stale_after: must be above heartbeat",
            "[session 2] dataset: is missing",
        ] {
            assert!(errors.iter().any(|error| error.contains(part)), "{part}: {errors:?}");
        }
        assert!(read("").is_err());
    }
}
