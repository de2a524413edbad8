//! Which numbers are there, by which names?

use std::collections::{BTreeMap, BTreeSet};

use super::names::{AliasOf, Known, Names, gather};
use super::rules;
use crate::diagnostic::Span;
use crate::model::{Alias, E164, Glob, PhoneNumber, Removal};
use crate::syntax::tables::{NumberRangeTable, NumberTable};
use crate::syntax::{At, Tables};

/// The most numbers of one range. A digit too many in `last` would otherwise be ten times as many.
const RANGE_MAX: u64 = 10_000;

/// Reads the tables of numbers and ranges.
pub(super) fn read(names: &mut Names, numbers: Tables<NumberTable>, ranges: Tables<NumberRangeTable>) {
    let mut aliases: BTreeMap<String, AliasOf> = BTreeMap::new();
    let singles = gather(
        names,
        "number",
        numbers,
        |table| table.only.as_ref(),
        |key, table| {
            let e164 = names.number(key);
            if let Some(alias) = &table.alias {
                claim(names, &mut aliases, &alias.value, e164, &alias.span);
            }
            let alias = table.alias.as_ref().map(|alias| names.name::<Alias>("an alias", alias));
            let gateway = names.refer("gateway", &table.gateway, &names.gateways);
            let number = PhoneNumber {
                alias: alias.map_or(Some(None), |alias| alias.map(Some))?,
                name: table.name.as_ref().map(|name| names.label("the label of a number", name)),
                gateway: gateway?.name.clone(),
                on_remove: table.on_remove.as_ref().map_or(Removal::Keep, |word| word.value),
            };
            Some((e164?, number))
        },
    );
    let mut all: BTreeMap<E164, Known<PhoneNumber>> = BTreeMap::new();
    let mut broken = BTreeSet::new();
    for (key, known) in singles {
        match known.value {
            // One with a mistake is known by the number that is meant, so that rules may name it.
            None => broken.extend(E164::from_wire(&key)),
            Some((e164, number)) => {
                all.insert(e164, Known::new(known.span, Some(number), known.absent));
            }
        }
    }

    let mut rows: Vec<(Row, Span)> = Vec::new();
    names.ranges = gather(
        names,
        "number range",
        ranges,
        |table| table.only.as_ref(),
        |name, table| {
            let row = row(names, name, &table)?;
            let span = (row.first, row.last);
            rows.push((row, name.span.clone()));
            Some(span)
        },
    );
    for (row, span) in rows {
        let absent = names.ranges.get(&row.name).and_then(|known| known.absent.clone());
        let what = format!("range `{}`", row.name);
        let taken: Vec<(E164, Span)> =
            row.numbers().filter_map(|number| Some((number, all.get(&number)?.span.clone()))).collect();
        // One finding for each definition that it meets, however many numbers they share.
        let mut met: Vec<&Span> = Vec::new();
        for (number, first) in &taken {
            if met.contains(&first) {
                continue;
            }
            met.push(first);
            let count = taken.iter().filter(|(_, other)| other == first).count();
            names.report(rules::range_overlaps::finding(&what, number, count, &span, first));
        }
        let width = (row.count() - 1).to_string().len().max(2);
        for (at, number) in row.numbers().enumerate() {
            let alias = format!("{}-{at:0width$}", row.name);
            claim(names, &mut aliases, &alias, Some(number), &span);
            let value = alias.parse().ok().zip(row.gateway.clone()).map(|(alias, gateway)| PhoneNumber {
                alias: Some(alias),
                name: row.label.clone(),
                gateway,
                on_remove: row.on_remove,
            });
            all.entry(number).or_insert_with(|| Known::new(span.clone(), value, absent.clone()));
        }
    }
    names.numbers = all;
    names.broken_numbers = broken;
    names.aliases = aliases;
}

fn claim(names: &Names, all: &mut BTreeMap<String, AliasOf>, alias: &str, number: Option<E164>, span: &Span) {
    match all.get(alias) {
        Some(first) => names.report(rules::alias_claimed_twice::finding(alias, span, &first.span)),
        None => {
            all.insert(alias.to_owned(), AliasOf { number, span: span.clone() });
        }
    }
}

/// A range that goes from one number to a later one.
struct Row {
    name: String,
    first: E164,
    last: E164,
    gateway: Option<crate::model::GatewayName>,
    label: Option<String>,
    on_remove: Removal,
}

impl Row {
    fn count(&self) -> u64 {
        self.last.digits() - self.first.digits() + 1
    }

    fn numbers(&self) -> impl Iterator<Item = E164> + use<> {
        let first = self.first;
        (0..self.count()).filter_map(move |at| first.plus(at))
    }
}

