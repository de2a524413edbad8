//! Which calls are there, for those who end one from outside?

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// A call in progress, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveCall {
    /// `CA` and 32 hex digits.
    pub sid: String,
    /// The caller, as agents may see it.
    pub from: String,
    /// The number dialled.
    pub to: String,
    /// Whether it was answered.
    pub answered: bool,
}

/// The calls in progress; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct ActiveCalls {
    calls: Arc<Mutex<HashMap<String, (ActiveCall, CancellationToken)>>>,
}

/// A call's entry. Dropping it takes it out.
pub(super) struct Entry {
    calls: ActiveCalls,
    sid: String,
}

impl ActiveCalls {
    /// Enters a call; the token is cancelled when it is to be ended.
    pub fn enter(&self, call: ActiveCall) -> (Entry, CancellationToken) {
        let (sid, token) = (call.sid.clone(), CancellationToken::new());
        self.calls().insert(sid.clone(), (call, token.clone()));
        (Entry { calls: self.clone(), sid }, token)
    }

    pub fn find(&self, sid: &str) -> Option<ActiveCall> {
        self.calls().get(sid).map(|(call, _)| call.clone())
    }

    /// Has a call ended. It is not found again, so that it is ended once.
    pub fn hang_up(&self, sid: &str) -> Option<ActiveCall> {
        let (call, token) = self.calls().remove(sid)?;
        token.cancel();
        Some(call)
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<String, (ActiveCall, CancellationToken)>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    pub fn answered(&self) {
        if let Some((call, _)) = self.calls.calls().get_mut(&self.sid) {
            call.answered = true;
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.calls.calls().remove(&self.sid);
    }
}
