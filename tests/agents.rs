//! Calls joined to agents: the protocol as bots depend on it, and what callers get when an agent misbehaves.
//!
//! `agents/wire.rs` holds the conversation against a WebSocket server, `agents/calls.rs` whole calls through the
//! daemon, `agents/faults.rs` agents that do not do their part.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

#[path = "agents/bot.rs"]
mod bot;
#[path = "agents/caller.rs"]
mod caller;
#[path = "agents/calls.rs"]
mod calls;
#[path = "agents/faults.rs"]
mod faults;
#[path = "agents/site.rs"]
mod site;
#[path = "agents/wire.rs"]
mod wire;

/// How long anything may take before a test gives up: far more than it takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);
