//! What is wrong with a journal, a folder or a disk in; one line, an exit code, no half file out.

use crate::{files::exported, recorded};
use std::{
    fs::{self, File},
    os::unix::{fs::FileExt, fs::symlink},
    path::Path,
    process::{Command, Output},
};
use zomma::run::Failure;
use zomma_lab::{
    export::{Exported, export},
    options::Options,
};

fn attempt(
    directory: &Path,
    out: &Path,
    change: impl FnOnce(&mut Options),
) -> Result<Exported, Failure> {
    let mut options = Options::new(directory, out);
    change(&mut options);
    export(&options)
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}

#[test]
fn files_are_replaced_only_on_request() {
    let Some(export) = exported(|options| options.only = vec!["decisions".into()]) else { return };
    let (run, out) = (recorded::run().unwrap(), export.folder.path());
    let before = fs::read(export.path("decisions")).unwrap();
    let refused = attempt(run, out, |_| ()).unwrap_err();
    assert_eq!(refused.code, 2);
    assert!(refused.message.contains("decisions.parquet: exists"), "{}", refused.message);
    assert_eq!(names(out), ["decisions.parquet"]);
    assert_eq!(fs::read(export.path("decisions")).unwrap(), before);
    attempt(run, out, |options| {
        options.overwrite = true;
        options.only = vec!["decisions".into()];
    })
    .unwrap();
    assert_eq!(fs::read(export.path("decisions")).unwrap(), before);
}

#[test]
fn a_full_disk_is_one_line_and_leaves_no_file() {
    let Some(run) = recorded::run() else { return };
    let folder = tempfile::tempdir().unwrap();
    symlink("/dev/full", folder.path().join("quotes.parquet.partial")).unwrap();
    let failed = attempt(run, folder.path(), |_| ()).unwrap_err();
    assert_eq!(failed.code, 3);
    assert!(failed.message.contains("quotes.parquet.partial: cannot write"), "{}", failed.message);
    assert!(failed.message.contains("No space left"), "{}", failed.message);
    assert_eq!(failed.message.lines().count(), 1);
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

/// A copy of the run with one bit changed in the middle of its inputs.
fn damaged() -> Option<tempfile::TempDir> {
    let (run, copy) = (recorded::run()?, tempfile::tempdir().unwrap());
    for name in names(run).iter().filter(|name| name.ends_with(".zj") || *name == "manifest") {
        fs::copy(run.join(name), copy.path().join(name)).unwrap();
    }
    let path = copy.path().join("in-000001.zj");
    let segment = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    let at = 150_000 * 80;
    segment.read_exact_at(&mut byte, at).unwrap();
    segment.write_all_at(&[byte[0] ^ 1], at).unwrap();
    Some(copy)
}

#[test]
fn a_damaged_journal_is_refused_with_its_place_and_exported_up_to_it_on_request() {
    let Some(copy) = damaged() else { return };
    let folder = tempfile::tempdir().unwrap();
    let failed = attempt(copy.path(), folder.path(), |_| ()).unwrap_err();
    assert_eq!(failed.code, 2);
    for word in ["in-000001.zj at byte", "record 1", "--to"] {
        assert!(failed.message.contains(word), "{word}: {}", failed.message);
    }
    assert_eq!(names(folder.path()), Vec::<String>::new());
    let to = Some("100000".to_string());
    let part = attempt(copy.path(), folder.path(), |options| options.to = to).unwrap();
    assert_eq!(part.inputs, 100_000);
}

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_zomma-lab")).args(arguments).output().unwrap()
}

#[test]
fn the_program_says_what_is_wrong_in_one_line_with_its_code() {
    let empty = tempfile::tempdir().unwrap();
    let nowhere = empty.path().join("no-run").display().to_string();
    let file = empty.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("out").display().to_string();
    let mut cases = vec![
        (vec!["export"], 2, "name a run's directory"),
        (vec!["frobnicate"], 2, "no command"),
        (vec!["export", &nowhere, "--out", &nowhere], 2, "no journal is here"),
    ];
    let run = recorded::run().map(|run| run.display().to_string());
    if let Some(run) = &run {
        cases.push((vec!["export", run, "--out", &below], 3, "cannot make the folder"));
    }
    for (arguments, code, word) in cases {
        let done = program(&arguments);
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(code), "{said}");
        assert!(said.contains(word) && said.lines().count() == 1, "{said}");
    }
    assert!(!Path::new(&nowhere).exists());
    assert!(program(&["columns"]).status.success());
}
