//! Which numbers and gateways are made, changed or taken away?

use std::collections::{BTreeMap, BTreeSet};

use super::Memory;
use super::diff::{Options, Plan};
use super::live::{Live, LiveGateway, LiveRule};
use super::step::{Action, Blocked, Change, GatewayChange, Step, Verb};
use crate::model::{
    Declared, Direction, E164, Exchange, Gateway, GatewayId, GatewayName, Place, Removal, SecretRef, Sharing,
};

/// The steps by which numbers leave, which are done last.
pub(super) struct Leaving {
    pub leave: Vec<Step>,
    pub leaving: BTreeSet<E164>,
}

pub(super) fn plan(exchange: &Exchange, live: &Live, memory: &Memory, options: Options, plan: &mut Plan) -> Leaving {
    let owners = owners(exchange, live);
    let mut fresh: BTreeMap<&GatewayName, Vec<E164>> = BTreeMap::new();
    let mut moving: BTreeMap<&GatewayName, Vec<E164>> = BTreeMap::new();
    for (e164, number) in exchange.numbers() {
        let wanted = &number.value.gateway;
        let found = live.numbers.get(e164);
        let stands: Vec<&GatewayId> =
            found.iter().flat_map(|found| [&found.inbound, &found.outbound]).flatten().collect();
        if stands.is_empty() {
            fresh.entry(wanted).or_default().push(*e164);
        } else if stands.len() < 2 || stands.iter().any(|id| owners.get(*id) != Some(&wanted)) {
            moving.entry(wanted).or_default().push(*e164);
        }
    }

    for (name, numbers) in &fresh {
        let Some(gateway) = exchange.gateways().get(*name) else { continue };
        plan.steps.push(create(exchange, gateway, numbers, "declared here, and on no gateway yet"));
    }
    for (id, name) in &owners {
        let (Some(gateway), Some(found)) = (exchange.gateways().get(*name), live.gateways.get(*id)) else { continue };
        if let Some(step) = update(exchange, id, gateway, found) {
            let foreign = |e164: &&E164| anothers(exchange, live, **e164);
            match found.numbers.iter().find(foreign) {
                None => plan.steps.push(step),
                Some(stranger) => plan.blocked.push(Blocked {
                    object: step.object,
                    reason: format!(
                        "{stranger} stands on the same {} gateway ({id}), and a rule of another stack holds it; change the \
                         gateway from that stack, or detach your numbers from it",
                        found.direction
                    ),
                    place: step.place,
                }),
            }
        }
        if gateway.value.sharing == Sharing::Dedicated
            && found.numbers.len() > 1
            && found.direction == Direction::Inbound
        {
            plan.notes.push(format!(
                "gateway.{name} is declared dedicated, and {} numbers share {id}: sharing is fixed when numbers are \
                 created, so it stays until they are detached and created again",
                found.numbers.len()
            ));
        }
    }
    for (name, numbers) in &moving {
        let Some(gateway) = exchange.gateways().get(*name) else { continue };
        // Out and in again at once: between the two the numbers have no gateway.
        for e164 in numbers {
            let reason = format!("moves to gateway.{name}, and can stand on one pair of gateways only");
            let place = exchange.numbers().get(e164).map(|number| number.place.clone());
            plan.steps.push(detach(*e164, Verb::Prepare, &reason, place));
        }
        plan.steps.push(create(exchange, gateway, numbers, "moves here from another gateway"));
    }

    let mut leave = Vec::new();
    let mut leaving = BTreeSet::new();
    for (e164, found) in live.numbers.iter().filter(|(e164, _)| !exchange.numbers().contains_key(e164)) {
        match memory.removal(*e164) {
            Some(Removal::Detach) if found.inbound.is_some() || found.outbound.is_some() => {
                leave.push(detach(*e164, Verb::Delete, "its table is gone, and its `on_remove` was \"detach\"", None));
                leaving.insert(*e164);
            }
            Some(Removal::Release) if options.may_release && found.purchased => plan.notes.push(format!(
                "number {e164} is no longer in the files; it was bought from the vendor, and to give it back could \
                 lose it for good: release it by hand"
            )),
            Some(Removal::Release) if options.may_release => {
                leave.push(Step {
                    object: format!("number.{e164}"),
                    verb: Verb::Delete,
                    action: Action::ReleaseNumber { number: *e164, id: found.id.clone() },
                    reason: "its table is gone, and its `on_remove` was \"release\"".to_owned(),
                    place: None,
                    changes: Vec::new(),
                });
                leaving.insert(*e164);
            }
            _ => {}
        }
    }
    leave.extend(emptied(live, &owners, &moving, &leaving));
    Leaving { leave, leaving }
}