fn row(names: &Names, name: &At<String>, table: &NumberRangeTable) -> Option<Row> {
    let key: Option<Alias> = names.name("the name of a range", name);
    let first = names.number(&table.first);
    let last = names.number(&table.last);
    let gateway = names.refer("gateway", &table.gateway, &names.gateways);
    let label = table.name.as_ref().map(|name| names.label("the label of a number", name));
    let (first, last) = (first?, last?);
    let malformed = |message: String, label: &str, help: String| {
        let (span, first) = (&table.last.span, &table.first.span);
        names.report(rules::range_malformed::finding(message, span, label, first, help));
        None
    };
    if first.to_string().len() != last.to_string().len() {
        let message = format!("range `{}` goes from one length to another", name.value);
        return malformed(message, "not as long as the first", "give both the same number of digits".to_owned());
    }
    if last < first {
        let message = format!("range `{}` goes backwards", name.value);
        return malformed(message, "below the first", format!("write `first = \"{last}\"` and `last = \"{first}\"`"));
    }
    let count = last.digits() - first.digits() + 1;
    if count > RANGE_MAX {
        let message = format!("range `{}` has {count} numbers", name.value);
        return malformed(message, "too far away", format!("a range has at most {RANGE_MAX}; write it as several"));
    }
    key?;
    Some(Row {
        name: name.value.clone(),
        first,
        last,
        gateway: gateway.map(|gateway| gateway.name.clone()),
        label,
        on_remove: table.on_remove.as_ref().map_or(Removal::Keep, |word| word.value),
    })
}

/// The numbers that a rule names, each with the place where it is named.
pub(super) fn named(names: &Names, rule: &str, list: &At<Vec<At<String>>>) -> BTreeMap<E164, Span> {
    if list.value.is_empty() {
        names.report(rules::numbers_empty::finding(rule, &list.span));
    }
    let mut spans: BTreeMap<E164, Span> = BTreeMap::new();
    for item in &list.value {
        let glob = Glob::is_glob(&item.value);
        let found = match glob {
            true => matching(names, item),
            false => one(names, item).into_iter().collect(),
        };
        let mut repeated = None;
        for number in found {
            match spans.get(&number) {
                Some(first) => repeated = Some((number, first.clone())),
                None => {
                    spans.insert(number, item.span.clone());
                }
            }
        }
        // A pattern may well cover what is named beside it.
        if let Some((number, first)) = repeated.filter(|_| !glob) {
            names.report(rules::number_repeated::finding(number, &item.span, &first));
        }
    }
    spans
}

/// The numbers whose aliases match a pattern.
fn matching(names: &Names, item: &At<String>) -> Vec<E164> {
    let glob = Glob::new(item.value.as_str());
    let prefix = glob.prefix();
    let aliases = names.aliases.range(prefix.to_owned()..).take_while(|(alias, _)| alias.starts_with(prefix));
    let mut any = false;
    let mut found = Vec::new();
    for (_, of) in aliases.filter(|(alias, _)| glob.matches(alias)) {
        let Some(known) = of.number.and_then(|number| names.numbers.get(&number)) else {
            // A broken number may be the one that is meant.
            any = true;
            continue;
        };
        known.used.set(true);
        // A pattern takes what is there.
        if known.absent.is_some() && names.is_here() {
            continue;
        }
        any = true;
        if known.value.is_some() {
            found.extend(of.number);
        }
    }
    for (_, range) in names.ranges.iter().filter(|(name, _)| name.starts_with(prefix.trim_end_matches('-'))) {
        range.used.set(true);
        any |= range.value.is_none();
    }
    if !any && !broken_alias(names, &glob) && !names.is_lost("number") {
        names.report(rules::numbers_empty::pattern(&item.value, &item.span, names.aliases.len()));
    }
    found
}

/// Whether an alias in a broken table matches.
fn broken_alias(names: &Names, glob: &Glob) -> bool {
    names.mentioned.borrow().iter().any(|text| glob.matches(text))
}

fn one(names: &Names, item: &At<String>) -> Option<E164> {
    let (number, kind) = match names.aliases.get(&item.value) {
        // A number whose table is broken has a finding.
        Some(of) => (of.number?, "number"),
        None if is_alias(&item.value) => {
            let broken_range = item.value.rsplit_once('-').and_then(|(range, _)| names.ranges.get(range));
            let held_back = broken_range.is_some_and(|range| range.value.is_none()) || names.is_mentioned(&item.value);
            if !held_back {
                let known: Vec<&str> = names.aliases.keys().map(String::as_str).collect();
                let literal = names.is_literal(item);
                let kind = "alias";
                let (name, span) = (&item.value, &item.span);
                names.report(rules::reference_unknown::finding(kind, name, span, &known, "", literal));
            }
            return None;
        }
        None => (names.written_number(item)?, "number"),
    };
    let Some(known) = names.numbers.get(&number) else {
        let held_back =
            names.broken_numbers.contains(&number) || names.ranges.values().any(|range| range.value.is_none());
        if !held_back {
            let known: Vec<String> = names.numbers.keys().map(E164::to_string).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let literal = names.is_literal(item);
            names.report(rules::reference_unknown::finding("number", &item.value, &item.span, &known, "", literal));
        }
        return None;
    };
    let range = names.ranges.values().find(|range| range.span == known.span);
    if let Some(range) = range {
        range.used.set(true);
    }
    names.meet(kind, &item.value, &item.span, known)?;
    Some(number)
}

/// Whether a text is meant as an alias and not as a number.
fn is_alias(text: &str) -> bool {
    let word = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    word && text.chars().any(|c| c.is_ascii_alphabetic())
}
