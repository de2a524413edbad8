//! How do datagrams come in and go out? A socket with the gate in front of it.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use rsipstack::platform::net::UdpSocket;
use rsipstack::sip::Transport;
use tracing::debug;

use super::gate::{Admission, Gate};
use super::validate::Refusal;

type Answer<'a, T> = Pin<Box<dyn Future<Output = rsipstack::Result<T>> + Send + 'a>>;

/// A UDP socket that lets only judged messages through, and that can be closed while rsipstack holds on to it.
pub(super) struct GuardedSocket {
    socket: RwLock<Option<Arc<tokio::net::UdpSocket>>>,
    local: SocketAddr,
    gate: Arc<Gate>,
}

impl GuardedSocket {
    pub fn new(socket: tokio::net::UdpSocket, local: SocketAddr, gate: Arc<Gate>) -> GuardedSocket {
        GuardedSocket { socket: RwLock::new(Some(Arc::new(socket))), local, gate }
    }

    /// Lets go of the port.
    pub fn close(&self) {
        let mut socket = self.socket.write().unwrap_or_else(PoisonError::into_inner);
        *socket = None;
    }

    fn open(&self) -> Option<Arc<tokio::net::UdpSocket>> {
        let socket = self.socket.read().unwrap_or_else(PoisonError::into_inner);
        socket.clone()
    }

    async fn next(&self, buffer: &mut [u8]) -> (usize, SocketAddr) {
        loop {
            let Some(socket) = self.open() else {
                // Closed: rsipstack's reading loop ends through its token, not through an error it would repeat.
                return std::future::pending().await;
            };
            let (length, source) = match socket.recv_from(buffer).await {
                Ok(received) => received,
                Err(error) => {
                    debug!(%error, local = %self.local, "a datagram could not be received");
                    tokio::task::yield_now().await;
                    continue;
                }
            };
            let bytes = &buffer[..length];
            // rsipstack's buffer, 8192 bytes, is full: the rest of the datagram is lost.
            if length == buffer.len() {
                debug!(%source, length, "a datagram was too large and was not taken");
                let refusal = Refusal::new(513, "Message Too Large");
                if let Some(answer) = self.gate.turn_away(bytes, &refusal, source) {
                    answer_to(&socket, &answer, source).await;
                }
                continue;
            }
            // Keep-alives are rsipstack's to answer (RFC 5626 section 3.5.1).
            if bytes.iter().all(u8::is_ascii_whitespace) {
                return (length, source);
            }
            match self.gate.admit(bytes, source, Transport::Udp) {
                Admission::Pass(_) => return (length, source),
                Admission::Drop(why) => debug!(%source, why, "a datagram was dropped"),
                Admission::Answer(answer) => {
                    debug!(%source, "a request was refused before it became a transaction");
                    answer_to(&socket, &answer, source).await;
                }
            }
        }
    }
}

async fn answer_to(socket: &tokio::net::UdpSocket, answer: &[u8], source: SocketAddr) {
    if let Err(error) = socket.send_to(answer, source).await {
        debug!(%source, %error, "a refusal could not be sent");
    }
}

// Written as `async_trait` expands it, because that crate is not one of ours.
impl UdpSocket for GuardedSocket {
    fn recv_from<'me, 'buffer, 'out>(&'me self, buffer: &'buffer mut [u8]) -> Answer<'out, (usize, SocketAddr)>
    where
        'me: 'out,
        'buffer: 'out,
        Self: 'out,
    {
        Box::pin(async move { Ok(self.next(buffer).await) })
    }

    fn send_to<'me, 'bytes, 'out>(&'me self, bytes: &'bytes [u8], to: SocketAddr) -> Answer<'out, usize>
    where
        'me: 'out,
        'bytes: 'out,
        Self: 'out,
    {
        Box::pin(async move {
            match self.open() {
                Some(socket) => Ok(socket.send_to(bytes, to).await?),
                None => Err(std::io::Error::from(std::io::ErrorKind::NotConnected).into()),
            }
        })
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.local)
    }
}
