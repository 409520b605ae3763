//! One client's bytes in; its phase, its subscriptions as masks, and what to answer out. No socket.

use super::{Keys, Line, line::LINE_LEN_MAX, nonce};
use crate::{
    catalog::Catalog,
    record::{self, MAPPING_BIT, schema_bit},
    source::Item,
};
use dbn::{ErrorCode, Metadata, SType, SystemCode, encode::dbn::MetadataEncoder};

/// Where a session is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Greeted, not yet authenticated.
    Greeted,
    /// Authenticated, subscribing.
    Subscribing,
    /// `start_session` was received: it waits for the server to send the header.
    Starting,
    /// Records flow.
    Streaming,
    /// Refused, or done: close when what is to be sent has been sent.
    Closing,
}

/// What a session needs to know to answer.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Instruments.
    pub catalog: &'a Catalog,
    /// Good keys.
    pub keys: &'a Keys,
    /// The market's present time: of acknowledgements.
    pub ts: u64,
}

/// A client's session.
#[derive(Debug)]
pub struct Session {
    /// Where it is.
    pub phase: Phase,
    /// Its dataset, as it asked for it.
    pub dataset: String,
    /// The channel that serves it.
    pub channel: u8,
    /// Whether every record carries its send time.
    pub ts_out: bool,
    /// After so long without a record a heartbeat is due.
    pub heartbeat_ns: u64,
    /// Bytes to send.
    pub out: Vec<u8>,
    /// Bits of the schemas subscribed to, by instrument.
    mask: Vec<u32>,
    nonce: String,
    id: u64,
    line: Vec<u8>,
    /// Acknowledgements and errors that wait for the header.
    held: Vec<Vec<u8>>,
}

