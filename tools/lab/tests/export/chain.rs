//! The chain's rows in; the chain of an independent replay at their instants out.

use crate::{
    files::{Columns, exported},
    recorded,
};
use arrow_array::{
    cast::AsArray,
    types::{
        ArrowPrimitiveType, Float32Type, Float64Type, Int64Type, TimestampNanosecondType,
        UInt32Type, UInt64Type,
    },
};
use std::collections::BTreeMap;
use zomma::{
    book::Desk,
    chain::{Chain, Track},
    feature::Features,
    greeks::Revalue,
    journal::{Reader, Stream},
    risk::Risk,
    stage::{Emit, Sink, Then},
    strategy::Decide,
    wire::{Event, market::VolStatus},
};
use zomma_lab::{Day, options::Every};

/// Replays the run as the engine does, all stages, and shows the desk after each input.
pub fn replay(mut look: impl FnMut(&Desk, &Event)) {
    let (plan, mut desk) = recorded::plan();
    let risk = Then(Risk::new(plan.limits.clone(), plan.strategies.roster()), Sink);
    let decide = Then(Decide::new(plan.strategies.clone()), risk);
    let rear = Then(Features::new(&plan.features, &plan.universe), decide);
    let mut stages = Then(Track, Then(Revalue::new(&plan.universe), rear));
    let mut inputs = Reader::open(recorded::run().unwrap(), Stream::Inputs).unwrap();
    while let Some(event) = inputs.next_event() {
        stages.emit(&mut desk, event);
        look(&desk, event);
    }
}

/// The numbers of a file by column, and the text of one.
struct Rows {
    seqs: Vec<u64>,
    instruments: Vec<u32>,
    times: Vec<i64>,
    status: Vec<String>,
    stale: Vec<bool>,
    integers: BTreeMap<&'static str, Vec<Option<i64>>>,
    floats: BTreeMap<&'static str, Vec<Option<f64>>>,
}

fn wide<T: ArrowPrimitiveType<Native: Into<V>>, V>(file: &Columns, name: &str) -> Vec<Option<V>> {
    file.of::<T>(name).into_iter().map(|value| value.map(Into::into)).collect()
}

impl Rows {
    fn of(file: &Columns) -> Rows {
        let all = |values: Vec<Option<u64>>| values.into_iter().map(Option::unwrap).collect();
        let doubles =
            ["bid", "ask", "last", "iv", "forward", "discount", "years", "vol_years", "spot"];
        let singles = ["price", "delta", "gamma", "theta", "vega"];
        let doubles = doubles.map(|name| (name, wide::<Float64Type, f64>(file, name)));
        let singles = singles.map(|name| (name, wide::<Float32Type, f64>(file, name)));
        let sizes =
            ["bid_size", "ask_size"].map(|name| (name, wide::<UInt32Type, i64>(file, name)));
        let times = ["settles", "quoted"];
        let times = times.map(|name| (name, wide::<TimestampNanosecondType, i64>(file, name)));
        let volume = file.of::<UInt64Type>("volume").into_iter().map(|v| v.map(|v| v as i64));
        let counts =
            [("interest", wide::<Int64Type, i64>(file, "interest")), ("volume", volume.collect())];
        let now = file.of::<TimestampNanosecondType>("time");
        Rows {
            seqs: all(file.of::<UInt64Type>("seq")),
            instruments: file.of::<UInt32Type>("instrument").into_iter().flatten().collect(),
            times: now.into_iter().flatten().collect(),
            status: file.text("status").into_iter().flatten().collect(),
            stale: file
                .parts("stale")
                .flat_map(|part| part.as_boolean().iter().flatten().collect::<Vec<_>>())
                .collect(),
            integers: sizes.into_iter().chain(times).chain(counts).collect(),
            floats: doubles.into_iter().chain(singles).collect(),
        }
    }

