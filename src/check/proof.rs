//! What do the rules of a configuration do together that their author probably did not mean?

use super::resolve::Spans;
use super::rules::{
    allow_admits_nobody, number_unrouted, outbound_calls_itself, rule_never_fires, rules_overlap, test_failed,
};
use crate::diagnostic::{Finding, Span};
use crate::model::{Exchange, RuleId, TestCase};
use crate::route::{Proven, Table, judge, prove};

pub(super) fn proofs(exchange: &Exchange, spans: &Spans) -> Vec<Finding> {
    // A fixed year, so that the same files have the same findings tomorrow.
    let proven = prove(&exchange.book(), TestCase::NOON);
    proven.into_iter().filter_map(|proven| finding(&proven, spans)).collect()
}

fn finding(proven: &Proven, spans: &Spans) -> Option<Finding> {
    let at = |rule: &RuleId| spans.rules.get(rule.as_str());
    Some(match proven {
        Proven::NeverFires { rule, hidden_by } => {
            let hiders: Vec<(&RuleId, &Span)> = hidden_by.iter().filter_map(|id| Some((id, at(id)?))).collect();
            rule_never_fires::finding(rule, at(rule)?, &hiders)
        }
        Proven::Overlap { first, second, number } => {
            rules_overlap::finding(first, at(first)?, second, at(second)?, *number)
        }
        Proven::Gap { number, rules, at: moment } => number_unrouted::finding(*number, at(rules.first()?)?, *moment),
        Proven::EmptyInEffect { rule, list } => allow_admits_nobody::in_effect(rule, list, at(rule)?),
        Proven::CallsItself { rule, number, inbound } => {
            outbound_calls_itself::finding(rule, at(rule)?, *number, inbound, at(inbound)?)
        }
    })
}

/// The tests of the files that do not hold.
pub(super) fn tests(exchange: &Exchange, spans: &Spans) -> Vec<Finding> {
    if exchange.tests().is_empty() {
        return Vec::new();
    }
    let table = Table::build(&exchange.book());
    let each = exchange.tests().iter().zip(&spans.tests).filter_map(|(case, span)| {
        let verdict = judge(case, &table, Some(exchange));
        (!verdict.differences.is_empty()).then(|| test_failed::finding(case, &verdict, span))
    });
    each.collect()
}
