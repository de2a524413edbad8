//! What is a whole configuration?

use std::collections::{BTreeMap, BTreeSet};

use super::gateway::words;
use super::{
    Agent, AgentName, Alias, BookedGateway, BookedRule, Direction, E164, Gateway, GatewayName, Guard, Malformed, Place,
    Preset, ProviderName, RoomName, RoomTarget, RoutingRule, RuleBook, RuleId, RuleName, Secret, SecretRef, SipAddress,
    SourceNet, StackName, TestCase, Transport,
};

words!(
    /// What becomes of a number on the far side once its table is gone.
    Removal {
        /// It stays as it is, and is reported.
        Keep = "keep",
        /// It is taken off its gateways, and stays in the account.
        Detach = "detach",
        /// It is given back. Only a run from the command line does this, never the daemon.
        Release = "release",
    }
);

words!(
    /// What is said of live objects that no table describes.
    Unmanaged {
        /// They are counted.
        Ignore = "ignore",
        /// They are listed.
        Report = "report",
        /// They are listed, and the plan fails.
        Fail = "fail",
    }
);

/// A value, and where the files say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared<T> {
    /// The value.
    pub value: T,
    /// Where its table begins.
    pub place: Place,
}

/// The account that plan and apply talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The base address of the API, without a trailing `/`.
    pub endpoint: String,
    /// The API key.
    pub api_key: SecretRef,
    /// The secret that tokens are signed with.
    pub secret: SecretRef,
}

/// What is known of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Whose documented facts it starts from.
    pub preset: Preset,
    /// The SIP address, where there is one for all customers.
    pub address: Option<SipAddress>,
    /// The transport to use.
    pub transport: Option<Transport>,
    /// The addresses that signalling comes from.
    pub sources: Vec<SourceNet>,
}

/// A phone number of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    /// A short name for use in rules.
    pub alias: Option<Alias>,
    /// The label shown by the far side when the number is created.
    pub name: Option<String>,
    /// The gateway it stands on.
    pub gateway: GatewayName,
    /// What becomes of it once its table is gone.
    pub on_remove: Removal,
}

/// A named room.
pub type Room = RoomTarget<SecretRef>;

/// A whole configuration that has been checked. That it exists proves that every name in it resolves,
/// and that no number is on two inbound rules of one priority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    stack: StackName,
    unmanaged: Unmanaged,
    account: Option<Account>,
    guard: Guard,
    adopted: BTreeMap<RuleName, Declared<RuleId>>,
    former: BTreeMap<RuleName, RuleName>,
    gateways: BTreeMap<GatewayName, Declared<Gateway<SecretRef>>>,
    numbers: BTreeMap<E164, Declared<PhoneNumber>>,
    rules: BTreeMap<RuleName, Declared<RoutingRule<SecretRef>>>,
    providers: BTreeMap<ProviderName, Provider>,
    agents: BTreeMap<AgentName, Agent>,
    rooms: BTreeMap<RoomName, Room>,
    answer_first: BTreeSet<RuleName>,
    tests: Vec<TestCase>,
}

/// The parts of a configuration before they are known to fit together.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub stack: StackName,
    pub unmanaged: Unmanaged,
    pub account: Option<Account>,
    pub guard: Guard,
    pub adopted: BTreeMap<RuleName, Declared<RuleId>>,
    pub former: BTreeMap<RuleName, RuleName>,
    pub gateways: BTreeMap<GatewayName, Declared<Gateway<SecretRef>>>,
    pub numbers: BTreeMap<E164, Declared<PhoneNumber>>,
    pub rules: BTreeMap<RuleName, Declared<RoutingRule<SecretRef>>>,
    pub providers: BTreeMap<ProviderName, Provider>,
    pub agents: BTreeMap<AgentName, Agent>,
    pub rooms: BTreeMap<RoomName, Room>,
    pub answer_first: BTreeSet<RuleName>,
    pub tests: Vec<TestCase>,
}

impl Exchange {
    /// Puts the parts together.
    ///
    /// # Errors
    /// When a number names a gateway that is not there, a rule a number that is not there,
    /// or when two inbound rules hold one number. `check` finds these with their places first.
    pub(crate) fn assemble(parts: Parts) -> Result<Self, Malformed> {
        for (e164, number) in &parts.numbers {
            if !parts.gateways.contains_key(&number.value.gateway) {
                return Err(Malformed::new(format!("{e164} names the unknown gateway {}", number.value.gateway)));
            }
        }
        let mut claimed: BTreeMap<(E164, Option<u16>), &RuleName> = BTreeMap::new();
        for (name, rule) in &parts.rules {
            for e164 in &rule.value.numbers {
                if !parts.numbers.contains_key(e164) {
                    return Err(Malformed::new(format!("rule {name} names the unknown number {e164}")));
                }
                if rule.value.direction() == Direction::Inbound
                    && let Some(other) = claimed.insert((*e164, rule.value.beyond.priority), name)
                {
                    return Err(Malformed::new(format!("{e164} is on the rules {other} and {name}")));
                }
            }
        }
        let Parts { stack, unmanaged, account, guard, adopted, former, .. } = parts;
        let Parts { gateways, numbers, rules, providers, agents, rooms, answer_first, tests, .. } = parts;
        Ok(Self {
            stack,
            unmanaged,
            account,
            guard,
            adopted,
            former,
            gateways,
            numbers,
            rules,
            providers,
            agents,
            rooms,
            answer_first,
            tests,
        })
    }

