//! How is the contract spoken?
//!
//! [`Client`] carries every endpoint of [`api`](crate::api) over HTTP: it signs in, encodes, waits, tries again
//! where that is safe, and reads whatever comes back. What it cannot do it says as a [`ClientError`].
//!
//! | file | holds |
//! | --- | --- |
//! | `token` | how one signs in |
//! | `bucket` | how fast all clones together may call |
//! | `retry` | when a call is tried again, and after how long |
//! | `error` | what can go wrong |
//! | `probe` | how one looks at an answer as it came |
//!
//! A proxy is taken from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, as reqwest reads them; calls to
//! this machine go straight.

mod bucket;
mod error;
mod probe;
mod retry;
mod token;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{StatusCode, Url, redirect};

use crate::api::{ApiError, Call, Endpoint, Handle, Method, PathParam, UpdateGateway};
use bucket::Bucket;
use retry::{Outcome, Pace};
use token::Tokens;

pub use error::{CallName, ClientError};
pub use probe::Seen;
pub use token::{Auth, Credentials, TokenFacts, mint};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one attempt may take, its answer included; the default of the vendor's SDKs (contract 13.1).
const WHOLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest answer that is read: far above a page of 100 items.
const ANSWER_MAX: usize = 32 << 20;

/// The header that carries the id of a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The headers in which the far side may say its own (contract section 2).
const REQUEST_IDS: [&str; 4] = ["x-request-id", "request-id", "x-amzn-requestid", "x-amz-request-id"];
/// The longest id of the far side that is shown.
const REQUEST_ID_MAX: usize = 64;

/// The contract, spoken with one endpoint. A clone shares its connections, its token and its pace.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// The base address, without a trailing `/`.
    endpoint: String,
    tokens: Tokens,
    pace: Pace,
    bucket: Bucket,
    timeout: Duration,
    region_key: RegionKey,
}

