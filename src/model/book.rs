//! By which rules are calls decided?

use super::{E164, RoutingRule, RuleId, Secret};

/// A rule that calls are decided by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedRule {
    /// The far side's id of the rule, or its key where the rule has not been created yet.
    pub id: RuleId,
    /// The rule. A PIN of `None` is one that is not known here: nobody can enter it.
    pub rule: RoutingRule<Option<Secret>>,
}

/// Everything that calls are decided by: made from the store at run time, from the exchange before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleBook {
    /// The numbers that stand on an inbound gateway.
    pub numbers: Vec<E164>,
    /// The rules, in the order of their ids.
    pub rules: Vec<BookedRule>,
}
