//! What does a call bring?

use std::net::IpAddr;

use crate::model::{Country, E164, RuleId, Transport};

/// What is known of a call before it is decided. Numbers are normalised here and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Which way the call goes, with what only that direction has.
    pub way: Way,
    /// The number that was dialled; `None` when what was dialled is no phone number.
    pub dialled: Option<E164>,
    /// The caller's number as the caller states it; `None` when none is shown. Of an outbound call, the number to
    /// call from.
    pub calling: Option<E164>,
    /// Random, for choices that have nothing to stick to.
    pub draw: u64,
}

/// Which way a call goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// From the provider to us.
    Inbound(Arrival),
    /// From us to the provider.
    Outbound(Departure),
}

/// How a call came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The address that the call really came from, never one that a header claims.
    pub source: IpAddr,
    /// The host that the caller asked for, in lower case; its first part may name a region.
    pub host: Option<String>,
    /// How the call travelled.
    pub transport: Option<Transport>,
}

/// How a call is to go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The rule that the call is placed by.
    pub rule: RuleId,
    /// The SIP URI to call, when it is no phone number.
    pub endpoint: Option<String>,
}

impl Offer {
    /// An inbound call, from the user parts of its Request-URI and From (RFC 3261 section 19.1.1) and the
    /// address its packet came from.
    pub fn inbound(dialled: &str, calling: &str, source: IpAddr) -> Self {
        Self::inbound_in(None, dialled, calling, source)
    }

    /// An inbound call from networks of a country, which may leave the country code away.
    pub fn inbound_in(country: Option<Country>, dialled: &str, calling: &str, source: IpAddr) -> Self {
        Self {
            way: Way::Inbound(Arrival { source, host: None, transport: None }),
            dialled: E164::from_wire_in(dialled, country).ok(),
            calling: E164::of_caller(calling, country),
            draw: 0,
        }
    }

    /// An outbound call by a rule (contract section 5.1: `routingRuleId`, `sipCallFrom`, `sipCallTo`).
    pub fn outbound(rule: RuleId, from: &str, to: &str) -> Self {
        let dialled = E164::from_wire(to).ok();
        let scheme = to.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        let is_endpoint = dialled.is_none() && matches!(scheme.as_deref(), Some("sip" | "sips")) && to.len() > 5;
        Self {
            way: Way::Outbound(Departure { rule, endpoint: is_endpoint.then(|| to.to_owned()) }),
            dialled,
            calling: E164::from_wire(from).ok(),
            draw: 0,
        }
    }

    /// The same call with a random draw of its own.
    pub fn drawn(self, draw: u64) -> Self {
        Self { draw, ..self }
    }

    /// The same call, known to have asked for a host over a transport.
    pub fn arrived(mut self, to_host: &str, over: Transport) -> Self {
        if let Way::Inbound(arrival) = &mut self.way {
            arrival.host = (!to_host.is_empty()).then(|| to_host.to_ascii_lowercase());
            arrival.transport = Some(over);
        }
        self
    }
}
