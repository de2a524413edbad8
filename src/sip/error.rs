//! What can go wrong between us and the wire, said for the person who reads it.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

use crate::model::Transport;

/// A failure of the SIP edge.
#[derive(Debug, Error)]
pub enum SipError {
    /// Another program holds the address.
    #[error("{transport} address {addr} is in use: another SIP program is running; choose another with --sip")]
    InUse {
        /// The transport that was to listen.
        transport: Transport,
        /// The address that was asked for.
        addr: SocketAddr,
    },
    /// The address could not be bound for another reason.
    #[error(
        "{transport} address {addr} cannot be bound ({source}): check that this machine has the address and may use the port, or choose another with --sip"
    )]
    Bind {
        /// The transport that was to listen.
        transport: Transport,
        /// The address that was asked for.
        addr: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// TLS listeners are not served yet.
    #[error("tls address {addr} cannot be served yet: choose udp or tcp with --sip")]
    NoTls {
        /// The address that was asked for.
        addr: SocketAddr,
    },
    /// There is nothing to listen on.
    #[error("the SIP edge has no address to listen on: name one with --sip")]
    NoListener,
    /// The call has ended, so nothing can be sent on it.
    #[error("call {call_id} is over: nothing more can be sent on it")]
    Over {
        /// The Call-ID of the call.
        call_id: String,
    },
    /// The call was answered before.
    #[error("call {call_id} was answered already: end it with BYE")]
    Answered {
        /// The Call-ID of the call.
        call_id: String,
    },
    /// The call cannot be hung up because it was not answered.
    #[error("call {call_id} is not answered yet: refuse it with a final response")]
    NotAnswered {
        /// The Call-ID of the call.
        call_id: String,
    },
    /// The status is not one a user agent server may send here.
    #[error("status {status} cannot be sent here: use 101 to 699, and 200 to 699 within a call")]
    BadStatus {
        /// The status that was asked for.
        status: u16,
    },
    /// The header may not be set from outside, or holds a line break.
    #[error("header {name} cannot be added: it belongs to the SIP edge or holds a control character")]
    BadHeader {
        /// The name of the header.
        name: String,
    },
}
