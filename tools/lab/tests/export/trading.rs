//! Orders and fills of an export in; the journal's outputs and the book of a replay out.

use crate::{chain::replay, files::exported, recorded};
use arrow_array::{
    Array, ArrayRef, StructArray,
    cast::AsArray,
    types::{Decimal128Type, Int8Type, Int64Type, UInt32Type, UInt64Type},
};
use std::collections::BTreeMap;
use zomma::{
    journal::{Reader, Stream},
    wire::{
        Kind,
        order::{Leg, Order},
    },
};

/// The rows of all lists of a column, one behind the other.
pub fn items(part: &ArrayRef) -> StructArray {
    part.as_list::<i32>().values().as_struct().clone()
}

/// Instrument, side, contracts per package, price.
type Part = (u32, i8, u32, i128);

fn legs(lists: &ArrayRef) -> Vec<Vec<Part>> {
    let parts = |list: ArrayRef| {
        let list = list.as_struct();
        let column = |name: &str| list.column_by_name(name).unwrap();
        let (index, ratio) = (column("instrument"), column("ratio"));
        let (index, ratio) = (index.as_primitive::<UInt32Type>(), ratio.as_primitive());
        let side = column("side").as_primitive::<Int8Type>();
        let price = column("price").as_primitive::<Decimal128Type>();
        let ratio: &arrow_array::UInt32Array = ratio;
        let part = |i| (index.value(i), side.value(i), ratio.value(i), price.value(i));
        (0..list.len()).map(part).collect()
    };
    lists.as_list::<i32>().iter().map(|list| parts(list.unwrap())).collect()
}

#[test]
fn orders_stand_with_their_legs_as_the_journal_has_them() {
    let Some(export) = exported(|options| options.only = vec!["orders".into()]) else { return };
    let mut wanted: Vec<(u64, u64, Vec<Part>)> = Vec::new();
    let mut outputs = Reader::open(recorded::run().unwrap(), Stream::Outputs).unwrap();
    while let Some(event) = outputs.next_event() {
        match event.kind {
            Kind::ORDER => wanted.push((event.seq, event.body::<Order>().id, Vec::new())),
            Kind::ORDER_LEG => {
                let leg: &Leg = event.body();
                let part = (event.instrument, leg.side, leg.ratio, i128::from(leg.price.0));
                wanted.last_mut().unwrap().2.push(part);
            }
            _ => {}
        }
    }
    let orders = export.file("orders");
    let (seqs, ids) = (orders.of::<UInt64Type>("seq"), orders.of::<UInt64Type>("order"));
    let lists = orders.parts("legs").flat_map(legs);
    let found: Vec<_> = seqs
        .into_iter()
        .zip(ids)
        .zip(lists)
        .map(|((s, i), l)| (s.unwrap(), i.unwrap(), l))
        .collect();
    assert_eq!(found, wanted);
    assert!(found.iter().any(|(_, _, legs)| legs.len() == 4), "no condor was ordered");
}

/// The broker of the recording tells every third fill twice, and combinations also as a whole: the
/// reports have it all, the fills have what the book has.
#[test]
fn after_each_report_the_fills_so_far_sum_to_what_the_book_holds() {
    let Some(export) = exported(|options| options.only = vec!["fills".into()]) else { return };
    let fills = export.file("fills");
    let indices = fills.of::<UInt32Type>("instrument").into_iter().map(Option::unwrap);
    let contracts = fills.of::<Int64Type>("contracts").into_iter().map(Option::unwrap);
    let mut told = fills.of::<UInt64Type>("seq").into_iter().zip(indices.zip(contracts)).peekable();
    let (mut summed, mut largest, mut tally) = (BTreeMap::<u32, i64>::new(), 0, None);
    replay(|desk, event| {
        if event.kind != Kind::REPORT {
            return;
        }
        while let Some((_, (index, contracts))) = told.next_if(|fill| fill.0 <= Some(event.seq)) {
            *summed.entry(index).or_insert(0) += contracts;
        }
        summed.retain(|_, contracts| *contracts != 0);
        let held = desk.book.holdings().map(|line| (line.instrument, line.held));
        assert_eq!(summed, held.collect());
        largest = largest.max(summed.len());
        tally = Some(desk.book.tally);
    });
    let tally = tally.unwrap();
    assert!(tally.fills > 10 && tally.duplicates > 0 && largest >= 4, "{tally:?} {largest}");
    assert_eq!((fills.len() as u64, told.next()), (tally.fills, None));
    assert!(export.rows("reports") > tally.fills + tally.duplicates);
    assert!(fills.text("strategy_name").iter().all(Option::is_some));
}
