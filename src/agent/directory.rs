//! Where is each agent, and how has it been doing?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{AgentEndpoint, AgentId, Secret};

/// Where agents are, by id. Made anew whenever the files change.
#[derive(Debug, Default)]
pub struct Directory {
    endpoints: BTreeMap<AgentId, Arc<AgentEndpoint<Secret>>>,
}

impl Directory {
    /// Where an agent is; none for one that this daemon does not reach.
    pub fn find(&self, id: &AgentId) -> Option<&Arc<AgentEndpoint<Secret>>> {
        self.endpoints.get(id)
    }

    /// The agents that can be reached.
    pub fn ids(&self) -> impl Iterator<Item = &AgentId> {
        self.endpoints.keys()
    }
}

impl FromIterator<(AgentId, AgentEndpoint<Secret>)> for Directory {
    fn from_iter<I: IntoIterator<Item = (AgentId, AgentEndpoint<Secret>)>>(entries: I) -> Self {
        Self { endpoints: entries.into_iter().map(|(id, endpoint)| (id, Arc::new(endpoint))).collect() }
    }
}

/// How an agent has been doing since the daemon started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HealthReport {
    /// The calls that it is in now.
    pub open: u64,
    /// How often it was reached.
    pub reached: u64,
    /// How often it was not.
    pub failed: u64,
    /// How often it was not, since it last was.
    pub failed_in_a_row: u64,
    /// How often it closed before the call was over.
    pub closed_early: u64,
    /// When it was last reached.
    pub last_reached: Option<Timestamp>,
    /// When it last was not.
    pub last_failed: Option<Timestamp>,
    /// Why it last was not.
    pub last_failure: Option<String>,
    /// Frames that agents read too slowly to get.
    pub frames_dropped: u64,
    /// Odd messages, all kinds together.
    pub odd_messages: u64,
}

/// Keeps how agents have been doing; clones share it.
#[derive(Debug, Clone, Default)]
pub struct HealthBook {
    reports: Arc<Mutex<BTreeMap<AgentId, HealthReport>>>,
}

impl HealthBook {
    /// Notes something about an agent.
    pub fn note(&self, id: &AgentId, change: impl FnOnce(&mut HealthReport)) {
        change(self.reports().entry(id.clone()).or_default());
    }

    /// How an agent has been doing.
    pub fn report(&self, id: &AgentId) -> HealthReport {
        self.reports().get(id).cloned().unwrap_or_default()
    }

    fn reports(&self) -> MutexGuard<'_, BTreeMap<AgentId, HealthReport>> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
