//! What does the daemon say of itself?

use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json};
use axum::routing::get;

use crate::switch::Switch;

/// The state of a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It serves what the files say.
    Serving {
        /// The digest of the configuration.
        digest: String,
    },
    /// It serves the last good configuration, because the files are broken.
    Degraded {
        /// Why.
        reason: String,
    },
    /// It is stopping.
    Draining,
}

/// The state of a daemon, shared with those who ask for it.
#[derive(Clone)]
pub(super) struct Status {
    state: Arc<RwLock<State>>,
    switch: Switch,
}

impl Status {
    pub fn new(switch: Switch, state: State) -> Self {
        Self { state: Arc::new(RwLock::new(state)), switch }
    }

    pub fn set(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn get(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn json(&self) -> serde_json::Value {
        let (word, digest, reason) = match self.get() {
            State::Serving { digest } => ("serving", Some(digest), None),
            State::Degraded { reason } => ("degraded", None, Some(reason)),
            State::Draining => ("draining", None, None),
        };
        let routing = self.switch.routing();
        let table = &routing.table;
        let agents: serde_json::Map<_, _> = self
            .switch
            .agents()
            .into_iter()
            .map(|(id, health)| (id.to_string(), serde_json::to_value(health).unwrap_or_default()))
            .collect();
        let rooms: Vec<_> = self.switch.rooms().into_iter().map(|room| room.participants.len()).collect();
        serde_json::json!({
            "state": word, "digest": digest, "reason": reason, "numbers": table.numbers(), "rules": table.rules(),
            "calls": self.switch.calls(), "rooms": rooms.len(), "participants": rooms.iter().sum::<usize>(),
            "agents": agents,
        })
    }
}

/// `/readyz` for machines that only want to know whether to send calls, `/status` for those who want to know more.
/// Neither tells a number, a URL or a secret, so neither needs a token.
pub(super) fn router(status: Status) -> Router {
    let ready = status.clone();
    Router::new()
        .route("/readyz", get(move || async move { readiness(&ready) }))
        .route("/status", get(move || async move { Json(status.json()) }))
}

fn readiness(status: &Status) -> impl IntoResponse + use<> {
    match status.get() {
        State::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        // The last good configuration is served: calls are welcome.
        State::Serving { .. } | State::Degraded { .. } => (StatusCode::OK, "ready"),
    }
}
