//! What a start after a crash promises: what can be proved is kept, nothing else is ever read
//! again, and what was put aside is still there.

mod journal_support;

use journal_support::*;
use std::{fs, os::unix::fs::FileExt, path::Path};
use zomma::journal::{
    Allow, Cause, ConfigFile, End, Error, Journal, Manifest, Outcome, Reader, Status, Stream, Sync,
};

/// A run that was killed after so many inputs.
fn killed(directory: &Path, inputs: u64) {
    let live = tempfile::tempdir().unwrap();
    let mut opened = create(live.path());
    append(&mut opened, inputs);
    kill(opened, live.path(), directory);
}

/// The next session goes on up to `inputs`, ends, and the whole row reads.
fn goes_on(directory: &Path, inputs: u64) -> Manifest {
    let mut resumed = resume(directory).unwrap();
    append(&mut resumed.opened, inputs);
    let ended = finish(resumed.opened);
    assert_eq!(read(directory), clean(inputs, inputs / 2));
    ended
}

#[test]
fn numbers_and_the_chain_go_on_over_sessions_that_end_or_are_killed() {
    let (live, next) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut opened = create(live.path());
    append(&mut opened, 10);
    finish(opened);
    // Sessions with nothing, with a full segment, with more than one, and with nothing again.
    for up_to in [10, 778, 778, 3000, 3001, 3001] {
        let mut resumed = resume(live.path()).unwrap();
        let was = (resumed.inputs, resumed.outputs, resumed.same_boot);
        assert_eq!(resumed.start().outcome(), Outcome::Clean);
        append(&mut resumed.opened, up_to);
        assert!(was.0 <= up_to && was.1 == was.0 / 2 && was.2);
        finish(resumed.opened);
        assert_eq!(read(live.path()), clean(up_to, up_to / 2));
    }
    for up_to in [3001, 3002, 4000, 4000, 9000] {
        let mut resumed = resume(live.path()).unwrap();
        append(&mut resumed.opened, up_to);
        kill(resumed.opened, live.path(), next.path());
        copy(next.path(), live.path());
        assert_eq!(read(next.path()), clean(up_to, up_to / 2));
    }
    let manifest = Manifest::read(next.path()).unwrap();
    assert_eq!((manifest.sessions.len(), manifest.status), (12, Status::Running));
    let firsts: Vec<u64> = manifest.sessions.iter().map(|s| s.first(Stream::Inputs)).collect();
    assert_eq!(firsts, [1, 11, 11, 779, 779, 3001, 3002, 3002, 3002, 3003, 4001, 4001]);
    let mut reader = Reader::open(next.path(), Stream::Inputs).unwrap();
    while reader.next_event().is_some_and(|event| event.seq < 9000) {}
    assert_eq!(reader.session(), 12);
}

#[test]
fn a_torn_record_is_put_aside_zeroed_and_sealed_before_the_next_session() {
    let directory = tempfile::tempdir().unwrap();
    killed(directory.path(), 10);
    let torn = [11, 0, 0, 0, 0, 0, 0, 0, 5, 5, 5];
    open(&segment(directory.path(), 1)).write_all_at(&torn, at(11) + 8).unwrap();
    let resumed = resume(directory.path()).unwrap();
    assert!(matches!(resumed.ends, [End::Torn { records: 10, .. }, End::Clean { records: 5 }]));
    let start = resumed.start();
    assert_eq!(start.outcome(), Outcome::RecoveredTorn);
    let tail = &start.tails[0];
    assert_eq!(
        (tail.kept, tail.lost, &tail.aside[..]),
        (10, 0, &["in-000001.s2.quarantine".into()][..])
    );
    assert!(tail.found.contains("in-000001.zj at byte 4896, record 11"), "{}", tail.found);
    let aside = fs::read(directory.path().join(&tail.aside[0])).unwrap();
    assert_eq!(aside[at(11) as usize + 8..][..torn.len()], torn, "at the offsets that it had");
    let first = fs::read(segment(directory.path(), 1)).unwrap();
    assert!(first.len() == 8192 && first[at(11) as usize..].iter().all(|&byte| byte == 0));
    drop(resumed);
    goes_on(directory.path(), 100);
}

