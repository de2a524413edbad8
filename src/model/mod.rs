//! What do the words mean?
//!
//! The glossary. Every other module speaks in these values, and a value that exists is legal:
//! the way in is `FromStr` or a constructor that may refuse.
//!
//! | word | is |
//! | --- | --- |
//! | [`E164`] | a phone number in international form, the identity of a number |
//! | [`Gateway`] | the SIP address, transport and credentials that numbers reach the provider through |
//! | [`PhoneNumber`] | a number of the account, and the gateway that it stands on |
//! | [`RoutingRule`] | what happens to the calls of some numbers, in one direction |
//! | [`RoomTarget`] | the room that a rule puts its callers into |
//! | [`Beyond`] | what a rule can do that only our own runtime honours |
//! | [`Exchange`] | a whole configuration, checked: every name in it resolves |
//! | [`Guard`] | what a plan may not do without being asked |
//! | [`RuleBook`] | the rules that calls are decided by |
//!
//! A rule and a gateway carry their stage as a type: [`SecretRef`] while they are declared (the file says
//! where a secret is), [`Secret`] once they are bound (the secret is here).
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod agent;
mod beyond;
mod book;
mod exchange;
mod gateway;
mod glob;
mod guard;
mod hiding;
mod listen;
mod name;
mod normalise;
mod number;
mod pattern;
mod place;
mod rule;
mod schedule;
mod secret;
mod test_case;

pub use agent::{Agent, AgentEndpoint, Fallback, HeaderText, OnClose};
pub use beyond::{Beyond, Failover, Split, Statuses, Target};
pub use book::{BookedGateway, BookedRule, RuleBook};
pub(crate) use exchange::Parts;
pub use exchange::{Account, Declared, Exchange, PhoneNumber, Provider, Removal, Room, Unmanaged};
pub use gateway::{Credentials, Gateway, MediaEncryption, Preset, Region, Regions, Sharing, SipAddress, Transport};
pub use glob::Glob;
pub use guard::{Guard, ObjectKind, Protected};
pub use hiding::HidingKey;
pub use listen::{DaemonSettings, PortRange, SipListen};
pub use name::{
    AgentId, AgentName, Alias, GatewayId, GatewayName, Malformed, NumberId, ProviderName, RoomId, RoomName, RuleId,
    RuleName, StackName,
};
pub use normalise::Country;
pub use number::E164;
pub(crate) use number::{VALUE_MAX, VALUE_MIN};
pub use pattern::{AllowList, CallerPattern, Listed, SourceNet};
pub use place::Place;
pub use rule::{AgentTarget, Direction, IncludeHeaders, RoomMode, RoomPrefix, RoomTarget, RoutingRule, RuleKind};
pub(crate) use schedule::day_name;
pub use schedule::{Dates, Schedule, Special, Weekly};
pub use secret::{Secret, SecretRef};
pub use test_case::{Expect, TestCase, moment};
