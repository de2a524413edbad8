//! `schedule`, `block` and `failover` inside a rule: what only our own runtime honours

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use crate::syntax::read::{At, Cx, FromToml, Slot, table};
use crate::syntax::value::OneOrMany;

table!(
    /// When a rule takes calls, in the local time of one zone. Only a strowger daemon honours it.
    ScheduleTable {
        /// The zone, as the IANA database names it. Daylight saving time is its own.
        #[schemars(example = &"Europe/Berlin")]
        zone: At<String>,
        /// Weekly hours: days and hours of the clock on the wall. Hours may go over midnight; they belong to the day
        /// on which they begin. Without it, all hours.
        #[schemars(example = ["mon-fri 09:00-17:00", "sat 10:00-14:00"])]
        hours: Option<At<Vec<At<String>>>>,
        /// Hours of single dates, in place of those of their weekday.
        #[schemars(example = ["2026-12-24 09:00-12:00"])]
        open: Option<At<Vec<At<String>>>>,
        /// Dates without hours, each alone or from one to another.
        #[schemars(example = ["2026-12-25", "2026-12-31..2027-01-01"])]
        closed: Option<At<Vec<At<String>>>>,
    }
);

table!(
    /// Whose calls are refused, whatever a later rule would say. Only a strowger daemon honours it.
    BlockTable {
        /// Callers: numbers, prefixes such as `+1900*`, or ranges such as `+14155550100..+14155550199`.
        #[schemars(example = ["+1900*"])]
        callers: Option<At<Vec<At<String>>>>,
        /// Addresses and networks.
        #[schemars(example = &"203.0.113.0/24")]
        ips: Option<At<OneOrMany>>,
    }
);

table!(
    /// Gateways to try in order after the number's own. Only a strowger daemon honours it.
    FailoverTable {
        /// The gateways, by the names of their tables.
        gateways: At<Vec<At<String>>>,
        /// Which final statuses of a gateway move on to the next: one such as `503`, or a kind, `4xx` or `5xx`.
        /// Without it, 408 and 5xx. 486, 487 and 6xx always end the call.
        move_on: Option<At<Vec<At<StatusWord>>>>,
    }
);

/// A status, as a number or as the text of one or of a kind.
#[derive(Debug, Clone)]
pub struct StatusWord(pub String);

impl JsonSchema for StatusWord {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "StatusWord".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 400, "maximum": 599 }, { "enum": ["4xx", "5xx"] }] })
    }
}

impl FromToml for StatusWord {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx) -> Option<Self> {
        match slot.value {
            DeValue::String(text) => Some(Self(text.to_string())),
            DeValue::Integer(number) => Some(Self(number.as_str().to_owned())),
            _ => {
                slot.wrong_type("a status", cx);
                None
            }
        }
    }
}
