//! Phone numbers, and the gateways that are made with them.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::endpoint::endpoints;
use super::gateways::null_is_default;
use super::{Auth, Gateway, Page};

/// A phone number as it is returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhoneNumber {
    /// Opaque.
    pub phone_number_id: String,
    /// The number.
    pub e164: String,
    /// `ACTIVE`.
    #[serde(default)]
    pub status: Option<String>,
    /// The label given at creation.
    #[serde(default)]
    pub name: Option<String>,
    /// `SIP Configured` for a number brought in, `PURCHASED` for one bought from the vendor.
    #[serde(default)]
    pub origin: Option<String>,
    /// What else the far side says.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A number with its gateways, `null` where it is detached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NumberItem {
    /// The number.
    pub phone_number: PhoneNumber,
    /// The gateway its calls come in by.
    #[serde(default)]
    pub inbound: Option<Gateway>,
    /// The gateway its calls go out by.
    #[serde(default)]
    pub outbound: Option<Gateway>,
}

endpoints! {
    /// `POST /v2/sip/phone-numbers`: numbers with new gateways, all or nothing.
    CreateNumbers: Post "/v2/sip/phone-numbers" { body: NewNumbers, reply: CreatedNumbers; SUCCESS: u16 = 201 }
}

/// Numbers to create, and the gateways to create with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewNumbers {
    /// The label of the numbers and of their gateways.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub name: String,
    /// The numbers.
    #[schemars(inner(regex(pattern = r"^\+[1-9][0-9]{6,14}$")), length(min = 1))]
    #[serde(default, deserialize_with = "null_is_default")]
    pub phone_numbers: Vec<String>,
    /// One pair of gateways for all, or a pair each. Some clients send it as text.
    #[serde(default = "yes", deserialize_with = "flag")]
    pub is_shared: bool,
    /// `enable` or `disable`, for both gateways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_encryption: Option<String>,
    /// The inbound side.
    pub inbound: InboundSide,
    /// The outbound side.
    pub outbound: OutboundSide,
}

/// The inbound gateway to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InboundSide {
    /// Its region; `auto` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_region: Option<String>,
}

/// The outbound gateway to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutboundSide {
    /// A host and perhaps a port.
    #[schemars(example = "sip.example.com:5061", length(min = 1))]
    #[serde(default)]
    pub address: String,
    /// Its region; `auto` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_region: Option<String>,
    /// `udp`, `tcp` or `tls`; `tls` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// Credentials, both or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
}

/// What a creation answers. Only `message` is certain; ids are learned by reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreatedNumbers {
    /// What was done.
    #[serde(default)]
    pub message: String,
    /// The numbers with their gateways, where the far side says so.
    #[serde(default, deserialize_with = "null_is_default")]
    pub data: Vec<NumberItem>,
}

endpoints! {
    /// `GET /v2/sip/phone-numbers`.
    ListNumbers: Get "/v2/sip/phone-numbers" { query: NumbersQuery, reply: Page<NumberItem> }
}

/// Which page of which numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NumbersQuery {
    /// The page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Items a page; 20 when absent, 100 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_page: Option<u32>,
    /// Part of the name or number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
}

endpoints! {
    /// `GET /v2/sip/phone-numbers/{e164}`: one number, without an envelope.
    GetNumber: Get "/v2/sip/phone-numbers/{e164}" { path: String, reply: NumberItem }
}

endpoints! {
    /// `POST /v2/sip/phone-numbers/detach`: takes a number off both its gateways.
    DetachNumber: Post "/v2/sip/phone-numbers/detach" { body: DetachBody, reply: Detached }
}

/// Which number to detach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DetachBody {
    /// The number.
    #[serde(default)]
    #[schemars(regex(pattern = r"^\+[1-9][0-9]{6,14}$"))]
    pub phone_number: String,
}

/// A number that was detached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Detached {
    /// What was done.
    #[serde(default)]
    pub message: String,
    /// The number, which stays in the account.
    #[serde(default)]
    pub phone_number: Option<PhoneNumber>,
    /// The id of the inbound gateway that it left.
    #[serde(default)]
    pub inbound: Option<String>,
    /// The id of the outbound gateway that it left.
    #[serde(default)]
    pub outbound: Option<String>,
}

endpoints! {
    /// `POST /v2/sip/phone-numbers/{phoneNumberId}/release`: gives a number back, and takes it off every rule.
    ReleaseNumber: Post "/v2/sip/phone-numbers/{phoneNumberId}/release" { path: String, reply: Released; IDEMPOTENT: bool = true, HAS_BODY: bool = false }
}

/// A number that was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Released {
    /// What was done.
    #[serde(default)]
    pub message: String,
    /// Its id.
    #[serde(default)]
    pub phone_number_id: Option<String>,
    /// The number.
    #[serde(default)]
    pub e164: Option<String>,
}

fn yes() -> bool {
    true
}

/// A flag, which some clients send as text, and some as `null` for "as usual".
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Ok(flag),
        Value::Null => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(serde::de::Error::custom("isShared must be true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_documented_body_is_enough() {
        let body: NewNumbers = serde_json::from_str(
            r#"{"name":"n","phoneNumbers":["+15550100001"],"inbound":{},"outbound":{"address":"a"},"isShared":"false"}"#,
        )
        .unwrap();
        assert!(!body.is_shared);
        assert_eq!(body.outbound.transport, None);
    }

    #[test]
    fn a_password_is_not_debugged() {
        let side = OutboundSide {
            auth: Some(Auth { username: "u".into(), password: super::super::WireSecret::new("hunter2") }),
            ..OutboundSide::default()
        };
        assert!(!format!("{side:?}").contains("hunter2"));
        assert!(serde_json::to_string(&side).unwrap().contains("hunter2"));
    }
}
