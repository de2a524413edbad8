//! What does a rule's table mean?

use std::collections::{BTreeMap, BTreeSet};

use super::resolve::{Known, Names};
use super::rules;
use crate::diagnostic::Span;
use crate::model::{
    AgentTarget, AllowList, CallerPattern, Direction, E164, IncludeHeaders, RoomTarget, RoutingRule, RuleKind,
    RuleName, SecretRef, SourceNet,
};
use crate::syntax::tables::{AllowTable, RuleRoom, RuleTable};
use crate::syntax::{At, Keyed};

/// A rule that was read, and where it names each number.
pub(super) struct Read {
    pub key: RuleName,
    pub rule: RoutingRule<SecretRef>,
    pub spans: BTreeMap<E164, Span>,
    /// Whether its calls are answered before their agent is there.
    pub answer_first: bool,
}

/// Tags that only `apply` writes begin with this.
const MARK_PREFIX: &str = "strowger:";

/// Headers that belong to SIP itself (RFC 3261 section 20), which a rule must not set.
const RESERVED_HEADERS: &[&str] = &[
    "accept",
    "allow",
    "authorization",
    "call-id",
    "contact",
    "content-encoding",
    "content-length",
    "content-type",
    "cseq",
    "expires",
    "from",
    "max-forwards",
    "min-se",
    "proxy-authenticate",
    "proxy-authorization",
    "record-route",
    "refer-to",
    "require",
    "route",
    "session-expires",
    "supported",
    "to",
    "unsupported",
    "via",
    "www-authenticate",
];

pub(super) fn rule(names: &Names, name: &At<String>, table: &RuleTable) -> Option<Read> {
    let key: Option<RuleName> = names.name("the name of a rule", name);
    let direction = table.direction.value;
    let spans = numbers(names, &name.value, &table.numbers);
    let agent = table.agent.as_ref().map(|reference| names.refer("agent", reference, &names.agents));
    let room = table.room.as_ref().map(|room| self::room(names, room));
    if direction == Direction::Inbound && agent.is_none() && room.is_none() {
        names.report(rules::destination_missing::finding(&name.value, &name.span));
    }
    if let (Some(metadata), None) = (&table.metadata, &agent) {
        names.report(rules::metadata_without_agent::finding(&name.value, "metadata", &metadata.span));
    }
    if let (Some(ring), None) = (&table.ring_until_ready, &agent) {
        names.report(rules::metadata_without_agent::finding(&name.value, "ring_until_ready", &ring.span));
    }
    let (callers, sources) = table.allow.as_ref().map_or_else(Default::default, |allow| allowed(names, &allow.value));
    let to_attributes = headers(names, "headers_to_attributes", table.headers_to_attributes.as_ref(), table);
    let on_invite = headers(names, "headers", table.headers.as_ref(), table);
    let tags = table.tags.iter().flat_map(|tags| &tags.value);
    for tag in tags.clone().filter(|tag| tag.value.starts_with(MARK_PREFIX)) {
        names.report(rules::tag_reserved::finding(&tag.value, &tag.span));
    }

    let flag = |flag: &Option<At<bool>>| flag.as_ref().is_some_and(|flag| flag.value);
    let key = key?;
    let rule = RoutingRule {
        name: table.name.as_ref().map_or_else(|| key.to_string(), |name| name.value.clone()),
        kind: match direction {
            Direction::Inbound => RuleKind::Inbound { headers_to_attributes: to_attributes },
            Direction::Outbound => RuleKind::Outbound { headers: on_invite },
        },
        numbers: spans.keys().copied().collect(),
        agent: match agent {
            None => None,
            Some(agent) => Some(AgentTarget {
                id: agent?.id.clone(),
                metadata: table.metadata.as_ref().map(|metadata| metadata.value.0.clone()).unwrap_or_default(),
            }),
        },
        room: match room {
            None => None,
            Some(room) => Some(room?),
        },
        allowed_callers: callers,
        allowed_sources: sources,
        include_headers: table.include_headers.as_ref().map_or(IncludeHeaders::None, |word| word.value),
        tags: tags.map(|tag| tag.value.clone()).collect(),
        recording: flag(&table.recording),
        dtmf: flag(&table.dtmf),
        noise_cancellation: flag(&table.noise_cancellation),
        hide_caller: flag(&table.hide_caller),
    };
    let answer_first = table.ring_until_ready.as_ref().is_some_and(|ring| !ring.value);
    Some(Read { key, rule, spans, answer_first })
}

