//! What becomes of one call?

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::table::{Known, Placed};
use super::trace::{Check, Facts, Trace};
use super::{Arrival, Departure, Offer, Table, Way};
use crate::model::{
    AgentTarget, BookedGateway, BookedRule, Direction, E164, HidingKey, IncludeHeaders, RoomId, RoomMode, RoomPrefix,
    RoutingRule, RuleId, RuleKind, Secret, Target,
};

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

/// Leave to take or to place a call. Only [`Table::decide`] makes one, so holding one means that a decision was made.
#[derive(Clone, PartialEq, Eq)]
pub struct Permit {
    booked: Arc<BookedRule>,
    dialled: Option<E164>,
    calling: Option<E164>,
    draw: u64,
    /// The gateways of an outbound call: the number's own, then those of the failover.
    first: Option<Arc<BookedGateway>>,
    next: Option<Arc<[Arc<BookedGateway>]>>,
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
    /// Every rule that holds the number is closed at this hour.
    Closed,
    /// The rule blocks the caller or the address.
    Blocked,
    /// The rule does not allow the address that the call came from.
    SourceNotAllowed,
    /// The rule does not allow the caller.
    CallerNotAllowed,
    /// There is no rule of this id to place a call by.
    UnknownRule,
    /// The rule to place a call by is not outbound.
    NotOutbound,
    /// The number to call from is not on the rule.
    NumberNotOnRule,
    /// The number to call from stands on no outbound gateway.
    NoGateway,
}

impl Cause {
    /// The status that the caller gets, with its reason phrase: of SIP for an inbound call (RFC 3261 section 21.4),
    /// of HTTP for one to be placed (contract section 5.1).
    ///
    /// A caller who is not allowed learns nothing of the rule: blocked or not on a list, each answers 403.
    pub fn status(self) -> (u16, &'static str) {
        match self {
            Self::NotANumber | Self::UnknownNumber | Self::UnknownRule => (404, "Not Found"),
            Self::NoRule | Self::Closed => (480, "Temporarily Unavailable"),
            Self::Blocked | Self::SourceNotAllowed | Self::CallerNotAllowed => (403, "Forbidden"),
            Self::NotOutbound | Self::NumberNotOnRule | Self::NoGateway => (400, "Bad Request"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "what was dialled is not a phone number",
            Self::UnknownNumber => "the number dialled is not on any gateway here, and no rule names it",
            Self::NoRule => "no inbound rule takes calls to this number",
            Self::Closed => "no rule for this number is open at this hour",
            Self::Blocked => "the rule's `block` holds the caller or the address that the call came from",
            Self::SourceNotAllowed => "the rule's `allow.ips` does not hold the address that the call came from",
            Self::CallerNotAllowed => "the rule's `allow.callers` does not hold the caller",
            Self::UnknownRule => "there is no such rule",
            Self::NotOutbound => "the rule is not outbound",
            Self::NumberNotOnRule => "the number to call from is not on the rule",
            Self::NoGateway => "the number to call from stands on no outbound gateway",
        })
    }
}

impl From<Check> for Cause {
    fn from(missed: Check) -> Self {
        match missed {
            Check::Direction => Self::NotOutbound,
            Check::From => Self::NumberNotOnRule,
            Check::Gateway => Self::NoGateway,
            Check::Schedule => Self::Closed,
            Check::Block => Self::Blocked,
            Check::Source => Self::SourceNotAllowed,
            Check::Caller => Self::CallerNotAllowed,
        }
    }
}

impl Table {
    /// Decides a call at a moment. Does not allocate.
    pub fn decide(&self, offer: &Offer, now: Timestamp) -> Decision {
        let facts = Facts { dialled: offer.dialled, calling: offer.calling, source: None, at: now };
        let mut trace = Trace::of(facts);
        let outcome = match &offer.way {
            Way::Inbound(arrival) => self.inbound(offer, arrival, &mut trace),
            Way::Outbound(departure) => self.outbound(offer, departure, &mut trace),
        };
        let outcome = outcome.unwrap_or_else(Outcome::Refuse);
        Decision { outcome, trace }
    }

    fn inbound(&self, offer: &Offer, arrival: &Arrival, trace: &mut Trace) -> Result<Outcome, Cause> {
        trace.facts.source = Some(arrival.source);
        let dialled = offer.dialled.ok_or(Cause::NotANumber)?;
        let candidates = match self.number(dialled) {
            Known::No => return Err(Cause::UnknownNumber),
            Known::NoRule => {
                self.recognise(dialled, trace);
                return Err(Cause::NoRule);
            }
            Known::Rules(candidates) => candidates,
        };
        self.recognise(dialled, trace);
        trace.candidates = Some(Arc::clone(candidates));
        let mut nearest: Option<(usize, Check)> = None;
        for (at, booked) in candidates.iter().enumerate() {
            let missed = Check::INBOUND.into_iter().find(|check| !check.holds(&booked.rule, &trace.facts));
            trace.ask(missed);
            let Some(missed) = missed else {
                trace.decided(at);
                let permit = Permit {
                    booked: Arc::clone(booked),
                    dialled: Some(dialled),
                    calling: offer.calling,
                    draw: offer.draw,
                    first: None,
                    next: None,
                };
                return Ok(match permit.pin_asked() {
                    true => Outcome::AskPin(permit),
                    false => Outcome::Accept(permit),
                });
            };
            if missed == Check::Block {
                // Who is blocked is not passed on to a rule that knows nothing of it.
                trace.decided(at);
                return Err(Cause::Blocked);
            }
            if nearest.is_none_or(|(_, before)| missed > before) {
                nearest = Some((at, missed));
            }
        }
        let (at, missed) = nearest.ok_or(Cause::NoRule)?;
        trace.decided(at);
        Err(missed.into())
    }

