//! Sequence numbers that survive a restart: a file in, the inbound and the outbound half out.
//!
//! | bytes | what |
//! |---|---|
//! | 0 to 4095 | magic, format version, slots, identity (text and hash): written once |
//! | 4096 to 8191 | the next inbound number, owned by the decoder |
//! | 8192 to 12287 | the next outbound number, owned by the gate |
//! | from 12288 | slots of [`SLOT_BYTES`]: the last sent messages, by number modulo the slots |
//!
//! A number lies in one aligned word together with a check of itself, and is written by one store:
//! whatever instant the process dies at, the old or the new number is there. A message in a slot
//! is believed only if its own length, checksum and number hold. The halves map different pages,
//! so two threads share nothing. The file is locked: two engines cannot share a session.

use super::{
    field::hash,
    frame::{self, Step},
};
use crate::rt::region::Region;
use alloc::string::{String, ToString};
use core::{fmt, sync::atomic::Ordering};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::Path,
};

/// Bytes of a slot: 16 of head, the rest for a message.
pub const SLOT_BYTES: usize = 1_536;
/// Most bytes of a message that a slot holds.
pub const SENT_BYTES_MAX: usize = SLOT_BYTES - 16;
/// Messages kept for a resend.
pub const SLOTS: usize = 1_024;

const PAGE: usize = 4_096;
const MAGIC: &[u8; 8] = b"ZOMMAFIX";
const VERSION: u64 = 1;
const TEXT_MAX: usize = 1_024;
const FILE_BYTES: u64 = (3 * PAGE + SLOTS * SLOT_BYTES) as u64;

/// Why a store cannot be used.
#[derive(Debug)]
pub enum Error {
    /// The file cannot be opened, made or mapped.
    Io(String, std::io::Error),
    /// Another engine uses it.
    Locked(String),
    /// It is no store, or of another format.
    Foreign(String),
    /// It belongs to another session.
    Identity(String, String),
    /// A sequence number fails its check.
    Corrupt(String, &'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(path, e) => write!(f, "{path}: {e}; check the directory and its permissions"),
            Error::Locked(path) => {
                write!(f, "{path}: in use by another engine; stop it or name another store")
            }
            Error::Foreign(path) => {
                write!(f, "{path}: no FIX session store of this format; name another store")
            }
            Error::Identity(path, whose) => {
                write!(f, "{path}: belongs to the session {whose}; name another store")
            }
            Error::Corrupt(path, what) => write!(
                f,
                "{path}: the {what} sequence number fails its check; agree on a reset with the \
                 broker, then delete the file or set reset_on_logon"
            ),
        }
    }
}

impl core::error::Error for Error {}

/// Opens or makes the store of the session `sender` to `target`. With `reset`, numbers start at 1.
pub fn open(
    path: &Path,
    sender: &str,
    target: &str,
    reset: bool,
) -> Result<(Inbound, Outbound), Error> {
    let name = path.display().to_string();
    let io = |e| Error::Io(name.clone(), e);
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(path).map_err(io)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Err(Error::Locked(name)),
        Err(TryLockError::Error(e)) => return Err(io(e)),
        Ok(()) => {}
    }
    let fresh = file.metadata().map_err(io)?.len() == 0;
    let wanted = header(sender, target);
    if fresh {
        create(&mut file, &wanted).map_err(io)?;
    } else {
        validate(&mut file, &wanted, &name)?;
    }
    let region = |offset, len| Region::new(&file, offset, len).map_err(io);
    let mut inbound = Inbound { map: region(PAGE, PAGE)? };
    let mut outbound = Outbound { map: region(2 * PAGE, PAGE + SLOTS * SLOT_BYTES)? };
    if fresh || reset {
        inbound.set_next(1);
        outbound.set_next(1);
    }
    sealed(&inbound.map).ok_or_else(|| Error::Corrupt(name.clone(), "inbound"))?;
    sealed(&outbound.map).ok_or(Error::Corrupt(name, "outbound"))?;
    Ok((inbound, outbound))
}

fn header(sender: &str, target: &str) -> [u8; PAGE] {
    let mut page = [0; PAGE];
    page[..8].copy_from_slice(MAGIC);
    page[8..16].copy_from_slice(&VERSION.to_le_bytes());
    page[16..24].copy_from_slice(&(SLOTS as u64).to_le_bytes());
    page[24..32].copy_from_slice(&hash(&[sender.as_bytes(), target.as_bytes()]).to_le_bytes());
    let text = [sender, " to ", target];
    for (to, from) in page[32..32 + TEXT_MAX].iter_mut().zip(text.iter().flat_map(|t| t.bytes())) {
        *to = from;
    }
    page
}

/// Makes the whole file, so that no later write needs a block (a sparse map dies of a full disk),
/// with its first numbers: a start that is refused after this leaves a store that is whole. One
/// that cannot be made leaves an empty file, as if nobody had tried.
fn create(file: &mut File, header: &[u8; PAGE]) -> std::io::Result<()> {
    let (mut first, zeros) = ([0; PAGE], [0; PAGE]);
    first[..8].copy_from_slice(&seal(1).to_le_bytes());
    let page = |at: u64| match at / PAGE as u64 {
        0 => header,
        1 | 2 => &first,
        _ => &zeros,
    };
    let whole = (0..FILE_BYTES).step_by(PAGE).try_for_each(|at| file.write_all(page(at)));
    let made = whole.and_then(|()| file.sync_all());
    if made.is_err() {
        drop(file.set_len(0));
    }
    made
}

