//! Rooms: made, listed, and closed; and agents, who are sent into them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::endpoint::endpoints;
use super::gateways::null_is_default;
use super::{Enveloped, Page};

endpoints! {
    /// `POST /v2/rooms`. With a `customRoomId` that is known, that room is returned, and is open again.
    CreateRoom: Post "/v2/rooms" { body: NewRoom, reply: MeetingRoom }
    /// `GET /v2/rooms`: the rooms that were made, then those that calls are in without one having been made.
    ListRooms: Get "/v2/rooms" { query: RoomsQuery, reply: Page<MeetingRoom> }
    /// `GET /v2/rooms/{roomId}`, by either id.
    GetRoom: Get "/v2/rooms/{roomId}" { path: String, reply: MeetingRoom }
    /// `GET /v2/rooms/validate/{roomId}`: the room, if it can be used.
    ValidateRoom: Get "/v2/rooms/validate/{roomId}" { path: String, reply: MeetingRoom }
    /// `POST /v2/rooms/deactivate`: ends the room's calls, and takes no more.
    DeactivateRoom: Post "/v2/rooms/deactivate" { body: DeactivateBody, reply: MeetingRoom; IDEMPOTENT: bool = true }
    /// `POST /v2/agent/dispatch`: sends an agent into a room.
    DispatchAgent: Post "/v2/agent/dispatch" { body: DispatchBody, reply: Enveloped<Dispatched> }
}

/// What a room may be given when it is made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RoomSettings {
    /// Its region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geo_fence: Option<String>,
    /// Where its events are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Map<String, Value>>,
    /// When it closes by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_close_config: Option<Map<String, Value>>,
    /// What starts by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_start_config: Option<Map<String, Value>>,
    /// Which compositions it may have at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_composition: Option<Map<String, Value>>,
    /// The participants who alone may join.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub allowed_participant_ids: Vec<String>,
}

/// A room to make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NewRoom {
    /// An id of the caller's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_room_id: Option<String>,
    /// The rest.
    #[serde(flatten)]
    pub settings: RoomSettings,
}

/// A room as it is returned; a rule's `room` is another thing, hence the longer name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MeetingRoom {
    /// Opaque.
    pub id: String,
    /// The id by which calls reach it.
    pub room_id: String,
    /// An id of the caller's own, which reaches it too.
    pub custom_room_id: Option<String>,
    /// The API key that made it.
    pub user_id: Option<String>,
    /// Whether it takes no calls.
    #[serde(deserialize_with = "null_is_default")]
    pub disabled: bool,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
    /// Where more is to be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<Map<String, Value>>,
    /// How many are in it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participants: Option<u64>,
    /// What it was given when it was made.
    #[serde(flatten)]
    pub settings: RoomSettings,
}

/// Which page of which rooms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RoomsQuery {
    /// The page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Items a page; 20 when absent, 100 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_page: Option<u32>,
    /// Part of either id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The API key that made the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// Which room to close.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeactivateBody {
    /// The room, by either id.
    pub room_id: String,
}

/// Which agent to send, and where.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DispatchBody {
    /// The agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meeting_id: Option<String>,
    /// The room again; clients send both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_id: Option<String>,
    /// What the agent is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Which version of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// Which version of it, by a label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_tag: Option<String>,
    /// How it joins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_options: Option<Map<String, Value>>,
    /// What it is told of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_options: Option<Map<String, Value>>,
    /// Whether the reply waits for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<Value>,
}

/// An agent that was sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Dispatched {
    /// Whether a worker took it.
    pub success: Option<bool>,
    /// `assigned`.
    pub status: Option<String>,
    /// The room.
    pub room_id: Option<String>,
    /// The agent.
    pub agent_id: Option<String>,
    /// What else the far side says.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
