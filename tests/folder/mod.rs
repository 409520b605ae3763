//! A folder with a good configuration in; the program's commands, typed in it, out.
#![allow(dead_code, reason = "every test binary uses its own part")]
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What the vendor gives to a user.
pub(crate) const KEY: &str = "test-key-with-exactly-32-letters";

/// The folder, gone with its value.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// The shipped universe, limits as they are, a probe, and this `engine.toml`.
    pub(crate) fn new(engine: &str) -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/universe.toml");
        folder.write("universe.toml", &fs::read_to_string(shipped).unwrap());
        folder.write("engine.toml", engine);
        folder.write("limits.toml", "[account]\n[limits]\n");
        folder.write("strategy.toml", "[[probe]]\nname = \"probe\"\n");
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Replaces a text of a file.
    pub(crate) fn change(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name}: {from}");
        self.write(name, &text.replacen(from, to, 1));
    }

    /// The program in this folder, behind whatever is to run it, with settings changed.
    pub(crate) fn behind(&self, before: &[&str], arguments: &[&str], sets: &[&str]) -> Command {
        let program = [env!("CARGO_BIN_EXE_zomma")];
        let all: Vec<&str> = before.iter().chain(&program).chain(arguments).copied().collect();
        let mut command = Command::new(all[0]);
        command.args(&all[1..]).args(sets.iter().flat_map(|set| ["--set", set]));
        command.current_dir(self.0.path()).env("DATABENTO_API_KEY", KEY);
        command
    }

    /// The program in this folder.
    pub(crate) fn zomma(&self, arguments: &[&str]) -> Command {
        self.behind(&[], arguments, &[])
    }
}
