//! What the tests share: a market on free ports in, clients that speak its protocols out.
#![allow(dead_code, missing_docs, unreachable_pub)]

use dbn::{Cmbp1Msg, Metadata, SType, Schema, encode::dbn::MetadataEncoder};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    thread::JoinHandle,
    time::Duration,
};
use zomma_market::{
    catalog::{Contract, contract_of, osi},
    fault::Plan,
    lsg::{Keys, Line, answer},
    record,
    server::{Idle, Server, Settings, Summary},
    sim::{calendar::Day, records},
    source::Source,
    venue::Terms,
};

pub const KEY: &str = "test-key-with-exactly-32-letters";
pub const OPTIONS: &str = "OPRA.PILLAR";
pub const STOCKS: &str = "DBEQ.BASIC";
/// 2024-01-19 14:30:00 UTC.
pub const OPEN: u64 = 1_705_674_600_000_000_000;

pub fn settings() -> Settings {
    Settings {
        sessions: 1,
        wait_orders: false,
        keys: Keys::One(KEY.into()),
        speed: None,
        terms: Terms::default(),
        plan: Plan::default(),
        seed: 1,
        idle: Idle::Sleep,
        linger_ns: 10_000_000_000,
    }
}

/// A market that runs on a thread of this process.
pub struct Market {
    pub data: SocketAddr,
    pub orders: SocketAddr,
    pub stop: Arc<AtomicBool>,
    pub handle: JoinHandle<Summary>,
}

pub fn serve(
    settings: Settings,
    source: impl FnOnce() -> Box<dyn Source> + Send + 'static,
) -> Market {
    let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (data, orders) = (bind(), bind());
    let (data_at, orders_at) = (data.local_addr().unwrap(), orders.local_addr().unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let handle = std::thread::spawn(move || {
        Server::new(settings, source(), data, orders, Vec::new()).unwrap().run(&stopped)
    });
    Market { data: data_at, orders: orders_at, stop, handle }
}

/// A client of the live gateway.
pub struct Client {
    pub stream: TcpStream,
    pub lines: BufReader<TcpStream>,
}

impl Client {
    pub fn connect(to: SocketAddr) -> Client {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap());
        Client { stream, lines }
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }

    pub fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// Authenticates as the official Rust client does; the gateway's answer.
    pub fn authenticate(&mut self, key: &str, dataset: &str, more: &str) -> String {
        assert!(self.line().starts_with("lsg_version="));
        let challenge = self.line();
        let answer = answer(Line::new(&challenge).get("cram").unwrap(), key);
        self.say(&format!("auth={answer}|dataset={dataset}|encoding=dbn|compression=none{more}\n"));
        self.line()
    }

    /// Authenticated and subscribed to all of a dataset's symbols.
    pub fn subscribed(to: SocketAddr, dataset: &str, schemas: &[&str], more: &str) -> Client {
        let mut client = Client::connect(to);
        let said = client.authenticate(KEY, dataset, more);
        assert!(said.starts_with("success=1|session_id="), "{said}");
        for schema in schemas {
            let line =
                format!("schema={schema}|stype_in=raw_symbol|symbols=ALL_SYMBOLS|is_last=1\n");
            client.say(&line);
        }
        client.say("start_session\n");
        client
    }

    /// Reads the header.
    pub fn header(&mut self) -> Metadata {
        let mut bytes = vec![0; 8];
        self.lines.read_exact(&mut bytes).unwrap();
        let length = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
        bytes.resize(8 + length, 0);
        self.lines.read_exact(&mut bytes[8..]).unwrap();
        dbn::decode::dbn::MetadataDecoder::new(&bytes[..]).decode().unwrap()
    }

    /// The next record; `None` at the end of the stream.
    pub fn record(&mut self) -> Option<Vec<u8>> {
        let mut record = vec![0; 1];
        if self.lines.read(&mut record).unwrap_or(0) == 0 {
            return None;
        }
        record.resize(usize::from(record[0]) * 4, 0);
        self.lines.read_exact(&mut record[1..]).ok()?;
        Some(record)
    }

    /// All records to the end of the stream, without the gateway's own.
    pub fn records(&mut self) -> Vec<Vec<u8>> {
        let own = |r: &Vec<u8>| r[1] == record::rtype::SYSTEM || r[1] == record::rtype::ERROR;
        std::iter::from_fn(|| self.record()).filter(|r| !own(r)).collect()
    }
}

pub fn contract(symbol: &str) -> Contract {
    contract_of(symbol).unwrap()
}

/// Two calls of one expiry.
pub fn calls() -> [Contract; 2] {
    ["SPXW  240119C04800000", "SPXW  240119C04810000"].map(contract)
}

/// Mappings and definitions of `calls`, with ids 1 and 2.
pub fn listing() -> Vec<Vec<u8>> {
    let day = Day::parse("2024-01-19").unwrap();
    let mut all = Vec::new();
    for (id, contract) in (1..).zip(calls()) {
        let symbol = osi(&contract);
        all.push(record::mapping(id, OPEN, "SPXW.OPT", SType::Parent, &symbol));
        all.push(records::definition(id, &symbol, &contract, day, OPEN - 1));
    }
    all
}

/// A quote in cents at so many ms after the opening.
pub fn quote(id: u32, ms: u64, bid: (i64, u32), ask: (i64, u32)) -> Vec<u8> {
    let best = records::Best {
        bid: bid.0 * 10_000_000,
        ask: ask.0 * 10_000_000,
        bid_size: bid.1,
        ask_size: ask.1,
    };
    let quote: Cmbp1Msg = records::option_quote(id, &best, OPEN + ms * 1_000_000);
    quote.as_ref().to_vec()
}

/// A quote of the underlying.
pub fn spot(ms: u64, cents: i64) -> Vec<u8> {
    let (bid, ask) = ((cents - 1) * 10_000_000, (cents + 1) * 10_000_000);
    let best = records::Best { bid, ask, bid_size: 1, ask_size: 1 };
    records::spot_quote(1, &best, OPEN + ms * 1_000_000, 1).as_ref().to_vec()
}

/// Writes records as a file of the format.
pub fn file(folder: &Path, name: &str, dataset: &str, records: &[Vec<u8>]) -> PathBuf {
    let metadata = Metadata::builder()
        .dataset(dataset.to_owned())
        .schema(None::<Schema>)
        .start(OPEN)
        .stype_in(None)
        .stype_out(SType::InstrumentId)
        .build();
    let mut bytes = Vec::new();
    MetadataEncoder::new(&mut bytes).encode(&metadata).unwrap();
    records.iter().for_each(|record| bytes.extend_from_slice(record));
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The folder of recorded data, where there is one.
pub fn data(of: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ZOMMA_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = root.unwrap_or(beside).join(of);
    if !path.exists() {
        eprintln!("skipped: {of} is not here; set ZOMMA_DATA");
        return None;
    }
    Some(path)
}
