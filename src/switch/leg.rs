//! How does one call run?

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep};

use super::agent::{self, Dispatched, HIDDEN};
use super::calls::{CallSnapshot, ID_PREFIX, Listed, sid};
use super::media::Media;
use super::{Routing, Shared, silence};
use crate::agent::{Directory, Stream};
use crate::call::{Call, Input, Output, PIN_TIME, Record, Status, Timer};
use crate::media::tone;
use crate::model::{AgentId, E164, RoomId};
use crate::room::{Membership, Participant, ParticipantId};
use crate::route::{Offer, Outcome, Permit};
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
    /// The room that the call is in, or is going to be in.
    room: Option<String>,
    /// Where agents are, as of the decision.
    directory: Arc<Directory>,
    agent: Option<Dispatched>,
    /// The re-INVITE that waits for its answer, and its offer.
    reinvite: Option<(Vec<u8>, Reply)>,
    digits: Option<mpsc::Receiver<char>>,
    prompt: Option<AbortHandle>,
    pin_timer: Pin<Box<Sleep>>,
    /// Since when sound is due; what is agreed on anew is waited for anew.
    due_since: Instant,
    silence_timer: Pin<Box<Sleep>>,
}

/// Runs a call from its INVITE to its record.
pub(super) async fn run(shared: Arc<Shared>, routing: Arc<Routing>, incoming: Incoming) {
    let Incoming { invite, leg, mut events } = incoming;
    let offer = Offer::inbound(&invite.dialled, &invite.calling, invite.source.ip())
        .arrived(&invite.dialled_host, invite.transport)
        .drawn(rand::random());
    // As the contract writes numbers, where they are numbers.
    let number = |read: Option<E164>, text: &String| read.map_or_else(|| text.clone(), |number| number.to_string());
    let decision = routing.table.decide(&offer, Timestamp::now());
    let mut call = Call::new();
    let mut shown = None;
    if let Outcome::Accept(permit) | Outcome::AskPin(permit) = &decision.outcome {
        let answer_first = routing.answer_first.contains(permit.rule_id());
        if let Some(summons) = agent::summons(&routing.agents, permit, answer_first) {
            call = call.summoning(summons);
        }
        shown = permit.shown_caller(&shared.hiding);
    }
    // The call keeps its decision, not the table: a table that was swapped out must not live as long as its calls.
    let directory = Arc::clone(&routing.agents);
    drop(routing);
    let id = format!("{ID_PREFIX}{}", uuid::Uuid::new_v4().simple());
    let (listed, mut asked) = shared.listed.list(CallSnapshot {
        id: id.clone(),
        sip_call_id: invite.call_id.clone(),
        from: number(offer.calling, &invite.calling),
        shown_from: shown.clone().unwrap_or_else(|| HIDDEN.to_owned()),
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
        call,
        listed,
        name: shown.unwrap_or_else(|| "unknown caller".to_owned()),
        media: None,
        membership: None,
        room: None,
        directory,
        agent: None,
        reinvite: None,
        digits: None,
        prompt: None,
        pin_timer: Box::pin(tokio::time::sleep(NEVER)),
        due_since: Instant::now(),
        silence_timer: Box::pin(tokio::time::sleep(NEVER)),
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
                runner.pin_timer.as_mut().reset(Instant::now() + NEVER);
                Some(Input::TimedOut(Timer::Pin))
            }
            input = news(&mut runner.agent) => Some(input),
            Some(request) = asked.recv() => Some(request),
            () = &mut runner.silence_timer => runner.listen(),
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

/// Waits for what becomes of the agent; for ever where there is none.
async fn news(agent: &mut Option<Dispatched>) -> Input {
    match agent {
        Some(agent) => agent.news().await,
        None => std::future::pending().await,
    }
}

impl Runner {
    /// What an event of the SIP side means to the call.
    fn heard(&mut self, event: LegEvent) -> Option<Input> {
        match event {
            LegEvent::Acked { body } => match self.media.as_mut().map(|media| media.acked(&body)) {
                Some(Err(refusal)) => Some(Input::MediaRefused(refusal)),
                _ => {
                    self.expect_sound();
                    Some(Input::Acked)
                }
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
            Output::Ring => {
                self.respond(180, None, &[], None).await;
                None
            }
            Output::Answer => {
                let sdp = self.media.as_mut().map(|media| media.describe().into_bytes());
                self.respond(200, None, &[], sdp).await;
                self.expect_sound();
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
                self.pin_timer.as_mut().reset(Instant::now() + PIN_TIME);
                None
            }
            Output::JoinRoom(permit) => self.join(&permit),
            Output::JoinOther(permit, room) => self.join_other(&permit, &room),
            Output::SwitchRoom(room) => match self.enter(&room) {
                Ok(()) => Some(Input::RoomSwitched),
                Err(error) => {
                    tracing::warn!(call = self.id, room, error, "a call was not moved into another room");
                    Some(Input::RoomNotSwitched(error))
                }
            },
            Output::DispatchAgent(permit, id) => {
                self.dispatch(&permit, id);
                None
            }
            Output::JoinAgent => {
                self.join_agent();
                None
            }
            Output::TellAgent(digit) => {
                if let Some(leg) = self.agent.as_ref().and_then(|agent| agent.leg.as_ref()) {
                    leg.digit(digit);
                }
                None
            }
            Output::DismissAgent => {
                self.agent = None;
                None
            }
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
                self.expect_sound();
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
        if let Some(agent) = permit.agent().filter(|agent| self.directory.find(&agent.id).is_none()) {
            tracing::warn!(
                call = self.id, agent = %agent.id, rule = %permit.rule_id(),
                "no `[agent]` table says where the agent of the rule is; the caller joins the room without it"
            );
        }
        let room = self.room(permit);
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
        self.room = Some(room.to_owned());
        self.listed.put_into(room);
        Ok(())
    }

    /// The room of the call: the rule's, chosen once.
    fn room(&mut self, permit: &Permit) -> String {
        let hiding = &self.shared.hiding;
        self.room.get_or_insert_with(|| permit.room(&fresh_room_id(), hiding)).clone()
    }

    fn join_other(&mut self, permit: &Permit, room: &RoomId) -> Option<Input> {
        self.membership = None;
        tracing::warn!(call = self.id, %room, "the caller joins another room, because the agent is not there");
        self.room = Some(room.to_string());
        self.join(permit)
    }

    fn dispatch(&mut self, permit: &Permit, id: AgentId) {
        let room = self.room(permit);
        let account = self.shared.account.get().cloned().unwrap_or_else(|| format!("AC{:032}", 0));
        let stream = Stream {
            stream_sid: format!("MZ{}", uuid::Uuid::new_v4().simple()),
            account_sid: account,
            call_sid: sid(&self.id),
            parameters: agent::parameters(permit, &self.shared.hiding, &self.invite, &self.id, &room),
        };
        self.agent = Some(Dispatched::begin(&self.shared, &self.directory, &self.id, id, stream));
    }

    fn join_agent(&mut self) {
        let (Some(agent), Some(room)) = (self.agent.as_mut(), self.room.as_deref()) else { return };
        let Some(leg) = agent.leg.clone() else { return };
        // Two calls may bring the same agent into one room; each has its own.
        let id = ParticipantId::new(format!("{}@{}", agent.id, self.id));
        let participant = Participant { id, name: agent.id.to_string(), joined_at: SystemTime::now() };
        match self.shared.rooms.join(room, participant, leg) {
            Ok(membership) => agent.membership = Some(membership),
            Err(error) => tracing::error!(call = self.id, %error, "an agent did not get into its room"),
        }
    }

    /// Waits for sound from now on, by what is agreed on now.
    fn expect_sound(&mut self) {
        let Some(media) = &self.media else { return };
        self.due_since = Instant::now();
        self.silence_timer.as_mut().reset(self.due_since + silence::limit(media.direction()));
    }

    /// Whether the caller was silent for too long; if not, it is looked at again when that could be.
    fn listen(&mut self) -> Option<Input> {
        let Some(media) = &self.media else {
            self.silence_timer.as_mut().reset(Instant::now() + NEVER);
            return None;
        };
        let limit = silence::limit(media.direction());
        let left = silence::left(limit, self.due_since.elapsed(), media.stream.stats().last_packet_age);
        self.silence_timer.as_mut().reset(Instant::now() + left.unwrap_or(NEVER));
        left.is_none().then_some(Input::Silent(limit))
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
