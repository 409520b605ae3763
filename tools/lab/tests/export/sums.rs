//! An export of the recorded day in; the figures of its description, and nothing left out, out.

use crate::{files::exported, recorded};
use arrow_array::{
    Array,
    cast::AsArray,
    types::{
        Date32Type, Decimal128Type, Int64Type, TimestampNanosecondType, UInt8Type, UInt16Type,
        UInt32Type, UInt64Type,
    },
};
use zomma::{
    journal::{Reader, Stream},
    wire::{Kind, UNDEF_PRICE, market},
};

fn sum<T: Copy + Into<i64>>(values: &[Option<T>]) -> i64 {
    values.iter().flatten().map(|value| (*value).into()).sum()
}

#[test]
fn the_files_sum_to_the_days_description() {
    let Some(export) = exported(|options| options.only = vec!["events".into()]) else { return };
    let instruments = export.file("instruments");
    let options = instruments.text("cp").iter().flatten().count();
    assert_eq!((options, instruments.len()), (2_192, 2_193));
    let symbols: Vec<String> = instruments
        .parts("symbol")
        .flat_map(|part| part.as_string::<i32>().iter())
        .map(|symbol| symbol.unwrap().to_string())
        .collect();
    assert!(symbols.contains(&"GOOG  151224C00750000".into()) && symbols.contains(&"GOOG".into()));
    let expiries: std::collections::BTreeSet<_> =
        instruments.of::<Date32Type>("expiry").into_iter().flatten().collect();
    assert_eq!(expiries.len(), 12);

    let quotes = export.file("quotes");
    let of_options: Vec<bool> = quotes.text("cp").iter().map(Option::is_some).collect();
    let count = of_options.iter().filter(|is_option| **is_option).count();
    assert_eq!((count, quotes.len() - count), (275_552, 260));
    let sizes = |name: &str| {
        let sizes = quotes.of::<UInt32Type>(name);
        let of_options = sizes.iter().zip(&of_options).filter(|(_, is_option)| **is_option);
        of_options.map(|(size, _)| u64::from(size.unwrap())).sum::<u64>()
    };
    assert_eq!(sizes("bid_size") + sizes("ask_size"), 11_657_931);
    // The last day of the recording's own: 16,793 days are 24 December 2015.
    let last_day = quotes.of::<Date32Type>("expiry").iter().filter(|d| **d == Some(16_793)).count();
    assert_eq!(last_day, 21_902);
    let no_bid = quotes.of::<Decimal128Type>("bid").iter().filter(|bid| bid.is_none()).count();
    assert_eq!(no_bid, 67_766);

    let trades = export.file("trades");
    assert_eq!((trades.len(), sum(&trades.of::<UInt32Type>("size"))), (958, 7_471));
    let interest = export.file("interest");
    assert_eq!((interest.len(), sum(&interest.of::<Int64Type>("contracts"))), (2_058, 179_502));
}

/// Row by row: what the journal holds stands in the files, in its order, bit for bit.
#[test]
fn quotes_are_those_of_the_journal() {
    let Some(export) = exported(|options| options.only = vec!["events".into()]) else { return };
    let quotes = export.file("quotes");
    let (seqs, sources) = (quotes.of::<UInt64Type>("seq"), quotes.of::<UInt16Type>("source"));
    let times = ["ts_event", "ts_recv"].map(|name| quotes.of::<TimestampNanosecondType>(name));
    let prices = ["bid", "ask"].map(|name| quotes.of::<Decimal128Type>(name));
    let sizes = ["bid_size", "ask_size"].map(|name| quotes.of::<UInt32Type>(name));
    let (indices, flags) = (quotes.of::<UInt32Type>("instrument"), quotes.of::<UInt8Type>("flags"));
    let mut journal = Reader::open(recorded::run().unwrap(), Stream::Inputs).unwrap();
    let mut row = 0;
    while let Some(event) = journal.next_event() {
        if event.kind != Kind::QUOTE {
            continue;
        }
        let body: &market::Quote = event.body();
        let price = |price: i64| (price != UNDEF_PRICE).then_some(i128::from(price));
        assert_eq!((seqs[row], sources[row]), (Some(event.seq), Some(event.source)));
        assert_eq!(times[0][row], i64::try_from(event.ts_event).ok());
        assert_eq!(times[1][row], Some(event.ts_recv as i64));
        assert_eq!((prices[0][row], prices[1][row]), (price(body.bid.0), price(body.ask.0)));
        assert_eq!((sizes[0][row], sizes[1][row]), (Some(body.bid_size), Some(body.ask_size)));
        assert_eq!((indices[row], flags[row]), (Some(event.instrument), Some(event.flags.0)));
        row += 1;
    }
    assert_eq!(row, quotes.len());
}

#[test]
fn no_event_is_left_out() {
    let Some(export) = exported(|options| {
        let groups = ["events", "features", "decisions", "orders", "fills", "profits"];
        options.only = groups.map(String::from).into();
    }) else {
        return;
    };
    let other = export.file("other").text("stream");
    let others = |stream: &str| other.iter().flatten().filter(|is| *is == stream).count() as u64;
    let definitions = sum(&export.file("instruments").of::<UInt32Type>("definitions")) as u64;
    let kinds = ["quotes", "trades", "interest", "reports"].map(|file| export.rows(file));
    let inputs = definitions + others("input") + kinds.iter().sum::<u64>();
    assert_eq!(inputs, export.exported.inputs);

    let lists = |file: &str, name: &str| {
        let file = export.file(file);
        file.parts(name).map(|part| crate::trading::items(part).len() as u64).sum::<u64>()
    };
    let heads = ["decisions", "orders", "cancels", "refusals", "halts"].map(|f| export.rows(f));
    let parts = lists("orders", "legs") + lists("refusals", "breaches");
    let told = ["profits", "settlements", "features"].map(|file| export.rows(file));
    let told = told.iter().sum::<u64>();
    let outputs = heads.iter().sum::<u64>() + told + parts + others("output");
    assert_eq!(outputs, export.exported.outputs);
    assert!(heads[0] > 0 && heads[1] > 0 && heads[3] > 0, "{heads:?}");
}

/// A part of the day is that part of the whole, both bounds in it.
#[test]
fn a_range_is_cut_out_of_the_whole() {
    // 16:00 and 16:30 UTC.
    let (from, to) = (1_450_972_800_000_000_000, 1_450_974_600_000_000_000);
    let Some(whole) = exported(|options| options.only = vec!["events".into()]) else { return };
    let Some(part) = exported(|options| {
        options.from = Some("16:00".into());
        options.to = Some("2015-12-24T16:30:00Z".into());
        options.only = vec!["events".into()];
    }) else {
        return;
    };
    let (whole_quotes, part_quotes) = (whole.file("quotes"), part.file("quotes"));
    let times = whole_quotes.of::<TimestampNanosecondType>("ts_recv");
    let seqs = whole_quotes.of::<UInt64Type>("seq").into_iter().zip(times);
    let within = seqs.filter(|(_, time)| (from..=to).contains(&time.unwrap()));
    let within: Vec<_> = within.map(|(seq, _)| seq).collect();
    assert!(within.len() > 10_000);
    assert_eq!(part_quotes.of::<UInt64Type>("seq"), within);
    assert_eq!(part.rows("instruments"), 2_193);
}
