//! Calls: placed, listed, ended, and moved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::endpoint::endpoints;
use super::gateways::null_is_default;
use super::{Enveloped, Page, WireSecret, Word};
use crate::model::Direction;

endpoints! {
    /// `POST /v2/sip/call`: places an outbound call.
    CreateCall: Post "/v2/sip/call" { body: NewCall, reply: Enveloped<SipCall> }
    /// `GET /v2/sip/call`: the calls that go on, and those that ended lately; the newest first.
    ListCalls: Get "/v2/sip/call" { query: CallsQuery, reply: Page<SipCall> }
    /// `GET /v2/sip/call/{callId}`.
    GetCall: Get "/v2/sip/call/{callId}" { path: String, reply: Enveloped<SipCall> }
    /// `POST /v2/sip/call/end`: hangs up. A call that is over already is answered as it ended.
    EndCall: Post "/v2/sip/call/end" { body: EndBody, reply: Enveloped<SipCall>; IDEMPOTENT: bool = true }
    /// `POST /v2/sip/call/transfer`: hands an answered call over to another party.
    TransferCall: Post "/v2/sip/call/transfer" { body: TransferBody, reply: Enveloped<SipCall> }
    /// `POST /v2/sip/call/switch-room`: moves an answered call into another room.
    SwitchRoom: Post "/v2/sip/call/switch-room" { body: SwitchRoomBody, reply: Enveloped<SipCall> }
}

/// A call as it is returned. It has its id twice and its numbers twice, because clients read either spelling.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SipCall {
    /// Opaque.
    pub id: String,
    /// The id again.
    pub call_id: String,
    /// `inbound` or `outbound`.
    #[serde(rename = "type")]
    pub kind: Option<Word<Direction>>,
    /// Where it stands, in the words of the contract (section 5.8).
    pub status: Option<String>,
    /// The number that called.
    pub from: Option<String>,
    /// The number that was called.
    pub to: Option<String>,
    /// The number that called, again.
    pub sip_call_from: Option<String>,
    /// The number that was called, again.
    pub sip_call_to: Option<String>,
    /// The SIP transport.
    pub transport: Option<String>,
    /// The provider.
    pub provider: Option<String>,
    /// The gateway that the number stands on.
    pub gateway_id: Option<String>,
    /// The label of that gateway.
    pub gateway_name: Option<String>,
    /// The rule that took it, or came nearest to taking it.
    pub rule_id: Option<String>,
    /// The room it was put into.
    pub room_id: Option<String>,
    /// The session of the room.
    pub session_id: Option<String>,
    /// What is known of a transfer.
    pub transfer: Option<Value>,
    /// What was given with the call when it was placed.
    pub metadata: Option<Map<String, Value>>,
    /// When it began.
    pub start: Option<String>,
    /// When it ended; `null` while it lasts.
    pub end: Option<String>,
    /// When it reached each state.
    #[serde(deserialize_with = "null_is_default")]
    pub timelog: Vec<TimelogEntry>,
    /// The region it ran in.
    pub region: Option<String>,
    /// How it was decided and how it ended, in words.
    pub additional_details: Option<Map<String, Value>>,
    /// What else the far side says.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl SipCall {
    /// The id, whichever spelling it came in.
    pub fn any_id(&self) -> &str {
        if self.call_id.is_empty() { &self.id } else { &self.call_id }
    }
}

/// One state that a call reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TimelogEntry {
    /// The state.
    pub status: String,
    /// When.
    pub timestamp: String,
}

/// A call to place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewCall {
    /// The number that calls; it has to be on the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_call_from: Option<String>,
    /// The number or SIP address to call.
    pub sip_call_to: String,
    /// The outbound rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing_rule_id: Option<String>,
    /// The outbound gateway: the older alternative to a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_id: Option<String>,
    /// The room; the rule's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_room_id: Option<String>,
    /// Who the callee is inside the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<Map<String, Value>>,
    /// Whether the call is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_audio: Option<bool>,
    /// Whether the reply waits for the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_until_answered: Option<bool>,
    /// How long to ring, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ringing_timeout: Option<u32>,
    /// How long the call may last, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_call_duration: Option<u32>,
    /// Whether digits are told to the room (a truth value), or digits to send after the answer (a text).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtmf: Option<Value>,
    /// `enable` or `disable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_encryption: Option<String>,
    /// Whether the caller's number is hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hide_phone_number: Option<bool>,
    /// Headers put on the INVITE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<Map<String, Value>>,
    /// Which SIP headers are shown to the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_headers: Option<String>,
    /// Given back with the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
}

/// Which page of which calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CallsQuery {
    /// The page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Items a page; 10 when absent, 100 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_page: Option<u32>,
    /// The room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_id: Option<String>,
    /// The session of the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_id: Option<String>,
    /// The rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// `inbound` or `outbound`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Word<Direction>>,
    /// Part of either number or of the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Calls that began no earlier, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<i64>,
    /// Calls that began no later than the day (UTC) of this moment, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<i64>,
}

/// Which call to end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndBody {
    /// The call.
    pub call_id: String,
}

/// Which call to hand over, and to whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransferBody {
    /// The call.
    pub call_id: String,
    /// The number or SIP address that takes it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_to: Option<String>,
    /// Who the new party is inside the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<Map<String, Value>>,
    /// Whether a dial tone is played meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub play_dialtone: Option<bool>,
}

/// Which call to move, and into which room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SwitchRoomBody {
    /// The call.
    pub call_id: String,
    /// The room, which has to be there.
    pub room_id: String,
    /// A token for that room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<WireSecret>,
    /// The call's participant in that room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_in_either_spelling() {
        for text in [r#"{"callId":"call_1"}"#, r#"{"id":"call_1","timelog":null,"new":1}"#] {
            let call: SipCall = serde_json::from_str(text).unwrap();
            assert_eq!(call.any_id(), "call_1");
        }
    }
}
