//! How does one call live on the wire? A dialog in which we are the one that was called.
//!
//! The dialog is ours, over rsipstack's transactions. rsipstack's own dialog gives no reason phrase, leaves
//! requests between 200 and ACK unanswered, forgets the Contact of a re-INVITE and drops a low CSeq in silence.
//!
//! ```text
//! Early --respond 2xx--> Answered --ACK--> Confirmed --BYE either way--> Over
//!   \--respond 3xx-6xx, CANCEL, BYE--> Refused --ACK or 32 s--> Over
//! ```

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rsipstack::sip::{HeadersExt, Method, Request, SipMessage, Uri};
use rsipstack::transaction::Transaction;
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transaction::transaction::{TransactionEvent, TransactionEventSender};
use rsipstack::transport::{SipAddr, SipConnection};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::error::SipError;
use super::invite::content_type;
use super::leg::{LegEvent, Pending};
use super::registry::DialogId;
use super::response::{OURS, Words};
use super::uri::{NameAddr, target};

/// How long after a final response an INVITE transaction may live: 64*T1 is 32 s (RFC 3261 section 17.2.1),
/// and a little, so that rsipstack's own timers speak first.
const FINAL_TIME: Duration = Duration::from_secs(36);
/// Events kept free for the end of the call and for ACKs, so that INFOs cannot crowd them out.
pub(super) const RESERVED_EVENTS: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Early,
    Answered,
    Confirmed,
    Refused,
    Over,
}

/// What changes during a call.
pub(super) struct State {
    pub phase: Phase,
    pub remote_sequence: u32,
    pub local_sequence: u32,
    pub target: Uri,
    pub pending: Option<Arc<Pending>>,
    /// Given up at the end, so that the channel closes.
    pub events: Option<mpsc::Sender<LegEvent>>,
}

/// A call, from its INVITE to its end.
pub(super) struct Call {
    pub id: DialogId,
    pub source: SocketAddr,
    /// Cancelled when the last leg is dropped.
    pub deserted: CancellationToken,
    pub endpoint: EndpointInnerRef,
    pub server: String,
    pub invite: Request,
    pub connection: SipConnection,
    /// Where we are reached: for Contact and for the Via of our BYE.
    pub address: SipAddr,
    responder: TransactionEventSender,
    state: Mutex<State>,
    /// Cancelled when the INVITE has its final response.
    pub finalised: CancellationToken,
    /// Cancelled when the INVITE transaction is over.
    pub invited: CancellationToken,
    /// Cancelled when nothing is left to do.
    pub over: CancellationToken,
}

/// What a call is made of.
pub(super) struct Beginning {
    pub id: DialogId,
    pub source: SocketAddr,
    pub endpoint: EndpointInnerRef,
    pub server: String,
    pub connection: SipConnection,
    pub address: SipAddr,
    pub sequence: u32,
    pub target: Uri,
    pub events: mpsc::Sender<LegEvent>,
}

