//! What is one step of a plan?

use crate::model::{
    Direction, E164, GatewayId, GatewayName, NumberId, Place, RoutingRule, RuleId, RuleName, Secret, SecretRef,
};

/// One call of the contract, with what a person wants to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The object as the files name it: `rule.main`.
    pub object: String,
    /// What happens to it.
    pub verb: Verb,
    /// What is called.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// Where the files ask for it; none for what they no longer hold.
    pub place: Option<Place>,
    /// Each field that changes.
    pub changes: Vec<Change>,
}

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is taken away.
    Delete,
    /// Part of another step that has to come first; not counted.
    Prepare,
}

/// A field before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field, in the words of the language.
    pub field: &'static str,
    /// Its text before; none when it was not set.
    pub before: Option<String>,
    /// Its text after; none when it is cleared.
    pub after: Option<String>,
}

/// What a step calls. Passwords stay references until they are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Creates numbers with their gateways, in one call, all or nothing.
    CreateNumbers {
        /// The gateway whose settings are used.
        gateway: GatewayName,
        /// The label of numbers and gateways.
        label: String,
        /// The numbers.
        numbers: Vec<E164>,
    },
    /// Changes one gateway, for every number on it.
    UpdateGateway {
        /// Its id.
        id: GatewayId,
        /// What changes.
        change: Box<GatewayChange>,
    },
    /// Takes a number off both its gateways.
    DetachNumber {
        /// The number.
        number: E164,
    },
    /// Gives a number back.
    ReleaseNumber {
        /// The number.
        number: E164,
        /// Its id.
        id: NumberId,
    },
    /// Deletes a gateway that no number stands on any more.
    DeleteGateway {
        /// Its id.
        id: GatewayId,
        /// Its direction.
        direction: Direction,
    },
    /// Creates a rule.
    CreateRule {
        /// Its table.
        key: RuleName,
        /// What it does.
        rule: Box<RoutingRule<Secret>>,
        /// Its tags, the mark among them.
        tags: Vec<String>,
    },
    /// Gives a rule its complete desired state.
    UpdateRule {
        /// Its table.
        key: RuleName,
        /// Its id.
        id: RuleId,
        /// What it does.
        rule: Box<RoutingRule<Secret>>,
        /// Its tags, the mark among them.
        tags: Vec<String>,
    },
    /// Leaves a rule only these numbers, so that another rule can take the rest.
    TakeNumbers {
        /// The rule's id.
        id: RuleId,
        /// The numbers that it keeps.
        left: Vec<E164>,
    },
    /// Deletes a rule.
    DeleteRule {
        /// Its id.
        id: RuleId,
    },
}

/// What changes on a gateway; `None` keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GatewayChange {
    /// The label.
    pub name: Option<String>,
    /// `enable` or `disable`.
    pub media_encryption: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// Where outbound calls are sent.
    pub address: Option<String>,
    /// How outbound calls travel.
    pub transport: Option<String>,
    /// New credentials, or `Some(None)` to take them away.
    pub credentials: Option<Option<(String, SecretRef)>>,
}

/// Something that stands in the plan's way, and that only a person can clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The object as the files name it.
    pub object: String,
    /// What is in the way, and what to do.
    pub reason: String,
    /// Where the files ask for the object.
    pub place: Option<Place>,
}