/// Whether a number is another stack's: not declared here, and held by a rule with that stack's mark.
fn anothers(exchange: &Exchange, live: &Live, number: E164) -> bool {
    let marked = |rule: &LiveRule| rule.mark.as_ref().is_some_and(|mark| mark.stack != *exchange.stack());
    let holds = |rule: &LiveRule| rule.rule.as_ref().is_ok_and(|rule| rule.numbers.contains(&number));
    !exchange.numbers().contains_key(&number) && live.rules.iter().any(|rule| marked(rule) && holds(rule))
}

/// Which declared gateway each live gateway is: the one that its declared numbers name.
///
/// Where they name several, it is the one that bears its label, else the one of most numbers; the others' numbers
/// have to move.
fn owners<'a>(exchange: &'a Exchange, live: &'a Live) -> BTreeMap<&'a GatewayId, &'a GatewayName> {
    let owner = |found: &LiveGateway| {
        let mut votes: BTreeMap<&GatewayName, usize> = BTreeMap::new();
        for number in found.numbers.iter().filter_map(|e164| exchange.numbers().get(e164)) {
            *votes.entry(&number.value.gateway).or_default() += 1;
        }
        let label = found.name.as_deref();
        let bears = |name: &GatewayName| {
            label.is_some_and(|label| {
                exchange.gateways().get(name).is_some_and(|gateway| gateway.value.label() == label)
            })
        };
        votes.into_iter().max_by_key(|(name, count)| (bears(name), *count, std::cmp::Reverse(*name)))
    };
    live.gateways.iter().filter_map(|(id, found)| Some((id, owner(found)?.0))).collect()
}

/// Gateways of ours that lose their last number by this plan.
fn emptied(
    live: &Live,
    owners: &BTreeMap<&GatewayId, &GatewayName>,
    moving: &BTreeMap<&GatewayName, Vec<E164>>,
    leaving: &BTreeSet<E164>,
) -> Vec<Step> {
    let moves: BTreeSet<E164> = moving.values().flatten().copied().collect();
    let leaves = |e164: &E164| moves.contains(e164) || leaving.contains(e164);
    let empty = live.gateways.iter().filter(|(_, found)| !found.numbers.is_empty() && found.numbers.iter().all(leaves));
    let steps = empty.map(|(id, found)| {
        let label = found.name.clone().unwrap_or_else(|| id.to_string());
        Step {
            object: format!("gateway.{}", owners.get(id).map_or(label, |name| name.to_string())),
            verb: Verb::Delete,
            action: Action::DeleteGateway { id: id.clone(), direction: found.direction },
            reason: format!("the last number on this {} gateway leaves it", found.direction),
            place: None,
            changes: Vec::new(),
        }
    });
    steps.collect()
}

