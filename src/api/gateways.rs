//! Gateways: updated through their numbers, and whole under their older paths.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::endpoint::endpoints;
use super::{Message, Page, Patch, WireSecret};

/// Credentials on the wire. A part that is missing is read as an empty one, so that one place judges both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Auth {
    /// The digest user name.
    #[serde(default)]
    pub username: String,
    /// The digest password; masked in what the server sends.
    #[serde(default)]
    pub password: WireSecret,
}

/// A gateway of one direction, as it is returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    /// Opaque.
    pub id: String,
    /// The label.
    #[serde(default)]
    pub name: Option<String>,
    /// Where outbound calls are sent; `null` on an inbound gateway.
    #[serde(default)]
    pub address: Option<String>,
    /// Every number on the gateway.
    #[serde(default, deserialize_with = "null_is_default")]
    pub numbers: Vec<String>,
    /// `enable` or `disable`.
    #[serde(default)]
    pub media_encryption: Option<String>,
    /// `udp`, `tcp` or `tls`; meaningful on outbound gateways.
    #[serde(default)]
    pub transport: Option<String>,
    /// Credentials; `null`, absent and `{}` all mean none.
    #[serde(default, deserialize_with = "auth_or_none")]
    pub auth: Option<Auth>,
    /// The region, called `sipRegion` in requests.
    #[serde(default)]
    pub geo_region: Option<String>,
    /// What else the far side says.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Gateway {
    /// The region, in whichever spelling it came; some answers have both (contract section 14).
    pub fn region(&self) -> Option<&str> {
        self.geo_region.as_deref().or_else(|| self.extra.get("sipRegion")?.as_str())
    }
}

endpoints! {
    /// `PATCH /v2/sip/phone-numbers/gateways/{gatewayId}`: changes one gateway, for every number on it.
    UpdateGateway: Patch "/v2/sip/phone-numbers/gateways/{gatewayId}" { path: String, body: GatewayPatch, reply: Message }
}

/// What changes on a gateway. `address`, `transport` and `auth` belong to outbound gateways alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayPatch {
    /// The label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `enable` or `disable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_encryption: Option<String>,
    /// The region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_region: Option<String>,
    /// The region in its other spelling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geo_region: Option<String>,
    /// Where outbound calls are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `udp`, `tcp` or `tls`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// Credentials; `null` removes them.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub auth: Patch<Auth>,
    /// What else was sent: some of it is refused by name.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

endpoints! {
    /// `POST /v2/sip/inbound-gateways`.
    CreateInboundGateway: Post "/v2/sip/inbound-gateways" { body: NewTrunk, reply: Trunk }
    /// `GET /v2/sip/inbound-gateways`.
    ListInboundGateways: Get "/v2/sip/inbound-gateways" { query: TrunksQuery, reply: Page<Trunk> }
    /// `GET /v2/sip/inbound-gateways/{gatewayId}`.
    GetInboundGateway: Get "/v2/sip/inbound-gateways/{gatewayId}" { path: String, reply: Trunk }
    /// `PATCH /v2/sip/inbound-gateways/{gatewayId}`.
    UpdateInboundGateway: Patch "/v2/sip/inbound-gateways/{gatewayId}" { path: String, body: TrunkPatch, reply: Trunk }
    /// `DELETE /v2/sip/inbound-gateways/{gatewayId}`.
    DeleteInboundGateway: Delete "/v2/sip/inbound-gateways/{gatewayId}" { path: String, reply: Message }
    /// `POST /v2/sip/outbound-gateways`.
    CreateOutboundGateway: Post "/v2/sip/outbound-gateways" { body: NewTrunk, reply: Trunk }
    /// `GET /v2/sip/outbound-gateways`.
    ListOutboundGateways: Get "/v2/sip/outbound-gateways" { query: TrunksQuery, reply: Page<Trunk> }
    /// `GET /v2/sip/outbound-gateways/{gatewayId}`.
    GetOutboundGateway: Get "/v2/sip/outbound-gateways/{gatewayId}" { path: String, reply: Trunk }
    /// `PATCH /v2/sip/outbound-gateways/{gatewayId}`.
    UpdateOutboundGateway: Patch "/v2/sip/outbound-gateways/{gatewayId}" { path: String, body: TrunkPatch, reply: Trunk }
    /// `DELETE /v2/sip/outbound-gateways/{gatewayId}`.
    DeleteOutboundGateway: Delete "/v2/sip/outbound-gateways/{gatewayId}" { path: String, reply: Message }
}

