//! Which tables and keys does the language have?
//!
//! Each file is one table, named like it. The doc comment of a key is its description in the schema.

mod account;
mod adopt;
mod agent;
mod beyond;
mod daemon;
mod gateway;
mod guard;
mod number;
mod number_range;
mod provider;
mod room;
mod root;
mod rule;
mod stack;
mod test;

pub(crate) use account::AccountTable;
pub(crate) use adopt::AdoptTable;
pub(crate) use agent::AgentTable;
pub(crate) use beyond::{BlockTable, FailoverTable, ScheduleTable, StatusWord};
pub(crate) use daemon::DaemonTable;
pub(crate) use gateway::GatewayTable;
pub(crate) use guard::GuardTable;
pub(crate) use number::NumberTable;
pub(crate) use number_range::NumberRangeTable;
pub(crate) use provider::ProviderTable;
pub(crate) use room::{NamedRoomTable, RoomTable, RoomWord};
pub(crate) use root::RootTable;
pub(crate) use rule::{Allow, AllowTable, RuleRoom, RuleTable};
pub(crate) use stack::StackTable;
pub(crate) use test::TestTable;
