//! What becomes of one call?

use std::fmt;
use std::sync::Arc;

use super::trace::{Step, Trace};
use super::{Offer, Table};
use crate::model::{AgentTarget, BookedRule, E164, Listed, RoomId, RoomMode, RoomPrefix, RoutingRule, RuleId, Secret};

/// What becomes of a call, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of it.
    pub outcome: Outcome,
    /// What was looked at, in order.
    pub trace: Trace,
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is taken.
    Accept(Permit),
    /// It is taken once the caller has entered the PIN.
    AskPin(Permit),
    /// It is refused.
    Refuse(Cause),
}

/// Leave to take a call. Only [`Table::decide`] makes one, so holding one means that a decision was made.
#[derive(Clone, PartialEq, Eq)]
pub struct Permit {
    booked: Arc<BookedRule>,
    dialled: E164,
    calling: Option<E164>,
}

/// Why a call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// What was dialled is no phone number.
    NotANumber,
    /// The number is not one of ours.
    UnknownNumber,
    /// The number is ours, and no inbound rule takes its calls.
    NoRule,
    /// The rule does not allow the address that the call came from.
    SourceNotAllowed,
    /// The rule does not allow the caller.
    CallerNotAllowed,
}

impl Cause {
    /// The SIP status that the caller gets (RFC 3261 section 21.4), with its reason phrase.
    ///
    /// A caller who is not allowed learns nothing of the rule: both lists answer 403.
    pub fn status(self) -> (u16, &'static str) {
        match self {
            Self::NotANumber | Self::UnknownNumber => (404, "Not Found"),
            Self::NoRule => (480, "Temporarily Unavailable"),
            Self::SourceNotAllowed | Self::CallerNotAllowed => (403, "Forbidden"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "what was dialled is not a phone number",
            Self::UnknownNumber => "the number dialled is not on any gateway here, and no rule names it",
            Self::NoRule => "no inbound rule takes calls to this number",
            Self::SourceNotAllowed => "the rule's `allow.ips` does not hold the address that the call came from",
            Self::CallerNotAllowed => "the rule's `allow.callers` does not hold the caller",
        })
    }
}

impl Table {
    /// Decides an inbound call. Does not allocate.
    pub fn decide(&self, offer: &Offer) -> Decision {
        let mut trace = Trace::default();
        let outcome = self.outcome(offer, &mut trace);
        Decision { outcome, trace }
    }

    fn outcome(&self, offer: &Offer, trace: &mut Trace) -> Outcome {
        let Some(dialled) = offer.dialled else { return Outcome::Refuse(Cause::NotANumber) };
        let Some(entry) = self.number(dialled) else { return Outcome::Refuse(Cause::UnknownNumber) };
        trace.held(Step::Number(dialled));
        let Some(booked) = entry else { return Outcome::Refuse(Cause::NoRule) };
        trace.candidate = Some(Arc::clone(booked));
        let rule = &booked.rule;
        match rule.allowed_sources.source(offer.source) {
            Listed::No => return trace.failed(Step::Source(offer.source), Cause::SourceNotAllowed),
            Listed::Yes => trace.held(Step::Source(offer.source)),
            Listed::Open => {}
        }
        match rule.allowed_callers.caller(offer.calling) {
            Listed::No => return trace.failed(Step::Caller(offer.calling), Cause::CallerNotAllowed),
            Listed::Yes => trace.held(Step::Caller(offer.calling)),
            Listed::Open => {}
        }
        let permit = Permit { booked: Arc::clone(booked), dialled, calling: offer.calling };
        match permit.pin_asked() {
            true => Outcome::AskPin(permit),
            false => Outcome::Accept(permit),
        }
    }
}

impl Trace {
    fn failed(&mut self, step: Step, cause: Cause) -> Outcome {
        self.failed = Some(step);
        Outcome::Refuse(cause)
    }
}

impl Permit {
    /// The id of the rule that takes the call.
    pub fn rule_id(&self) -> &RuleId {
        &self.booked.id
    }

    /// The rule that takes the call.
    pub fn rule(&self) -> &RoutingRule<Option<Secret>> {
        &self.booked.rule
    }

    /// The number dialled.
    pub fn dialled(&self) -> E164 {
        self.dialled
    }

    /// The caller's number as room and agent may see it; none when it is hidden or not shown.
    pub fn shown_caller(&self) -> Option<E164> {
        self.calling.filter(|_| !self.booked.rule.hide_caller)
    }

    /// The agent to dispatch.
    pub fn agent(&self) -> Option<&AgentTarget> {
        self.booked.rule.agent.as_ref()
    }

    fn pin_asked(&self) -> bool {
        self.booked.rule.room.as_ref().is_some_and(|room| room.pin.is_some())
    }

    /// Whether digits are the PIN that the rule asks for. A PIN that is not known here is entered by nobody.
    pub fn opens(&self, digits: &str) -> bool {
        let pin = self.booked.rule.room.as_ref().and_then(|room| room.pin.as_ref());
        match pin {
            None => true,
            Some(pin) => pin.as_ref().is_some_and(|pin| *pin == Secret::new(digits)),
        }
    }

    /// The room to join. `fresh` is a random id, used for a room that is made for this call.
    pub fn room(&self, fresh: &str) -> String {
        // An agent without a room of its own meets its caller in a room made for the call.
        let mode = self.booked.rule.room.as_ref().map(|room| &room.mode);
        match mode {
            Some(RoomMode::Static(id)) => id.to_string(),
            Some(RoomMode::Dynamic(RoomPrefix::SipNumber)) => numbered(Some(self.dialled), fresh),
            // A hidden caller's number must not come back in the id of the room.
            Some(RoomMode::Dynamic(RoomPrefix::ParticipantNumber)) => numbered(self.shown_caller(), fresh),
            Some(RoomMode::Dynamic(RoomPrefix::None | RoomPrefix::Random)) | None => fresh.to_owned(),
        }
    }

    /// The room in words, for a call that nobody makes.
    pub fn room_in_words(&self) -> String {
        match self.booked.rule.room.as_ref().map(|room| &room.mode) {
            Some(RoomMode::Static(id)) => format!("room {}", RoomId::as_str(id)),
            _ => format!("a room of its own ({})", self.room("…")),
        }
    }
}

fn numbered(number: Option<E164>, fresh: &str) -> String {
    match number {
        // The `+` is left out: room ids travel in URLs.
        Some(number) => format!("{}-{fresh}", &number.to_string()[1..]),
        None => fresh.to_owned(),
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("rule", &self.booked.id).field("dialled", &self.dialled).finish_non_exhaustive()
    }
}
