//! Which names and ids are there, and which texts are legal for each?
//!
//! A name stands in the files and is chosen by the user; an id is minted by the far side and is opaque.
//! Each has a type of its own, so that they cannot be swapped:
//!
//! ```compile_fail
//! use strowger::model::{GatewayName, RuleName};
//! let rule: RuleName = "main".parse().unwrap();
//! let gateway: GatewayName = rule;
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not a legal value of its type.
///
/// The sentence says what is wrong and what is expected; it does not repeat where, which its owner knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

impl Malformed {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let check: fn(&str) -> Result<(), Malformed> = $check;
                check(text).map(|()| Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;

            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

/// The longest name of a table. Marks carry it in a tag, so it has to stay short.
const NAME_MAX: usize = 64;
/// The longest stack name, as the design's `[a-z][a-z0-9-]{0,31}` says.
const STACK_MAX: usize = 32;
/// The longest id believed from the far side; documented ids have at most 40 characters.
const ID_MAX: usize = 256;

fn stack(text: &str) -> Result<(), Malformed> {
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if starts && rest && text.len() <= STACK_MAX {
        return Ok(());
    }
    Err(Malformed::new(format!(
        "a stack name is a lower-case letter and then up to {} lower-case letters, digits or `-`",
        STACK_MAX - 1
    )))
}

fn name(text: &str) -> Result<(), Malformed> {
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if starts && rest && text.len() <= NAME_MAX {
        return Ok(());
    }
    Err(Malformed::new(format!("a name is a letter or digit and then letters, digits, `-` or `_`, {NAME_MAX} at most")))
}

fn id(text: &str) -> Result<(), Malformed> {
    if text.is_empty() {
        return Err(Malformed::new("an id may not be empty"));
    }
    if text.len() > ID_MAX || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Malformed::new(format!("an id has at most {ID_MAX} characters and no white space")));
    }
    Ok(())
}

text_type!(
    /// The ownership namespace of a configuration: whose mark a rule carries.
    StackName,
    stack
);
text_type!(
    /// The key of a `[gateway.NAME]` table.
    GatewayName,
    name
);
text_type!(
    /// The key of a `[provider.NAME]` table.
    ProviderName,
    name
);
text_type!(
    /// The key of an `[agent.NAME]` table.
    AgentName,
    name
);
text_type!(
    /// The key of a `[room.NAME]` table.
    RoomName,
    name
);
text_type!(
    /// The key of a `[rule.NAME]` table.
    RuleName,
    name
);
text_type!(
    /// A short name for a number, by which rules refer to it.
    Alias,
    name
);
text_type!(
    /// The far side's id of a phone number (`phoneNumberId`).
    NumberId,
    id
);
text_type!(
    /// The far side's id of one gateway, of one direction.
    GatewayId,
    id
);
text_type!(
    /// The far side's id of a routing rule.
    RuleId,
    id
);
text_type!(
    /// The id of an agent, as its worker registers it (`agentId`).
    AgentId,
    id
);
text_type!(
    /// The id of a room (`roomId`).
    RoomId,
    id
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_name_is_narrow() {
        assert!("acme-voice".parse::<StackName>().is_ok());
        for bad in ["", "Acme", "1acme", "acme_voice", "a/b", &"a".repeat(33)] {
            assert!(bad.parse::<StackName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_is_opaque_but_not_empty() {
        assert!("pn_7c1d".parse::<NumberId>().is_ok());
        assert!("".parse::<NumberId>().is_err());
        assert!("a b".parse::<NumberId>().is_err());
    }
}
