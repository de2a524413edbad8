//! How does one call run?

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Sleep;

use super::Shared;
use super::calls::{CallSnapshot, Listed};
use super::media::Media;
use crate::call::{Call, Input, Output, PIN_TIME, Record, Status, Timer};
use crate::media::tone;
use crate::model::E164;
use crate::room::{Membership, Participant, ParticipantId};
use crate::route::{Offer, Permit, Table};
use crate::sip::{Incoming, Invite, Leg, LegEvent, Reply};
use crate::store::fresh_room_id;

/// A timer that nobody waits for.
const NEVER: Duration = Duration::from_secs(u32::MAX as u64);

/// One call on the wire: what its state machine's outputs act on.
struct Runner {
    shared: Arc<Shared>,
    /// Our name for the call, in the log and as participant.
    id: String,
    invite: Invite,
    leg: Leg,
    call: Call,
    /// Its place among the calls that are shown.
    listed: Listed,
    /// What the others in a room see of the caller.
    name: String,
    media: Option<Media>,
    membership: Option<Membership>,
    /// The re-INVITE that waits for its answer, and its offer.
    reinvite: Option<(Vec<u8>, Reply)>,
    digits: Option<mpsc::Receiver<char>>,
    prompt: Option<AbortHandle>,
    pin_timer: Pin<Box<Sleep>>,
}

/// Runs a call from its INVITE to its record.
pub(super) async fn run(shared: Arc<Shared>, table: Arc<Table>, incoming: Incoming) {
    let Incoming { invite, leg, mut events } = incoming;
    let offer = Offer::inbound(&invite.dialled, &invite.calling, invite.source.ip());
    // As the contract writes numbers, where they are numbers.
    let number = |read: Option<E164>, text: &String| read.map_or_else(|| text.clone(), |number| number.to_string());
    let decision = table.decide(&offer);
    // The call keeps its decision, not the table: a table that was swapped out must not live as long as its calls.
    drop(table);
    let id = format!("call_{}", uuid::Uuid::new_v4().simple());
    let (listed, mut asked) = shared.listed.list(CallSnapshot {
        id: id.clone(),
        sip_call_id: invite.call_id.clone(),
        from: number(offer.calling, &invite.calling),
        to: number(offer.dialled, &invite.dialled),
        source: invite.source,
        transport: invite.transport,
        rule: None,
        room: None,
        timelog: vec![(Status::Incoming, Timestamp::now())],
        trace: String::new(),
        end: None,
    });
    let mut runner = Runner {
        id,
        call: Call::new(),
        listed,
        name: String::new(),
        media: None,
        membership: None,
        reinvite: None,
        digits: None,
        prompt: None,
        pin_timer: Box::pin(tokio::time::sleep(NEVER)),
        shared,
        invite,
        leg,
    };
    tracing::info!(
        call = runner.id, sip_call_id = runner.invite.call_id, from = runner.invite.calling,
        to = runner.invite.dialled, source = %runner.invite.source, transport = %runner.invite.transport,
        "a call came in"
    );
    let stop = runner.shared.stop.clone();
    runner.feed(Input::Invited(decision)).await;
    while !runner.call.is_over() {
        let input = tokio::select! {
            event = events.recv() => match event {
                Some(event) => runner.heard(event),
                None => Some(Input::Lost("the SIP side is gone".to_owned())),
            },
            Some(digit) = pressed(&mut runner.digits) => Some(Input::Digit(digit)),
            () = &mut runner.pin_timer => {
                runner.pin_timer.as_mut().reset(tokio::time::Instant::now() + NEVER);
                Some(Input::TimedOut(Timer::Pin))
            }
            Some(request) = asked.recv() => Some(request),
            () = stop.cancelled() => Some(Input::Stopped),
        };
        if let Some(input) = input {
            runner.feed(input).await;
        }
    }
}

