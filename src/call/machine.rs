//! What does a call do next?

use jiff::Timestamp;

use crate::model::{Fallback, OnClose};
use crate::route::{Decision, Outcome, Permit};

use super::record::{End, Record, Status, Timelog};
use super::turn::{Input, Output, Summons, Timer};
use super::{PIN_DIGITS_MAX, PIN_TRIES};

/// Seconds after which a caller may try again when the daemon stops or has no port free.
const RETRY_AFTER: u32 = 5;

/// One call, from its INVITE to its record.
#[derive(Debug)]
pub struct Call {
    state: State,
    /// Whether a final answer was given: from then on the call is ended by BYE.
    answered: bool,
    /// Whether the caller acknowledged the answer.
    acked: bool,
    media: bool,
    room: bool,
    /// How the agent of the rule is reached; none when it is not, or there is none.
    summons: Option<Summons>,
    agent: Agent,
    /// Why agents could not be reached, one after the other.
    failures: Vec<String>,
    rule: Option<crate::model::RuleId>,
    trace: String,
    timelog: Timelog,
}

#[derive(Debug)]
enum State {
    /// Nothing happened yet.
    New,
    /// Media is being opened.
    Opening { permit: Permit, pin: bool },
    /// The caller is asked for the PIN.
    AskingPin { permit: Permit, digits: String, tries: u32 },
    /// It rings until the agent is there.
    Ringing { permit: Permit },
    /// The room is being joined.
    Joining { permit: Permit },
    /// In the room.
    InRoom { permit: Permit },
    /// The record was written.
    Over,
}

/// Where the agent of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Agent {
    /// There is none.
    Absent,
    /// It is being connected to.
    Summoned,
    /// It is connected, and not in the room yet.
    Ready(OnClose),
    /// It is in the room.
    InRoom(OnClose),
}

impl Default for Call {
    fn default() -> Self {
        Self::new()
    }
}

impl Call {
    /// A call to which nothing has happened.
    pub fn new() -> Self {
        Self {
            state: State::New,
            answered: false,
            acked: false,
            media: false,
            room: false,
            summons: None,
            agent: Agent::Absent,
            failures: Vec::new(),
            rule: None,
            trace: String::new(),
            timelog: Vec::new(),
        }
    }

    /// The same call, knowing how the agent of its rule is reached.
    pub fn summoning(self, summons: Summons) -> Self {
        Self { summons: Some(summons), ..self }
    }

    /// Whether the record was written; nothing more will be asked for.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// When the call reached each of its states, until its record was written.
    pub fn timelog(&self) -> &[(Status, Timestamp)] {
        &self.timelog
    }

    /// How the call was decided, in words, until its record was written.
    pub fn trace(&self) -> &str {
        &self.trace
    }

    /// The rule that took the call, or came nearest to taking it, until its record was written.
    pub fn rule(&self) -> Option<&crate::model::RuleId> {
        self.rule.as_ref()
    }

