//! Checks of the source itself: the map in `src/lib.rs`, purity, size, width, docs, dependencies,
//! where `unsafe` may stand, and that what the documents name exists.
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const WIDTH_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 600;

/// The only places of the engine that may hold unsafe code.
const UNSAFE_PLACES: &[&str] = &["src/rt/", "src/journal/map.rs"];

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
    "socket2",
    "toml",
    "wide",
];

/// Lowest versions without a published advisory.
const FLOORS: &[(&str, [u32; 3])] = &[
    ("rkyv", [0, 8, 17]),
    ("memmap2", [0, 9, 11]),
    ("crossbeam-epoch", [0, 9, 20]),
    ("crossbeam-channel", [0, 5, 15]),
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
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|x| x == "rs") {
            found.push(path);
        }
    }
    found.sort();
}

fn under(folders: &[&str]) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    folders.iter().for_each(|folder| sources(&root().join(folder), &mut paths));
    let relative = |p: &Path| p.strip_prefix(root()).unwrap().display().to_string();
    paths.iter().map(|p| (relative(p), read(p))).collect()
}

fn hot_sources() -> Vec<(String, String)> {
    under(&["src"])
}

fn module_of(path: &str) -> &str {
    path.trim_start_matches("src/").split(['/', '.']).next().unwrap()
}

fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The lines before the file's own tests, which may use what the code may not.
fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests").next().unwrap()
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
        for (number, line) in code_lines(without_tests(&text)) {
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
fn every_file_is_in_the_map() {
    let map = map();
    let known =
        |module: &str| ["lib", "main"].contains(&module) || map.iter().any(|m| m.name == module);
    let strays = hot_sources().into_iter().filter(|(path, _)| !known(module_of(path)));
    report(strays.map(|(path, _)| format!("{path}: not in the map of src/lib.rs")).collect());
}

/// Holds for everything that is written in Rust here, tools and tests included.
#[test]
fn every_file_is_documented_narrow_and_small() {
    let mut errors = Vec::new();
    for (path, text) in under(&["src", "tools", "tests", "benches"]) {
        if !text.starts_with("//! ") {
            errors.push(format!("{path}: no module documentation on the first line"));
        }
        if text.lines().count() > FILE_LINES_MAX {
            errors.push(format!("{path}: more than {FILE_LINES_MAX} lines"));
        }
        for (i, line) in text.lines().enumerate() {
            if line.chars().count() > WIDTH_MAX {
                errors.push(format!("{path}:{}: more than {WIDTH_MAX} columns", i + 1));
            }
        }
        for (line, lines) in functions(&text) {
            if lines > FUNCTION_LINES_MAX {
                errors.push(format!("{path}:{line}: function of {lines} lines"));
            }
        }
    }
    report(errors);
}

/// First line and length of every function: from its `fn` to the brace at the same indentation.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let opens = |line: &str| {
        let words = line.split_whitespace();
        let mut words = words.skip_while(|word| {
            ["const", "unsafe", "extern", "async", "\"C\""].contains(word)
                || word.starts_with("pub")
        });
        words.next() == Some("fn")
    };
    let ends = |from: usize| {
        let depth = indent(lines[from]);
        (from..lines.len()).find(|&i| indent(lines[i]) == depth && lines[i].trim().starts_with('}'))
    };
    (0..lines.len())
        .filter(|&i| opens(lines[i]) && !lines[i].trim_end().ends_with([';', '}']))
        .filter_map(|i| Some((i + 1, ends(i)? - i + 1)))
        .collect()
}

/// rustc ignores a file that no `mod` line names; this does not.
#[test]
fn no_file_is_orphaned() {
    let mut errors = Vec::new();
    for (path, _) in under(&["src", "tools"]) {
        let path = Path::new(&path);
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let whole = ["lib", "main", "mod"].contains(&stem);
        if whole || path.components().any(|c| c.as_os_str() == "tests") {
            continue;
        }
        let folder = root().join(path.parent().unwrap());
        let beside = folder.with_extension("rs");
        let parents = ["mod.rs", "lib.rs", "main.rs"].map(|name| folder.join(name));
        let named = parents.iter().chain([&beside]).filter(|p| p.exists()).any(|p| {
            read(p).split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == stem)
        });
        if !named {
            errors.push(format!("{}: named by no mod.rs", path.display()));
        }
    }
    report(errors);
}

#[test]
fn unsafe_code_stands_only_where_it_is_agreed() {
    let mut errors = Vec::new();
    for (path, text) in hot_sources() {
        if UNSAFE_PLACES.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        for (number, line) in code_lines(&text) {
            if line.contains("unsafe ") || line.contains("unsafe_code") {
                errors.push(format!("{path}:{number}: unsafe outside of {UNSAFE_PLACES:?}"));
            }
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

#[test]
fn no_locked_version_is_below_its_advisory_floor() {
    let lock = read(&root().join("Cargo.lock"));
    let mut errors = Vec::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |key: &str| {
            let line = package.lines().find_map(|l| l.strip_prefix(key))?;
            Some(line.trim_matches(['=', ' ', '"']))
        };
        let (Some(name), Some(version)) = (field("name"), field("version")) else { continue };
        let Some((_, floor)) = FLOORS.iter().find(|(known, _)| *known == name) else { continue };
        let parts: Vec<u32> = version.split(['.', '-', '+']).flat_map(str::parse).take(3).collect();
        if parts.as_slice() < floor.as_slice() {
            errors.push(format!("{name} {version}: below {floor:?}"));
        }
    }
    report(errors);
}

/// A path in backquotes that looks like one of ours must exist.
#[test]
fn the_documents_name_only_what_exists() {
    let mut errors = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md", "FAULTS.md"] {
        for name in read(&root().join(document)).split('`').skip(1).step_by(2) {
            let path = name.split([' ', ':']).next().unwrap();
            let ours = ["src/", "tests/", "tools/", "benches/", "config/", "scripts/"];
            if ours.iter().any(|folder| path.starts_with(folder)) && !root().join(path).exists() {
                errors.push(format!("{document}: `{path}` does not exist"));
            }
        }
    }
    report(errors);
}
