//! Routing rules: created, listed, changed, deleted.

use serde_json::{Value, json};
use strowger::api::{
    Call, CreateRule, DeleteRule, GetRule, Handle, ListRules, NewRule, Patch, RulePatch, RulesQuery, UpdateRule,
};

use super::support::{Served, refused, text};

const RULES: &str = "/v2/sip/routing-rule";
const A: &str = "+15550100001";
const B: &str = "+15550100002";
const C: &str = "+15550100003";

#[tokio::test]
async fn a_rule_is_returned_flat_and_whole() {
    let served = Served::new().await;
    served.numbers(&[A]).await;
    let body = json!({
        "name": "support-in", "type": "INBOUND", "phoneNumbers": [A], "apiKey": served.key.id,
        "agentId": "agent_support", "agentMetadata": {"tier": "gold"},
        "room": {"type": "dynamic", "prefix": "blank", "pin": "1234"},
        "includeHeaders": "sip_x_headers", "headersToAttributes": {"X-Customer": "customer"}, "headers": {},
        "allowedNumbers": ["+91*"], "allowedIpAddresses": ["192.0.2.0/24"], "tags": ["prod", "a"], "dtmf": true,
        "unknown": {},
    });
    let (status, mut rule) = served.post(RULES, body).await;
    assert_eq!(status, 201, "{rule}");
    let id = text(&rule["id"]);
    assert!(id.starts_with("rr_"));
    assert_eq!(served.get(&format!("{RULES}/{id}")).await, (200, rule.clone()));
    for key in ["createdAt", "updatedAt"] {
        assert!(text(&rule.as_object_mut().unwrap().remove(key).unwrap()).ends_with('Z'));
    }
    assert_eq!(
        rule,
        json!({
            "id": id, "name": "support-in", "type": "inbound", "numbers": [A], "apiKey": served.key.id,
            "agentId": "agent_support", "agentMetadata": {"tier": "gold"},
            "room": {"type": "dynamic", "prefix": "blank", "id": null, "pin": "1234"},
            "includeHeaders": "SIP_X_HEADERS", "headersToAttributes": {"X-Customer": "customer"},
            "allowedNumbers": ["+91*"], "allowedIpAddresses": ["192.0.2.0/24"], "tags": ["prod", "a"], "dtmf": true,
            "recording": false, "noiseCancellation": false, "hidePhoneNumber": false,
        })
    );
    let (_, smallest) = served.post(RULES, json!({"name": "n", "type": "outbound", "phoneNumbers": [A]})).await;
    assert_eq!(
        json!([
            smallest["room"],
            smallest["agentId"],
            smallest["headers"],
            smallest["includeHeaders"],
            smallest["tags"]
        ]),
        json!([null, null, {}, "NONE", []])
    );
    assert!(smallest.get("headersToAttributes").is_none());
}

