//! Into which kinds do calls fall, along one of their sides?
//!
//! What a rule asks of a caller, a source or an hour is membership of a list. Calls on the same lists are decided
//! alike, so one of each kind speaks for all.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use jiff::Timestamp;

use crate::model::{CallerPattern, E164, Schedule, SourceNet, VALUE_MAX, VALUE_MIN};

/// Values from one to another, both included.
pub(super) type Stretch = (u128, u128);

/// Calls that the same lists hold.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub stretches: Vec<Stretch>,
}

/// How many parts a description has at most before it only counts.
const PARTS_MAX: usize = 4;
/// How many parts are looked for at most: lists may be long.
const PARTS_SOUGHT: usize = 64;

/// Brings stretches into order, those that touch become one.
pub(super) fn merged(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.sort_unstable();
    let mut all: Vec<Stretch> = Vec::with_capacity(stretches.len());
    for (first, last) in stretches {
        match all.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => all.push((first, last)),
        }
    }
    all
}

fn holds(set: &[Stretch], value: u128) -> bool {
    let at = set.partition_point(|(first, _)| *first <= value);
    at.checked_sub(1).and_then(|at| set.get(at)).is_some_and(|(_, last)| value <= *last)
}

fn covers(set: &[Stretch], (first, last): Stretch) -> bool {
    let at = set.partition_point(|(start, _)| *start <= first);
    at.checked_sub(1).and_then(|at| set.get(at)).is_some_and(|(_, end)| last <= *end)
}

fn touches(set: &[Stretch], (first, last): Stretch) -> bool {
    let at = set.partition_point(|(_, end)| *end < first);
    set.get(at).is_some_and(|(start, _)| *start <= last)
}

/// What of `from` is not in `taken`; both are merged.
pub(super) fn without(from: &[Stretch], taken: &[Stretch]) -> Vec<Stretch> {
    let mut left = Vec::new();
    for (mut first, last) in from.iter().copied() {
        let at = taken.partition_point(|(_, end)| *end < first);
        let mut over = false;
        for (start, end) in taken.iter().skip(at).copied().take_while(|(start, _)| *start <= last) {
            if start > first {
                left.push((first, start - 1));
            }
            match end.checked_add(1).filter(|next| *next <= last) {
                Some(next) => first = next,
                None => {
                    over = true;
                    break;
                }
            }
        }
        if !over && first <= last {
            left.push((first, last));
        }
    }
    left
}

/// The kinds into which some lists, each merged, divide a universe.
pub(super) fn kinds(universe: &[Stretch], lists: &[Vec<Stretch>]) -> Vec<Kind> {
    // Between two of these points, every list holds all values or none.
    let mut points: Vec<u128> = universe.iter().map(|(first, _)| *first).collect();
    for (first, last) in lists.iter().flatten() {
        points.push(*first);
        points.extend(last.checked_add(1));
    }
    points.sort_unstable();
    points.dedup();
    let mut all: BTreeMap<Vec<bool>, Vec<Stretch>> = BTreeMap::new();
    for (first, last) in universe.iter().copied() {
        let from = points.partition_point(|point| *point < first);
        let inside: Vec<u128> = points.iter().skip(from).copied().take_while(|point| *point <= last).collect();
        for (at, point) in inside.iter().copied().enumerate() {
            let end = inside.get(at + 1).map_or(last, |next| next - 1);
            let on = lists.iter().map(|list| holds(list, point)).collect();
            all.entry(on).or_default().push((point, end));
        }
    }
    all.into_values().map(|stretches| Kind { stretches: merged(stretches) }).collect()
}

// -- callers

/// Every number that a caller can show.
pub(super) fn every_caller() -> Vec<Stretch> {
    vec![(u128::from(VALUE_MIN), u128::from(VALUE_MAX))]
}

pub(super) fn of_callers<'a>(patterns: impl IntoIterator<Item = &'a CallerPattern>) -> Vec<Stretch> {
    let stretches = patterns.into_iter().flat_map(CallerPattern::stretches);
    merged(stretches.map(|(first, last)| (u128::from(first), u128::from(last))).collect())
}

pub(super) fn caller(value: u128) -> Option<E164> {
    E164::from_value(u64::try_from(value).ok()?)
}

/// Some callers in words; none when they are all there are.
pub(super) fn callers_in_words(set: &[Stretch], hidden: bool) -> Option<String> {
    let rest = without(&every_caller(), set);
    if rest.is_empty() && hidden {
        return None;
    }
    let mut text = match set.is_empty() {
        true => return Some("callers who show no number".to_owned()),
        false if rest.is_empty() => "callers who show a number".to_owned(),
        false => in_words("callers", patterns(set), patterns(&rest)),
    };
    if hidden {
        text.push_str(", and callers who show no number");
    }
    Some(text)
}

