//! What may a plan not do without being asked?

use std::fmt;
use std::str::FromStr;

use super::gateway::words;
use super::{Glob, Malformed};

words!(
    /// A kind of object that a guard can protect.
    ObjectKind {
        /// A phone number, by its E.164 form or its alias.
        Number = "number",
        /// A gateway, by the name of its table.
        Gateway = "gateway",
        /// A rule, by the name of its table.
        Rule = "rule",
    }
);

/// Objects that are not to be taken away: `number.*`, `rule.emergency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protected {
    /// The kind of object.
    pub kind: ObjectKind,
    /// Their names.
    pub names: Glob,
}

impl Protected {
    /// Whether an object is among them.
    pub fn covers(&self, kind: ObjectKind, name: &str) -> bool {
        self.kind == kind && self.names.matches(name)
    }
}

impl FromStr for Protected {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new("what is protected is a kind and a name or pattern, such as `number.*`");
        let (kind, names) = text.split_once('.').ok_or_else(malformed)?;
        let kind = kind.parse().map_err(|_| malformed())?;
        if names.is_empty() {
            return Err(malformed());
        }
        Ok(Self { kind, names: Glob::new(names) })
    }
}

impl fmt::Display for Protected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.names)
    }
}

/// The limits of a plan, as the files set them.
///
/// They are read and kept here. Whether a plan is held to them is for `plan` to say; a limit that is `None` is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    /// How many objects a plan may take away.
    pub max_deletes: Option<u32>,
    /// How many numbers a plan may lead elsewhere.
    pub max_rerouted_numbers: Option<u32>,
    /// For how long a number may be on no rule while a plan is carried out.
    pub max_unrouted_seconds: Option<u32>,
    /// What a plan may not take away.
    pub protect: Vec<Protected>,
}
