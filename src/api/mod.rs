//! What do both sides of the REST contract say to each other?
//!
//! Each endpoint is one type, written once: the client sends it, the store answers it, the server routes it.
//! Whatever can carry a call out implements [`Handle`] for it, so a missing answer does not compile.
//!
//! Wire types read whatever arrives (several envelopes, unknown fields, words of any age) and write the one
//! form that every known client reads. What is legal is decided in [`model`](crate::model); the doors between
//! the two are the `to_model` and `from_model` functions here.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod beyond;
mod calls;
mod endpoint;
mod error;
mod gateways;
mod keys;
mod numbers;
mod page;
mod patch;
mod rooms;
mod rules;
mod secret;
mod webhooks;
mod word;

pub use beyond::{Beyond, BeyondFailover, BeyondSchedule, Block, EXTENSION, Share};
pub use calls::{
    CallsQuery, CreateCall, EndBody, EndCall, GetCall, ListCalls, NewCall, SipCall, SwitchRoom, SwitchRoomBody,
    TimelogEntry, TransferBody, TransferCall,
};
pub use endpoint::{Call, Caller, Endpoint, Handle, Method, Nothing, PathParam};
pub use error::ApiError;
pub use gateways::{
    Auth, CreateInboundGateway, CreateOutboundGateway, DeleteInboundGateway, DeleteOutboundGateway, Gateway,
    GatewayPatch, GetInboundGateway, GetOutboundGateway, ListInboundGateways, ListOutboundGateways, NewTrunk, Trunk,
    TrunkPatch, TrunkSettings, TrunksQuery, UpdateGateway, UpdateInboundGateway, UpdateOutboundGateway,
};
pub use keys::KeyRing;
pub use numbers::{
    CreateNumbers, CreatedNumbers, DetachBody, DetachNumber, Detached, GetNumber, InboundSide, ListNumbers, NewNumbers,
    NumberItem, NumbersQuery, OutboundSide, PhoneNumber, ReleaseNumber, Released,
};
pub use page::{Enveloped, Message, Page, PageInfo};
pub use patch::Patch;
pub use rooms::{
    CreateRoom, DeactivateBody, DeactivateRoom, DispatchAgent, DispatchBody, Dispatched, GetRoom, ListRooms,
    MeetingRoom, NewRoom, RoomSettings, RoomsQuery, ValidateRoom,
};
pub use rules::{
    CreateRule, DeleteRule, DeletedRule, GetRule, ListRules, NewRule, Room, RoutingRule, RulePatch, RulesQuery,
    UpdateRule, from_older_rule,
};
pub use secret::WireSecret;
pub use webhooks::{
    CreateWebhook, DeleteWebhook, GetPublicKey, GetWebhook, ListWebhooks, NewWebhook, PublicKey, UpdateWebhook,
    WEBHOOK_EVENTS, Webhook, WebhookPatch, WebhooksQuery,
};
pub use word::Word;
