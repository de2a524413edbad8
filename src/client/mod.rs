//! How is the contract spoken?
//!
//! [`Client`] carries every endpoint of [`api`](crate::api) over HTTP: it signs in, encodes, waits, tries again
//! where that is safe, and reads whatever comes back. What it cannot do it says as a [`ClientError`].
//!
//! | file | holds |
//! | --- | --- |
//! | `token` | how one signs in |
//! | `retry` | when a call is tried again, and after how long |
//! | `error` | what can go wrong |

mod error;
mod retry;
mod token;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{StatusCode, Url, redirect};

use crate::api::{ApiError, Call, Endpoint, Handle, Method, PathParam};
use retry::{Outcome, Pace};
use token::Tokens;

pub use error::{CallName, ClientError};
pub use token::{Auth, Credentials, mint};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one attempt may take, its answer included; the default of the vendor's SDKs (contract 13.1).
const WHOLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest answer that is read: far above a page of 100 items.
const ANSWER_MAX: usize = 32 << 20;

/// The contract, spoken with one endpoint. A clone shares its connections and its token.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// The base address, without a trailing `/`.
    endpoint: String,
    tokens: Tokens,
    pace: Pace,
}

/// What one attempt brought back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    /// A client of an endpoint such as `https://api.videosdk.live` or `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// When the address is not one of `http` or `https`, or this machine cannot speak TLS.
    pub fn new(endpoint: &str, auth: Auth) -> Result<Self, ClientError> {
        let bad = |why: &str| ClientError::BadEndpoint { endpoint: shown(endpoint), why: why.to_owned() };
        let url = Url::parse(endpoint).map_err(|why| bad(&why.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it begins with neither http:// nor https://"));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| bad("it names no host"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("it holds a user name or password; the API signs in with a token"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("it has a query or fragment; only a host and perhaps a path are possible"));
        }
        let local = host == "localhost"
            || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if url.scheme() == "http" && !local {
            tracing::warn!(endpoint = %url, "tokens and passwords travel in clear to this endpoint");
        }
        // The process has one TLS provider; that somebody installed it before is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(WHOLE_TIMEOUT)
            // A redirect could take the token elsewhere, or turn a POST into a GET.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("strowger/", env!("CARGO_PKG_VERSION")));
        if local {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|why| bad(&error::innermost(&why)))?;
        let endpoint = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { http, endpoint, tokens: Tokens::new(auth), pace: Pace::default() })
    }

    /// Waits from this long on before a call is tried again; twice as long before each further time.
    #[must_use]
    pub fn with_backoff(mut self, base: Duration) -> Self {
        self.pace = Pace { base };
        self
    }

    /// The base address, without a trailing `/`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    async fn carry<E: Endpoint>(&self, call: Call<E>) -> Result<E::Reply, ClientError> {
        let name = CallName::of::<E>();
        let url = self.url::<E>(&call)?;
        let body = match E::HAS_BODY {
            false => None,
            true => Some(
                serde_json::to_vec(&call.body)
                    .map_err(|_| self.unsendable(name, "its body cannot be written as JSON"))?,
            ),
        };
        let mut attempt = 1;
        loop {
            let outcome = self.attempt::<E>(name, url.clone(), &call.query, body.as_deref()).await;
            let Some(wait) = self.pace.again(&outcome, attempt, E::IDEMPOTENT) else {
                return self.read::<E>(name, outcome, body.as_deref());
            };
            tracing::debug!(call = %name, attempt, ?wait, "a call is tried again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// The address of a call, its variable part percent-encoded: `+` is `%2B` (contract section 3.3).
    fn url<E: Endpoint>(&self, call: &Call<E>) -> Result<Url, ClientError> {
        let mut path = E::PATH.to_owned();
        if <E::Path as PathParam>::PRESENT
            && let (Some(start), Some(end)) = (path.rfind('{'), path.rfind('}'))
        {
            let text = call.path.text();
            // Even when encoded, these name another path (WHATWG URL, double-dot segment).
            if matches!(text, "" | "." | "..") {
                return Err(self.unsendable(CallName::of::<E>(), "its id is empty or only dots"));
            }
            path.replace_range(start..=end, &encoded(text));
        }
        Url::parse(&format!("{}{path}", self.endpoint))
            .map_err(|why| ClientError::BadEndpoint { endpoint: self.endpoint.clone(), why: why.to_string() })
    }

    async fn attempt<E: Endpoint>(&self, name: CallName, url: Url, query: &E::Query, body: Option<&[u8]>) -> Outcome {
        let token = match self.tokens.current(unix_now()) {
            Ok(token) => token,
            Err(why) => return Outcome::Failed(why),
        };
        // Bare, without `Bearer` (contract section 1.1).
        let Ok(mut authorization) = HeaderValue::from_str(token.expose()) else {
            return Outcome::Failed(ClientError::BadToken { why: "it has characters that no header may have".into() });
        };
        authorization.set_sensitive(true);
        let method = match E::METHOD {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = self
            .http
            .request(method, url)
            .query(query)
            .header(AUTHORIZATION, authorization)
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body.to_vec());
        }
        match exchange(request).await {
            Ok(answer) => Outcome::Answered { status: answer.status, headers: answer.headers, body: answer.body },
            Err(why) if why.is_connect() => Outcome::NotSent(ClientError::Unreachable {
                call: name,
                endpoint: self.endpoint.clone(),
                why: error::innermost(&why),
            }),
            Err(why) if why.is_builder() => Outcome::Failed(self.unsendable(name, &error::innermost(&why))),
            Err(why) if why.is_timeout() => {
                Outcome::Lost(ClientError::TimedOut { call: name, endpoint: self.endpoint.clone() })
            }
            Err(why) => Outcome::Lost(ClientError::Lost {
                call: name,
                endpoint: self.endpoint.clone(),
                why: error::innermost(&why),
            }),
        }
    }

    /// Reads the last outcome of a call with this body.
    fn read<E: Endpoint>(
        &self,
        name: CallName,
        outcome: Outcome,
        sent: Option<&[u8]>,
    ) -> Result<E::Reply, ClientError> {
        let (status, body) = match outcome {
            Outcome::NotSent(why) | Outcome::Lost(why) | Outcome::Failed(why) => return Err(why),
            Outcome::Answered { status, body, .. } => (status, body),
        };
        if !status.is_success() {
            return Err(ClientError::Refused {
                call: name,
                endpoint: self.endpoint.clone(),
                refusal: error::tidy(ApiError::read(status.as_u16(), &body), sent),
            });
        }
        // Some answers of success are empty; every reply that is only a message reads from `{}`.
        let text: &[u8] = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { &body };
        serde_json::from_slice(text).map_err(|why| ClientError::Garbage {
            call: name,
            endpoint: self.endpoint.clone(),
            status: status.as_u16(),
            why: error::place(&why),
            shape: error::shape(&body),
        })
    }

    fn unsendable(&self, call: CallName, why: &str) -> ClientError {
        ClientError::Unsendable { call, endpoint: self.endpoint.clone(), why: why.to_owned() }
    }
}

