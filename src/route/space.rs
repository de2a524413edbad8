//! Which calls does a change move?

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{BookedRule, Direction, E164, RoomMode, RoutingRule, RuleBook, RuleKind, Secret};

/// A dialled number whose calls are decided or treated otherwise after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The number.
    pub number: E164,
    /// What became of its calls before, in words.
    pub before: String,
    /// What becomes of them after, in words.
    pub after: String,
    /// Which sides of the treatment differ, in the words of the language.
    pub what: Vec<&'static str>,
}

/// The dialled numbers whose calls a change moves; calls to every other number are decided as before.
///
/// A number is taken by at most one inbound rule, so its calls are decided alike exactly when that rule is alike
/// in everything that a call meets.
pub fn moved(before: &RuleBook, after: &RuleBook) -> Vec<Moved> {
    let (old, new) = (by_number(before), by_number(after));
    let numbers: BTreeSet<E164> = old.keys().chain(new.keys()).copied().collect();
    let entries = numbers.into_iter().filter_map(|number| {
        let (before, after) = (old.get(&number).copied(), new.get(&number).copied());
        let what = differences(before, after);
        (!what.is_empty()).then(|| Moved { number, before: in_words(before), after: in_words(after), what })
    });
    entries.collect()
}

/// What the book says of a number: known without a rule, or taken by one.
type Entry<'a> = Option<&'a BookedRule>;

fn by_number(book: &RuleBook) -> BTreeMap<E164, Entry<'_>> {
    let mut all: BTreeMap<E164, Entry<'_>> = book.numbers.iter().map(|number| (*number, None)).collect();
    for booked in book.rules.iter().filter(|booked| booked.rule.direction() == Direction::Inbound) {
        for number in &booked.rule.numbers {
            all.entry(*number).or_default().get_or_insert(booked);
        }
    }
    all
}

fn differences(before: Option<Entry<'_>>, after: Option<Entry<'_>>) -> Vec<&'static str> {
    let (old, new) = match (before, after) {
        (Some(Some(old)), Some(Some(new))) => (&old.rule, &new.rule),
        (Some(Some(_)), _) | (_, Some(Some(_))) => return vec!["rule"],
        // Without a rule the call is refused, whether the number is known or not; only the status differs.
        (None, Some(None)) | (Some(None), None) => return vec!["status"],
        _ => return Vec::new(),
    };
    let mode = |rule: &RoutingRule<Option<Secret>>| rule.room.as_ref().map(|room| room.mode.clone());
    let pin = |rule: &RoutingRule<Option<Secret>>| rule.room.as_ref().and_then(|room| room.pin.clone());
    let attributes = |rule: &RoutingRule<Option<Secret>>| match &rule.kind {
        RuleKind::Inbound { headers_to_attributes } => headers_to_attributes.clone(),
        RuleKind::Outbound { .. } => BTreeMap::new(),
    };
    let sides = [
        ("room", mode(old) != mode(new)),
        ("pin", pin(old) != pin(new)),
        ("agent", old.agent != new.agent),
        ("allow.callers", old.allowed_callers != new.allowed_callers),
        ("allow.ips", old.allowed_sources != new.allowed_sources),
        ("include_headers", old.include_headers != new.include_headers),
        ("headers_to_attributes", attributes(old) != attributes(new)),
        ("recording", old.recording != new.recording),
        ("dtmf", old.dtmf != new.dtmf),
        ("noise_cancellation", old.noise_cancellation != new.noise_cancellation),
        ("hide_caller", old.hide_caller != new.hide_caller),
    ];
    sides.into_iter().filter(|(_, differs)| *differs).map(|(side, _)| side).collect()
}

fn in_words(entry: Option<Entry<'_>>) -> String {
    let Some(entry) = entry else { return "unknown number (404)".to_owned() };
    let Some(booked) = entry else { return "no rule (480)".to_owned() };
    let rule = &booked.rule;
    let mut parts = Vec::new();
    match rule.room.as_ref().map(|room| &room.mode) {
        Some(RoomMode::Static(id)) => parts.push(format!("room {id}")),
        Some(RoomMode::Dynamic(_)) => parts.push("a room of its own".to_owned()),
        None if rule.agent.is_none() => parts.push("nowhere".to_owned()),
        None => {}
    }
    if let Some(agent) = &rule.agent {
        parts.push(format!("agent {}", agent.id));
    }
    format!("{} (rule {})", parts.join(" with "), rule.name)
}
