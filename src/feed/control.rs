//! Signals and files in, the operator's commands out: the only way for a command to enter a run.
//!
//! SIGINT and SIGTERM mean STOP, SIGUSR1 means KILL, and so does the kill file as soon as it
//! exists. The heartbeat file is a dead man's switch: whoever watches the run touches it, and when
//! nobody has for too long, that is a KILL too. The command file holds one command in words, is
//! read as soon as it exists, and removed: `kill WHY`, `stop WHY`, `reset LIMIT WHY` with the
//! limit's number, or `reset all WHY`. It must be moved into its place, so that it is never read
//! half written. LEAVE is the supervisor's. The handlers only set flags; flags and files are looked
//! at on each beat.

use crate::wire::{
    Event, Kind, NO_INSTRUMENT, Timestamp,
    control::{Command, Verb},
};
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::PathBuf,
    time::SystemTime,
};

/// Where commands come from.
#[derive(Clone, Debug, Default)]
pub struct Control {
    stop: Arc<AtomicBool>,
    kill: Arc<AtomicBool>,
    leave: Arc<AtomicBool>,
    kill_file: Option<PathBuf>,
    command_file: Option<PathBuf>,
    heartbeat: Option<Heartbeat>,
    killed: bool,
}

/// Longest command.
const LINE_MAX: usize = 256;

impl Control {
    /// Commands from the flags and the file alone; an empty path is no file.
    pub fn new(kill_file: &str) -> Control {
        Control { kill_file: path(kill_file), ..Control::default() }
    }

    /// The same, with a file of commands; an empty path is no file.
    pub fn with_commands(self, file: &str) -> Control {
        Control { command_file: path(file), ..self }
    }

    /// The same, with a heartbeat that may be missing for `most` ns; an empty path is none.
    pub fn with_heartbeat(self, file: &str, most: u64) -> Control {
        let heartbeat = path(file).map(|file| Heartbeat { file, most, seen: None });
        Control { heartbeat, ..self }
    }

    /// The same, with the process's signals.
    pub fn with_signals(self) -> io::Result<Control> {
        use signal_hook::{consts, flag};
        for signal in [consts::SIGINT, consts::SIGTERM] {
            flag::register(signal, self.stop.clone())?;
        }
        flag::register(consts::SIGUSR1, self.kill.clone())?;
        Ok(self)
    }

    /// Sets it to stop the run from another thread (`--for`, a finished test).
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        self.stop.clone()
    }

    /// Sets it to throw the kill switch from another thread.
    pub fn kill_flag(&self) -> Arc<AtomicBool> {
        self.kill.clone()
    }

    /// Sets it to withdraw what still works when the stop's time is over.
    pub fn leave_flag(&self) -> Arc<AtomicBool> {
        self.leave.clone()
    }

    /// The next command at `now`, if there is one. KILL comes before all others and only once: it
    /// is latched.
    pub fn poll(&mut self, now: Timestamp) -> Option<Event> {
        if let Some(why) = self.why_kill(now) {
            self.killed = true;
            return Some(event(Command::new(Verb::KILL, 0, why)));
        }
        let flags = [(&self.stop, Verb::STOP), (&self.leave, Verb::LEAVE)];
        let raised = flags.into_iter().find(|(flag, _)| flag.swap(false, Ordering::Relaxed));
        if let Some((_, verb)) = raised {
            return Some(event(Command::new(verb, 0, b"")));
        }
        let command = self.command()?;
        if command.verb == Verb::KILL && core::mem::replace(&mut self.killed, true) {
            return None;
        }
        Some(event(command))
    }

    fn why_kill(&mut self, now: Timestamp) -> Option<&'static [u8]> {
        let lost = self.heartbeat.as_mut().is_some_and(|heart| heart.is_lost(now));
        if self.killed {
            return None;
        }
        let file = || self.kill_file.as_ref().is_some_and(|path| path.exists());
        match (self.kill.load(Ordering::Relaxed), lost) {
            (true, _) => Some(b"signal"),
            (_, true) => Some(b"heartbeat lost"),
            _ => file().then_some(b"kill file"),
        }
    }

    /// Takes the command file, if there is one. What cannot be understood, or not be removed, is a
    /// KILL: somebody wanted something.
    fn command(&self) -> Option<Command> {
        let path = self.command_file.as_ref()?;
        let mut file = File::open(path).ok()?;
        let mut line = [0; LINE_MAX];
        let read = file.read(&mut line);
        let removed = fs::remove_file(path);
        let parsed = read.ok().and_then(|len| parse(&line[..len]));
        Some(match (parsed, removed) {
            (Some(command), Ok(())) => command,
            (_, Err(_)) => Command::new(Verb::KILL, 0, b"command file stays"),
            (None, _) => Command::new(Verb::KILL, 0, b"command not understood"),
        })
    }
}