fn validate(file: &mut File, wanted: &[u8; PAGE], name: &str) -> Result<(), Error> {
    let mut found = [0; PAGE];
    let len = file.metadata().map_err(|e| Error::Io(name.into(), e))?.len();
    if len != FILE_BYTES || file.read_exact(&mut found).is_err() || found[..24] != wanted[..24] {
        return Err(Error::Foreign(name.into()));
    }
    if found != *wanted {
        let text = &found[32..32 + TEXT_MAX];
        let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
        let whose = String::from_utf8_lossy(&text[..end]).into_owned();
        return Err(Error::Identity(name.into(), whose));
    }
    Ok(())
}

fn check(number: u64) -> u64 {
    hash(&[&number.to_le_bytes()]) >> 48
}

fn seal(number: u64) -> u64 {
    number << 16 | check(number)
}

fn sealed(map: &Region) -> Option<u64> {
    let found = map.word().load(Ordering::Relaxed);
    let number = found >> 16;
    (number > 0 && found & 0xffff == check(number)).then_some(number)
}

/// The decoder's half: the next inbound number.
#[derive(Debug)]
pub struct Inbound {
    map: Region,
}

impl Inbound {
    /// The number that the next message must have.
    #[inline]
    pub fn next(&self) -> u64 {
        self.map.word().load(Ordering::Relaxed) >> 16
    }

    /// Sets it.
    #[inline]
    pub fn set_next(&mut self, next: u64) {
        self.map.word().store(seal(next), Ordering::Release);
    }
}

/// A message that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// When, ns UTC.
    pub at: u64,
    /// From MsgType to the field before the checksum.
    pub body: &'a [u8],
}

/// The gate's half: the next outbound number and the last sent messages.
#[derive(Debug)]
pub struct Outbound {
    map: Region,
}

impl Outbound {
    /// The number of the next message.
    #[inline]
    pub fn next(&self) -> u64 {
        self.map.word().load(Ordering::Relaxed) >> 16
    }

    /// Sets it: a reset.
    pub fn set_next(&mut self, next: u64) {
        self.map.word().store(seal(next), Ordering::Release);
    }

    /// Keeps `message` as sent under the next number and passes on to the one after it. An empty
    /// message stands for one that is not to be sent again (session level).
    #[inline]
    pub fn keep(&mut self, message: &[u8], at: u64) {
        let number = self.next();
        let slot = &mut self.map.bytes_mut()[slot_at(number)..][..SLOT_BYTES];
        let len = if message.len() <= SENT_BYTES_MAX { message.len() } else { 0 };
        slot[..8].copy_from_slice(&((number << 16) | len as u64).to_le_bytes());
        slot[8..16].copy_from_slice(&at.to_le_bytes());
        slot[16..16 + len].copy_from_slice(&message[..len]);
        self.set_next(number + 1);
    }

    /// The message sent under `number`, if it is still held, whole, and for sending again.
    pub fn sent(&self, number: u64) -> Option<Sent<'_>> {
        let slot = &self.map.bytes()[slot_at(number)..][..SLOT_BYTES];
        let word =
            |at: usize| slot[at..at + 8].iter().rev().fold(0u64, |n, &b| n << 8 | u64::from(b));
        let (head, at) = (word(0), word(8));
        let len = (head & 0xffff) as usize;
        if head >> 16 != number || len == 0 || len > SENT_BYTES_MAX {
            return None;
        }
        match frame::step(&slot[16..16 + len]) {
            Step::Message { body, len: whole } if whole == len => Some(Sent { at, body }),
            _ => None,
        }
    }

    /// Asks the system to write everything to disk; for the end of a session, never per order.
    pub fn sync(&self) -> std::io::Result<()> {
        self.map.sync()
    }
}

fn slot_at(number: u64) -> usize {
    PAGE + (number as usize & (SLOTS - 1)) * SLOT_BYTES
}

const _: () = assert!(SLOTS.is_power_of_two() && SLOT_BYTES.is_multiple_of(64));

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use std::fs;

    #[test]
    fn numbers_and_messages_survive_and_belong_to_one_session() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("session");
        let open = |sender: &str, reset: bool| open(&path, sender, "BROKER", reset);
        {
            let (mut inbound, mut outbound) = open("US", false).unwrap();
            assert_eq!((inbound.next(), outbound.next()), (1, 1));
            inbound.set_next(7);
            outbound.keep(b"", 5);
            outbound.keep(b"8=FIX.4.4\x019=5\x0135=0\x0110=163\x01", 6);
            assert!(matches!(open("US", false), Err(Error::Locked(_))));
        }
        {
            let (inbound, outbound) = open("US", false).unwrap();
            assert_eq!((inbound.next(), outbound.next()), (7, 3));
            assert!(outbound.sent(1).is_none());
            let sent = outbound.sent(2).unwrap();
            assert_eq!((sent.at, sent.body), (6, &b"35=0\x01"[..]));
        }
        let error = open("THEM", false).unwrap_err().to_string();
        assert!(error.contains("US to BROKER"), "{error}");
        let (inbound, outbound) = open("US", true).unwrap();
        assert_eq!((inbound.next(), outbound.next()), (1, 1));
    }

    #[test]
    fn damage_is_named_and_never_used() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("session");
        drop(open(&path, "A", "B", false).unwrap());
        let good = fs::read(&path).unwrap();
        let after = |damage: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = good.clone();
            damage(&mut bytes);
            fs::write(&path, bytes).unwrap();
            open(&path, "A", "B", false).err()
        };
        assert!(matches!(after(&|b| b.truncate(100)), Some(Error::Foreign(_))));
        assert!(matches!(after(&|b| b[0] = 0), Some(Error::Foreign(_))));
        assert!(matches!(after(&|b| b[PAGE] ^= 1), Some(Error::Corrupt(_, "inbound"))));
        assert!(matches!(after(&|b| b[2 * PAGE + 3] ^= 1), Some(Error::Corrupt(_, "outbound"))));
        assert!(after(&|_| {}).is_none());
    }
}
