//! How does an agent take part in a call?

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::dial::Socket;
use super::message::Oddity;
use super::session::{Counts, Session, Stream};
use crate::media::{Frame, Voice};

/// How often an agent is pinged: proxies close what is silent, most of them after a minute or more.
const PING_PERIOD: Duration = Duration::from_secs(10);

/// How long an agent may be silent, pongs included: three pings.
const SILENT_MAX: Duration = Duration::from_secs(30);

/// How long saying goodbye may take. An agent that does not read hears no `stop`.
const GOODBYE_TIME: Duration = Duration::from_secs(1);

/// An agent in a call. Dropping it says `stop` and closes the socket.
#[derive(Debug)]
pub struct AgentLeg {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    session: Mutex<Session>,
    /// Wakes who writes.
    wake: Notify,
}

/// How a conversation with an agent ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// We ended it.
    ByUs,
    /// The agent did, or its connection was lost; in words.
    ByAgent(String),
}

impl AgentLeg {
    /// Begins a conversation over an open socket. It must run inside a Tokio runtime.
    ///
    /// What it gives besides counts on after the leg is dropped, and resolves when the socket is closed.
    pub fn begin(socket: impl Socket, stream: Stream) -> (Self, Counter, oneshot::Receiver<Closed>) {
        let shared = Arc::new(Shared { session: Mutex::new(Session::new(stream)), wake: Notify::new() });
        let (done, closed) = oneshot::channel();
        let running = Arc::clone(&shared);
        tokio::spawn(async move {
            // Nobody may be waiting any more; then nobody is told.
            let _ = done.send(converse(socket, running).await);
        });
        let counter = Counter { shared: Arc::clone(&shared) };
        (Self { shared }, counter, closed)
    }

    /// Tells the agent of a key that the caller pressed.
    pub fn digit(&self, digit: char) {
        self.shared.session().digit(digit);
        self.shared.wake.notify_one();
    }

    /// Says `stop`, and closes the socket after it.
    pub fn stop(&self) {
        self.shared.session().stop();
        self.shared.wake.notify_one();
    }
}

/// Counts what passes in a conversation.
#[derive(Debug)]
pub struct Counter {
    shared: Arc<Shared>,
}

impl Counter {
    /// Counts what passed so far.
    pub fn counts(&self) -> Counts {
        self.shared.session().counts().clone()
    }
}

impl Voice for AgentLeg {
    fn take(&self) -> Option<Frame> {
        let frame = self.shared.session().take();
        // A mark may have been reached.
        if frame.is_some() {
            self.shared.wake.notify_one();
        }
        frame
    }

    fn send(&self, frame: &Frame) {
        self.shared.session().send(frame);
        self.shared.wake.notify_one();
    }
}

impl Drop for AgentLeg {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn session(&self) -> MutexGuard<'_, Session> {
        // No function of a session leaves it half changed, so a panic elsewhere does not spoil it.
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn odd(&self, oddity: Option<Oddity>) {
        if let Some(oddity) = oddity {
            let call = self.session().stream().call_sid.clone();
            tracing::warn!(agent_call = call, %oddity, "an agent does something odd, which is ignored and counted");
        }
    }
}

/// Speaks and listens until one side ends it.
async fn converse<S: Socket>(socket: S, shared: Arc<Shared>) -> Closed {
    let (mut sink, mut stream) = socket.split();
    // Two halves that run together: an agent that does not read is still heard.
    let closed = tokio::select! {
        why = listen(&mut stream, &shared) => Closed::ByAgent(why),
        closed = speak(&mut sink, &shared) => closed,
    };
    if closed == Closed::ByUs {
        // Our close frame is sent; the agent's answer ends the socket in good order.
        let _ = timeout(GOODBYE_TIME, async { while let Some(Ok(_)) = stream.next().await {} }).await;
    } else {
        let _ = timeout(GOODBYE_TIME, sink.close()).await;
    }
    closed
}

/// Hears the agent until it has no more to say; gives why, in words.
async fn listen<S: Socket>(stream: &mut SplitStream<S>, shared: &Shared) -> String {
    loop {
        let message = match timeout(SILENT_MAX, stream.next()).await {
            Err(_) => return format!("it gave no sign of life for {} s", SILENT_MAX.as_secs()),
            Ok(None) => return "its connection was lost".to_owned(),
            Ok(Some(Err(Error::ConnectionClosed))) => return "it closed".to_owned(),
            Ok(Some(Err(error))) => return format!("its connection was lost: {error}"),
            Ok(Some(Ok(message))) => message,
        };
        match message {
            Message::Text(text) => {
                let oddity = shared.session().heard(&text);
                shared.odd(oddity);
                shared.wake.notify_one();
            }
            Message::Binary(_) => {
                let oddity = shared.session().odd(Oddity::Binary);
                shared.odd(oddity);
            }
            Message::Close(Some(frame)) if frame.code != CloseCode::Normal => {
                return format!("it closed with {}", u16::from(frame.code));
            }
            Message::Close(_) => return "it closed".to_owned(),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}

/// Tells the agent what is to be told, until `stop` was said or the connection is lost.
async fn speak<S: Socket>(sink: &mut SplitSink<S, Message>, shared: &Shared) -> Closed {
    let mut ping = interval_at(Instant::now() + PING_PERIOD, PING_PERIOD);
    loop {
        let (message, over, stopped) = {
            let mut session = shared.session();
            let message = session.say().map(Message::from);
            (message, session.is_over(), session.is_stopped())
        };
        let message = match message {
            Some(message) => message,
            None if over => {
                let _ = timeout(GOODBYE_TIME, sink.send(Message::Close(Some(normal())))).await;
                return Closed::ByUs;
            }
            None => {
                tokio::select! {
                    () = shared.wake.notified() => continue,
                    _ = ping.tick() => Message::Ping(Default::default()),
                }
            }
        };
        // What is being sent when the conversation is stopped may be stuck behind an agent that does not read.
        let sent = tokio::select! {
            sent = sink.send(message) => Some(sent),
            () = stopped_for(shared, stopped, GOODBYE_TIME) => None,
        };
        match sent {
            Some(Ok(())) => {}
            // `listen` knows better why, if it can be known.
            Some(Err(_)) => std::future::pending().await,
            None => return Closed::ByUs,
        }
    }
}

/// Resolves when the conversation has been stopped for so long.
async fn stopped_for(shared: &Shared, mut stopped: bool, time: Duration) {
    while !stopped {
        shared.wake.notified().await;
        stopped = shared.session().is_stopped();
    }
    tokio::time::sleep(time).await;
}

fn normal() -> tokio_tungstenite::tungstenite::protocol::CloseFrame {
    tokio_tungstenite::tungstenite::protocol::CloseFrame { code: CloseCode::Normal, reason: Default::default() }
}
