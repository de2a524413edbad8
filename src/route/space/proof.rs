//! What can be proven of one table?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::axis::{self, Stretch};
use super::{KINDS_MAX, Space, lists};
use crate::model::{BookedRule, Direction, E164, RuleBook, RuleId};
use crate::route::{Cause, Outcome, Table};

/// Something that holds for every call, and that its author probably did not mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An inbound rule takes no call at all: these rules, asked before it, take each that it would.
    NeverFires {
        /// The rule.
        rule: RuleId,
        /// The rules that hide it; empty when it would take none anyhow.
        hidden_by: Vec<RuleId>,
    },
    /// Two rules of one number would both take some calls; the priority decides.
    Overlap {
        /// The rule that takes them.
        first: RuleId,
        /// The rule that would.
        second: RuleId,
        /// A number of both.
        number: E164,
    },
    /// A number has rules, and at some hours none of them is open.
    Gap {
        /// The number.
        number: E164,
        /// Its rules.
        rules: Vec<RuleId>,
        /// The first such moment.
        at: Timestamp,
    },
    /// An allow-list has entries and admits nobody.
    EmptyInEffect {
        /// The rule.
        rule: RuleId,
        /// The key of the list.
        list: &'static str,
    },
    /// Calls that an outbound rule places may come back in to a number that it calls from.
    CallsItself {
        /// The outbound rule.
        rule: RuleId,
        /// The number that both rules hold.
        number: E164,
        /// The inbound rule that would take the call.
        inbound: RuleId,
    },
}

/// Everything that can be proven of a book, at the hours of the year that begins at `from`.
pub fn prove(book: &RuleBook, from: Timestamp) -> Vec<Finding> {
    let table = Table::build(book);
    let mut findings = Vec::new();
    // Which rules take some call, and who takes the calls that each would take.
    let (mut fires, mut hiders) = (BTreeSet::new(), BTreeMap::<RuleId, BTreeSet<RuleId>>::new());
    let (mut overlaps, mut unproven) = (BTreeMap::new(), BTreeSet::new());
    for (candidates, numbers) in lists(&table) {
        let (Some(candidates), Some(number)) = (candidates, numbers.first().copied()) else { continue };
        let space = Space::of(candidates.iter().map(AsRef::as_ref), from);
        if space.kinds() > KINDS_MAX {
            unproven.extend(candidates.iter().map(|booked| booked.id.clone()));
            continue;
        }
        let mut gap: Option<Timestamp> = None;
        let alone = alone(&space, &table, &candidates, number);
        for cell in space.cells() {
            let (offer, at) = space.witness(number, cell);
            let decision = table.decide(&offer, at);
            let taken_by = match &decision.outcome {
                Outcome::Accept(permit) | Outcome::AskPin(permit) => permit.rule_id().clone(),
                Outcome::Refuse(Cause::Blocked) => match decision.trace.candidate() {
                    Some(booked) => booked.id.clone(),
                    None => continue,
                },
                Outcome::Refuse(Cause::Closed) => {
                    gap = Some(gap.map_or(at, |before| before.min(at)));
                    continue;
                }
                Outcome::Refuse(_) => continue,
            };
            let blocked = matches!(decision.outcome, Outcome::Refuse(_));
            if !blocked {
                fires.insert(taken_by.clone());
            }
            let position = candidates.iter().position(|booked| booked.id == taken_by).unwrap_or(0);
            for later in candidates.iter().skip(position + 1) {
                if table.would_take(&later.id, &offer, at) {
                    hiders.entry(later.id.clone()).or_default().insert(taken_by.clone());
                    // A rule that takes all that another leaves over is its fallback, and meant to be.
                    let pair = (taken_by.clone(), later.id.clone());
                    if alone.contains(&pair) && alone.contains(&(pair.1.clone(), pair.0.clone())) {
                        overlaps.entry(pair).or_insert(number);
                    }
                }
            }
        }
        if let Some(at) = gap {
            let rules = candidates.iter().map(|booked| booked.id.clone()).collect();
            findings.push(Finding::Gap { number, rules, at });
        }
    }
    let inbound = book.rules.iter().filter(|booked| booked.rule.direction() == Direction::Inbound);
    let mut never = BTreeSet::new();
    for booked in inbound.clone().filter(|booked| !booked.rule.numbers.is_empty()) {
        let rule = &booked.rule;
        let left = |allowed: Vec<Stretch>, blocked: Vec<Stretch>| axis::without(&allowed, &blocked).is_empty();
        let (allowed, blocked) = (rule.allowed_callers.entries(), &rule.beyond.blocked_callers);
        let callers = !rule.allowed_callers.is_open() && left(axis::of_callers(allowed), axis::of_callers(blocked));
        let (allowed, blocked) = (rule.allowed_sources.entries(), &rule.beyond.blocked_sources);
        let sources = !rule.allowed_sources.is_open() && left(axis::of_sources(allowed), axis::of_sources(blocked));
        for (list, empty) in [("callers", callers), ("ips", sources)] {
            if empty {
                findings.push(Finding::EmptyInEffect { rule: booked.id.clone(), list });
            }
        }
        if !fires.contains(&booked.id) && !unproven.contains(&booked.id) && !callers && !sources {
            never.insert(booked.id.clone());
            let hidden_by = hiders.remove(&booked.id).unwrap_or_default().into_iter().collect();
            findings.push(Finding::NeverFires { rule: booked.id.clone(), hidden_by });
        }
    }
    // A rule that never fires is said once, and not again with each rule that hides it.
    let said = overlaps.into_iter().filter(|((_, second), _)| !never.contains(second));
    findings.extend(said.map(|((first, second), number)| Finding::Overlap { first, second, number }));
    findings.extend(calls_itself(book, &table, from));
    findings
}

