//! How does a bot hang up?
//!
//! The stream has no word for it, so bots written for Twilio end a call by its REST API. This is that one resource:
//! `GET` and `POST /2010-04-01/Accounts/{sid}/Calls/{sid}.json`, under HTTP Basic authentication.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use crate::agent::sign::hex_hmac;
use crate::call::Status;
use crate::model::Secret;
use crate::store::{ApiKey, Store};
use crate::switch::{CallSnapshot, Switch};

/// Hex digits of an id or token, as bots check it.
const DIGITS: usize = 32;

/// Longest body that is read; `Status=completed` is all that is understood.
const BODY_MAX: usize = 4 << 10;

/// The account and token by which bots end calls.
///
/// Both are made of an API key by HMAC-SHA256 under its secret: they stay the same as long as the key does, need no
/// storage, and give a bot nothing but the calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `AC` and 32 hex digits. Agents are told it.
    pub sid: String,
    /// The password that goes with it.
    pub token: Secret,
}

impl Account {
    /// The account of an API key.
    pub fn of(key: &ApiKey) -> Self {
        let derive = |purpose: &str| {
            let mut hex = hex_hmac(&key.secret, &format!("{purpose}:{}", key.id));
            hex.truncate(DIGITS);
            hex
        };
        Self { sid: format!("AC{}", derive("account")), token: Secret::new(derive("calls")) }
    }
}

#[derive(Clone)]
struct Calls {
    switch: Switch,
    store: Store,
}

pub(super) fn router(switch: Switch, store: Store) -> Router {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Calls/{call}", get(show).post(change))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(Calls { switch, store })
}

async fn show(
    State(calls): State<Calls>,
    Path((account, call)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match calls.admit(&account, &headers).await {
        Err(refusal) => refusal,
        Ok(account) => match calls.live(&call) {
            Some(live) => describe(&account, &call, &live),
            None => missing(&call),
        },
    }
}

async fn change(
    State(calls): State<Calls>,
    Path((account, call)): Path<(String, String)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let account = match calls.admit(&account, &headers).await {
        Err(refusal) => return refusal,
        Ok(account) => account,
    };
    let status = body.split('&').find_map(|pair| pair.strip_prefix("Status="));
    // `canceled` ends what is not answered yet; to us it is the same.
    if !matches!(status, Some("completed" | "canceled")) {
        let message = "Only Status=completed is understood here";
        return (StatusCode::BAD_REQUEST, Json(json!({"code": 20001, "message": message, "status": 400})))
            .into_response();
    }
    let Some(live) = calls.live(&call) else { return missing(&call) };
    match calls.switch.end_call(&live.id).await {
        Some(ended) => describe(&account, &call, &ended),
        None => missing(&call),
    }
}

fn sid(call: &str) -> &str {
    call.strip_suffix(".json").unwrap_or(call)
}

fn describe(account: &str, name: &str, call: &CallSnapshot) -> Response {
    let status = match call.end {
        Some(_) => "completed",
        None if call.timelog.iter().any(|(status, _)| *status == Status::Answered) => "in-progress",
        None => "ringing",
    };
    Json(json!({
        "sid": sid(name), "account_sid": account, "status": status, "from": call.shown_from, "to": call.to,
        "direction": "inbound",
    }))
    .into_response()
}

/// As bots know it: this code says that the call is over already.
fn missing(call: &str) -> Response {
    let message = format!("There is no call {} in progress", sid(call));
    (StatusCode::NOT_FOUND, Json(json!({"code": 20404, "message": message, "status": 404}))).into_response()
}

impl Calls {
    /// A call that lasts.
    fn live(&self, call: &str) -> Option<Arc<CallSnapshot>> {
        self.switch.call_of_agent(sid(call)).filter(|call| call.end.is_none())
    }

    /// The account, if it is ours and the password is right.
    async fn admit(&self, sid: &str, headers: &HeaderMap) -> Result<String, Response> {
        let refused = || {
            let body = json!({"code": 20003, "message": "The account or its token is wrong", "status": 401});
            let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"strowger\"")];
            (StatusCode::UNAUTHORIZED, challenge, Json(body)).into_response()
        };
        let given = headers.get(header::AUTHORIZATION).and_then(|value| basic(value.to_str().ok()?));
        let (user, password) = given.ok_or_else(refused)?;
        let store = self.store.clone();
        let key = tokio::task::spawn_blocking(move || store.first_key()).await;
        let account = match key {
            Ok(Ok(Some(key))) => Account::of(&key),
            _ => return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        };
        // The comparison of secrets takes the same time whatever differs.
        match user == account.sid && sid == account.sid && password == account.token {
            true => Ok(account.sid),
            false => Err(refused()),
        }
    }
}

/// User and password of a Basic authorization (RFC 7617 section 2).
fn basic(header: &str) -> Option<(String, Secret)> {
    let (scheme, rest) = header.split_once(' ')?;
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| BASE64.decode(rest.trim()).ok())??;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), Secret::new(password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_the_form_that_bots_check_and_belongs_to_its_key() {
        let key = |id: &str, secret: &str| ApiKey { id: id.into(), secret: Secret::new(secret) };
        let account = Account::of(&key("ak_1", "s"));
        assert!(account.sid.len() == 34 && account.sid.starts_with("AC"));
        assert_eq!(account.token.expose().len(), 32);
        assert_eq!(account, Account::of(&key("ak_1", "s")));
        assert_ne!(account, Account::of(&key("ak_1", "t")));
        assert_ne!(&account.sid[2..], account.token.expose());
    }

    #[test]
    fn a_basic_authorization_is_read() {
        assert_eq!(basic("Basic QUMxOmE6Yg=="), Some(("AC1".into(), Secret::new("a:b"))));
        assert!(basic("Bearer x").is_none() && basic("Basic !").is_none());
    }
}