    /// Whether an inbound rule would take a call if it were asked.
    pub(super) fn would_take(&self, rule: &RuleId, offer: &Offer, now: Timestamp) -> bool {
        let Way::Inbound(arrival) = &offer.way else { return false };
        let facts = Facts { dialled: offer.dialled, calling: offer.calling, source: Some(arrival.source), at: now };
        let booked = self.rule(rule).and_then(|placed| placed.rule.first());
        booked.is_some_and(|booked| Check::INBOUND.into_iter().all(|check| check.holds(&booked.rule, &facts)))
    }

    fn recognise(&self, dialled: E164, trace: &mut Trace) {
        trace.known = true;
        trace.gateway = self.gateway(dialled, Direction::Inbound).cloned();
    }

    fn outbound(&self, offer: &Offer, departure: &Departure, trace: &mut Trace) -> Result<Outcome, Cause> {
        if offer.dialled.is_none() && departure.endpoint.is_none() {
            return Err(Cause::NotANumber);
        }
        let Placed { rule: candidates, next } = self.rule(&departure.rule).ok_or(Cause::UnknownRule)?;
        trace.candidates = Some(Arc::clone(candidates));
        let booked = candidates.first().ok_or(Cause::UnknownRule)?;
        let from = offer.calling.filter(|number| booked.rule.numbers.contains(number));
        let gateway = from.and_then(|number| self.gateway(number, Direction::Outbound));
        let checks = [
            (Check::Direction, booked.rule.direction() == Direction::Outbound),
            (Check::From, from.is_some()),
            (Check::Gateway, gateway.is_some()),
        ];
        let missed = checks.into_iter().find(|(_, holds)| !holds).map(|(check, _)| check);
        trace.ask(missed);
        trace.gateway = gateway.cloned();
        match missed {
            Some(missed) => Err(missed.into()),
            None => Ok(Outcome::Accept(Permit {
                booked: Arc::clone(booked),
                dialled: offer.dialled,
                calling: offer.calling,
                draw: offer.draw,
                first: gateway.cloned(),
                next: Some(Arc::clone(next)),
            })),
        }
    }

