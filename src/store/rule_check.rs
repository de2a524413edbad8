//! Which rules are legal?

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::OptionalExtension;

use super::error::Fault;
use super::rules::priority_of;
use super::{Work, keys, numbers};
use crate::api::{ApiError, Beyond, Room, RoutingRule, Word};
use crate::model::{AgentId, Direction, E164, IncludeHeaders, Malformed};

/// Brings a rule into the one form that is stored, or refuses it.
pub(super) fn settle(rule: &mut RoutingRule) -> Result<Direction, ApiError> {
    let direction = rule.kind.known("type").map_err(refusal)?;
    if rule.name.trim().is_empty() {
        return Err(ApiError::invalid("name may not be empty"));
    }
    rule.numbers = one_of_each(&rule.numbers)?;
    settle_headers(rule, direction)?;
    settle_room(rule)?;
    settle_beyond(rule, direction)?;
    rule.agent_id = rule.agent_id.take().filter(|id| !id.is_empty());
    if let Some(id) = &rule.agent_id {
        id.parse::<AgentId>().map_err(|why| ApiError::invalid(format!("agentId: {why}")))?;
    }
    let headers = match &rule.include_headers {
        // No source states the default; `NONE` shows the least (contract section 10.2).
        None => IncludeHeaders::None,
        Some(word) => word.known("includeHeaders").map_err(refusal)?,
    };
    rule.include_headers = Some(Word::Known(headers));
    // The last word is the reader's: what calls are decided by must be able to read what is stored.
    rule.to_model().map_err(refusal)?;
    Ok(direction)
}

/// Refuses a rule whose numbers or key the account does not have, or whose numbers another rule holds.
pub(super) fn fits(work: &Work<'_>, rule: &RoutingRule, direction: Direction) -> Result<(), Fault> {
    if let Some(key) = &rule.api_key
        && keys::secret_of(work, key.0.expose())?.is_none()
    {
        return Err(ApiError::invalid("Invalid API Key").into());
    }
    for text in &rule.numbers {
        let number: E164 = text.parse().map_err(refusal)?;
        if !numbers::exists(work, number)? {
            return Err(ApiError::invalid(format!("Phone number {number} does not exist in the account")).into());
        }
        if direction == Direction::Inbound
            && let Some((id, name)) = inbound_holder(work, number, rule)?
        {
            return Err(ApiError::invalid(format!(
                "Phone number {number} is already on the inbound rule `{name}` ({id}){}; take it off that rule first",
                match priority_of(rule) {
                    ..0 => String::new(),
                    priority => format!(" with the priority {priority}"),
                }
            ))
            .into());
        }
    }
    Ok(())
}

/// The id and the name of another inbound rule of the same priority that holds a number.
fn inbound_holder(work: &Work<'_>, number: E164, rule: &RoutingRule) -> Result<Option<(String, String)>, Fault> {
    let read = "SELECT rule.id, rule.name FROM rule_number JOIN rule ON rule.id = rule_number.rule
                WHERE rule_number.e164 = ?1 AND rule_number.direction = 'inbound' AND rule.id <> ?2
                AND rule_number.priority = ?3";
    let mut statement = work.prepare_cached(read)?;
    Ok(statement
        .query_row((number.to_string(), &rule.id, priority_of(rule)), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// The numbers in their strict form and their order, without repetitions.
fn one_of_each(texts: &[String]) -> Result<Vec<String>, ApiError> {
    let mut seen = BTreeSet::new();
    let mut numbers = Vec::new();
    for (place, text) in texts.iter().enumerate() {
        let number: E164 =
            text.parse().map_err(|why| ApiError::invalid(format!("phoneNumbers[{place}] `{text}`: {why}")))?;
        if seen.insert(number) {
            numbers.push(number.to_string());
        }
    }
    Ok(numbers)
}

/// Each direction has a header map of its own; the other one may be empty, as the npm SDK sends it.
fn settle_headers(rule: &mut RoutingRule, direction: Direction) -> Result<(), ApiError> {
    let (own, other) = match direction {
        Direction::Inbound => {
            (("headersToAttributes", &mut rule.headers_to_attributes), ("headers", &mut rule.headers))
        }
        Direction::Outbound => {
            (("headers", &mut rule.headers), ("headersToAttributes", &mut rule.headers_to_attributes))
        }
    };
    if other.1.take().is_some_and(|map| !map.is_empty()) {
        return Err(ApiError::invalid(format!("{} may not be set on an {direction} rule; use {}", other.0, own.0)));
    }
    own.1.get_or_insert_with(BTreeMap::new);
    for (header, value) in own.1.iter().flatten() {
        // Both stand in SIP messages or in attribute names: a line end in one would be another header.
        let token = |c: char| c.is_ascii_alphanumeric() || "-.!%*_+`'~".contains(c);
        if header.is_empty() || !header.chars().all(token) {
            return Err(ApiError::invalid(format!(
                "{}: {header:?} is not a header name (RFC 3261 section 25.1, token)",
                own.0
            )));
        }
        if value.chars().any(char::is_control) {
            return Err(ApiError::invalid(format!("{}: the value of `{header}` has a control character", own.0)));
        }
    }
    Ok(())
}

/// Writes the room as its meaning, so that equal rooms are equal texts.
fn settle_room(rule: &mut RoutingRule) -> Result<(), ApiError> {
    let Some(room) = rule.room.take() else { return Ok(()) };
    if let Some(prefix) = &room.prefix {
        prefix.known("room.prefix").map_err(refusal)?;
    }
    let blank = room.id.is_none() && room.pin.is_none() && room.prefix.is_none();
    match room.to_model().map_err(|why| ApiError::invalid(format!("room: {why}")))? {
        Some(meaning) => rule.room = Some(Room::from_model(&meaning)),
        // `{}` clears, as `null` does.
        None if blank => {}
        None => return Err(ApiError::invalid("room needs a type: static or dynamic")),
    }
    Ok(())
}

/// Writes what goes beyond the contract as its meaning, or refuses it.
fn settle_beyond(rule: &mut RoutingRule, direction: Direction) -> Result<(), ApiError> {
    let Some(beyond) = rule.strowger.take() else { return Ok(()) };
    let meaning = beyond.to_model().map_err(refusal)?;
    let misplaced = meaning.used().into_iter().find(|key| (*key == "failover") != (direction == Direction::Outbound));
    if let Some(key) = misplaced {
        return Err(ApiError::invalid(format!("strowger.{key} may not be set on an {direction} rule")));
    }
    rule.strowger = (!meaning.is_plain()).then(|| Beyond::from_model(&meaning));
    Ok(())
}

fn refusal(why: Malformed) -> ApiError {
    ApiError::invalid(why.0)
}
