//! Routing rules.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::gateways::null_is_default;
use super::{Endpoint, Method, Nothing, Page, Patch, WireSecret};
use crate::model::{
    AgentTarget, AllowList, Direction, E164, IncludeHeaders, Malformed, RoomMode, RoomPrefix, RoomTarget,
    RoutingRule as Rule, RuleKind, Secret,
};

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

/// The `room` object of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// When the rule was created.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When the rule was last changed.
    #[serde(default)]
    pub updated_at: Option<String>,
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

/// `POST /v2/sip/routing-rule`.
#[derive(Debug)]
pub struct CreateRule;

impl Endpoint for CreateRule {
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v2/sip/routing-rule";
    const SUCCESS: u16 = 201;
    type Path = ();
    type Query = Nothing;
    type Body = NewRule;
    type Reply = RoutingRule;
}

/// A rule to create: its type, which never changes, and its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRule {
    /// `inbound` or `outbound`.
    #[serde(rename = "type")]
    pub kind: Word<Direction>,
    /// The fields.
    #[serde(flatten)]
    pub fields: RulePatch,
}

/// `PATCH /v2/sip/routing-rule/{ruleId}`.
#[derive(Debug)]
pub struct UpdateRule;

impl Endpoint for UpdateRule {
    const METHOD: Method = Method::Patch;
    const PATH: &'static str = "/v2/sip/routing-rule/{ruleId}";
    // A patch sends the complete desired state, so a second one changes nothing.
    const IDEMPOTENT: bool = true;
    type Path = String;
    type Query = Nothing;
    type Body = RulePatch;
    type Reply = RoutingRule;
}

/// The fields of a rule that may be written: absent keeps, `null` and empty clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RulePatch {
    /// The label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The numbers; they replace those before.
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
    }
}

/// `GET /v2/sip/routing-rule`.
#[derive(Debug)]
pub struct ListRules;

impl Endpoint for ListRules {
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v2/sip/routing-rule";
    type Path = ();
    type Query = RulesQuery;
    type Body = Nothing;
    type Reply = Page<RoutingRule>;
}

/// Which page of which rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_ids: Option<String>,
    /// `static` or `dynamic`, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_type: Option<String>,
}

/// `GET /v2/sip/routing-rule/{ruleId}`.
#[derive(Debug)]
pub struct GetRule;

impl Endpoint for GetRule {
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v2/sip/routing-rule/{ruleId}";
    type Path = String;
    type Query = Nothing;
    type Body = Nothing;
    type Reply = RoutingRule;
}

/// `DELETE /v2/sip/routing-rule/{ruleId}`.
#[derive(Debug)]
pub struct DeleteRule;

impl Endpoint for DeleteRule {
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/v2/sip/routing-rule/{ruleId}";
    type Path = String;
    type Query = Nothing;
    type Body = Nothing;
    type Reply = DeletedRule;
}

/// A rule that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
mod tests {
    use super::*;

    #[test]
    fn absent_keeps_and_null_clears() {
        let mut rule: RoutingRule =
            serde_json::from_str(r#"{"id":"r","type":"INBOUND","tags":["a"],"agentId":"x","unknown":1}"#).unwrap();
        assert_eq!(rule.kind, Word::Known(Direction::Inbound));
        let patch: RulePatch = serde_json::from_str(r#"{"agentId":null}"#).unwrap();
        patch.apply(&mut rule);
        assert_eq!((rule.agent_id.clone(), rule.tags.len()), (None, 1));
        let patch: RulePatch = serde_json::from_str(r#"{"tags":[]}"#).unwrap();
        assert!(!patch.is_empty());
        patch.apply(&mut rule);
        assert!(rule.tags.is_empty());
    }

    #[test]
    fn an_unknown_word_survives_reading() {
        let rule: RoutingRule =
            serde_json::from_str(r#"{"id":"r","type":"inbound","includeHeaders":"SOME","room":{"type":"dynamic"}}"#)
                .unwrap();
        assert!(serde_json::to_string(&rule).unwrap().contains("SOME"));
        assert!(rule.to_model().is_err());
    }

    #[test]
    fn what_is_written_reads_back_as_the_same_rule() {
        let written = Rule {
            name: "main".into(),
            kind: RuleKind::Inbound { headers_to_attributes: BTreeMap::from([("X-A".into(), "a".into())]) },
            numbers: BTreeSet::from(["+14155550100".parse().unwrap()]),
            agent: None,
            room: Some(RoomTarget { mode: RoomMode::Dynamic(RoomPrefix::SipNumber), pin: Some(Secret::new("1234")) }),
            allowed_callers: AllowList::of(["+1*".parse().unwrap()]),
            allowed_sources: AllowList::default(),
            include_headers: IncludeHeaders::SipXHeaders,
            tags: BTreeSet::from(["t".to_owned()]),
            api_key: Some(Secret::new("ak_example")),
            recording: true,
            dtmf: false,
            noise_cancellation: false,
            hide_caller: true,
        };
        let mut wire: RoutingRule = serde_json::from_str(r#"{"id":"r","type":"inbound"}"#).unwrap();
        let patch = RulePatch::from_model(&written, vec!["t".into()]);
        let text = serde_json::to_string(&patch).unwrap();
        serde_json::from_str::<RulePatch>(&text).unwrap().apply(&mut wire);
        assert_eq!(wire.to_model().unwrap(), written);
    }
}
