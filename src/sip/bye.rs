//! How do we hang up? A BYE, and the way it takes.

use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::{Header, HeadersExt, Method, Request, SipMessage, Transport, Version};
use rsipstack::transaction::Transaction;
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transport::{SipAddr, SipConnection};
use tokio::time::timeout;
use tracing::{debug, warn};

use super::call::{Call, Phase, State};
use super::error::SipError;
use super::response::with_tag;

/// How long a BYE may take: timer F is 32 s (RFC 3261 section 17.1.2.2), plus looking up a name.
const BYE_TIME: Duration = Duration::from_secs(40);
/// How long the peer's host name may take to resolve.
const LOOKUP_TIME: Duration = Duration::from_secs(4);

impl Call {
    /// Ends an answered call with BYE, once the ACK is here.
    pub async fn hang_up(&self) -> Result<(), SipError> {
        let phase = self.state().phase;
        match phase {
            Phase::Early => {
                return Err(SipError::NotAnswered { call_id: self.id.call_id.clone() });
            }
            Phase::Refused | Phase::Over => return Ok(()),
            Phase::Answered => tokio::select! {
                () = self.invited.cancelled() => {}
                () = self.over.cancelled() => return Ok(()),
            },
            Phase::Confirmed => {}
        }
        let (request, pending) = {
            let mut state = self.state();
            if !matches!(state.phase, Phase::Answered | Phase::Confirmed) {
                return Ok(());
            }
            state.phase = Phase::Over;
            state.events = None;
            state.local_sequence += 1;
            (self.bye_request(&state), state.pending.take())
        };
        if let Some(pending) = pending {
            pending.answer(487, None);
        }
        let delivered = match request {
            Some(request) => timeout(BYE_TIME, self.send(request)).await.is_ok(),
            None => false,
        };
        if !delivered {
            warn!(call_id = %self.id.call_id, "the BYE could not be delivered");
        }
        // Whatever became of the BYE, the call is over (RFC 3261 section 15.1.1).
        self.over.cancel();
        Ok(())
    }

    /// Gives the call up where it stands, because the edge stops.
    pub fn forget(&self) {
        let mut state = self.state();
        state.phase = Phase::Over;
        state.events = None;
        drop(state);
        self.over.cancel();
    }

    fn bye_request(&self, state: &State) -> Option<Request> {
        let via = self.endpoint.get_via(Some(self.address.clone()), None).ok()?;
        let from = with_tag(self.invite.to_header().ok()?.value(), &self.id.local_tag);
        let mut headers = vec![
            Header::Via(via.into()),
            Header::MaxForwards(70.into()),
            Header::From(from.into()),
            Header::To(self.invite.from_header().ok()?.value().into()),
            Header::CallId(self.id.call_id.as_str().into()),
            Header::CSeq(format!("{} BYE", state.local_sequence).into()),
        ];
        // RFC 3261 section 12.1.1: for the called side the route set is the Record-Route in order.
        for route in self.invite.record_route_headers() {
            headers.push(Header::Route(route.value().into()));
        }
        headers.push(Header::UserAgent(self.server.as_str().into()));
        headers.push(Header::ContentLength(0u32.into()));
        Some(Request {
            method: Method::Bye,
            uri: state.target.clone(),
            version: Version::V2,
            headers: headers.into(),
            body: Vec::new(),
        })
    }

    /// Sends a request and waits for its final response, or for timer F.
    async fn send(&self, request: Request) {
        let (connection, destination) = self.next_hop(&request).await;
        let Ok(key) = TransactionKey::from_request(&request, TransactionRole::Client) else {
            return;
        };
        let endpoint = Arc::clone(&self.endpoint);
        let mut transaction = Transaction::new_client(key, request, endpoint, connection);
        transaction.destination = destination;
        if let Err(error) = transaction.send().await {
            debug!(call_id = %self.id.call_id, %error, "a request could not be sent");
            return;
        }
        while let Some(message) = transaction.receive().await {
            if let SipMessage::Response(response) = message
                && response.status_code.code() >= 200
            {
                debug!(call_id = %self.id.call_id, status = response.status_code.code(), "the BYE was answered");
                return;
            }
        }
    }

    /// Over which connection and to which address a request within the dialog goes.
    async fn next_hop(&self, request: &Request) -> (Option<SipConnection>, Option<SipAddr>) {
        let closed = self.connection.cancel_token().is_some_and(|token| token.is_cancelled());
        if self.connection.is_reliable() && !closed {
            // A connection that stands is the best way back, above all through NAT (RFC 5923 section 5).
            return (Some(self.connection.clone()), None);
        }
        let uri = request.destination();
        let Ok(mut hop) = SipAddr::try_from(&uri) else {
            return (Some(self.connection.clone()), None);
        };
        let udp = matches!(hop.r#type, None | Some(Transport::Udp));
        if self.connection.is_reliable() || !udp {
            if self.connection.is_reliable() && hop.r#type.is_none() {
                hop.r#type = Some(Transport::Tcp);
            }
            return (None, Some(hop));
        }
        hop.r#type = Some(Transport::Udp);
        // The socket the INVITE came to, not the first one rsipstack finds.
        let connection = Some(self.connection.clone());
        if hop.get_socketaddr().is_ok() {
            return (connection, Some(hop));
        }
        let resolver = &self.endpoint.transport_layer.inner.domain_resolver;
        match timeout(LOOKUP_TIME, resolver.resolve(&hop)).await {
            Ok(Ok(resolved)) => (connection, Some(resolved)),
            _ => {
                debug!(call_id = %self.id.call_id, "the peer's host name did not resolve; its source address is used");
                let source = SipAddr { r#type: Some(Transport::Udp), addr: self.source.into() };
                (connection, Some(source))
            }
        }
    }
}
