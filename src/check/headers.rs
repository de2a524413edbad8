//! Which SIP headers may a rule read or set?

use std::collections::BTreeMap;

use super::names::Names;
use super::rules;
use crate::model::Direction;
use crate::syntax::tables::RuleTable;
use crate::syntax::{At, Keyed};

/// Headers that belong to SIP itself (RFC 3261 section 20), which a rule must not set.
const RESERVED_HEADERS: &[&str] = &[
    "accept",
    "allow",
    "authorization",
    "call-id",
    "contact",
    "content-encoding",
    "content-length",
    "content-type",
    "cseq",
    "expires",
    "from",
    "max-forwards",
    "min-se",
    "proxy-authenticate",
    "proxy-authorization",
    "record-route",
    "refer-to",
    "require",
    "route",
    "session-expires",
    "supported",
    "to",
    "unsupported",
    "via",
    "www-authenticate",
];

/// Bytes of headers that an INVITE over UDP has room for, beside its own; see `over-limit`.
const HEADERS_MAX: usize = 1000;

pub(super) fn headers(
    names: &Names,
    key: &str,
    map: Option<&At<BTreeMap<String, Keyed<String>>>>,
    table: &RuleTable,
) -> BTreeMap<String, String> {
    let Some(map) = map else { return BTreeMap::new() };
    let outbound = key == "headers";
    let direction = table.direction.value;
    if outbound != (direction == Direction::Outbound) && !map.value.is_empty() {
        names.report(rules::headers_wrong_direction::finding(key, direction, &map.span, &table.direction.span));
        return BTreeMap::new();
    }
    let size: usize = map.value.iter().map(|(name, entry)| name.len() + entry.value.value.len() + 4).sum();
    if outbound && size > HEADERS_MAX {
        names.report(rules::over_limit::finding("`headers`", size, HEADERS_MAX, "bytes", &map.span));
    }
    for (header, entry) in &map.value {
        let token = |c: char| c.is_ascii_alphanumeric() || "-.!%*_+`'~".contains(c);
        let why = if header.is_empty() || !header.chars().all(token) {
            "not a header name"
        } else if outbound && RESERVED_HEADERS.contains(&header.to_ascii_lowercase().as_str()) {
            names.report(rules::header_reserved::finding(header, &entry.key));
            continue;
        } else if outbound && entry.value.value.chars().any(char::is_control) {
            names.report(rules::header_malformed::finding(
                header,
                "not one line",
                &entry.value.span,
                "write the value on one line, without control characters",
            ));
            continue;
        } else {
            continue;
        };
        names.report(rules::header_malformed::finding(
            header,
            why,
            &entry.key,
            "use a name of your own, such as `X-Customer-Id`",
        ));
    }
    map.value.iter().map(|(header, entry)| (header.clone(), entry.value.value.clone())).collect()
}
