//! What is the API like, where the vendor's pages disagree?
//!
//! Contract section 14, point by point, as far as reading shows it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::reach;
use super::report::Report;
use crate::client::{Client, ClientError, Seen};

/// An id that no rule has.
const NO_RULE: &str = "/v2/sip/routing-rule/strowger-doctor-asks-for-nothing";

/// The answers that the checks look at.
struct Reads {
    numbers: Seen,
    rules: Seen,
    numbers_default: Seen,
    rules_default: Seen,
    rules_plural: Seen,
    missing: Seen,
    bearer: Seen,
    calls: Seen,
}

impl Reads {
    async fn make(client: &Client) -> Result<Self, ClientError> {
        Ok(Self {
            numbers: client.probe("/v2/sip/phone-numbers?page=1&perPage=100", "").await?,
            rules: client.probe("/v2/sip/routing-rule?page=1&perPage=100", "").await?,
            numbers_default: client.probe("/v2/sip/phone-numbers", "").await?,
            rules_default: client.probe("/v2/sip/routing-rule", "").await?,
            rules_plural: client.probe("/v2/sip/routing-rules?page=1&perPage=1", "").await?,
            missing: client.probe(NO_RULE, "").await?,
            bearer: client.probe(reach::PATH, "Bearer ").await?,
            calls: client.probe("/v2/sip/call?page=1&perPage=100", "").await?,
        })
    }
}

pub(super) async fn examine(report: &mut Report, client: &Client) {
    let reads = match Reads::make(client).await {
        Ok(reads) => reads,
        Err(why) => return report.fail("contract", why.to_string(), "try again"),
    };
    envelope(report, "number-list", &reads.numbers);
    rule_path(report, &reads);
    envelope(report, "rule-list", &reads.rules);
    page_size(report, &reads);
    let numbers = items(&reads.numbers);
    number_id(report, &numbers);
    gateways(report, &numbers);
    rules(report, &items(&reads.rules));
    calls(report, &reads.calls);
    match reads.missing.status {
        404 => report.ok("not-found", "404"),
        402 => report.warn("not-found", "402", "nothing: it is taken for 404"),
        status => report.fail(
            "not-found",
            format!("{status} for a rule that is not there"),
            "such an endpoint cannot be planned against",
        ),
    }
    match reads.bearer.status {
        200..=299 => report.ok("bearer", "a token may have `Bearer` before it; it is sent without"),
        _ => report.ok("bearer", "a token with `Bearer` before it is refused; it is sent without"),
    }
    report.skip(
        "writes",
        "update verb, isShared, outbound transport, rule without numbers, call origin and dtmf, release of what is gone: only a write would show",
    );
}

fn envelope(report: &mut Report, check: &'static str, seen: &Seen) {
    let body = seen.body.as_ref();
    match body {
        Some(body) if body["pageInfo"].is_object() && body["data"].is_array() => report.ok(check, "{pageInfo, data}"),
        Some(body) if body["pagination"].is_object() && body["data"].is_array() => {
            report.warn(check, "{pagination, data}", "nothing: it is read too");
        }
        Some(Value::Array(_)) => report.warn(check, "a bare list", "nothing: it is read until a page is not full"),
        Some(body) if body["data"].is_array() => {
            report.warn(check, "{data}, without a word of pages", "nothing: it is read until a page is not full");
        }
        _ => report.fail(check, format!("status {} and no list that is known", seen.status), "check the endpoint"),
    }
}

fn rule_path(report: &mut Report, reads: &Reads) {
    let served = |seen: &Seen| (200..=299).contains(&seen.status);
    match (served(&reads.rules), served(&reads.rules_plural)) {
        (true, true) => report.ok("rule-path", "/v2/sip/routing-rule, and the older /v2/sip/routing-rules"),
        (true, false) => report.ok("rule-path", "/v2/sip/routing-rule alone"),
        (false, true) => report.fail(
            "rule-path",
            "only the older /v2/sip/routing-rules",
            "rules are spoken of at the newer path alone: use an endpoint of this generation",
        ),
        (false, false) => report.fail(
            "rule-path",
            format!("status {}", reads.rules.status),
            "check the endpoint, and what the token may",
        ),
    }
}

