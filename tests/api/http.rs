//! What every request has in common: paths, methods, bodies, ids.

use serde_json::json;
use strowger::api::Method;
use strowger::server;

use super::support::{Served, new_numbers, refused, text, told};

const A: &str = "+15550100001";

fn word(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

#[tokio::test]
async fn every_endpoint_asks_for_a_token_and_knows_its_methods() {
    let served = Served::new().await;
    for (method, path) in server::ENDPOINTS {
        let path = path.replace(['{', '}'], "");
        // The one that the contract itself leaves open (section 8.4).
        if !path.starts_with("/v2/public/") {
            let message = refused(told(served.bare(word(*method), &path)).await, 401);
            assert!(message.contains("Authorization"), "{message}");
        }
        let message = refused(told(served.request("OPTIONS", &path)).await, 405);
        assert!(message.contains("OPTIONS") && message.contains(&path), "{message}");
    }
    let response = served.request("PUT", "/v2/sip/phone-numbers").send().await.unwrap();
    let allow = response.headers()["allow"].to_str().unwrap().to_owned();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json() {
    let served = Served::new().await;
    let message = refused(served.get("/v2/sip/nothing").await, 404);
    assert!(message.contains("GET /v2/sip/nothing"), "{message}");
    refused(told(served.bare("GET", "/v2/sip/nothing")).await, 401);
    refused(told(served.bare("GET", "/v2")).await, 401);
    refused(told(served.bare("GET", "/%762/sip/phone-numbers")).await, 404);
    refused(told(served.bare("GET", "/nothing")).await, 404);
    let response = served.bare("GET", "/healthz").send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (200, "ok"));
}

#[tokio::test]
async fn a_plus_may_be_encoded_literal_or_missing() {
    let served = Served::new().await;
    served.numbers(&[A]).await;
    for number in ["%2B15550100001", "+15550100001", "15550100001", "%2b15550100001"] {
        let (status, reply) = served.get(&format!("/v2/sip/phone-numbers/{number}")).await;
        assert_eq!((status, text(&reply["phoneNumber"]["e164"]).as_str()), (200, A), "{number}");
    }
    refused(served.get("/v2/sip/phone-numbers/%2B15550100009").await, 404);
    refused(served.get("/v2/sip/phone-numbers/none").await, 404);
    refused(served.get("/v2/sip/phone-numbers/%FF").await, 400);
}

#[test]
fn a_release_needs_neither_a_body_nor_a_length() {
    use std::io::{Read, Write};
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (served, id) = runtime.block_on(async {
        let served = Served::new().await;
        served.numbers(&[A]).await;
        let item = served.get(&format!("/v2/sip/phone-numbers/{A}")).await.1;
        (served, text(&item["phoneNumber"]["phoneNumberId"]))
    });
    let token = runtime.block_on(async {
        let request = served.request("POST", "/").build().unwrap();
        request.headers()["authorization"].to_str().unwrap().to_owned()
    });
    let mut socket = std::net::TcpStream::connect(served.base.trim_start_matches("http://")).unwrap();
    write!(
        socket,
        "POST /v2/sip/phone-numbers/{id}/release HTTP/1.1\r\nhost: h\r\nauthorization: {token}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Phone number released"), "{answer}");
}

#[tokio::test]
async fn a_wrong_body_is_told_where_it_is_wrong() {
    let served = Served::new().await;
    let post = |body: String| told(served.request("POST", "/v2/sip/phone-numbers").body(body));
    let message = refused(post("{\n  \"name\": }".into()).await, 400);
    assert!(message.contains("line 2 column 11"), "{message}");
    let message = refused(post(String::new()).await, 400);
    assert!(message.contains("empty"), "{message}");
    let body = r#"{"name":"n","phoneNumbers":["+15550100001"],"inbound":{"sipRegion":7},"outbound":{"address":"a"}}"#;
    let message = refused(post(body.into()).await, 400);
    assert!(message.contains("inbound.sipRegion"), "{message}");
    let message = refused(post(format!("\"{}\"", "a".repeat(1 << 20))).await, 413);
    assert!(message.contains("1048576"), "{message}");
    // Without a content type too.
    let (status, _) = post(new_numbers(&[A]).to_string()).await;
    assert_eq!(status, 201);
}

#[tokio::test]
async fn every_response_has_a_request_id() {
    let served = Served::new().await;
    let response = served.bare("GET", "/v2/sip/phone-numbers").send().await.unwrap();
    assert_eq!(response.headers()["x-request-id"].len(), 36);
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    let response = served.request("GET", "/v2/sip/phone-numbers").header("x-request-id", "mine").send().await.unwrap();
    assert_eq!(response.headers()["x-request-id"], "mine");
    assert_eq!(response.headers()["content-type"], "application/json");
    let long = "x".repeat(500);
    let response = served.bare("GET", "/healthz").header("x-request-id", &long).send().await.unwrap();
    assert_ne!(response.headers()["x-request-id"], long.as_str());
}

#[tokio::test]
async fn requests_at_once_do_not_meet_halfway() {
    let served = Served::new().await;
    let create = || served.post("/v2/sip/phone-numbers", new_numbers(&[A, "+15550100002"]));
    let (one, two, three, four) = tokio::join!(create(), create(), create(), create());
    let mut statuses = [one.0, two.0, three.0, four.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 400, 400, 400]);
    assert_eq!(served.get("/v2/sip/phone-numbers").await.1["pageInfo"]["total"], json!(2));
}
