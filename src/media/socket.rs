//! Which socket carries this stream's sound?
//!
//! Joins the pool of ports with the system's sockets: a lease is a bound socket, and dropping it gives
//! the port back.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::net::UdpSocket;

use super::port::{PortError, PortPool};

/// Ports tried when other programs hold some of the range.
const BIND_ATTEMPTS: usize = 32;

/// Says why no socket could be opened.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The pool has no port.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The system refused.
    #[error("no RTP socket could be opened on {address}")]
    Bind {
        /// The address that was tried last.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Shares a pool of ports between streams; clones share one pool.
#[derive(Clone, Debug)]
pub struct Ports {
    pool: Arc<Mutex<PortPool>>,
}

impl Ports {
    /// Takes the even ports of a range.
    pub fn new(range: RangeInclusive<u16>) -> Result<Ports, PortError> {
        let pool = PortPool::new(range, &mut rand::rng())?;
        Ok(Ports { pool: Arc::new(Mutex::new(pool)) })
    }

    /// Counts the ports in use.
    pub fn in_use(&self) -> usize {
        self.pool().in_use()
    }

    /// Counts the ports of the range.
    pub fn total(&self) -> usize {
        self.pool().total()
    }

    /// Binds a free port. It must run inside a Tokio runtime.
    pub(super) fn bind(&self, ip: IpAddr) -> Result<LeasedSocket, SocketError> {
        let mut attempt = 1;
        loop {
            let port = self.pool().lease(Instant::now())?;
            let address = SocketAddr::new(ip, port);
            match open(address) {
                Ok(socket) => {
                    return Ok(LeasedSocket { socket, port, ports: self.clone() });
                }
                Err(source) => {
                    self.pool().release(port, Instant::now());
                    // Only a port held by another program is worth another try.
                    if source.kind() != io::ErrorKind::AddrInUse || attempt >= BIND_ATTEMPTS {
                        return Err(SocketError::Bind { address, source });
                    }
                    tracing::debug!(%address, "an RTP port is held by another program, trying the next");
                    attempt += 1;
                }
            }
        }
    }

    fn pool(&self) -> MutexGuard<'_, PortPool> {
        // The pool is whole between any two statements, so a panic elsewhere does not spoil it.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// Holds a bound socket and gives its port back when dropped.
#[derive(Debug)]
pub(super) struct LeasedSocket {
    socket: UdpSocket,
    port: u16,
    ports: Ports,
}

impl std::ops::Deref for LeasedSocket {
    type Target = UdpSocket;

    fn deref(&self) -> &UdpSocket {
        &self.socket
    }
}

impl Drop for LeasedSocket {
    fn drop(&mut self) {
        self.ports.pool().release(self.port, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[tokio::test]
    async fn a_port_held_by_another_program_is_passed_over() {
        let ports = Ports::new(38_000..=38_003).unwrap();
        let held = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 38_000)).unwrap();
        let lease = ports.bind(Ipv4Addr::LOCALHOST.into()).unwrap();
        assert_eq!(lease.local_addr().unwrap().port(), 38_002);
        assert_eq!(ports.in_use(), 1);
        assert!(matches!(
            ports.bind(Ipv4Addr::LOCALHOST.into()),
            Err(SocketError::Port(PortError::Exhausted { total: 2 }) | SocketError::Bind { .. })
        ));
        drop(lease);
        assert_eq!(ports.in_use(), 0);
        drop(held);
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_an_error() {
        let ports = Ports::new(38_010..=38_012).unwrap();
        let error = ports.bind([192, 0, 2, 1].into()).unwrap_err();
        assert!(matches!(error, SocketError::Bind { .. }), "{error}");
        assert_eq!(ports.in_use(), 0);
    }
}
