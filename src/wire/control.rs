//! Payloads of the pipeline's own inputs: the run, timers, sessions, gaps, commands.

use bytemuck::{Pod, Zeroable};

/// First event of every session; what must differ from one to the next comes from here. In the
/// middle of the stream it means that the run is taken up again after its process has ended: all
/// sessions are down, all quotes stale, and how live orders stand is in doubt.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Run {
    /// Chosen once per session, never again.
    pub epoch: u64,
    /// Order numbers start above this one, and above all that the run has given before.
    pub order_base: u64,
    /// Must be zero.
    pub reserved: [u64; 2],
}

/// A deadline has passed: the header's `ts_recv` is the time to believe.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Timer {
    /// Which timer; see the associated constants.
    pub id: u32,
    /// Must be zero.
    pub reserved: u32,
    /// When it was due, ns UTC.
    pub due: u64,
    /// How often it has fired.
    pub count: u64,
    /// Must be zero.
    pub reserved2: u64,
}

impl Timer {
    /// The pipeline's heartbeat: staleness, time exits, message-rate windows, broker heartbeats.
    pub const BEAT: u32 = 0;
}

/// A connection changed its state. The header's `source` says which.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Session {
    /// The state it is in now.
    pub state: SessionState,
    /// Must be zero.
    pub reserved: [u8; 3],
    /// Attempts since it was last up.
    pub attempts: u32,
    /// Broker: the next sequence number that the peer is expected to use.
    pub next_in: u64,
    /// Must be zero.
    pub reserved2: [u64; 2],
}

/// States of a connection.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Pod, Zeroable)]
pub struct SessionState(pub u8);

impl SessionState {
    /// Not connected; a new attempt follows after a backoff.
    pub const DOWN: SessionState = SessionState(0);
    /// The transport is open; a broker's gate may log on.
    pub const CONNECTED: SessionState = SessionState(1);
    /// Subscribed and streaming, or logged on.
    pub const UP: SessionState = SessionState(2);
    /// Nothing was heard for longer than the session allows: what it quoted is stale.
    pub const STALE: SessionState = SessionState(3);
    /// The peer refused the session for good (credentials, version): no further attempt.
    pub const REFUSED: SessionState = SessionState(4);
    /// A recording has come to its end.
    pub const ENDED: SessionState = SessionState(5);
}

/// Records were lost: everything that the session quoted is stale until it is quoted again.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Gap {
    /// Why: 1 slow-reader skip, 2 reconnect, 3 sequence, 4 datagram loss.
    pub cause: u32,
    /// Must be zero.
    pub reserved: u32,
    /// How many records, where the venue says; 0 where it does not.
    pub lost: u64,
    /// Must be zero.
    pub reserved2: [u64; 2],
}

impl Gap {
    /// The gateway skipped records because we read too slowly.
    pub const SLOW_READER: u32 = 1;
    /// The connection was lost and made anew.
    pub const RECONNECT: u32 = 2;
    /// The peer's numbering started anew.
    pub const SEQUENCE: u32 = 3;
    /// Datagrams are missing.
    pub const DATAGRAM: u32 = 4;
}

/// The operator's word.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Command {
    /// What to do.
    pub verb: Verb,
    /// Must be zero.
    pub reserved: [u8; 3],
    /// Of `RESET`: bit number of the limit whose breaker is meant, or [`Command::EVERY`].
    pub limit: u32,
    /// Why, in ASCII, padded with zeros.
    pub reason: [u8; 24],
}

impl Command {
    /// Every breaker that has tripped.
    pub const EVERY: u32 = u32::MAX;

    /// A command with as much of a reason as fits.
    pub fn new(verb: Verb, limit: u32, why: &[u8]) -> Command {
        let mut reason = [0; 24];
        let len = why.len().min(reason.len());
        reason[..len].copy_from_slice(&why[..len]);
        Command { verb, reserved: [0; 3], limit, reason }
    }
}

/// What an operator can say.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Pod, Zeroable)]
pub struct Verb(pub u8);

impl Verb {
    /// Stop deciding, cancel what is open, end the run.
    pub const STOP: Verb = Verb(1);
    /// Latch the kill switch: no order leaves, everything open is cancelled.
    pub const KILL: Verb = Verb(2);
    /// Set a breaker back that has tripped. The kill switch stays: only a run of its own ends it.
    pub const RESET: Verb = Verb(3);
    /// The time to close positions after a STOP is over: nothing more is asked for, and everything
    /// that works is cancelled, so that nothing trades unheard when the process has ended.
    pub const LEAVE: Verb = Verb(4);
}

/// How far the system's clocks are from the one clock, which began with them and never follows
/// them. Told when it has changed by more than the feed's `clock_step`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Clock {
    /// The wall clock less ours, ns: somebody has set it, or ours runs wrong.
    pub wall_ahead: i64,
    /// The kernel's raw monotonic clock less ours, ns since the start: ours runs wrong, or the
    /// machine was suspended.
    pub raw_ahead: i64,
    /// Must be zero.
    pub reserved: [u64; 2],
}

/// How the journal stands: told when that changes, so that a replay knows it too.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Disk {
    /// How it stands now.
    pub state: DiskState,
    /// Must be zero.
    pub reserved: [u8; 7],
    /// Age of the oldest record that a power cut would lose, ns.
    pub lag: u64,
    /// Must be zero.
    pub reserved2: [u64; 2],
}

/// How a journal can stand, from best to worst.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Pod, Zeroable)]
pub struct DiskState(pub u8);

impl DiskState {
    /// It keeps up.
    pub const KEEPS_UP: DiskState = DiskState(0);
    /// What is written is brought to the disk too late.
    pub const LATE: DiskState = DiskState(1);
    /// There is no room for further segments.
    pub const LOW: DiskState = DiskState(2);
    /// It takes nothing more, or the disk has lied.
    pub const FAILED: DiskState = DiskState(3);
}

/// Bytes or records that the feed refused.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Fault {
    /// Why: numbered by the feed's own table.
    pub code: u32,
    /// Must be zero.
    pub reserved: u32,
    /// Position in the session's byte stream.
    pub offset: u64,
    /// What was found there, for the reader of the journal.
    pub found: u64,
    /// How many so far on this session.
    pub count: u64,
}
