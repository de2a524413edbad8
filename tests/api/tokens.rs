//! Whose token is accepted.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use strowger::api::{Call, Handle, ListNumbers, NumbersQuery};
use strowger::client::{Auth, Client, Credentials, mint};
use strowger::model::Secret;

use super::support::{Served, credentials, now, refused, told};

const PATH: &str = "/v2/sip/phone-numbers";

/// A token with these claims over the usual ones; `null` takes one away.
fn token(served: &Served, claims: Value) -> String {
    signed(served, claims, Algorithm::HS256, served.key.secret.expose())
}

fn signed(served: &Served, claims: Value, algorithm: Algorithm, secret: &str) -> String {
    let mut all = json!({"apikey": served.key.id, "iat": now(), "exp": now() + 600});
    for (key, value) in claims.as_object().unwrap() {
        match value {
            Value::Null => drop(all.as_object_mut().unwrap().remove(key)),
            value => all[key] = value.clone(),
        }
    }
    encode(&Header::new(algorithm), &all, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

async fn with(served: &Served, header: &str) -> (u16, Value) {
    told(served.bare("GET", PATH).header("authorization", header)).await
}

#[tokio::test]
async fn a_token_is_accepted_bare_and_with_its_scheme() {
    let served = Served::new().await;
    let token = token(&served, json!({}));
    for header in [token.clone(), format!("Bearer {token}"), format!("bearer {token}"), format!("BEARER  {token}")] {
        assert_eq!(with(&served, &header).await.0, 200);
    }
    let minted = mint(&credentials(&served.key), now(), Duration::from_secs(60)).unwrap();
    assert_eq!(with(&served, minted.expose()).await.0, 200);
}

#[tokio::test]
async fn each_refusal_says_its_reason_and_nothing_of_the_token() {
    let served = Served::new().await;
    let old = now() - 120;
    let unsigned = {
        let token = token(&served, json!({}));
        let claims = token.split('.').nth(1).unwrap().to_owned();
        // {"alg":"none","typ":"JWT"}
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.")
    };
    let secret = served.key.secret.expose().to_owned();
    for (token, word) in [
        ("".to_owned(), "empty"),
        ("Bearer ".to_owned(), "empty"),
        ("Basic dTpw".to_owned(), "JWT"),
        ("a.b.c".to_owned(), "JWT"),
        (unsigned, "HS256"),
        (signed(&served, json!({}), Algorithm::HS512, &secret), "HS256"),
        (signed(&served, json!({}), Algorithm::HS384, &secret), "HS256"),
        (signed(&served, json!({}), Algorithm::HS256, "another secret"), "signature"),
        (signed(&served, json!({}), Algorithm::HS256, ""), "signature"),
        (token(&served, json!({"exp": old})), "expired"),
        (token(&served, json!({"exp": null})), "exp"),
        (token(&served, json!({"exp": "tomorrow"})), "exp"),
        (token(&served, json!({"nbf": "tomorrow"})), "time claim"),
        (token(&served, json!({"nbf": now() + 600})), "not valid yet"),
        (token(&served, json!({"iat": now() + 600})), "future"),
        (token(&served, json!({"apikey": null})), "apikey"),
        (token(&served, json!({"apikey": "ak_other"})), "Invalid API Key"),
        (token(&served, json!({"apikey": 7})), "claims"),
    ] {
        let message = refused(with(&served, &token).await, 401);
        assert!(message.contains(word), "{word}: {message}");
        assert!(token.len() < 20 || !message.contains(&token[..20]), "{message}");
        assert!(!message.contains("ak_"), "{message}");
    }
}

#[tokio::test]
async fn clocks_may_differ_a_little_and_roles_must_manage() {
    let served = Served::new().await;
    for claims in [
        json!({"exp": now() - 20}),
        json!({"iat": now() + 20}),
        json!({"nbf": now() + 20}),
        json!({"iat": null}),
        json!({"roles": ["crawler"]}),
        json!({"roles": ["rtc", "CRAWLER"]}),
        json!({"aud": "somebody", "version": 2}),
    ] {
        assert_eq!(with(&served, &token(&served, claims.clone())).await.0, 200, "{claims}");
    }
    for roles in [json!(["rtc"]), json!(["RTCPEER"])] {
        let message = refused(with(&served, &token(&served, json!({"roles": roles}))).await, 403);
        assert!(message.contains("crawler"), "{message}");
    }
}

#[tokio::test]
async fn the_client_says_what_to_check() {
    let served = Served::new().await;
    let list = || Call::<ListNumbers>::with_query(NumbersQuery::default());
    let ready = Auth::Token(Secret::new(token(&served, json!({}))));
    Client::new(&served.base, ready).unwrap().handle(list()).await.unwrap();
    let wrong = Credentials { api_key: served.key.id.clone(), secret: Secret::new("hunter2") };
    let client = Client::new(&served.base, Auth::Credentials(wrong)).unwrap();
    let why = client.handle(list()).await.unwrap_err().to_string();
    assert!(why.contains("401") && why.contains("signature") && why.contains("check the API key"), "{why}");
    assert!(!why.contains("hunter2") && !why.contains(&served.key.id), "{why}");
    let client = Client::new(&served.base, Auth::Token(Secret::new("line\nend"))).unwrap();
    let why = client.handle(list()).await.unwrap_err().to_string();
    assert!(why.contains("no token") && !why.contains("line"), "{why}");
}
