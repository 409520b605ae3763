//! A run's directory: made with both streams and their keeper, finished when the run ends.

use super::{
    Error, Manifest, Session, Settings, Status, Stream, Watch, Writer,
    doublewrite::{self, Doublewrite},
    fail,
    format::{self, Header, VERSION},
    keeper::{self, Keep},
    manifest::MANIFEST,
    reader::Position,
};
use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};

/// The file whose lock says that somebody writes here.
const LOCK: &str = "lock";

/// A journal being written. Make it before threads are pinned: its keeper's thread inherits where
/// it may run.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    manifest: Manifest,
    inputs: Watch,
    outputs: Watch,
    stop: Arc<AtomicBool>,
    keepers: Vec<JoinHandle<()>>,
    /// Held until this is dropped.
    _lock: File,
}

/// A journal and the one writer of each of its streams.
#[derive(Debug)]
pub struct Opened {
    /// To watch and to finish.
    pub journal: Journal,
    /// For what comes in.
    pub inputs: Writer,
    /// For what goes out.
    pub outputs: Writer,
}

/// What a thread of the cold core does until it is told to stop.
type Work = Box<dyn FnOnce(&Settings, &AtomicBool) + Send>;

impl Journal {
    /// Makes the directory, its manifest and the first segment of each stream, and starts the
    /// keeper.
    pub fn create(
        directory: &Path,
        settings: &Settings,
        mut manifest: Manifest,
    ) -> Result<Opened, Error> {
        fs::create_dir_all(directory).map_err(Error::system("make the directory", directory))?;
        name_durably(directory)?;
        let lock = lock(directory)?;
        if directory.join(MANIFEST).exists() {
            return Err(Error::Exists(directory.into()));
        }
        let session = Session::of(&manifest, settings.sync, [1, 1])?;
        manifest.sessions = Vec::from([session]);
        Journal::begin(directory, settings, manifest, lock, [Position::default(); 2])
    }

    /// Begins the newest session behind what is kept of those before, and starts its keepers.
    pub(super) fn begin(
        directory: &Path,
        settings: &Settings,
        manifest: Manifest,
        lock: File,
        keep: [Position; 2],
    ) -> Result<Opened, Error> {
        let Streams { kept: [(keep_in, inputs), (keep_out, outputs)], doublewrite } =
            streams(directory, settings, &manifest, keep)?;
        let stop = Arc::new(AtomicBool::new(false));
        let start = |name: &str, work: Work| {
            let (settings, stop) = (settings.clone(), Arc::clone(&stop));
            thread::Builder::new()
                .name(name.into())
                .spawn(move || work(&settings, &stop))
                .map_err(Error::system("start the keeper's threads for", directory))
        };
        let kept = Vec::from([keep_in, keep_out]);
        let mut keepers = Vec::from([start(
            "keeper",
            Box::new(move |settings, stop| keeper::run(kept, settings, stop)),
        )?]);
        if let Some(file) = doublewrite {
            let work = move |settings: &Settings, stop: &AtomicBool| {
                doublewrite::run(file, settings, stop);
            };
            keepers.push(start("doublewrite", Box::new(work))?);
        }
        let journal = Journal {
            directory: directory.into(),
            manifest,
            inputs: inputs.watch(),
            outputs: outputs.watch(),
            stop,
            keepers,
            _lock: lock,
        };
        Ok(Opened { journal, inputs, outputs })
    }

    /// How a stream fares.
    pub fn watch(&self, stream: Stream) -> &Watch {
        match stream {
            Stream::Inputs => &self.inputs,
            Stream::Outputs => &self.outputs,
        }
    }

    /// Where it lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What the run is, its sessions among it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What the keeper could not do, on either stream.
    pub fn error(&self) -> Option<&Error> {
        self.inputs.error().or(self.outputs.error())
    }

    /// Brings everything to the disk, seals both streams and writes the end into the manifest.
    /// Both writers must have been dropped.
    pub fn finish(self) -> Result<Manifest, Error> {
        self.end(Status::Ended)
    }

    /// The same for a run that something else broke: what it was about to decide is missing.
    pub fn finish_broken(self) -> Result<Manifest, Error> {
        self.end(Status::Failed)
    }

