//! The official Databento client in; the records of our recording or simulation, one by one, out.
#![allow(missing_docs)]

use databento::{
    LiveClient,
    dbn::{RecordRef, SType, Schema},
    live::Subscription,
};
use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    thread::JoinHandle,
};
use zomma_market::{
    clock::Clock,
    fault::Plan,
    lsg::Keys,
    record::rtype,
    server::{Idle, Server, Settings, Summary},
    sim::{Config, Simulation},
    source::Source,
    tape::Tape,
    venue::Terms,
};

const KEY: &str = "test-key-with-exactly-32-letters";

fn serve(
    source: impl FnOnce() -> Box<dyn Source> + Send + 'static,
) -> (SocketAddr, JoinHandle<Summary>) {
    let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (data, orders) = (bind(), bind());
    let address = data.local_addr().unwrap();
    let settings = Settings {
        sessions: 1,
        wait_orders: false,
        keys: Keys::One(KEY.into()),
        speed: None,
        terms: Terms::default(),
        plan: Plan::default(),
        seed: 1,
        idle: Idle::Sleep,
        linger_ns: 0,
    };
    let run = move || {
        let stop = Arc::new(AtomicBool::new(false));
        Server::new(settings, source(), data, orders, Vec::new()).unwrap().run(&stop)
    };
    (address, std::thread::spawn(run))
}

/// What the official client receives, without the gateway's own records.
async fn receive(
    from: SocketAddr,
    dataset: &str,
    schemas: &[Schema],
    stype: SType,
    symbols: &str,
) -> Vec<Vec<u8>> {
    let builder = LiveClient::builder().addr(from).await.unwrap().key(KEY).unwrap();
    let mut client = builder.dataset(dataset).build().await.unwrap();
    for schema in schemas {
        let subscription = Subscription::builder().schema(*schema).symbols(symbols).stype_in(stype);
        client.subscribe(subscription.build()).await.unwrap();
    }
    let metadata = client.start().await.unwrap();
    assert_eq!((metadata.version, metadata.dataset.as_str()), (3, dataset));
    let mut all = Vec::new();
    while let Some(record) = client.next_record().await.unwrap() {
        let record: RecordRef<'_> = record;
        let bytes = record.as_ref();
        if ![rtype::SYSTEM, rtype::ERROR].contains(&bytes[1]) {
            all.push(bytes.to_vec());
        }
    }
    all
}

/// What a source gives on one channel.
fn records(source: &mut dyn Source, channel: u8) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while source.peek().is_some() {
        let item = source.take();
        if item.channel == channel {
            all.push(item.bytes.to_vec());
        }
    }
    all
}

const SCHEMAS: [Schema; 4] =
    [Schema::Definition, Schema::Statistics, Schema::Cmbp1, Schema::Trades];

fn simulation() -> Simulation {
    let config = Config::read("test", "[session]\nrate = 5000.0").unwrap();
    Simulation::new(config, Clock::start().now()).unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn the_official_client_receives_the_simulated_market_record_by_record() {
    let (address, market) = serve(|| Box::new(simulation()));
    let got = receive(address, "OPRA.PILLAR", &SCHEMAS, SType::Parent, "SPXW.OPT").await;
    let expected = records(&mut simulation(), 0);
    assert!(expected.len() > 280_000, "{}", expected.len());
    assert_eq!(got.len(), expected.len());
    assert!(got == expected);
    assert_eq!(market.join().unwrap().sent, expected.len() as u64);
}

#[tokio::test(flavor = "current_thread")]
async fn the_official_client_receives_the_recorded_day_record_by_record() {
    let root = std::env::var_os("ZOMMA_DATA").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = root.unwrap_or(beside).join("lean-goog-20151224/dbn");
    if !folder.exists() {
        eprintln!("skipped: lean-goog-20151224 is not here; set ZOMMA_DATA");
        return;
    }
    let file = folder.join("goog-20151224.live.dbn.zst");
    // Decoded by the format's own library, not by ours.
    let mut expected = Vec::new();
    let mut decoder = dbn::decode::dbn::Decoder::from_zstd_file(&file).unwrap();
    while let Some(record) = decoder.decode_ref().unwrap() {
        expected.push(record.as_ref().to_vec());
    }
    let (address, market) = serve(move || Box::new(Tape::open(&[&file], &[]).unwrap()));
    let got = receive(address, "OPRA.PILLAR", &SCHEMAS, SType::Parent, "GOOG.OPT").await;
    assert_eq!((got.len(), expected.len()), (282_952, 282_952));
    assert!(got == expected);
    market.join().unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn the_official_client_is_refused_with_a_wrong_key() {
    let (address, _market) = serve(|| Box::new(simulation()));
    let builder = LiveClient::builder().addr(address).await.unwrap();
    let builder = builder.key("another-key-with-just-32-letters").unwrap();
    let refused = builder.dataset("OPRA.PILLAR").build().await.unwrap_err();
    assert!(refused.to_string().contains("Authentication failed"), "{refused}");
}
