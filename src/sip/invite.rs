//! What does the caller ask for? An INVITE as plain data.

use std::net::SocketAddr;

use rsipstack::sip::{HeadersExt, Request};

use super::uri::{NameAddr, text_of, user_and_host};
use crate::model::Transport;

/// An INVITE outside a dialog, already validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// The Call-ID.
    pub call_id: String,
    /// The user part of the Request-URI: no parameters, `%` escapes undone (RFC 3261 section 19.1.2).
    pub dialled: String,
    /// The host of the Request-URI, in lower case, without port or brackets; empty for a `tel:` URI.
    pub dialled_host: String,
    /// The user part of the From URI.
    pub calling: String,
    /// The display name of the From header.
    pub display_name: Option<String>,
    /// Where the packet really came from. Never taken from a header.
    pub source: SocketAddr,
    /// The transport it came over.
    pub transport: Transport,
    /// Every header in order, as name and value. The topmost Via carries `received` and `rport` of the source.
    pub headers: Vec<(String, String)>,
    /// The body; empty when the caller makes no offer.
    pub body: Vec<u8>,
    /// The Content-Type, if there is one.
    pub content_type: Option<String>,
}

impl Invite {
    pub(super) fn read(request: &Request, source: SocketAddr, transport: Transport) -> Invite {
        let (dialled, dialled_host) = user_and_host(&text_of(&request.uri));
        let from = request.from_header().ok().and_then(|from| NameAddr::read(from.value()));
        let (display_name, calling) = match from {
            Some(from) => (from.display_name.clone(), user_and_host(&from.uri).0),
            None => (None, String::new()),
        };
        Invite {
            call_id: call_id(request),
            dialled,
            dialled_host,
            calling,
            display_name,
            source,
            transport,
            headers: request
                .headers
                .iter()
                .map(|header| (header.name().to_owned(), header.value().to_owned()))
                .collect(),
            body: request.body.clone(),
            content_type: content_type(request),
        }
    }

    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

pub(super) fn call_id(request: &Request) -> String {
    request.call_id_header().map(|id| id.value().to_owned()).unwrap_or_default()
}

pub(super) fn content_type(request: &Request) -> Option<String> {
    request.header_value("Content-Type")
}
