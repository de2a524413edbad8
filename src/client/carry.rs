//! How does one call go out, and its answer come in?

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{StatusCode, Url};

use super::error;
use super::retry::{self, Outcome};
use super::{CallName, Client, ClientError, RegionKey};
use crate::api::{ApiError, Call, Endpoint, Method, PathParam, UpdateGateway};

/// The longest answer that is read: far above a page of 100 items.
const ANSWER_MAX: usize = 32 << 20;

/// The header that carries the id of a request.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The headers in which the far side may say its own (contract section 2).
const REQUEST_IDS: [&str; 4] = ["x-request-id", "request-id", "x-amzn-requestid", "x-amz-request-id"];
/// The longest id of the far side that is shown.
const REQUEST_ID_MAX: usize = 64;

/// What one attempt brought back.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Client {
    pub(super) async fn carry<E: Endpoint>(&self, call: Call<E>) -> Result<E::Reply, ClientError> {
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
    pub(super) fn authorization(&self, scheme: &str) -> Result<HeaderValue, ClientError> {
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
    pub(super) fn unanswered(&self, call: CallName, why: &reqwest::Error, request: &str) -> ClientError {
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

pub(super) async fn exchange(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
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

/// Percent-encodes everything but the unreserved characters (RFC 3986 section 2.3).
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{DeleteRule, GetNumber, ReleaseNumber};
    use crate::client::Auth;
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
}