#[test]
fn behind_a_hole_nothing_is_kept_and_everything_is_put_aside() {
    let (live, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut opened = Journal::create(live.path(), &settings(Sync::None), manifest()).unwrap();
    append(&mut opened, 3000);
    kill(opened, live.path(), directory.path());
    open(&segment(directory.path(), 2)).write_all_at(&[0; 4096], 8192).unwrap();
    let resumed = resume(directory.path()).unwrap();
    let start = resumed.start();
    assert_eq!(start.outcome(), Outcome::RecoveredGap);
    // The record before the hole lies across its first byte.
    assert_eq!((resumed.inputs, resumed.outputs), (768 + 51, (768 + 51) / 2));
    assert_eq!([start.tails[0].lost, start.tails[1].lost], [3000 - 819, 1500 - 409]);
    let aside = ["in-000002", "in-000003", "in-000004"].map(|name| format!("{name}.s2.quarantine"));
    assert_eq!(start.tails[0].aside, aside);
    drop(resumed);
    let ended = goes_on(directory.path(), 5000);
    assert_eq!(ended.sessions[1].start, start);
    assert_eq!(ended.sessions[2].start.outcome(), Outcome::Clean);
}

/// What was brought to the disk before it was sealed cannot be lost by a power cut.
#[test]
fn a_hole_in_front_of_a_seal_is_damage_where_the_session_synced() {
    let directory = tempfile::tempdir().unwrap();
    let mut opened = create(directory.path());
    append(&mut opened, 700);
    finish(opened);
    open(&segment(directory.path(), 1)).write_all_at(&[0; 4096], 8192).unwrap();
    let Err(Error::Damaged(end)) = resume(directory.path()) else { panic!() };
    let End::Corrupt { records: 51, cause, .. } = *end else { panic!("{end}") };
    assert_eq!(cause, Cause::Short { promised: 700 });
}

/// Recover to a hole, append as much as lay before it was lost, crash again: none of the old
/// records, each with a good checksum in its day, may come back.
#[test]
fn no_record_of_an_earlier_session_comes_back_after_a_second_crash() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    killed(one.path(), 700);
    open(&segment(one.path(), 1)).write_all_at(&[0; 4096], 8192).unwrap();
    let before = fs::read(segment(one.path(), 1)).unwrap();
    let mut resumed = resume(one.path()).unwrap();
    append(&mut resumed.opened, 64);
    kill(resumed.opened, one.path(), two.path());
    assert_eq!(read(two.path()), clean(64, 32));
    // Even where the disk gives the old pages back behind the seal, nothing of them is read.
    let file = open(&segment(two.path(), 1));
    file.write_all_at(&before[8192..], 8192).unwrap();
    let end = Reader::open(two.path(), Stream::Inputs).unwrap().verify();
    assert_eq!(end.records(), 51, "{end}");
    assert!(!end.is_whole() && matches!(resume(two.path()), Err(Error::Damaged(_))));
}

#[test]
fn damage_in_the_middle_is_refused_with_its_place_and_stepped_over_only_on_request() {
    let directory = tempfile::tempdir().unwrap();
    killed(directory.path(), 1000);
    open(&segment(directory.path(), 1)).write_all_at(&[1], at(500) + 20).unwrap();
    let before = tempfile::tempdir().unwrap();
    copy(directory.path(), before.path());
    let Err(Error::Damaged(end)) = resume(directory.path()) else { panic!() };
    let End::Corrupt { records: 499, at: place, cause: Cause::Record, .. } = &*end else {
        panic!()
    };
    assert_eq!((place.offset, place.record), (at(500), 500));
    for entry in fs::read_dir(before.path()).unwrap() {
        let path = entry.unwrap().path();
        let now = fs::read(directory.path().join(path.file_name().unwrap())).unwrap();
        assert_eq!(fs::read(&path).unwrap(), now, "nothing is changed: {}", path.display());
    }
    let allow = Allow { damage: true, another: false };
    let resumed = resume_allowing(directory.path(), allow).unwrap();
    let start = resumed.start();
    assert_eq!((resumed.inputs, resumed.outputs), (499, 249));
    assert_eq!(start.outcome(), Outcome::SteppedOver);
    assert_eq!((start.tails[0].kept, start.tails[0].lost), (499, 501));
    drop(resumed);
    goes_on(directory.path(), 2000);
}

/// Outputs may reach the disk before the inputs that caused them; a replay would not see why.
#[test]
fn decisions_whose_causes_are_lost_are_put_aside() {
    let directory = tempfile::tempdir().unwrap();
    killed(directory.path(), 600);
    let file = open(&segment(directory.path(), 1));
    file.write_all_at(&vec![0; (at(601) - at(400)) as usize], at(400)).unwrap();
    let resumed = resume(directory.path()).unwrap();
    assert_eq!((resumed.inputs, resumed.outputs), (399, 199));
    let tail = &resumed.start().tails[1];
    assert_eq!((tail.outcome, tail.kept, tail.lost), (Outcome::RecoveredGap, 199, 101));
    drop(resumed);
    goes_on(directory.path(), 1000);
}

#[test]
fn another_program_configuration_or_version_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    killed(directory.path(), 10);
    let refused = |change: &dyn Fn(&mut Manifest)| {
        let mut other = manifest();
        change(&mut other);
        match Journal::resume(directory.path(), &settings(Sync::None), other) {
            Err(Error::Another { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&|m| m.program = [1; 32]), "program");
    assert_eq!(refused(&|m| m.config_hash = [1; 32]), "configuration");
    assert_eq!(refused(&|m| m.schema = [1; 32]), "schema of events");
    assert_eq!(refused(&|m| m.cpu = "z80".into()), "processor target");
    let file = ConfigFile { name: "main".into(), text: "[run]".into() };
    let other = Manifest::new(43, vec![file.clone()]).unwrap();
    let allow = Allow { another: true, damage: false };
    let settings = settings(Sync::None);
    let resumed = Journal::resume_allowing(directory.path(), &settings, other, allow).unwrap();
    assert_eq!(resumed.opened.journal.manifest().config, [file]);
    drop(resumed);
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal_v1");
    let older = tempfile::tempdir().unwrap();
    copy(&fixture, older.path());
    assert!(matches!(resume(older.path()), Err(Error::Older(_))), "read, never appended to");
}

#[test]
fn a_directory_that_is_written_to_or_holds_nothing_is_not_resumed() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(resume(directory.path()), Err(Error::Missing(_))));
    let opened = create(directory.path());
    assert!(matches!(resume(directory.path()), Err(Error::Locked(_))));
    drop(opened);
    assert!(resume(directory.path()).is_ok());
}
