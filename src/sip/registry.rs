//! Which calls are there? Found by dialog, counted, and gone when they end.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rsipstack::sip::{HeadersExt, Request};

use super::call::Call;
use super::invite::call_id;
use super::uri::NameAddr;

/// How many calls may be held at once.
pub(super) const MAX_CALLS: usize = 10_000;

/// What names a dialog (RFC 3261 section 12).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct DialogId {
    pub call_id: String,
    pub local_tag: String,
    pub remote_tag: String,
}

impl DialogId {
    /// The dialog a request from the peer belongs to; the local tag is empty outside a dialog.
    pub fn of(request: &Request) -> DialogId {
        let tag = |value: Option<&str>| {
            value.and_then(NameAddr::read).and_then(|name| name.tag().map(str::to_owned)).unwrap_or_default()
        };
        DialogId {
            call_id: call_id(request),
            local_tag: tag(request.to_header().ok().map(|to| to.value())),
            remote_tag: tag(request.from_header().ok().map(|from| from.value())),
        }
    }
}

/// What makes two INVITEs the same request (RFC 3261 section 8.2.2.2): From tag, Call-ID and CSeq.
pub(super) type MergeKey = (String, String, u32);

#[derive(Default)]
struct Inner {
    calls: HashMap<DialogId, Arc<Call>>,
    invites: HashMap<MergeKey, DialogId>,
}

/// The calls of one edge.
#[derive(Default)]
pub(super) struct Registry {
    inner: Mutex<Inner>,
}

/// Why a call was not taken up.
pub(super) enum Unregistered {
    /// The same INVITE came another way already.
    Merged,
    /// There are as many calls as may be.
    Full,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn insert(&self, key: MergeKey, call: &Arc<Call>) -> Result<(), Unregistered> {
        let mut inner = self.lock();
        if inner.invites.contains_key(&key) {
            return Err(Unregistered::Merged);
        }
        if inner.calls.len() >= MAX_CALLS {
            return Err(Unregistered::Full);
        }
        inner.invites.insert(key, call.id.clone());
        inner.calls.insert(call.id.clone(), Arc::clone(call));
        Ok(())
    }

    pub fn find(&self, id: &DialogId) -> Option<Arc<Call>> {
        self.lock().calls.get(id).map(Arc::clone)
    }

    pub fn remove(&self, key: &MergeKey, id: &DialogId) {
        let mut inner = self.lock();
        inner.invites.remove(key);
        inner.calls.remove(id);
    }

    pub fn len(&self) -> usize {
        self.lock().calls.len()
    }

    pub fn all(&self) -> Vec<Arc<Call>> {
        self.lock().calls.values().map(Arc::clone).collect()
    }

    /// Whether a call lives on the connection to this peer.
    pub fn uses(&self, peer: SocketAddr) -> bool {
        self.lock().calls.values().any(|call| call.source == peer)
    }
}
