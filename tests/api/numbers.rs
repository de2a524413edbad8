//! Numbers: created all or nothing, listed, got, detached, released.

use serde_json::{Value, json};
use strowger::api::{
    Auth, Call, CreateNumbers, DetachBody, DetachNumber, GetNumber, Handle, NewNumbers, ReleaseNumber,
};

use super::support::{Served, new_numbers, refused, text, told};

const NUMBERS: &str = "/v2/sip/phone-numbers";
const A: &str = "+15550100001";
const B: &str = "+15550100002";
const C: &str = "+15550100003";

/// The smallest legal body with one thing changed.
fn with(path: &str, value: Value) -> Value {
    let mut body = new_numbers(&[A]);
    *body.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
    body
}

#[tokio::test]
async fn a_shared_pair_carries_every_number() {
    let served = Served::new().await;
    let body = json!({
        "name": "support-eu", "phoneNumbers": [B, A], "isShared": "true", "mediaEncryption": "enable",
        "inbound": {"sipRegion": "us002"},
        "outbound": {"address": "carrier.example.net:5061", "sipRegion": "in001", "transport": "udp",
                     "auth": {"username": "trunk-user", "password": "hunter2"}},
        "unknown": true,
    });
    let (status, reply) = served.post(NUMBERS, body).await;
    assert_eq!(status, 201);
    assert_eq!(reply["message"], "Phone numbers configured with SIP");
    // As asked, B first.
    assert_eq!(reply["data"][0]["phoneNumber"]["e164"], B);
    let item = served.get(&format!("{NUMBERS}/%2B15550100001")).await.1;
    assert_eq!(item["inbound"]["id"], reply["data"][0]["inbound"]["id"]);
    let number = &item["phoneNumber"];
    assert!(text(&number["phoneNumberId"]).starts_with("pn_"));
    assert_eq!(
        json!([number["name"], number["provider"], number["origin"], number["status"]]),
        json!(["support-eu", "other", "SIP Configured", "ACTIVE"])
    );
    assert!(text(&number["createdAt"]).ends_with('Z'));
    let mut inbound = item["inbound"].clone();
    inbound.as_object_mut().unwrap().remove("id");
    assert_eq!(
        inbound,
        json!({"name": "support-eu", "address": null, "numbers": [A, B], "mediaEncryption": "enable",
               "transport": null, "auth": null, "geoRegion": "us002"})
    );
    let mut outbound = item["outbound"].clone();
    outbound.as_object_mut().unwrap().remove("id");
    assert_eq!(
        outbound,
        json!({"name": "support-eu", "address": "carrier.example.net:5061", "numbers": [A, B],
               "mediaEncryption": "enable", "transport": "udp",
               "auth": {"username": "trunk-user", "password": "****"}, "geoRegion": "in001"})
    );
}

#[tokio::test]
async fn a_pair_each_and_the_defaults() {
    let served = Served::new().await;
    let mut body = new_numbers(&[A, B]);
    body["isShared"] = json!(false);
    let (status, reply) = served.post(NUMBERS, body).await;
    assert_eq!(status, 201, "{reply}");
    let (first, second) = (&reply["data"][0], &reply["data"][1]);
    assert_ne!(first["inbound"]["id"], second["inbound"]["id"]);
    assert_ne!(first["outbound"]["id"], second["outbound"]["id"]);
    assert_eq!(first["outbound"]["numbers"], json!([A]));
    assert_eq!(
        json!([first["outbound"]["transport"], first["outbound"]["auth"], first["outbound"]["geoRegion"]]),
        json!(["tls", null, "auto"])
    );
    assert_eq!(first["inbound"]["mediaEncryption"], "disable");
}

