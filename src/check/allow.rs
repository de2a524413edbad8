//! Who may call?

use std::net::IpAddr;

use super::names::Names;
use super::rules;
use crate::diagnostic::Span;
use crate::model::{AllowList, CallerPattern, Direction, RoomTarget, SecretRef, SourceNet};
use crate::syntax::At;
use crate::syntax::tables::{Allow, AllowTable, RuleTable};

/// Reads the `allow` of a rule. `room` is the rule's room, where it has one, and what it means, where that is known.
pub(super) fn read(
    names: &Names,
    name: &At<String>,
    table: &RuleTable,
    room: Option<Option<&RoomTarget<SecretRef>>>,
) -> (AllowList<CallerPattern>, AllowList<SourceNet>) {
    let inbound = table.direction.value == Direction::Inbound;
    match &table.allow {
        Some(At { span, .. }) if !inbound => {
            let because = Some((&table.direction.span, "nobody calls in by this rule"));
            names.report(rules::useless_key::finding(
                "`allow` has no place on an outbound rule",
                span,
                "never used",
                because,
            ));
            Default::default()
        }
        Some(At { value: Allow::Listed(lists), span }) => {
            let found = listed(names, lists);
            if lists.callers.is_none() && lists.ips.is_none() {
                names.report(rules::allow_admits_everybody::empty("allow", span));
            }
            found
        }
        Some(At { value: Allow::Everybody(_), .. }) => Default::default(),
        None => {
            // A room that is broken may have had a PIN, and a rule without any leads nowhere.
            let guarded = room.is_some_and(|room| room.is_none_or(|room| room.pin.is_some()));
            if inbound && !guarded && (room.is_some() || table.agent.is_some()) {
                names.report(rules::inbound_open::finding(&name.value, &name.span));
            }
            Default::default()
        }
    }
}

fn listed(names: &Names, allow: &AllowTable) -> (AllowList<CallerPattern>, AllowList<SourceNet>) {
    let mut callers: Vec<(CallerPattern, &At<String>)> = Vec::new();
    if let Some(list) = &allow.callers {
        if list.value.is_empty() {
            names.report(rules::allow_admits_everybody::empty("callers", &list.span));
        }
        for item in &list.value {
            match item.value.parse() {
                Ok(pattern) => {
                    impossible_caller(names, &pattern, item);
                    callers.push((pattern, item));
                }
                Err(why) => names.report(rules::caller_malformed::finding(&item.value, &why, &item.span)),
            }
        }
    }
    covered(names, &callers, CallerPattern::covers);
    let mut sources: Vec<(SourceNet, &At<String>)> = Vec::new();
    if let Some(list) = &allow.ips {
        if list.value.items().is_empty() {
            names.report(rules::allow_admits_everybody::empty("ips", &list.span));
        }
        for item in list.value.items() {
            if !item.value.starts_with("provider.") {
                let Some(net) = names.source(item) else { continue };
                source(names, net, item);
                sources.push((net, item));
                continue;
            }
            let Some(provider) = names.refer_after("provider.", "provider", item, &names.providers) else { continue };
            if provider.sources.is_empty() {
                let name = item.value.trim_start_matches("provider.");
                names.report(rules::sources_unknown::finding(name, &item.span));
            }
            sources.extend(provider.sources.iter().map(|net| (*net, item)));
        }
    }
    covered(names, &sources, |wider, narrower| wider.covers(narrower));
    let callers = callers.into_iter().map(|(pattern, _)| pattern);
    (AllowList::of(callers), AllowList::of(sources.into_iter().map(|(net, _)| net)))
}

/// Warns of entries that another entry admits already. Two that are equal are one too many; the later one is told of.
fn covered<T: PartialEq>(names: &Names, entries: &[(T, &At<String>)], covers: impl Fn(&T, &T) -> bool) {
    for (at, (narrower, item)) in entries.iter().enumerate() {
        let wider = entries.iter().enumerate().find(|(other, (wider, by))| {
            *other != at && by.span != item.span && covers(wider, narrower) && (wider != narrower || *other < at)
        });
        // A provider's own addresses are one entry here, and no business of this file.
        if let Some((_, (_, by))) = wider.filter(|_| !item.value.starts_with("provider.")) {
            names.report(rules::entry_covered::finding(&item.value, &by.value, &item.span, &by.span));
        }
    }
}

fn impossible_caller(names: &Names, pattern: &CallerPattern, item: &At<String>) {
    let CallerPattern::Prefix(prefix) = pattern else { return };
    let why = match prefix {
        prefix if prefix.begins_with_zero() => "no country code begins with 0",
        prefix if prefix.is_too_long() => "longer than any number",
        _ => return,
    };
    names.report(rules::allow_admits_nobody::finding(&item.value, why, &item.span));
}

fn source(names: &Names, net: SourceNet, item: &At<String>) {
    let nobody = |why: &str, span: &Span| names.report(rules::allow_admits_nobody::finding(&item.value, why, span));
    let (address, length) = (net.address(), net.prefix_length());
    match address {
        _ if length == 0 => names.report(rules::allow_admits_everybody::entry(&item.value, &item.span)),
        address if address.is_unspecified() => nobody("no call comes from the unspecified address", &item.span),
        address if address.is_multicast() => nobody("no call comes from a multicast address", &item.span),
        IpAddr::V4(address) if address.is_broadcast() => nobody("no call comes from the broadcast address", &item.span),
        _ => {}
    }
}
