//! What does a call do next?

use jiff::Timestamp;

use crate::route::{Decision, Outcome, Permit};

use super::record::{End, Record, Status, Timelog};
use super::turn::{Input, Output, Timer};
use super::{PIN_DIGITS_MAX, PIN_TRIES};

/// Seconds after which a caller may try again when the daemon stops or has no port free.
const RETRY_AFTER: u32 = 5;

/// One call, from its INVITE to its record.
#[derive(Debug)]
pub struct Call {
    state: State,
    /// Whether a final answer was given: from then on the call is ended by BYE.
    answered: bool,
    media: bool,
    room: bool,
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
    /// The room is being joined.
    Joining,
    /// In the room.
    InRoom,
    /// The record was written.
    Over,
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
            media: false,
            room: false,
            rule: None,
            trace: String::new(),
            timelog: Vec::new(),
        }
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
                self.join(permit)
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

            (State::Joining, Input::Joined) => {
                self.state = State::InRoom;
                match self.answered {
                    true => Vec::new(),
                    false => self.answer(now),
                }
            }

            (State::AskingPin { .. } | State::Joining | State::InRoom, Input::Reinvited) => vec![Output::ChangeMedia],
            (_, Input::Reinvited) => vec![Output::RefuseReinvite { status: 491 }],
            (_, Input::MediaChanged) => vec![Output::AnswerReinvite],
            (_, Input::MediaUnchanged(refusal)) => vec![Output::RefuseReinvite { status: refusal.status().0 }],

            // A CANCEL that crossed the answer is ignored: the caller will send a BYE (RFC 3261 section 9.2).
            (_, Input::Cancelled) if !self.answered => self.over(Status::Abandoned, End::Cancelled, now),
            (_, Input::Bye) => self.over(Status::Ended, End::HungUp, now),
            (_, Input::Lost(why)) => {
                let status = if self.answered { Status::Ended } else { Status::Failed };
                self.over(status, End::Lost(why), now)
            }
            (State::InRoom, Input::SwitchRoom(room)) => {
                self.timelog.push((Status::SwitchRoomInitiated, now));
                vec![Output::SwitchRoom(room)]
            }
            (State::InRoom, Input::RoomSwitched) => {
                self.timelog.push((Status::SwitchRoomCompleted, now));
                Vec::new()
            }
            (State::InRoom, Input::RoomNotSwitched(_)) => {
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
        self.rule = decision.trace.candidate.as_ref().map(|booked| booked.id.clone());
        let (permit, pin) = match decision.outcome {
            Outcome::Refuse(cause) => {
                let (status, reason) = cause.status();
                return self.refuse(status, reason, End::Refused(cause), now);
            }
            Outcome::Accept(permit) => (permit, false),
            Outcome::AskPin(permit) => (permit, true),
        };
        if permit.rule().room.is_none() {
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
            return self.join(permit);
        }
        digits.clear();
        *tries += 1;
        match *tries >= PIN_TRIES {
            true => self.hang_up(End::WrongPin, now),
            false => vec![Output::AskPin],
        }
    }

    fn join(&mut self, permit: Permit) -> Vec<Output> {
        self.state = State::Joining;
        self.room = true;
        vec![Output::JoinRoom(permit)]
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
        let mut outputs = Vec::new();
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
