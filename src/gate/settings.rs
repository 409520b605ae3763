//! What a broker's session needs: the section `[broker]` in, checked settings out.

use crate::config::Span;
use std::string::String;

crate::section! {
    /// The FIX 4.4 session with the broker; its address is that of the `[[session]]` of kind
    /// `broker`.
    pub struct Broker {
        /// SenderCompID (49): who we are.
        pub sender_comp_id: String = String::from("ZOMMA"), "-";
        /// TargetCompID (56): who the broker is.
        pub target_comp_id: String = String::from("MARKET"), "-";
        /// HeartBtInt (108): silence after which each side says that it is there. Whole seconds.
        pub heartbeat: Span = Span(10_000_000_000),
            in Span(1_000_000_000)..=Span(300_000_000_000), "-";
        /// How long a Logon or Logout may stay unanswered before the connection is dropped.
        pub answer: Span = Span(10_000_000_000), in Span(100_000_000)..=Span(120_000_000_000), "-";
        /// Both sides begin at sequence number 1 on every Logon (141=Y); what was sent before is
        /// then not sent again.
        pub reset_on_logon: bool = false, "-";
        /// Oldest order that a ResendRequest may bring back; older ones are filled over, and the
        /// broker is asked how they stand if it never spoke of them.
        pub resend_age: Span = Span(5_000_000_000), in Span(0)..=Span(3_600_000_000_000), "-";
        /// Oldest decision that may leave: from the receipt of its cause to right before the write.
        pub decision_age: Span = Span(2_000_000_000),
            in Span(1_000_000)..=Span(3_600_000_000_000), "-";
        /// Account (1); empty for none.
        pub account: String = String::new(), "-";
        /// ExDestination (100); empty for none.
        pub destination: String = String::new(), "-";
        /// Username (553) of the Logon; empty for none.
        pub username: String = String::new(), "-";
        /// The environment variable that holds Password (554) of the Logon; empty for none.
        pub password_env: String = String::new(), "-";
        /// File of the sequence numbers and the last sent messages, below the state directory.
        pub store: String = String::from("broker.session"), "-";
        /// Most instruments that orders may name.
        pub instruments_max: usize = 32_768, in 1..=1_048_576, "instruments";
    }
}

/// What a field of a FIX message may hold: printable ASCII without the terminator.
fn is_field(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

impl Broker {
    /// Checks what a single key cannot show: texts that go into messages, whole seconds.
    pub fn check(&self, reader: &mut crate::config::Reader) {
        let texts = [
            ("sender_comp_id", &self.sender_comp_id, true),
            ("target_comp_id", &self.target_comp_id, true),
            ("account", &self.account, false),
            ("destination", &self.destination, false),
            ("username", &self.username, false),
        ];
        for (key, text, needed) in texts {
            let at = std::format!("[broker] {key}");
            if needed && text.is_empty() {
                reader.refuse(&at, "is empty; the broker says what to write");
            }
            if !is_field(text) {
                reader.refuse(&at, "must be printable ASCII of at most 64 characters");
            }
        }
        if !self.heartbeat.nanos().is_multiple_of(1_000_000_000) {
            reader.refuse("[broker] heartbeat", "must be whole seconds: FIX counts them so");
        }
    }
}
