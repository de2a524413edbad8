//! What is worth remembering between two runs, though it may be lost?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{E164, Exchange, Removal, StackName};

/// What was declared by the last apply. A hint: without it, numbers whose tables are gone are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The version of this form.
    version: u32,
    /// Whose memory it is, and of which far side: another's is not believed.
    stack: Option<StackName>,
    endpoint: String,
    /// What is to become of each number once its table is gone.
    numbers: BTreeMap<E164, Removal>,
}

/// The version of the form that is written.
const VERSION: u32 = 1;

impl Memory {
    /// What to remember of a configuration that was applied.
    ///
    /// Numbers that are already gone from the files and were not removed (`kept`) stay remembered.
    pub fn of(exchange: &Exchange, endpoint: &str, before: &Self, kept: impl IntoIterator<Item = E164>) -> Self {
        let declared = exchange.numbers().iter().map(|(e164, number)| (*e164, number.value.on_remove));
        let kept = kept.into_iter().filter_map(|e164| Some((e164, *before.numbers.get(&e164)?)));
        Self {
            version: VERSION,
            stack: Some(exchange.stack().clone()),
            endpoint: endpoint.to_owned(),
            numbers: kept.chain(declared).collect(),
        }
    }

    /// Reads what was written; anything else is no memory.
    pub fn read(text: &str, stack: &StackName, endpoint: &str) -> Self {
        let memory: Self = serde_json::from_str(text).unwrap_or_default();
        match memory.version == VERSION && memory.stack.as_ref() == Some(stack) && memory.endpoint == endpoint {
            true => memory,
            false => Self::default(),
        }
    }

    /// The text to write.
    pub fn write(&self) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{text}\n")
    }

    /// What is to become of a number whose table is gone; to keep it, unless it was declared otherwise.
    pub fn removal(&self, number: E164) -> Option<Removal> {
        self.numbers.get(&number).copied()
    }
}
