//! How does a call get its agent?

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Shared;
use crate::agent::{AgentLeg, Closed, Directory, Stream};
use crate::call::{Input, Summons};
use crate::model::{AgentId, HidingKey};
use crate::room::Membership;
use crate::route::Permit;
use crate::sip::Invite;

/// What an agent is told of a caller who shows no number (RFC 3323 section 4.1.1.3).
pub(super) const HIDDEN: &str = "anonymous";

/// An agent that was dispatched. Dropping it lets the agent go.
pub(super) struct Dispatched {
    pub id: AgentId,
    news: mpsc::Receiver<News>,
    pub leg: Option<Arc<AgentLeg>>,
    pub membership: Option<Membership>,
    _dialling: DropGuard,
}

enum News {
    Connected(AgentLeg, Input),
    Other(Input),
}

impl Dispatched {
    /// Begins to connect.
    pub fn begin(shared: &Arc<Shared>, directory: &Directory, call: &str, id: AgentId, stream: Stream) -> Self {
        let (tell, news) = mpsc::channel(2);
        let gone = CancellationToken::new();
        let guard = gone.clone().drop_guard();
        let endpoint = directory.find(&id).cloned();
        let (shared, call, name) = (Arc::clone(shared), call.to_owned(), id.clone());
        let tracker = shared.agents.clone();
        tracker.spawn(async move {
            let failed = |why: String| News::Other(Input::AgentFailed(format!("agent {name}: {why}")));
            // The files may have been changed meanwhile.
            let Some(endpoint) = endpoint else {
                let _ = tell.send(failed("no `[agent]` table says where it is".to_owned())).await;
                return;
            };
            let dialled = tokio::select! {
                dialled = shared.dialler.dial(&endpoint) => dialled,
                () = gone.cancelled() => return,
            };
            let socket = match dialled {
                Ok(socket) => socket,
                Err(error) => {
                    tracing::warn!(call, agent = %name, %error, "an agent was not reached");
                    shared.health.note(&name, |health| {
                        health.failed += 1;
                        health.failed_in_a_row += 1;
                        health.last_failed = Some(Timestamp::now());
                        health.last_failure = Some(error.to_string());
                    });
                    let _ = tell.send(failed(error.to_string())).await;
                    return;
                }
            };
            tracing::info!(call, agent = %name, stream = stream.stream_sid, "an agent is connected");
            shared.health.note(&name, |health| {
                health.open += 1;
                health.reached += 1;
                health.failed_in_a_row = 0;
                health.last_reached = Some(Timestamp::now());
            });
            let (leg, counts, closed) = AgentLeg::begin(socket, stream);
            // When the call is over already the leg comes back and is dropped, which says `stop`.
            let _ = tell.send(News::Connected(leg, Input::AgentReady(endpoint.on_close))).await;
            let closed = closed.await.unwrap_or(Closed::ByUs);
            let counts = counts.counts();
            shared.health.note(&name, |health| {
                health.open -= 1;
                health.closed_early += u64::from(closed != Closed::ByUs);
                health.frames_dropped += counts.frames_dropped;
                health.odd_messages += counts.oddities.values().sum::<u64>();
            });
            tracing::info!(call, agent = %name, ?closed, ?counts, "a conversation with an agent is over");
            if let Closed::ByAgent(why) = closed {
                let _ = tell.send(News::Other(Input::AgentClosed(format!("agent {name}: {why}")))).await;
            }
        });
        Self { id, news, leg: None, membership: None, _dialling: guard }
    }

    /// Waits for what becomes of the agent.
    pub async fn news(&mut self) -> Input {
        match self.news.recv().await {
            Some(News::Connected(leg, input)) => {
                self.leg = Some(Arc::new(leg));
                input
            }
            Some(News::Other(input)) => input,
            // All was told.
            None => std::future::pending().await,
        }
    }
}

/// How a call comes to the agent of its rule; `None` when no table says where that is.
pub(super) fn summons(directory: &Directory, permit: &Permit, answer_first: bool) -> Option<Summons> {
    let endpoint = directory.find(&permit.agent()?.id)?;
    Some(Summons { ring_until_ready: !answer_first, fallback: endpoint.fallback.clone() })
}

/// What an agent is told of a call: attributes from its headers, the rule's metadata, and above both what we know.
pub(super) fn parameters(
    permit: &Permit,
    hiding: &HidingKey,
    invite: &Invite,
    call: &str,
    room: &str,
) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = permit.attributes(&invite.headers).into_iter().collect();
    let metadata = permit.agent().map(|agent| agent.metadata).unwrap_or_default();
    parameters.extend(metadata.iter().map(|(name, value)| (name.clone(), flat(value))));
    parameters.extend([
        ("from_number".to_owned(), permit.shown_caller(hiding).unwrap_or_else(|| HIDDEN.to_owned())),
        ("to_number".to_owned(), permit.dialled().map_or_else(|| invite.dialled.clone(), |number| number.to_string())),
        ("call_id".to_owned(), call.to_owned()),
        ("room_id".to_owned(), room.to_owned()),
        ("rule_id".to_owned(), permit.rule_id().to_string()),
    ]);
    parameters
}

/// A JSON value as one text: text as it is, everything else as JSON.
fn flat(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
