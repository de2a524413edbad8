//! What becomes of a store when the disk, the key or the file fails it: a clear word, and nothing acknowledged lost.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde_json::json;
use strowger::model::Secret;
use strowger::store::{MasterKey, Store, StoreError};

use super::support::{Served, text};

const NUMBERS: &str = "/v2/sip/phone-numbers";

/// Every byte of the store and of its log.
fn bytes(store: &Path) -> Vec<u8> {
    let mut all = std::fs::read(store).unwrap();
    all.extend(std::fs::read(format!("{}-wal", store.display())).unwrap_or_default());
    all
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[test]
fn a_directory_that_may_not_be_written_is_told() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    Store::open(&data.join("store.sqlite")).unwrap().create_key().unwrap();
    for name in ["store.sqlite", "master.key"] {
        std::fs::set_permissions(data.join(name), std::fs::Permissions::from_mode(0o444)).unwrap();
    }
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write everywhere, so the program runs as somebody who may not.
    let program = directory.path().join("strowger");
    std::fs::copy(env!("CARGO_BIN_EXE_strowger"), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["key", "list", "--data-dir"]).arg(&data).env_remove("STROWGER_MASTER_KEY").current_dir("/");
    if std::fs::metadata(&data).map(|data| std::os::unix::fs::MetadataExt::uid(&data)).unwrap() == 0 {
        command.uid(65534);
    }
    let done = command.output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{told}");
    assert!(told.contains("for writing") && told.contains("store.sqlite"), "{told}");
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn a_damaged_file_is_told_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.sqlite");
    {
        let served = Served::over(Store::open(&path).unwrap()).await;
        served.numbers(&["+15550100001"]).await;
    }
    let mut file = bytes(&path);
    file.truncate(file.len() / 2);
    file[100..].fill(0x5a);
    let broken = directory.path().join("broken.sqlite");
    std::fs::write(&broken, &file).unwrap();
    let why = Store::open(&broken).unwrap_err();
    assert!(matches!(why, StoreError::Damaged { .. }) && why.to_string().contains("backup"), "{why}");
    assert_eq!(std::fs::read(&broken).unwrap(), file);
}

#[tokio::test]
async fn the_file_alone_gives_no_secret_away() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.sqlite");
    let served = Served::over(Store::open(&path).unwrap()).await;
    let body = json!({"name": "n", "phoneNumbers": ["+15550100001"], "inbound": {},
                      "outbound": {"address": "a", "auth": {"username": "seen", "password": "hunter2hunter2"}}});
    assert_eq!(served.post(NUMBERS, body).await.0, 201);
    let body = json!({"name": "n", "type": "inbound", "phoneNumbers": ["+15550100001"],
                      "room": {"type": "static", "id": "r", "pin": "4711471147114711"}});
    let rule = served.post("/v2/sip/routing-rule", body).await.1;
    // The contract's one field that shows a secret shows it to who may call.
    assert_eq!(rule["room"]["pin"], "4711471147114711");
    let file = bytes(&path);
    assert!(holds(&file, "seen"));
    for secret in ["hunter2hunter2", "4711471147114711", served.key.secret.expose()] {
        assert!(!holds(&file, secret), "{secret}");
    }
    use std::os::unix::fs::PermissionsExt;
    let key = directory.path().join("master.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn without_its_key_a_store_is_not_opened_and_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.sqlite");
    let file = directory.path().join("master.key");
    {
        let served = Served::over(Store::open(&path).unwrap()).await;
        served.numbers(&["+15550100001"]).await;
    }
    let (before, key) = (bytes(&path), std::fs::read_to_string(&file).unwrap());
    std::fs::remove_file(&file).unwrap();
    let why = Store::open(&path).unwrap_err();
    assert!(matches!(why, StoreError::NoKey { .. }) && why.to_string().contains("STROWGER_MASTER_KEY"), "{why}");
    // No new key was made in the place of the missing one.
    assert!(!file.exists());
    let other = MasterKey::read(&Secret::new("ab".repeat(32)));
    let why = Store::open_with(&path, other.clone()).unwrap_err();
    assert!(matches!(why, StoreError::WrongKey { .. }), "{why}");
    std::fs::write(&file, "no key").unwrap();
    assert!(matches!(Store::open(&path).unwrap_err(), StoreError::BadKey { .. }));
    assert_eq!(bytes(&path), before);
    // From elsewhere it is as good as from its file, and is asked for first.
    let right = MasterKey::read(&Secret::new(key.clone()));
    assert!(Store::open_with(&path, right).unwrap().first_key().unwrap().is_some());
    std::fs::write(&file, key).unwrap();
    assert!(matches!(Store::open_with(&path, other).unwrap_err(), StoreError::WrongKey { .. }));
    assert!(Store::open(&path).unwrap().first_key().unwrap().is_some());
}

#[tokio::test]
async fn a_store_of_before_is_sealed_when_it_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.sqlite");
    let hand = Connection::open(&path).unwrap();
    hand.execute_batch(include_str!("first_store.sql")).unwrap();
    drop(hand);
    let store = Store::open(&path).unwrap();
    let key = store.first_key().unwrap().unwrap();
    assert_eq!((key.id.as_str(), key.secret.expose()), ("ak_before", "secretsecretsecret"));
    let served = Served::over(store).await;
    let number = served.get(&format!("{NUMBERS}/+15550100001")).await.1;
    assert_eq!(json!([number["outbound"]["auth"]["username"], number["inbound"]["id"]]), json!(["u", "gw-in"]));
    let rule = served.get("/v2/sip/routing-rule/rr_before").await.1;
    assert_eq!(json!([rule["room"]["pin"], rule["numbers"]]), json!(["4711471147114711", ["+15550100001"]]));
    assert!(text(&rule["createdAt"]).starts_with("2026"));
    let file = bytes(&path);
    for secret in ["secretsecretsecret", "hunter2hunter2", "4711471147114711"] {
        assert!(!holds(&file, secret), "{secret}");
    }
    // Once is enough.
    assert_eq!(Store::open(&path).unwrap().first_key().unwrap(), Some(key));
}

#[tokio::test]
async fn totals_stand_while_a_list_is_paged() {
    let served = Served::new().await;
    for part in 0..5 {
        let numbers: Vec<String> = (0..7).map(|place| format!("+1555010{part}{place:03}")).collect();
        served.numbers(&numbers.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    let mut seen = Vec::new();
    for page in 1..=4 {
        let list = served.get(&format!("{NUMBERS}?perPage=9&page={page}")).await.1;
        assert_eq!(list["pageInfo"], json!({"currentPage": page, "perPage": 9, "lastPage": 4, "total": 35}));
        seen.extend(list["data"].as_array().unwrap().iter().map(|item| text(&item["phoneNumber"]["e164"])));
        // A change of an object in the list moves none of them.
        served.post(&format!("{NUMBERS}/detach"), json!({"phoneNumber": seen[0]})).await;
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (35, 35));
}
