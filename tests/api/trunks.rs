//! Gateways under their older paths, and rules in their older shape.

use serde_json::json;

use super::support::{Served, refused, text};

const A: &str = "+15550100001";
const B: &str = "+15550100002";
const IN: &str = "/v2/sip/inbound-gateways";
const OUT: &str = "/v2/sip/outbound-gateways";

#[tokio::test]
async fn each_direction_is_made_and_changed_by_itself() {
    let served = Served::new().await;
    let body = json!({"name": "in", "numbers": [A, B], "tags": ["t"], "metadata": {"k": "v"}, "enableDtmf": true,
                      "geoRegion": "us002"});
    let (status, inbound) = served.post(IN, body).await;
    assert_eq!(status, 200, "{inbound}");
    assert_eq!(
        json!([inbound["numbers"], inbound["tags"], inbound["metadata"], inbound["enableDtmf"], inbound["geoRegion"]]),
        json!([[A, B], ["t"], {"k": "v"}, true, "us002"])
    );
    assert_eq!(json!([inbound["address"], inbound["auth"]]), json!([null, null]));
    let body = json!({"name": "out", "numbers": [A], "address": "sip.example.com",
                      "auth": {"username": "u", "password": "p"}, "allowedNumbers": ["+1*"]});
    let outbound = served.post(OUT, body).await.1;
    assert_eq!(
        json!([outbound["transport"], outbound["auth"]["password"], outbound["allowedNumbers"]]),
        json!(["tls", "****", []])
    );
    // The same gateways as the newer paths show.
    let number = served.get(&format!("/v2/sip/phone-numbers/{A}")).await.1;
    assert_eq!(json!([number["inbound"]["id"], number["outbound"]["id"]]), json!([inbound["id"], outbound["id"]]));
    assert_eq!(served.get(&format!("/v2/sip/phone-numbers/{B}")).await.1["outbound"], json!(null));

    let one = format!("{IN}/{}", text(&inbound["id"]));
    assert_eq!(served.get(&one).await, (200, inbound.clone()));
    refused(served.get(&format!("{OUT}/{}", text(&inbound["id"]))).await, 404);
    assert_eq!(served.get(&format!("{IN}?search={B}&id={}", text(&inbound["id"]))).await.1["data"], json!([inbound]));
    assert_eq!(served.get(&format!("{OUT}?search=none")).await.1["pageInfo"]["total"], 0);
    // What is left out stays, but for three truth values and the region (contract section 12).
    let changed = served.patch(&one, json!({"name": "renamed", "numbers": [B]})).await.1;
    assert_eq!(
        json!([changed["name"], changed["numbers"], changed["tags"], changed["enableDtmf"], changed["geoRegion"]]),
        json!(["renamed", [B], ["t"], false, "auto"])
    );
    assert_eq!(served.get(&format!("/v2/sip/phone-numbers/{A}")).await.1["inbound"], json!(null));
    // A gateway of the older paths is deleted with its numbers on it; they stay in the account.
    assert_eq!(served.delete(&one).await.0, 200);
    assert_eq!(served.get(&format!("/v2/sip/phone-numbers/{B}")).await.1["inbound"], json!(null));
}

#[tokio::test]
async fn what_is_not_legal_or_not_enforced_is_refused_whole() {
    let served = Served::new().await;
    served.numbers(&[A]).await;
    for (path, body, status, word) in [
        (IN, json!({"name": "n", "numbers": [B, A]}), 400, "already attached to an inbound"),
        (OUT, json!({"name": "n", "numbers": [B, A], "address": "a"}), 400, "already attached to an outbound"),
        (IN, json!({"name": "n", "numbers": [B], "address": "a"}), 400, "address"),
        (IN, json!({"name": "", "numbers": [B]}), 400, "name"),
        (IN, json!({"name": "n", "numbers": ["5"]}), 400, "numbers[0]"),
        (OUT, json!({"name": "n", "numbers": [B]}), 400, "address"),
        (OUT, json!({"name": "n", "address": "a"}), 400, "numbers"),
        (OUT, json!({"name": "n", "numbers": [B], "address": "a", "auth": {"username": "u"}}), 400, "password"),
        (IN, json!({"name": "n", "numbers": [B], "allowedAddresses": ["192.0.2.1"]}), 501, "allowedAddresses"),
        (IN, json!({"name": "n", "numbers": [B], "allowedNumbers": ["+1*"]}), 501, "allowedNumbers"),
        (IN, json!({"name": "n", "numbers": [B], "auth": {"username": "u", "password": "p"}}), 501, "auth"),
    ] {
        let message = refused(served.post(path, body.clone()).await, status);
        assert!(message.contains(word), "{body}: {message}");
    }
    refused(served.get(&format!("/v2/sip/phone-numbers/{B}")).await, 404);
    assert_eq!(served.get(IN).await.1["pageInfo"]["total"], 1);
}

#[tokio::test]
async fn an_older_rule_is_understood_under_the_older_path() {
    let served = Served::new().await;
    let (gateway, _) = served.numbers(&[A, B]).await;
    let body = json!({"name": "n", "type": "INBOUND", "gatewayId": gateway, "numbers": [A],
                      "dispatch": {"room": {"type": "static", "id": "r"},
                                   "agent": {"type": "self", "id": "a", "metadata": {"k": 1}}}});
    let (status, rule) = served.post("/v2/sip/routing-rules", body).await;
    assert_eq!(status, 201, "{rule}");
    assert_eq!(
        json!([rule["type"], rule["numbers"], rule["room"]["id"], rule["agentId"], rule["agentMetadata"]]),
        json!(["inbound", [A], "r", "a", {"k": 1}])
    );
    let id = text(&rule["id"]);
    let put = served.request("PUT", &format!("/v2/sip/routing-rules/{id}")).json(&json!({"numbers": [B]}));
    assert_eq!(super::support::told(put).await.1["numbers"], json!([B]));
    for (filter, total) in [
        (format!("gatewayId={gateway}"), 1),
        ("gatewayId=none".to_owned(), 0),
        (format!("id={id}"), 1),
        ("id=none".to_owned(), 0),
    ] {
        let list = served.get(&format!("/v2/sip/routing-rules?{filter}")).await.1;
        assert_eq!(list["pageInfo"]["total"], total, "{filter}");
    }
    let bad = served.request("POST", "/v2/sip/routing-rules").body("{\n\"name\": }");
    assert!(refused(super::support::told(bad).await, 400).contains("line 2"));
}
