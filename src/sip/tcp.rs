//! How do messages come in and go out over TCP?
//!
//! The framing is ours: rsipstack reads `Content-Length : 5` as 0 and runs the body as the next request, and it
//! keeps a silent connection for ever. It gets whole, judged messages over its in-memory channel instead.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rsipstack::platform::mpsc::unbounded_channel;
use rsipstack::sip::Transport as Wire;
use rsipstack::transport::channel::ChannelConnection;
use rsipstack::transport::{SipAddr, SipConnection, TransportEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, warn};

use super::edge::Shared;
use super::gate::Admission;
use super::raw::Raw;
use super::validate::{MAX_MESSAGE, Refusal, content_length};

/// How many TCP connections strangers may hold open.
const MAX_CONNECTIONS: usize = 1024;
/// How long a message may take to arrive once it was begun, and how long a new connection may stay silent.
const MESSAGE_TIME: Duration = Duration::from_secs(32);
/// How long a connection without a call may stay silent.
const IDLE_TIME: Duration = Duration::from_secs(600);
/// How long the peer may refuse to read. Meanwhile nothing is read from it, so its queue cannot grow.
const WRITE_TIME: Duration = Duration::from_secs(5);

/// Accepts connections until the edge stops.
pub(super) async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let seats = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: trying again at once would spin.
                warn!(%error, "a TCP connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else {
            debug!(%peer, "a TCP connection was closed because too many are open");
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            match serve(stream, peer, &shared).await {
                Ok(why) => debug!(%peer, why, "a TCP connection ended"),
                Err(error) => debug!(%peer, %error, "a TCP connection failed"),
            }
            drop(seat);
        });
    }
}

/// Moves messages between one connection and rsipstack; says why it ended.
async fn serve(mut stream: TcpStream, peer: SocketAddr, shared: &Shared) -> std::io::Result<&'static str> {
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    let (to_stack, from_us) = unbounded_channel();
    let (to_us, mut from_stack) = unbounded_channel();
    let closed = shared.stop.child_token();
    // However this function ends, calls on the connection learn that it is gone.
    let _closing = closed.clone().drop_guard();
    let name = SipAddr { r#type: Some(Wire::Tcp), addr: peer.into() };
    let Ok(channel) = ChannelConnection::create_connection(from_us, to_us, name.clone(), Some(closed.clone())).await
    else {
        return Ok("the channel to the transaction layer could not be made");
    };
    let connection = SipConnection::Channel(channel);
    let _flow = shared.flows.open(peer, local);
    let Some(endpoint) = shared.endpoint() else {
        return Ok("the edge is stopping");
    };
    endpoint.transport_layer.add_connection(connection.clone());
    drop(endpoint);

    let mut buffer: Vec<u8> = Vec::with_capacity(4096);
    let mut deadline = Instant::now() + MESSAGE_TIME;
    let mut begun = false;
    loop {
        tokio::select! {
            () = closed.cancelled() => return Ok("the edge closed it"),
            () = sleep_until(deadline) => {
                if buffer.is_empty() && shared.registry.uses(peer) {
                    deadline = Instant::now() + IDLE_TIME;
                    continue;
                }
                return Ok("it was silent for too long");
            }
            event = from_stack.recv() => {
                let Some(TransportEvent::Incoming(message, ..)) = event else {
                    return Ok("the transaction layer closed it");
                };
                send(&mut stream, &message.to_bytes()).await?;
            }
            read = stream.read_buf(&mut buffer) => {
                if read? == 0 {
                    return Ok("the peer closed it");
                }
                loop {
                    match frame(&buffer) {
                        Frame::More => break,
                        Frame::Blank(length) => { buffer.drain(..length); }
                        Frame::Ping => {
                            buffer.drain(..4);
                            send(&mut stream, b"\r\n").await?;
                        }
                        Frame::Whole(length) => {
                            let message: Vec<u8> = buffer.drain(..length).collect();
                            begun = false;
                            match shared.gate.admit(&message, peer, Wire::Tcp) {
                                Admission::Answer(answer) => send(&mut stream, &answer).await?,
                                Admission::Drop(why) => debug!(%peer, why, "a message was dropped"),
                                Admission::Pass(message) => {
                                    let event = TransportEvent::Incoming(*message, connection.clone(), name.clone());
                                    if to_stack.send(event).is_err() {
                                        return Ok("the transaction layer closed it");
                                    }
                                }
                            }
                        }
                        Frame::Broken(refusal) => {
                            // Where the next message begins is unknown, so nothing more can be read.
                            if let Some(answer) = shared.gate.turn_away(&buffer, &refusal, peer) {
                                send(&mut stream, &answer).await?;
                            }
                            return Ok("its messages cannot be told apart");
                        }
                    }
                }
                if buffer.is_empty() {
                    begun = false;
                    deadline = Instant::now() + IDLE_TIME;
                } else if !begun {
                    // Set once a message, or a drop every half minute would keep the seat for ever.
                    begun = true;
                    deadline = Instant::now() + MESSAGE_TIME;
                }
            }
        }
    }
}

