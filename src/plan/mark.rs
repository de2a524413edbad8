//! Whose is a rule, and what was last applied to it?

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::model::{Malformed, RoomMode, RoutingRule, RuleKind, RuleName, StackName};

/// What a mark begins with.
const PREFIX: &str = "strowger:";

/// Hex digits of a seal: 48 bits tell the states of one rule apart, and keep the tag short.
const SEAL_DIGITS: usize = 12;

/// A truncated hash over what a rule does, secrets excluded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seal(String);

impl Seal {
    /// The seal of a rule's content.
    pub fn of<S>(rule: &RoutingRule<S>) -> Self {
        let digest = Sha256::digest(canonical(rule).to_string().as_bytes());
        let mut hex = format!("{digest:x}");
        hex.truncate(SEAL_DIGITS);
        Self(hex)
    }
}

/// An ownership mark, one tag on a rule: `strowger:STACK/KEY@SEAL`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The stack that owns the rule.
    pub stack: StackName,
    /// The table that the rule comes from.
    pub key: RuleName,
    /// What was last applied.
    pub seal: Seal,
}

impl Mark {
    /// Whether a tag claims to be a mark, legal or not.
    pub fn claims(tag: &str) -> bool {
        tag.starts_with(PREFIX)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}/{}@{}", self.stack, self.key, self.seal.0)
    }
}

impl FromStr for Mark {
    type Err = Malformed;

    fn from_str(tag: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed(format!("`{tag}` is not a mark such as `{PREFIX}stack/key@0123456789ab`"));
        let rest = tag.strip_prefix(PREFIX).ok_or_else(malformed)?;
        let (stack, rest) = rest.split_once('/').ok_or_else(malformed)?;
        let (key, seal) = rest.split_once('@').ok_or_else(malformed)?;
        if seal.len() != SEAL_DIGITS || !seal.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(malformed());
        }
        Ok(Self { stack: stack.parse()?, key: key.parse()?, seal: Seal(seal.to_ascii_lowercase()) })
    }
}

/// What a rule does as one value, in a fixed order and without secrets: only whether there is a PIN.
fn canonical<S>(rule: &RoutingRule<S>) -> Value {
    let room = rule.room.as_ref().map(|room| {
        let mode = match &room.mode {
            RoomMode::Static(id) => json!({ "static": id }),
            RoomMode::Dynamic(prefix) => json!({ "dynamic": prefix.as_str() }),
        };
        json!([mode, room.pin.is_some()])
    });
    let agent = rule.agent.as_ref().map(|agent| json!([agent.id, sorted(&Value::Object(agent.metadata.clone()))]));
    let headers = match &rule.kind {
        RuleKind::Inbound { headers_to_attributes } => headers_to_attributes,
        RuleKind::Outbound { headers } => headers,
    };
    let mut all = json!([
        rule.name,
        rule.direction().as_str(),
        rule.numbers,
        room,
        agent,
        headers,
        rule.allowed_callers.texts(),
        rule.allowed_sources.texts(),
        rule.include_headers.as_str(),
        rule.tags,
        [rule.recording, rule.dtmf, rule.noise_cancellation, rule.hide_caller],
    ]);
    // Only where there is something to say, so that the seals of plain rules stay what they were.
    if let Some(all) = all.as_array_mut().filter(|_| !rule.beyond.is_plain()) {
        all.extend(super::rules::beyond(&rule.beyond).into_iter().map(|(key, text)| json!([key, text])));
    }
    all
}

/// The same JSON with every object's keys in order, so that two spellings of one value are one text.
pub(super) fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Object(entries.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back() {
        let mark: Mark = "strowger:acme-voice/main@3f9a1c2be07d".parse().unwrap();
        assert_eq!(mark.to_string(), "strowger:acme-voice/main@3f9a1c2be07d");
        for bad in
            ["strowger:", "strowger:a/b", "strowger:a/b@xyz", "other:a/b@3f9a1c2be07d", "strowger:A/b@3f9a1c2be07d"]
        {
            assert!(bad.parse::<Mark>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_order_of_metadata_is_no_difference() {
        let one = json!({ "b": { "y": 1, "x": 2 }, "a": [] });
        let two = json!({ "a": [], "b": { "x": 2, "y": 1 } });
        assert_eq!(sorted(&one).to_string(), sorted(&two).to_string());
    }
}
