//! Which kinds of finding are there?

use super::rules;
use crate::diagnostic::Rule;
use crate::syntax;

/// Every kind of finding that checking makes, by name.
static CHECKED: &[&Rule] = &[
    &rules::address_malformed::RULE,
    &rules::agent_malformed::RULE,
    &rules::alias_claimed_twice::RULE,
    &rules::caller_malformed::RULE,
    &rules::defined_twice::RULE,
    &rules::destination_missing::RULE,
    &rules::gateway_address_missing::RULE,
    &rules::header_malformed::RULE,
    &rules::headers_wrong_direction::RULE,
    &rules::metadata_without_agent::RULE,
    &rules::name_malformed::RULE,
    &rules::number_claimed_twice::RULE,
    &rules::number_malformed::RULE,
    &rules::numbers_empty::RULE,
    &rules::reference_unknown::RULE,
    &rules::room_mode_mismatch::RULE,
    &rules::schema_unknown::RULE,
    &rules::source_malformed::RULE,
    &rules::sources_unknown::RULE,
    &rules::tag_reserved::RULE,
    &rules::unused::RULE,
    &rules::url_malformed::RULE,
    &rules::websocket_plain::RULE,
];

/// Every kind of finding, by name.
pub fn all() -> Vec<&'static Rule> {
    let mut all: Vec<&'static Rule> = CHECKED.iter().chain(syntax::rules::ALL).copied().collect();
    all.sort_by_key(|rule| rule.name);
    all
}

/// A kind of finding by its name.
pub fn find(name: &str) -> Option<&'static Rule> {
    all().into_iter().find(|rule| rule.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once_and_explained() {
        let all = all();
        assert!(all.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(all.iter().all(|rule| rule.explanation.len() > rule.summary.len() && !rule.summary.ends_with('.')));
    }
}
