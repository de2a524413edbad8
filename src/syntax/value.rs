//! Which types can a value have?

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use toml::de::DeValue;

use super::read::{At, Cx, FromToml, Keyed, Open, Slot, list, map, table};
use super::rules;
use crate::model::{
    Direction, IncludeHeaders, OnClose, Preset, Removal, RoomPrefix, SecretRef, Sharing, Transport, Unmanaged,
};

impl FromToml for String {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
        slot.text(cx).map(str::to_owned)
    }
}

impl FromToml for bool {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
        let flag = slot.value.as_bool();
        if flag.is_none() {
            slot.wrong_type("true or false", cx);
        }
        flag
    }
}

macro_rules! integer_from_toml {
    ($($type:ty),+) => {
        $(impl FromToml for $type {
            fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
                let number = slot
                    .value
                    .as_integer()
                    .and_then(|number| <$type>::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok());
                if number.is_none() {
                    slot.wrong_type(&format!("an integer from 0 to {}", <$type>::MAX), cx);
                }
                number
            }
        })+
    };
}
integer_from_toml!(u16, u32);

impl<T: FromToml> FromToml for Vec<At<T>> {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
        list(slot, cx)
    }
}

impl<T: FromToml> FromToml for BTreeMap<String, Keyed<T>> {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
        map(slot, cx)
    }
}

macro_rules! word_from_toml {
    ($($type:ty),+) => {
        $(impl FromToml for $type {
            fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
                let Some(text) = slot.value.as_str() else {
                    slot.wrong_type(&format!("one of {}", Self::WORDS.join(", ")), cx);
                    return None;
                };
                let word = text.parse().ok();
                if word.is_none() {
                    let literal = cx.is_literal(&slot.span, text);
                    cx.findings.push(rules::unknown_word(&slot.shown(), text, slot.span.clone(), Self::WORDS, literal));
                }
                word
            }
        })+
    };
}
word_from_toml!(Direction, IncludeHeaders, OnClose, Preset, Removal, RoomPrefix, Sharing, Transport, Unmanaged);

/// Where a secret is to be found.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum SecretSource {
    /// An environment variable.
    Env(SecretEnv),
    /// A file.
    File(SecretFile),
    /// A program.
    Exec(SecretExec),
}

table!(
    /// An environment variable that holds a secret.
    #[derive(Clone)]
    SecretEnv {
        /// The name of the variable.
        #[schemars(example = &"TELNYX_SIP_PASSWORD")]
        env: At<String>,
    }
);

table!(
    /// A file that holds a secret.
    #[derive(Clone)]
    SecretFile {
        /// The path, relative to the configuration's directory; the file's last line end is not part of the secret.
        #[schemars(example = &"/run/secrets/war_room_pin")]
        file: At<String>,
    }
);

table!(
    /// A program that prints a secret.
    #[derive(Clone)]
    SecretExec {
        /// The program and its arguments, run in the configuration's directory and without a shell. The last line
        /// end of what it prints is not part of the secret.
        #[schemars(example = ["pass", "show", "telnyx"])]
        exec: At<Vec<At<String>>>,
        /// How many seconds the program may take. Without it, 10.
        timeout_seconds: Option<At<u16>>,
    }
);

/// How long a program may take where nothing is said: a person may have to touch a key for it.
const EXEC_SECONDS: u16 = 10;

impl SecretSource {
    /// The reference as the model knows it.
    pub fn reference(&self) -> SecretRef {
        match self {
            Self::Env(source) => SecretRef::Env(source.env.value.clone()),
            Self::File(source) => SecretRef::File(source.file.value.clone().into()),
            Self::Exec(source) => SecretRef::Exec {
                command: source.exec.value.iter().map(|part| part.value.clone()).collect(),
                timeout: Duration::from_secs(
                    source.timeout_seconds.as_ref().map_or(EXEC_SECONDS, |at| at.value).into(),
                ),
            },
        }
    }
}

impl FromToml for SecretSource {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
        let table = match slot.value {
            DeValue::Table(table) => table,
            DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) => {
                cx.findings.push(rules::plain_secret(&slot.shown(), slot.span.clone()));
                return None;
            }
            _ => {
                slot.wrong_type("a reference, { env = \"NAME\" } or { file = \"PATH\" }", cx);
                return None;
            }
        };
        // Which kind it is, its first known key says.
        let kinds = ["env", "file", "exec"];
        match kinds.iter().filter(|kind| table.contains_key(**kind)).count() {
            1 => {}
            0 if table.len() == 1 => {
                // A misspelt key is one mistake, and is shown as such.
                Open::new(slot, &kinds, cx)?;
                return None;
            }
            found => {
                let found = if found == 0 { "a table without any" } else { "several of them" };
                let span = slot.span.clone();
                cx.findings.push(rules::wrong_type(&slot.shown(), "exactly one of env, file and exec", found, span));
                return None;
            }
        }
        let source = if table.contains_key("env") {
            Self::Env(SecretEnv::from_toml(slot, cx)?)
        } else if table.contains_key("file") {
            Self::File(SecretFile::from_toml(slot, cx)?)
        } else {
            Self::Exec(SecretExec::from_toml(slot, cx)?)
        };
        if let Self::Exec(SecretExec { exec, .. }) = &source
            && exec.value.first().is_none_or(|program| program.value.is_empty())
        {
            cx.findings.push(rules::wrong_type("exec", "a program and its arguments", "nothing", exec.span.clone()));
            return None;
        }
        Some(source)
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
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
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

/// A date and a time: a text, or one of TOML's own.
#[derive(Debug, Clone)]
pub struct Moment(pub String);

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

impl FromToml for Moment {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
        match slot.value {
            DeValue::String(text) => Some(Self(text.to_string())),
            DeValue::Datetime(time) => Some(Self(time.to_string())),
            _ => {
                slot.wrong_type("a date and time", cx);
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
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
        match free(slot, cx)? {
            Value::Object(map) => Some(Self(map)),
            _ => {
                slot.wrong_type("a table", cx);
                None
            }
        }
    }
}

fn free(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Value> {
    let inner = |key, value: &toml::Spanned<DeValue<'_>>, cx: &mut Cx<'_>| {
        free(&Slot { key, index: None, owner: slot.owner, value: value.get_ref(), span: cx.span(value.span()) }, cx)
    };
    match slot.value {
        DeValue::String(text) => Some(Value::from(text.as_ref())),
        DeValue::Boolean(flag) => Some(Value::from(*flag)),
        DeValue::Datetime(time) => Some(Value::from(time.to_string())),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Some(Value::from(number)),
            Err(_) => {
                let found = "a larger one";
                cx.findings.push(rules::wrong_type(&slot.shown(), "an integer of 64 bits", found, slot.span.clone()));
                None
            }
        },
        DeValue::Float(number) => match number.as_str().parse().ok().and_then(serde_json::Number::from_f64) {
            Some(number) => Some(Value::Number(number)),
            None => {
                let found = "one that JSON does not have";
                cx.findings.push(rules::wrong_type(&slot.shown(), "a finite number", found, slot.span.clone()));
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