/// A file that somebody touches while all is well.
#[derive(Clone, Debug)]
struct Heartbeat {
    file: PathBuf,
    most: u64,
    /// Its last time stamp, and when that was first seen.
    seen: Option<(Option<SystemTime>, Timestamp)>,
}

impl Heartbeat {
    /// Whether it has not changed for too long; by our clock, whatever the file's says.
    fn is_lost(&mut self, now: Timestamp) -> bool {
        let stamp = fs::metadata(&self.file).and_then(|found| found.modified()).ok();
        let (last, since) = *self.seen.get_or_insert((stamp, now));
        if stamp.is_some() && stamp != last {
            self.seen = Some((stamp, now));
            return false;
        }
        now.saturating_sub(since) > self.most
    }
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

/// A line such as `reset 10 looked into it`.
fn parse(line: &[u8]) -> Option<Command> {
    let line = line.split(|byte| *byte == b'\n').next()?.trim_ascii();
    let (verb, rest) = word(line);
    match verb {
        b"kill" => Some(Command::new(Verb::KILL, 0, rest)),
        b"stop" => Some(Command::new(Verb::STOP, 0, rest)),
        b"reset" => {
            let (limit, why) = word(rest);
            let number = || core::str::from_utf8(limit).ok()?.parse().ok();
            let limit = if limit == b"all" { Some(Command::EVERY) } else { number() }?;
            // A reset without a reason is none.
            (!why.is_empty()).then(|| Command::new(Verb::RESET, limit, why))
        }
        _ => None,
    }
}

fn word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    (&line[..end], line[end..].trim_ascii())
}

fn event(command: Command) -> Event {
    Event::new(Kind::COMMAND, NO_INSTRUMENT, command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verb(event: Option<Event>) -> Option<Verb> {
        event.map(|event| event.body::<Command>().verb)
    }

    #[test]
    fn a_signal_and_a_file_become_commands_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("kill");
        let mut control = Control::new(file.to_str().unwrap()).with_signals().unwrap();
        assert_eq!(verb(control.poll(0)), None);
        signal_hook::low_level::raise(signal_hook::consts::SIGTERM).unwrap();
        assert_eq!(verb(control.poll(0)), Some(Verb::STOP));
        assert_eq!(verb(control.poll(0)), None);
        control.leave_flag().store(true, Ordering::Relaxed);
        assert_eq!(verb(control.poll(0)), Some(Verb::LEAVE));
        assert_eq!(verb(control.poll(0)), None);
        std::fs::write(&file, "").unwrap();
        control.stop_flag().store(true, Ordering::Relaxed);
        assert_eq!(verb(control.poll(0)), Some(Verb::KILL));
        assert_eq!(verb(control.poll(0)), Some(Verb::STOP));
        assert_eq!(verb(control.poll(0)), None);
    }

    #[test]
    fn a_command_is_taken_from_its_file_and_what_is_not_understood_kills() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("command");
        let told = |line: &str| {
            let mut control = Control::default().with_commands(file.to_str().unwrap());
            std::fs::write(&file, line).unwrap();
            let command = *control.poll(0).unwrap().body::<Command>();
            assert!(!file.exists() && control.poll(0).is_none(), "taken once");
            command
        };
        let wanted = Command::new(Verb::RESET, 10, b"looked into it");
        assert_eq!(told("reset 10 looked into it\n"), wanted);
        assert_eq!(told("reset all new day").limit, Command::EVERY);
        assert_eq!(told("stop lunch").verb, Verb::STOP);
        for bad in ["", "reset", "reset 10", "reset ten why", "rest 10 why", "kill it"] {
            assert_eq!(told(bad).verb, Verb::KILL, "{bad:?}");
        }
    }

    #[test]
    fn a_heartbeat_that_is_missing_for_too_long_kills_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("alive");
        let mut control = Control::default().with_heartbeat(file.to_str().unwrap(), 5);
        let touch = |seconds: u64| {
            let stamp = SystemTime::UNIX_EPOCH + core::time::Duration::from_secs(seconds);
            File::create(&file).unwrap().set_modified(stamp).unwrap();
        };
        touch(1);
        assert_eq!(verb(control.poll(10)), None);
        touch(2);
        assert_eq!(verb(control.poll(15)), None, "it has changed");
        assert_eq!(verb(control.poll(20)), None, "just in time");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(verb(control.poll(21)), Some(Verb::KILL));
        assert_eq!(verb(control.poll(99)), None, "once");
    }
}