#[tokio::test]
async fn what_is_not_legal_is_refused_and_nothing_is_created() {
    let served = Served::new().await;
    let auth = |auth: Value| {
        let mut body = new_numbers(&[A]);
        body["outbound"]["auth"] = auth;
        body
    };
    let with_key = |key: &str, value: Value| {
        let mut body = new_numbers(&[A]);
        body[key] = value;
        body
    };
    let mut transport = new_numbers(&[A]);
    transport["outbound"]["transport"] = json!("sctp");
    for (body, word) in [
        (with("/phoneNumbers", json!([])), "phoneNumbers"),
        (with("/phoneNumbers", json!([A, A])), "twice"),
        (with("/phoneNumbers", json!(["15550100001"])), "phoneNumbers[0]"),
        (with("/phoneNumbers", json!([A, "+1 555 010 0002"])), "phoneNumbers[1]"),
        (with("/phoneNumbers", json!("x")), "phoneNumbers"),
        (with("/name", json!("  ")), "name"),
        (with("/outbound/address", json!("")), "outbound.address"),
        (with("/outbound/address", json!("sip:host")), "outbound.address"),
        (with("/outbound", json!(7)), "outbound"),
        (transport, "udp, tcp, tls"),
        (with_key("mediaEncryption", json!("sometimes")), "enable, disable"),
        (with_key("isShared", json!("maybe")), "isShared"),
        (auth(json!({"username": "u"})), "no password"),
        (auth(json!({"username": "u", "password": ""})), "no password"),
        (auth(json!({"password": "hunter2"})), "no username"),
        (auth(json!({"username": "u", "password": "****"})), "mask"),
        (json!({"name": "n", "phoneNumbers": [A], "inbound": {}}), "outbound"),
    ] {
        let message = refused(served.post(NUMBERS, body.clone()).await, 400);
        assert!(message.contains(word) && !message.contains("hunter2"), "{body}: {message}");
    }
    assert_eq!(served.get(NUMBERS).await.1["pageInfo"]["total"], 0);
    for neither in [json!({}), json!(null), json!({"username": "", "password": ""})] {
        let mut body = auth(neither);
        body["phoneNumbers"] = json!([A]);
        let (status, reply) = served.post(NUMBERS, body).await;
        assert_eq!((status, &reply["data"][0]["outbound"]["auth"]), (201, &Value::Null));
        let id = text(&reply["data"][0]["phoneNumber"]["phoneNumberId"]);
        told(served.request("POST", &format!("{NUMBERS}/{id}/release"))).await;
    }
}

#[tokio::test]
async fn one_attached_number_refuses_them_all() {
    let served = Served::new().await;
    served.numbers(&[B]).await;
    let message = refused(served.post(NUMBERS, new_numbers(&[A, B, C])).await, 400);
    assert_eq!(message, "Phone number +15550100002 is already attached to an inbound gateway");
    assert_eq!(served.get(NUMBERS).await.1["pageInfo"]["total"], 1);
}

#[tokio::test]
async fn a_detached_number_stays_and_is_used_again() {
    let served = Served::new().await;
    let (inbound, outbound) = served.numbers(&[A, B]).await;
    let rule = served.rule("inbound", &[A]).await;
    let (status, reply) = served.post(&format!("{NUMBERS}/detach"), json!({"phoneNumber": A})).await;
    assert_eq!(status, 200);
    assert_eq!(
        json!([reply["message"], reply["inbound"], reply["outbound"], reply["phoneNumber"]["e164"]]),
        json!(["Gateway detached", inbound, outbound, A])
    );
    let item = served.get(&format!("{NUMBERS}/{A}")).await.1;
    assert_eq!(json!([item["inbound"], item["outbound"]]), json!([null, null]));
    let rule = served.get(&format!("/v2/sip/routing-rule/{rule}")).await.1;
    assert_eq!(rule["numbers"], json!([A]));
    assert_eq!(served.get(&format!("{NUMBERS}/{B}")).await.1["inbound"]["numbers"], json!([B]));

    let detach = async |body| served.post(&format!("{NUMBERS}/detach"), body).await;
    assert!(refused(detach(json!({"phoneNumber": A})).await, 400).contains("not attached"));
    assert!(refused(detach(json!({})).await, 400).contains("required"));
    assert!(refused(detach(json!({"phoneNumber": "x"})).await, 400).contains("phoneNumber"));
    assert!(refused(detach(json!({"phoneNumber": C})).await, 404).contains(C));

    let mut body = new_numbers(&[A]);
    body["name"] = json!("again");
    let again = served.post(NUMBERS, body).await.1;
    let number = &again["data"][0]["phoneNumber"];
    assert_eq!(number["phoneNumberId"], item["phoneNumber"]["phoneNumberId"]);
    assert_eq!(number["name"], "again");
    assert_ne!(again["data"][0]["inbound"]["id"], json!(inbound));
}