    /// Takes what happened, and gives what to do, in order.
    ///
    /// Total: an input that makes no sense in the state (a digit nobody asked for, a second BYE, an event that
    /// crossed the end on its way) does nothing.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Vec<Output> {
        match (&mut self.state, input) {
            (State::Over, _) => Vec::new(),
            (State::New, Input::Invited(decision)) => self.invited(decision, now),

            (State::Opening { permit, pin: false }, Input::MediaOpened) => {
                let permit = permit.clone();
                self.proceed(permit)
            }
            (State::Opening { permit, pin: true }, Input::MediaOpened) => {
                let permit = permit.clone();
                self.state = State::AskingPin { permit, digits: String::new(), tries: 0 };
                let mut outputs = self.answer(now);
                outputs.extend([Output::AskPin, Output::Start(Timer::Pin)]);
                outputs
            }
            (State::Opening { .. }, Input::MediaRefused(refusal)) => {
                // What was refused was never opened.
                self.media = false;
                let (status, reason) = refusal.status();
                self.refuse(status, reason, End::NoMedia(refusal), now)
            }

            // The answer to our own offer came with the ACK, and cannot be used.
            (_, Input::MediaRefused(refusal)) if self.answered => self.hang_up(End::NoMedia(refusal), now),

            (State::AskingPin { .. }, Input::Digit(digit)) => self.digit(digit, now),
            (State::AskingPin { .. }, Input::TimedOut(Timer::Pin)) => self.hang_up(End::NoPin, now),

            (State::Joining { permit }, Input::Joined) => {
                self.state = State::InRoom { permit: permit.clone() };
                self.settle(now)
            }
            (_, Input::Acked) => {
                self.acked = self.answered;
                self.settle(now)
            }

            (_, Input::AgentReady(on_close)) if self.agent == Agent::Summoned => {
                self.agent = Agent::Ready(on_close);
                match &self.state {
                    State::Ringing { permit } => {
                        let permit = permit.clone();
                        self.join(permit)
                    }
                    _ => self.settle(now),
                }
            }
            (_, Input::AgentFailed(why)) if self.agent == Agent::Summoned => self.stand_in(why, now),
            (_, Input::AgentClosed(why)) => match self.agent {
                Agent::Absent => Vec::new(),
                // Before the answer it is as if it had not been reached.
                Agent::Summoned => self.stand_in(why, now),
                Agent::Ready(_) | Agent::InRoom(_) if !self.answered => self.stand_in(why, now),
                Agent::Ready(OnClose::Hangup) | Agent::InRoom(OnClose::Hangup) => {
                    self.hang_up(End::AgentClosed(why), now)
                }
                Agent::Ready(OnClose::Leave) | Agent::InRoom(OnClose::Leave) => self.dismiss(),
            },
            (State::InRoom { permit }, Input::Digit(digit))
                if permit.rule().dtmf && matches!(self.agent, Agent::Ready(_) | Agent::InRoom(_)) =>
            {
                vec![Output::TellAgent(digit)]
            }

            (State::AskingPin { .. } | State::Joining { .. } | State::InRoom { .. }, Input::Reinvited) => {
                vec![Output::ChangeMedia]
            }
            (_, Input::Reinvited) => vec![Output::RefuseReinvite { status: 491 }],
            (_, Input::MediaChanged) => vec![Output::AnswerReinvite],
            (_, Input::MediaUnchanged(refusal)) => vec![Output::RefuseReinvite { status: refusal.status().0 }],

            (_, Input::Cancelled) => {
                // The 487 went out, so an answer that was given meanwhile did not (RFC 3261 section 9.2).
                self.timelog.retain(|(status, _)| *status != Status::Answered);
                self.over(Status::Abandoned, End::Cancelled, now)
            }
            (_, Input::Bye) => self.over(Status::Ended, End::HungUp, now),
            (_, Input::Lost(why)) => {
                let status = if self.answered { Status::Ended } else { Status::Failed };
                self.over(status, End::Lost(why), now)
            }
            (_, Input::Silent(time)) if self.answered => self.hang_up(End::Silent(time), now),
            (State::InRoom { .. }, Input::SwitchRoom(room)) => {
                self.timelog.push((Status::SwitchRoomInitiated, now));
                vec![Output::SwitchRoom(room)]
            }
            (State::InRoom { .. }, Input::RoomSwitched) => {
                self.timelog.push((Status::SwitchRoomCompleted, now));
                // Whoever the agent speaks with is there now.
                match self.agent {
                    Agent::InRoom(_) => vec![Output::JoinAgent],
                    _ => Vec::new(),
                }
            }
            (State::InRoom { .. }, Input::RoomNotSwitched(_)) => {
                self.timelog.push((Status::SwitchRoomFailed, now));
                Vec::new()
            }
            (_, Input::HangUp) if self.answered => self.hang_up(End::Requested, now),
            (_, Input::HangUp) => self.refuse(603, "Decline", End::Requested, now),
            (_, Input::RoomClosed) if self.answered => self.hang_up(End::RoomClosed, now),
            // As for a number without a rule: who called cannot be reached there now.
            (_, Input::RoomClosed) => self.refuse(480, "Temporarily Unavailable", End::RoomClosed, now),
            (_, Input::Stopped) if self.answered => self.hang_up(End::Stopped, now),
            (_, Input::Stopped) => self.refuse(503, "Service Unavailable", End::Stopped, now),
            _ => Vec::new(),
        }
    }

    fn invited(&mut self, decision: Decision, now: Timestamp) -> Vec<Output> {
        self.timelog.push((Status::Incoming, now));
        self.trace = decision.trace.to_string();
        self.rule = decision.trace.candidate().map(|booked| booked.id.clone());
        let (permit, pin) = match decision.outcome {
            Outcome::Refuse(cause) => {
                let (status, reason) = cause.status();
                return self.refuse(status, reason, End::Refused(cause), now);
            }
            Outcome::Accept(permit) => (permit, false),
            Outcome::AskPin(permit) => (permit, true),
        };
        if permit.agent().is_none() {
            self.summons = None;
        }
        if permit.mode().is_none() && self.summons.is_none() {
            // Answering would put the caller alone into silence, and have them pay for it.
            return self.refuse(480, "Temporarily Unavailable", End::AgentUnreachable, now);
        }
        self.state = State::Opening { permit, pin };
        self.media = true;
        vec![Output::OpenMedia]
    }

    fn digit(&mut self, digit: char, now: Timestamp) -> Vec<Output> {
        let State::AskingPin { permit, digits, tries } = &mut self.state else { return Vec::new() };
        if digit != '#' {
            if digits.len() <= PIN_DIGITS_MAX {
                digits.push(digit);
            }
            return Vec::new();
        }
        if permit.opens(digits) {
            let permit = permit.clone();
            return self.proceed(permit);
        }
        digits.clear();
        *tries += 1;
        match *tries >= PIN_TRIES {
            true => self.hang_up(End::WrongPin, now),
            false => vec![Output::AskPin],
        }
    }

    /// Goes on once media and, where it is asked for, the PIN are there.
    fn proceed(&mut self, permit: Permit) -> Vec<Output> {
        let Some((summons, id)) = self.summons.as_ref().zip(permit.agent().map(|agent| agent.id)) else {
            return self.join(permit);
        };
        let ring = summons.ring_until_ready && !self.answered;
        self.agent = Agent::Summoned;
        let dispatch = Output::DispatchAgent(permit.clone(), id);
        match ring {
            true => {
                self.state = State::Ringing { permit };
                vec![Output::Ring, dispatch]
            }
            false => {
                let mut outputs = self.join(permit);
                outputs.push(dispatch);
                outputs
            }
        }
    }

    fn join(&mut self, permit: Permit) -> Vec<Output> {
        self.state = State::Joining { permit: permit.clone() };
        self.room = true;
        vec![Output::JoinRoom(permit)]
    }

    /// Answers once it may be, and lets the agent in once it is heard.
    fn settle(&mut self, now: Timestamp) -> Vec<Output> {
        let State::InRoom { .. } = self.state else { return Vec::new() };
        let rings = self.summons.as_ref().is_some_and(|summons| summons.ring_until_ready);
        let waits = rings && self.agent == Agent::Summoned;
        if !self.answered && !waits {
            return self.answer(now);
        }
        match self.agent {
            Agent::Ready(on_close) if self.acked => {
                self.agent = Agent::InRoom(on_close);
                vec![Output::JoinAgent]
            }
            _ => Vec::new(),
        }
    }

    fn dismiss(&mut self) -> Vec<Output> {
        match std::mem::replace(&mut self.agent, Agent::Absent) {
            Agent::Absent => Vec::new(),
            _ => vec![Output::DismissAgent],
        }
    }

    /// Does what is to be done when an agent was not reached.
    fn stand_in(&mut self, why: String, now: Timestamp) -> Vec<Output> {
        self.failures.push(why);
        let mut outputs = self.dismiss();
        let permit = match &self.state {
            State::Ringing { permit } | State::Joining { permit } | State::InRoom { permit } => permit.clone(),
            _ => return outputs,
        };
        let fallback = self.summons.as_mut().filter(|summons| !summons.fallback.is_empty());
        let next = fallback.map(|summons| summons.fallback.remove(0));
        let end = || End::AgentFailed(self.failures.join("; "));
        match next {
            Some(Fallback::Agent(id)) => {
                self.agent = Agent::Summoned;
                outputs.push(Output::DispatchAgent(permit, id));
            }
            Some(Fallback::Room(id)) => {
                self.state = State::Joining { permit: permit.clone() };
                self.room = true;
                outputs.push(Output::JoinOther(permit, id));
            }
            // Whoever else is in the room of the rule is talked to.
            None if self.answered && permit.mode().is_some() => {}
            Some(Fallback::Status(_)) | None if self.answered => {
                let end = end();
                outputs.extend(self.hang_up(end, now));
            }
            Some(Fallback::Status(status)) => {
                let end = end();
                outputs.extend(self.refuse(status, phrase(status), end, now));
            }
            None => {
                let end = end();
                outputs.extend(self.refuse(480, phrase(480), end, now));
            }
        }
        outputs
    }

    fn answer(&mut self, now: Timestamp) -> Vec<Output> {
        self.answered = true;
        self.timelog.push((Status::Answered, now));
        vec![Output::Answer]
    }

    fn refuse(&mut self, status: u16, reason: &'static str, end: End, now: Timestamp) -> Vec<Output> {
        let word = match end {
            End::Refused(_) | End::Requested | End::RoomClosed => Status::Rejected,
            _ => Status::Failed,
        };
        let retry_after = (status == 503).then_some(RETRY_AFTER);
        let mut outputs = vec![Output::Refuse { status, reason, retry_after }];
        outputs.extend(self.over(word, end, now));
        outputs
    }

    fn hang_up(&mut self, end: End, now: Timestamp) -> Vec<Output> {
        let mut outputs = vec![Output::Bye];
        outputs.extend(self.over(Status::Ended, end, now));
        outputs
    }

    /// Ends the call: gives back what it holds, and writes its record.
    fn over(&mut self, status: Status, end: End, now: Timestamp) -> Vec<Output> {
        self.state = State::Over;
        self.timelog.push((status, now));
        let mut outputs = self.dismiss();
        if self.room {
            outputs.push(Output::LeaveRoom);
        }
        if self.media {
            outputs.push(Output::CloseMedia);
        }
        let (rule, trace) = (self.rule.take(), std::mem::take(&mut self.trace));
        let record = Record { rule, trace, timelog: std::mem::take(&mut self.timelog), end };
        outputs.push(Output::Record(Box::new(record)));
        outputs
    }
}

/// The reason phrase of a status that files may name (RFC 3261 section 21).
fn phrase(status: u16) -> &'static str {
    match status {
        403 => "Forbidden",
        404 => "Not Found",
        480 => "Temporarily Unavailable",
        486 => "Busy Here",
        500 => "Server Internal Error",
        503 => "Service Unavailable",
        600 => "Busy Everywhere",
        603 => "Decline",
        _ => "Unavailable",
    }
}
