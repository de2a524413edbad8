//! Webhooks: where events of calls are sent, and the key that their signatures are checked with.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::endpoint::endpoints;
use super::gateways::null_is_default;
use super::{Message, Page};

/// Every event of the contract (section 8.2).
pub const WEBHOOK_EVENTS: &[&str] = &[
    "call-started",
    "call-answered",
    "call-hangup",
    "call-transferred",
    "call-missed",
    "call-update",
    "call-ringing",
    "call-transfer-initiated",
    "call-transfer-accepted",
    "call-transferring",
    "call-transfer-ringing",
    "call-transfer-failed",
    "switch-room-initiated",
    "switch-room-completed",
    "switch-room-failed",
];

endpoints! {
    /// `POST /v2/sip/webhooks`.
    CreateWebhook: Post "/v2/sip/webhooks" { body: NewWebhook, reply: Webhook }
    /// `GET /v2/sip/webhooks`.
    ListWebhooks: Get "/v2/sip/webhooks" { query: WebhooksQuery, reply: Page<Webhook> }
    /// `GET /v2/sip/webhooks/{webhookId}`.
    GetWebhook: Get "/v2/sip/webhooks/{webhookId}" { path: String, reply: Webhook }
    /// `PATCH /v2/sip/webhooks/{webhookId}`.
    UpdateWebhook: Patch "/v2/sip/webhooks/{webhookId}" { path: String, body: WebhookPatch, reply: Webhook; IDEMPOTENT: bool = true }
    /// `DELETE /v2/sip/webhooks/{webhookId}`.
    DeleteWebhook: Delete "/v2/sip/webhooks/{webhookId}" { path: String, reply: Message }
    /// `GET /v2/public/rsa-public-key`: the key that signatures of events are checked with. Needs no token.
    GetPublicKey: Get "/v2/public/rsa-public-key" { reply: PublicKey }
}

/// A webhook as it is returned: with its id twice, because lists name it otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Webhook {
    /// Opaque.
    pub id: String,
    /// The id again.
    pub webhook_id: String,
    /// Where events are sent.
    pub url: String,
    /// Which events.
    #[serde(deserialize_with = "null_is_default")]
    pub events: Vec<String>,
    /// When it was created.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
}

impl Webhook {
    /// The id, whichever spelling it came in.
    pub fn any_id(&self) -> &str {
        if self.id.is_empty() { &self.webhook_id } else { &self.id }
    }
}

/// The schema of a list of events.
fn events(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"type": "string", "enum": WEBHOOK_EVENTS}})
}

/// A webhook to create.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewWebhook {
    /// Where events are sent: `https://…`, or `http://…`.
    #[schemars(url, example = "https://example.com/events")]
    pub url: String,
    /// Which events; at least one.
    #[schemars(length(min = 1), schema_with = "events")]
    pub events: Vec<String>,
}

/// What changes of a webhook. Empty means the same as absent: the vendor's crate sends what it leaves alone as empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WebhookPatch {
    /// Where events are sent.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Which events.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
}

/// Which page of which webhooks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WebhooksQuery {
    /// The page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Items a page; 20 when absent, 100 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_page: Option<u32>,
    /// Part of the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
}

/// A public key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublicKey {
    /// The key, as PEM.
    pub public_key: String,
}
