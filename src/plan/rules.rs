//! Which rules are made, changed or taken away, and in which order?

use std::collections::{BTreeMap, BTreeSet};

use super::diff::Plan;
use super::live::{Live, LiveRule};
use super::mark::{Mark, Seal, sorted};
use super::step::{Action, Blocked, Change, Step, Verb};
use crate::model::{Beyond, Direction, E164, Exchange, RoomMode, RoutingRule, RuleId, RuleKind, RuleName, Secret};

pub(super) fn plan(exchange: &Exchange, rules: &BTreeMap<RuleName, RoutingRule<Secret>>, live: &Live, plan: &mut Plan) {
    let mut found: BTreeMap<&RuleName, Vec<&LiveRule>> = BTreeMap::new();
    for rule in &live.rules {
        if let Some(key) = rule.key(exchange) {
            found.entry(key).or_default().push(rule);
        }
    }
    let mut order = Order::new(exchange, live);
    for (key, rule) in rules {
        let place = exchange.rules().get(key).map(|declared| declared.place.clone());
        let mut blocked = |reason: String| {
            plan.blocked.push(Blocked { object: format!("rule.{key}"), reason, place: place.clone() });
        };
        let candidates = found.remove(key).unwrap_or_default();
        if !live.honours_beyond && !rule.beyond.is_plain() {
            let keys: Vec<String> = rule.beyond.used().into_iter().map(|key| format!("`{key}`")).collect();
            blocked(format!(
                "{} {} honoured only by a strowger daemon, and this account is none; take {} away, or plan against a daemon",
                keys.join(", "),
                if keys.len() == 1 { "is" } else { "are" },
                if keys.len() == 1 { "it" } else { "them" },
            ));
            continue;
        }
        let (existing, others) = match candidates.split_first() {
            Some((first, others)) => (Some(*first), others),
            None => (None, &[][..]),
        };
        if let Some(why) = adoption(exchange, key, live) {
            blocked(why);
            continue;
        }
        if !others.is_empty() {
            let ids: Vec<String> = candidates.iter().map(|rule| rule.id.to_string()).collect();
            blocked(format!(
                "{} rules carry its mark or are adopted as it ({}); delete all but one, or the copied tag",
                ids.len(),
                ids.join(", ")
            ));
            continue;
        }
        if let Some((number, holder)) = order.foreign_holder(rule) {
            blocked(format!(
                "{number} is held by the rule \"{}\" ({}), which this stack does not own; take the number off it, or delete it",
                holder.name, holder.id
            ));
            continue;
        }
        match put(exchange, key, rule, existing) {
            Put::Nothing => {}
            Put::Step(step) => order.put(step, rule, None),
            Put::Replace(step, id, reason) => {
                order.put(step, rule, Some((id, delete(key, id, reason, Verb::Prepare))));
            }
        }
    }
    for (key, gone) in found {
        for rule in gone {
            let reason = "its table is gone, and it carries this stack's mark".to_owned();
            order.gone.insert(&rule.id, delete(key, &rule.id, reason, Verb::Delete));
        }
    }
    plan.steps.extend(order.steps());
}

/// Why a rule cannot be adopted, where the files ask for it.
fn adoption(exchange: &Exchange, key: &RuleName, live: &Live) -> Option<String> {
    let adopted = exchange.adopted().get(key)?;
    let id = &adopted.value;
    let Some(rule) = live.rules.iter().find(|rule| rule.id == *id) else {
        return Some(format!(
            "there is no rule {id} to adopt ({}); take the [[adopt]] away, or mend the id",
            adopted.place
        ));
    };
    let other = rule.mark.as_ref().filter(|mark| mark.stack != *exchange.stack())?;
    Some(format!(
        "the rule {id} to adopt ({}) belongs to the stack {}; take it out of that one first",
        adopted.place, other.stack
    ))
}

/// What brings one rule to its desired state.
enum Put<'a> {
    Nothing,
    Step(Step),
    /// The rule's type is fixed at creation, so it is deleted first.
    Replace(Step, &'a RuleId, String),
}

