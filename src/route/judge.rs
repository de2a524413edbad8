//! Is a call decided as its test expects?

use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;

use super::{Decision, Offer, Outcome, Permit, Table};
use crate::model::{Exchange, RoomMode, TestCase};

/// What became of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The decision.
    pub decision: Decision,
    /// Where it is not as expected; nothing when the test holds.
    pub differences: Vec<Difference>,
}

/// One side of a decision that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key of `expect`.
    pub what: &'static str,
    /// What it says.
    pub expected: String,
    /// What was decided.
    pub got: String,
}

/// The call that a test describes, and when it comes.
pub fn offer_of(case: &TestCase) -> (Offer, Timestamp) {
    let source = case.source.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let offer = Offer::inbound(&case.dial, case.from.as_deref().unwrap_or("anonymous"), source);
    (offer, case.at.unwrap_or(TestCase::NOON))
}

/// Decides a test's call by a table, and compares. Names are those of the exchange; without one, ids are compared.
pub fn judge(case: &TestCase, table: &Table, exchange: Option<&Exchange>) -> Verdict {
    let (offer, at) = offer_of(case);
    let decision = table.decide(&offer, at);
    let mut differences = Vec::new();
    let mut differ = |what, expected: String, got: String| differences.push(Difference { what, expected, got });
    let expect = &case.expect;
    let none = || "none".to_owned();

    let rule = decision.trace.candidate();
    if let Some(expected) = expect.rule.as_ref()
        && !rule.is_some_and(|booked| booked.id.as_str() == expected || booked.rule.name == *expected)
    {
        differ("rule", expected.clone(), rule.map_or_else(none, |booked| booked.id.to_string()));
    }
    let permit = match &decision.outcome {
        Outcome::Accept(permit) | Outcome::AskPin(permit) => Some(permit),
        Outcome::Refuse(_) => None,
    };
    let got = match &decision.outcome {
        Outcome::Refuse(cause) => format!("{} {}", cause.status().0, cause.status().1),
        _ => "the call is taken".to_owned(),
    };
    match (expect.status, &decision.outcome) {
        (Some(status), Outcome::Refuse(cause)) if status == cause.status().0 => {}
        (None, Outcome::Accept(_) | Outcome::AskPin(_)) => {}
        (Some(status), _) => differ("status", status.to_string(), got),
        (None, _) => differ("status", "the call is taken".to_owned(), got),
    }
    if let (Some(expected), Some(permit)) = (&expect.room, permit)
        && !is_room(expected, permit, exchange)
    {
        differ("room", expected.clone(), permit.room_in_words());
    }
    if let (Some(expected), Some(permit)) = (&expect.agent, permit) {
        let agent = permit.agent().map(|agent| agent.id);
        let named = exchange.and_then(|exchange| exchange.agents().get(&expected.parse().ok()?)).map(|agent| &agent.id);
        if !agent.as_ref().is_some_and(|agent| agent.as_str() == expected || Some(agent) == named) {
            differ("agent", expected.clone(), agent.map_or_else(none, |agent| agent.to_string()));
        }
    }
    if let (Some(expected), Some(_)) = (expect.pin, permit) {
        let asked = matches!(decision.outcome, Outcome::AskPin(_));
        if asked != expected {
            differ("pin", expected.to_string(), asked.to_string());
        }
    }
    Verdict { decision, differences }
}

fn is_room(expected: &str, permit: &Permit, exchange: Option<&Exchange>) -> bool {
    let mode = permit.mode();
    let named = exchange.and_then(|exchange| exchange.rooms().get(&expected.parse().ok()?)).map(|room| &room.mode);
    match &mode {
        Some(RoomMode::Static(id)) if id.as_str() == expected => true,
        Some(RoomMode::Dynamic(_)) | None if expected == "dynamic" => true,
        _ => permit.room_in_words() == expected || (mode.is_some() && mode.as_ref() == named),
    }
}
