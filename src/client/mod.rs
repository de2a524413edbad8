//! How is the contract spoken?
//!
//! [`Client`] carries every endpoint of [`api`](crate::api) over HTTP: it signs in, encodes, waits, tries again
//! where that is safe, and reads whatever comes back. What it cannot do it says as a [`ClientError`].
//!
//! | file | holds |
//! | --- | --- |
//! | `token` | how one signs in |
//! | `carry` | how one call goes out and its answer comes in |
//! | `bucket` | how fast all clones together may call |
//! | `retry` | when a call is tried again, and after how long |
//! | `error` | what can go wrong |
//! | `probe` | how one looks at an answer as it came |
//!
//! A proxy is taken from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, as reqwest reads them; calls to
//! this machine go straight.

mod bucket;
mod carry;
mod error;
mod probe;
mod retry;
mod token;

use std::time::Duration;

use reqwest::{Url, redirect};

use crate::api::{Call, Endpoint, Handle};
use bucket::Bucket;
use retry::Pace;
use token::Tokens;

pub use error::{CallName, ClientError};
pub use probe::Seen;
pub use token::{Auth, Credentials, TokenFacts, mint};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one attempt may take, its answer included; the default of the vendor's SDKs (contract 13.1).
const WHOLE_TIMEOUT: Duration = Duration::from_secs(30);
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
        let http = builder.build().map_err(|why| match certificates.is_empty() {
            true => bad(&error::innermost(&why)),
            // They are read only here.
            false => ClientError::BadCertificates { why: error::innermost(&why) },
        })?;
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
}

impl<E: Endpoint> Handle<E> for Client {
    type Error = ClientError;

    async fn handle(&self, call: Call<E>) -> Result<E::Reply, ClientError> {
        self.carry(call).await
    }
}

/// The certificates in a text of PEM.
fn read_certificates(text: &[u8]) -> Result<Vec<reqwest::Certificate>, ClientError> {
    let bad = |why: String| ClientError::BadCertificates { why };
    let found = reqwest::Certificate::from_pem_bundle(text).map_err(|why| bad(error::innermost(&why)))?;
    if found.is_empty() { Err(bad("there is none in the text".to_owned())) } else { Ok(found) }
}

/// An address as it may be shown: without what stands before an `@`, which may be a password.
fn shown(endpoint: &str) -> String {
    match endpoint.rsplit_once('@') {
        None => endpoint.to_owned(),
        Some((_, host)) => format!("****@{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;

    fn client(endpoint: &str) -> Result<Client, ClientError> {
        Client::new(endpoint, Auth::Token(Secret::new("t")))
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