impl<E: Endpoint> Handle<E> for Client {
    type Error = ClientError;

    async fn handle(&self, call: Call<E>) -> Result<E::Reply, ClientError> {
        self.carry(call).await
    }
}

async fn exchange(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let mut response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_MAX {
            // What is left out makes it unreadable, which is then said.
            body.truncate(ANSWER_MAX);
            break;
        }
    }
    Ok(Answer { status, headers, body })
}

/// Percent-encodes everything but the unreserved characters (RFC 3986 section 2.3).
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// An address as it may be shown: without what stands before an `@`, which may be a password.
fn shown(endpoint: &str) -> String {
    match endpoint.rsplit_once('@') {
        None => endpoint.to_owned(),
        Some((_, host)) => format!("****@{host}"),
    }
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{DeleteRule, GetNumber, ReleaseNumber};
    use crate::model::Secret;

    fn client(endpoint: &str) -> Result<Client, ClientError> {
        Client::new(endpoint, Auth::Token(Secret::new("t")))
    }

    #[test]
    fn the_variable_part_is_encoded() {
        let client = client("http://127.0.0.1:1/base/").unwrap();
        let url = client.url::<GetNumber>(&Call::of("+15550100001")).unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:1/base/v2/sip/phone-numbers/%2B15550100001");
        let url = client.url::<ReleaseNumber>(&Call::of("a/b?c")).unwrap();
        assert!(url.as_str().ends_with("/v2/sip/phone-numbers/a%2Fb%3Fc/release"));
        for id in ["", ".", ".."] {
            assert!(client.url::<DeleteRule>(&Call::of(id)).is_err());
        }
    }

    #[test]
    fn an_endpoint_is_an_http_address_without_a_password() {
        for bad in
            ["", "api.example", "ftp://a", "http://", "https://u:hunter2@host", "http://h/?a=1", "http://u:hunter2@ h"]
        {
            let why = client(bad).unwrap_err();
            assert!(matches!(why, ClientError::BadEndpoint { .. }));
            assert!(!why.to_string().contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn a_client_does_not_print_its_secret() {
        let auth = Auth::Credentials(Credentials { api_key: "ak_seen".into(), secret: Secret::new("hunter2") });
        let client = Client::new("http://localhost", auth).unwrap();
        client.tokens.current(1_000).unwrap();
        let text = format!("{client:?}");
        assert!(!text.contains("hunter2") && !text.contains("ak_seen") && !text.contains("eyJ"), "{text}");
    }
}