    /// Holds a row against the chain; exactly, for nothing is reckoned on the way.
    fn check(&self, row: usize, chain: &Chain) {
        let option = self.instruments[row];
        let terms = chain.instrument(option).unwrap();
        let (quote, tape) = (chain.quote(option), chain.tape(option));
        let expiry = chain.expiry(terms.expiry);
        let greeks = chain.greeks(option);
        let status = greeks.map_or(VolStatus::UNKNOWN, |greeks| greeks.status);
        let known = greeks.filter(|_| status == VolStatus::OK);
        assert_eq!(self.times[row] as u64, chain.now);
        assert_eq!(self.status[row], status.name());
        assert_eq!(self.stale[row], quote.stale);
        for (name, wanted) in [
            ("bid", Some(quote.bid)),
            ("ask", Some(quote.ask)),
            ("last", Some(tape.last)),
            ("iv", known.map(|g| g.iv)),
            ("price", known.map(|g| g.price.into())),
            ("delta", known.map(|g| g.delta.into())),
            ("gamma", known.map(|g| g.gamma.into())),
            ("theta", known.map(|g| g.theta.into())),
            ("vega", known.map(|g| g.vega.into())),
            ("forward", Some(expiry.forward)),
            ("discount", Some(expiry.discount)),
            ("years", Some(expiry.years)),
            ("vol_years", Some(expiry.vol_years)),
            ("spot", Some(chain.spot(terms.root))),
        ] {
            let wanted = wanted.filter(|value: &f64| !value.is_nan());
            let found = self.floats[name][row];
            assert_eq!(found.map(f64::to_bits), wanted.map(f64::to_bits), "{name} of row {row}");
        }
        for (name, wanted) in [
            ("bid_size", i64::from(quote.bid_size)),
            ("ask_size", i64::from(quote.ask_size)),
            ("settles", expiry.settles as i64),
            ("quoted", quote.ts as i64),
            ("interest", tape.interest),
            ("volume", tape.volume as i64),
        ] {
            assert_eq!(self.integers[name][row].unwrap_or(0), wanted, "{name} of row {row}");
        }
    }
}

/// The options of a day (all days for `None`) that have not settled yet.
fn options(chain: &Chain, day: Option<Day>) -> Vec<u32> {
    let wanted =
        |settles: u64| settles > chain.now && day.is_none_or(|d| Day::of(settles) == Some(d));
    let mut found = Vec::new();
    for (_, expiry) in chain.expiries().filter(|(_, expiry)| wanted(expiry.settles)) {
        for row in 0..expiry.rows() {
            found.extend([expiry.call(row), expiry.put(row)].into_iter().flatten());
        }
    }
    found
}

/// Every option of every wanted instant, no other row, and each as the replay has it.
fn assert_replayed(
    file: &Columns,
    day: Option<Day>,
    mut is_due: impl FnMut(&Chain, &Event) -> bool,
) -> usize {
    let (rows, mut at) = (Rows::of(file), 0);
    replay(|desk, event| {
        let chain = &desk.chain;
        if !event.ends_batch() || !is_due(chain, event) {
            return;
        }
        for option in options(chain, day) {
            assert_eq!((rows.seqs[at], rows.instruments[at]), (event.seq, option));
            rows.check(at, chain);
            at += 1;
        }
    });
    assert_eq!(at, rows.seqs.len());
    at
}

#[test]
fn each_minute_holds_what_an_independent_replay_holds_then() {
    let Some(export) = exported(|options| options.only = vec!["chain".into()]) else { return };
    let mut minute = 0;
    let rows = assert_replayed(&export.file("chain"), None, |chain, _| {
        let reached = chain.now / 60_000_000_000;
        let before = std::mem::replace(&mut minute, reached);
        before < reached
    });
    assert!(rows > 400_000, "{rows}");
    let file = export.file("chain");
    let valued = file.of::<Float64Type>("iv").iter().flatten().count();
    // The rest has no quote, or only one in the money at or below what exercising would give.
    assert!(valued > 250_000, "{valued}");
}

/// Each batch of half an hour of the day's own expiry; what was before is there.
#[test]
fn each_batch_of_an_expiry_holds_what_a_replay_holds_then() {
    // 16:00 and 16:30 UTC.
    let (from, to) = (1_450_972_800_000_000_000, 1_450_974_600_000_000_000);
    let Some(export) = exported(|options| {
        options.from = Some("16:00".into());
        options.to = Some("16:30".into());
        options.every = Every::Batch;
        options.expiries = vec![Day::of(from).unwrap()];
        options.only = vec!["chain".into()];
    }) else {
        return;
    };
    let within = |_: &Chain, event: &Event| (from..=to).contains(&event.ts_recv);
    let rows = assert_replayed(&export.file("chain"), Day::of(from), within);
    assert!(rows > 100_000, "{rows}");
}
