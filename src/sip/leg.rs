//! What can be done with a call, and what happens to it?

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use rsipstack::sip::Request;
use rsipstack::transaction::transaction::{TransactionEvent, TransactionEventSender};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::call::Call;
use super::error::SipError;
use super::response::Words;

/// One side of a call: answers it and ends it.
///
/// Clones are handles to the same call. When the last one is dropped the call is ended: refused with 480 if it
/// was not answered, else with BYE.
#[derive(Clone)]
pub struct Leg {
    call: Arc<Call>,
    _held: Arc<DropGuard>,
}

/// What happens to a call, in order. After [`Cancelled`](LegEvent::Cancelled), [`Bye`](LegEvent::Bye) or
/// [`Ended`](LegEvent::Ended) the channel closes; it also closes after our own BYE or refusal, without an event.
#[derive(Debug)]
pub enum LegEvent {
    /// The caller has our 200. The body is the answer when the 200 carried the offer.
    Acked {
        /// The body of the ACK.
        body: Vec<u8>,
    },
    /// The caller gave up before the answer; 487 has been sent.
    Cancelled,
    /// The caller hung up; 200 has been sent.
    Bye,
    /// The caller asks to change the session. Another [`Acked`](LegEvent::Acked) follows a 200.
    ReInvite {
        /// The new offer; empty when we are asked to make one.
        body: Vec<u8>,
        /// The Content-Type, if there is one.
        content_type: Option<String>,
        /// Answers it.
        reply: Reply,
    },
    /// An INFO, for instance a DTMF digit; 200 has been sent.
    Info {
        /// The Content-Type, if there is one.
        content_type: Option<String>,
        /// The body.
        body: Vec<u8>,
    },
    /// The caller asked whether the call is alive; 200 has been sent.
    Options,
    /// The call ended by itself: no ACK for 32 s, or the connection went away before the call stood.
    Ended {
        /// Why, in a sentence.
        reason: String,
    },
}

impl Leg {
    pub(super) fn new(call: Arc<Call>) -> Leg {
        let held = Arc::new(call.deserted.clone().drop_guard());
        Leg { call, _held: held }
    }

    /// Sends a provisional or final response to the INVITE. The body is `application/sdp`.
    ///
    /// A 200 is repeated until it is acknowledged; if that does not happen within 32 s the call is ended with
    /// BYE and [`LegEvent::Ended`] (RFC 3261 section 13.3.1.4).
    pub async fn respond(
        &self,
        status: u16,
        reason: Option<&str>,
        headers: &[(String, String)],
        body: Option<Vec<u8>>,
    ) -> Result<(), SipError> {
        self.call.respond(Words { status, reason, headers, body })
    }

    /// Ends an answered call, and returns when the BYE is answered or given up.
    ///
    /// Waits for the ACK first, at most 32 s, because a BYE may not overtake it (RFC 3261 section 15).
    /// On a call that is over already this does nothing. The BYE goes out even if the future is dropped.
    pub async fn bye(&self) -> Result<(), SipError> {
        let call = Arc::clone(&self.call);
        match tokio::spawn(async move { call.hang_up().await }).await {
            Ok(done) => done,
            Err(_) => Err(self.call.over_error()),
        }
    }

    /// The Call-ID of the call.
    pub fn call_id(&self) -> &str {
        &self.call.id.call_id
    }
}

impl std::fmt::Debug for Leg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leg").field("call_id", &self.call.id.call_id).finish_non_exhaustive()
    }
}

/// Answers a re-INVITE. Dropped without an answer, it sends 488 (Not Acceptable Here).
#[derive(Debug)]
pub struct Reply {
    pub(super) pending: Arc<Pending>,
}

impl Reply {
    /// Answers with a final status, and SDP if there is a body.
    pub async fn respond(self, status: u16, body: Option<Vec<u8>>) -> Result<(), SipError> {
        if !(200..700).contains(&status) {
            return Err(SipError::BadStatus { status });
        }
        if self.pending.answer(status, body) { Ok(()) } else { Err(self.pending.call.over_error()) }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        // RFC 3261 section 14.2: 488 refuses the new session and keeps the old one.
        self.pending.answer(488, None);
    }
}

/// A re-INVITE that waits for its final response.
pub(super) struct Pending {
    pub call: Arc<Call>,
    pub request: Request,
    pub sender: TransactionEventSender,
    /// Cancelled when the final response has been given.
    pub finalised: CancellationToken,
    /// The status of the final response; 0 before there is one.
    answered: AtomicU16,
}

impl Pending {
    pub fn new(call: Arc<Call>, request: Request, sender: TransactionEventSender) -> Pending {
        Pending { call, request, sender, finalised: CancellationToken::new(), answered: AtomicU16::new(0) }
    }

    /// Sends the final response; `false` when there was one before or the transaction is gone.
    pub fn answer(&self, status: u16, body: Option<Vec<u8>>) -> bool {
        if self.answered.compare_exchange(0, status, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return false;
        }
        if (200..300).contains(&status) {
            self.call.refresh_target(&self.request);
        }
        let response = self.call.response(&self.request, Words { status, reason: None, headers: &[], body });
        let sent = self.sender.send(TransactionEvent::Respond(response));
        self.finalised.cancel();
        sent.is_ok()
    }

    /// Whether it was refused. Then the session is as it was, and the peer may ask for another at once: its ACK
    /// and the next re-INVITE may well arrive together.
    pub fn is_refused(&self) -> bool {
        self.answered.load(Ordering::SeqCst) >= 300
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("call_id", &self.call.id.call_id).finish_non_exhaustive()
    }
}
