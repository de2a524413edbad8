//! The object `strowger` of a routing rule: what only our own runtime honours.
//!
//! The vendor's contract knows nothing of it. Our server stores and returns it, and says in every list of rules that
//! it does (`"strowger": 1` beside `data`), so a plan knows before its first write whom it talks to.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{self, Failover, Malformed, Schedule, Split, Target};

/// The version of the object that is served here.
pub const EXTENSION: u32 = 1;

/// The settings of a rule beyond the vendor's contract. Given whole: what is absent is not set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Beyond {
    /// Which of several inbound rules on one number is asked first: the highest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u16>,
    /// When the rule takes calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<BeyondSchedule>,
    /// Whose calls are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<Block>,
    /// Where calls go, in shares.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub split: Vec<Share>,
    /// Gateways to try after the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover: Option<BeyondFailover>,
}

/// When a rule takes calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BeyondSchedule {
    /// A zone of the IANA database.
    pub zone: String,
    /// Weekly hours, such as `mon-fri 09:00-17:00`; absent for all hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Vec<String>>,
    /// Hours of single dates, such as `2026-12-24 09:00-12:00`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<String>,
    /// Dates without hours, such as `2026-12-25` or `2026-12-25..2027-01-01`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<String>,
}

/// Whose calls are refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Block {
    /// Callers, in the patterns of `allowedNumbers`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<String>,
    /// Addresses and networks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip_addresses: Vec<String>,
}

/// One share of a split: an agent or a static room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// The agent that stands in for the rule's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The room that stands in for the rule's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_id: Option<String>,
    /// How many of the calls, against the weights of the others.
    pub weight: u32,
}

/// Gateways to try after the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BeyondFailover {
    /// Outbound gateways by their labels, in order.
    pub gateways: Vec<String>,
    /// Statuses that move on to the next, such as `503` or `5xx`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub move_on: Option<Vec<String>>,
}

fn texts<T: std::fmt::Display>(all: impl IntoIterator<Item = T>) -> Vec<String> {
    all.into_iter().map(|one| one.to_string()).collect()
}

fn read<T: std::str::FromStr<Err = Malformed>, C: FromIterator<T>>(
    field: &str,
    all: &[String],
) -> Result<C, Malformed> {
    all.iter().map(|text| text.parse().map_err(|why| Malformed(format!("strowger.{field} `{text}`: {why}")))).collect()
}

impl Beyond {
    /// The object for a rule.
    pub fn from_model(beyond: &model::Beyond) -> Self {
        let block = Block { numbers: texts(&beyond.blocked_callers), ip_addresses: texts(&beyond.blocked_sources) };
        let share = |(target, weight): &(Target, u32)| match target {
            Target::Agent(id) => Share { agent_id: Some(id.to_string()), room_id: None, weight: *weight },
            Target::Room(id) => Share { agent_id: None, room_id: Some(id.to_string()), weight: *weight },
        };
        Self {
            priority: beyond.priority,
            schedule: beyond.schedule.as_ref().map(|schedule| BeyondSchedule {
                zone: schedule.zone().to_owned(),
                hours: Some(schedule.weekly()),
                open: schedule.open(),
                closed: schedule.closed(),
            }),
            block: (block != Block::default()).then_some(block),
            split: beyond.split.shares().iter().map(share).collect(),
            failover: beyond.failover.as_ref().map(|failover| BeyondFailover {
                gateways: texts(&failover.gateways),
                move_on: Some(texts(&failover.move_on)),
            }),
        }
    }

    /// What the object means.
    ///
    /// # Errors
    /// When a value cannot be read: a block-list that lost an entry would let somebody in.
    pub fn to_model(&self) -> Result<model::Beyond, Malformed> {
        let schedule = self.schedule.as_ref().map(|schedule| {
            let weekly = schedule.hours.as_ref().map(|hours| read("schedule.hours", hours)).transpose()?;
            let (open, closed) = (read("schedule.open", &schedule.open)?, read("schedule.closed", &schedule.closed)?);
            Schedule::new(&schedule.zone, weekly, open, closed)
        });
        let block = self.block.clone().unwrap_or_default();
        let mut shares: BTreeMap<Target, u32> = BTreeMap::new();
        for share in &self.split {
            let target = match (&share.agent_id, &share.room_id) {
                (Some(id), None) => Target::Agent(id.parse()?),
                (None, Some(id)) => Target::Room(id.parse()?),
                _ => return Err(Malformed("a share of strowger.split has an agentId or a roomId".to_owned())),
            };
            *shares.entry(target).or_default() += share.weight;
        }
        let failover = self.failover.as_ref().map(|failover| {
            let move_on = failover.move_on.as_ref().map(|statuses| read("failover.moveOn", statuses)).transpose()?;
            let gateways = read("failover.gateways", &failover.gateways)?;
            Ok::<_, Malformed>(Failover { gateways, move_on: move_on.unwrap_or_else(Failover::usual) })
        });
        Ok(model::Beyond {
            priority: self.priority,
            schedule: schedule.transpose()?,
            blocked_callers: read("block.numbers", &block.numbers)?,
            blocked_sources: read("block.ipAddresses", &block.ip_addresses)?,
            split: Split::new(shares)?,
            failover: failover.transpose()?,
        })
    }
}