#[tokio::test]
async fn a_released_number_is_gone_from_everywhere() {
    let served = Served::new().await;
    served.numbers(&[A, B]).await;
    let (one, two) = (served.rule("inbound", &[A, B]).await, served.rule("outbound", &[A]).await);
    let id = text(&served.get(&format!("{NUMBERS}/{A}")).await.1["phoneNumber"]["phoneNumberId"]);
    let path = format!("{NUMBERS}/{id}/release");
    let (status, reply) = told(served.request("POST", &path)).await;
    assert_eq!((status, reply), (200, json!({"message": "Phone number released", "phoneNumberId": id, "e164": A})));
    refused(told(served.request("POST", &path)).await, 404);
    refused(told(served.request("POST", &format!("{NUMBERS}/{B}/release"))).await, 404);
    refused(served.get(&format!("{NUMBERS}/{A}")).await, 404);
    for (rule, left) in [(one, json!([B])), (two, json!([]))] {
        assert_eq!(served.get(&format!("/v2/sip/routing-rule/{rule}")).await.1["numbers"], left);
    }
    assert_eq!(served.get(&format!("{NUMBERS}/{B}")).await.1["inbound"]["numbers"], json!([B]));
}

#[tokio::test]
async fn a_list_has_pages_a_search_and_one_order() {
    let served = Served::new().await;
    served.numbers(&[C]).await;
    let all: Vec<String> = (10..35).map(|n| format!("+155502000{n}")).collect();
    let mut reversed: Vec<&str> = all.iter().map(String::as_str).collect();
    reversed.reverse();
    served.numbers(&reversed).await;
    let e164s = |reply: &Value| -> Vec<String> {
        reply["data"].as_array().unwrap().iter().map(|item| text(&item["phoneNumber"]["e164"])).collect()
    };
    let first = served.get(NUMBERS).await.1;
    assert_eq!(first["pageInfo"], json!({"currentPage": 1, "perPage": 20, "lastPage": 2, "total": 26}));
    let mut listed = e164s(&first);
    listed.extend(e164s(&served.get(&format!("{NUMBERS}?page=2")).await.1));
    let mut expected = vec![C.to_owned()];
    expected.extend(all);
    assert_eq!(listed, expected);

    let capped = served.get(&format!("{NUMBERS}?perPage=500")).await.1;
    assert_eq!(capped["pageInfo"]["perPage"], 100);
    for search in ["%2B1555010", "+1555010", "1555010"] {
        assert_eq!(e164s(&served.get(&format!("{NUMBERS}?search={search}")).await.1), [C], "{search}");
    }
    assert_eq!(served.get(&format!("{NUMBERS}?search=MAIN")).await.1["pageInfo"]["total"], 26);
    assert_eq!(served.get(&format!("{NUMBERS}?search=none")).await.1["data"], json!([]));
    assert!(refused(served.get(&format!("{NUMBERS}?page=x")).await, 400).contains("page"));
}

#[tokio::test]
async fn the_client_carries_every_call_of_numbers() {
    let served = Served::new().await;
    let client = served.client();
    let body: NewNumbers = serde_json::from_value(new_numbers(&[A])).unwrap();
    let made = client.handle(Call::<CreateNumbers>::with_body(body)).await.unwrap();
    let item = client.handle(Call::<GetNumber>::of(A)).await.unwrap();
    assert_eq!(made.data.as_slice(), std::slice::from_ref(&item));
    assert_eq!(item.outbound.and_then(|gateway| gateway.auth), None::<Auth>);
    client.handle(Call::<DetachNumber>::with_body(DetachBody { phone_number: A.into() })).await.unwrap();
    let id = item.phone_number.phone_number_id;
    client.handle(Call::<ReleaseNumber>::of(id.clone())).await.unwrap();
    let why = client.handle(Call::<ReleaseNumber>::of(id.clone())).await.unwrap_err();
    assert!(why.is_not_found() && !why.is_unsure());
    assert!(why.to_string().contains("POST /v2/sip/phone-numbers/{phoneNumberId}/release"), "{why}");
}
