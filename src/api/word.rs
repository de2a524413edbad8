//! How are words with a meaning read and written?

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{Direction, IncludeHeaders, Malformed, RoomPrefix};

/// A word of the contract in the case of the wire, read in any case; a word that is not known is kept as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word<T> {
    /// A word with a meaning here.
    Known(T),
    /// A word that is not known here.
    Unknown(String),
}

/// A type whose values have names on the wire.
pub trait WireWord: Copy + PartialEq + 'static {
    /// Every value and its name on the wire.
    const NAMES: &'static [(Self, &'static str)];
}

impl WireWord for Direction {
    const NAMES: &'static [(Self, &'static str)] = &[(Self::Inbound, "inbound"), (Self::Outbound, "outbound")];
}

impl WireWord for IncludeHeaders {
    const NAMES: &'static [(Self, &'static str)] =
        &[(Self::All, "ALL"), (Self::SipXHeaders, "SIP_X_HEADERS"), (Self::None, "NONE")];
}

impl WireWord for RoomPrefix {
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::None, "blank"),
        (Self::Random, "random"),
        (Self::ParticipantNumber, "participantNumber"),
        (Self::SipNumber, "sipNumber"),
    ];
}

impl<T: WireWord> Word<T> {
    fn read(text: String) -> Self {
        match T::NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(&text)) {
            Some((value, _)) => Self::Known(*value),
            None => Self::Unknown(text),
        }
    }

    /// The value, if the word is known.
    ///
    /// # Errors
    /// For a word that is not known; the sentence lists those that are.
    pub fn known(&self, field: &str) -> Result<T, Malformed> {
        match self {
            Self::Known(value) => Ok(*value),
            Self::Unknown(text) => {
                let names: Vec<&str> = T::NAMES.iter().map(|(_, name)| *name).collect();
                Err(Malformed::new(format!("{field} `{text}` is not known; it is one of {}", names.join(", "))))
            }
        }
    }

    /// The word as it stands on the wire.
    pub fn text(&self) -> &str {
        match self {
            Self::Known(value) => T::NAMES.iter().find(|(known, _)| known == value).map_or("", |(_, name)| name),
            Self::Unknown(text) => text,
        }
    }
}

impl<T: WireWord> JsonSchema for Word<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        std::any::type_name::<Self>().into()
    }

    /// The words that are written; others are read too, and kept.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = T::NAMES.iter().map(|(_, name)| *name).collect();
        json_schema!({"type": "string", "enum": names})
    }
}

impl<T: WireWord> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl<'de, T: WireWord> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::read)
    }
}
