//! `[rule.NAME]`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use toml::de::DeValue;

use super::{BlockTable, FailoverTable, RoomTable, ScheduleTable};
use crate::model::{Direction, IncludeHeaders};
use crate::syntax::read::{At, Cx, FromToml, Keyed, Slot, table};
use crate::syntax::rules;
use crate::syntax::value::{Free, OneOrMany, SecretSource};

table!(
    /// A routing rule: what happens to the calls of some numbers, in one direction.
    RuleTable {
        /// `inbound` for calls from the provider, `outbound` for calls to it. It cannot be changed later.
        direction: At<Direction>,
        /// The numbers, each as an alias or in E.164 form. A number is on one inbound rule at most, or
        /// on several of different `priority`.
        #[schemars(example = ["main", "+14155550100"])]
        numbers: At<Vec<At<String>>>,
        /// The label that the far side shows. Without it, the rule's key.
        name: Option<At<String>>,
        /// The agent to dispatch, by the name of its table.
        agent: Option<At<String>>,
        /// Whether the caller hears ringing until the agent is there, instead of paying for silence. Without it, true.
        /// Only the daemon does this; a caller who has to enter a PIN is answered before.
        ring_until_ready: Option<At<bool>>,
        /// What the agent is told when it is dispatched.
        metadata: Option<At<Free>>,
        /// The room to join: the name of a `[room]` table, or the room itself.
        room: Option<At<RuleRoom>>,
        /// Who may call: a table, or the word `everybody`. Without it, everybody, and on an inbound rule that is warned
        /// of.
        allow: Option<At<Allow>>,
        /// Which SIP headers of the call are shown to the room. Without it, `none`.
        include_headers: Option<At<IncludeHeaders>>,
        /// SIP header to participant attribute; on inbound rules only.
        headers_to_attributes: Option<At<BTreeMap<String, Keyed<String>>>>,
        /// Headers put on the INVITE; on outbound rules only.
        headers: Option<At<BTreeMap<String, Keyed<String>>>>,
        /// Whether the call is recorded. Without it, false.
        recording: Option<At<bool>>,
        /// Whether the digits that the caller presses are told to the room. Without it, false.
        dtmf: Option<At<bool>>,
        /// Whether the caller's background noise is reduced. Without it, false.
        noise_cancellation: Option<At<bool>>,
        /// Whether the caller's number is hidden from room and agent. Without it, false.
        hide_caller: Option<At<bool>>,
        /// Free labels.
        tags: Option<At<Vec<At<String>>>>,
        /// The API key that the rule belongs to, as a reference. Without it, the far side's stays as it is.
        api_key: Option<At<SecretSource>>,
        /// Former names of this table: a live rule that carries one of them is this rule, and is renamed.
        #[schemars(example = ["front-desk"])]
        was: Option<At<Vec<At<String>>>>,
        /// The environments in which it is there. Without it, all.
        #[schemars(example = ["prod"])]
        only: Option<At<Vec<At<String>>>>,
        /// Which of several inbound rules on one number is asked first: the highest; one without is asked last. A rule
        /// that does not take a call leaves it to the next. Only a strowger daemon honours it.
        priority: Option<At<u16>>,
        /// When the rule takes calls; without it, at all hours. Only a strowger daemon honours it.
        schedule: Option<At<ScheduleTable>>,
        /// Whose calls are refused, whatever a later rule would say. Only a strowger daemon honours it.
        block: Option<At<BlockTable>>,
        /// Where calls go, in shares: `"agent.NAME"` or `"room.NAME"` with its weight, in place of the rule's own agent
        /// or room. A caller always comes to the same one. Only a strowger daemon honours it.
        split: Option<At<BTreeMap<String, Keyed<u16>>>>,
        /// Gateways to try after the number's own; on outbound rules only. Only a strowger daemon honours it.
        failover: Option<At<FailoverTable>>,
    }
);

table!(
    /// Who may call. A caller has to be on both lists; a list that is absent admits everybody.
    AllowTable {
        /// Callers: numbers in E.164 form, prefixes such as `+1415*`, or ranges such as `+14155550100..+14155550199`.
        #[schemars(example = ["+1*"])]
        callers: Option<At<Vec<At<String>>>>,
        /// Where calls may come from: addresses, networks, or `provider.NAME` for that provider's addresses.
        #[schemars(example = "provider.telnyx")]
        ips: Option<At<OneOrMany>>,
    }
);

/// Who may call.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Allow {
    /// Everybody, said in so many words.
    Everybody(Everybody),
    /// Those on the lists.
    Listed(AllowTable),
}

/// The word for an open door.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Everybody {
    /// Whoever reaches the number.
    Everybody,
}

impl FromToml for Allow {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
        match slot.value {
            DeValue::String(word) if word == "everybody" => Some(Self::Everybody(Everybody::Everybody)),
            DeValue::String(word) => {
                let literal = cx.is_literal(&slot.span, word);
                let finding = rules::unknown_word(&slot.shown(), word, slot.span.clone(), &["everybody"], literal);
                cx.findings.push(finding);
                None
            }
            DeValue::Table(_) => AllowTable::from_toml(slot, cx).map(Self::Listed),
            _ => {
                slot.wrong_type("a table with `callers` and `ips`, or \"everybody\"", cx);
                None
            }
        }
    }
}

/// The name of a room, or a room.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum RuleRoom {
    /// The name of a `[room]` table.
    Named(String),
    /// A room of this rule alone.
    Inline(RoomTable),
}

impl FromToml for RuleRoom {
    fn from_toml(slot: &Slot<'_>, cx: &mut Cx<'_>) -> Option<Self> {
        match slot.value {
            DeValue::String(name) => Some(Self::Named(name.to_string())),
            DeValue::Table(_) => RoomTable::from_toml(slot, cx).map(Self::Inline),
            _ => {
                slot.wrong_type("the name of a room or a table", cx);
                None
            }
        }
    }
}
