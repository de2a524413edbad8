//! By which rules are calls decided?

use std::collections::BTreeSet;

use super::{Direction, E164, GatewayId, RoutingRule, RuleId, Secret};

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
    /// The gateways, of both directions.
    pub gateways: Vec<BookedGateway>,
}

/// A gateway that calls come in by or go out by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedGateway {
    /// The far side's id, or its key where it has not been created yet.
    pub id: GatewayId,
    /// Its label, by which a failover names it.
    pub name: String,
    /// Which way its calls go.
    pub direction: Direction,
    /// Its region: the first part of the host that calls come in by.
    pub region: String,
    /// How its calls travel, where that is fixed.
    pub transport: Option<String>,
    /// The numbers that stand on it.
    pub numbers: BTreeSet<E164>,
}
