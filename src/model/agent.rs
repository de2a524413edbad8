//! Where is an agent, and how is it treated?

use std::collections::BTreeMap;
use std::time::Duration;

use super::gateway::words;
use super::{AgentId, RoomId, Secret, SecretRef};

words!(
    /// What becomes of a call whose agent closes its connection.
    OnClose {
        /// The call is ended.
        Hangup = "hangup",
        /// The agent leaves the room; the call goes on.
        Leave = "leave",
    }
);

/// An agent that rules may dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The id under which rules and workers know it.
    pub id: AgentId,
    /// Where our own runtime reaches it; none for an agent that only the account reaches.
    pub endpoint: Option<AgentEndpoint<SecretRef>>,
}

/// How our own runtime reaches an agent. `S` is its stage, as in a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentEndpoint<S> {
    /// A `ws:` or `wss:` address, exactly as it is configured, for that is what is signed.
    pub url: String,
    /// Headers of the upgrade request.
    pub headers: BTreeMap<String, HeaderText<S>>,
    /// What the upgrade request is signed with.
    pub signing_secret: Option<S>,
    /// How long it may take to connect, all tries together.
    pub deadline: Duration,
    /// How often a failed try is repeated.
    pub retries: u16,
    /// What becomes of a call when the agent closes.
    pub on_close: OnClose,
    /// What to do instead when it cannot be reached, in order.
    pub fallback: Vec<Fallback>,
}

/// The value of a header: told to everybody, or a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderText<S> {
    /// As it stands in the files.
    Plain(String),
    /// Known by reference.
    Secret(S),
}

/// What to do when an agent cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fallback {
    /// Another agent.
    Agent(AgentId),
    /// A room in which there are people.
    Room(RoomId),
    /// The call is refused with this SIP status, or ended if it was answered.
    Status(u16),
}

impl AgentEndpoint<SecretRef> {
    /// The endpoint with its secrets read.
    ///
    /// # Errors
    /// The first error of `secret`.
    pub fn bind<E>(&self, secret: impl Fn(&SecretRef) -> Result<Secret, E>) -> Result<AgentEndpoint<Secret>, E> {
        let mut headers = BTreeMap::new();
        for (name, text) in &self.headers {
            let text = match text {
                HeaderText::Plain(text) => HeaderText::Plain(text.clone()),
                HeaderText::Secret(reference) => HeaderText::Secret(secret(reference)?),
            };
            headers.insert(name.clone(), text);
        }
        Ok(AgentEndpoint {
            url: self.url.clone(),
            headers,
            signing_secret: self.signing_secret.as_ref().map(secret).transpose()?,
            deadline: self.deadline,
            retries: self.retries,
            on_close: self.on_close,
            fallback: self.fallback.clone(),
        })
    }
}