impl Call {
    pub fn new(begin: Beginning, transaction: &Transaction) -> Call {
        let mut invite = transaction.original.clone();
        // Kept for the whole call; the offer is the application's business.
        invite.body = Vec::new();
        Call {
            id: begin.id,
            source: begin.source,
            deserted: CancellationToken::new(),
            endpoint: begin.endpoint,
            server: begin.server,
            invite,
            connection: begin.connection,
            address: begin.address,
            responder: transaction.tu_sender.clone(),
            state: Mutex::new(State {
                phase: Phase::Early,
                remote_sequence: begin.sequence,
                local_sequence: 0,
                target: begin.target,
                pending: None,
                events: Some(begin.events),
            }),
            finalised: CancellationToken::new(),
            invited: CancellationToken::new(),
            over: CancellationToken::new(),
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn over_error(&self) -> SipError {
        SipError::Over { call_id: self.id.call_id.clone() }
    }

    // -- the INVITE

    /// Lives with the call: answers its INVITE transaction, and returns when the call is over.
    pub async fn run(self: &Arc<Self>, transaction: Transaction) {
        let flow = match self.connection.is_reliable() {
            true => self.connection.cancel_token().unwrap_or_default(),
            false => CancellationToken::new(),
        };
        let mut driver = std::pin::pin!(bounded(self.drive(transaction), &self.finalised));
        let mut driving = true;
        let mut held = true;
        loop {
            tokio::select! {
                // First, so that what has been queued is sent before anything ends.
                biased;
                _ = &mut driver, if driving => {
                    driving = false;
                    self.invited.cancel();
                    self.after_invite();
                }
                () = self.over.cancelled() => return,
                () = self.deserted.cancelled(), if held => {
                    held = false;
                    self.abandon();
                }
                () = flow.cancelled(), if driving => {
                    driving = false;
                    self.invited.cancel();
                    self.end_alone("the connection closed before the call stood");
                }
            }
        }
    }

    async fn drive(&self, mut transaction: Transaction) {
        // RFC 3261 section 8.2.6.1 allows 100 at once, and it stops the caller's retransmissions.
        if let Err(error) = transaction.send_trying().await {
            debug!(call_id = %self.id.call_id, %error, "the 100 response could not be sent");
        }
        while let Some(message) = transaction.receive().await {
            let SipMessage::Request(request) = message else {
                continue;
            };
            match request.method {
                Method::Ack => {
                    let mut state = self.state();
                    if state.phase == Phase::Answered {
                        state.phase = Phase::Confirmed;
                        state.tell(LegEvent::Acked { body: request.body });
                    }
                    return;
                }
                // rsipstack has answered the CANCEL itself. If our 200 is on its way already, the CANCEL came
                // too late and the call stays until BYE (RFC 3261 section 9.2).
                Method::Cancel if self.refuse_early(487, Some(LegEvent::Cancelled)) => {
                    info!(call_id = %self.id.call_id, "the caller cancelled the call");
                }
                _ => {}
            }
        }
    }

    /// What follows when the INVITE transaction is over.
    fn after_invite(self: &Arc<Self>) {
        let phase = self.state().phase;
        match phase {
            Phase::Confirmed | Phase::Over => {}
            Phase::Refused => self.over.cancel(),
            Phase::Early => self.end_alone("the transaction ended before the call was answered"),
            // RFC 3261 section 13.3.1.4.
            Phase::Answered => self.end_alone("the 200 was not acknowledged within 32 seconds"),
        }
    }

    /// Ends the call without either side having asked for it.
    pub fn end_alone(self: &Arc<Self>, reason: &str) {
        let answered = {
            let mut state = self.state();
            let answered = match state.phase {
                Phase::Early => false,
                Phase::Answered | Phase::Confirmed => true,
                // It was over already but for the ACK of a refusal.
                Phase::Refused | Phase::Over => return self.over.cancel(),
            };
            state.tell_last(LegEvent::Ended { reason: reason.to_owned() });
            if !answered {
                state.phase = Phase::Over;
            }
            answered
        };
        warn!(call_id = %self.id.call_id, reason, "the call ended by itself");
        if answered {
            self.hang_up_detached();
        } else {
            self.over.cancel();
        }
    }

    /// Ends a call that nobody holds any more.
    fn abandon(self: &Arc<Self>) {
        if self.refuse_early(480, None) {
            debug!(call_id = %self.id.call_id, "the call was dropped before it was answered");
        } else {
            self.hang_up_detached();
        }
    }

    fn hang_up_detached(self: &Arc<Self>) {
        let call = Arc::clone(self);
        tokio::spawn(async move {
            let _ = call.hang_up().await;
        });
    }

    /// Refuses the INVITE if it has no final response yet; the event, if any, is the last one.
    pub fn refuse_early(&self, status: u16, event: Option<LegEvent>) -> bool {
        let mut state = self.state();
        if state.phase != Phase::Early {
            return false;
        }
        state.phase = Phase::Refused;
        if let Some(event) = event {
            state.tell(event);
        }
        state.events = None;
        drop(state);
        self.queue(Words::status(status));
        self.finalised.cancel();
        true
    }

    /// Sends a response to the INVITE.
    pub fn respond(&self, words: Words<'_>) -> Result<(), SipError> {
        let status = words.status;
        if !(101..700).contains(&status) {
            return Err(SipError::BadStatus { status });
        }
        for (name, value) in words.headers {
            // Only a redirection says itself where to go (RFC 3261 section 8.3).
            let redirects = (300..400).contains(&status) && name.eq_ignore_ascii_case("Contact");
            let ours = !redirects && OURS.iter().any(|own| own.eq_ignore_ascii_case(name));
            if ours || name.is_empty() || !name.bytes().all(is_token) || value.contains(char::is_control) {
                return Err(SipError::BadHeader { name: name.clone() });
            }
        }
        {
            let mut state = self.state();
            match state.phase {
                Phase::Early => {}
                Phase::Answered | Phase::Confirmed => {
                    return Err(SipError::Answered { call_id: self.id.call_id.clone() });
                }
                Phase::Refused | Phase::Over => return Err(self.over_error()),
            }
            match status {
                101..200 => {}
                200..300 => state.phase = Phase::Answered,
                _ => {
                    state.phase = Phase::Refused;
                    state.events = None;
                }
            }
            // Still under the lock, so that no provisional response follows the final one.
            if !self.queue(words) {
                return Err(self.over_error());
            }
        }
        if status >= 200 {
            self.finalised.cancel();
        }
        Ok(())
    }

    fn queue(&self, words: Words<'_>) -> bool {
        let response = self.response(&self.invite, words);
        self.responder.send(TransactionEvent::Respond(response)).is_ok()
    }

    // -- requests within the dialog

    /// Answers a request of the peer within this dialog.
    pub async fn receive(self: &Arc<Self>, mut transaction: Transaction) {
        let request = &transaction.original;
        let sequence = sequence(request);
        let method = request.method;
        let fresh = {
            let mut state = self.state();
            let fresh = sequence > state.remote_sequence;
            state.remote_sequence = state.remote_sequence.max(sequence);
            fresh
        };
        // RFC 3261 section 12.2.2: a lower number is out of order. A gap is not an error.
        if !fresh {
            return self.reply(&mut transaction, 500, &[("Retry-After", "1")]).await;
        }
        match method {
            Method::Bye => {
                self.reply(&mut transaction, 200, &[]).await;
                self.peer_hung_up();
            }
            Method::Invite => self.reinvite(transaction).await,
            Method::Info => {
                let event = LegEvent::Info { content_type: content_type(request), body: request.body.clone() };
                self.inform(&mut transaction, event).await;
            }
            Method::Options => self.inform(&mut transaction, LegEvent::Options).await,
            _ => self.reply(&mut transaction, 405, &[]).await,
        }
    }

    /// Passes an event on and answers 200, or 503 when the application does not keep up.
    async fn inform(&self, transaction: &mut Transaction, event: LegEvent) {
        let told = self.state().tell_if_room(event);
        let status = if told { 200 } else { 503 };
        self.reply(transaction, status, &[]).await;
    }

    fn peer_hung_up(&self) {
        // RFC 3261 section 15.1.2: a BYE ends a pending INVITE with 487.
        if self.refuse_early(487, Some(LegEvent::Bye)) {
            return;
        }
        let pending = {
            let mut state = self.state();
            if matches!(state.phase, Phase::Refused | Phase::Over) {
                return;
            }
            state.phase = Phase::Over;
            state.tell_last(LegEvent::Bye);
            state.pending.take()
        };
        if let Some(pending) = pending {
            pending.answer(487, None);
        }
        self.over.cancel();
    }
}

impl State {
    /// Tells the application; the reserve makes sure that there is room.
    pub fn tell(&mut self, event: LegEvent) {
        if let Some(events) = &self.events
            && events.try_send(event).is_err()
        {
            debug!("an event was lost because nobody reads the events of the call");
        }
    }

    pub fn tell_last(&mut self, event: LegEvent) {
        self.tell(event);
        self.events = None;
    }

    /// Tells the application unless its queue is nearly full.
    pub fn tell_if_room(&mut self, event: LegEvent) -> bool {
        match &self.events {
            Some(events) if events.capacity() > RESERVED_EVENTS => events.try_send(event).is_ok(),
            _ => false,
        }
    }
}

/// Runs `driver`, but not longer than [`FINAL_TIME`] after the final response was given: if that could not even
/// be sent, the transaction has no timer that would end it.
pub(super) async fn bounded<T>(driver: impl Future<Output = T>, finalised: &CancellationToken) -> Option<T> {
    let expired = async {
        finalised.cancelled().await;
        sleep(FINAL_TIME).await;
    };
    tokio::select! {
        done = driver => Some(done),
        () = expired => None,
    }
}

/// The CSeq number of a request.
pub(super) fn sequence(request: &Request) -> u32 {
    request.cseq_header().and_then(|cseq| cseq.seq()).unwrap_or_default()
}

/// The SIP URI in the Contact of a request.
pub(super) fn contact_target(request: &Request) -> Option<Uri> {
    let contact = request.contact_header().ok()?;
    target(&NameAddr::read(contact.value())?.uri)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}