/// The pairs of rules of which the first would take some call that the second would not.
fn alone(space: &Space<'_>, table: &Table, rules: &[Arc<BookedRule>], number: E164) -> BTreeSet<(RuleId, RuleId)> {
    let mut pairs = BTreeSet::new();
    if rules.len() < 2 {
        return pairs;
    }
    for cell in space.cells() {
        let (offer, at) = space.witness(number, cell);
        let takes: Vec<bool> = rules.iter().map(|booked| table.would_take(&booked.id, &offer, at)).collect();
        for (one, _) in rules.iter().zip(&takes).filter(|(_, takes)| **takes) {
            for (two, _) in rules.iter().zip(&takes).filter(|(_, takes)| !**takes) {
                pairs.insert((one.id.clone(), two.id.clone()));
            }
        }
    }
    pairs
}

/// A call placed from a number is shown as coming from it. Where an inbound rule of that same number lets the number
/// itself in by name, a call to it goes out and comes back in, and its room rings itself.
fn calls_itself(book: &RuleBook, table: &Table, at: Timestamp) -> Vec<Finding> {
    let outbound = book.rules.iter().filter(|booked| booked.rule.direction() == Direction::Outbound);
    let mut findings = Vec::new();
    for booked in outbound {
        let Some(room) = booked.rule.room.as_ref().map(|room| &room.mode) else { continue };
        for number in &booked.rule.numbers {
            let mut offer = crate::route::Offer::inbound("", "", std::net::Ipv4Addr::LOCALHOST.into());
            (offer.dialled, offer.calling) = (Some(*number), Some(*number));
            let (Outcome::Accept(permit) | Outcome::AskPin(permit)) = table.decide(&offer, at).outcome else {
                continue;
            };
            // Only a room that is the same for both joins the call to itself.
            if permit.static_room().is_some() && permit.mode().as_ref() == Some(room) {
                let inbound = permit.rule_id().clone();
                findings.push(Finding::CallsItself { rule: booked.id.clone(), number: *number, inbound });
                break;
            }
        }
    }
    findings
}