fn page_size(report: &mut Report, reads: &Reads) {
    let size = |seen: &Seen| {
        let body = seen.body.as_ref()?;
        body["pageInfo"]["perPage"].as_u64().or_else(|| body["pagination"]["perPage"].as_u64())
    };
    let shown = |seen: &Seen| size(seen).map_or_else(|| "?".to_owned(), |size| size.to_string());
    let found = format!(
        "numbers {}, rules {} by default; {} and {} where 100 are asked for",
        shown(&reads.numbers_default),
        shown(&reads.rules_default),
        shown(&reads.numbers),
        shown(&reads.rules)
    );
    let full = [&reads.numbers, &reads.rules].iter().all(|seen| size(seen) == Some(100));
    match full {
        true => report.ok("page-size", found),
        false => report.warn("page-size", found, "nothing: the pages that come are read"),
    }
}

fn items(seen: &Seen) -> Vec<&Value> {
    let list = seen.body.as_ref().and_then(|body| body.as_array().or_else(|| body["data"].as_array()));
    list.map(|items| items.iter().collect()).unwrap_or_default()
}

/// The different texts in a field.
fn words<'a>(items: impl IntoIterator<Item = &'a Value>) -> BTreeSet<&'a str> {
    items.into_iter().filter_map(Value::as_str).collect()
}

fn listed(words: &BTreeSet<&str>) -> String {
    words.iter().copied().collect::<Vec<_>>().join(", ")
}

fn number_id(report: &mut Report, numbers: &[&Value]) {
    let ids = words(numbers.iter().map(|item| &item["phoneNumber"]["phoneNumberId"]));
    match ids.iter().next() {
        None => report.skip("number-id", "there is no number"),
        Some(_) if ids.iter().all(|id| id.starts_with("pn_")) => report.ok("number-id", "pn_…"),
        Some(_) => report.ok("number-id", "not pn_…; taken as it comes"),
    }
}

fn gateways(report: &mut Report, numbers: &[&Value]) {
    let side = |side: &'static str| numbers.iter().map(move |item| &item[side]).filter(|gateway| gateway.is_object());
    let all: Vec<&Value> = side("inbound").chain(side("outbound")).collect();
    if all.is_empty() {
        return report.skip("gateways", "there is no number on a gateway: region key, region codes, credentials");
    }
    let has = |key: &str| all.iter().any(|gateway| gateway[key].is_string());
    match (has("geoRegion"), has("sipRegion")) {
        (true, false) => report.ok("region-key", "geoRegion in answers; sent as sipRegion"),
        (true, true) => report.ok("region-key", "geoRegion and sipRegion in answers; sent as sipRegion"),
        (false, true) => report.warn("region-key", "sipRegion in answers", "nothing: it is read too"),
        (false, false) => {
            report.warn("region-key", "no region in answers", "regions are not compared: each plan says so")
        }
    }
    let codes = words(all.iter().flat_map(|gateway| [&gateway["geoRegion"], &gateway["sipRegion"]]));
    match (codes.is_empty(), codes.contains("in001") && codes.contains("in002")) {
        (true, _) => report.skip("region-codes", "no gateway names one"),
        (_, true) => report.warn("region-codes", listed(&codes), "India has two codes here; both are kept as they are"),
        _ => report.ok("region-codes", listed(&codes)),
    }
    let inbound: Vec<&Value> = side("inbound").map(|gateway| &gateway["auth"]).collect();
    match inbound.iter().find(|auth| !auth.is_null()) {
        None if inbound.is_empty() => report.skip("inbound-auth", "there is no inbound gateway"),
        None => report.ok("inbound-auth", "null or absent"),
        Some(auth) if auth.as_object().is_some_and(serde_json::Map::is_empty) => {
            report.warn("inbound-auth", "{}", "nothing here; the vendor's Rust SDK cannot read it");
        }
        Some(_) => report.warn("inbound-auth", "credentials", "nothing: they are not compared"),
    }
    let outbound: Vec<&Value> =
        side("outbound").map(|gateway| &gateway["auth"]).filter(|auth| auth.is_object()).collect();
    let text = |auth: &Value, key: &str| auth[key].as_str().is_some_and(|text| !text.is_empty());
    let clear = |auth: &Value| auth["password"].as_str().is_some_and(|text| text.chars().any(|c| c != '*'));
    if outbound.is_empty() {
        report.skip("outbound-auth", "no outbound gateway tells credentials");
    } else if outbound.iter().any(|auth| clear(auth)) {
        report.warn(
            "outbound-auth",
            "the password comes back in clear",
            "who may read this API may read it: guard the key",
        );
    } else if outbound.iter().all(|auth| text(auth, "username")) {
        report.ok("outbound-auth", "the user name comes back, and no password");
    } else {
        report.warn("outbound-auth", "no user name comes back", "a changed user name is not noticed by `plan`");
    }
}

