//! A market's ports in; the least that any client could do with them, and what it counted, out.
//!
//! It reads the stream with a busy poll and writes one order of fixed size every so many records,
//! with no work in between: the floor that an engine's wire-to-wire latency is compared with.

use crate::{
    cli::Options,
    fix::{Body, frame},
    lsg::{Line, answer},
    record::{Fields, rtype},
};
use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Any key of the right length: a market on loopback that is given none accepts it.
const NO_KEY: &str = "loopback-key-of-no-value-0000001";
const BUFFER_LEN: usize = 1 << 20;

struct Echo {
    orders: TcpStream,
    seq: u64,
    every: u64,
    records: u64,
    sent: u64,
    symbol: String,
}

/// Runs until the stream ends or `stop` is set; says what was done.
pub fn run(options: &Options, stop: &AtomicBool) -> io::Result<String> {
    let mut data = subscribe(options)?;
    let mut orders = TcpStream::connect(options.orders)?;
    orders.set_nodelay(true)?;
    let logon = Body::default().with(98, 0).with(108, 60).with(141, "Y");
    orders.write_all(&message("A", 1, &logon))?;
    let mut greeting = [0; 4096];
    let _ = orders.read(&mut greeting)?;
    orders.set_nonblocking(true)?;
    data.set_nonblocking(true)?;
    let symbol = String::new();
    let mut echo = Echo { orders, seq: 1, every: options.every, records: 0, sent: 0, symbol };
    echo.stream(&mut data, stop)?;
    echo.log_out()?;
    Ok(format!("echo records {} orders {}", echo.records, echo.sent))
}

/// Connects, answers the challenge, subscribes, starts and passes over the header.
fn subscribe(options: &Options) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(options.listen)?;
    stream.set_nodelay(true)?;
    // One byte at a time: nothing of the records that follow may stay in a buffer here.
    let mut lines = BufReader::with_capacity(1, stream.try_clone()?);
    let (mut greeting, mut challenge, mut accepted) = Default::default();
    lines.read_line(&mut greeting)?;
    lines.read_line(&mut challenge)?;
    let key = std::env::var(&options.key_env).unwrap_or(NO_KEY.into());
    let nonce = Line::new(&challenge).get("cram").unwrap_or("").to_string();
    let (dataset, symbol) = &options.subscribe;
    let mut to = &stream;
    let auth = answer(&nonce, &key);
    writeln!(
        to,
        "auth={auth}|dataset={dataset}|encoding=dbn|compression=none|ts_out=0|client=echo"
    )?;
    lines.read_line(&mut accepted)?;
    if !Line::new(&accepted).is_on("success") {
        return Err(io::Error::other(accepted.trim().to_string()));
    }
    for schema in ["definition", "cmbp-1", "trades"] {
        writeln!(to, "schema={schema}|stype_in=parent|symbols={symbol}|is_last=1|id=1")?;
    }
    writeln!(to, "start_session")?;
    let mut head = [0; 8];
    lines.read_exact(&mut head)?;
    let length = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
    io::copy(&mut lines.take(length), &mut io::sink())?;
    Ok(stream)
}

fn message(kind: &str, seq: u64, body: &Body) -> Vec<u8> {
    let header = Body::default()
        .with(35, kind)
        .with(49, "ECHO")
        .with(56, "MARKET")
        .with(34, seq)
        .with(52, "20250910-14:30:00.000");
    frame(&header, body)
}

impl Echo {
    fn stream(&mut self, data: &mut TcpStream, stop: &AtomicBool) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER_LEN];
        let (mut held, mut sink) = (0, [0; 16 * 1024]);
        while !stop.load(Ordering::Relaxed) {
            match data.read(&mut buffer[held..]) {
                Ok(0) => return Ok(()),
                Ok(n) => held += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    // What the broker says is read, so that its buffer never fills, and ignored.
                    let _ = self.orders.read(&mut sink);
                    continue;
                }
                Err(e) => return Err(e),
            }
            let mut at = 0;
            while held - at >= 16 {
                let length = usize::from(buffer[at]) * 4;
                if length < 16 || held - at < length {
                    break;
                }
                self.on_record(&buffer[at..at + length])?;
                at += length;
            }
            buffer.copy_within(at..held, 0);
            held -= at;
        }
        Ok(())
    }

    fn on_record(&mut self, record: &[u8]) -> io::Result<()> {
        match record.rtype() {
            rtype::MAPPING if self.symbol.is_empty() => self.symbol = record.text(89, 71).into(),
            rtype::CMBP1 => {
                self.records += 1;
                if self.records.is_multiple_of(self.every) {
                    return self.order(record.ts_event());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Says goodbye and hears the rest: who closes with words unread takes back its last orders.
    fn log_out(&mut self) -> io::Result<()> {
        self.write(&message("5", self.seq + 1, &Body::default()))?;
        self.orders.set_nonblocking(false)?;
        self.orders.set_read_timeout(Some(Duration::from_secs(2)))?;
        let _ = io::copy(&mut self.orders, &mut io::sink());
        Ok(())
    }

    /// A buy order far below the market that lives for an instant.
    fn order(&mut self, caused_by: u64) -> io::Result<()> {
        self.seq += 1;
        self.sent += 1;
        let body = Body::default()
            .with(11, format_args!("{:016x}", self.seq))
            .with(526, format_args!("{caused_by:020}"))
            .with(55, &self.symbol)
            .with(54, 1)
            .with(38, 1)
            .with(40, 2)
            .with(44, "0.01")
            .with(59, 3);
        let bytes = message("D", self.seq, &body);
        self.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut sink = [0; 16 * 1024];
        let mut written = 0;
        while written < bytes.len() {
            match self.orders.write(&bytes[written..]) {
                Ok(n) => written += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    let _ = self.orders.read(&mut sink);
                }
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}
