//! What does a call bring?

use std::net::IpAddr;

use crate::model::E164;

/// What is known of a call before it is decided. Numbers are normalised here and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The number that was dialled; `None` when what was dialled is no phone number.
    pub dialled: Option<E164>,
    /// The caller's number as the caller states it; `None` when none is shown.
    pub calling: Option<E164>,
    /// The address that the call really came from, never one that a header claims.
    pub source: IpAddr,
}

impl Offer {
    /// An inbound call, from the user parts of its Request-URI and From (RFC 3261 section 19.1.1) and the
    /// address its packet came from.
    pub fn inbound(dialled: &str, calling: &str, source: IpAddr) -> Self {
        Self { dialled: E164::from_wire(dialled).ok(), calling: E164::from_wire(calling).ok(), source }
    }
}
