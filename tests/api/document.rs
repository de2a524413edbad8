//! The contract as a document is kept, served, and says what the types say.

use serde_json::Value;
use strowger::server;

use super::support::{Served, told};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/openapi.json");

#[test]
fn the_kept_document_is_the_one_of_the_types() {
    let text = format!("{:#}\n", server::openapi());
    if std::env::var_os("STROWGER_UPDATE").is_some() {
        std::fs::write(PATH, &text).unwrap();
    }
    let kept = std::fs::read_to_string(PATH).unwrap();
    assert!(kept == text, "schema/openapi.json is not current; write it with STROWGER_UPDATE=1 cargo test --test api");
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, document: &Value) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(to)) = map.get("$ref") {
                    assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to}");
                }
                map.values().for_each(|value| walk(value, document));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, document)),
            _ => {}
        }
    }
    let document = server::openapi();
    walk(&document, &document);
    for path in document["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            for parameter in operation["parameters"].as_array().unwrap() {
                assert!(parameter["schema"]["type"].is_string(), "{parameter}");
            }
        }
    }
}

#[tokio::test]
async fn the_document_is_served_to_anybody() {
    let served = Served::new().await;
    assert_eq!(told(served.bare("GET", "/v2/openapi.json")).await, (200, server::openapi()));
}
