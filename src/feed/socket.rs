//! Addresses and options in, non-blocking sockets out. Everything that asks the system is here.

use super::settings::Session;
use alloc::vec::Vec;
use core::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use mio::net::{TcpStream, UdpSocket};
use socket2::SockRef;
use std::{io, net::ToSocketAddrs, os::fd::AsFd};

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
    let silence = Duration::from_nanos(session.drop_after.nanos());
    SockRef::from(&stream).set_tcp_user_timeout(Some(silence))?;
    receive_buffer(SockRef::from(&stream), session)?;
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
    receive_buffer(SockRef::from(&socket), session)?;
    Ok(socket)
}

fn receive_buffer(socket: SockRef<'_>, session: &Session) -> io::Result<()> {
    if session.rcvbuf == 0 { Ok(()) } else { socket.set_recv_buffer_size(session.rcvbuf) }
}
