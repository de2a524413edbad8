//! What does a rule's table mean?

use std::collections::BTreeMap;

use super::headers::headers;
use super::names::{Known, Names};
use super::{allow, numbers, rules};
use crate::diagnostic::Span;
use crate::model::{
    AgentTarget, Direction, E164, IncludeHeaders, RoomMode, RoomPrefix, RoomTarget, RoutingRule, RuleKind, RuleName,
    SecretRef,
};
use crate::syntax::At;
use crate::syntax::tables::{RuleRoom, RuleTable};

/// A rule that was read, and where it names each number.
pub(super) struct Read {
    pub key: RuleName,
    pub direction: Direction,
    /// What it does; none when something in it is broken.
    pub rule: Option<RoutingRule<SecretRef>>,
    /// Among the rules of its numbers.
    pub priority: Option<u16>,
    pub spans: BTreeMap<E164, Span>,
    /// Whether its calls are answered before their agent is there.
    pub answer_first: bool,
    /// Names that the rule had before.
    pub was: Vec<At<String>>,
}

/// Tags that only `apply` writes begin with this.
const MARK_PREFIX: &str = "strowger:";

pub(super) fn rule(names: &Names, name: &At<String>, table: &RuleTable) -> Option<Read> {
    let key: Option<RuleName> = names.name("the name of a rule", name);
    let direction = table.direction.value;
    let spans = numbers::named(names, &name.value, &table.numbers);
    let agent = table.agent.as_ref().map(|reference| names.refer("agent", reference, &names.agents));
    let room = table.room.as_ref().map(|room| self::room(names, room));
    if direction == Direction::Inbound && agent.is_none() && room.is_none() && table.split.is_none() {
        names.report(rules::destination_missing::finding(&name.value, &name.span));
    }
    if let (Some(metadata), None) = (&table.metadata, &agent) {
        names.report(rules::metadata_without_agent::finding(&name.value, "metadata", &metadata.span));
    }
    if let (Some(ring), None) = (&table.ring_until_ready, &agent) {
        names.report(rules::metadata_without_agent::finding(&name.value, "ring_until_ready", &ring.span));
    }
    let (callers, sources) = allow::read(names, name, table, room.as_ref().map(Option::as_ref));
    let to_attributes = headers(names, "headers_to_attributes", table.headers_to_attributes.as_ref(), table);
    let on_invite = headers(names, "headers", table.headers.as_ref(), table);
    let tags = table.tags.iter().flat_map(|tags| &tags.value);
    for tag in tags.clone().filter(|tag| tag.value.starts_with(MARK_PREFIX)) {
        names.report(rules::tag_reserved::finding(&tag.value, &tag.span));
    }
    limits(names, table);
    emergency(names, table, &spans);
    if let (Some(hide), Some(Some(room))) = (table.hide_caller.as_ref().filter(|flag| flag.value), &room)
        && room.mode == RoomMode::Dynamic(RoomPrefix::ParticipantNumber)
    {
        let because = table.room.as_ref().map(|room| (&room.span, "the caller's number is in the room's id"));
        names.report(rules::useless_key::finding("`hide_caller` hides nothing", &hide.span, "has no effect", because));
    }

    let flag = |flag: &Option<At<bool>>| flag.as_ref().is_some_and(|flag| flag.value);
    let api_key = table.api_key.as_ref().map(|source| names.secret(source));
    let label = table.name.as_ref().map(|name| names.label("the label of a rule", name));
    let key = key?;
    let was = table.was.as_ref().map(|was| was.value.clone()).unwrap_or_default();
    let known = spans.keys().copied().collect();
    let agent = agent.map(|agent| {
        let metadata = table.metadata.as_ref().map(|metadata| metadata.value.0.clone()).unwrap_or_default();
        Some(AgentTarget { id: agent?.id.clone(), metadata })
    });
    let priority = table.priority.as_ref().map(|at| at.value);
    let answer_first = table.ring_until_ready.as_ref().is_some_and(|ring| !ring.value);
    let read = |rule| Read { key: key.clone(), direction, rule, priority, answer_first, spans, was };
    // A broken agent or room was reported where it stands.
    let (Ok(agent), Ok(room)) = (whole(agent), whole(room)) else { return Some(read(None)) };
    let rule = RoutingRule {
        name: label.unwrap_or_else(|| key.to_string()),
        kind: match direction {
            Direction::Inbound => RuleKind::Inbound { headers_to_attributes: to_attributes },
            Direction::Outbound => RuleKind::Outbound { headers: on_invite },
        },
        numbers: known,
        agent,
        room,
        allowed_callers: callers,
        allowed_sources: sources,
        include_headers: table.include_headers.as_ref().map_or(IncludeHeaders::None, |word| word.value),
        tags: tags.map(|tag| tag.value.clone()).collect(),
        api_key,
        recording: flag(&table.recording),
        dtmf: flag(&table.dtmf),
        noise_cancellation: flag(&table.noise_cancellation),
        hide_caller: flag(&table.hide_caller),
        beyond: super::beyond::beyond(names, table),
    };
    Some(read(Some(rule)))
}

