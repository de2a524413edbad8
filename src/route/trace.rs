//! Why was a call decided as it was?

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::table::Candidates;
use crate::model::{BookedGateway, BookedRule, E164, Listed, RoutingRule, Secret, day_name};

/// One thing that a rule asks of a call, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// An outbound call's rule is outbound.
    Direction,
    /// An outbound call's rule holds the number to call from.
    From,
    /// The number to call from stands on an outbound gateway.
    Gateway,
    /// The rule's `schedule` is open.
    Schedule,
    /// Neither the caller nor the address is on the rule's `block`.
    Block,
    /// The address is on the rule's `allow.ips`.
    Source,
    /// The caller is on the rule's `allow.callers`.
    Caller,
}

/// What the checks look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub dialled: Option<E164>,
    pub calling: Option<E164>,
    pub source: Option<IpAddr>,
    pub at: Timestamp,
}

impl Default for Facts {
    fn default() -> Self {
        Self { dialled: None, calling: None, source: None, at: Timestamp::UNIX_EPOCH }
    }
}

type Rule = RoutingRule<Option<Secret>>;

impl Check {
    /// What is asked of an inbound call. `Block` stands before both allow-lists: who is blocked is blocked.
    pub(super) const INBOUND: [Self; 4] = [Self::Schedule, Self::Block, Self::Source, Self::Caller];

    /// Whether a rule's demand on inbound calls holds. Does not allocate.
    pub(super) fn holds(self, rule: &Rule, facts: &Facts) -> bool {
        let beyond = &rule.beyond;
        match self {
            Self::Schedule => beyond.schedule.as_ref().is_none_or(|schedule| schedule.is_open(facts.at)),
            Self::Block => {
                let caller = |number| beyond.blocked_callers.iter().any(|pattern| pattern.admits(number));
                let source = |address| beyond.blocked_sources.iter().any(|net| net.admits(address));
                !facts.calling.is_some_and(caller) && !facts.source.is_some_and(source)
            }
            Self::Source => facts.source.is_none_or(|source| rule.allowed_sources.source(source) != Listed::No),
            Self::Caller => rule.allowed_callers.caller(facts.calling) != Listed::No,
            Self::Direction | Self::From | Self::Gateway => true,
        }
    }

    /// Whether the rule asks this at all.
    fn is_asked(self, rule: &Rule) -> bool {
        match self {
            Self::Direction | Self::From | Self::Gateway => true,
            Self::Schedule => rule.beyond.schedule.is_some(),
            Self::Block => !rule.beyond.blocked_callers.is_empty() || !rule.beyond.blocked_sources.is_empty(),
            Self::Source => !rule.allowed_sources.is_open(),
            Self::Caller => !rule.allowed_callers.is_open(),
        }
    }

    /// The check in words, as one that held.
    fn held(self, rule: &Rule, facts: &Facts) -> String {
        match self {
            Self::Direction => "the rule is outbound".to_owned(),
            Self::From => format!("{} is one of the rule's numbers", shown(facts.calling)),
            Self::Gateway => format!("{} stands on an outbound gateway", shown(facts.calling)),
            Self::Schedule => format!("{} is within the rule's `schedule`", local(rule, facts.at)),
            Self::Block => format!("{} is not on `block`", shown(facts.calling)),
            Self::Source => format!("source {} is on `allow.ips`", address(facts.source)),
            Self::Caller => format!("caller {} is on `allow.callers`", shown(facts.calling)),
        }
    }

    /// What would have to differ for the check to hold.
    fn missed(self, rule: &Rule, facts: &Facts) -> String {
        match self {
            Self::Direction => "a call that comes in; it is no outbound rule".to_owned(),
            Self::From => {
                let numbers: Vec<String> = rule.numbers.iter().map(E164::to_string).collect();
                format!("a call from {}, not from {}", few(&numbers), shown(facts.calling))
            }
            Self::Gateway => {
                format!("a call from a number on an outbound gateway; {} is on none", shown(facts.calling))
            }
            Self::Schedule => {
                let open = rule.beyond.schedule.as_ref().map_or_else(String::new, ToString::to_string);
                format!("a call at {open}, not at {}", local(rule, facts.at))
            }
            Self::Block => {
                let caller = facts.calling.filter(|n| rule.beyond.blocked_callers.iter().any(|p| p.admits(*n)));
                match caller {
                    Some(caller) => format!("a caller who is not on `block.callers`, as {caller} is"),
                    None => format!("a source that is not on `block.ips`, as {} is", address(facts.source)),
                }
            }
            Self::Source => {
                format!("a call from {}, not from {}", few(&rule.allowed_sources.texts()), address(facts.source))
            }
            Self::Caller => {
                let caller = facts.calling.map_or_else(|| "one who shows no number".to_owned(), |n| n.to_string());
                format!("a caller matching {}, not {caller}", few(&rule.allowed_callers.texts()))
            }
        }
    }
}

fn shown(number: Option<E164>) -> String {
    number.map_or_else(|| "a caller without a number".to_owned(), |number| number.to_string())
}

fn address(source: Option<IpAddr>) -> String {
    source.map_or_else(|| "nowhere".to_owned(), |source| source.to_string())
}