async fn send(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    match timeout(WRITE_TIME, stream.write_all(bytes)).await {
        Ok(written) => written,
        Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
    }
}

/// What stands at the front of the bytes that have arrived.
#[derive(Debug, PartialEq, Eq)]
enum Frame {
    /// Not yet a whole message.
    More,
    /// Empty lines between messages (RFC 3261 section 7.5).
    Blank(usize),
    /// A keep-alive that wants an answer (RFC 5626 section 4.4.1).
    Ping,
    /// A message of this length.
    Whole(usize),
    /// The length of the message cannot be known or is too large.
    Broken(Refusal),
}

/// Finds the end of the first message by its Content-Length (RFC 3261 section 18.3).
fn frame(bytes: &[u8]) -> Frame {
    if bytes.starts_with(b"\r\n\r\n") {
        return Frame::Ping;
    }
    // A lone CRLF may still become a ping.
    if bytes.starts_with(b"\r\n") {
        return match bytes.get(2) {
            None | Some(b'\r') if bytes.len() < 4 => Frame::More,
            _ => Frame::Blank(2),
        };
    }
    let Some(raw) = Raw::read(bytes) else {
        return if bytes.len() > MAX_MESSAGE {
            Frame::Broken(Refusal::new(513, "Message Too Large"))
        } else {
            Frame::More
        };
    };
    let mut lengths = raw.all("Content-Length");
    let length = match (lengths.next(), lengths.next()) {
        (None, _) => 0,
        (Some(text), None) => match content_length(text) {
            Some(length) => length,
            None => return Frame::Broken(Refusal::new(400, "Malformed Content-Length Header")),
        },
        (Some(_), Some(_)) => {
            return Frame::Broken(Refusal::new(400, "More Than One Content-Length Header"));
        }
    };
    match raw.head_len + length {
        whole if whole > MAX_MESSAGE => Frame::Broken(Refusal::new(513, "Message Too Large")),
        whole if whole <= bytes.len() => Frame::Whole(whole),
        _ => Frame::More,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_by_content_length() {
        assert_eq!(frame(b""), Frame::More);
        assert_eq!(frame(b"\r\n"), Frame::More);
        assert_eq!(frame(b"\r\n\r\n"), Frame::Ping);
        assert_eq!(frame(b"\r\nBYE"), Frame::Blank(2));
        assert_eq!(frame(b"BYE sip:a SIP/2.0\r\n"), Frame::More);
        assert_eq!(frame(b"BYE sip:a SIP/2.0\r\nl: 2\r\n\r\n1"), Frame::More);
        assert_eq!(frame(b"BYE sip:a SIP/2.0\r\nContent-Length : 2\r\n\r\n12BYE"), Frame::Whole(43));
        assert_eq!(frame(b"BYE sip:a SIP/2.0\r\n\r\nBYE"), Frame::Whole(21));
    }

    #[test]
    fn refuses_lengths_that_cannot_be_trusted() {
        for header in ["Content-Length: 18446744073709551615", "l: -1", "l: 1\r\nContent-Length: 1", "l: 65536", "l:"] {
            let text = format!("BYE sip:a SIP/2.0\r\n{header}\r\n\r\n");
            assert!(matches!(frame(text.as_bytes()), Frame::Broken(_)), "{header}");
        }
        assert!(matches!(frame(&[b'a'; MAX_MESSAGE + 1]), Frame::Broken(_)));
    }
}
