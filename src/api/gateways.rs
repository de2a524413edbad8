//! Gateways: updated through their numbers, deleted under their older paths.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{Endpoint, Message, Method, Nothing, Patch, WireSecret};

/// Credentials on the wire. A part that is missing is read as an empty one, so that one place judges both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    /// The digest user name.
    #[serde(default)]
    pub username: String,
    /// The digest password; masked in what the server sends.
    #[serde(default)]
    pub password: WireSecret,
}

/// A gateway of one direction, as it is returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(default, alias = "sipRegion")]
    pub geo_region: Option<String>,
    /// What else the far side says.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `PATCH /v2/sip/phone-numbers/gateways/{gatewayId}`: changes one gateway, for every number on it.
#[derive(Debug)]
pub struct UpdateGateway;

impl Endpoint for UpdateGateway {
    const METHOD: Method = Method::Patch;
    const PATH: &'static str = "/v2/sip/phone-numbers/gateways/{gatewayId}";
    type Path = String;
    type Query = Nothing;
    type Body = GatewayPatch;
    type Reply = Message;
}

/// What changes on a gateway. `address`, `transport` and `auth` belong to outbound gateways alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// `DELETE /v2/sip/inbound-gateways/{gatewayId}`.
#[derive(Debug)]
pub struct DeleteInboundGateway;

impl Endpoint for DeleteInboundGateway {
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/v2/sip/inbound-gateways/{gatewayId}";
    type Path = String;
    type Query = Nothing;
    type Body = Nothing;
    type Reply = Message;
}

/// `DELETE /v2/sip/outbound-gateways/{gatewayId}`.
#[derive(Debug)]
pub struct DeleteOutboundGateway;

impl Endpoint for DeleteOutboundGateway {
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/v2/sip/outbound-gateways/{gatewayId}";
    type Path = String;
    type Query = Nothing;
    type Body = Nothing;
    type Reply = Message;
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
}
