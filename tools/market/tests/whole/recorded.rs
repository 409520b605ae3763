//! The recorded day, flat out through real sockets in; the figures of its description out.

use crate::{
    common::{data, settings},
    engine::{Extra, Site, alone, assert_sound, serve_source},
};
use zomma_market::{server::Settings, tape::Tape};

#[test]
fn the_recorded_day_is_counted_as_it_was() {
    let _alone = alone();
    let Some(folder) = data("lean-goog-20151224/dbn") else { return };
    let names = ["goog-20151224.live.dbn.zst", "goog-20151224.underlying.mbp-1.dbn.zst"];
    let files = names.map(|name| folder.join(name));
    let settings = Settings { speed: None, linger_ns: 60_000_000_000, ..settings() };
    let served = serve_source(settings, move || {
        let files: Vec<_> = files.iter().map(AsRef::as_ref).collect();
        Box::new(Tape::open(&files, &[]).unwrap())
    });
    let extra = Extra {
        stock: ("XNAS.ITCH", "ALL_SYMBOLS ALL_SYMBOLS"),
        stype: "raw_symbol",
        strategy: "[[probe]]\nname = \"probe\"\nevery = 1000\nplace = \"far\"\n".into(),
        ..Extra::default()
    };
    let site = Site::new(served.market.data, served.market.orders, &extra);
    let engine = site.start();
    engine.done();
    let directory = site.run_directory();
    let (_, summary) = served.join();
    // The underlying's file names its one instrument in its header: that is a record on the wire.
    assert_eq!(summary.records, 282_952 + 260 + 1);
    let counter = |group, name| crate::engine::counter(&directory, group, name);
    for (name, wanted) in [
        ("options", 2_192),
        ("quotes", 275_552),
        ("quote_size", 11_657_931),
        ("underlying_quotes", 260),
        ("trades", 958),
        ("volume", 7_471),
        ("interests", 2_058),
        ("open_interest", 179_502),
        ("unknown_instruments", 0),
        ("refused", 0),
    ] {
        assert_eq!(counter("market", name), wanted, "{name}");
    }
    let records = |session| {
        let own = counter(session, "heartbeats") + counter(session, "notices");
        counter(session, "records") - own
    };
    assert_eq!(records("options") + records("underlying"), summary.sent);
    assert_eq!(records("options"), 282_952);
    assert_sound(&directory);
}
