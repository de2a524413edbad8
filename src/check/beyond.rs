//! What do the keys mean that only our own runtime honours?

use std::collections::BTreeMap;
use std::str::FromStr;

use super::names::Names;
use super::rules::{self, beyond_malformed, beyond_wrong_direction};
use crate::diagnostic::Span;
use crate::model::{Beyond, Direction, Failover, GatewayName, Malformed, RoomMode, Schedule, Split, Target};
use crate::syntax::At;
use crate::syntax::tables::{BlockTable, FailoverTable, RuleTable, ScheduleTable};

pub(super) fn beyond(names: &Names, table: &RuleTable) -> Beyond {
    let direction = table.direction.value;
    let span = |key: Option<&Span>, name, of| {
        if let Some(span) = key.filter(|_| direction != of) {
            names.report(beyond_wrong_direction::finding(name, direction, span, &table.direction.span));
        }
    };
    span(table.priority.as_ref().map(|at| &at.span), "priority", Direction::Inbound);
    span(table.schedule.as_ref().map(|at| &at.span), "schedule", Direction::Inbound);
    span(table.block.as_ref().map(|at| &at.span), "block", Direction::Inbound);
    span(table.split.as_ref().map(|at| &at.span), "split", Direction::Inbound);
    span(table.failover.as_ref().map(|at| &at.span), "failover", Direction::Outbound);
    let mut beyond = Beyond {
        priority: table.priority.as_ref().map(|at| at.value),
        schedule: table.schedule.as_ref().and_then(|at| schedule(names, &at.value)),
        split: split(names, table),
        failover: table.failover.as_ref().and_then(|at| failover(names, &at.value)),
        ..Beyond::default()
    };
    if let Some(At { value: BlockTable { callers, ips }, .. }) = &table.block {
        for item in callers.iter().flat_map(|list| &list.value) {
            match item.value.parse() {
                Ok(pattern) => drop(beyond.blocked_callers.insert(pattern)),
                Err(why) => names.report(rules::caller_malformed::finding(&item.value, &why, &item.span)),
            }
        }
        beyond.blocked_sources =
            ips.iter().flat_map(|ips| ips.value.items()).filter_map(|item| names.source(item)).collect();
    }
    beyond
}

/// Reads each text of a list; what cannot be read is reported.
fn each<T: FromStr<Err = Malformed>>(names: &Names, list: Option<&At<Vec<At<String>>>>) -> Vec<T> {
    let read = |item: &At<String>| {
        let read = item.value.parse();
        read.map_err(|why| names.report(beyond_malformed::finding(&item.value, &why, &item.span))).ok()
    };
    list.iter().flat_map(|list| &list.value).filter_map(read).collect()
}

fn schedule(names: &Names, table: &ScheduleTable) -> Option<Schedule> {
    let weekly = table.hours.as_ref().map(|hours| each(names, Some(hours)));
    let (open, closed) = (each(names, table.open.as_ref()), each(names, table.closed.as_ref()));
    let zone = &table.zone;
    let read = Schedule::new(&zone.value, weekly, open, closed);
    read.map_err(|why| names.report(beyond_malformed::finding(&zone.value, &why, &zone.span))).ok()
}

fn split(names: &Names, table: &RuleTable) -> Split {
    let Some(At { value: map, span }) = &table.split else { return Split::default() };
    let mut shares: BTreeMap<Target, u32> = BTreeMap::new();
    for (key, weight) in map {
        let malformed = |why: &str| {
            names.report(beyond_malformed::finding(key, &Malformed(why.to_owned()), &weight.key));
        };
        let name = |name: &str| At { value: name.to_owned(), span: weight.key.clone() };
        let target = match key.split_once('.') {
            Some(("agent", agent)) => {
                names.refer("agent", &name(agent), &names.agents).map(|agent| Target::Agent(agent.id.clone()))
            }
            Some(("room", room)) => match names.refer("room", &name(room), &names.rooms) {
                None => None,
                Some(room) => match (&room.mode, &room.pin) {
                    (RoomMode::Static(id), None) => Some(Target::Room(id.clone())),
                    _ => {
                        malformed("a share goes to a room with an id and without a `pin`");
                        None
                    }
                },
            },
            _ => {
                malformed("a share is `\"agent.NAME\"` or `\"room.NAME\"`");
                None
            }
        };
        if let Some(target) = target {
            *shares.entry(target).or_default() += u32::from(weight.value.value);
        }
    }
    Split::new(shares).unwrap_or_else(|why| {
        names.report(beyond_malformed::finding("split", &why, span));
        Split::default()
    })
}

fn failover(names: &Names, table: &FailoverTable) -> Option<Failover> {
    let mut gateways: Vec<GatewayName> = Vec::new();
    for name in &table.gateways.value {
        let known = names.refer("gateway", name, &names.gateways).map(|gateway| gateway.name.clone());
        gateways.extend(known.filter(|name| !gateways.contains(name)));
    }
    if table.gateways.value.is_empty() {
        let why = Malformed("a failover names at least one gateway".to_owned());
        names.report(beyond_malformed::finding("gateways", &why, &table.gateways.span));
    }
    let move_on = table.move_on.as_ref().map_or_else(Failover::usual, |list| {
        let read = |word: &At<crate::syntax::tables::StatusWord>| {
            let read = word.value.0.parse();
            read.map_err(|why| names.report(beyond_malformed::finding(&word.value.0, &why, &word.span))).ok()
        };
        list.value.iter().filter_map(read).collect()
    });
    Some(Failover { gateways, move_on })
}
