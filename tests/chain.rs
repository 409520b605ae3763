//! The chain against real recordings and against its own rules.
mod support;

use support::{Recording, data, universe};
use zomma::chain::Chain;

/// The figures that the recording's description gives.
#[test]
fn the_goog_day_counts_as_its_description_says() {
    let Some(live) = data("lean-goog-20151224/dbn/goog-20151224.live.dbn.zst") else { return };
    let Some(stock) = data("lean-goog-20151224/dbn/goog-20151224.underlying.mbp-1.dbn.zst") else {
        return;
    };
    let mut chain = Chain::new(&universe("exchange"));
    for event in &Recording::read(&live, 1, 0).events {
        chain.apply(event);
    }
    for event in &Recording::read(&stock, 2, 4_000).events {
        chain.apply(event);
    }
    let totals = chain.totals;
    println!("{totals:?}");
    assert_eq!((totals.options, totals.quotes, totals.quote_size), (2_192, 275_552, 11_657_931));
    assert_eq!((totals.trades, totals.volume), (958, 7_471));
    assert_eq!((totals.interests, totals.interest), (2_058, 179_502));
    assert_eq!((totals.unknown_instruments, totals.unknown_roots, totals.refused), (0, 0, 0));
    assert_eq!((totals.crossed, totals.locked), (0, 2));
    assert_eq!(chain.expiries_len(), 12);
}
