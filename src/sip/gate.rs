//! Who gets in? Every message passes here, as bytes, before rsipstack sees it.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rsipstack::sip::prelude::{HeadersExt, ToTypedHeader};
use rsipstack::sip::{Header, SipMessage, Transport as Wire};
use rsipstack::transaction::endpoint::{MessageInspector, TransportEventInspector};
use rsipstack::transport::{SipAddr, SipConnection, TransportEvent};

use super::raw::Raw;
use super::uri::{self, NameAddr};
use super::validate::{Refusal, Verdict, answerable, examine};

/// How many messages may wait for the transaction layer, whose own queue has no bound.
const MAX_BACKLOG: usize = 4096;

/// The door: judges messages and counts those that wait behind it.
#[derive(Debug)]
pub(super) struct Gate {
    server: String,
    tags: RandomState,
    waiting: AtomicUsize,
}

/// What the gate decides.
pub(super) enum Admission {
    /// Let the message through; it is counted as waiting from now on.
    Pass(Box<SipMessage>),
    /// Send this answer back and forget the message.
    Answer(Vec<u8>),
    /// Forget the message.
    Drop(&'static str),
}

impl Gate {
    pub fn new(server: &str) -> Gate {
        Gate { server: server.to_owned(), tags: RandomState::new(), waiting: AtomicUsize::new(0) }
    }

    /// Judges one whole message that came from `source` over `wire`.
    pub fn admit(&self, bytes: &[u8], source: SocketAddr, wire: Wire) -> Admission {
        let Some(raw) = Raw::read(bytes) else {
            return Admission::Drop("no end of headers");
        };
        match examine(&raw, bytes.len() - raw.head_len) {
            Verdict::Drop(why) => return Admission::Drop(why),
            Verdict::Refuse(refusal) => {
                return Admission::Answer(self.refuse(&raw, &refusal, source));
            }
            Verdict::Pass => {}
        }
        // rsipstack drops what it cannot parse without a word; the sender is told instead.
        let Some(message) = parse(bytes, source, wire) else {
            return match self.turn_away(bytes, &Refusal::new(400, "Bad Request"), source) {
                Some(answer) => Admission::Answer(answer),
                None => Admission::Drop("cannot be parsed"),
            };
        };
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= MAX_BACKLOG {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Admission::Drop("too many messages are waiting");
        }
        Admission::Pass(Box::new(message))
    }

    /// The answer to a message that cannot be read to its end; `None` if it may not be answered.
    pub fn turn_away(&self, bytes: &[u8], why: &Refusal, source: SocketAddr) -> Option<Vec<u8>> {
        let raw = Raw::read(bytes).filter(answerable)?;
        Some(self.refuse(&raw, why, source))
    }

    /// Writes a stateless response (RFC 3261 sections 8.2.6 and 8.2.7).
    fn refuse(&self, raw: &Raw, refusal: &Refusal, source: SocketAddr) -> Vec<u8> {
        let mut text = format!("SIP/2.0 {} {}\r\n", refusal.status, refusal.reason);
        let mut line = |name: &str, value: &str| {
            text.push_str(name);
            text.push_str(": ");
            // A control character that came in does not go out again.
            text.extend(value.chars().filter(|c| !c.is_control()));
            text.push_str("\r\n");
        };
        for (index, via) in raw.all("Via").enumerate() {
            if index == 0 {
                line("Via", &stamp(via, source));
            } else {
                line("Via", via);
            }
        }
        if let Some(from) = raw.first("From") {
            line("From", from);
        }
        if let Some(to) = raw.first("To") {
            let tagged = NameAddr::read(to).is_none_or(|to| to.tag().is_some());
            if tagged {
                line("To", to);
            } else {
                // The same request gets the same tag, so that a retransmission gets the same answer.
                let about = (raw.first("Call-ID"), raw.first("CSeq"), raw.first("From"));
                line("To", &format!("{to};tag={:016x}", self.tags.hash_one(about)));
            }
        }
        for name in ["Call-ID", "CSeq"] {
            if let Some(value) = raw.first(name) {
                line(name, value);
            }
        }
        for (name, value) in &refusal.headers {
            line(name, value);
        }
        line("Server", &self.server);
        line("Content-Length", "0");
        text.push_str("\r\n");
        text.into_bytes()
    }

