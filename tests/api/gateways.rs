//! Gateways: changed through their numbers, deleted under their older paths.

use serde_json::{Value, json};

use super::support::{Served, new_numbers, refused};

const A: &str = "+15550100001";
const B: &str = "+15550100002";

fn path(id: &str) -> String {
    format!("/v2/sip/phone-numbers/gateways/{id}")
}

async fn outbound(served: &Served) -> Value {
    served.get(&format!("/v2/sip/phone-numbers/{A}")).await.1["outbound"].clone()
}

#[tokio::test]
async fn an_outbound_gateway_changes_for_all_its_numbers() {
    let served = Served::new().await;
    let (_, id) = served.numbers(&[A, B]).await;
    let body = json!({"name": "new", "mediaEncryption": "enable", "geoRegion": "in002", "address": "192.0.2.7:5070",
                      "transport": "tcp", "auth": {"username": "u", "password": "p"}, "unknown": 1});
    let (status, reply) = served.patch(&path(&id), body).await;
    assert_eq!((status, reply), (200, json!({"message": "Gateway updated"})));
    for number in [A, B] {
        let gateway = served.get(&format!("/v2/sip/phone-numbers/{number}")).await.1["outbound"].clone();
        assert_eq!(
            gateway,
            json!({"id": id, "name": "new", "address": "192.0.2.7:5070", "numbers": [A, B], "mediaEncryption": "enable",
                   "transport": "tcp", "auth": {"username": "u", "password": "****"}, "geoRegion": "in002"})
        );
    }
    // What is absent stays.
    assert_eq!(served.patch(&path(&id), json!({"name": "newer"})).await.0, 200);
    let gateway = outbound(&served).await;
    assert_eq!(
        json!([gateway["name"], gateway["transport"], gateway["auth"]["username"]]),
        json!(["newer", "tcp", "u"])
    );
    assert_eq!(served.patch(&path(&id), json!({"auth": null})).await.0, 200);
    assert_eq!(outbound(&served).await["auth"], Value::Null);
    assert_eq!(served.patch(&path(&id), json!({})).await.0, 200);
}

#[tokio::test]
async fn an_inbound_gateway_has_fewer_fields() {
    let served = Served::new().await;
    let (id, _) = served.numbers(&[A]).await;
    let body = json!({"name": "in", "mediaEncryption": "enable", "sipRegion": "us002", "geoRegion": "us002"});
    assert_eq!(served.patch(&path(&id), body).await.0, 200);
    let gateway = served.get(&format!("/v2/sip/phone-numbers/{A}")).await.1["inbound"].clone();
    assert_eq!(json!([gateway["name"], gateway["geoRegion"]]), json!(["in", "us002"]));
    for (key, value) in [
        ("address", json!("sip.example.com")),
        ("transport", json!("udp")),
        ("auth", json!({"username": "u", "password": "p"})),
        ("auth", json!(null)),
    ] {
        let message = refused(served.patch(&path(&id), json!({key: value})).await, 400);
        assert!(message.contains(key) && message.contains("outbound"), "{message}");
    }
}

#[tokio::test]
async fn what_is_not_legal_is_refused_and_nothing_changes() {
    let served = Served::new().await;
    let (inbound, id) = served.numbers(&[A]).await;
    let before = outbound(&served).await;
    for (body, word) in [
        (json!({"phoneNumbers": [A]}), "phoneNumbers"),
        (json!({"numbers": []}), "numbers"),
        (json!({"isShared": true}), "isShared"),
        (json!({"name": "new", "sipRegion": "us002", "geoRegion": "in002"}), "differ"),
        (json!({"sipRegion": ""}), "sipRegion"),
        (json!({"name": ""}), "name"),
        (json!({"address": ""}), "address"),
        (json!({"address": "a b"}), "address"),
        (json!({"transport": "ws"}), "udp, tcp, tls"),
        (json!({"mediaEncryption": ""}), "enable, disable"),
        (json!({"auth": {}}), "null"),
        (json!({"auth": {"username": "other"}}), "password"),
        (json!({"auth": {"username": "", "password": "p"}}), "username"),
        (json!({"auth": {"username": "u", "password": "****"}}), "mask"),
        (json!({"auth": "u:p"}), "auth"),
    ] {
        let message = refused(served.patch(&path(&id), body.clone()).await, 400);
        assert!(message.contains(word), "{body}: {message}");
    }
    assert!(refused(served.patch(&path(&inbound), json!({"isShared": true})).await, 400).contains("isShared"));
    assert_eq!(outbound(&served).await, before);
    refused(served.patch(&path("none"), json!({"name": "n"})).await, 404);
}

#[tokio::test]
async fn a_gateway_is_deleted_once_it_is_empty() {
    let served = Served::new().await;
    let (inbound, outbound) = served.numbers(&[A, B]).await;
    let (inbound_path, outbound_path) =
        (format!("/v2/sip/inbound-gateways/{inbound}"), format!("/v2/sip/outbound-gateways/{outbound}"));
    for path in [&inbound_path, &outbound_path] {
        let message = refused(served.delete(path).await, 400);
        assert!(message.contains(A) && message.contains(B) && message.contains("detach"), "{message}");
    }
    for number in [A, B] {
        served.post("/v2/sip/phone-numbers/detach", json!({"phoneNumber": number})).await;
    }
    // Each direction under its own path.
    refused(served.delete(&format!("/v2/sip/inbound-gateways/{outbound}")).await, 404);
    for path in [&inbound_path, &outbound_path] {
        assert_eq!(served.delete(path).await, (200, json!({"message": "Gateway deleted"})));
        refused(served.delete(path).await, 404);
    }
    assert_eq!(served.post("/v2/sip/phone-numbers", new_numbers(&[A])).await.0, 201);
}
