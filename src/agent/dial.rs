//! How is an agent reached?

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Sink, Stream as Messages};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, client_async_tls_with_config};

use super::message::MAX_MESSAGE;
use super::sign;
use crate::model::{AgentEndpoint, HeaderText, Secret};

/// The pause after the first failed try; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest message that is taken off the wire at all. One between this and [`MAX_MESSAGE`] is ignored, and the call
/// goes on; beyond it the socket is closed.
const MAX_WIRE: usize = 8 * MAX_MESSAGE;

/// Why an agent was not reached.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The URL or a header is none.
    #[error("its address or a header cannot be used: {0}")]
    Malformed(String),
    /// No connection, or no TLS.
    #[error("it cannot be connected to: {0}")]
    Unreachable(String),
    /// It answered the upgrade with something else.
    #[error("it refused the upgrade with {0}")]
    Refused(StatusCode),
    /// It did not answer in time.
    #[error("it was not there within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The machine's certificates cannot be read.
    #[error("no certificate authorities are known on this machine: {0}")]
    NoRoots(String),
}

/// Opens sockets to agents. TLS is set up once, for reading the machine's certificates takes milliseconds.
#[derive(Clone)]
pub struct Dialler {
    tls: Result<Arc<rustls::ClientConfig>, String>,
}

/// An open socket.
pub trait Socket:
    Messages<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin + Send + 'static
{
}

impl<S: Messages<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin + Send + 'static> Socket for S {}

impl Dialler {
    /// A dialler that trusts whom this machine trusts.
    pub fn new() -> Self {
        Self { tls: tls() }
    }

    /// Connects, and tries again as the endpoint says, until its deadline.
    ///
    /// # Errors
    /// Of the last try, or that the time is over.
    pub async fn dial(&self, endpoint: &AgentEndpoint<Secret>) -> Result<impl Socket + use<>, DialError> {
        let deadline = Instant::now() + endpoint.deadline;
        let mut pause = FIRST_PAUSE;
        let mut left = endpoint.retries;
        loop {
            let tried = timeout_at(deadline, self.try_once(endpoint)).await;
            let error = match tried {
                Ok(Ok(socket)) => return Ok(socket),
                // Nothing is left of the time, so no other try follows.
                Err(_) => return Err(DialError::TimedOut(endpoint.deadline)),
                Ok(Err(error)) => error,
            };
            let lasting = matches!(error, DialError::Malformed(_) | DialError::NoRoots(_));
            if lasting || left == 0 || Instant::now() + pause >= deadline {
                return Err(error);
            }
            tracing::debug!(%error, "a try to reach an agent failed");
            left -= 1;
            sleep(pause).await;
            pause *= 2;
        }
    }

    async fn try_once(&self, endpoint: &AgentEndpoint<Secret>) -> Result<impl Socket + use<>, DialError> {
        let request = request(endpoint, jiff::Timestamp::now().as_second())?;
        let uri = request.uri();
        let secure = uri.scheme_str() == Some("wss");
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let connector = match (secure, &self.tls) {
            (false, _) => Connector::Plain,
            (true, Ok(tls)) => Connector::Rustls(Arc::clone(tls)),
            (true, Err(why)) => return Err(DialError::NoRoots(why.clone())),
        };
        let unreachable = |error: io::Error| DialError::Unreachable(error.to_string());
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(unreachable)?;
        // A frame every 20 ms must not wait for the acknowledgement of the last.
        stream.set_nodelay(true).map_err(unreachable)?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_WIRE))
            .max_frame_size(Some(MAX_WIRE))
            // The default of 128 kB a call is what a bulk transfer wants.
            .read_buffer_size(4 << 10)
            .write_buffer_size(0);
        match client_async_tls_with_config(request, stream, Some(config), Some(connector)).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(response)) => Err(DialError::Refused(response.status())),
            Err(error) => Err(DialError::Unreachable(error.to_string())),
        }
    }
}

impl Default for Dialler {
    fn default() -> Self {
        Self::new()
    }
}

fn tls() -> Result<Arc<rustls::ClientConfig>, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = rustls::RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        return Err(found.errors.first().map_or_else(|| "none is installed".to_owned(), ToString::to_string));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The upgrade request, signed if the endpoint says so.
fn request(endpoint: &AgentEndpoint<Secret>, seconds: i64) -> Result<Request, DialError> {
    let malformed = |error: &dyn std::fmt::Display| DialError::Malformed(error.to_string());
    let mut request = endpoint.url.as_str().into_client_request().map_err(|error| malformed(&error))?;
    if !matches!(request.uri().scheme_str(), Some("ws" | "wss")) {
        return Err(malformed(&"it does not begin with ws:// or wss://"));
    }
    let headers = request.headers_mut();
    let agent = concat!("strowger/", env!("CARGO_PKG_VERSION"));
    headers.insert("user-agent", HeaderValue::from_static(agent));
    let mut put = |name: &str, text: &str, secret: bool| {
        let name: HeaderName = name.parse().map_err(|error| malformed(&error))?;
        // The error does not repeat the text, which may be a secret.
        let mut value = HeaderValue::from_str(text).map_err(|error| malformed(&error))?;
        value.set_sensitive(secret);
        headers.insert(name, value);
        Ok(())
    };
    for (name, text) in &endpoint.headers {
        match text {
            HeaderText::Plain(text) => put(name, text, false)?,
            HeaderText::Secret(secret) => put(name, secret.expose(), true)?,
        }
    }
    if let Some(secret) = &endpoint.signing_secret {
        put(sign::TWILIO_SIGNATURE, &sign::twilio_signature(secret, &endpoint.url), false)?;
        put(sign::SIGNATURE, &sign::signature(secret, &endpoint.url, seconds), false)?;
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OnClose;

    #[test]
    fn an_upgrade_is_signed_over_the_url_as_configured_and_carries_its_headers() {
        let secret = Secret::new("12345");
        let endpoint = AgentEndpoint {
            url: "wss://example.com/stream/".into(),
            headers: [
                ("authorization".to_owned(), HeaderText::Secret(Secret::new("Bearer x"))),
                ("x-tenant".to_owned(), HeaderText::Plain("acme".into())),
            ]
            .into(),
            signing_secret: Some(secret.clone()),
            deadline: Duration::from_secs(1),
            retries: 0,
            on_close: OnClose::Hangup,
            fallback: Vec::new(),
        };
        let request = request(&endpoint, 7).unwrap();
        let headers = request.headers();
        assert_eq!(headers[sign::TWILIO_SIGNATURE], sign::twilio_signature(&secret, "wss://example.com/stream/"));
        assert_eq!(headers[sign::SIGNATURE], sign::signature(&secret, "wss://example.com/stream/", 7));
        assert_eq!(headers["x-tenant"], "acme");
        assert!(headers["authorization"].is_sensitive());
        assert!(headers.get("sec-websocket-protocol").is_none() && headers.get("sec-websocket-extensions").is_none());
    }
}