/// Waits for a digit; for ever where there are none.
async fn pressed(digits: &mut Option<mpsc::Receiver<char>>) -> Option<char> {
    match digits {
        Some(receiver) => match receiver.recv().await {
            Some(digit) => Some(digit),
            // The stream is closed: there will be no more digits.
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

impl Runner {
    /// What an event of the SIP side means to the call.
    fn heard(&mut self, event: LegEvent) -> Option<Input> {
        match event {
            LegEvent::Acked { body } => match self.media.as_mut().map(|media| media.acked(&body)) {
                Some(Err(refusal)) => Some(Input::MediaRefused(refusal)),
                _ => Some(Input::Acked),
            },
            LegEvent::Cancelled => Some(Input::Cancelled),
            LegEvent::Bye => Some(Input::Bye),
            LegEvent::ReInvite { body, reply, .. } => {
                self.reinvite = Some((body, reply));
                Some(Input::Reinvited)
            }
            LegEvent::Info { content_type, body } => info_digit(content_type.as_deref(), &body).map(Input::Digit),
            LegEvent::Options => None,
            LegEvent::Ended { reason } => Some(Input::Lost(reason)),
        }
    }

    /// Gives the call an input, and performs what it asks for until it asks for nothing.
    async fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.call.handle(input, Timestamp::now()) {
                inputs.extend(self.perform(output).await);
            }
        }
        if !self.call.is_over() {
            self.listed.show(&self.call);
        }
    }

    async fn perform(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Refuse { status, reason, retry_after } => {
                let headers = retry_after.map(|seconds| ("Retry-After".to_owned(), seconds.to_string()));
                self.respond(status, Some(reason), headers.as_slice(), None).await;
                None
            }
            Output::OpenMedia => {
                let Shared { ports, advertised, .. } = &*self.shared;
                match Media::open(ports, *advertised, self.invite.source, &self.invite.body) {
                    Ok(media) => {
                        self.digits = media.stream.digits();
                        self.media = Some(media);
                        Some(Input::MediaOpened)
                    }
                    Err(refusal) => Some(Input::MediaRefused(refusal)),
                }
            }
            Output::Answer => {
                let sdp = self.media.as_mut().map(|media| media.describe().into_bytes());
                self.respond(200, None, &[], sdp).await;
                None
            }
            Output::AskPin => {
                self.silence();
                if let Some(media) = &self.media {
                    let stream = Arc::clone(&media.stream);
                    let beep = tokio::spawn(async move { stream.play(&tone::beep()).await });
                    self.prompt = Some(beep.abort_handle());
                }
                None
            }
            Output::Start(Timer::Pin) => {
                self.pin_timer.as_mut().reset(tokio::time::Instant::now() + PIN_TIME);
                None
            }
            Output::JoinRoom(permit) => self.join(&permit),
            Output::SwitchRoom(room) => match self.enter(&room) {
                Ok(()) => Some(Input::RoomSwitched),
                Err(error) => {
                    tracing::warn!(call = self.id, room, error, "a call was not moved into another room");
                    Some(Input::RoomNotSwitched(error))
                }
            },
            Output::ChangeMedia => {
                let offer = self.reinvite.as_ref().map(|(body, _)| body.clone()).unwrap_or_default();
                match self.media.as_mut()?.change(&offer) {
                    Ok(()) => Some(Input::MediaChanged),
                    Err(refusal) => Some(Input::MediaUnchanged(refusal)),
                }
            }
            Output::AnswerReinvite => {
                let sdp = self.media.as_mut().map(|media| media.describe().into_bytes());
                self.answer_reinvite(200, sdp).await;
                None
            }
            Output::RefuseReinvite { status } => {
                self.answer_reinvite(status, None).await;
                None
            }
            Output::LeaveRoom => {
                self.membership = None;
                None
            }
            Output::CloseMedia => {
                self.silence();
                if let Some(media) = self.media.take() {
                    media.stream.close();
                    let stats = media.stream.stats();
                    tracing::debug!(call = self.id, ?stats, "the media of a call is closed");
                }
                None
            }
            Output::Bye => {
                let leg = self.leg.clone();
                // A BYE waits for the ACK before it and for its answer; room and ports are not kept for that long.
                self.shared.calls.spawn(async move {
                    if let Err(error) = leg.bye().await {
                        tracing::debug!(%error, "a BYE was not answered");
                    }
                });
                None
            }
            Output::Record(record) => {
                self.record(&record);
                None
            }
        }
    }

    fn join(&mut self, permit: &Permit) -> Option<Input> {
        self.silence();
        if let Some(agent) = permit.agent() {
            tracing::warn!(
                call = self.id, agent = %agent.id, rule = %permit.rule_id(),
                "the rule dispatches an agent, which this daemon does not reach yet; the caller joins the room without it"
            );
        }
        let room = permit.room(&fresh_room_id());
        self.name = permit.shown_caller().map_or_else(|| "unknown caller".to_owned(), |number| number.to_string());
        self.listed.put_into(&room);
        if self.shared.is_closed(&room) {
            return Some(Input::RoomClosed);
        }
        match self.enter(&room) {
            Ok(()) => Some(Input::Joined),
            Err(error) => Some(Input::Lost(error)),
        }
    }

    /// Joins a room, and leaves the one before.
    fn enter(&mut self, room: &str) -> Result<(), String> {
        let media = self.media.as_ref().ok_or("the call has no media")?;
        let id = ParticipantId::new(self.id.clone());
        let participant = Participant { id, name: self.name.clone(), joined_at: SystemTime::now() };
        let membership = self.shared.rooms.join(room, participant, media.stream.clone());
        self.membership = Some(membership.map_err(|error| error.to_string())?);
        self.listed.put_into(room);
        Ok(())
    }

    /// Stops a prompt that is being played.
    fn silence(&mut self) {
        if let Some(prompt) = self.prompt.take() {
            prompt.abort();
        }
    }

    async fn respond(&self, status: u16, reason: Option<&str>, headers: &[(String, String)], body: Option<Vec<u8>>) {
        if let Err(error) = self.leg.respond(status, reason, headers, body).await {
            // The call ended on the way; its event says how.
            tracing::debug!(call = self.id, status, %error, "a response was not sent");
        }
    }

    async fn answer_reinvite(&mut self, status: u16, body: Option<Vec<u8>>) {
        let Some((_, reply)) = self.reinvite.take() else { return };
        if let Err(error) = reply.respond(status, body).await {
            tracing::debug!(call = self.id, status, %error, "a re-INVITE was not answered");
        }
    }

    fn record(&self, record: &Record) {
        self.listed.over(record);
        let rule = record.rule.as_ref().map_or("none", |rule| rule.as_str());
        let steps: Vec<String> =
            record.timelog.iter().map(|(status, at)| format!("{} {at:.3}", status.as_str())).collect();
        tracing::info!(
            call = self.id, from = self.invite.calling, to = self.invite.dialled, rule,
            decision = record.trace, timelog = steps.join(", "), end = %record.end,
            "a call is over"
        );
    }
}

/// A digit sent by INFO, as `application/dtmf-relay` (`Signal=5`) or `application/dtmf` (`5`).
fn info_digit(content_type: Option<&str>, body: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(body).ok()?;
    let kind = content_type?.split(';').next()?.trim().to_ascii_lowercase();
    let signal = match kind.as_str() {
        "application/dtmf-relay" => text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            key.trim().eq_ignore_ascii_case("signal").then_some(value)
        })?,
        "application/dtmf" => text,
        _ => return None,
    };
    let mut characters = signal.trim().chars();
    let digit = characters.next().filter(|digit| matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D'))?;
    characters.next().is_none().then_some(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_by_info_are_read_in_both_forms() {
        assert_eq!(info_digit(Some("application/dtmf-relay"), b"Signal= 5\r\nDuration=160\r\n"), Some('5'));
        assert_eq!(info_digit(Some("application/dtmf; x=y"), b"#"), Some('#'));
        assert_eq!(info_digit(Some("application/dtmf-relay"), b"Signal=12"), None);
        assert_eq!(info_digit(Some("text/plain"), b"5"), None);
        assert_eq!(info_digit(Some("application/dtmf"), &[0xff]), None);
    }
}