    fn taken(&self) {
        // Messages of a connection that rsipstack opened itself were never counted in.
        let _ = self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
    }
}

/// Parses a message, and what rsipstack will later take out of it without saying when it cannot.
///
/// Every step on its way to [`Counter`] is gone through here, or a message would be counted in and never out.
fn parse(bytes: &[u8], source: SocketAddr, wire: Wire) -> Option<SipMessage> {
    let message = SipMessage::try_from(bytes).ok()?;
    let message = SipConnection::update_msg_received(message, source, wire).ok()?;
    message.from_header().ok()?.tag().ok()?;
    message.to_header().ok()?.tag().ok()?;
    message.cseq_header().ok()?.seq().ok()?;
    message.top_via_header().ok()?.typed().ok()?;
    Some(message)
}

/// Writes into the topmost Via where the request really came from (RFC 3261 section 18.2.1, RFC 3581 section 4).
fn stamp(via: &str, source: SocketAddr) -> String {
    let (first, rest) = via.split_at(via.find(',').unwrap_or(via.len()));
    let mut parts = first.split(';');
    let mut stamped = parts.next().unwrap_or_default().trim_end().to_owned();
    let mut wants_port = false;
    for part in parts {
        let name = part.split('=').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("received") {
            continue;
        }
        if name.eq_ignore_ascii_case("rport") {
            wants_port = true;
            continue;
        }
        stamped.push(';');
        stamped.push_str(part.trim());
    }
    stamped.push_str(&format!(";received={}", source.ip()));
    if wants_port {
        stamped.push_str(&format!(";rport={}", source.port()));
    }
    stamped + rest
}

/// Counts messages out of rsipstack's queue.
pub(super) struct Counter(pub Arc<Gate>);

// Written as `async_trait` expands it, because that crate is not one of ours.
impl TransportEventInspector for Counter {
    fn handle<'me, 'out>(
        &'me self,
        event: TransportEvent,
    ) -> Pin<Box<dyn Future<Output = Option<TransportEvent>> + Send + 'out>>
    where
        'me: 'out,
        Self: 'out,
    {
        if matches!(event, TransportEvent::Incoming(..)) {
            self.0.taken();
        }
        Box::pin(std::future::ready(Some(event)))
    }
}

/// Mends what rsipstack writes into a Via for an IPv6 peer: `received=[[::1]]`, which nobody can read.
pub(super) struct Brackets;

impl MessageInspector for Brackets {
    fn before_send(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        message
    }

    fn after_received(&self, mut message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        if let SipMessage::Request(request) = &mut message {
            for header in request.headers.iter_mut() {
                if let Header::Via(via) = header
                    && uri::param(via.value(), "received").is_some_and(|to| to.starts_with("[["))
                {
                    let plain = via.value().replacen("received=[[", "received=", 1);
                    via.replace(plain.replacen("]]", "", 1));
                }
            }
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "198.51.100.7:4711";

    fn answer(text: &str) -> String {
        match Gate::new("edge/1").admit(text.as_bytes(), SOURCE.parse().unwrap(), Wire::Udp) {
            Admission::Answer(bytes) => String::from_utf8(bytes).unwrap(),
            Admission::Pass(_) => panic!("passed"),
            Admission::Drop(why) => panic!("dropped: {why}"),
        }
    }

    #[test]
    fn a_refusal_goes_back_the_way_it_came_with_a_tag() {
        let text = answer(
            "FROB sip:a SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1, SIP/2.0/UDP x\r\nf: <sip:a@h>;tag=1\r\nt: <sip:b@h>\r\ni: c\r\nCSeq: 1 FROB\r\n\r\n",
        );
        assert!(text.starts_with("SIP/2.0 501 Not Implemented\r\n"), "{text}");
        assert!(
            text.contains(
                "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=198.51.100.7;rport=4711, SIP/2.0/UDP x\r\n"
            ),
            "{text}"
        );
        assert!(text.contains("To: <sip:b@h>;tag="), "{text}");
        assert!(text.contains("Allow: INVITE"), "{text}");
    }

    #[test]
    fn what_cannot_be_answered_is_dropped() {
        let gate = Gate::new("edge/1");
        for bytes in [
            &b"hello"[..],
            b"\r\n\r\n",
            b"\0\0\0\r\n\r\n",
            b"SIP/2.0 200 OK\r\n\xff\r\n\r\n",
            b"A sip:b SIP/2.0\r\n\r\n",
        ] {
            assert!(matches!(gate.admit(bytes, SOURCE.parse().unwrap(), Wire::Udp), Admission::Drop(_)));
        }
    }
}
