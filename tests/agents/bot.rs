//! An agent for tests: a small WebSocket server that behaves, or does not.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use super::DEADLINE;

/// How an agent behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Says what it hears.
    Echo,
    /// Says what it hears, to many calls at once, and tells the test nothing.
    EchoQuietly,
    /// Hears, and says what the test tells it to say.
    Listen,
    /// Answers the upgrade with 403.
    Refuse,
    /// Never answers the upgrade.
    HangInUpgrade,
    /// Closes as soon as it is connected.
    CloseAtOnce,
    /// Begins a long speech, and is gone after half a second of it.
    DieMidWord,
    /// Sends marks and media without end.
    Flood,
    /// Sends everything that is not in the dialect, and then echoes.
    Garbage,
    /// Never reads, and never closes.
    NeverRead,
}

/// What an agent saw.
#[derive(Debug, Clone)]
pub enum Seen {
    /// The headers of an upgrade.
    Upgrade(Vec<(String, String)>),
    /// A message.
    Message(Value, Instant),
    /// A close frame with its code, or the end of the connection.
    Closed(Option<u16>),
}

pub struct Bot {
    pub addr: SocketAddr,
    seen: mpsc::UnboundedReceiver<Seen>,
    say: mpsc::UnboundedSender<Message>,
    task: tokio::task::JoinHandle<()>,
}

impl Bot {
    pub async fn new(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (tell, seen) = mpsc::unbounded_channel();
        let (say, mut said) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if manner == Manner::EchoQuietly {
                    stream.set_nodelay(true).unwrap();
                    tokio::spawn(echo(stream));
                    continue;
                }
                // One call after the other is enough for most tests.
                serve(stream, manner, &tell, &mut said).await;
            }
        });
        Self { addr, seen, say, task }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/stream", self.addr)
    }

    pub fn say(&self, message: Value) {
        self.say.send(Message::from(message.to_string())).unwrap();
    }

    pub fn say_raw(&self, message: Message) {
        self.say.send(message).unwrap();
    }

    pub fn play(&self, audio: &[u8]) {
        self.say(media(audio));
    }

    pub fn mark(&self, name: &str) {
        self.say(json!({"event": "mark", "streamSid": "any", "mark": {"name": name}}));
    }

    /// The next thing that it saw.
    pub async fn next(&mut self) -> Seen {
        tokio::time::timeout(DEADLINE, self.seen.recv()).await.expect("the agent sees nothing").unwrap()
    }

    /// The headers of the next upgrade.
    pub async fn upgrade(&mut self) -> Vec<(String, String)> {
        loop {
            if let Seen::Upgrade(headers) = self.next().await {
                return headers;
            }
        }
    }

    /// The next message of this event, and when it came.
    pub async fn message(&mut self, event: &str) -> (Value, Instant) {
        loop {
            match self.next().await {
                Seen::Message(message, at) if message["event"] == event => return (message, at),
                Seen::Closed(code) => panic!("closed with {code:?} before any {event}"),
                _ => {}
            }
        }
    }

    /// Everything until the connection is over.
    pub async fn rest(&mut self) -> Vec<Seen> {
        let mut rest = Vec::new();
        loop {
            let seen = self.next().await;
            rest.push(seen.clone());
            if let Seen::Closed(_) = seen {
                return rest;
            }
        }
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn media(audio: &[u8]) -> Value {
    json!({"event": "media", "streamSid": "any", "media": {"payload": STANDARD.encode(audio)}})
}

/// One call of an agent that says what it hears.
pub async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        // The agent may send back what it was sent: a media message has all that is read of it.
        if message.to_text().is_ok_and(|text| text.starts_with(r#"{"event":"media""#)) {
            let _ = socket.send(message).await;
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    manner: Manner,
    tell: &mpsc::UnboundedSender<Seen>,
    said: &mut mpsc::UnboundedReceiver<Message>,
) {
    match manner {
        Manner::HangInUpgrade => {
            let mut buffer = [0; 1_024];
            let _ = stream.read(&mut buffer).await;
            let _ = tell.send(Seen::Upgrade(Vec::new()));
            while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
            let _ = tell.send(Seen::Closed(None));
            return;
        }
        Manner::Refuse => {
            let mut buffer = [0; 4_096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
            return;
        }
        _ => {}
    }
    #[allow(clippy::result_large_err, reason = "the library's own type")]
    let note = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let text = |value: &tokio_tungstenite::tungstenite::http::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let headers = request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let _ = tell.send(Seen::Upgrade(headers));
        Ok(response)
    };
    let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, note).await else { return };
    talk(socket, manner, tell, said).await;
}

async fn talk(
    mut socket: WebSocketStream<TcpStream>,
    manner: Manner,
    tell: &mpsc::UnboundedSender<Seen>,
    said: &mut mpsc::UnboundedReceiver<Message>,
) {
    match manner {
        Manner::CloseAtOnce => {
            let _ = socket.close(None).await;
            return;
        }
        Manner::NeverRead => {
            tokio::time::sleep(DEADLINE).await;
            return;
        }
        Manner::DieMidWord => {
            let _ = socket.send(Message::from(media(&[0x10; 80_000]).to_string())).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            return;
        }
        Manner::Garbage => {
            for odd in [
                Message::from("not json"),
                Message::from("[]"),
                Message::from(r#"{"event":"media","media":{}}"#),
                Message::from(r#"{"event":"media","media":{"payload":"@@@"}}"#),
                Message::from(r#"{"event":"mark"}"#),
                Message::from(r#"{"event":"hangup","streamSid":"MZ0"}"#),
                Message::from(vec![0_u8; 320]),
                Message::from(format!(r#"{{"event":"media","media":{{"payload":"{}"}}}}"#, "A".repeat(2 << 20))),
            ] {
                socket.send(odd).await.unwrap();
            }
        }
        _ => {}
    }
    let flood = Message::from(json!({"event": "mark", "mark": {"name": "m"}}).to_string());
    let (mut sink, mut stream) = socket.split();
    loop {
        tokio::select! {
            message = stream.next() => {
                let message = match message {
                    Some(Ok(message)) => message,
                    _ => {
                        let _ = tell.send(Seen::Closed(None));
                        return;
                    }
                };
                match message {
                    Message::Close(frame) => {
                        let _ = tell.send(Seen::Closed(frame.map(|frame| frame.code.into())));
                        let _ = sink.close().await;
                        return;
                    }
                    Message::Text(text) => {
                        let value: Value = serde_json::from_str(&text).unwrap();
                        if matches!(manner, Manner::Echo | Manner::Garbage) && value["event"] == "media" {
                            let payload = &value["media"]["payload"];
                            let back = json!({"event": "media", "streamSid": value["streamSid"], "media": {"payload": payload}});
                            let _ = sink.send(Message::from(back.to_string())).await;
                        }
                        let _ = tell.send(Seen::Message(value, Instant::now()));
                    }
                    _ => {}
                }
            }
            Some(message) = said.recv() => {
                let close = matches!(message, Message::Close(_));
                let _ = sink.send(message).await;
                if close {
                    return;
                }
            }
            sent = sink.send(flood.clone()), if manner == Manner::Flood => {
                if sent.is_err() {
                    let _ = tell.send(Seen::Closed(None));
                    return;
                }
            }
        }
    }
}
