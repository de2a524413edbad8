//! Which types can a value have?

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use toml::de::DeValue;

use super::read::{At, Cx, FromToml, Keyed, Slot, list, map};
use super::rules;
use crate::model::{
    Direction, IncludeHeaders, OnClose, Preset, Removal, RoomPrefix, SecretRef, Sharing, Transport, Unmanaged,
};

impl FromToml for String {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx) -> Option<Self> {
        slot.text(cx).map(str::to_owned)
    }
}

impl FromToml for bool {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx) -> Option<Self> {
        let flag = slot.value.as_bool();
        if flag.is_none() {
            slot.wrong_type("true or false", cx);
        }
        flag
    }
}

impl FromToml for u16 {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx) -> Option<Self> {
        let number =
            slot.value.as_integer().and_then(|number| u16::from_str_radix(number.as_str(), number.radix()).ok());
        if number.is_none() {
            slot.wrong_type("an integer from 0 to 65535", cx);
        }
        number
    }
}

impl<T: FromToml> FromToml for Vec<At<T>> {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx) -> Option<Self> {
        list(slot, cx)
    }
}

impl<T: FromToml> FromToml for BTreeMap<String, Keyed<T>> {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx) -> Option<Self> {
        map(slot, cx)
    }
}

macro_rules! word_from_toml {
    ($($type:ty),+) => {
        $(impl FromToml for $type {
            fn from_toml(slot: &Slot<'_>, cx: &mut Cx) -> Option<Self> {
                let text = slot.text(cx)?;
                let word = text.parse().ok();
                if word.is_none() {
                    cx.findings.push(rules::unknown_word(slot.key, text, slot.span.clone(), Self::WORDS));
                }
                word
            }
        })+
    };
}
word_from_toml!(Direction, IncludeHeaders, OnClose, Preset, Removal, RoomPrefix, Sharing, Transport, Unmanaged);

/// Where a secret is to be found.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum SecretSource {
    /// The name of an environment variable.
    Env(String),
    /// The path of a file, relative to the configuration's directory; its last line end is not part of the secret.
    File(String),
}

impl SecretSource {
    /// The reference as the model knows it.
    pub fn reference(&self) -> SecretRef {
        match self {
            Self::Env(name) => SecretRef::Env(name.clone()),
            Self::File(path) => SecretRef::File(path.into()),
        }
    }
}

impl FromToml for SecretSource {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx) -> Option<Self> {
        let table = match slot.value {
            DeValue::Table(table) => table,
            DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) => {
                cx.findings.push(rules::plain_secret(slot.key, slot.span.clone()));
                return None;
            }
            _ => {
                slot.wrong_type("a reference, { env = \"NAME\" } or { file = \"PATH\" }", cx);
                return None;
            }
        };
        let mut found = None;
        for (key, value) in table {
            let inner =
                Slot { key: key.get_ref(), owner: slot.owner, value: value.get_ref(), span: cx.span(value.span()) };
            match key.get_ref().as_ref() {
                "env" => found = inner.text(cx).map(|text| Self::Env(text.to_owned())),
                "file" => found = inner.text(cx).map(|text| Self::File(text.to_owned())),
                other => {
                    let span = cx.span(key.span());
                    cx.findings.push(rules::unknown_key(other, "a secret reference", span, &["env", "file"]));
                    return None;
                }
            }
        }
        if table.len() != 1 {
            slot.wrong_type("exactly one of env and file", cx);
            return None;
        }
        found
    }
}

/// Text that everybody may read, or a reference to a secret.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum TextOrSecret {
    /// Text.
    Text(String),
    /// A reference.
    Secret(SecretSource),
}

impl FromToml for TextOrSecret {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx) -> Option<Self> {
        match slot.value {
            DeValue::String(text) => Some(Self::Text(text.to_string())),
            DeValue::Table(_) => SecretSource::from_toml(slot, cx).map(Self::Secret),
            _ => {
                slot.wrong_type("text or a reference, { env = \"NAME\" } or { file = \"PATH\" }", cx);
                None
            }
        }
    }
}

/// One text, or a list of texts.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum OneOrMany {
    /// One.
    One(At<String>),
    /// Several.
    Many(Vec<At<String>>),
}

impl OneOrMany {
    /// The texts, each with its place.
    pub fn items(&self) -> &[At<String>] {
        match self {
            Self::One(item) => std::slice::from_ref(item),
            Self::Many(items) => items,
        }
    }
}

impl FromToml for OneOrMany {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx) -> Option<Self> {
        match slot.value {
            DeValue::String(text) => Some(Self::One(At { value: text.to_string(), span: slot.span.clone() })),
            DeValue::Array(_) => list(slot, cx).map(Self::Many),
            _ => {
                slot.wrong_type("text or a list of texts", cx);
                None
            }
        }
    }
}

/// A table whose content is passed on as JSON.
#[derive(Debug, Clone)]
pub struct Free(pub serde_json::Map<String, Value>);

impl JsonSchema for Free {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Free".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

impl FromToml for Free {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx) -> Option<Self> {
        match free(slot, cx)? {
            Value::Object(map) => Some(Self(map)),
            _ => {
                slot.wrong_type("a table", cx);
                None
            }
        }
    }
}

fn free(slot: &Slot<'_>, cx: &mut Cx) -> Option<Value> {
    let inner = |key, value: &toml::Spanned<DeValue<'_>>, cx: &mut Cx| {
        free(&Slot { key, owner: slot.owner, value: value.get_ref(), span: cx.span(value.span()) }, cx)
    };
    match slot.value {
        DeValue::String(text) => Some(Value::from(text.as_ref())),
        DeValue::Boolean(flag) => Some(Value::from(*flag)),
        DeValue::Datetime(time) => Some(Value::from(time.to_string())),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Some(Value::from(number)),
            Err(_) => {
                slot.wrong_type("an integer of 64 bits", cx);
                None
            }
        },
        DeValue::Float(number) => match number.as_str().parse().ok().and_then(serde_json::Number::from_f64) {
            Some(number) => Some(Value::Number(number)),
            None => {
                slot.wrong_type("a finite number, for JSON has no other", cx);
                None
            }
        },
        DeValue::Array(array) => {
            let values: Vec<Option<Value>> = array.iter().map(|value| inner(slot.key, value, cx)).collect();
            values.into_iter().collect::<Option<Vec<_>>>().map(Value::Array)
        }
        DeValue::Table(table) => {
            let values: Vec<Option<(String, Value)>> = table
                .iter()
                .map(|(key, value)| Some((key.get_ref().to_string(), inner(key.get_ref(), value, cx)?)))
                .collect();
            values.into_iter().collect::<Option<serde_json::Map<_, _>>>().map(Value::Object)
        }
    }
}
