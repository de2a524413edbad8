//! Several keys, one of them revoked; limits; who changed what.

use std::time::Duration;

use serde_json::json;
use strowger::client::mint;
use strowger::server::Limits;
use strowger::store::Store;

use super::support::{Served, credentials, now, refused, told};

const LIST: &str = "/v2/sip/phone-numbers";

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_and_the_others_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.sqlite");
    let served = Served::over(Store::open(&path).unwrap()).await;
    // As `strowger key` does it, beside the running daemon.
    let beside = Store::open(&path).unwrap();
    let other = beside.create_key().unwrap();
    let token = mint(&credentials(&other), now(), Duration::from_secs(60)).unwrap();
    let ask = || told(served.bare("GET", LIST).header("authorization", token.expose()));
    assert_eq!(ask().await.0, 200);
    assert!(beside.revoke_key(&other.id).unwrap());
    assert!(refused(ask().await, 401).contains("Invalid API Key"));
    assert_eq!(served.get(LIST).await.0, 200);
    // A rule may not belong to it any more either.
    served.numbers(&["+15550100001"]).await;
    let body = json!({"name": "n", "type": "inbound", "phoneNumbers": ["+15550100001"], "apiKey": other.id});
    assert!(refused(served.post("/v2/sip/routing-rule", body).await, 400).contains("Invalid API Key"));
}

#[tokio::test]
async fn a_key_has_its_rate_and_learns_when_to_come_back() {
    let served = Served::within(Store::in_memory().unwrap(), Limits { per_second: 1, burst: 2 }).await;
    assert_eq!([served.get(LIST).await.0, served.get(LIST).await.0], [200, 200]);
    let response = served.request("GET", LIST).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "1");
    assert!(response.text().await.unwrap().contains("Too many requests"));
    // Another key is not kept waiting, and nobody's health is counted.
    let other = served.store.create_key().unwrap();
    let token = mint(&credentials(&other), now(), Duration::from_secs(60)).unwrap();
    assert_eq!(told(served.bare("GET", LIST).header("authorization", token.expose())).await.0, 200);
    assert_eq!(served.bare("GET", "/healthz").send().await.unwrap().status(), 200);
    // A wrong token is refused as such, whatever came before.
    refused(told(served.bare("GET", LIST).header("authorization", "a.b.c")).await, 401);
}

#[tokio::test]
async fn every_change_is_told_with_its_caller_and_without_secrets() {
    let served = Served::new().await;
    let body = json!({"name": "n", "phoneNumbers": ["+15550100001"], "inbound": {},
                      "outbound": {"address": "a", "auth": {"username": "u", "password": "hunter2"}}});
    let created = served.post(LIST, body).await.1;
    let gateway = created["data"][0]["outbound"]["id"].as_str().unwrap();
    let path = format!("/v2/sip/phone-numbers/gateways/{gateway}");
    let patch = |password: &str| served.patch(&path, json!({"auth": {"username": "u", "password": password}}));
    assert_eq!(patch("hunter3").await.0, 200);
    assert_eq!(patch("hunter3").await.0, 200);
    let rule = served.rule("inbound", &["+15550100001"]).await;
    assert_eq!(served.delete(&format!("/v2/sip/routing-rule/{rule}")).await.0, 200);
    // What is refused changes nothing, and tells nothing.
    refused(served.patch(&path, json!({"name": ""})).await, 400);
    let entries = served.store.audit().unwrap();
    let told: Vec<String> = entries.iter().map(|entry| format!("{} {}", entry.deed, entry.kind)).collect();
    let expected = [
        "create api_key",
        "create gateway",
        "create gateway",
        "create number",
        "update gateway",
        "update gateway",
        "create rule",
        "delete rule",
    ];
    assert_eq!(told, expected);
    assert_eq!(entries[0].who, "operator");
    assert!(entries[1..].iter().all(|entry| entry.who == served.key.id));
    // The digests tell that the password changed, and then that it did not.
    assert_ne!(entries[4].before, entries[4].after);
    assert_eq!(entries[5].before, entries[5].after);
    assert_eq!((&entries[4].object[..], &entries[4].before), (gateway, &entries[2].after));
    let text = format!("{entries:?}");
    assert!(!text.contains("hunter") && !text.contains(served.key.secret.expose()), "{text}");
}