/// A gateway under its older paths, where it has more fields (contract section 12).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trunk {
    /// What only the older paths know.
    #[serde(flatten)]
    pub settings: TrunkSettings,
    /// What the newer ones know too.
    #[serde(flatten)]
    pub gateway: Gateway,
}

/// The fields of a gateway that only the older paths know.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TrunkSettings {
    /// Addresses that may call.
    #[serde(deserialize_with = "null_is_default")]
    pub allowed_addresses: Vec<String>,
    /// Callers who may pass.
    #[serde(deserialize_with = "null_is_default")]
    pub allowed_numbers: Vec<String>,
    /// Whether calls are recorded.
    #[serde(deserialize_with = "null_is_default")]
    pub record: bool,
    /// Whether the caller's noise is reduced.
    #[serde(deserialize_with = "null_is_default")]
    pub noise_cancellation: bool,
    /// Whether digits are told to the room.
    #[serde(deserialize_with = "null_is_default")]
    pub enable_dtmf: bool,
    /// Free labels.
    #[serde(deserialize_with = "null_is_default")]
    pub tags: Vec<String>,
    /// Free texts by name.
    #[serde(deserialize_with = "null_is_default")]
    pub metadata: BTreeMap<String, String>,
}

/// A gateway of one direction to create, under its older path. The address belongs to outbound ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewTrunk {
    /// The label.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Every field that may be changed later.
    #[serde(flatten)]
    pub fields: TrunkPatch,
}

/// What changes of a gateway under its older path. Absent keeps, except for the three truth values, which fall
/// back to false, and the region, which is cleared (contract section 12).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TrunkPatch {
    /// The label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The numbers; they replace those before.
    #[schemars(inner(regex(pattern = r"^\+[1-9][0-9]{6,14}$")))]
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub numbers: Patch<Vec<String>>,
    /// Where outbound calls are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `udp`, `tcp` or `tls`; `tls` when absent at creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// Credentials; `null` removes them.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub auth: Patch<Auth>,
    /// `enable` or `disable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_encryption: Option<String>,
    /// The region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geo_region: Option<String>,
    /// Addresses that may call.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub allowed_addresses: Patch<Vec<String>>,
    /// Callers who may pass.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub allowed_numbers: Patch<Vec<String>>,
    /// Whether calls are recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<bool>,
    /// Whether the caller's noise is reduced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_cancellation: Option<bool>,
    /// Whether digits are told to the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_dtmf: Option<bool>,
    /// Free labels.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub tags: Patch<Vec<String>>,
    /// Free texts by name.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub metadata: Patch<BTreeMap<String, String>>,
}

/// Which page of which gateways of one direction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TrunksQuery {
    /// The page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Items a page; 20 when absent, 100 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_page: Option<u32>,
    /// The gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Part of the name, the address or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
}

/// Reads `null` as the default of the type.
pub(super) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn auth_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Auth>, D::Error> {
    #[derive(Deserialize)]
    struct Loose {
        username: Option<String>,
        password: Option<WireSecret>,
    }
    Ok(Option::<Loose>::deserialize(deserializer)?.and_then(|auth| {
        let username = auth.username?;
        Some(Auth { username, password: auth.password.unwrap_or_else(|| WireSecret::new("")) })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credentials_have_three_spellings() {
        for auth in [r#""auth":null,"#, r#""auth":{},"#, ""] {
            let gateway: Gateway =
                serde_json::from_str(&format!(r#"{{{auth}"id":"g","numbers":null,"new":1}}"#)).unwrap();
            assert_eq!(gateway.auth, None);
            assert_eq!(gateway.extra["new"], 1);
        }
    }

    #[test]
    fn the_region_is_read_in_either_spelling_and_in_both() {
        for region in [r#""geoRegion":"us002""#, r#""sipRegion":"us002""#, r#""sipRegion":"us002","geoRegion":"us002""#]
        {
            let gateway: Gateway = serde_json::from_str(&format!(r#"{{"id":"g",{region}}}"#)).unwrap();
            assert_eq!(gateway.region(), Some("us002"));
        }
    }
}