fn create(exchange: &Exchange, gateway: &Declared<Gateway<SecretRef>>, numbers: &[E164], reason: &str) -> Step {
    let place = numbers.first().and_then(|e164| exchange.numbers().get(e164)).map(|number| number.place.clone());
    let settings = &gateway.value;
    // A label of its own belongs to a number that is created alone; several share their gateway's.
    let label = match numbers {
        [only] => exchange.numbers().get(only).and_then(|number| number.value.name.clone()),
        _ => None,
    };
    let set = |field, after: String| Change { field, before: None, after: Some(after) };
    let mut changes = vec![
        set("numbers", numbers.iter().map(E164::to_string).collect::<Vec<_>>().join(", ")),
        set("address", settings.address.to_string()),
        set("transport", settings.transport.to_string()),
        set("sharing", settings.sharing.to_string()),
    ];
    if let Some(credentials) = &settings.credentials {
        changes.push(set("auth.username", credentials.username.clone()));
        changes.push(set("auth.password", credentials.password.to_string()));
    }
    Step {
        object: match numbers {
            [only] => format!("number.{only}"),
            _ => format!("numbers of gateway.{}", settings.name),
        },
        verb: Verb::Create,
        action: Action::CreateNumbers {
            gateway: settings.name.clone(),
            label: label.unwrap_or_else(|| settings.label().to_owned()),
            numbers: numbers.to_vec(),
        },
        reason: reason.to_owned(),
        place,
        changes,
    }
}

fn detach(number: E164, verb: Verb, reason: &str, place: Option<Place>) -> Step {
    Step {
        object: format!("number.{number}"),
        verb,
        action: Action::DetachNumber { number },
        reason: reason.to_owned(),
        place,
        changes: Vec::new(),
    }
}

/// Names the numbers of a gateway that no table here declares, for they change with it.
fn undeclared(exchange: &Exchange, found: &LiveGateway) -> String {
    let strangers = found.numbers.iter().filter(|e164| !exchange.numbers().contains_key(e164));
    let strangers: Vec<String> = strangers.map(E164::to_string).collect();
    match strangers.is_empty() {
        true => String::new(),
        false => format!(", {} among them, which no table here declares", strangers.join(", ")),
    }
}

fn update(
    exchange: &Exchange,
    id: &GatewayId,
    declared: &Declared<Gateway<SecretRef>>,
    found: &LiveGateway,
) -> Option<Step> {
    let gateway = &declared.value;
    let mut change = GatewayChange::default();
    let mut changes = Vec::new();
    let mut differs = |field, before: Option<&String>, default: Option<&str>, after: String| {
        // Absent, and the documented default, are one value.
        let same = before.map(String::as_str).or(default).is_some_and(|before| before.eq_ignore_ascii_case(&after));
        if same {
            return None;
        }
        changes.push(Change { field, before: before.cloned(), after: Some(after.clone()) });
        Some(after)
    };
    let region = match found.direction {
        Direction::Inbound => &gateway.regions.inbound,
        Direction::Outbound => &gateway.regions.outbound,
    };
    // Without a label of its own, whatever it was called when it was made is left alone.
    if let Some(label) = &gateway.label {
        change.name = differs("name", found.name.as_ref(), None, label.clone());
    }
    change.media_encryption = differs(
        "media_encryption",
        found.media_encryption.as_ref(),
        Some("disable"),
        gateway.media_encryption.to_string(),
    );
    change.region = differs("region", found.region.as_ref(), Some("auto"), region.to_string());
    if found.direction == Direction::Outbound {
        change.address = differs("address", found.address.as_ref(), None, gateway.address.to_string());
        change.transport = differs("transport", found.transport.as_ref(), Some("tls"), gateway.transport.to_string());
        let wanted = gateway.credentials.as_ref();
        if wanted.map(|credentials| &credentials.username) != found.username.as_ref() {
            changes.push(Change {
                field: "auth.username",
                before: found.username.clone(),
                after: wanted.map(|credentials| credentials.username.clone()),
            });
            change.credentials =
                Some(wanted.map(|credentials| (credentials.username.clone(), credentials.password.clone())));
        }
    }
    if changes.is_empty() {
        return None;
    }
    let others = match found.numbers.len() {
        1 => String::new(),
        count => format!(", for all {count} numbers on it{}", undeclared(exchange, found)),
    };
    Some(Step {
        object: format!("gateway.{}", gateway.name),
        verb: Verb::Update,
        action: Action::UpdateGateway { id: id.clone(), change: Box::new(change) },
        reason: format!("the {} gateway differs from the files{others}", found.direction),
        place: Some(declared.place.clone()),
        changes,
    })
}
