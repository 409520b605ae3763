//! Signals and a file in, the operator's commands out: the only way for a command to enter a run.
//!
//! SIGINT and SIGTERM mean STOP, SIGUSR1 means KILL, and so does the kill file as soon as it
//! exists; LEAVE is the supervisor's. Handlers only set flags, which are looked at on each beat.

use crate::wire::{
    Event, Kind, NO_INSTRUMENT,
    control::{Command, Verb},
};
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use std::{io, path::PathBuf};

/// Where commands come from.
#[derive(Clone, Debug, Default)]
pub struct Control {
    stop: Arc<AtomicBool>,
    kill: Arc<AtomicBool>,
    leave: Arc<AtomicBool>,
    kill_file: Option<PathBuf>,
    killed: bool,
}

impl Control {
    /// Commands from the flags and the file alone; an empty path is no file.
    pub fn new(kill_file: &str) -> Control {
        let kill_file = (!kill_file.is_empty()).then(|| PathBuf::from(kill_file));
        Control { kill_file, ..Control::default() }
    }

    /// The same, with the process's signals.
    pub fn with_signals(kill_file: &str) -> io::Result<Control> {
        use signal_hook::{consts, flag};
        let control = Control::new(kill_file);
        for signal in [consts::SIGINT, consts::SIGTERM] {
            flag::register(signal, control.stop.clone())?;
        }
        flag::register(consts::SIGUSR1, control.kill.clone())?;
        Ok(control)
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

    /// The next command, if there is one. KILL comes before STOP and only once: it is latched.
    pub fn poll(&mut self) -> Option<Event> {
        if !self.killed && (self.kill.load(Ordering::Relaxed) || self.file_exists()) {
            self.killed = true;
            return Some(command(Verb::KILL));
        }
        let flags = [(&self.stop, Verb::STOP), (&self.leave, Verb::LEAVE)];
        let raised = flags.into_iter().find(|(flag, _)| flag.swap(false, Ordering::Relaxed));
        raised.map(|(_, verb)| command(verb))
    }

    fn file_exists(&self) -> bool {
        self.kill_file.as_ref().is_some_and(|path| path.exists())
    }
}

fn command(verb: Verb) -> Event {
    Event::new(Kind::COMMAND, NO_INSTRUMENT, Command::new(verb, 0, b""))
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
        let mut control = Control::with_signals(file.to_str().unwrap()).unwrap();
        assert_eq!(verb(control.poll()), None);
        signal_hook::low_level::raise(signal_hook::consts::SIGTERM).unwrap();
        assert_eq!(verb(control.poll()), Some(Verb::STOP));
        assert_eq!(verb(control.poll()), None);
        control.leave_flag().store(true, Ordering::Relaxed);
        assert_eq!(verb(control.poll()), Some(Verb::LEAVE));
        assert_eq!(verb(control.poll()), None);
        std::fs::write(&file, "").unwrap();
        control.stop_flag().store(true, Ordering::Relaxed);
        assert_eq!(verb(control.poll()), Some(Verb::KILL));
        assert_eq!(verb(control.poll()), Some(Verb::STOP));
        assert_eq!(verb(control.poll()), None);
    }
}
