//! What happens to a call?

use std::collections::{BTreeMap, BTreeSet};

use super::gateway::words;
use super::{AgentId, AllowList, Beyond, CallerPattern, E164, RoomId, SourceNet};

words!(
    /// Which way a call goes, seen from us.
    Direction {
        /// From the provider to us.
        Inbound = "inbound",
        /// From us to the provider.
        Outbound = "outbound",
    }
);

words!(
    /// How the id of a dynamic room is made.
    RoomPrefix {
        /// A fresh room for each call, its id without a prefix (`blank` in the API).
        None = "none",
        /// A fresh room for each call, its id random.
        Random = "random",
        /// A fresh room for each call, the caller's number in its id.
        ParticipantNumber = "participant_number",
        /// A fresh room for each call, the dialled number in its id.
        SipNumber = "sip_number",
    }
);

words!(
    /// Which SIP headers of a call are shown to the room.
    IncludeHeaders {
        /// None of them.
        None = "none",
        /// Those that begin with `X-`.
        SipXHeaders = "sip_x_headers",
        /// All of them.
        All = "all",
    }
);

/// Which room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomMode {
    /// One room, the same for every call.
    Static(RoomId),
    /// A room made for each call.
    Dynamic(RoomPrefix),
}

/// The room that a rule puts its callers into, and the PIN that they have to enter first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomTarget<S> {
    /// Which room.
    pub mode: RoomMode,
    /// Digits to enter before joining.
    pub pin: Option<S>,
}

/// The agent that a rule dispatches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentTarget {
    /// The id under which the agent's worker is known.
    pub id: AgentId,
    /// What the agent is told at dispatch; free JSON.
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

/// What only one direction has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleKind {
    /// Calls from the provider.
    Inbound {
        /// SIP header to participant attribute.
        headers_to_attributes: BTreeMap<String, String>,
    },
    /// Calls to the provider.
    Outbound {
        /// Headers put on the INVITE.
        headers: BTreeMap<String, String>,
    },
}

/// A routing rule: what happens to the calls of some numbers.
///
/// `S` is its stage: [`SecretRef`](super::SecretRef) as declared, [`Secret`](super::Secret) once bound.
/// Sets are sets here, and an absent value equals its default, so two rules compare by what they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingRule<S> {
    /// The label that the far side shows.
    pub name: String,
    /// The direction, with what only that direction has.
    pub kind: RuleKind,
    /// The dialled numbers (inbound) or the numbers to call from (outbound).
    pub numbers: BTreeSet<E164>,
    /// The agent to dispatch.
    pub agent: Option<AgentTarget>,
    /// The room to join.
    pub room: Option<RoomTarget<S>>,
    /// Callers who may pass; empty for all.
    pub allowed_callers: AllowList<CallerPattern>,
    /// Source addresses that may pass; empty for all.
    pub allowed_sources: AllowList<SourceNet>,
    /// Which SIP headers are shown to the room.
    pub include_headers: IncludeHeaders,
    /// Free labels; ownership marks are kept elsewhere.
    pub tags: BTreeSet<String>,
    /// The API key that the rule belongs to; none leaves the far side's as it is.
    pub api_key: Option<S>,
    /// Whether the call is recorded.
    pub recording: bool,
    /// Whether digits are told to the room.
    pub dtmf: bool,
    /// Whether the caller's noise is reduced.
    pub noise_cancellation: bool,
    /// Whether the caller's number is hidden from room and agent.
    pub hide_caller: bool,
    /// What only our own runtime honours.
    pub beyond: Beyond,
}

impl<S> RoutingRule<S> {
    /// The rule's direction.
    pub fn direction(&self) -> Direction {
        match self.kind {
            RuleKind::Inbound { .. } => Direction::Inbound,
            RuleKind::Outbound { .. } => Direction::Outbound,
        }
    }

    /// The same rule with its secrets in another form.
    ///
    /// # Errors
    /// The first error of `bind`.
    pub fn try_map<T, E>(self, mut bind: impl FnMut(S) -> Result<T, E>) -> Result<RoutingRule<T>, E> {
        let room = match self.room {
            None => None,
            Some(RoomTarget { mode, pin }) => Some(RoomTarget { mode, pin: pin.map(&mut bind).transpose()? }),
        };
        let Self { name, kind, numbers, agent, allowed_callers, allowed_sources, include_headers, tags, .. } = self;
        let api_key = self.api_key.map(bind).transpose()?;
        let Self { recording, dtmf, noise_cancellation, hide_caller, beyond, .. } = self;
        Ok(RoutingRule {
            name,
            kind,
            numbers,
            agent,
            room,
            allowed_callers,
            allowed_sources,
            include_headers,
            tags,
            api_key,
            recording,
            dtmf,
            noise_cancellation,
            hide_caller,
            beyond,
        })
    }
}
