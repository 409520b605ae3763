//! Records in; numbered UDP datagrams of whole DBN records out, framed as the feed reads them.
//!
//! ```text
//! 0  4  magic "ZDG1"
//! 4  2  records in the datagram, u16
//! 6  1  version of DBN, 3
//! 7  1  0: no send times
//! 8  8  number of the datagram, u64, one higher each time
//! 16 …  records, whole
//! ```

use crate::{
    fault::{Fate, Fates},
    source::Item,
};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
};

/// Fits an Ethernet frame.
const PACKET_LEN_MAX: usize = 1_400;
/// Before the records.
const HEAD_LEN: usize = 16;

/// One dataset's datagrams.
#[derive(Debug)]
pub struct Multicast {
    socket: UdpSocket,
    to: SocketAddr,
    next: u64,
    packet: Vec<u8>,
    count: u16,
    delayed: Option<Vec<u8>>,
    fates: Fates,
    /// Datagrams sent.
    pub sent: u64,
}

impl Multicast {
    /// A sender to `to`, a multicast group or a plain address, by the interface `from`.
    pub fn open(to: SocketAddr, from: Ipv4Addr, fates: Fates) -> io::Result<Multicast> {
        let socket = socket2::Socket::new(
            socket2::Domain::IPV4,
            socket2::Type::DGRAM,
            Some(socket2::Protocol::UDP),
        )?;
        if let SocketAddr::V4(v4) = to
            && v4.ip().is_multicast()
        {
            socket.set_multicast_if_v4(&from)?;
            socket.set_multicast_loop_v4(true)?;
        }
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        let packet = Vec::with_capacity(PACKET_LEN_MAX);
        let socket = socket.into();
        Ok(Multicast { socket, to, next: 1, packet, count: 0, delayed: None, fates, sent: 0 })
    }

    /// Adds a record; a full packet goes out.
    pub fn on_record(&mut self, item: &Item<'_>) {
        if self.packet.len() + item.bytes.len() > PACKET_LEN_MAX {
            self.flush();
        }
        if self.packet.is_empty() {
            self.packet.extend_from_slice(b"ZDG1\x00\x00\x03\x00");
            self.packet.extend_from_slice(&self.next.to_le_bytes());
            self.count = 0;
            self.next += 1;
        }
        self.packet.extend_from_slice(item.bytes);
        self.count += 1;
    }

    /// Sends what is there.
    pub fn flush(&mut self) {
        if self.packet.len() <= HEAD_LEN {
            return;
        }
        let mut packet = std::mem::take(&mut self.packet);
        packet[4..6].copy_from_slice(&self.count.to_le_bytes());
        match self.fates.draw() {
            Fate::Dropped => {}
            Fate::Delayed if self.delayed.is_none() => self.delayed = Some(packet.clone()),
            Fate::Doubled => {
                self.send(&packet);
                self.send(&packet);
            }
            Fate::Spoilt => {
                let garbage = self.fates.garbage();
                self.send(&garbage);
                self.send(&packet);
            }
            _ => {
                self.send(&packet);
                if let Some(late) = self.delayed.take() {
                    self.send(&late);
                }
            }
        }
        packet.clear();
        self.packet = packet;
    }

    fn send(&mut self, packet: &[u8]) {
        // A receiver that is not there is no business of a sender of datagrams.
        if self.socket.send_to(packet, self.to).is_ok() {
            self.sent += 1;
        }
    }
}
