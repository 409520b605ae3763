//! Every way of changing a segment's bytes, one at a time: each is found, and its place is told.

mod journal_support;

use journal_support::*;
use std::{fs, os::unix::fs::FileExt, path::Path};
use zomma::journal::{End, Error, Reader, Stream};

/// A directory in memory where there is one.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn verify(directory: &Path) -> End {
    Reader::open(directory, Stream::Inputs).unwrap().verify()
}

/// Two sessions: 1,000 inputs over two segments, then 900 over two more.
fn two_sessions(directory: &Path) {
    let mut opened = create(directory);
    append(&mut opened, 1_000);
    finish(opened);
    let mut resumed = resume(directory).unwrap();
    append(&mut resumed.opened, 1_900);
    finish(resumed.opened);
    assert_eq!(verify(directory), End::Clean { records: 1_900 });
}

/// What was changed, and the end that was found must name: a file, and in it this range of bytes.
struct Case<'a> {
    path: &'a Path,
    range: std::ops::Range<usize>,
}

/// Whether damage was found, and its place lies in the record, or the header page, of the bytes
/// that were changed, or at the seal that contradicts them.
fn is_located(end: &End, case: &Case) -> bool {
    let (End::Gap { at, .. } | End::Corrupt { at, .. } | End::Torn { at, .. }) = end else {
        return false;
    };
    let record = |byte: usize| byte.saturating_sub(4096) / 80;
    let (from, to) = (record(case.range.start), record(case.range.end - 1));
    let offset = at.offset as usize;
    let is_in_header = case.range.start < 4096 && offset < 4096;
    at.file == case.path
        && (is_in_header || offset >= 4096 && (from..=to).contains(&record(offset)))
}

#[test]
fn every_changed_byte_of_a_segment_in_the_middle_is_found_and_located() {
    let directory = folder();
    two_sessions(directory.path());
    let mut cases = 0;
    // The last segment of the first session, which is shortened, and a full one behind it.
    for number in [2, 3] {
        let path = segment(directory.path(), number);
        let (whole, file) = (fs::read(&path).unwrap(), open(&path));
        for (at, byte) in whole.iter().enumerate() {
            file.write_all_at(&[byte ^ 1 << (at % 8)], at as u64).unwrap();
            let end = verify(directory.path());
            let case = Case { path: &path, range: at..at + 1 };
            assert!(is_located(&end, &case), "segment {number}, byte {at}: {end}");
            file.write_all_at(&[*byte], at as u64).unwrap();
            cases += 1;
        }
    }
    println!("one bit of each byte: {cases} of {cases} found and located");
}

#[test]
fn every_flipped_bit_of_a_small_segment_is_found_and_located() {
    let directory = folder();
    let mut opened = create(directory.path());
    append(&mut opened, 60);
    finish(opened);
    let path = segment(directory.path(), 1);
    let (whole, file) = (fs::read(&path).unwrap(), open(&path));
    for bit in 0..whole.len() * 8 {
        let (at, mask) = (bit / 8, 1 << (bit % 8));
        file.write_all_at(&[whole[at] ^ mask], at as u64).unwrap();
        let end = verify(directory.path());
        let case = Case { path: &path, range: at..at + 1 };
        assert!(is_located(&end, &case), "bit {bit}: {end}");
        file.write_all_at(&whole[at..at + 1], at as u64).unwrap();
    }
    let bits = whole.len() * 8;
    println!("every bit of a small segment: {bits} of {bits} found and located");
}

#[test]
fn zeroed_and_swapped_pages_and_misdirected_records_are_found_and_located() {
    let directory = folder();
    two_sessions(directory.path());
    let path = segment(directory.path(), 3);
    let (whole, file) = (fs::read(&path).unwrap(), open(&path));
    let mut cases = 0;
    let mut check = |change: &[(usize, &[u8])], what: &str| {
        for (at, bytes) in change {
            file.write_all_at(bytes, *at as u64).unwrap();
        }
        let first = change.iter().filter(|(at, new)| whole[*at..at + new.len()] != **new);
        let (at, new) = first.min_by_key(|(at, _)| *at).unwrap();
        let changed = new.iter().zip(&whole[*at..]).position(|(new, old)| new != old).unwrap() + at;
        let (end, case) =
            (verify(directory.path()), Case { path: &path, range: changed..at + new.len() });
        assert!(is_located(&end, &case), "{what}: {end}");
        file.write_all_at(&whole, 0).unwrap();
        cases += 1;
    };
    let page = |number: usize| &whole[number * 4096..][..4096];
    for one in 0..16 {
        check(&[(one * 4096, &[0; 4096])], &format!("page {one} zeroed"));
        for other in one + 1..16 {
            let swapped = [(one * 4096, page(other)), (other * 4096, page(one))];
            check(&swapped, &format!("pages {one} and {other} swapped"));
        }
    }
    let record = |index: usize| &whole[4096 + index * 80..][..80];
    for (to, from) in (0..768).flat_map(|to| [(to, (to * 7 + 1) % 768), (to, (to + 1) % 768)]) {
        check(&[(4096 + to * 80, record(from))], &format!("record {from} over {to}"));
        check(&[(4096 + to * 80, &[0; 80])], &format!("record {to} zeroed"));
    }
    println!("pages zeroed, pages swapped, records misdirected: {cases} of {cases} found, located");
}

