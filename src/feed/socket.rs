//! Addresses and options in, non-blocking sockets out. Everything that asks the system is here.

use super::settings::Session;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use mio::net::{TcpStream, UdpSocket};
use std::{
    io,
    net::ToSocketAddrs,
    os::fd::{AsFd, AsRawFd},
};

/// A session's socket.
#[derive(Debug)]
pub(crate) enum Socket {
    None,
    Tcp(TcpStream),
    Udp(UdpSocket),
}

/// All addresses of `host:port`. It may ask a name server, so only at start.
pub(crate) fn resolve(address: &str) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    Ok(found)
}

/// Begins to connect; a writable event tells that it ended, [`connected`] how.
pub(crate) fn connect(address: SocketAddr, session: &Session) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    // Latency before packet count, and a peer that is gone is noticed by the system as well.
    stream.set_nodelay(true)?;
    let silence_ms = (session.drop_after.nanos() / 1_000_000).min(i32::MAX as u64) as i32;
    option(&stream, libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, silence_ms)?;
    receive_buffer(&stream, session)?;
    Ok(stream)
}

/// Whether a connection stands: `Ok(false)` while it is still being made.
pub(crate) fn connected(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

/// Another handle of the same connection, for the gate to write to. It does not block either.
pub(crate) fn handle(stream: &TcpStream) -> io::Result<std::net::TcpStream> {
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}

/// Listens for datagrams; a multicast address is joined.
pub(crate) fn listen(address: SocketAddr, session: &Session) -> io::Result<UdpSocket> {
    // Bound to the group itself, other groups on the same port are not delivered.
    let socket = UdpSocket::bind(address)?;
    match address.ip() {
        IpAddr::V4(group) if group.is_multicast() => {
            let interface: Ipv4Addr = session.interface.parse().map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidInput, "interface is no IPv4 address")
            })?;
            socket.join_multicast_v4(&group, &interface)?;
        }
        IpAddr::V6(group) if group.is_multicast() => socket.join_multicast_v6(&group, 0)?,
        _ => {}
    }
    receive_buffer(&socket, session)?;
    Ok(socket)
}

fn receive_buffer(socket: &impl AsRawFd, session: &Session) -> io::Result<()> {
    match i32::try_from(session.rcvbuf) {
        Ok(0) | Err(_) => Ok(()),
        Ok(bytes) => option(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, bytes),
    }
}

#[expect(unsafe_code, reason = "std and mio have no call for these options")]
fn option(socket: &impl AsRawFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as `socket` is borrowed, and the pointer and the
    // length are those of a live i32, which the kernel only reads.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
