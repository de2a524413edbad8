//! How does one call's sound get in and out?
//!
//! A [`Stream`] is one RTP socket. It is opened before the answer, because the answer names its port,
//! and configured once the answer is known. A task receives: it checks each packet, learns where the
//! peer really is, and feeds the jitter buffer and the digits. Frames are taken and sent by whoever
//! holds the stream, once every 20 ms: a room, or a prompt.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::frame::{FRAME_PERIOD, Frame, Voice};
use super::sdp::Negotiated;
use super::socket::{LeasedSocket, Ports, SocketError};

mod state;

use state::State;

/// Longest datagram read: an Ethernet frame and to spare. Longer ones are cut and their sound ignored.
const MAX_DATAGRAM: usize = 2_048;

/// Digits kept until somebody reads them: several PINs; more is a stuck key or an attack.
const MAX_DIGITS: usize = 64;

/// Rest after the system refuses to receive, so that a lasting error does not fill a core.
const RECEIVE_REST: Duration = FRAME_PERIOD;

/// Says why a stream could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// There is no socket to be had.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The system does not say where the socket is bound.
    #[error("the RTP socket has no address")]
    Address(#[source] io::Error),
}

/// Counts what passed through a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamStats {
    /// Packets accepted from the peer, digits included.
    pub packets_in: u64,
    /// Bytes of those packets, RTP header included.
    pub bytes_in: u64,
    /// Packets sent.
    pub packets_out: u64,
    /// Bytes of those packets, RTP header included.
    pub bytes_out: u64,
    /// Packets that could not be sent at once and were let go.
    pub unsent: u64,
    /// Packets the peer sent that never arrived.
    pub lost: u64,
    /// Packets that arrived after their time.
    pub late: u64,
    /// Packets that arrived more than once.
    pub duplicates: u64,
    /// Packets that were no RTP, from strangers, or of unknown payload types.
    pub ignored: u64,
    /// Frames in which a loss was concealed.
    pub concealed: u64,
    /// Time since the last packet accepted; nothing when there was none.
    pub last_packet_age: Option<Duration>,
    /// Where sound is sent: learnt from the peer's packets, until then as its SDP says.
    pub remote: Option<SocketAddr>,
}

/// Carries one call's sound. Dropping it closes it.
#[derive(Debug)]
pub struct Stream {
    local: SocketAddr,
    state: Arc<Mutex<State>>,
    digits: Mutex<Option<mpsc::Receiver<char>>>,
    task: AbortHandle,
}

impl Stream {
    /// Opens a socket on a free port of `local_ip` and begins to receive. It must run inside a Tokio runtime.
    ///
    /// Nothing is heard and nothing is sent until [`configure`](Stream::configure).
    pub fn open(ports: &Ports, local_ip: IpAddr) -> Result<Stream, StreamError> {
        let socket = Arc::new(ports.bind(local_ip)?);
        let local = socket.local_addr().map_err(StreamError::Address)?;
        let state = Arc::new(Mutex::new(State::new(socket.clone(), &mut rand::rng())));
        let (sender, receiver) = mpsc::channel(MAX_DIGITS);
        let task = tokio::spawn(receive(socket, local, state.clone(), sender)).abort_handle();
        tracing::debug!(%local, "an RTP stream was opened");
        Ok(Stream { local, state, digits: Mutex::new(Some(receiver)), task })
    }

    /// Gives the address the socket is bound to; the answer names its port.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Sets what was agreed on. Best called before the answer is sent, so that no early packet is missed.
    pub fn configure(&self, negotiated: &Negotiated) {
        lock(&self.state).configure(negotiated);
        tracing::debug!(
            local = %self.local,
            remote = %negotiated.remote,
            codec = negotiated.codec.name(),
            direction = negotiated.direction.name(),
            "an RTP stream was configured"
        );
    }

    /// Sets what was agreed on anew (a re-INVITE). The source already learnt stays, unless the peer
    /// named a new address.
    pub fn reconfigure(&self, negotiated: &Negotiated) {
        self.configure(negotiated);
    }

    /// Gives the digits the peer presses, to the first who asks. It ends when the stream is closed.
    pub fn digits(&self) -> Option<mpsc::Receiver<char>> {
        lock(&self.digits).take()
    }

    /// Takes the next 20 ms of what the peer said; nothing when it is silent.
    pub fn take(&self) -> Option<Frame> {
        lock(&self.state).take()
    }

    /// Sends 20 ms to the peer, unless it holds us. Never blocks: what does not go at once is let go.
    pub fn send(&self, frame: &Frame) {
        lock(&self.state).send(frame, Instant::now());
    }

    /// Sends frames at their pace. Dropping the future stops it.
    ///
    /// One speaker at a time: a stream in a room gets its frames from the room.
    pub async fn play(&self, frames: &[Frame]) {
        let mut pace = interval(FRAME_PERIOD);
        // A prompt that was held up goes on where it was, at its own pace.
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for frame in frames {
            pace.tick().await;
            self.send(frame);
        }
    }

    /// Tells whether the peer wants no sound for now.
    pub fn is_held(&self) -> bool {
        lock(&self.state).is_held()
    }

    /// Counts what passed so far; the counts stay after the stream is closed.
    pub fn stats(&self) -> StreamStats {
        lock(&self.state).stats(Instant::now())
    }

    /// Ends the stream and gives its port back. The last frames received can still be taken.
    pub fn close(&self) {
        self.task.abort();
        if lock(&self.state).close() {
            tracing::debug!(local = %self.local, "an RTP stream was closed");
        }
    }
}

impl Voice for Stream {
    fn take(&self) -> Option<Frame> {
        Stream::take(self)
    }

    fn send(&self, frame: &Frame) {
        Stream::send(self, frame);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.close();
    }
}

/// Receives until aborted.
async fn receive(socket: Arc<LeasedSocket>, local: SocketAddr, state: Arc<Mutex<State>>, digits: mpsc::Sender<char>) {
    let mut buffer = [0; MAX_DATAGRAM];
    loop {
        let (length, from) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(error) => {
                tracing::warn!(%local, %error, "an RTP socket could not receive");
                sleep(RECEIVE_REST).await;
                continue;
            }
        };
        let received = lock(&state).receive(&buffer[..length], from, Instant::now());
        if received.accepted {
            tracing::debug!(%local, %from, "an RTP stream listens to a new source");
        }
        // The digit itself is a secret: it may be part of a PIN.
        if let Some(digit) = received.digit
            && let Err(mpsc::error::TrySendError::Full(_)) = digits.try_send(digit)
        {
            tracing::warn!(%local, "a digit was dropped because nobody reads them");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No function here leaves a value half changed, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