    /// Why a rule does not take a call, or that it does: everything that it asks, each with whether it holds.
    /// `None` when there is no such rule.
    pub fn examine(&self, offer: &Offer, now: Timestamp, rule: &RuleId) -> Option<Vec<(bool, String)>> {
        let booked = self.rule(rule)?.rule.first()?;
        let decision = self.decide(offer, now);
        let mut asked = Vec::new();
        match &offer.way {
            Way::Outbound(_) => asked.extend(decision.trace.candidates().flat_map(|candidate| {
                let held = candidate.held().into_iter().map(|text| (true, text));
                held.chain(candidate.would_take().map(|take| (false, format!("it would take {take}"))))
            })),
            Way::Inbound(_) => {
                let dialled = offer.dialled.map_or_else(|| "what was dialled".to_owned(), |number| number.to_string());
                let inbound = booked.rule.direction() == Direction::Inbound;
                asked.push((inbound, format!("the rule is {}", booked.rule.direction())));
                let holds = offer.dialled.is_some_and(|number| booked.rule.numbers.contains(&number));
                asked.push((holds, format!("{dialled} is {}one of its numbers", if holds { "" } else { "not " })));
                asked.extend(super::trace::examine(&booked.rule, &decision.trace.facts));
                let decider = decision.trace.candidate().filter(|decider| decider.id != *rule);
                let final_word = !matches!(&decision.outcome, Outcome::Refuse(cause) if *cause != Cause::Blocked);
                if let Some(decider) = decider.filter(|_| final_word && asked.iter().all(|(holds, _)| *holds)) {
                    asked.push((
                        false,
                        format!("rule {} ({}) is asked before it, and decides", decider.rule.name, decider.id),
                    ));
                }
            }
        }
        Some(asked)
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

    /// The number dialled; none where a SIP endpoint is called.
    pub fn dialled(&self) -> Option<E164> {
        self.dialled
    }

    /// The caller as room and agent may see it: the number, or, where it is hidden, what stands for it.
    /// None when the caller shows no number.
    pub fn shown_caller(&self, key: &HidingKey) -> Option<String> {
        let number = self.calling?;
        Some(match self.booked.rule.hide_caller {
            true => key.alias(number),
            false => number.to_string(),
        })
    }

    /// The agent to dispatch.
    pub fn agent(&self) -> Option<AgentTarget> {
        let own = self.booked.rule.agent.as_ref();
        match self.target() {
            // An agent that stands in for the rule's own is told the same.
            Some(Target::Agent(id)) => {
                let metadata = own.map(|own| own.metadata.clone()).unwrap_or_default();
                Some(AgentTarget { id: id.clone(), metadata })
            }
            _ => own.cloned(),
        }
    }

    /// The share that the call falls into, where the rule splits its calls. A caller always falls into the same.
    pub fn target(&self) -> Option<&Target> {
        self.booked.rule.beyond.split.pick(self.calling, self.draw)
    }

    /// The gateways to place an outbound call by, in order.
    pub fn gateways(&self) -> impl Iterator<Item = &BookedGateway> {
        let next = self.next.iter().flat_map(|next| next.iter());
        // The number's own is tried once, even if the failover names it again.
        let first = self.first.as_ref().map(|first| first.id.clone());
        self.first.iter().chain(next.filter(move |gateway| Some(&gateway.id) != first.as_ref())).map(AsRef::as_ref)
    }

    /// Whether a final status of one gateway moves the call on to the next.
    pub fn moves_on(&self, status: u16) -> bool {
        self.booked.rule.beyond.failover.as_ref().is_some_and(|failover| failover.moves_on(status))
    }

    /// The headers of the call that the room is shown, by the rule's `include_headers` (contract section 10.2).
    pub fn headers<'a>(&self, all: &'a [(String, String)]) -> Vec<&'a (String, String)> {
        let shown = |name: &str| match self.booked.rule.include_headers {
            IncludeHeaders::None => false,
            IncludeHeaders::SipXHeaders => name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("x-")),
            IncludeHeaders::All => true,
        };
        all.iter().filter(|(name, _)| shown(name)).collect()
    }

    /// The attributes that the caller gets from headers, whose names are compared in any case (contract section 10.3).
    pub fn attributes(&self, all: &[(String, String)]) -> Vec<(String, String)> {
        let RuleKind::Inbound { headers_to_attributes } = &self.booked.rule.kind else { return Vec::new() };
        let value = |header: &str| all.iter().find(|(name, _)| name.eq_ignore_ascii_case(header));
        let mapped = headers_to_attributes
            .iter()
            .filter_map(|(header, attribute)| value(header).map(|(_, value)| (attribute.clone(), value.clone())));
        mapped.collect()
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

    /// What room the call is led to; none for an agent alone.
    pub fn mode(&self) -> Option<RoomMode> {
        match self.target() {
            Some(Target::Room(id)) => Some(RoomMode::Static(id.clone())),
            _ => self.booked.rule.room.as_ref().map(|room| room.mode.clone()),
        }
    }

    /// The room to join. `fresh` is a random id, used for a room that is made for this call.
    pub fn room(&self, fresh: &str, key: &HidingKey) -> String {
        let numbered = |number: Option<String>| match number {
            // The `+` is left out: room ids travel in URLs.
            Some(number) => format!("{}-{fresh}", number.trim_start_matches('+')),
            None => fresh.to_owned(),
        };
        // An agent without a room of its own meets its caller in a room made for the call.
        match self.mode() {
            Some(RoomMode::Static(id)) => id.to_string(),
            Some(RoomMode::Dynamic(RoomPrefix::SipNumber)) => numbered(self.dialled.map(|number| number.to_string())),
            // A hidden caller's number must not come back in the id of the room.
            Some(RoomMode::Dynamic(RoomPrefix::ParticipantNumber)) => numbered(self.shown_caller(key)),
            Some(RoomMode::Dynamic(RoomPrefix::None | RoomPrefix::Random)) | None => fresh.to_owned(),
        }
    }

    /// The room in words, for a call that nobody makes.
    pub fn room_in_words(&self) -> String {
        let number =
            |number: Option<E164>| number.map_or_else(String::new, |number| format!("{}-", &number.to_string()[1..]));
        match self.mode() {
            Some(RoomMode::Static(id)) => format!("room {id}"),
            Some(RoomMode::Dynamic(RoomPrefix::SipNumber)) => format!("a room of its own ({}…)", number(self.dialled)),
            Some(RoomMode::Dynamic(RoomPrefix::ParticipantNumber)) if self.booked.rule.hide_caller => {
                "a room of its own (hidden-…)".to_owned()
            }
            Some(RoomMode::Dynamic(RoomPrefix::ParticipantNumber)) => {
                format!("a room of its own ({}…)", number(self.calling))
            }
            Some(RoomMode::Dynamic(RoomPrefix::None | RoomPrefix::Random)) | None => "a room of its own (…)".to_owned(),
        }
    }

    /// The id of the room, where it is the same for every call.
    pub fn static_room(&self) -> Option<RoomId> {
        match self.mode() {
            Some(RoomMode::Static(id)) => Some(id),
            _ => None,
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("rule", &self.booked.id).field("dialled", &self.dialled).finish_non_exhaustive()
    }
}