#[tokio::test]
async fn what_is_not_legal_is_refused() {
    let served = Served::new().await;
    served.numbers(&[A]).await;
    let id = served.rule("inbound", &[A]).await;
    let outbound = served.rule("outbound", &[A]).await;
    let before = served.get(&format!("{RULES}/{id}")).await.1;
    // Each field, refused at creation and in a change alike.
    for (key, value, word) in [
        ("phoneNumbers", json!(["15550100001"]), "phoneNumbers[0]"),
        ("phoneNumbers", json!([B]), B),
        ("name", json!(" "), "name"),
        ("apiKey", json!("ak_none"), "Invalid API Key"),
        ("apiKey", json!(""), "Invalid API Key"),
        ("agentId", json!("a b"), "agentId"),
        ("agentMetadata", json!("text"), "agentMetadata"),
        ("room", json!({"type": "meeting"}), "static or dynamic"),
        ("room", json!({"type": "static"}), "id"),
        ("room", json!({"type": "dynamic", "prefix": "mine"}), "blank, random, participantNumber, sipNumber"),
        ("room", json!({"pin": "1234"}), "type"),
        ("includeHeaders", json!("SOME"), "ALL, SIP_X_HEADERS, NONE"),
        ("headers", json!({"X-A": "b"}), "headers"),
        ("headersToAttributes", json!({"X A": "b"}), "header name"),
        ("headersToAttributes", json!({"X-A": "b\r\nX-B: c"}), "control character"),
        ("recording", json!("yes"), "recording"),
    ] {
        let message = refused(served.patch(&format!("{RULES}/{id}"), json!({key: value.clone()})).await, 400);
        assert!(message.contains(word), "{key}: {message}");
        let mut body = json!({"name": "n", "type": "inbound", "phoneNumbers": [A]});
        body[key] = value;
        let message = refused(served.post(RULES, body).await, 400);
        assert!(message.contains(word) || message.contains("already on"), "{key}: {message}");
    }
    for (body, word) in [
        (json!({"type": "inbound", "phoneNumbers": [A]}), "name"),
        (json!({"name": "n", "phoneNumbers": [A]}), "type"),
        (json!({"name": "n", "type": "both", "phoneNumbers": [A]}), "inbound, outbound"),
        (json!({"name": "n", "type": "outbound"}), "phoneNumbers"),
        (json!({"name": "n", "type": "outbound", "phoneNumbers": []}), "phoneNumbers"),
        (json!({"name": "n", "type": "outbound", "phoneNumbers": [A], "headersToAttributes": {"X": "x"}}), "headersTo"),
        (json!(["n"]), "body"),
    ] {
        let message = refused(served.post(RULES, body.clone()).await, 400);
        assert!(message.contains(word), "{body}: {message}");
    }
    let message = refused(served.patch(&format!("{RULES}/{id}"), json!({})).await, 400);
    assert_eq!(message, "No editable fields provided");
    let message = refused(served.patch(&format!("{RULES}/{id}"), json!({"type": "outbound"})).await, 400);
    assert_eq!(message, "No editable fields provided");
    let wrong = json!({"headersToAttributes": {"X": "x"}});
    refused(served.patch(&format!("{RULES}/{outbound}"), wrong).await, 400);
    assert_eq!(served.get(&format!("{RULES}/{id}")).await.1, before);
    for path in [format!("{RULES}/rr_none")] {
        refused(served.get(&path).await, 404);
        refused(served.delete(&path).await, 404);
        refused(served.patch(&path, json!({"name": "n"})).await, 404);
    }
}

#[tokio::test]
async fn a_number_is_on_one_inbound_rule() {
    let served = Served::new().await;
    served.numbers(&[A, B]).await;
    let first = served.rule("inbound", &[A]).await;
    let second = served.rule("inbound", &[B]).await;
    served.rule("outbound", &[A]).await;
    served.rule("outbound", &[A]).await;
    let message = refused(served.patch(&format!("{RULES}/{second}"), json!({"phoneNumbers": [B, A]})).await, 400);
    assert!(message.contains(A) && message.contains("`inbound rule`") && message.contains(&first), "{message}");
    // Taken off the one, it may be put on the other.
    assert_eq!(served.patch(&format!("{RULES}/{first}"), json!({"phoneNumbers": []})).await.0, 200);
    let (status, rule) = served.patch(&format!("{RULES}/{second}"), json!({"phoneNumbers": [B, A, B]})).await;
    assert_eq!((status, &rule["numbers"]), (200, &json!([B, A])));
}

