//! What strategies declare of themselves, and what is derived from it: presets, listings, the
//! document, the shipped files, and the scaffold of a new one.
#![allow(missing_docs)]
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use zomma::{
    config::Reader,
    feature::Schema,
    run::strategies::document,
    strategy::{KINDS, MEASURES, Set},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str, text: &str) -> Set {
    let mut reader = Reader::new(file, text).unwrap();
    let mut set = Set::default();
    set.read(&mut reader, &Schema::none());
    if let Err(errors) = reader.finish() {
        panic!("{errors:?}");
    }
    set
}

/// A root is all that must be given; presets and defaults make the rest, and agree.
#[test]
fn every_kind_is_complete_with_its_defaults() {
    let mut names = BTreeSet::new();
    for kind in KINDS {
        let set = read(kind.section, &format!("[[{}]]\nroot = \"SPXW\"\n", kind.section));
        let name = set.names().next().unwrap().to_string();
        assert!(name != "strategy" && names.insert(name), "{}: a name of its own", kind.section);
        let keys = (kind.keys)();
        let distinct: BTreeSet<&str> = keys.iter().map(|key| key.name).collect();
        assert_eq!(distinct.len(), keys.len(), "{}: two keys of one name", kind.section);
        let wanting: Vec<&str> =
            keys.iter().filter(|key| key.default.is_none()).map(|key| key.name).collect();
        assert_eq!(wanting, ["root"], "{}", kind.section);
    }
    assert!(names.len() >= 15);
}

/// What is listed as a default is what is read: written out, all defaults are accepted again.
#[test]
fn every_default_reads_back() {
    for kind in KINDS {
        let mut text = format!("[[{}]]\nroot = \"SPXW\"\n", kind.section);
        for key in (kind.keys)() {
            if let Some(default) = &key.default {
                text += &format!("{} = {default}\n", key.name);
            }
        }
        read(kind.section, &text);
    }
}

/// One file in `config/strategy` for each kind, and all of them right.
#[test]
fn every_kind_has_a_file_that_is_right() {
    for kind in KINDS {
        let path = root().join(format!("config/strategy/{}.toml", kind.section));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(text.contains(&format!("[[{}]]", kind.section)));
        assert_eq!(read(kind.section, &text).names().len(), 1);
    }
}

#[test]
fn the_document_is_that_of_the_declaration() {
    let path = root().join("src/strategy/strategies.md");
    let documented = fs::read_to_string(path).unwrap_or_default();
    let document = document();
    let differs = document.lines().zip(documented.lines()).find(|(a, b)| a != b);
    assert_eq!(differs, None, "run: zomma strategy list --markdown > src/strategy/strategies.md");
    assert_eq!(document, documented);
    for row in MEASURES {
        assert!(documented.contains(&format!("| `{}` |", row.name)));
    }
}

#[test]
fn what_is_wrong_with_a_strategy_is_named() {
    for (text, part) in [
        ("entry_when = [\"iv_rnk > 1\"]", "[butterfly 1] entry_when"),
        ("entry_when = [\"profit > 1\"]", "is of a package that is held"),
        ("entry_when = [\"X.rsi_14_1m > 70\"]", "there are no features"),
        ("body = \"dleta 0.5\"", "write \"delta 0.12 within 0.05\""),
        ("expiry = \"tomorrow\"", "[butterfly 1] expiry"),
        ("stop = -1", "it must be from 0 to 1000 (of premium)"),
        ("wing = 5", "is no key here; known: name, horizon, root"),
    ] {
        let mut reader =
            Reader::new("file.toml", &format!("[[butterfly]]\nroot = \"X\"\n{text}\n")).unwrap();
        Set::default().read(&mut reader, &Schema::none());
        let errors = reader.finish().unwrap_err();
        let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(said.len() == 1 && said[0].contains(part), "{part:?}: {said:?}");
    }
}

fn zomma(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zomma"));
    let output = command.args(arguments).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said.into_owned())
}

/// What a build reads of the sources.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}

/// In a copy of the sources the new strategy is checked by the compiler, with its test.
#[test]
fn a_new_strategy_compiles_with_its_test_and_its_file() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["src", "tests", "config", "benches"] {
        copy(&root().join(part), &folder.path().join(part));
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    // The copy is a workspace of its own, of the engine alone.
    let members = "members = [\".\", \"tools/interop\", \"tools/lab\", \"tools/market\"]";
    assert!(manifest.contains(members));
    let manifest = manifest.replace(members, "members = [\".\"]");
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    for file in ["Cargo.lock", "rustfmt.toml"] {
        fs::copy(root().join(file), folder.path().join(file)).unwrap();
    }
    copy(&root().join(".cargo"), &folder.path().join(".cargo"));
    for (name, code) in [("Broken", 2), ("iron_condor", 2), ("a__b", 2), ("put_ladder", 0)] {
        let (said, text) = zomma(folder.path(), &["strategy", "new", name]);
        assert_eq!(said, Some(code), "{name}: {text}");
    }
    let (said, text) = zomma(folder.path(), &["strategy", "new", "put_ladder"]);
    assert!(said == Some(2) && text.contains("is there already"), "{text}");
    // A folder of its own, beside what the other builds use: none waits for the other, and what was
    // checked of the dependencies serves again.
    let target = Path::new(env!("CARGO_BIN_EXE_zomma")).parent().unwrap().parent().unwrap();
    let target = target.join("scaffold");
    let mut build = Command::new(env!("CARGO"));
    build.args(["check", "--offline", "-p", "zomma", "--test", "strategy_put_ladder"]);
    build.env("CARGO_TARGET_DIR", target).current_dir(folder.path());
    let output = build.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    let format = Command::new("rustfmt")
        .args(["--edition", "2024", "--check", "src/strategy/kinds/put_ladder.rs"])
        .args(["tests/strategy_put_ladder.rs", "src/strategy/kinds/mod.rs"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(format.status.success(), "{}", String::from_utf8_lossy(&format.stdout));
}
