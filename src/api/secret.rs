//! How does a secret travel?

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::Secret;

/// A secret inside a wire type: in clear on the wire, masked everywhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct WireSecret(pub Secret);

impl WireSecret {
    /// Takes a secret into keeping.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Secret::new(text))
    }
}

impl Default for WireSecret {
    fn default() -> Self {
        Self::new("")
    }
}

impl fmt::Debug for WireSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for WireSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for WireSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
