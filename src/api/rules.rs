//! Routing rules.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::endpoint::endpoints;
use super::gateways::null_is_default;
use super::{Beyond, Page, Patch, WireSecret, Word};
use crate::model::{
    AgentTarget, AllowList, Direction, E164, IncludeHeaders, Malformed, RoomMode, RoomPrefix, RoomTarget,
    RoutingRule as Rule, RuleKind, Secret,
};

/// The `room` object of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Room {
    /// `static` or `dynamic`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How the id of a dynamic room is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Word<RoomPrefix>>,
    /// The id of a static room.
    #[serde(default)]
    pub id: Option<String>,
    /// Digits to enter before joining; returned in clear.
    #[serde(default)]
    pub pin: Option<WireSecret>,
}

/// A routing rule as it is returned: flat, without an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoutingRule {
    /// Opaque.
    pub id: String,
    /// The label.
    #[serde(default)]
    pub name: String,
    /// `inbound` or `outbound`.
    #[serde(rename = "type")]
    pub kind: Word<Direction>,
    /// The numbers, called `phoneNumbers` in requests.
    #[serde(default, deserialize_with = "null_is_default")]
    pub numbers: Vec<String>,
    /// The room.
    #[serde(default)]
    pub room: Option<Room>,
    /// The agent.
    #[serde(default)]
    pub agent_id: Option<String>,
    /// What the agent is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_metadata: Option<Map<String, Value>>,
    /// The API key that the rule belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<WireSecret>,
    /// Which SIP headers are shown to the room.
    #[serde(default)]
    pub include_headers: Option<Word<IncludeHeaders>>,
    /// SIP header to participant attribute; on inbound rules only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers_to_attributes: Option<BTreeMap<String, String>>,
    /// Headers put on the INVITE; on outbound rules only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// Callers who may pass; empty for all.
    #[serde(default, deserialize_with = "null_is_default")]
    pub allowed_numbers: Vec<String>,
    /// Addresses that may pass; empty for all.
    #[serde(default, deserialize_with = "null_is_default")]
    pub allowed_ip_addresses: Vec<String>,
    /// Free labels.
    #[serde(default, deserialize_with = "null_is_default")]
    pub tags: Vec<String>,
    /// Whether the call is recorded.
    #[serde(default, deserialize_with = "null_is_default")]
    pub recording: bool,
    /// Whether digits are told to the room.
    #[serde(default, deserialize_with = "null_is_default")]
    pub dtmf: bool,
    /// Whether the caller's noise is reduced.
    #[serde(default, deserialize_with = "null_is_default")]
    pub noise_cancellation: bool,
    /// Whether the caller's number is hidden.
    #[serde(default, deserialize_with = "null_is_default")]
    pub hide_phone_number: bool,
    /// What only our own runtime honours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strowger: Option<Beyond>,
    /// When the rule was created.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When the rule was last changed.
    #[serde(default)]
    pub updated_at: Option<String>,
    /// What else the far side says.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl RoutingRule {
    /// What the rule does. Malformed entries of its allow-lists are kept, and admit nobody.
    ///
    /// # Errors
    /// When the rule holds a word or a number that is not understood here.
    pub fn to_model(&self) -> Result<Rule<Secret>, Malformed> {
        let direction = self.kind.known("type")?;
        let numbers = self
            .numbers
            .iter()
            .map(|text| text.parse::<E164>().map_err(|why| Malformed::new(format!("number `{text}`: {why}"))))
            .collect::<Result<BTreeSet<_>, _>>()?;
        let agent = match self.agent_id.as_deref().filter(|id| !id.is_empty()) {
            None => None,
            Some(id) => {
                Some(AgentTarget { id: id.parse()?, metadata: self.agent_metadata.clone().unwrap_or_default() })
            }
        };
        let room = self.room.as_ref().map(Room::to_model).transpose()?.flatten();
        let include_headers = match &self.include_headers {
            None => IncludeHeaders::None,
            Some(word) => word.known("includeHeaders")?,
        };
        let kind = match direction {
            Direction::Inbound => {
                RuleKind::Inbound { headers_to_attributes: self.headers_to_attributes.clone().unwrap_or_default() }
            }
            Direction::Outbound => RuleKind::Outbound { headers: self.headers.clone().unwrap_or_default() },
        };
        Ok(Rule {
            name: self.name.clone(),
            kind,
            numbers,
            agent,
            room,
            allowed_callers: AllowList::read(self.allowed_numbers.iter().map(String::as_str)),
            allowed_sources: AllowList::read(self.allowed_ip_addresses.iter().map(String::as_str)),
            include_headers,
            tags: self.tags.iter().cloned().collect(),
            api_key: self.api_key.as_ref().map(|key| key.0.clone()).filter(|key| !key.expose().is_empty()),
            recording: self.recording,
            dtmf: self.dtmf,
            noise_cancellation: self.noise_cancellation,
            hide_caller: self.hide_phone_number,
            beyond: self.strowger.as_ref().map(Beyond::to_model).transpose()?.unwrap_or_default(),
        })
    }
}