fn put<'a>(exchange: &Exchange, key: &RuleName, rule: &RoutingRule<Secret>, existing: Option<&'a LiveRule>) -> Put<'a> {
    let place = exchange.rules().get(key).map(|declared| declared.place.clone());
    let seal = Seal::of(rule);
    let mark = Mark { stack: exchange.stack().clone(), key: key.clone(), seal: seal.clone() };
    let tags: Vec<String> = rule.tags.iter().cloned().chain([mark.to_string()]).collect();
    let boxed = Box::new(rule.clone());
    let step = |verb, action, reason: String, changes| Step {
        object: format!("rule.{key}"),
        verb,
        action,
        reason,
        place: place.clone(),
        changes,
    };
    let create = |reason: &str| {
        let action = Action::CreateRule { key: key.clone(), rule: boxed.clone(), tags: tags.clone() };
        step(Verb::Create, action, reason.to_owned(), changes(None, rule))
    };
    let Some(existing) = existing else { return Put::Step(create("declared here, and not there yet")) };
    let update = |reason: String, changes| {
        let action =
            Action::UpdateRule { key: key.clone(), id: existing.id.clone(), rule: boxed.clone(), tags: tags.clone() };
        Put::Step(step(Verb::Update, action, reason, changes))
    };
    let held = match &existing.rule {
        Ok(held) => held,
        Err(why) => return update(format!("it cannot be understood as it is ({why})"), changes(None, rule)),
    };
    if held.direction() != rule.direction() {
        let reason = format!(
            "its direction changes from {} to {}, which is fixed at creation; outbound callers who hold its id {} need the new one",
            held.direction(),
            rule.direction(),
            existing.id
        );
        return Put::Replace(create(&reason), &existing.id, reason.clone());
    }
    let changes = changes(Some(held), rule);
    let applied = existing.mark.as_ref().map(|mark| &mark.seal);
    if changes.is_empty() {
        // Nothing that a call meets differs; a stale seal alone is put right, so that drift can be told next time.
        return match &existing.mark {
            None => update("it is adopted: only this stack's mark is added".to_owned(), Vec::new()),
            Some(mark) if mark.key != *key => update(format!("its table was called {}", mark.key), Vec::new()),
            Some(mark) if mark.seal != seal => update("only its mark is out of date".to_owned(), Vec::new()),
            Some(_) => Put::Nothing,
        };
    }
    let (live_seal, pin_only) = (Seal::of(held), Seal::of(held) == seal);
    let reason = if existing.mark.is_none() {
        "it is adopted, and differs from the files".to_owned()
    } else if pin_only {
        "a secret of it differs".to_owned()
    } else if applied == Some(&live_seal) {
        "the files have changed".to_owned()
    } else if applied == Some(&seal) {
        "it was changed there since the last apply, and the files were not".to_owned()
    } else {
        "both the files and the rule there have changed since the last apply; the files win".to_owned()
    };
    update(reason, changes)
}

fn delete(key: &RuleName, id: &RuleId, reason: String, verb: Verb) -> Step {
    Step {
        object: format!("rule.{key}"),
        verb,
        action: Action::DeleteRule { id: id.clone() },
        reason,
        place: None,
        changes: Vec::new(),
    }
}

/// Puts steps in an order in which no number is ever on two inbound rules, and each is on none for as short as can be:
///
/// ```text
/// take the number off the rule that has it ─▶ put it on the rule that wants it     (for each rule that wants)
/// …
/// delete what is left over
/// ```
struct Order<'a> {
    /// The table of each rule that is this stack's.
    keys: BTreeMap<&'a RuleId, &'a RuleName>,
    /// Which inbound rule holds which numbers, at which priority, as the steps so far leave it.
    holds: BTreeMap<&'a RuleId, (Option<u16>, BTreeSet<E164>)>,
    rules: BTreeMap<&'a RuleId, &'a LiveRule>,
    /// Rules of ours whose tables are gone, with the steps that delete them.
    gone: BTreeMap<&'a RuleId, Step>,
    puts: Vec<Wanting<'a>>,
}

/// A step that puts numbers on an inbound rule.
struct Wanting<'a> {
    /// The rule that has to be deleted first, because its type changes.
    replaces: Option<&'a RuleId>,
    step: Step,
    numbers: BTreeSet<E164>,
    /// Rules of different priorities may share a number.
    priority: Option<u16>,
    /// The rule's id, once it has one.
    id: Option<RuleId>,
}

