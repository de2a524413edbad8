//! Webhooks: created, listed, changed, deleted.

use serde_json::json;

use super::support::{Served, refused, text, told};

const PATH: &str = "/v2/sip/webhooks";

#[tokio::test]
async fn a_webhook_lives() {
    let served = Served::new().await;
    let body = json!({"url": "https://example.com/hook", "events": ["call-started", "call-hangup", "call-started"]});
    let (status, made) = served.post(PATH, body).await;
    let id = text(&made["id"]);
    assert!(status == 200 && id.starts_with("wh_"), "{made}");
    assert_eq!(json!([made["webhookId"], made["events"]]), json!([id, ["call-started", "call-hangup"]]));
    let one = format!("{PATH}/{id}");
    assert_eq!(served.get(&one).await, (200, made.clone()));
    served.post(PATH, json!({"url": "http://192.0.2.1:8080", "events": ["call-missed"]})).await;
    let list = served.get(&format!("{PATH}?perPage=1")).await.1;
    assert_eq!((&list["pageInfo"]["total"], &list["data"][0]), (&json!(2), &made));
    assert_eq!(served.get(&format!("{PATH}?search=EXAMPLE")).await.1["pageInfo"]["total"], 1);
    // The vendor's crate sends what it leaves alone as empty.
    let changed = served.patch(&one, json!({"url": "https://example.com/other", "events": []})).await.1;
    assert_eq!(json!([changed["url"], changed["events"]]), json!(["https://example.com/other", made["events"]]));
    let changed = served.patch(&one, json!({"url": "", "events": ["call-update"]})).await.1;
    assert_eq!(json!([changed["url"], changed["events"]]), json!(["https://example.com/other", ["call-update"]]));
    refused(served.patch(&one, json!({"url": "", "events": []})).await, 400);
    assert_eq!(served.delete(&one).await, (200, json!({"message": "Webhook deleted"})));
    for gone in
        [served.get(&one).await, served.delete(&one).await, served.patch(&one, json!({"url": "https://a"})).await]
    {
        refused(gone, 404);
    }
}

#[tokio::test]
async fn what_is_not_legal_is_refused() {
    let served = Served::new().await;
    for (body, word) in [
        (json!({"url": "https://a", "events": []}), "empty"),
        (json!({"url": "https://a", "events": ["call-begun"]}), "call-{started,"),
        (json!({"url": "ftp://a", "events": ["call-started"]}), "https://"),
        (json!({"url": "a", "events": ["call-started"]}), "address"),
        (json!({"url": "https://u:hunter2@a", "events": ["call-started"]}), "password"),
        (json!({"events": ["call-started"]}), "url"),
        (json!({"url": "https://a"}), "events"),
    ] {
        let message = refused(served.post(PATH, body).await, 400);
        assert!(message.contains(word) && !message.contains("hunter2"), "{message}");
    }
    assert_eq!(served.get(PATH).await.1["pageInfo"]["total"], 0);
    let message = refused(told(served.bare("GET", "/v2/public/rsa-public-key")).await, 501);
    assert!(message.contains("not delivered"), "{message}");
}
