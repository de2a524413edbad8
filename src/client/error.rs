//! What can go wrong with a call?
//!
//! Every sentence names the call by the path of its endpoint, never by the path that was sent: ids and numbers
//! stay out of errors, as tokens and bodies do.

use std::error::Error;
use std::fmt;

use crate::api::{ApiError, Endpoint, Method};

/// The longest part of a foreign text that is shown: room for a refusal that lists every word it knows.
const SHOWN_MAX: usize = 600;
/// A word of an unreadable answer from this length on may be a token or an id, and is not shown.
const WORD_MAX: usize = 16;
/// The fields of the contract that hold a secret.
const SECRET_KEYS: &[&str] = &["password", "pin", "apiKey"];
/// A shorter secret is part of many words, and masking it in them would show it.
const SECRET_MIN: usize = 4;

/// Which call: its method and the path of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallName {
    /// The method.
    pub method: &'static str,
    /// The path, with the name of its variable part.
    pub path: &'static str,
}

impl CallName {
    /// The name of the calls of an endpoint.
    pub fn of<E: Endpoint>() -> Self {
        let method = match E::METHOD {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        };
        Self { method, path: E::PATH }
    }
}

impl fmt::Display for CallName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Why a call was not carried out, or is not known to be: which call, at which endpoint, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address cannot be used.
    #[error("`{endpoint}` is not an endpoint: {why}; write an address such as https://api.videosdk.live")]
    BadEndpoint {
        /// The address.
        endpoint: String,
        /// What is wrong with it.
        why: String,
    },
    /// The certificates that are to be trusted beside those of the system cannot be used.
    #[error("the certificates to trust cannot be used: {why}; write them as PEM, one after the other")]
    BadCertificates {
        /// What is wrong.
        why: String,
    },
    /// There is no token to send.
    #[error("there is no token to sign in with: {why}")]
    BadToken {
        /// What is wrong.
        why: String,
    },
    /// The call cannot be put into a request.
    #[error("{call} cannot be sent to {endpoint}: {why}")]
    Unsendable {
        /// The call.
        call: CallName,
        /// The address.
        endpoint: String,
        /// What is wrong.
        why: String,
    },
    /// No connection came about; nothing was sent.
    #[error("{call}: {endpoint} cannot be reached: {why}; {}", reach_hint(endpoint))]
    Unreachable {
        /// The call.
        call: CallName,
        /// The address.
        endpoint: String,
        /// What the system said.
        why: String,
    },
    /// No answer came in time; the call may have been carried out.
    #[error("{call}: {endpoint} did not answer in time; {} (request {request})", unsure_hint(call))]
    TimedOut {
        /// The call.
        call: CallName,
        /// The address.
        endpoint: String,
        /// The id that was sent with it.
        request: Box<str>,
    },
    /// The connection broke before the whole answer was there; the call may have been carried out.
    #[error("{call}: the answer of {endpoint} was lost: {why}; {} (request {request})", unsure_hint(call))]
    Lost {
        /// The call.
        call: CallName,
        /// The address.
        endpoint: String,
        /// The id that was sent with it.
        request: Box<str>,
        /// What the system said.
        why: String,
    },
    /// The far side said no.
    #[error(
        "{call}: {endpoint} refused with {}: {}{} (request {request})",
        refusal.status, refusal.message, refused_hint(refusal.status)
    )]
    Refused {
        /// The call.
        call: CallName,
        /// The address.
        endpoint: String,
        /// The id by which the far side knows the request.
        request: Box<str>,
        /// What it said.
        refusal: ApiError,
    },
    /// The far side answered with success, in a form that cannot be read.
    #[error(
        "{call}: the answer of {endpoint} ({status}) is not that of this API: {why}; it is {shape}; check the endpoint \
         (request {request})"
    )]
    Garbage {
        /// The call.
        call: CallName,
        /// The address.
        endpoint: String,
        /// The id by which the far side knows the request.
        request: Box<str>,
        /// The status.
        status: u16,
        /// Where it is wrong.
        why: String,
        /// What it looks like, without what it says.
        shape: Box<str>,
    },
}

impl ClientError {
    /// The refusal, if the far side said no.
    pub fn refusal(&self) -> Option<&ApiError> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// Whether what was named is not there: 404, and 402 where the vendor uses it so (contract section 2).
    pub fn is_not_found(&self) -> bool {
        self.refusal().is_some_and(|refusal| matches!(refusal.status, 402 | 404))
    }

    /// Whether the call may have been carried out all the same, so that one has to look before one repeats it.
    pub fn is_unsure(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Lost { .. } | Self::Garbage { .. } => true,
            // What is not implemented (501) was not begun.
            Self::Refused { refusal, .. } => refusal.status >= 500 && refusal.status != 501,
            _ => false,
        }
    }
}

fn reach_hint(endpoint: &str) -> &'static str {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    if ["127.", "localhost", "[::1]"].iter().any(|local| host.starts_with(local)) {
        "is the daemon running? start it with `strowger daemon`"
    } else {
        "check the address and the network"
    }
}