/// The fewest prefixes, ranges and numbers that are a set.
fn patterns(set: &[Stretch]) -> Vec<String> {
    let mut found = Vec::new();
    let mut covered = Vec::new();
    for digit in 1..=9_u64 {
        prefixes(set, digit, &mut found, &mut covered);
    }
    let left = without(set, &merged(covered));
    let number = |value: u128| format!("+{value}");
    found.extend(left.into_iter().take(PARTS_SOUGHT).map(|(first, last)| match first == last {
        true => number(first),
        false => format!("{}..{}", number(first), number(last)),
    }));
    found
}

fn prefixes(set: &[Stretch], prefix: u64, found: &mut Vec<String>, covered: &mut Vec<Stretch>) {
    let Ok(pattern) = format!("+{prefix}*").parse::<CallerPattern>() else { return };
    let under = of_callers([&pattern]);
    if found.len() >= PARTS_SOUGHT || !under.iter().any(|stretch| touches(set, *stretch)) {
        return;
    }
    // A prefix as long as a number can be is that number.
    if under.len() > 1 && under.iter().all(|stretch| covers(set, *stretch)) {
        found.push(pattern.to_string());
        covered.extend(under);
        return;
    }
    for digit in 0..=9 {
        if let Some(longer) = prefix.checked_mul(10).map(|prefix| prefix + digit).filter(|prefix| *prefix <= VALUE_MAX)
        {
            prefixes(set, longer, found, covered);
        }
    }
}

// -- sources

/// The block of IPv6 in which IPv4 stands (RFC 4291 section 2.5.5.2).
const MAPPED: Stretch = (0xffff_0000_0000, 0xffff_ffff_ffff);

/// Every address that a call can come from.
pub(super) fn every_source() -> Vec<Stretch> {
    vec![(0, MAPPED.0 - 1), MAPPED, (MAPPED.1 + 1, u128::MAX)]
}

pub(super) fn of_sources<'a>(nets: impl IntoIterator<Item = &'a SourceNet>) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    for (first, last, v4) in nets.into_iter().map(SourceNet::stretch) {
        match v4 {
            true => stretches.push((first, last)),
            // A network of IPv6 holds no address of IPv4, however wide it is.
            false => stretches.extend(without(&[(first, last)], &[MAPPED])),
        }
    }
    merged(stretches)
}

pub(super) fn source(value: u128) -> std::net::IpAddr {
    Ipv6Addr::from(value).to_canonical()
}

/// Some sources in words; none when they are all there are.
pub(super) fn sources_in_words(set: &[Stretch]) -> Option<String> {
    let rest = without(&merged(every_source()), set);
    (!rest.is_empty()).then(|| in_words("sources", networks(set), networks(&rest)))
}

fn networks(set: &[Stretch]) -> Vec<String> {
    let mut nets: Vec<IpNet> = Vec::new();
    let v4 = |value: u128| Ipv4Addr::from((value & 0xffff_ffff) as u32);
    for (first, last) in without(set, &[MAPPED]) {
        nets.extend(Ipv6Subnets::new(first.into(), last.into(), 0).take(PARTS_SOUGHT).map(IpNet::from));
    }
    for (first, last) in set.iter().copied() {
        let (first, last) = (first.max(MAPPED.0), last.min(MAPPED.1));
        if first <= last {
            nets.extend(Ipv4Subnets::new(v4(first), v4(last), 0).take(PARTS_SOUGHT).map(IpNet::from));
        }
    }
    nets.iter()
        .map(|net| match net.prefix_len() == net.max_prefix_len() {
            true => net.addr().to_string(),
            false => net.to_string(),
        })
        .collect()
}

/// What is shorter: what is in, or what is not.
fn in_words(what: &str, inside: Vec<String>, outside: Vec<String>) -> String {
    let list = |parts: Vec<String>| match parts.get(..PARTS_MAX) {
        Some(first) if parts.len() > PARTS_MAX => format!("{} and more", first.join(", ")),
        _ => parts.join(", "),
    };
    match outside.len() < inside.len() {
        true => format!("all {what} but {}", list(outside)),
        false => format!("{what} {}", list(inside)),
    }
}

// -- hours