fn numbers(names: &Names, rule: &str, list: &At<Vec<At<String>>>) -> BTreeMap<E164, Span> {
    if list.value.is_empty() {
        names.report(rules::numbers_empty::finding(rule, &list.span));
    }
    let mut spans = BTreeMap::new();
    for item in &list.value {
        // An alias is another name of a table's key, so both are looked up as one.
        let (key, alias) = match names.aliases.get(&item.value) {
            Some((key, _)) => (key.clone(), true),
            None => (item.value.clone(), false),
        };
        if !alias && !key.starts_with('+') {
            match key.chars().all(|c| c.is_ascii_alphabetic() || c == '-' || c == '_' || c.is_ascii_digit())
                && !key.chars().all(|c| c.is_ascii_digit())
            {
                true => {
                    let known: Vec<&str> = names.aliases.keys().map(String::as_str).collect();
                    names.report(rules::reference_unknown::finding("number with the alias", &key, &item.span, &known));
                }
                false => {
                    if let Err(why) = key.parse::<E164>() {
                        names.report(rules::number_malformed::finding(&key, &why, &item.span));
                    }
                }
            }
            continue;
        }
        if let Some((e164, _)) = names.refer("number", &At { value: key, span: item.span.clone() }, &names.numbers) {
            spans.entry(*e164).or_insert_with(|| item.span.clone());
        }
    }
    spans
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

fn allowed(names: &Names, allow: &AllowTable) -> (AllowList<CallerPattern>, AllowList<SourceNet>) {
    let mut callers = Vec::new();
    for item in allow.callers.iter().flat_map(|list| &list.value) {
        match item.value.parse() {
            Ok(pattern) => callers.push(pattern),
            Err(why) => names.report(rules::caller_malformed::finding(&item.value, &why, &item.span)),
        }
    }
    let mut sources = BTreeSet::new();
    for item in allow.ips.iter().flat_map(|ips| ips.value.items()) {
        match item.value.strip_prefix("provider.") {
            None => sources.extend(names.source(item)),
            Some(name) => {
                let reference = At { value: name.to_owned(), span: item.span.clone() };
                let Some(provider) = names.refer("provider", &reference, &names.providers) else { continue };
                if provider.sources.is_empty() {
                    names.report(rules::sources_unknown::finding(name, &item.span));
                }
                sources.extend(&provider.sources);
            }
        }
    }
    (AllowList::of(callers), AllowList::of(sources))
}

fn headers(
    names: &Names,
    key: &str,
    map: Option<&At<BTreeMap<String, Keyed<String>>>>,
    table: &RuleTable,
) -> BTreeMap<String, String> {
    let Some(map) = map else { return BTreeMap::new() };
    let outbound = key == "headers";
    let direction = table.direction.value;
    if outbound != (direction == Direction::Outbound) && !map.value.is_empty() {
        names.report(rules::headers_wrong_direction::finding(key, direction, &map.span, &table.direction.span));
        return BTreeMap::new();
    }
    for (header, entry) in &map.value {
        let token = |c: char| c.is_ascii_alphanumeric() || "-.!%*_+`'~".contains(c);
        let why = if header.is_empty() || !header.chars().all(token) {
            "not a header name"
        } else if outbound && RESERVED_HEADERS.contains(&header.to_ascii_lowercase().as_str()) {
            "belongs to SIP itself"
        } else if outbound && entry.value.value.chars().any(char::is_control) {
            names.report(rules::header_malformed::finding(header, "its value is not one line", &entry.value.span));
            continue;
        } else {
            continue;
        };
        names.report(rules::header_malformed::finding(header, why, &entry.key));
    }
    map.value.iter().map(|(header, entry)| (header.clone(), entry.value.value.clone())).collect()
}

/// Reports numbers that two inbound rules take.
pub(super) fn claims(names: &Names, all: &BTreeMap<String, Known<Read>>) {
    // In the order of the files, so that "first" is what the reader sees first.
    let mut reads: Vec<&Read> = all.values().filter_map(|known| known.value.as_ref()).collect();
    reads.retain(|read| read.rule.direction() == Direction::Inbound);
    reads.sort_by_key(|read| read.spans.values().next().map(|span| (span.file, span.range.start)));
    let mut taken: BTreeMap<E164, &Read> = BTreeMap::new();
    for read in reads {
        for (e164, span) in &read.spans {
            match taken.get(e164) {
                Some(first) => {
                    let key = first.key.as_str();
                    names.report(rules::number_claimed_twice::finding(*e164, span, &first.spans[e164], key));
                }
                None => {
                    taken.insert(*e164, read);
                }
            }
        }
    }
}