#[tokio::test]
async fn absent_keeps_and_null_and_empty_clear() {
    let served = Served::new().await;
    served.numbers(&[A]).await;
    let full = json!({
        "name": "n", "type": "inbound", "phoneNumbers": [A], "apiKey": served.key.id, "agentId": "a",
        "agentMetadata": {"k": 1}, "room": {"type": "static", "id": "lobby", "pin": "1"}, "includeHeaders": "ALL",
        "headersToAttributes": {"X-A": "a"}, "allowedNumbers": ["*"], "allowedIpAddresses": ["::1"], "tags": ["t"],
        "recording": true, "dtmf": true, "noiseCancellation": true, "hidePhoneNumber": true,
    });
    let id = text(&served.post(RULES, full).await.1["id"]);
    let path = format!("{RULES}/{id}");
    let before = served.get(&path).await.1;
    let (_, renamed) = served.patch(&path, json!({"name": "m", "headers": {}})).await;
    let mut expected = before.clone();
    expected["name"] = json!("m");
    expected["updatedAt"] = renamed["updatedAt"].clone();
    assert_eq!(renamed, expected);
    let (status, cleared) = served
        .patch(
            &path,
            json!({"phoneNumbers": null, "apiKey": null, "agentId": null, "agentMetadata": null, "room": {},
                   "includeHeaders": null, "headersToAttributes": {}, "allowedNumbers": [], "allowedIpAddresses": null,
                   "tags": [], "recording": null, "dtmf": false, "noiseCancellation": null, "hidePhoneNumber": null}),
        )
        .await;
    assert_eq!(status, 200, "{cleared}");
    let mut expected = json!({
        "id": id, "name": "m", "type": "inbound", "numbers": [], "room": null, "agentId": null,
        "includeHeaders": "NONE", "headersToAttributes": {}, "allowedNumbers": [], "allowedIpAddresses": [], "tags": [],
        "recording": false, "dtmf": false, "noiseCancellation": false, "hidePhoneNumber": false,
    });
    for key in ["createdAt", "updatedAt"] {
        expected[key] = cleared[key].clone();
    }
    assert_eq!(cleared, expected);
    let (status, reply) = served.delete(&path).await;
    assert_eq!((status, reply), (200, json!({"message": "Routing rule deleted", "ruleId": id})));
    refused(served.get(&path).await, 404);
    assert_eq!(served.get(&format!("/v2/sip/phone-numbers/{A}")).await.0, 200);
}

#[tokio::test]
async fn a_list_has_filters_and_pages() {
    let served = Served::new().await;
    served.numbers(&[A, B, C]).await;
    let mut ids = Vec::new();
    for (name, direction, number, room) in [
        ("Alpha", "inbound", A, json!({"type": "static", "id": "lobby"})),
        ("beta", "outbound", B, json!({"type": "dynamic"})),
        ("gamma", "inbound", C, json!(null)),
    ] {
        let body = json!({"name": name, "type": direction, "phoneNumbers": [number], "room": room});
        ids.push(text(&served.post(RULES, body).await.1["id"]));
    }
    let named = async |query: &str| -> Vec<String> {
        let (status, reply) = served.get(&format!("{RULES}?{query}")).await;
        assert_eq!(status, 200, "{query}: {reply}");
        reply["data"].as_array().unwrap().iter().map(|rule| text(&rule["name"])).collect()
    };
    let (first, third) = (&ids[0], &ids[2]);
    for (query, expected) in [
        (String::new(), vec!["Alpha", "beta", "gamma"]),
        ("search=ALPHA".into(), vec!["Alpha"]),
        ("search=%5C%2B15550100002".into(), vec!["beta"]),
        ("search=.%2B".into(), vec![]),
        ("type=inbound".into(), vec!["Alpha", "gamma"]),
        ("type=OUTBOUND".into(), vec!["beta"]),
        (format!("ruleIds={first}%2C{third}"), vec!["Alpha", "gamma"]),
        (format!("ruleIds={first}&ruleIds={third}"), vec!["Alpha", "gamma"]),
        ("ruleIds=rr_none".into(), vec![]),
        ("roomType=static".into(), vec!["Alpha"]),
        ("roomType=static,dynamic".into(), vec!["Alpha", "beta"]),
        ("roomType=static&roomType=dynamic&type=outbound".into(), vec!["beta"]),
        ("perPage=2&page=2".into(), vec!["gamma"]),
        ("page=9".into(), vec![]),
    ] {
        assert_eq!(named(&query).await, expected, "{query}");
    }
    let info = |query: &str| format!("{RULES}?{query}");
    assert_eq!(
        served.get(RULES).await.1["pageInfo"],
        json!({"currentPage": 1, "perPage": 10, "lastPage": 1, "total": 3})
    );
    assert_eq!(served.get(&info("perPage=1000")).await.1["pageInfo"]["perPage"], 100);
    assert!(refused(served.get(&info("type=both")).await, 400).contains("inbound, outbound"));
    assert!(refused(served.get(&info("roomType=big")).await, 400).contains("static or dynamic"));
}