/// An hour of one kind: which of the schedules are open, and when that is so for the first time.
#[derive(Debug, Clone)]
pub(super) struct Hour {
    pub open: Vec<bool>,
    pub at: Timestamp,
}

/// How far ahead schedules are looked at: every date of a year comes, and every change of the clocks.
pub(super) const HORIZON_DAYS: i32 = 370;

/// The kinds of hours that come within the horizon.
pub(super) fn hours(schedules: &[&Schedule], from: Timestamp) -> Vec<Hour> {
    let mut edges = vec![from];
    for schedule in schedules {
        edges.extend(schedule.edges(from, HORIZON_DAYS));
    }
    edges.sort_unstable();
    edges.dedup();
    let mut all: Vec<Hour> = Vec::new();
    for at in edges {
        let open: Vec<bool> = schedules.iter().map(|schedule| schedule.is_open(at)).collect();
        if !all.iter().any(|hour| hour.open == open) {
            all.push(Hour { open, at });
        }
    }
    all
}

/// Some kinds of hours in words; none when they are all there are.
pub(super) fn hours_in_words(schedules: &[&Schedule], all: &[Hour], chosen: &[usize]) -> Option<String> {
    if chosen.len() == all.len() {
        return None;
    }
    // Often they are just those at which one schedule is open, or just those at which it is not.
    for (at, schedule) in schedules.iter().enumerate() {
        for (is, word) in [(true, "during"), (false, "outside")] {
            let same = all
                .iter()
                .enumerate()
                .all(|(hour, kind)| chosen.contains(&hour) == (kind.open.get(at).copied().unwrap_or(false) == is));
            if same {
                return Some(format!("{word} {schedule}"));
            }
        }
    }
    let kinds = chosen.iter().filter_map(|hour| all.get(*hour)).map(|kind| {
        let parts = schedules.iter().zip(&kind.open).map(|(schedule, open)| match open {
            true => format!("during {schedule}"),
            false => format!("outside {schedule}"),
        });
        parts.collect::<Vec<_>>().join(" and ")
    });
    Some(kinds.collect::<Vec<_>>().join("; or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers(texts: &[&str]) -> Vec<Stretch> {
        let patterns: Vec<CallerPattern> = texts.iter().map(|text| text.parse().unwrap()).collect();
        of_callers(&patterns)
    }

    fn sources(texts: &[&str]) -> Vec<Stretch> {
        let nets: Vec<SourceNet> = texts.iter().map(|text| text.parse().unwrap()).collect();
        of_sources(&nets)
    }

    #[test]
    fn callers_are_said_as_shortly_as_can_be() {
        for (given, said) in [
            (vec!["+1*"], "callers +1*"),
            (vec!["+1415*", "+1*"], "callers +1*"),
            (vec!["+14155550100"], "callers +14155550100"),
            (vec!["+14155550100..+14155550199"], "callers +14155550100..+14155550199"),
            (vec!["+1*", "+49*"], "callers +1*, +49*"),
        ] {
            assert_eq!(callers_in_words(&callers(&given), false).unwrap(), said);
        }
        let all_but = without(&every_caller(), &callers(&["+1900*"]));
        assert_eq!(callers_in_words(&all_but, false).unwrap(), "all callers but +1900*");
        assert_eq!(callers_in_words(&every_caller(), true), None);
        assert_eq!(callers_in_words(&[], true).unwrap(), "callers who show no number");
    }

    #[test]
    fn sources_are_said_as_networks() {
        assert_eq!(sources_in_words(&sources(&["192.0.2.0/25", "192.0.2.128/25"])).unwrap(), "sources 192.0.2.0/24");
        assert_eq!(sources_in_words(&sources(&["2001:db8::/32"])).unwrap(), "sources 2001:db8::/32");
        let all_but = without(&merged(every_source()), &sources(&["192.0.2.7"]));
        assert_eq!(sources_in_words(&all_but).unwrap(), "all sources but 192.0.2.7");
        // `::/0` is every address of IPv6 and none of IPv4.
        assert!(!holds(&sources(&["::/0"]), MAPPED.0 + 5));
        assert!(holds(&sources(&["0.0.0.0/0"]), MAPPED.0 + 5));
    }

    #[test]
    fn kinds_divide_the_universe_and_nothing_is_lost() {
        let lists = [callers(&["+1*"]), callers(&["+1415*", "+49*"])];
        let kinds = kinds(&every_caller(), &lists);
        assert_eq!(kinds.len(), 4);
        let all = merged(kinds.iter().flat_map(|kind| kind.stretches.clone()).collect());
        assert_eq!(all, every_caller());
    }
}
