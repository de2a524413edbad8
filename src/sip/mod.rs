//! How does SIP reach the wire?
//!
//! [`Edge::bind`] opens the listeners. Every INVITE that passes the checks comes out as an [`Incoming`]: the
//! [`Invite`] as plain data, a [`Leg`] to answer and end the call with, and the [`LegEvent`]s that follow.
//!
//! ```text
//! bytes --> gate (raw, validate) --> rsipstack: transactions, timers --> edge (dispatch) --> call --> Leg, LegEvent
//!   udp, tcp    |                                                           |
//!               +-- stateless 4xx, 5xx or silence                           +-- OPTIONS 200, 405, 481, 482, 503
//! ```
//!
//! Transactions are those of rsipstack; nothing of its types leaves this module. Its faults and what is done about
//! them are noted where it is done. No extension is supported yet: no 100rel, no timer, no UPDATE.

// Sockets and tasks are what this module is for; the lists in `clippy.toml` are kept by the pure ones.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod bye;
mod call;
mod edge;
mod error;
mod gate;
mod invite;
mod leg;
mod raw;
mod registry;
mod reinvite;
mod response;
mod tcp;
mod udp;
mod uri;
mod validate;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use tokio::sync::mpsc;

pub use edge::Edge;
pub use error::SipError;
pub use invite::Invite;
pub use leg::{Leg, LegEvent, Reply};

use crate::model::Transport;

/// One place to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// How messages travel there.
    pub transport: Transport,
    /// The address; port 0 takes a free one.
    pub addr: SocketAddr,
}

/// What an edge needs to know.
#[derive(Debug, Clone)]
pub struct EdgeConfig {
    /// Where to listen.
    pub listeners: Vec<Listener>,
    /// The address peers reach us at, if it is not the one we are bound to: behind NAT, for instance.
    pub advertised: Option<IpAddr>,
    /// What we call ourselves in User-Agent and Server headers.
    pub user_agent: String,
}

/// A call that wants to be answered: an INVITE outside a dialog, already validated. 100 has been sent.
#[derive(Debug)]
pub struct Incoming {
    /// What the caller asks for.
    pub invite: Invite,
    /// Answers and ends the call.
    pub leg: Leg,
    /// What happens to the call.
    pub events: mpsc::Receiver<LegEvent>,
}