    fn end(mut self, status: Status) -> Result<Manifest, Error> {
        let alive = |watch: &Watch| !watch.0.closed.load(Ordering::Acquire);
        if alive(&self.inputs) || alive(&self.outputs) {
            return Err(Error::WriterAlive(self.directory.clone()));
        }
        let died = (!self.stop_keeper()).then(|| Error::KeeperStopped(self.directory.clone()));
        let error = self.error().cloned().or(died);
        self.manifest.status = if error.is_some() { Status::Failed } else { status };
        if let Some(session) = self.manifest.sessions.last_mut() {
            session.status = self.manifest.status;
        }
        self.manifest.inputs = self.inputs.written();
        self.manifest.outputs = self.outputs.written();
        self.manifest.write(&self.directory)?;
        if error.is_none() {
            doublewrite::remove(&self.directory)?;
        }
        error.map_or_else(|| Ok(self.manifest.clone()), Err)
    }

    /// Lets the keeper finish; false if it has panicked.
    fn stop_keeper(&mut self) -> bool {
        self.stop.store(true, Ordering::Release);
        self.keepers.iter().for_each(|keeper| keeper.thread().unpark());
        // Each is joined, also behind one that has panicked.
        self.keepers.drain(..).filter_map(|keeper| keeper.join().err()).count() == 0
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.stop_keeper();
    }
}

/// Both streams of a session, inputs and outputs, and the file between their pages and the disk.
pub(super) struct Streams {
    pub(super) kept: [(Keep, Writer); 2],
    pub(super) doublewrite: Option<Doublewrite>,
}

/// Makes the files of the newest session, then the manifest, then their writers.
pub(super) fn streams(
    directory: &Path,
    settings: &Settings,
    manifest: &Manifest,
    keep: [Position; 2],
) -> Result<Streams, Error> {
    let make = |stream: Stream, bytes: usize| {
        let header = header(manifest, stream, bytes as u64, keep[stream.place()]);
        let seed = header.seed();
        let (keep, first) = Keep::new(directory.into(), header, settings)?;
        Ok((keep, first, seed))
    };
    let (keep_out, first_out, seed_out) = make(Stream::Outputs, settings.output_segment_bytes)?;
    let (keep_in, first_in, seed_in) = make(Stream::Inputs, settings.segment_bytes)?;
    let shared = [Arc::clone(keep_in.shared()), Arc::clone(keep_out.shared())];
    let doublewrite = Doublewrite::new(directory, settings, shared)?;
    fail::point("begin: before the manifest");
    manifest.write(directory)?;
    fail::point("begin: before the first opening");
    let writer = |stream: Stream, first, keeper: &Keep, seed| {
        let keep = keep[stream.place()];
        let chain = if keep.records == 0 { first_chain(manifest, stream) } else { keep.chain };
        Writer::new(first, Arc::clone(keeper.shared()), chain, seed)
    };
    let inputs = writer(Stream::Inputs, first_in, &keep_in, seed_in);
    let outputs = writer(Stream::Outputs, first_out, &keep_out, seed_out);
    Ok(Streams { kept: [(keep_in, inputs), (keep_out, outputs)], doublewrite })
}

/// Brings the directory's own name to the disk: without it a power cut takes the whole run.
fn name_durably(directory: &Path) -> Result<(), Error> {
    let parent = match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::system("bring to the disk", parent))
}

/// A process that is being started holds copies of our files until it runs its own program, a lock
/// that was given back included: so often it is asked for again, this long after each time.
const LOCK_TRIES: u32 = 40;
const LOCK_WAIT: Duration = Duration::from_millis(5);

pub(super) fn lock(directory: &Path) -> Result<File, Error> {
    let path = directory.join(LOCK);
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(Error::system("make the lock", &path))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => thread::park_timeout(LOCK_WAIT),
            Err(TryLockError::Error(e)) => return Err(Error::system("lock", &path)(e)),
        }
    }
    Err(Error::Locked(directory.into()))
}

/// What the chain of the whole row begins with.
fn first_chain(manifest: &Manifest, stream: Stream) -> u32 {
    format::seed(manifest.session(1).map_or(0, |session| session.epoch), stream)
}

fn header(manifest: &Manifest, stream: Stream, bytes: u64, keep: Position) -> Header {
    let mut cpu = [0; 16];
    for (to, from) in cpu.iter_mut().zip(manifest.cpu.bytes()) {
        *to = from;
    }
    Header {
        format: VERSION,
        stream,
        segment: keep.segment + 1,
        session: manifest.sessions.len() as u32,
        epoch: manifest.epoch,
        first: keep.records + 1,
        bytes: bytes.next_multiple_of(format::PAGE as u64),
        wall: manifest.wall,
        schema: manifest.schema,
        program: manifest.program,
        config: manifest.config_hash,
        cpu,
    }
}
