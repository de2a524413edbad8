//! A served store, and ways to ask it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use strowger::client::{Auth, Client, Credentials, mint};
use strowger::daemon::Service;
use strowger::server;
use strowger::store::{ApiKey, Store};
use strowger::switch::{Switch, SwitchConfig};

/// A server on its own port, until the runtime of its test ends.
pub struct Served {
    pub store: Store,
    pub switch: Switch,
    pub key: ApiKey,
    pub base: String,
    http: reqwest::Client,
    token: String,
}

impl Served {
    pub async fn new() -> Self {
        Self::over(Store::in_memory().unwrap()).await
    }

    pub async fn over(store: Store) -> Self {
        Self::within(store, server::Limits::default()).await
    }

    pub async fn within(store: Store, limits: server::Limits) -> Self {
        let key = match store.first_key().unwrap() {
            Some(key) => key,
            None => store.create_key().unwrap(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        // No call comes in, so no port is opened.
        let switch = Switch::new(SwitchConfig {
            advertised: None,
            ports: 10_000..=20_000,
            hiding: strowger::model::HidingKey::new(strowger::model::Secret::new("test")),
        })
        .unwrap();
        let router = server::limited(Service::new(store.clone(), switch.clone()), limits);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let token = mint(&credentials(&key), now(), Duration::from_secs(600)).unwrap().expose().to_owned();
        Self { store, switch, key, base, http: raw(), token }
    }

    /// The client of this program, signed in.
    pub fn client(&self) -> Client {
        Client::new(&self.base, Auth::Credentials(credentials(&self.key)))
            .unwrap()
            .with_backoff(Duration::from_millis(1))
    }

    /// A request by hand, signed in.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.bare(method, path).header("authorization", &self.token)
    }

    /// A request by hand, without a token.
    pub fn bare(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method.parse().unwrap(), format!("{}{path}", self.base))
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        told(self.request("GET", path)).await
    }

    pub async fn delete(&self, path: &str) -> (u16, Value) {
        told(self.request("DELETE", path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        told(self.request("POST", path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        told(self.request("PATCH", path).json(&body)).await
    }

    /// Creates numbers on one pair of gateways, and answers the ids of the inbound and the outbound one.
    pub async fn numbers(&self, numbers: &[&str]) -> (String, String) {
        let (status, reply) = self.post("/v2/sip/phone-numbers", new_numbers(numbers)).await;
        assert_eq!(status, 201, "{reply}");
        (text(&reply["data"][0]["inbound"]["id"]), text(&reply["data"][0]["outbound"]["id"]))
    }

    /// Creates a rule, and answers its id.
    pub async fn rule(&self, direction: &str, numbers: &[&str]) -> String {
        let body = json!({"name": format!("{direction} rule"), "type": direction, "phoneNumbers": numbers});
        let (status, reply) = self.post("/v2/sip/routing-rule", body).await;
        assert_eq!(status, 201, "{reply}");
        text(&reply["id"])
    }
}

pub fn credentials(key: &ApiKey) -> Credentials {
    Credentials { api_key: key.id.clone(), secret: key.secret.clone() }
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A plain HTTP client that goes straight to the address.
pub fn raw() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

pub fn new_numbers(numbers: &[&str]) -> Value {
    json!({"name": "main", "phoneNumbers": numbers, "inbound": {}, "outbound": {"address": "sip.example.com"}})
}

/// The status and the JSON of a response.
pub async fn told(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.text().await.unwrap();
    (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("{status} {body:?} is no JSON")))
}

/// Asserts a refusal, and answers its message.
pub fn refused(reply: (u16, Value), status: u16) -> String {
    assert_eq!(reply.0, status, "{}", reply.1);
    assert_eq!(reply.1["statusCode"], status);
    text(&reply.1["message"])
}
