//! What does an agent's table mean?

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::names::{Known, Names};
use super::rules;
use crate::model::{Agent, AgentEndpoint, Fallback, HeaderText, OnClose, RoomMode, SecretRef};
use crate::syntax::tables::AgentTable;
use crate::syntax::value::TextOrSecret;
use crate::syntax::{At, Keyed};

/// How long connecting may take when nothing else is said: callers hang up after a few rings.
const DEADLINE_MS: u16 = 5_000;

/// A local agent connects in a few milliseconds; nobody listens to ringing for more than a minute.
const DEADLINE_RANGE_MS: std::ops::RangeInclusive<u16> = 100..=60_000;

/// A restart behind a load balancer shows as one or two refusals.
const RETRIES: u16 = 2;

/// More tries than this do not fit into a deadline.
const RETRIES_MAX: u16 = 10;

/// Headers that the upgrade itself needs (RFC 6455 section 4.1), or that we sign with.
const RESERVED_HEADERS: &[&str] = &[
    "host",
    "upgrade",
    "connection",
    "content-length",
    "transfer-encoding",
    "x-twilio-signature",
    "x-strowger-signature",
];

/// One entry of `fallback`, not yet looked up.
pub(super) enum Wish {
    Agent(At<String>),
    Room(At<String>),
    Status(u16),
}

/// What an agent's table means, but for its fallbacks, which may be declared after it.
pub(super) fn agent(names: &Names, name: &At<String>, table: &AgentTable) -> Option<Agent> {
    let key: Option<crate::model::AgentName> = names.name("the name of an agent", name);
    let id = names.name("the id of an agent", &table.id);
    let endpoint = endpoint(names, &name.value, table);
    key?;
    Some(Agent { id: id?, endpoint: endpoint? })
}

/// `None` when a finding was left; `Some(None)` when the agent has no endpoint.
fn endpoint(names: &Names, name: &str, table: &AgentTable) -> Option<Option<AgentEndpoint<SecretRef>>> {
    let malformed = |why: &str, span, help: &str| names.report(rules::agent_malformed::finding(name, why, span, help));
    let Some(url) = &table.url else {
        let spans = [
            table.headers.as_ref().map(|at| &at.span),
            table.signing_secret.as_ref().map(|at| &at.span),
            table.deadline_ms.as_ref().map(|at| &at.span),
            table.retries.as_ref().map(|at| &at.span),
            table.on_close.as_ref().map(|at| &at.span),
            table.fallback.as_ref().map(|at| &at.span),
            table.allow_plain.as_ref().map(|at| &at.span),
        ];
        let Some(span) = spans.into_iter().flatten().next() else { return Some(None) };
        malformed("has no effect without a `url`", span, "write the agent's `url`, or take this away");
        return None;
    };
    let spelled = names.url(url, &["wss://", "ws://"]).is_some();
    let usable = spelled && authority(&url.value).is_some_and(is_authority);
    if spelled && !usable {
        malformed(
            "its host or port cannot be read",
            &url.span,
            "write it like `wss://agents.example.com:8443/front-desk`",
        );
    }
    let plain = url.value.starts_with("ws://") && !authority(&url.value).is_some_and(is_loopback);
    let plain = plain && !table.allow_plain.as_ref().is_some_and(|allow| allow.value);
    if usable && plain {
        names.report(rules::websocket_plain::finding(&url.value, &url.span));
    }
    let deadline = table.deadline_ms.as_ref().map_or(DEADLINE_MS, |at| at.value);
    if let Some(at) = table.deadline_ms.as_ref().filter(|at| !DEADLINE_RANGE_MS.contains(&at.value)) {
        malformed("not from 100 to 60000", &at.span, "give it a few seconds, such as 5000");
    }
    if let Some(at) = table.retries.as_ref().filter(|at| at.value > RETRIES_MAX) {
        malformed("more than 10", &at.span, "leave it at 2; the deadline ends all tries");
    }
    Some(Some(AgentEndpoint {
        url: usable.then(|| url.value.clone())?,
        headers: headers(names, name, table.headers.as_ref()),
        signing_secret: table.signing_secret.as_ref().map(|at| names.secret(at)),
        deadline: Duration::from_millis(deadline.into()),
        retries: table.retries.as_ref().map_or(RETRIES, |at| at.value),
        on_close: table.on_close.as_ref().map_or(OnClose::Hangup, |at| at.value),
        fallback: Vec::new(),
    }))
}

/// Host and port of a URL.
fn authority(url: &str) -> Option<&str> {
    url.split_once("://")?.1.split(['/', '?', '#']).next()
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_authority(authority: &str) -> bool {
    let (host, port) = split_port(authority);
    let named = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) && !host.is_empty();
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = named || v6.is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
    host && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0))
}

