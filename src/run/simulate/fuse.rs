//! A count of steps in; the instant at which the process dies, and what is left of it then, out.

use std::{
    cell::{Cell, RefCell},
    fs, io,
    path::{Path, PathBuf},
    println,
};

/// Dies at one of the points that it passes. What the files hold at that very instant is copied:
/// mapped pages belong to the kernel, so that is what a `kill -9` leaves.
#[derive(Debug, Default)]
pub(super) struct Fuse {
    left: Cell<Option<u64>>,
    dead: Cell<bool>,
    from: RefCell<PathBuf>,
    to: RefCell<PathBuf>,
}

impl Fuse {
    /// What is copied, and where to, when it blows.
    pub(super) fn new(from: &Path, to: &Path) -> Fuse {
        let (from, to) = (RefCell::new(from.into()), RefCell::new(to.into()));
        Fuse { from, to, ..Fuse::default() }
    }

    /// It blows after so many points.
    pub(super) fn light(&self, points: u64) {
        if self.left.get().is_none() {
            self.left.set(Some(points));
        }
    }

    /// Whether the process is dead: nothing that it does from now on happens.
    pub(super) fn is_dead(&self) -> bool {
        self.dead.get()
    }

    /// A point at which the process may die; true if it is dead then.
    pub(super) fn passes(&self) -> bool {
        match self.left.get() {
            Some(0) => self.blow(),
            Some(left) => self.left.set(Some(left - 1)),
            None => {}
        }
        self.dead.get()
    }

    fn blow(&self) {
        if !self.dead.replace(true)
            && let Err(error) = copy(&self.from.borrow(), &self.to.borrow())
        {
            println!("simulation: {}: {error}", self.from.borrow().display());
        }
    }
}

/// Copies a directory. A file that its keeper has renamed meanwhile is looked for again.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let copied = match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target),
            false => fs::copy(entry.path(), &target).map(drop),
        };
        match copied {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}