fn unsure_hint(call: &CallName) -> &'static str {
    if call.method == "GET" { "try again" } else { "it may have been done all the same: plan again before repeating" }
}

fn refused_hint(status: u16) -> &'static str {
    match status {
        401 => "; check the API key, its secret, and the clock of this machine",
        403 => "; the token needs the role crawler",
        409 => "; somebody else changed it: plan again",
        429 => "; too many calls: wait and try again",
        300..=399 => "; redirects are not followed: check the endpoint",
        _ => "",
    }
}

/// The last cause of an error, without the addresses that reqwest puts around it.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    // An error without a cause would print its address.
    if std::ptr::addr_eq(cause, error) {
        return "the request failed".to_owned();
    }
    cause.to_string()
}

/// A refusal whose text fits on a line and repeats no secret of the body that was sent.
pub(super) fn tidy(refusal: ApiError, sent: Option<&[u8]>) -> ApiError {
    let mut secrets = Vec::new();
    if let Some(Ok(body)) = sent.map(serde_json::from_slice::<serde_json::Value>) {
        collect_secrets(&body, &mut secrets);
    }
    // A message of the far side may quote what it refuses.
    let message = secrets.iter().fold(refusal.message, |text, secret| without_word(&text, secret));
    ApiError { message: one_line(&message), ..refusal }
}

/// Masks a secret where it stands by itself; inside a word it is chance, and the gap would tell it.
fn without_word(text: &str, secret: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let (before, after) = (&rest[..at], &rest[at + secret.len()..]);
        let inside = before.ends_with(char::is_alphanumeric) || after.starts_with(char::is_alphanumeric);
        out.push_str(before);
        out.push_str(if inside { secret } else { "****" });
        rest = after;
    }
    out.push_str(rest);
    out
}

fn collect_secrets(body: &serde_json::Value, secrets: &mut Vec<String>) {
    let Some(map) = body.as_object() else { return };
    for (key, value) in map {
        match value {
            serde_json::Value::String(text) if SECRET_KEYS.contains(&key.as_str()) && text.len() >= SECRET_MIN => {
                secrets.push(text.clone());
            }
            _ => collect_secrets(value, secrets),
        }
    }
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(SHOWN_MAX) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

/// Where an answer is wrong. Which field is missing is said; what stands in a wrong one is not.
pub(super) fn place(why: &serde_json::Error) -> String {
    let text = why.to_string();
    let kind = if text.starts_with("missing field") {
        return text;
    } else if why.is_eof() {
        "it ends too early"
    } else if why.is_syntax() {
        "it is not JSON"
    } else {
        "it has another form"
    };
    format!("{kind}, at line {} column {}", why.line(), why.column())
}

/// What an answer looks like: the keys of an object, the first words of a text.
pub(super) fn shape(body: &[u8]) -> String {
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(serde_json::Value::Object(map)) => {
            let keys: Vec<&str> = map.keys().map(String::as_str).collect();
            one_line(&format!("an object with the keys {}", masked(&keys.join(", "))))
        }
        Ok(serde_json::Value::Array(items)) => format!("a list of {}", items.len()),
        Ok(_) => "a single value".to_owned(),
        // JSON that breaks off may have passed a secret before it did.
        Err(_) if body.trim_ascii_start().starts_with(b"{") || body.trim_ascii_start().starts_with(b"[") => {
            format!("broken JSON of {} bytes", body.len())
        }
        Err(_) => {
            let start = String::from_utf8_lossy(&body[..body.len().min(4 * SHOWN_MAX)]);
            let line = masked(&one_line(&start));
            let short: String = line.chars().take(80).collect();
            format!("`{short}`")
        }
    }
}

/// A text without its long words.
fn masked(text: &str) -> String {
    let words = text.split(' ').map(|word| if word.chars().count() > WORD_MAX { "…" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_answer_is_described_and_not_quoted() {
        assert_eq!(shape(br#"{"pin":"1234","b":1}"#), "an object with the keys pin, b");
        assert_eq!(shape(br#"{"pin":"1234"#), "broken JSON of 12 bytes");
        assert_eq!(shape(b"<html>\n<h1>Bad gateway eyJhbGciOiJIUzI1NiJ9.e30</h1>"), "`<html> <h1>Bad gateway …`");
        assert_eq!(shape(b"[1,2]"), "a list of 2");
    }

    #[test]
    fn a_foreign_text_fits_on_a_line() {
        let refusal = tidy(ApiError::invalid(format!("a\r\n\u{1b}b{}", "c".repeat(2 * SHOWN_MAX))), None);
        assert!(refusal.message.starts_with("a bc") && refusal.message.chars().count() == SHOWN_MAX + 1);
    }

    #[test]
    fn a_refusal_does_not_quote_a_secret_that_was_sent() {
        let sent = br#"{"auth":{"username":"u","password":"hunter2"},"name":"bad"}"#;
        let refusal = tidy(ApiError::invalid("no `hunter2` with `bad`"), Some(sent));
        assert_eq!(refusal.message, "no `****` with `bad`");
        assert_eq!(without_word("1234 is in +15551234 and 1234", "1234"), "**** is in +15551234 and ****");
    }
}