impl<'a> Order<'a> {
    fn new(exchange: &'a Exchange, live: &'a Live) -> Self {
        let inbound = live.rules.iter().filter_map(|rule| {
            let held = rule.rule.as_ref().ok()?;
            (held.direction() == Direction::Inbound).then(|| (&rule.id, (held.beyond.priority, held.numbers.clone())))
        });
        Self {
            keys: live.rules.iter().filter_map(|rule| Some((&rule.id, rule.key(exchange)?))).collect(),
            holds: inbound.collect(),
            rules: live.rules.iter().map(|rule| (&rule.id, rule)).collect(),
            gone: BTreeMap::new(),
            puts: Vec::new(),
        }
    }

    /// A rule that is not this stack's and holds a number that an inbound rule of ours wants.
    fn foreign_holder(&self, rule: &RoutingRule<Secret>) -> Option<(E164, &'a LiveRule)> {
        if rule.direction() == Direction::Outbound {
            return None;
        }
        let same = self.holds.iter().filter(|(_, (priority, _))| *priority == rule.beyond.priority);
        same.into_iter().find_map(|(id, (_, numbers))| {
            let holder = *self.rules.get(id)?;
            let foreign = !self.keys.contains_key(id);
            let number = numbers.intersection(&rule.numbers).next().filter(|_| foreign)?;
            Some((*number, holder))
        })
    }