    /// The ownership namespace.
    pub fn stack(&self) -> &StackName {
        &self.stack
    }

    /// What is said of live objects that no table describes.
    pub fn unmanaged(&self) -> Unmanaged {
        self.unmanaged
    }

    /// The account to talk to; none for the daemon on this machine.
    pub fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// The limits of a plan. They are read here, and no plan is held to them yet.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Live rules that are to become this stack's, by the rule that describes each.
    pub fn adopted(&self) -> &BTreeMap<RuleName, Declared<RuleId>> {
        &self.adopted
    }

    /// Former names of rules, each with the name that the rule has now.
    pub fn former(&self) -> &BTreeMap<RuleName, RuleName> {
        &self.former
    }

    /// The gateways by name.
    pub fn gateways(&self) -> &BTreeMap<GatewayName, Declared<Gateway<SecretRef>>> {
        &self.gateways
    }

    /// The numbers.
    pub fn numbers(&self) -> &BTreeMap<E164, Declared<PhoneNumber>> {
        &self.numbers
    }

    /// The rules by key.
    pub fn rules(&self) -> &BTreeMap<RuleName, Declared<RoutingRule<SecretRef>>> {
        &self.rules
    }

    /// The providers by name.
    pub fn providers(&self) -> &BTreeMap<ProviderName, Provider> {
        &self.providers
    }

    /// The agents by name.
    pub fn agents(&self) -> &BTreeMap<AgentName, Agent> {
        &self.agents
    }

    /// The rooms by name.
    pub fn rooms(&self) -> &BTreeMap<RoomName, Room> {
        &self.rooms
    }

    /// The rules whose calls are answered before their agent is there (`ring_until_ready = false`).
    pub fn answer_first(&self) -> &BTreeSet<RuleName> {
        &self.answer_first
    }

    /// The calls whose decisions are expected, in the order of the files.
    pub fn tests(&self) -> &[TestCase] {
        &self.tests
    }

    /// The rules with their PINs read.
    ///
    /// # Errors
    /// The first error of `secret`.
    pub fn bind_rules<E>(
        &self,
        secret: impl Fn(&SecretRef) -> Result<Secret, E>,
    ) -> Result<BTreeMap<RuleName, RoutingRule<Secret>>, E> {
        let bind = |rule: &Declared<RoutingRule<SecretRef>>| rule.value.clone().try_map(|reference| secret(&reference));
        self.rules.iter().map(|(name, rule)| Ok((name.clone(), bind(rule)?))).collect()
    }

    /// The rules as calls would meet them if this configuration were all there is; PINs are not known.
    pub fn book(&self) -> RuleBook {
        let rules = self.rules.iter().filter_map(|(name, rule)| {
            let id = name.as_str().parse().ok()?;
            let rule = rule.value.clone().try_map(|_| Ok::<_, std::convert::Infallible>(None)).ok()?;
            Some(BookedRule { id, rule })
        });
        RuleBook {
            numbers: self.numbers.keys().copied().collect(),
            rules: rules.collect(),
            gateways: self.booked_gateways(),
        }
    }

    /// The gateways as they would be created: each once for either direction, with its numbers on it.
    pub fn booked_gateways(&self) -> Vec<BookedGateway> {
        let mut numbers: BTreeMap<&GatewayName, BTreeSet<E164>> = BTreeMap::new();
        for (e164, number) in &self.numbers {
            numbers.entry(&number.value.gateway).or_default().insert(*e164);
        }
        let booked = |name: &GatewayName, gateway: &Gateway<SecretRef>, direction| {
            let (region, transport) = match direction {
                Direction::Inbound => (&gateway.regions.inbound, None),
                Direction::Outbound => (&gateway.regions.outbound, Some(gateway.transport.to_string())),
            };
            Some(BookedGateway {
                id: name.as_str().parse().ok()?,
                name: name.to_string(),
                direction,
                region: region.to_string(),
                transport,
                numbers: numbers.get(name).cloned().unwrap_or_default(),
            })
        };
        let each = self.gateways.iter().flat_map(|(name, gateway)| {
            [Direction::Inbound, Direction::Outbound].map(|direction| booked(name, &gateway.value, direction))
        });
        each.flatten().collect()
    }
}
