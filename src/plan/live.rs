//! What does the far side have now?

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use super::Mark;
use crate::model::{
    BookedGateway, BookedRule, Direction, E164, Exchange, GatewayId, Malformed, NumberId, RoutingRule, RuleBook,
    RuleId, RuleName, Secret,
};

/// Everything of an account that a plan looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    /// The numbers.
    pub numbers: BTreeMap<E164, LiveNumber>,
    /// The gateways that some number stands on.
    pub gateways: BTreeMap<GatewayId, LiveGateway>,
    /// The rules.
    pub rules: Vec<LiveRule>,
    /// Whether the far side is a strowger daemon, which honours what goes beyond the vendor's contract.
    pub honours_beyond: bool,
}

/// A number of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveNumber {
    /// Its id.
    pub id: NumberId,
    /// Whether it was bought from the vendor, so that giving it back may lose it for good.
    pub purchased: bool,
    /// The gateway its calls come in by.
    pub inbound: Option<GatewayId>,
    /// The gateway its calls go out by.
    pub outbound: Option<GatewayId>,
}

/// A gateway of one direction. Words are kept as the far side spells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveGateway {
    /// Which way its calls go.
    pub direction: Direction,
    /// The label.
    pub name: Option<String>,
    /// Where outbound calls are sent.
    pub address: Option<String>,
    /// How outbound calls travel.
    pub transport: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// `enable` or `disable`.
    pub media_encryption: Option<String>,
    /// The digest user name, where the far side tells it.
    pub username: Option<String>,
    /// Every number on it.
    pub numbers: BTreeSet<E164>,
}

/// A rule of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRule {
    /// Its id.
    pub id: RuleId,
    /// The label.
    pub name: String,
    /// Who owns it.
    pub mark: Option<Mark>,
    /// What it does, its mark not among its tags; or why it cannot be understood here.
    pub rule: Result<RoutingRule<Secret>, Malformed>,
}

impl LiveRule {
    /// The table that the rule is, where it is this stack's: because the files adopt it, or because it carries the
    /// stack's mark, perhaps with a name that the table had before.
    pub fn key<'a>(&'a self, exchange: &'a Exchange) -> Option<&'a RuleName> {
        let adopted = exchange.adopted().iter().find(|(_, id)| id.value == self.id);
        if let Some((key, _)) = adopted {
            return Some(key);
        }
        let mark = self.mark.as_ref().filter(|mark| mark.stack == *exchange.stack())?;
        Some(exchange.former().get(&mark.key).unwrap_or(&mark.key))
    }
}

impl Live {
    /// The rules as calls meet them now.
    pub fn book(&self) -> RuleBook {
        let numbers = self.numbers.iter().filter(|(_, number)| number.inbound.is_some());
        let rules = self.rules.iter().filter_map(|live| {
            let rule = live.rule.clone().ok()?;
            Some(booked(live.id.clone(), rule))
        });
        let numbers = numbers.map(|(number, _)| *number).collect();
        RuleBook { numbers, rules: rules.collect(), gateways: self.booked_gateways() }
    }

    fn booked_gateways(&self) -> Vec<BookedGateway> {
        let booked = self.gateways.iter().map(|(id, gateway)| BookedGateway {
            id: id.clone(),
            name: gateway.name.clone().unwrap_or_else(|| id.to_string()),
            direction: gateway.direction,
            region: gateway.region.clone().unwrap_or_default(),
            transport: gateway.transport.clone(),
            numbers: gateway.numbers.clone(),
        });
        booked.collect()
    }
}

/// A rule whose PIN is known, ready for a book.
pub(super) fn booked(id: RuleId, rule: RoutingRule<Secret>) -> BookedRule {
    let Ok(rule) = rule.try_map(|pin| Ok::<_, Infallible>(Some(pin)));
    BookedRule { id, rule }
}