    fn put(&mut self, step: Step, rule: &RoutingRule<Secret>, first: Option<(&'a RuleId, Step)>) {
        let numbers = match rule.direction() {
            Direction::Inbound => rule.numbers.clone(),
            Direction::Outbound => BTreeSet::new(),
        };
        let id = match &step.action {
            Action::UpdateRule { id, .. } => Some(id.clone()),
            _ => None,
        };
        // Like a rule whose table is gone: another rule that wants its numbers may have it deleted before.
        let replaces = first.map(|(id, delete)| {
            self.gone.insert(id, delete);
            id
        });
        self.puts.push(Wanting { replaces, step, numbers, priority: rule.beyond.priority, id });
    }

    fn steps(mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        for Wanting { replaces, step: put, numbers: wants, priority: at, id: own } in std::mem::take(&mut self.puts) {
            let others: Vec<&RuleId> = self
                .holds
                .iter()
                .filter(|(id, _)| own.as_ref() != Some(**id))
                .filter(|(_, (priority, numbers))| *priority == at && !numbers.is_disjoint(&wants))
                .map(|(id, _)| *id)
                .collect();
            for id in others {
                match self.gone.remove(id) {
                    // What is to be deleted anyway is deleted now.
                    Some(delete) => {
                        self.holds.remove(id);
                        steps.push(delete);
                    }
                    None => steps.extend(self.take(id, &wants, &put.object)),
                }
            }
            if let Some(id) = replaces {
                self.holds.remove(id);
                steps.extend(self.gone.remove(id));
            }
            if let Some(own) = &own
                && let Some((_, held)) = self.holds.iter_mut().find(|(id, _)| **id == own)
            {
                *held = (at, wants);
            }
            steps.push(put);
        }
        steps.extend(self.gone.into_values());
        steps
    }

    fn take(&mut self, id: &'a RuleId, wants: &BTreeSet<E164>, taker: &str) -> Option<Step> {
        let (_, numbers) = self.holds.get_mut(id)?;
        let taken: Vec<String> = numbers.intersection(wants).map(E164::to_string).collect();
        numbers.retain(|number| !wants.contains(number));
        let key = self.keys.get(id)?;
        Some(Step {
            object: format!("rule.{key}"),
            verb: Verb::Prepare,
            action: Action::TakeNumbers { id: id.clone(), left: numbers.iter().copied().collect() },
            reason: format!("{} is to go to {taker}, and a number is on one inbound rule only", taken.join(", ")),
            place: None,
            changes: Vec::new(),
        })
    }
}

/// Each side of a rule as text, in the words of the language.
fn sides(rule: &RoutingRule<Secret>) -> Vec<(&'static str, Option<String>)> {
    let flag = |flag: bool| flag.then(|| "true".to_owned());
    let list = |texts: Vec<String>| (!texts.is_empty()).then(|| texts.join(", "));
    let (room, prefix) = match rule.room.as_ref().map(|room| &room.mode) {
        None => (None, None),
        Some(RoomMode::Static(id)) => (Some(format!("static {id}")), None),
        Some(RoomMode::Dynamic(prefix)) => (Some("dynamic".to_owned()), Some(prefix.to_string())),
    };
    let metadata = rule.agent.as_ref().filter(|agent| !agent.metadata.is_empty());
    let metadata = metadata.map(|agent| format!("{:#}", sorted(&serde_json::Value::Object(agent.metadata.clone()))));
    let (to_attributes, on_invite) = match &rule.kind {
        RuleKind::Inbound { headers_to_attributes } => (Some(headers_to_attributes), None),
        RuleKind::Outbound { headers } => (None, Some(headers)),
    };
    let map = |map: Option<&BTreeMap<String, String>>| {
        let map = map.filter(|map| !map.is_empty())?;
        Some(map.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join("\n"))
    };
    let include = match rule.include_headers {
        crate::model::IncludeHeaders::None => None,
        word => Some(word.to_string()),
    };
    let mut sides = vec![
        ("direction", Some(rule.direction().to_string())),
        ("name", Some(rule.name.clone())),
        ("numbers", list(rule.numbers.iter().map(E164::to_string).collect())),
        ("room", room),
        ("room.prefix", prefix),
        ("agent", rule.agent.as_ref().map(|agent| agent.id.to_string())),
        ("metadata", metadata),
        ("allow.callers", list(rule.allowed_callers.texts())),
        ("allow.ips", list(rule.allowed_sources.texts())),
        ("include_headers", include),
        ("headers_to_attributes", map(to_attributes)),
        ("headers", map(on_invite)),
        ("recording", flag(rule.recording)),
        ("dtmf", flag(rule.dtmf)),
        ("noise_cancellation", flag(rule.noise_cancellation)),
        ("hide_caller", flag(rule.hide_caller)),
        ("tags", list(rule.tags.iter().cloned().collect())),
    ];
    sides.extend(beyond(&rule.beyond));
    sides
}

/// Each side of what goes beyond the vendor's contract as text.
pub(super) fn beyond(beyond: &Beyond) -> Vec<(&'static str, Option<String>)> {
    fn list<T: ToString>(all: impl IntoIterator<Item = T>) -> Option<String> {
        let texts: Vec<String> = all.into_iter().map(|one| one.to_string()).collect();
        (!texts.is_empty()).then(|| texts.join(", "))
    }
    let failover = beyond.failover.as_ref();
    vec![
        ("priority", beyond.priority.map(|priority| priority.to_string())),
        ("schedule", beyond.schedule.as_ref().map(ToString::to_string)),
        ("block.callers", list(&beyond.blocked_callers)),
        ("block.ips", list(&beyond.blocked_sources)),
        ("split", list(beyond.split.shares().iter().map(|(target, weight)| format!("{target} = {weight}")))),
        ("failover.gateways", failover.and_then(|failover| list(&failover.gateways))),
        ("failover.move_on", failover.and_then(|failover| list(&failover.move_on))),
    ]
}

fn changes(before: Option<&RoutingRule<Secret>>, after: &RoutingRule<Secret>) -> Vec<Change> {
    let old: Vec<Option<String>> = match before {
        None => vec![None; sides(after).len()],
        Some(before) => sides(before).into_iter().map(|(_, text)| text).collect(),
    };
    let sides = old.into_iter().zip(sides(after)).filter(|(before, (_, after))| before != after);
    let mut changes: Vec<Change> = sides.map(|(before, (field, after))| Change { field, before, after }).collect();
    let pin = |rule: &RoutingRule<Secret>| rule.room.as_ref().and_then(|room| room.pin.clone());
    let (old, new) = (before.and_then(pin), pin(after));
    if old != new {
        // A PIN shows only that it is there, and that it differs.
        let shown = |pin: Option<Secret>| pin.map(|pin| pin.to_string());
        changes.push(Change { field: "room.pin", before: shown(old), after: shown(new) });
    }
    // A rule that names no key keeps the one it has.
    if let Some(new) = &after.api_key {
        let old = before.and_then(|rule| rule.api_key.as_ref());
        if old != Some(new) {
            let shown = |key: &Secret| key.to_string();
            changes.push(Change { field: "api_key", before: old.map(shown), after: Some(shown(new)) });
        }
    }
    changes
}
