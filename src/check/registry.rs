//! Which kinds of finding are there?

use super::rules;
use crate::diagnostic::Rule;
use crate::syntax;

/// Every kind of finding that checking makes, by name.
static CHECKED: &[&Rule] = &[
    &rules::address_malformed::RULE,
    &rules::adopt_conflicts::RULE,
    &rules::agent_malformed::RULE,
    &rules::alias_claimed_twice::RULE,
    &rules::allow_admits_everybody::RULE,
    &rules::allow_admits_nobody::RULE,
    &rules::beyond_malformed::RULE,
    &rules::beyond_wrong_direction::RULE,
    &rules::caller_malformed::RULE,
    &rules::defined_twice::RULE,
    &rules::destination_missing::RULE,
    &rules::emergency_to_agent::RULE,
    &rules::entry_covered::RULE,
    &rules::environment_forbids::RULE,
    &rules::gateway_address_missing::RULE,
    &rules::header_malformed::RULE,
    &rules::header_reserved::RULE,
    &rules::headers_wrong_direction::RULE,
    &rules::inbound_open::RULE,
    &rules::listen_malformed::RULE,
    &rules::metadata_without_agent::RULE,
    &rules::name_malformed::RULE,
    &rules::number_claimed_twice::RULE,
    &rules::number_impossible::RULE,
    &rules::number_malformed::RULE,
    &rules::number_repeated::RULE,
    &rules::number_unrouted::RULE,
    &rules::numbers_empty::RULE,
    &rules::outbound_calls_itself::RULE,
    &rules::over_limit::RULE,
    &rules::port_transport_mismatch::RULE,
    &rules::protect_malformed::RULE,
    &rules::protect_matches_nothing::RULE,
    &rules::range_malformed::RULE,
    &rules::range_overlaps::RULE,
    &rules::reference_absent::RULE,
    &rules::reference_unknown::RULE,
    &rules::room_mode_mismatch::RULE,
    &rules::rule_never_fires::RULE,
    &rules::rules_overlap::RULE,
    &rules::schema_unknown::RULE,
    &rules::secret_exposed::RULE,
    &rules::source_malformed::RULE,
    &rules::sources_unknown::RULE,
    &rules::tag_reserved::RULE,
    &rules::test_failed::RULE,
    &rules::test_malformed::RULE,
    &rules::unused::RULE,
    &rules::url_malformed::RULE,
    &rules::useless_key::RULE,
    &rules::was_conflicts::RULE,
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