#[tokio::test]
async fn the_older_path_serves_the_same_rules() {
    let served = Served::new().await;
    served.numbers(&[A]).await;
    let body = json!({"name": "n", "type": "INBOUND", "phoneNumbers": [A]});
    let (status, rule) = served.post("/v2/sip/routing-rules", body).await;
    assert_eq!(status, 201, "{rule}");
    let path = format!("/v2/sip/routing-rules/{}", text(&rule["id"]));
    assert_eq!(served.get(&path).await.1, rule);
    for method in ["PUT", "PATCH"] {
        let (status, changed) =
            super::support::told(served.request(method, &path).json(&json!({"name": method}))).await;
        assert_eq!((status, &changed["name"]), (200, &json!(method)));
    }
    refused(super::support::told(served.request("PUT", &format!("{RULES}/x")).json(&json!({}))).await, 405);
    assert_eq!(served.get("/v2/sip/routing-rules").await.1["pageInfo"]["total"], 1);
    assert_eq!(served.delete(&path).await.0, 200);
}

#[tokio::test]
async fn the_client_carries_every_call_of_rules() {
    let served = Served::new().await;
    served.numbers(&[A]).await;
    let client = served.client();
    let body: NewRule =
        serde_json::from_value(json!({"name": "n", "type": "inbound", "phoneNumbers": [A], "tags": ["t"]})).unwrap();
    let made = client.handle(Call::<CreateRule>::with_body(body)).await.unwrap();
    let query =
        RulesQuery { rule_ids: Some(format!("{},x", made.id)), search: Some(A.into()), ..RulesQuery::default() };
    let page = client.handle(Call::<ListRules>::with_query(query)).await.unwrap();
    assert_eq!(page.data.as_slice(), std::slice::from_ref(&made));
    let patch = RulePatch { tags: Patch::Clear, ..RulePatch::default() };
    let changed = client.handle(Call::<UpdateRule>::of_with_body(made.id.clone(), patch)).await.unwrap();
    assert_eq!(changed.tags, [] as [&str; 0]);
    assert_eq!(client.handle(Call::<GetRule>::of(made.id.clone())).await.unwrap(), changed);
    client.handle(Call::<DeleteRule>::of(made.id.clone())).await.unwrap();
    let why = client.handle(Call::<DeleteRule>::of(made.id)).await.unwrap_err();
    assert!(why.is_not_found(), "{why}");
}

#[tokio::test]
async fn the_book_holds_what_calls_are_decided_by() {
    let served = Served::new().await;
    let mut changes = served.store.changes();
    served.numbers(&[A, B]).await;
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    let body = json!({"name": "n", "type": "inbound", "phoneNumbers": [A], "tags": ["strowger:acme/main"],
                      "room": {"type": "dynamic", "prefix": "sipNumber", "pin": "1234"}});
    let id = text(&served.post(RULES, body).await.1["id"]);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    served.post("/v2/sip/phone-numbers/detach", json!({"phoneNumber": B})).await;
    changes.mark_unchanged();
    let book = served.store.book().unwrap();
    assert_eq!(book.numbers.iter().map(ToString::to_string).collect::<Vec<_>>(), [A]);
    assert_eq!(book.rules.len(), 1);
    assert_eq!(book.rules[0].id.as_str(), id);
    let rule = &book.rules[0].rule;
    assert!(rule.tags.contains("strowger:acme/main"));
    let pin = rule.room.as_ref().and_then(|room| room.pin.clone()).flatten();
    assert_eq!(pin.map(|pin| pin.expose().to_owned()).as_deref(), Some("1234"));
    // Neither a read, nor a refusal, nor a key is a change.
    served.get(RULES).await;
    refused(served.patch(&format!("{RULES}/{id}"), json!({"name": ""})).await, 400);
    served.store.create_key().unwrap();
    assert!(!changes.has_changed().unwrap());
    let _: Value = served.delete(&format!("{RULES}/{id}")).await.1;
    assert!(changes.has_changed().unwrap());
}