impl Room {
    /// The room of a rule as the wire writes it.
    pub fn from_model(room: &RoomTarget<Secret>) -> Self {
        let (kind, prefix, id) = match &room.mode {
            RoomMode::Static(id) => ("static", None, Some(id.to_string())),
            RoomMode::Dynamic(prefix) => ("dynamic", Some(Word::Known(*prefix)), None),
        };
        Self { kind: Some(kind.to_owned()), prefix, id, pin: room.pin.clone().map(WireSecret) }
    }

    /// What the room means; none for an object without a type.
    ///
    /// # Errors
    /// For an unknown type or prefix, or a static room without an id.
    pub fn to_model(&self) -> Result<Option<RoomTarget<Secret>>, Malformed> {
        let mode = match self.kind.as_deref() {
            None => return Ok(None),
            Some(kind) if kind.eq_ignore_ascii_case("static") => match self.id.as_deref() {
                Some(id) if !id.is_empty() => RoomMode::Static(id.parse()?),
                _ => return Err(Malformed::new("a static room needs an id")),
            },
            Some(kind) if kind.eq_ignore_ascii_case("dynamic") => match &self.prefix {
                None => RoomMode::Dynamic(RoomPrefix::None),
                Some(prefix) => RoomMode::Dynamic(prefix.known("room.prefix")?),
            },
            Some(kind) => {
                return Err(Malformed::new(format!("room.type `{kind}` is not known; it is static or dynamic")));
            }
        };
        let pin = self.pin.as_ref().map(|pin| pin.0.clone()).filter(|pin| !pin.expose().is_empty());
        Ok(Some(RoomTarget { mode, pin }))
    }
}

endpoints! {
    /// `POST /v2/sip/routing-rule`.
    CreateRule: Post "/v2/sip/routing-rule" { body: NewRule, reply: RoutingRule; SUCCESS: u16 = 201 }
}

/// A rule to create: its type, which never changes, and its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewRule {
    /// `inbound` or `outbound`.
    #[serde(rename = "type")]
    pub kind: Word<Direction>,
    /// The fields.
    #[serde(flatten)]
    pub fields: RulePatch,
}

endpoints! {
    /// `PATCH /v2/sip/routing-rule/{ruleId}`.
    // A patch sends the complete desired state, so a second one changes nothing.
    UpdateRule: Patch "/v2/sip/routing-rule/{ruleId}" { path: String, body: RulePatch, reply: RoutingRule; IDEMPOTENT: bool = true }
}

/// The fields of a rule that may be written: absent keeps, `null` and empty clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RulePatch {
    /// The label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The numbers; they replace those before.
    #[schemars(inner(regex(pattern = r"^\+[1-9][0-9]{6,14}$")))]
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub phone_numbers: Patch<Vec<String>>,
    /// The API key that the rule belongs to.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub api_key: Patch<WireSecret>,
    /// The agent.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub agent_id: Patch<String>,
    /// What the agent is told.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub agent_metadata: Patch<Map<String, Value>>,
    /// The room, whole.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub room: Patch<Room>,
    /// Which SIP headers are shown to the room.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub include_headers: Patch<Word<IncludeHeaders>>,
    /// SIP header to participant attribute; refused on outbound rules.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub headers_to_attributes: Patch<BTreeMap<String, String>>,
    /// Headers put on the INVITE; refused on inbound rules.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub headers: Patch<BTreeMap<String, String>>,
    /// Callers who may pass.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub allowed_numbers: Patch<Vec<String>>,
    /// Addresses that may pass.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub allowed_ip_addresses: Patch<Vec<String>>,
    /// Free labels.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub tags: Patch<Vec<String>>,
    /// Whether the call is recorded.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub recording: Patch<bool>,
    /// Whether digits are told to the room.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub dtmf: Patch<bool>,
    /// Whether the caller's noise is reduced.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub noise_cancellation: Patch<bool>,
    /// Whether the caller's number is hidden.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub hide_phone_number: Patch<bool>,
    /// What only our own runtime honours, whole.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub strowger: Patch<Beyond>,
}

