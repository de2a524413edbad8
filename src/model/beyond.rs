//! What can a rule do that only our own runtime honours?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::{AgentId, CallerPattern, E164, GatewayName, Malformed, RoomId, Schedule, SourceNet};

/// The settings of a rule that go beyond the vendor's contract. Only our own runtime honours them, so a plan against
/// an account that is not a strowger daemon is blocked where one of them is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Where several inbound rules hold one number, the one of the highest priority is asked first; one without is
    /// asked last. A rule that does not take a call leaves it to the next.
    pub priority: Option<u16>,
    /// When the rule takes calls; at all hours without it.
    pub schedule: Option<Schedule>,
    /// Callers whose calls are refused, whatever a later rule would say.
    pub blocked_callers: BTreeSet<CallerPattern>,
    /// Addresses whose calls are refused, whatever a later rule would say.
    pub blocked_sources: BTreeSet<SourceNet>,
    /// Where calls go, in shares; empty when all go to the rule's own agent and room.
    pub split: Split,
    /// Gateways to try after the first, on outbound rules.
    pub failover: Option<Failover>,
}

impl Beyond {
    /// Whether the rule stays within the vendor's contract.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// The keys of the language that are used.
    pub fn used(&self) -> Vec<&'static str> {
        let all = [
            ("priority", self.priority.is_some()),
            ("schedule", self.schedule.is_some()),
            ("block", !self.blocked_callers.is_empty() || !self.blocked_sources.is_empty()),
            ("split", !self.split.is_empty()),
            ("failover", self.failover.is_some()),
        ];
        all.into_iter().filter(|(_, used)| *used).map(|(key, _)| key).collect()
    }
}

/// Where a share of the calls goes: the agent, or the room, that stands in for the rule's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// To an agent.
    Agent(AgentId),
    /// To a room that is the same for every call.
    Room(RoomId),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(id) => write!(f, "agent {id}"),
            Self::Room(id) => write!(f, "room {id}"),
        }
    }
}

/// Targets with their weights. A caller always comes to the same one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    shares: Vec<(Target, u32)>,
    total: u64,
}

impl Split {
    /// A split of some targets.
    ///
    /// # Errors
    /// When there are targets and all their weights are 0.
    pub fn new(shares: BTreeMap<Target, u32>) -> Result<Self, Malformed> {
        let total = shares.values().map(|weight| u64::from(*weight)).sum();
        if total == 0 && !shares.is_empty() {
            return Err(Malformed::new("a split needs a weight above 0"));
        }
        Ok(Self { shares: shares.into_iter().collect(), total })
    }

    /// Whether nothing is split.
    pub fn is_empty(&self) -> bool {
        self.shares.is_empty()
    }

    /// The targets with their weights.
    pub fn shares(&self) -> &[(Target, u32)] {
        &self.shares
    }

    /// The target of a call: by the caller's number, else by a draw of the call's own. Does not allocate.
    pub fn pick(&self, calling: Option<E164>, draw: u64) -> Option<&Target> {
        if self.shares.is_empty() {
            return None;
        }
        // The caller's place among all, scaled and not reduced: where a share grows, who is in it stays in it.
        let place = u128::from(mixed(calling.map_or(draw, E164::digits)));
        let mut point = u64::try_from((place * u128::from(self.total)) >> 64).unwrap_or(0);
        self.shares.iter().find_map(|(target, weight)| match point.checked_sub(u64::from(*weight)) {
            None => Some(target),
            Some(rest) => {
                point = rest;
                None
            }
        })
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): neighbours come apart, and every machine agrees.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Statuses of one kind or one status: `5xx`, `408`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statuses {
    first: u16,
    last: u16,
}

/// Busy Here, Request Terminated: the callee was reached, or the caller gave up (RFC 3261 section 21.4). With all of
/// 6xx (section 21.6: no other place will do better) these end a call whatever a failover says.
const FINAL: [u16; 2] = [486, 487];

impl FromStr for Statuses {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new("a status to move on from is one such as `503`, or a kind: `4xx` or `5xx`");
        if let Some(kind) = text.strip_suffix("xx") {
            let first = kind.parse::<u16>().ok().filter(|kind| (4..=5).contains(kind)).ok_or_else(malformed)? * 100;
            return Ok(Self { first, last: first + 99 });
        }
        let status = text.parse().ok().filter(|status| (400..=699).contains(status)).ok_or_else(malformed)?;
        if status >= 600 || FINAL.contains(&status) {
            let why = "ends a call: the callee was reached, and calling again would ring twice";
            return Err(Malformed::new(format!("{status} {why}")));
        }
        Ok(Self { first: status, last: status })
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}xx", self.first / 100),
        }
    }
}

/// Gateways to try in order after a number's own, and the statuses that move on to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failover {
    /// The gateways, by name.
    pub gateways: Vec<GatewayName>,
    /// From which statuses the next is tried.
    pub move_on: BTreeSet<Statuses>,
}

impl Failover {
    /// What moves on when nothing is said: no answer in time (408), and every failure of the gateway itself (5xx).
    pub fn usual() -> BTreeSet<Statuses> {
        [Statuses { first: 408, last: 408 }, Statuses { first: 500, last: 599 }].into()
    }

    /// Whether a final status of one gateway moves the call on to the next. 486, 487 and 6xx never do.
    pub fn moves_on(&self, status: u16) -> bool {
        !FINAL.contains(&status) && self.move_on.iter().any(|kind| (kind.first..=kind.last).contains(&status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_always_comes_to_the_same_target_and_the_shares_are_kept() {
        let agent = |id: &str| Target::Agent(id.parse().unwrap());
        let split = Split::new([(agent("old"), 9), (agent("new"), 1), (agent("off"), 0)].into()).unwrap();
        let mut new = 0;
        for at in 0..10_000_u64 {
            let caller = E164::from_value(14_155_550_000 + at);
            let target = split.pick(caller, at).unwrap();
            assert_eq!(split.pick(caller, at + 1).unwrap(), target);
            assert_ne!(*target, agent("off"));
            new += u32::from(*target == agent("new"));
        }
        assert!((900..1100).contains(&new), "{new}");
        let wider = Split::new([(agent("old"), 7), (agent("new"), 3)].into()).unwrap();
        for at in 0..1000_u64 {
            let caller = E164::from_value(14_155_550_000 + at);
            let was_old = split.pick(caller, 0).unwrap() == &agent("old");
            // Targets stand in the order of their names: `new` grows at its end, so nobody leaves it.
            assert!(was_old || wider.pick(caller, 0).unwrap() == &agent("new"));
        }
        assert!(Split::default().pick(None, 1).is_none());
        assert!(Split::new([(agent("off"), 0)].into()).is_err());
    }

    #[test]
    fn who_was_reached_is_never_called_again() {
        let failover = Failover { gateways: Vec::new(), move_on: ["4xx", "5xx"].map(|s| s.parse().unwrap()).into() };
        assert!(failover.moves_on(503) && failover.moves_on(404) && failover.moves_on(408));
        for status in [486, 487, 600, 603, 604, 606, 200, 302] {
            assert!(!failover.moves_on(status), "{status}");
        }
        let usual = Failover { gateways: Vec::new(), move_on: Failover::usual() };
        assert!(usual.moves_on(408) && usual.moves_on(500) && !usual.moves_on(404));
        for bad in ["486", "603", "6xx", "2xx", "200", "xx", "5x", ""] {
            assert!(bad.parse::<Statuses>().is_err(), "{bad}");
        }
    }
}
