//! What a file keeps.

use serde_json::{Value, json};
use strowger::store::Store;

use super::support::{Served, text, told};

async fn everything(served: &Served) -> [Value; 2] {
    [served.get("/v2/sip/phone-numbers").await.1, served.get("/v2/sip/routing-rule").await.1]
}

#[tokio::test]
async fn a_file_opened_again_holds_everything() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let served = Served::over(Store::open(&path).unwrap()).await;
    let body = json!({"name": "n", "phoneNumbers": ["+15550100001", "+15550100002"], "inbound": {},
                      "outbound": {"address": "a", "auth": {"username": "u", "password": "hunter2"}}});
    assert_eq!(served.post("/v2/sip/phone-numbers", body).await.0, 201);
    served.post("/v2/sip/phone-numbers/detach", json!({"phoneNumber": "+15550100002"})).await;
    served.rule("inbound", &["+15550100001", "+15550100002"]).await;
    let before = everything(&served).await;
    // The first store is still open, as after a `kill -9`: nothing was flushed for the second.
    let copy = directory.path().join("copy.db");
    for side in ["", "-wal"] {
        std::fs::copy(format!("{}{side}", path.display()), format!("{}{side}", copy.display())).unwrap();
    }
    for file in [&path, &copy] {
        let again = Served::over(Store::open(file).unwrap()).await;
        assert_eq!(again.key, served.key);
        assert_eq!(everything(&again).await, before);
        assert_eq!(again.store.book().unwrap(), served.store.book().unwrap());
    }
}

#[tokio::test]
async fn two_processes_share_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let served = Served::over(Store::open(&path).unwrap()).await;
    let other = Store::open(&path).unwrap();
    let key = other.create_key().unwrap();
    assert_eq!(served.store.key_secret(&key.id).unwrap(), Some(key.secret));
}

#[test]
fn a_fresh_file_may_be_opened_by_many_at_once() {
    for _ in 0..5 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        std::thread::scope(|scope| {
            let opened: Vec<_> = (0..8).map(|_| scope.spawn(|| Store::open(&path).map(|store| store.book()))).collect();
            for thread in opened {
                thread.join().unwrap().unwrap().unwrap();
            }
        });
    }
}

#[tokio::test]
async fn a_rule_from_elsewhere_that_cannot_be_read_is_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let served = Served::over(Store::open(&path).unwrap()).await;
    served.numbers(&["+15550100001"]).await;
    let good = served.rule("inbound", &["+15550100001"]).await;
    let bad = served.rule("outbound", &["+15550100001"]).await;
    let hand = rusqlite::Connection::open(&path).unwrap();
    hand.execute("UPDATE rule SET body = replace(body, 'NONE', 'SOME') WHERE id = ?1", [&bad]).unwrap();
    let book = served.store.book().unwrap();
    assert_eq!(book.rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(), [good.as_str()]);
    // It can still be seen, and taken away.
    assert_eq!(served.get(&format!("/v2/sip/routing-rule/{bad}")).await.1["includeHeaders"], "SOME");
    assert_eq!(served.delete(&format!("/v2/sip/routing-rule/{bad}")).await.0, 200);
    hand.execute("UPDATE rule SET body = 'x' WHERE id = ?1", [&good]).unwrap();
    assert_eq!(served.store.book().unwrap().rules.len(), 0);
}

#[tokio::test]
async fn a_locked_file_is_told_from_a_broken_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let served = Served::over(Store::open(&path).unwrap()).await;
    let hand = rusqlite::Connection::open(&path).unwrap();
    hand.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Readers pass, writers are told after their wait.
    assert_eq!(served.get("/v2/sip/phone-numbers").await.0, 200);
    let body = super::support::new_numbers(&["+15550100001"]);
    let (status, reply) = told(served.request("POST", "/v2/sip/phone-numbers").json(&body)).await;
    assert_eq!(status, 503, "{reply}");
    assert!(text(&reply["message"]).contains("locked") && !text(&reply["message"]).contains("store.db"));
    hand.execute_batch("ROLLBACK").unwrap();
    assert_eq!(served.post("/v2/sip/phone-numbers", body).await.0, 201);
}