impl RulePatch {
    /// The complete desired state of a rule, with the tags given.
    pub fn from_model(rule: &Rule<Secret>, tags: Vec<String>) -> Self {
        let (headers_to_attributes, headers) = match &rule.kind {
            RuleKind::Inbound { headers_to_attributes } => (Patch::Set(headers_to_attributes.clone()), Patch::Keep),
            RuleKind::Outbound { headers } => (Patch::Keep, Patch::Set(headers.clone())),
        };
        Self {
            name: Some(rule.name.clone()),
            phone_numbers: Patch::Set(rule.numbers.iter().map(E164::to_string).collect()),
            // A rule that names no key keeps the one it has.
            api_key: rule.api_key.clone().map_or(Patch::Keep, |key| Patch::Set(WireSecret(key))),
            agent_id: Patch::full(rule.agent.as_ref().map(|agent| agent.id.to_string())),
            agent_metadata: Patch::full(rule.agent.as_ref().map(|agent| agent.metadata.clone())),
            room: Patch::full(rule.room.as_ref().map(Room::from_model)),
            include_headers: Patch::Set(Word::Known(rule.include_headers)),
            headers_to_attributes,
            headers,
            allowed_numbers: Patch::Set(rule.allowed_callers.texts()),
            allowed_ip_addresses: Patch::Set(rule.allowed_sources.texts()),
            tags: Patch::Set(tags),
            recording: Patch::Set(rule.recording),
            dtmf: Patch::Set(rule.dtmf),
            noise_cancellation: Patch::Set(rule.noise_cancellation),
            hide_phone_number: Patch::Set(rule.hide_caller),
            // A far side that does not know it is not told of it.
            strowger: match rule.beyond.is_plain() {
                true => Patch::Keep,
                false => Patch::Set(Beyond::from_model(&rule.beyond)),
            },
        }
    }

    /// The numbers alone.
    pub fn numbers(numbers: impl IntoIterator<Item = E164>) -> Self {
        let numbers = numbers.into_iter().map(|number| number.to_string()).collect();
        Self { phone_numbers: Patch::Set(numbers), ..Self::default() }
    }

    /// Whether the patch has no field.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Changes a rule. Which changes are refused is decided by who holds the rule.
    pub fn apply(self, rule: &mut RoutingRule) {
        if let Some(name) = self.name {
            rule.name = name;
        }
        self.phone_numbers.apply_or_default(&mut rule.numbers);
        self.api_key.apply(&mut rule.api_key);
        self.agent_id.apply(&mut rule.agent_id);
        self.agent_metadata.apply(&mut rule.agent_metadata);
        self.room.apply(&mut rule.room);
        self.include_headers.apply(&mut rule.include_headers);
        self.headers_to_attributes.apply(&mut rule.headers_to_attributes);
        self.headers.apply(&mut rule.headers);
        self.allowed_numbers.apply_or_default(&mut rule.allowed_numbers);
        self.allowed_ip_addresses.apply_or_default(&mut rule.allowed_ip_addresses);
        self.tags.apply_or_default(&mut rule.tags);
        self.recording.apply_or_default(&mut rule.recording);
        self.dtmf.apply_or_default(&mut rule.dtmf);
        self.noise_cancellation.apply_or_default(&mut rule.noise_cancellation);
        self.hide_phone_number.apply_or_default(&mut rule.hide_phone_number);
        self.strowger.apply(&mut rule.strowger);
    }
}

endpoints! {
    /// `GET /v2/sip/routing-rule`.
    ListRules: Get "/v2/sip/routing-rule" { query: RulesQuery, reply: Page<RoutingRule> }
}

/// Which page of which rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RulesQuery {
    /// The page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Items a page; 10 when absent, 100 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_page: Option<u32>,
    /// Part of the name or of a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// `inbound` or `outbound`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Word<Direction>>,
    /// Ids, separated by commas.
    #[serde(alias = "id", skip_serializing_if = "Option::is_none")]
    pub rule_ids: Option<String>,
    /// A gateway that one of the numbers stands on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_id: Option<String>,
    /// `static` or `dynamic`, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_type: Option<String>,
}

endpoints! {
    /// `GET /v2/sip/routing-rule/{ruleId}`.
    GetRule: Get "/v2/sip/routing-rule/{ruleId}" { path: String, reply: RoutingRule }
}

endpoints! {
    /// `DELETE /v2/sip/routing-rule/{ruleId}`.
    DeleteRule: Delete "/v2/sip/routing-rule/{ruleId}" { path: String, reply: DeletedRule }
}

/// Rewrites the body of a rule in its older shape (contract section 12) into that of now; another body stays as it is.
///
/// The older shape calls the numbers `numbers`, and holds room and agent under `dispatch`. Its `gatewayId` says no
/// more than the numbers do, which are on their gateways already.
pub fn from_older_rule(body: &mut Value) {
    let Some(rule) = body.as_object_mut() else { return };
    let mut older = Map::new();
    if let Some(numbers) = rule.remove("numbers") {
        older.insert("phoneNumbers".to_owned(), numbers);
    }
    if let Some(Value::Object(mut dispatch)) = rule.remove("dispatch") {
        if let Some(room) = dispatch.remove("room") {
            older.insert("room".to_owned(), room);
        }
        if let Some(Value::Object(mut agent)) = dispatch.remove("agent") {
            let fields = [("id", "agentId"), ("metadata", "agentMetadata")];
            older.extend(fields.into_iter().filter_map(|(old, new)| Some((new.to_owned(), agent.remove(old)?))));
        }
    }
    for (key, value) in older {
        // What is said in the shape of now wins.
        rule.entry(key).or_insert(value);
    }
}

/// A rule that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeletedRule {
    /// What was done.
    #[serde(default)]
    pub message: String,
    /// Its id.
    #[serde(default)]
    pub rule_id: Option<String>,
}

#[cfg(test)]
mod tests;
