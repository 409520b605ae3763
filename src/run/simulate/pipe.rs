//! The gate's bytes in; the same bytes for the broker's simulation out: a socket made of memory.

use super::fuse::Fuse;
use crate::gate::Stream;
use std::{
    boxed::Box,
    cell::{Cell, RefCell},
    fmt,
    io::{self, ErrorKind, Write},
    rc::Rc,
    vec::Vec,
};

/// What both ends of a connection see.
#[derive(Debug, Default)]
pub(super) struct Wire {
    /// Written and not yet at the broker.
    pub(super) bytes: RefCell<Vec<u8>>,
    /// Either end has closed it.
    pub(super) closed: Cell<bool>,
    /// Bytes that it still takes; `None` for as many as come.
    pub(super) room: Cell<Option<usize>>,
}

/// Is told of every write before the bytes are anywhere.
pub(super) type OnWrite = Rc<dyn Fn(&[u8])>;

/// The gate's end.
pub(super) struct Pipe {
    pub(super) wire: Rc<Wire>,
    pub(super) fuse: Rc<Fuse>,
    pub(super) on_write: OnWrite,
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe").field("wire", &self.wire).finish_non_exhaustive()
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.wire.closed.get() || self.fuse.passes() {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let taken = self.wire.room.get().map_or(bytes.len(), |room| room.min(bytes.len()));
        if taken == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        (self.on_write)(bytes);
        self.wire.room.set(self.wire.room.get().map(|room| room - taken));
        self.wire.bytes.borrow_mut().extend_from_slice(&bytes[..taken]);
        // The process may die when the bytes are out and before anybody knows it.
        self.fuse.passes();
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Pipe {
    fn prepare(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self) {
        if !self.fuse.is_dead() {
            self.wire.closed.set(true);
        }
    }
}

/// Takes reports on what could not be sent.
pub(super) type Reply = Box<dyn FnMut(crate::wire::Event)>;
