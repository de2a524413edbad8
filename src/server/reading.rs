//! What does a body or a query say, and where is it wrong?

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::JsonRejection;
use axum::http::Uri;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::ApiError;

/// Reads a body of JSON. The refusal says where it is wrong, and never what stands there: it may be a password.
pub(super) fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ApiError::invalid("The body is empty; send JSON"));
    }
    let refusal = match Json::<T>::from_bytes(bytes) {
        Ok(Json(body)) => return Ok(body),
        Err(refusal) => refusal,
    };
    let text = refusal.body_text();
    // axum begins with a sentence of its own, which says nothing of where.
    let detail = text.split_once(": ").map_or(text.as_str(), |(_, detail)| detail);
    let detail = without_values(detail);
    Err(ApiError::invalid(match refusal {
        JsonRejection::JsonDataError(_) => match culprit::<T>(bytes) {
            Some(field) if !detail.starts_with(&field) => {
                format!("The body is not understood: {field}: {detail}")
            }
            _ => format!("The body is not understood: {detail}"),
        },
        _ => format!("The body is not JSON: {detail}"),
    }))
}

/// The one field without which the body could be read. Where fields are flattened, serde forgets which it was.
fn culprit<T: DeserializeOwned>(bytes: &[u8]) -> Option<String> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(bytes) else { return None };
    fields.keys().find_map(|field| {
        let mut rest = fields.clone();
        rest.remove(field);
        serde_json::from_value::<T>(Value::Object(rest)).ok().map(|_| field.clone())
    })
}

/// Takes the value out of serde's `invalid type: integer `7`, expected a string`.
fn without_values(text: &str) -> String {
    let begins = ["invalid type: ", "invalid value: "].iter().find_map(|sign| Some(text.find(sign)? + sign.len()));
    let Some(start) = begins else { return text.to_owned() };
    let Some(end) = text.rfind(", expected").filter(|end| *end >= start) else { return text.to_owned() };
    let value = text[start..].find(['`', '"']).map(|at| start + at).filter(|at| *at < end);
    match value {
        Some(at) => format!("{}{}", text[..at].trim_end(), &text[end..]),
        None => text.to_owned(),
    }
}

/// Reads a query. A key that is repeated is one list (`ruleIds=a&ruleIds=b` is `ruleIds=a,b`, contract section
/// 13.5, point 8), and a key without a value is not there.
pub(super) fn query<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    let refusal = |why: String| ApiError::invalid(format!("The query is not understood: {why}"));
    let pairs: Vec<(String, String)> = parse(text).map_err(refusal)?;
    let mut merged: Vec<(String, String)> = Vec::new();
    for (key, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
        match merged.iter_mut().find(|(known, _)| *known == key) {
            Some((_, list)) => {
                list.push(',');
                list.push_str(&value);
            }
            None => merged.push((key, value)),
        }
    }
    let text: Vec<String> = merged.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect();
    parse(&text.join("&")).map_err(|why| refusal(without_values(&why)))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let uri: Uri = format!("/?{text}").parse().map_err(|_| "it is no legal query".to_owned())?;
    match Query::<T>::try_from_uri(&uri) {
        Ok(Query(value)) => Ok(value),
        Err(why) => Err(why.body_text().split_once(": ").map_or_else(|| why.body_text(), |(_, why)| why.to_owned())),
    }
}

/// Percent-encodes everything but the unreserved characters (RFC 3986 section 2.3).
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{NewNumbers, NewRule, Nothing, NumbersQuery, RulesQuery};

    #[test]
    fn a_wrong_body_says_where_and_not_what() {
        let text = r#"{"name":"n","inbound":{},"outbound":{"address":"a","auth":{"username":"u","password":4711}}}"#;
        let why = body::<NewNumbers>(text.as_bytes()).unwrap_err().message;
        assert!(why.contains("outbound.auth.password") && why.contains("column"), "{why}");
        assert!(!why.contains("4711"), "{why}");
        let why = body::<NewRule>(br#"{"type":"inbound","name":"n","recording":"hunter2"}"#).unwrap_err().message;
        assert!(why.contains("recording") && !why.contains("hunter2"), "{why}");
        let why = body::<NewRule>(b"{\n\"type\": inbound}").unwrap_err().message;
        assert!(why.contains("line 2"), "{why}");
        let why = body::<NewRule>(b" ").unwrap_err().message;
        assert!(why.contains("empty"), "{why}");
    }

    #[test]
    fn lists_may_be_written_both_ways() {
        for text in ["ruleIds=a&ruleIds=b", "ruleIds=a,b", "ruleIds=a%2Cb", "ruleIds=a&page=&ruleIds=b"] {
            let query: RulesQuery = query(text).unwrap();
            assert_eq!((query.rule_ids.as_deref(), query.page), (Some("a,b"), None), "{text}");
        }
        let query_of = query::<NumbersQuery>("search=%2B1555&perPage=7&unknown=1").unwrap();
        assert_eq!((query_of.search.as_deref(), query_of.per_page), (Some("+1555"), Some(7)));
        let why = query::<NumbersQuery>("perPage=many").unwrap_err();
        assert!(why.status == 400 && why.message.contains("perPage"), "{why}");
        assert_eq!(query::<Nothing>("a=1").unwrap(), Nothing {});
    }
}