/// How an update of a gateway spells the region, on which the vendor's pages disagree (contract section 14).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RegionKey {
    /// `sipRegion`, as the vendor's SDKs write it.
    #[default]
    SipRegion,
    /// `geoRegion`, as its guide writes it.
    GeoRegion,
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
        Self::trusting(endpoint, auth, &[])
    }

    /// A client that trusts these certificates too, given as PEM, beside those that the system trusts.
    ///
    /// # Errors
    /// As [`new`](Self::new), and when there is no certificate in the text.
    pub fn trusting(endpoint: &str, auth: Auth, certificates: &[u8]) -> Result<Self, ClientError> {
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
            // A redirect could take the token elsewhere, or turn a POST into a GET.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("strowger/", env!("CARGO_PKG_VERSION")));
        if local {
            builder = builder.no_proxy();
        }
        if !certificates.is_empty() {
            builder = builder.tls_certs_merge(read_certificates(certificates)?);
        }
        let http = builder.build().map_err(|why| bad(&error::innermost(&why)))?;
        Ok(Self {
            http,
            endpoint: url.as_str().trim_end_matches('/').to_owned(),
            tokens: Tokens::new(auth),
            pace: Pace::default(),
            bucket: Bucket::default(),
            timeout: WHOLE_TIMEOUT,
            region_key: RegionKey::default(),
        })
    }

    /// Waits from this long on before a call is tried again; twice as long before each further time.
    #[must_use]
    pub fn with_backoff(mut self, base: Duration) -> Self {
        self.pace = Pace { base };
        self
    }

    /// Waits so long for an answer, in each attempt.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Spells the region of a gateway so.
    #[must_use]
    pub fn with_region_key(mut self, key: RegionKey) -> Self {
        self.region_key = key;
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
                self.body::<E>(&call.body).map_err(|_| self.unsendable(name, "its body cannot be written as JSON"))?,
            ),
        };
        // One id for all attempts: whoever reads the far side's log sees that they are one call.
        let request = uuid::Uuid::new_v4().to_string();
        let mut attempt = 1;
        loop {
            let (ticket, wait) = self.bucket.take(Instant::now());
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            let outcome = self.attempt::<E>(name, url.clone(), &call.query, body.as_deref(), &request).await;
            match &outcome {
                Outcome::Answered { status: StatusCode::TOO_MANY_REQUESTS, headers, .. } => {
                    let asked = retry::asked(headers, SystemTime::now());
                    self.bucket.refused(ticket, Instant::now(), asked, self.pace.base);
                }
                Outcome::Answered { .. } => self.bucket.answered(),
                _ => {}
            }
            let Some(wait) = self.pace.again(&outcome, attempt, E::IDEMPOTENT) else {
                return self.read::<E>(name, outcome, body.as_deref(), &request);
            };
            tracing::debug!(call = %name, attempt, ?wait, request, "a call is tried again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// The body of a call, the region of a gateway in the spelling that was chosen.
    fn body<E: Endpoint>(&self, body: &E::Body) -> Result<Vec<u8>, serde_json::Error> {
        if self.region_key == RegionKey::SipRegion || E::PATH != UpdateGateway::PATH {
            return serde_json::to_vec(body);
        }
        let mut body = serde_json::to_value(body)?;
        if let Some(fields) = body.as_object_mut()
            && let Some(region) = fields.remove("sipRegion")
        {
            fields.insert("geoRegion".to_owned(), region);
        }
        serde_json::to_vec(&body)
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

    /// The header that signs a request: the token bare, without `Bearer` (contract section 1.1).
    fn authorization(&self, scheme: &str) -> Result<HeaderValue, ClientError> {
        let token = self.tokens.current(unix_now())?;
        let mut header = HeaderValue::from_str(&format!("{scheme}{}", token.expose()))
            .map_err(|_| ClientError::BadToken { why: "it has characters that no header may have".into() })?;
        header.set_sensitive(true);
        Ok(header)
    }

    async fn attempt<E: Endpoint>(
        &self,
        name: CallName,
        url: Url,
        query: &E::Query,
        body: Option<&[u8]>,
        request_id: &str,
    ) -> Outcome {
        let authorization = match self.authorization("") {
            Ok(header) => header,
            Err(why) => return Outcome::Failed(why),
        };
        let method = match E::METHOD {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = self
            .http
            .request(method, url)
            .timeout(self.timeout)
            .query(query)
            .header(AUTHORIZATION, authorization)
            .header(REQUEST_ID, request_id)
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body.to_vec());
        }
        match exchange(request).await {
            Ok(answer) => Outcome::Answered { status: answer.status, headers: answer.headers, body: answer.body },
            Err(why) if why.is_builder() => Outcome::Failed(self.unsendable(name, &error::innermost(&why))),
            Err(why) => match self.unanswered(name, &why, request_id) {
                why @ ClientError::Unreachable { .. } => Outcome::NotSent(why),
                why => Outcome::Lost(why),
            },
        }
    }

    /// What it means that no answer came.
    fn unanswered(&self, call: CallName, why: &reqwest::Error, request: &str) -> ClientError {
        let (endpoint, request) = (self.endpoint.clone(), request.into());
        if why.is_connect() {
            ClientError::Unreachable { call, endpoint, why: error::innermost(why) }
        } else if why.is_timeout() {
            ClientError::TimedOut { call, endpoint, request }
        } else {
            ClientError::Lost { call, endpoint, request, why: error::innermost(why) }
        }
    }

    /// Reads the last outcome of a call with this body.
    fn read<E: Endpoint>(
        &self,
        name: CallName,
        outcome: Outcome,
        sent: Option<&[u8]>,
        request: &str,
    ) -> Result<E::Reply, ClientError> {
        let (status, headers, body) = match outcome {
            Outcome::NotSent(why) | Outcome::Lost(why) | Outcome::Failed(why) => return Err(why),
            Outcome::Answered { status, headers, body } => (status, headers, body),
        };
        let request = their_id(&headers).unwrap_or(request);
        if !status.is_success() {
            return Err(ClientError::Refused {
                call: name,
                endpoint: self.endpoint.clone(),
                request: request.into(),
                refusal: error::tidy(ApiError::read(status.as_u16(), &body), sent),
            });
        }
        // Some answers of success are empty; every reply that is only a message reads from `{}`.
        let text: &[u8] = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { &body };
        serde_json::from_slice(text).map_err(|why| ClientError::Garbage {
            call: name,
            endpoint: self.endpoint.clone(),
            request: request.into(),
            status: status.as_u16(),
            why: error::place(&why),
            shape: error::shape(&body).into(),
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

/// The id by which the far side knows a request, if it says one that is fit to be shown.
fn their_id(headers: &HeaderMap) -> Option<&str> {
    let ids = REQUEST_IDS.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    ids.map(str::trim).find(|id| (1..=REQUEST_ID_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()))
}

/// The certificates in a text of PEM.
fn read_certificates(text: &[u8]) -> Result<Vec<reqwest::Certificate>, ClientError> {
    let bad = |why: String| ClientError::BadCertificates { why };
    let found = reqwest::Certificate::from_pem_bundle(text).map_err(|why| bad(error::innermost(&why)))?;
    if found.is_empty() { Err(bad("there is none in the text".to_owned())) } else { Ok(found) }
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
    fn the_region_of_a_gateway_has_two_spellings() {
        let client = client("http://localhost").unwrap();
        let patch = crate::api::GatewayPatch { sip_region: Some("in002".into()), ..Default::default() };
        let text = |client: &Client| String::from_utf8(client.body::<UpdateGateway>(&patch).unwrap()).unwrap();
        assert_eq!(text(&client), r#"{"sipRegion":"in002"}"#);
        assert_eq!(text(&client.with_region_key(RegionKey::GeoRegion)), r#"{"geoRegion":"in002"}"#);
    }

    #[test]
    fn an_id_of_the_far_side_is_shown_where_it_is_fit() {
        let id = |name: &'static str, id: &str| {
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), id.parse().unwrap())]);
            their_id(&headers).map(str::to_owned)
        };
        assert_eq!(id("x-amzn-requestid", "a-1"), Some("a-1".to_owned()));
        assert_eq!(id("x-request-id", " "), None);
        assert_eq!(id("x-request-id", "see http://evil.example now"), None);
        assert_eq!(id("request-id", &"a".repeat(REQUEST_ID_MAX + 1)), None);
    }

    #[test]
    fn certificates_that_are_none_are_refused() {
        for text in ["hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let auth = Auth::Token(Secret::new("t"));
            let why = Client::trusting("https://localhost", auth, text.as_bytes()).unwrap_err();
            assert!(why.to_string().contains("certificates"), "{why}");
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
