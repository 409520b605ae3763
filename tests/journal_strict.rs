//! What the strict policy promises: an order leaves only when the disk has its record and its
//! cause, in its order, and never again once the disk has lied; nothing else waits for the disk.

mod journal_support;

use journal_support::*;
use std::cell::RefCell;
use zomma::{
    journal::{Hold, Inputs, Journal, Opened, Outputs, State, Sync, Watch},
    stage::{Emit, Tap, Then},
    wire::{Event, Kind},
};

/// What passed: kind and number, and whether the disk had what it needed.
type Passed = RefCell<Vec<(Kind, u64, bool)>>;

fn end(
    passed: &Passed,
    [inputs, outputs]: [Watch; 2],
) -> Tap<impl FnMut(&mut (), &Event) + use<'_>> {
    Tap(move |(): &mut (), event: &Event| {
        let is_output = event.kind.is_output();
        let durable = inputs.durable() >= event.seq && outputs.durable() >= event.seq / 2;
        passed.borrow_mut().push((event.kind, event.seq, !is_output || durable));
    })
}

#[test]
fn outputs_keep_their_order_and_none_passes_before_it_and_its_cause_are_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let opened = Journal::create(directory.path(), &settings(Sync::Strict), manifest()).unwrap();
    let Opened { journal, inputs, outputs } = opened;
    let watches = [inputs.watch(), outputs.watch()];
    let passed = Passed::default();
    let hold = Hold::new(Some(watches.clone()), end(&passed, watches.clone()));
    let mut stages = Then(
        Inputs::new(inputs, 0),
        Then(Outputs::new(outputs, itself as fn(&Event) -> &Event), hold),
    );
    let mut sent = [Vec::new(), Vec::new()];
    for number in 1..=2_000 {
        stages.emit(&mut (), &event(number));
        sent[0].push((Kind::QUOTE, number, true));
        if number % 2 == 0 {
            stages.1.emit(&mut (), &output(number / 2));
            sent[1].push((Kind::ORDER_LEG, number, true));
        }
        stages.1.1.poll(&mut ());
    }
    stages.1.1.flush(&mut ());
    assert_eq!(stages.1.1.waiting(), 0);
    drop(stages);
    let of_kind = |kind: Kind| -> Vec<(Kind, u64, bool)> {
        passed.borrow().iter().filter(|one| one.0 == kind).copied().collect()
    };
    let passed = [of_kind(Kind::QUOTE), of_kind(Kind::ORDER_LEG)];
    assert!(passed == sent, "each kind in its order, each output on the disk");
    assert_eq!(journal.watch(zomma::journal::Stream::Inputs).state(), State::Running);
    journal.finish().unwrap();
    assert_eq!(read(directory.path()), clean(2_000, 1_000));
}

fn itself(event: &Event) -> &Event {
    event
}

/// Nobody syncs here, so nothing is ever durable: no output passes, and all else does.
#[test]
fn an_output_that_is_not_on_the_disk_stops_the_outputs_behind_it_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let opened = Journal::create(directory.path(), &settings(Sync::None), manifest()).unwrap();
    let Opened { journal, inputs, mut outputs } = opened;
    let watches = [inputs.watch(), outputs.watch()];
    let passed = Passed::default();
    let mut hold = Hold::new(Some(watches.clone()), end(&passed, watches));
    hold.emit(&mut (), &event(1));
    outputs.append(&output(1)).unwrap();
    hold.emit(&mut (), &output(1));
    hold.emit(&mut (), &event(2));
    outputs.append(&output(2)).unwrap();
    hold.emit(&mut (), &output(2));
    assert_eq!((hold.poll(&mut ()), hold.waiting()), (0, 2));
    assert_eq!(*passed.borrow(), [(Kind::QUOTE, 1, true), (Kind::QUOTE, 2, true)]);
    drop((hold, inputs, outputs, journal));
}
