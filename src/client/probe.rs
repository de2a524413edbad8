//! How does one look at an answer as it came?

use std::time::{Duration, Instant, SystemTime};

use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, DATE, HeaderValue, SERVER};
use serde_json::Value;

use super::carry::{REQUEST_ID, exchange, unix_now};
use super::{CallName, Client, ClientError, TokenFacts, retry};

/// An answer as it came, for somebody who wants to know what the far side is like.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The status.
    pub status: u16,
    /// The body, if it is JSON.
    pub body: Option<Value>,
    /// What time it is over there.
    pub date: Option<SystemTime>,
    /// What the far side calls itself.
    pub server: Option<String>,
    /// How long it took.
    pub took: Duration,
}

impl Client {
    /// Reads once, at a path with its query such as `/v2/sip/phone-numbers?page=1`, whatever the status. Nothing is
    /// tried again, and nothing is changed.
    ///
    /// `scheme` is the word before the token; the contract has none.
    ///
    /// # Errors
    /// When there is no token, or no answer.
    pub async fn probe(&self, path: &str, scheme: &str) -> Result<Seen, ClientError> {
        let name = CallName { method: "GET", path: "a probe" };
        let url = Url::parse(&format!("{}{path}", self.endpoint))
            .map_err(|why| ClientError::BadEndpoint { endpoint: self.endpoint.clone(), why: why.to_string() })?;
        let request_id = uuid::Uuid::new_v4().to_string();
        let request = self
            .http
            .get(url)
            .timeout(self.timeout)
            .header(AUTHORIZATION, self.authorization(scheme)?)
            .header(REQUEST_ID, &request_id)
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        let start = Instant::now();
        let answer = exchange(request).await.map_err(|why| self.unanswered(name, &why, &request_id))?;
        let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
        Ok(Seen {
            status: answer.status.as_u16(),
            body: serde_json::from_slice(&answer.body).ok(),
            date: header(DATE).and_then(retry::date),
            server: header(SERVER).map(str::to_owned),
            took: start.elapsed(),
        })
    }

    /// What the token says that is sent now.
    ///
    /// # Errors
    /// When there is no token, or it cannot be read.
    pub fn token_facts(&self) -> Result<TokenFacts, ClientError> {
        TokenFacts::read(&self.tokens.current(unix_now())?)
    }
}