impl Session {
    /// Greets and challenges a new client.
    pub fn greet(id: u64, salt: u64) -> Session {
        let nonce = nonce(salt);
        let out = format!("lsg_version=zomma-market\ncram={nonce}\n").into_bytes();
        Session {
            phase: Phase::Greeted,
            dataset: String::new(),
            channel: 0,
            ts_out: false,
            heartbeat_ns: 30_000_000_000,
            out,
            mask: Vec::new(),
            nonce,
            id,
            line: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Takes what the client has sent.
    pub fn on_bytes(&mut self, bytes: &[u8], context: Context<'_>) {
        for part in bytes.split_inclusive(|&b| b == b'\n') {
            if self.phase == Phase::Closing {
                return;
            }
            self.line.extend_from_slice(part);
            if self.line.len() > LINE_LEN_MAX {
                return self.refuse("Line too long.", context);
            }
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                match std::str::from_utf8(&line) {
                    Ok(text) => self.on_line(Line::new(text), context),
                    Err(_) => self.refuse("Not text.", context),
                }
            }
        }
    }

    /// Sends the stream's header and what waited for it.
    pub fn start(&mut self, ts: u64) {
        let metadata = Metadata::builder()
            .dataset(self.dataset.clone())
            .schema(None)
            .start(ts)
            .stype_in(None)
            .stype_out(SType::InstrumentId)
            .ts_out(self.ts_out)
            .build();
        let mut header = Vec::new();
        // Encoding into memory fails only on symbols that are too long; there are none.
        let encoded = MetadataEncoder::new(&mut header).encode(&metadata);
        debug_assert!(encoded.is_ok());
        self.out.extend_from_slice(&header);
        self.phase = Phase::Streaming;
        for record in std::mem::take(&mut self.held) {
            self.send(&record, ts);
        }
    }

    /// Sends a record if the session has subscribed to it.
    #[inline]
    pub fn offer(&mut self, item: &Item<'_>, bits: u32, now: u64) -> bool {
        let wanted = self.phase == Phase::Streaming && self.channel == item.channel;
        let wants = |mask: &u32| mask & bits != 0;
        let wanted = wanted && self.mask.get(item.index as usize).is_some_and(wants);
        if wanted {
            self.send(item.bytes, now);
        }
        wanted
    }

    /// Sends a record.
    #[inline]
    pub fn send(&mut self, record: &[u8], now: u64) {
        let at = self.out.len();
        self.out.extend_from_slice(record);
        if self.ts_out {
            self.out.extend_from_slice(&now.to_le_bytes());
            self.out[at] += 2;
        }
    }

    fn on_line(&mut self, line: Line<'_>, context: Context<'_>) {
        match self.phase {
            Phase::Greeted => self.authenticate(line, context),
            _ if line.has("start_session") => {
                if self.phase == Phase::Subscribing {
                    self.phase = Phase::Starting;
                }
            }
            _ => self.subscribe(line, context),
        }
    }

    fn authenticate(&mut self, line: Line<'_>, context: Context<'_>) {
        let Some(response) = line.get("auth") else {
            return self.refuse("Authentication request expected.", context);
        };
        if !context.keys.accept(&self.nonce, response) {
            return self.refuse("Authentication failed.", context);
        }
        let dataset = line.get("dataset").unwrap_or("");
        let Some(channel) = context.catalog.channel(dataset) else {
            let known = context.catalog.datasets.join(", ");
            return self.refuse(&format!("Unknown dataset '{dataset}'; here: {known}."), context);
        };
        if line.get("encoding").is_some_and(|e| e != "dbn") {
            return self.refuse("Unsupported encoding; ask for dbn.", context);
        }
        if line.get("compression").is_some_and(|c| c != "none") {
            return self.refuse("Unsupported compression; ask for none.", context);
        }
        self.dataset = dataset.into();
        self.channel = channel;
        self.ts_out = line.is_on("ts_out");
        if let Some(seconds) = line.get("heartbeat_interval_s").and_then(|s| s.parse().ok()) {
            let seconds: u64 = seconds;
            self.heartbeat_ns = seconds.clamp(1, 3600) * 1_000_000_000;
        }
        self.mask = vec![0; context.catalog.listed.len()];
        self.phase = Phase::Subscribing;
        self.out.extend_from_slice(format!("success=1|session_id={}\n", self.id).as_bytes());
    }

    fn subscribe(&mut self, line: Line<'_>, context: Context<'_>) {
        let schema = line.get("schema").unwrap_or("");
        let (Some(bit), Some(symbols)) = (schema_bit(schema), line.get("symbols")) else {
            let text = format!("Invalid subscription: schema '{schema}' or symbols missing");
            return self
                .say(record::error(context.ts, ErrorCode::InvalidSubscription, &text), context);
        };
        let stype_in = line.get("stype_in").unwrap_or("raw_symbol");
        let adds = !line.has("unsubscribe");
        for symbol in symbols.split(',').map(str::trim) {
            if !self.mark(stype_in, symbol, bit, adds, context.catalog) {
                let text = format!("Failed to resolve symbol '{symbol}' as {stype_in}");
                let code = ErrorCode::SymbolResolutionFailed;
                self.say(record::error(context.ts, code, &text), context);
            }
        }
        if line.get("is_last").is_none_or(|last| last != "0") {
            let number = line.get("id").unwrap_or("0");
            let (code, what) = match adds {
                true => (SystemCode::SubscriptionAck, "Subscription"),
                false => (SystemCode::UnsubscribeAck, "Unsubscribe"),
            };
            let text = format!("{what} request {number} for {schema} data succeeded");
            self.say(record::system(context.ts, code, &text), context);
        }
    }

    /// Sets or clears a schema for what the symbol means; whether it means anything.
    fn mark(&mut self, stype_in: &str, symbol: &str, bit: u32, adds: bool, of: &Catalog) -> bool {
        if let ("raw_symbol", Some(index)) = (stype_in, of.find_symbol(symbol))
            && of.listed[index as usize].channel == self.channel
        {
            self.set(index as usize, bit, adds);
            return true;
        }
        let mut found = false;
        for (index, listed) in of.listed.iter().enumerate() {
            if listed.channel != self.channel || !of.matches(index as u32, stype_in, symbol) {
                continue;
            }
            found = true;
            self.set(index, bit, adds);
        }
        found
    }

    fn set(&mut self, index: usize, bit: u32, adds: bool) {
        let mask = &mut self.mask[index];
        *mask = if adds { *mask | bit | MAPPING_BIT } else { *mask & !bit };
    }

    /// Sends a record of the gateway itself, once the header has gone out.
    fn say(&mut self, record: Vec<u8>, context: Context<'_>) {
        match self.phase {
            Phase::Streaming => self.send(&record, context.ts),
            _ => self.held.push(record),
        }
    }

    fn refuse(&mut self, why: &str, context: Context<'_>) {
        match self.phase {
            Phase::Streaming => {
                let error = record::error(context.ts, ErrorCode::InvalidSubscription, why);
                self.send(&error, context.ts);
            }
            _ => self.out.extend_from_slice(format!("success=0|error={why}\n").as_bytes()),
        }
        self.phase = Phase::Closing;
    }
}
