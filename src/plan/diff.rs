//! What has to happen so that the far side is as the files say?

use std::collections::{BTreeMap, BTreeSet};

use super::live::booked;
use super::step::{Action, Blocked, Step, Verb};
use super::{Live, Memory, gateways, rules};
use crate::model::{E164, Exchange, Removal, RoutingRule, RuleBook, RuleName, Secret, Unmanaged};

/// What a plan may do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Whether numbers may be given back. Only a run from the command line may.
    pub may_release: bool,
}

/// Ordered steps, and what is left alone.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The steps, in the order in which they are to be done.
    pub steps: Vec<Step>,
    /// What stands in the way. A plan with any of these is not applied.
    pub blocked: Vec<Blocked>,
    /// What a reader should know though nothing is done about it.
    pub notes: Vec<String>,
    /// The rules as calls meet them now.
    pub before: RuleBook,
    /// The rules as calls would meet them afterwards.
    pub after: RuleBook,
    /// Numbers of the account that stay and are not declared.
    pub kept: BTreeSet<E164>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.blocked.is_empty()
    }

    /// How many objects are made, changed and taken away.
    pub fn counts(&self) -> BTreeMap<Verb, usize> {
        let mut objects: BTreeMap<(Verb, &str), usize> = BTreeMap::new();
        let mut counts = BTreeMap::new();
        for step in self.steps.iter().filter(|step| step.verb != Verb::Prepare) {
            let count = match &step.action {
                // One call makes several numbers, and their gateways with them.
                Action::CreateNumbers { numbers, .. } => numbers.len(),
                // The two directions of one gateway are one object to the reader.
                _ => match objects.insert((step.verb, step.object.as_str()), 1) {
                    Some(_) => 0,
                    None => 1,
                },
            };
            *counts.entry(step.verb).or_insert(0) += count;
        }
        counts
    }
}

/// Compares a configuration with what the far side has.
///
/// `rules` are the configuration's rules with their PINs read, which the far side returns in clear and which are
/// therefore compared.
pub fn diff(
    exchange: &Exchange,
    rules: &BTreeMap<RuleName, RoutingRule<Secret>>,
    live: &Live,
    memory: &Memory,
    options: Options,
) -> Plan {
    let mut plan = Plan { before: live.book(), ..Plan::default() };
    let numbers = gateways::plan(exchange, live, memory, options, &mut plan);
    rules::plan(exchange, rules, live, &mut plan);
    // Numbers leave after every rule has let go of them, and gateways after their numbers.
    plan.steps.extend(numbers.leave);

    let leaving: BTreeSet<E164> = numbers.leaving;
    plan.kept = live.numbers.keys().copied().filter(|e164| !exchange.numbers().contains_key(e164)).collect();
    plan.kept.retain(|e164| !leaving.contains(e164));
    unmanaged(exchange, live, memory, &mut plan);

    let declared = exchange.numbers().keys().copied();
    let stay = plan.before.numbers.iter().copied().filter(|e164| !leaving.contains(e164));
    let numbers: BTreeSet<E164> = declared.chain(stay).collect();
    let foreign = live.rules.iter().filter(|live| live.key(exchange).is_none());
    let foreign = foreign.filter_map(|live| Some(booked(live.id.clone(), live.rule.clone().ok()?)));
    let wanted = rules.iter().filter_map(|(key, rule)| Some(booked(key.as_str().parse().ok()?, rule.clone())));
    plan.after = RuleBook {
        numbers: numbers.into_iter().collect(),
        rules: foreign.chain(wanted).collect(),
        gateways: exchange.booked_gateways(),
    };
    plan
}

fn unmanaged(exchange: &Exchange, live: &Live, memory: &Memory, plan: &mut Plan) {
    let foreign = live.rules.iter().filter(|live| live.key(exchange).is_none());
    let mut names = Vec::new();
    for e164 in &plan.kept {
        if let Some(removal @ (Removal::Keep | Removal::Release)) = memory.removal(*e164) {
            let why = match removal {
                Removal::Release => "is given back only by `strowger apply` from the command line",
                _ => "is kept, as its `on_remove` said",
            };
            plan.notes.push(format!("number {e164} is no longer in the files; it {why}"));
        }
        names.push(format!("number {e164}"));
    }
    names.extend(foreign.map(|live| match &live.mark {
        Some(mark) => format!("rule {} ({}) of stack {}", live.name, live.id, mark.stack),
        None => format!("rule {} ({})", live.name, live.id),
    }));
    if names.is_empty() {
        return;
    }
    match exchange.unmanaged() {
        Unmanaged::Ignore => {
            plan.notes.push(format!("{} objects of nobody or of another stack are left alone", names.len()))
        }
        Unmanaged::Report => plan.notes.extend(names.into_iter().map(|name| format!("left alone: {name}"))),
        Unmanaged::Fail => plan.blocked.extend(names.into_iter().map(|name| Blocked {
            object: name,
            reason: "it is not in the files, and `unmanaged = \"fail\"` allows no such object".to_owned(),
            place: None,
        })),
    }
}