/// What may be absent but not broken.
fn whole<T>(value: Option<Option<T>>) -> Result<Option<T>, ()> {
    value.map_or(Ok(None), |value| value.map(Some).ok_or(()))
}

/// The most tags, the longest tag and the largest metadata that are not warned of; see `over-limit`.
const TAGS_MAX: usize = 50;
const TAG_MAX: usize = 255;
const METADATA_MAX: usize = 64 << 10;

fn limits(names: &Names, table: &RuleTable) {
    if let Some(tags) = &table.tags {
        // One more is the mark of this stack.
        if tags.value.len() > TAGS_MAX {
            names.report(rules::over_limit::finding("the rule", tags.value.len(), TAGS_MAX, "tags", &tags.span));
        }
        for tag in tags.value.iter().filter(|tag| tag.value.chars().count() > TAG_MAX) {
            let size = tag.value.chars().count();
            names.report(rules::over_limit::finding("a tag", size, TAG_MAX, "characters", &tag.span));
        }
    }
    if let Some(metadata) = &table.metadata {
        let size = serde_json::to_string(&metadata.value.0).map_or(0, |text| text.len());
        if size > METADATA_MAX {
            names.report(rules::over_limit::finding("the metadata", size, METADATA_MAX, "bytes", &metadata.span));
        }
    }
}

/// Words by which an alias says that a number is for emergencies.
const EMERGENCY: &[&str] = &["emergency", "911", "112", "999", "sos", "notruf"];

/// Warns of emergency lines that lead to an agent.
fn emergency(names: &Names, table: &RuleTable, spans: &BTreeMap<E164, Span>) {
    let Some(agent) = table.agent.as_ref().filter(|_| table.direction.value == Direction::Inbound) else { return };
    for (number, span) in spans {
        let alias = names.numbers.get(number).and_then(|known| known.value.as_ref()?.alias.as_ref());
        let Some(alias) = alias else { continue };
        let lower = alias.as_str().to_ascii_lowercase();
        if lower.split(['-', '_']).any(|word| EMERGENCY.contains(&word)) {
            names.report(rules::emergency_to_agent::finding(alias.as_str(), span, &agent.span));
        }
    }
}

fn room(names: &Names, room: &At<RuleRoom>) -> Option<RoomTarget<SecretRef>> {
    match &room.value {
        RuleRoom::Inline(table) => names.room(&room.span, table),
        RuleRoom::Named(name) => {
            let name = At { value: name.clone(), span: room.span.clone() };
            names.refer("room", &name, &names.rooms).cloned()
        }
    }
}

/// Reports numbers that two inbound rules of one priority take.
pub(super) fn claims(names: &Names, all: &BTreeMap<String, Known<Read>>) {
    // In the order of the files, so that "first" is what the reader sees first.
    let present = all.values().filter(|known| known.absent.is_none());
    let mut reads: Vec<&Read> = present.filter_map(|known| known.value.as_ref()).collect();
    reads.retain(|read| read.direction == Direction::Inbound);
    reads.sort_by_key(|read| read.spans.values().next().map(|span| (span.file, span.range.start)));
    let mut taken: BTreeMap<(E164, Option<u16>), &Read> = BTreeMap::new();
    for read in reads {
        for (e164, span) in &read.spans {
            match taken.get(&(*e164, read.priority)) {
                Some(first) => {
                    let key = first.key.as_str();
                    names.report(rules::number_claimed_twice::finding(*e164, span, &first.spans[e164], key));
                }
                None => {
                    taken.insert((*e164, read.priority), read);
                }
            }
        }
    }
}
