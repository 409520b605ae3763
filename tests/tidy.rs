//! Checks of the source itself: the map in `src/lib.rs`, purity, size, width, docs, dependencies.
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const WIDTH_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 600;
const HOT_DEPENDENCIES: &[&str] = &[
    "bytemuck",
    "core_affinity",
    "crossbeam-utils",
    "hdrhistogram",
    "jiff",
    "lexopt",
    "libc",
    "memmap2",
    "mio",
    "quanta",
    "rkyv",
    "serde_json",
    "sha2",
    "signal-hook",
    "toml",
    "wide",
];

struct Module {
    name: String,
    pure: bool,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The map: the `pub mod` lines of `src/lib.rs`, in their order.
fn map() -> Vec<Module> {
    read(&root().join("src/lib.rs"))
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.split_once("; //"))
        .map(|(name, note)| Module { name: name.into(), pure: note.contains("pure:") })
        .collect()
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|x| x == "rs") {
            found.push(path);
        }
    }
    found.sort();
}

fn hot_sources() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    sources(&root().join("src"), &mut paths);
    let relative = |p: &Path| p.strip_prefix(root()).unwrap().display().to_string();
    paths.iter().map(|p| (relative(p), read(p))).collect()
}

fn module_of(path: &str) -> &str {
    path.trim_start_matches("src/").split(['/', '.']).next().unwrap()
}

fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn report(errors: Vec<String>) {
    assert!(errors.is_empty(), "\n{}\n", errors.join("\n"));
}

/// `crate::x` may be written only below `x`, and a pure module reaches neither std nor the machine.
#[test]
fn modules_name_only_what_is_above_them() {
    let map = map();
    let position = |name: &str| map.iter().position(|m| m.name == name);
    let mut errors = Vec::new();
    for (path, text) in hot_sources() {
        let Some(here) = position(module_of(&path)) else { continue };
        for (number, line) in code_lines(&text) {
            for name in line.split("crate::").skip(1) {
                let name = name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                let Some(there) = position(name) else { continue };
                if there > here {
                    errors.push(format!("{path}:{number}: names `{name}`, which is below it"));
                }
                if map[here].pure && !map[there].pure {
                    errors.push(format!("{path}:{number}: pure, but names `{name}`"));
                }
            }
            if map[here].pure && line.contains("std::") {
                errors.push(format!("{path}:{number}: pure, but reaches into std"));
            }
        }
    }
    report(errors);
}

#[test]
fn every_file_is_in_the_map_documented_and_small() {
    let map = map();
    let mut errors = Vec::new();
    for (path, text) in hot_sources() {
        let module = module_of(&path);
        if !["lib", "main"].contains(&module) && !map.iter().any(|m| m.name == module) {
            errors.push(format!("{path}: not in the map of src/lib.rs, so never compiled"));
        }
        if !text.starts_with("//! ") {
            errors.push(format!("{path}: no module documentation on the first line"));
        }
        if text.lines().count() > FILE_LINES_MAX {
            errors.push(format!("{path}: more than {FILE_LINES_MAX} lines"));
        }
        let mut start = None;
        for (i, line) in text.lines().enumerate() {
            if line.chars().count() > WIDTH_MAX {
                errors.push(format!("{path}:{}: more than {WIDTH_MAX} columns", i + 1));
            }
            let indent = line.len() - line.trim_start().len();
            let is_function = ["fn ", "pub fn ", "pub(crate) fn ", "const fn ", "unsafe fn "]
                .iter()
                .any(|p| line.trim_start().starts_with(p));
            if is_function && line.ends_with('{') {
                start = Some((i, indent));
            } else if let Some((from, depth)) = start
                && indent == depth
                && line.trim() == "}"
            {
                if i - from >= FUNCTION_LINES_MAX {
                    let lines = i - from + 1;
                    errors.push(format!("{path}:{}: function of {lines} lines", from + 1));
                }
                start = None;
            }
        }
    }
    report(errors);
}

/// rustc ignores a file that no `mod` line names; this does not.
#[test]
fn no_file_is_orphaned() {
    let mut errors = Vec::new();
    for (path, _) in hot_sources() {
        let path = Path::new(&path);
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if ["lib", "main", "mod"].contains(&stem) {
            continue;
        }
        let folder = root().join(path.parent().unwrap());
        let parents = [folder.join("mod.rs"), folder.join("lib.rs"), folder.join("main.rs")];
        let named = parents.iter().filter(|p| p.exists()).any(|p| {
            read(p).split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == stem)
        });
        if !named {
            errors.push(format!("{}: named by no mod.rs", path.display()));
        }
    }
    report(errors);
}

#[test]
fn hot_dependencies_are_the_agreed_ones() {
    let manifest = read(&root().join("Cargo.toml"));
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let found: BTreeSet<&str> =
        section.lines().filter_map(|l| Some(l.split_once(" = ")?.0)).collect();
    let agreed: BTreeSet<&str> = HOT_DEPENDENCIES.iter().copied().collect();
    assert_eq!(found, agreed, "change HOT_DEPENDENCIES in the same commit, and say why");
}