/// An instant as a clock shows it where the rule's schedule is.
fn local(rule: &Rule, at: Timestamp) -> String {
    let zone = rule.beyond.schedule.as_ref().map_or(TimeZone::UTC, |schedule| schedule.time_zone().clone());
    let there = zone.to_datetime(at);
    format!("{} {} {:02}:{:02}", day_name(there.weekday()), there.date(), there.hour(), there.minute())
}

/// Some texts, and how many more there are.
fn few(texts: &[String]) -> String {
    const SHOWN: usize = 4;
    match texts.get(..SHOWN) {
        Some(first) if texts.len() > SHOWN => format!("{} or {} more", first.join(", "), texts.len() - SHOWN),
        _ => texts.join(" or "),
    }
}

/// How many candidates of one decision are remembered; of those beyond only the number is.
const CANDIDATES_MAX: usize = 8;

/// What was looked at on the way to a decision, small enough to keep with every call: the rules that were asked and,
/// for each, the first thing that did not hold.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Trace {
    pub(super) facts: Facts,
    /// Whether the number dialled is known here.
    pub(super) known: bool,
    /// The gateway that the call came in by, or is to go out by.
    pub(super) gateway: Option<Arc<BookedGateway>>,
    pub(super) candidates: Option<Candidates>,
    misses: [Option<Check>; CANDIDATES_MAX],
    /// How many candidates were asked.
    asked: usize,
    /// Which of them decided: the one that took or blocked the call, else the one that came nearest.
    decided: usize,
}

/// One rule that was asked.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The rule.
    pub booked: &'a Arc<BookedRule>,
    /// The first thing that did not hold; none for the rule that took the call.
    pub missed: Option<Check>,
    facts: &'a Facts,
    outbound: bool,
}

impl Candidate<'_> {
    /// What held, in words and in order.
    pub fn held(&self) -> Vec<String> {
        let all: &[Check] = match self.outbound {
            true => &[Check::Direction, Check::From, Check::Gateway],
            false => &Check::INBOUND,
        };
        let before = all.iter().take_while(|check| self.missed.is_none_or(|missed| **check < missed));
        before
            .filter(|check| check.is_asked(&self.booked.rule))
            .map(|c| c.held(&self.booked.rule, self.facts))
            .collect()
    }

    /// What would have to differ for the rule to take the call.
    pub fn would_take(&self) -> Option<String> {
        Some(self.missed?.missed(&self.booked.rule, self.facts))
    }
}

impl Trace {
    pub(super) fn of(facts: Facts) -> Self {
        Self { facts, ..Self::default() }
    }

    pub(super) fn ask(&mut self, missed: Option<Check>) {
        if let Some(slot) = self.misses.get_mut(self.asked) {
            *slot = missed;
        }
        self.asked += 1;
    }

    pub(super) fn decided(&mut self, at: usize) {
        self.decided = at;
    }

    /// The rules that were asked, in order; beyond the first eight they are not remembered.
    pub fn candidates(&self) -> impl Iterator<Item = Candidate<'_>> {
        let rules = self.candidates.iter().flat_map(|list| list.iter());
        let outbound = self.facts.source.is_none();
        rules.zip(self.misses).take(self.asked).map(move |(booked, missed)| Candidate {
            booked,
            missed,
            facts: &self.facts,
            outbound,
        })
    }

    /// How many rules were asked.
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// The rule that decided: the one that took or blocked the call, else the one that came nearest to taking it.
    pub fn candidate(&self) -> Option<&Arc<BookedRule>> {
        self.candidates.as_ref()?.get(self.decided)
    }

    /// The gateway that the call came in by, or is to go out by.
    pub fn gateway(&self) -> Option<&BookedGateway> {
        self.gateway.as_deref()
    }

    /// What held of the number and of the rule that decided, in words.
    pub fn steps(&self) -> Vec<String> {
        let mut steps = Vec::new();
        if let Some(number) = self.facts.dialled.filter(|_| self.known) {
            steps.push(match &self.gateway {
                Some(gateway) => format!("{number} is known here, on gateway {}", gateway.name),
                None => format!("{number} is known here"),
            });
        }
        steps.extend(self.candidates().nth(self.decided).iter().flat_map(Candidate::held));
        steps
    }

    /// What would have to differ for the nearest rule to take the call.
    pub fn nearest_miss(&self) -> Option<String> {
        self.candidates().nth(self.decided)?.would_take()
    }
}

/// One line: what held, and what did not.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.steps();
        for (at, candidate) in self.candidates().enumerate() {
            let rule = format!("rule {} ({})", candidate.booked.rule.name, candidate.booked.id);
            parts.push(match candidate.would_take() {
                None => rule,
                Some(take) if at == self.decided => format!("{rule}; it would take {take}"),
                Some(take) => format!("not {rule}: it would take {take}"),
            });
        }
        if self.asked > CANDIDATES_MAX {
            parts.push(format!("{} rules were asked in all", self.asked));
        }
        f.write_str(&parts.join("; "))
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({self})")
    }
}

/// Everything that a rule asks of a call, each with whether it holds.
pub(super) fn examine(rule: &Rule, facts: &Facts) -> Vec<(bool, String)> {
    let asked = Check::INBOUND.into_iter().filter(|check| check.is_asked(rule));
    asked
        .map(|check| match check.holds(rule, facts) {
            true => (true, check.held(rule, facts)),
            false => (false, format!("it would take {}", check.missed(rule, facts))),
        })
        .collect()
}