fn rules(report: &mut Report, rules: &[&Value]) {
    if rules.is_empty() {
        return report.skip("rules", "there is no rule: shape, key of numbers, case of type, prefix, headers");
    }
    let all = |key: &str| rules.iter().all(|rule| !rule[key].is_null());
    match rules.iter().any(|rule| rule["dispatch"].is_object()) {
        false => report.ok("rule-shape", "flat"),
        true => report.fail(
            "rule-shape",
            "dispatch{…}",
            "rooms and agents are not understood there: use an endpoint of this generation",
        ),
    }
    match (all("numbers"), all("phoneNumbers")) {
        (true, _) => report.ok("rule-numbers", "numbers"),
        (false, true) => report.fail(
            "rule-numbers",
            "phoneNumbers",
            "answers are expected to say `numbers`; plans would see rules without any",
        ),
        (false, false) => report.fail("rule-numbers", "some rule names no numbers", "plans would see it without any"),
    }
    let types = words(rules.iter().map(|rule| &rule["type"]));
    match types.iter().all(|word| matches!(*word, "inbound" | "outbound")) {
        true => report.ok("rule-type", listed(&types)),
        false if types.iter().all(|word| matches!(word.to_ascii_lowercase().as_str(), "inbound" | "outbound")) => {
            report.warn("rule-type", listed(&types), "nothing: any case is read");
        }
        false => report.fail("rule-type", listed(&types), "rules of other types are kept, and not understood"),
    }
    let prefixes = words(rules.iter().map(|rule| &rule["room"]["prefix"]));
    let known = ["blank", "random", "participantNumber", "sipNumber"];
    match prefixes.iter().all(|word| known.contains(word)) {
        _ if prefixes.is_empty() => report.skip("room-prefix", "no rule has one"),
        true => report.ok("room-prefix", listed(&prefixes)),
        false => {
            report.warn("room-prefix", listed(&prefixes), "rules with another prefix are kept, and not understood")
        }
    }
    let wrong = rules.iter().any(|rule| {
        let inbound = rule["type"].as_str().is_some_and(|word| word.eq_ignore_ascii_case("inbound"));
        let map = &rule[if inbound { "headers" } else { "headersToAttributes" }];
        map.as_object().is_some_and(|map| !map.is_empty())
    });
    match wrong {
        false => report.ok("rule-headers", "each map of headers on rules of its direction"),
        true => {
            report.warn("rule-headers", "a map of headers on a rule of the other direction", "it has no effect there")
        }
    }
}

fn calls(report: &mut Report, seen: &Seen) {
    let calls = items(seen);
    match seen.status {
        200..=299 if calls.is_empty() => {
            return report.skip("calls", "there is no call: key of the id, case of the status");
        }
        200..=299 => {}
        404 | 501 => return report.skip("calls", format!("not served: status {}", seen.status)),
        status => return report.warn("calls", format!("status {status}"), "numbers and rules do not need them"),
    }
    let all = |key: &str| calls.iter().all(|call| call[key].is_string());
    match (all("callId"), all("id")) {
        (true, true) => report.ok("call-id", "callId and id"),
        (true, false) => report.ok("call-id", "callId"),
        (false, true) => report.ok("call-id", "id"),
        (false, false) => report.warn("call-id", "neither callId nor id on every call", "calls cannot be followed"),
    }
    let lower = words(calls.iter().map(|call| &call["status"])).iter().all(|word| *word == word.to_ascii_lowercase());
    report.ok("call-status", if lower { "lower case" } else { "not all in lower case; compared in any" });
}