/// Records of another stream, another session and another run, each at its own place.
#[test]
fn records_from_elsewhere_are_refused_even_at_their_own_place() {
    let (directory, other) = (folder(), folder());
    two_sessions(directory.path());
    two_sessions(other.path());
    let path = segment(directory.path(), 3);
    let (whole, file) = (fs::read(&path).unwrap(), open(&path));
    let elsewhere = [
        fs::read(segment(other.path(), 3)).unwrap(),
        fs::read(segment(directory.path(), 1)).unwrap(),
        fs::read(directory.path().join("out-000001.zj")).unwrap(),
    ];
    for source in &elsewhere {
        for index in (0..400).step_by(7) {
            let at = 4096 + index * 80;
            file.write_all_at(&source[at..at + 80], at as u64).unwrap();
            let end = verify(directory.path());
            let case = Case { path: &path, range: at..at + 80 };
            assert!(is_located(&end, &case), "record {index}: {end}");
            file.write_all_at(&whole[at..at + 80], at as u64).unwrap();
        }
    }
}

/// What happens to whole files: the row is not clean, the words name a file, resuming refuses, and
/// nothing is changed by the refusal.
#[test]
fn truncated_extended_empty_missing_duplicated_and_foreign_segments_are_refused() {
    let (base, other) = (folder(), folder());
    two_sessions(base.path());
    two_sessions(other.path());
    type Change<'a> = &'a dyn Fn(&Path);
    let copied = |directory: &Path, from: u32, to: u32| {
        fs::copy(segment(directory, from), segment(directory, to)).unwrap();
    };
    let cut = |directory: &Path, number: u32, bytes: u64| {
        open(&segment(directory, number)).set_len(bytes).unwrap();
    };
    let cases: &[(&str, Change)] = &[
        ("truncated to a header", &|d| cut(d, 2, 4096)),
        ("truncated within a header", &|d| cut(d, 2, 4000)),
        ("truncated by a byte", &|d| cut(d, 3, 65_535)),
        ("truncated within a record", &|d| cut(d, 4, 4096 + 100)),
        ("extended by a page of zeros", &|d| cut(d, 3, 65_536 + 4096)),
        ("extended by bytes", &|d| open(&segment(d, 3)).write_all_at(&[7; 9], 65_536).unwrap()),
        ("extended behind its seal", &|d| {
            open(&segment(d, 2)).write_all_at(&[7; 80], 32_768).unwrap();
        }),
        ("empty", &|d| cut(d, 2, 0)),
        ("the first one missing", &|d| fs::remove_file(segment(d, 1)).unwrap()),
        ("one in the middle missing", &|d| fs::remove_file(segment(d, 3)).unwrap()),
        ("the last one missing", &|d| fs::remove_file(segment(d, 4)).unwrap()),
        ("a session missing", &|d| {
            fs::remove_file(segment(d, 3)).unwrap();
            fs::remove_file(segment(d, 4)).unwrap();
        }),
        ("duplicated behind the end", &|d| copied(d, 4, 5)),
        ("duplicated over another", &|d| copied(d, 3, 4)),
        ("two swapped", &|d| {
            copied(d, 3, 9);
            copied(d, 1, 3);
            copied(d, 9, 1);
            fs::remove_file(segment(d, 9)).unwrap();
        }),
        ("of another run", &|d| {
            fs::copy(segment(other.path(), 3), segment(d, 3)).unwrap();
        }),
        ("of the other stream", &|d| {
            fs::copy(d.join("out-000001.zj"), segment(d, 1)).unwrap();
        }),
    ];
    for (name, change) in cases {
        let directory = folder();
        copy(base.path(), directory.path());
        change(directory.path());
        match Reader::open(directory.path(), Stream::Inputs).map(Reader::verify) {
            Ok(end) => {
                assert!(!end.is_whole(), "{name}: {end}");
                assert!(end.to_string().contains(".zj at byte "), "{name}: {end}");
            }
            Err(error) => assert!(matches!(error, Error::Missing(_)), "{name}: {error}"),
        }
        let before = folder();
        copy(directory.path(), before.path());
        let refused = resume(directory.path()).err().unwrap_or_else(|| panic!("{name}: resumed"));
        assert!(matches!(refused, Error::Damaged(_) | Error::Missing(_)), "{name}: {refused}");
        for entry in fs::read_dir(before.path()).unwrap() {
            let name = entry.unwrap().file_name();
            let read = |folder: &Path| fs::read(folder.join(&name)).unwrap();
            assert_eq!(read(before.path()), read(directory.path()), "{name:?} was changed");
        }
    }
    println!("{} ways to replace whole segments, each refused with its place", cases.len());
}