fn is_loopback(authority: &str) -> bool {
    let host = split_port(authority).0.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn headers(
    names: &Names,
    agent: &str,
    map: Option<&At<BTreeMap<String, Keyed<TextOrSecret>>>>,
) -> BTreeMap<String, HeaderText<SecretRef>> {
    let mut headers = BTreeMap::new();
    for (header, entry) in map.iter().flat_map(|map| &map.value) {
        let lower = header.to_ascii_lowercase();
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-.!#$&%*_+`'~|^".contains(&byte);
        let why = if header.is_empty() || !header.bytes().all(token) {
            "not a header name"
        } else if RESERVED_HEADERS.contains(&lower.as_str()) || lower.starts_with("sec-websocket-") {
            "belongs to the upgrade itself"
        } else {
            let text = match &entry.value.value {
                TextOrSecret::Text(text) if text.chars().any(|c| c.is_control() || !c.is_ascii()) => {
                    let help = "write a value of one line in ASCII";
                    names.report(rules::agent_malformed::finding(
                        agent,
                        "not the value of a header",
                        &entry.value.span,
                        help,
                    ));
                    continue;
                }
                TextOrSecret::Text(text) => HeaderText::Plain(text.clone()),
                TextOrSecret::Secret(source) => {
                    HeaderText::Secret(names.secret(&At { value: source.clone(), span: entry.value.span.clone() }))
                }
            };
            headers.insert(lower, text);
            continue;
        };
        let help = "use a name such as `Authorization` or `X-Tenant`";
        names.report(rules::agent_malformed::finding(agent, why, &entry.key, help));
    }
    headers
}

/// The fallbacks of an agent as they are written.
pub(super) fn wishes(names: &Names, name: &At<String>, table: &AgentTable) -> Vec<Wish> {
    let malformed = |why: &str, span, help: &str| {
        names.report(rules::agent_malformed::finding(&name.value, why, span, help));
        None
    };
    let all: &[At<_>] = table.fallback.as_ref().map_or(&[], |list| &list.value);
    let read = all.iter().enumerate().filter_map(|(place, entry)| {
        let wish = match (&entry.value.agent, &entry.value.room, &entry.value.status) {
            (Some(agent), None, None) => Wish::Agent(agent.clone()),
            (None, Some(room), None) => Wish::Room(room.clone()),
            (None, None, Some(status)) if !(400..700).contains(&status.value) => {
                return malformed("no status that refuses", &status.span, "write one from 400 to 699, such as 480");
            }
            (None, None, Some(status)) => Wish::Status(status.value),
            _ => {
                let help = "write `{ agent = \"NAME\" }`, `{ room = \"NAME\" }` or `{ status = 480 }`";
                return malformed("exactly one of agent, room and status", &entry.span, help);
            }
        };
        if matches!(wish, Wish::Status(_)) && place + 1 < all.len() {
            return malformed("what comes after it is never tried", &entry.span, "put the status last");
        }
        Some(wish)
    });
    read.collect()
}

/// Looks the fallbacks up, now that every agent is known.
pub(super) fn fall_back(names: &mut Names, wishes: Vec<(At<String>, Vec<Wish>)>) {
    for (name, wishes) in wishes {
        let malformed = |why: &str, span, help: &str| {
            names.report(rules::agent_malformed::finding(&name.value, why, span, help));
            None
        };
        let found = wishes.iter().filter_map(|wish| match wish {
            Wish::Status(status) => Some(Fallback::Status(*status)),
            Wish::Agent(other) => {
                let agent = names.refer("agent", other, &names.agents)?;
                match &agent.endpoint {
                    Some(_) if other.value != name.value => Some(Fallback::Agent(agent.id.clone())),
                    Some(_) => malformed("the agent itself", &other.span, "name another; `retries` repeats a try"),
                    None => malformed("has no `url`", &other.span, "give that agent a `url`"),
                }
            }
            Wish::Room(room) => match names.refer("room", room, &names.rooms)? {
                target if target.pin.is_some() => malformed("has a `pin`", &room.span, "name a room without one"),
                target => match &target.mode {
                    RoomMode::Static(id) => Some(Fallback::Room(id.clone())),
                    RoomMode::Dynamic(_) => malformed("is made for each call", &room.span, "name a static room"),
                },
            },
        });
        let found: Vec<Fallback> = found.collect();
        if let Some(Known { value: Some(Agent { endpoint: Some(endpoint), .. }), .. }) =
            names.agents.get_mut(&name.value)
        {
            endpoint.fallback = found;
        }
    }
}
