//! How does the peer change the session of a call? A re-INVITE, and the target it refreshes.

use std::sync::Arc;

use rsipstack::sip::{Method, Request, SipMessage};
use rsipstack::transaction::Transaction;
use tracing::debug;

use super::call::{Call, Phase, bounded, contact_target};
use super::invite::content_type;
use super::leg::{LegEvent, Pending, Reply};

impl Call {
    /// Answers a re-INVITE with what the application says.
    pub async fn reinvite(self: &Arc<Self>, mut transaction: Transaction) {
        let pending = match self.offer(&transaction) {
            Ok(pending) => pending,
            Err(481) => return self.reply(&mut transaction, 481, &[]).await,
            Err(status) => {
                let later = [("Retry-After", "2")];
                return self.reply(&mut transaction, status, &later).await;
            }
        };
        if let Err(error) = transaction.send_trying().await {
            debug!(call_id = %self.id.call_id, %error, "the 100 response could not be sent");
        }
        let acked = bounded(drive(&mut transaction, &pending), &pending.finalised).await;
        let confirmed = {
            let mut state = self.state();
            // Unless the next one came while this one waited for its ACK.
            if state.pending.as_ref().is_some_and(|latest| Arc::ptr_eq(latest, &pending)) {
                state.pending = None;
            }
            if let Some(Some(body)) = acked {
                state.tell(LegEvent::Acked { body });
                return;
            }
            state.phase == Phase::Confirmed
        };
        // A refused one leaves the session as it was, acknowledged or not. An accepted one without an ACK ends
        // the call (RFC 3261 section 14.2).
        if confirmed && answered_ok(&transaction) {
            self.end_alone("the 200 to a re-INVITE was not acknowledged within 32 seconds");
        }
    }

    /// Hands a re-INVITE to the application, or says with which status it is refused.
    fn offer(self: &Arc<Self>, transaction: &Transaction) -> Result<Arc<Pending>, u16> {
        let mut state = self.state();
        match state.phase {
            Phase::Refused | Phase::Over => return Err(481),
            // One upon another that is not answered yet (RFC 3261 section 14.2).
            Phase::Early => return Err(500),
            Phase::Answered | Phase::Confirmed => {
                if state.pending.as_ref().is_some_and(|pending| !pending.is_refused()) {
                    return Err(500);
                }
            }
        }
        let mut request = transaction.original.clone();
        let body = std::mem::take(&mut request.body);
        let content_type = content_type(&request);
        let sender = transaction.tu_sender.clone();
        let pending = Arc::new(Pending::new(Arc::clone(self), request, sender));
        state.pending = Some(Arc::clone(&pending));
        // If there is no room the reply is dropped at once, and that refuses with 488. Doing so takes no lock.
        state.tell_if_room(LegEvent::ReInvite { body, content_type, reply: Reply { pending: Arc::clone(&pending) } });
        Ok(pending)
    }

    /// Takes over where requests are to go from now on (RFC 3261 section 12.2.2).
    pub fn refresh_target(&self, request: &Request) {
        if let Some(new) = contact_target(request) {
            self.state().target = new;
        }
    }
}

/// Receives for a re-INVITE until its ACK, whose body is given back.
async fn drive(transaction: &mut Transaction, pending: &Pending) -> Option<Vec<u8>> {
    while let Some(message) = transaction.receive().await {
        let SipMessage::Request(request) = message else {
            continue;
        };
        match request.method {
            Method::Ack => return answered_ok(transaction).then_some(request.body),
            Method::Cancel => {
                pending.answer(487, None);
            }
            _ => {}
        }
    }
    None
}

fn answered_ok(transaction: &Transaction) -> bool {
    transaction.last_response.as_ref().is_some_and(|last| (200..300).contains(&last.status_code.code()))
}
