//! Which calls are there, and which were there lately?
//!
//! Held in memory and bounded: what has to outlast the process is in the log. Each call is listed by its own task, which
//! also takes what is asked of it from outside.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::call::{Call, Input, Record, Status, Timelog};
use crate::model::{RuleId, Transport};

/// How many calls that are over are remembered: some hours of a busy trunk, in a few megabytes.
pub const ENDED_MAX: usize = 10_000;

/// How many requests wait for a call. A call takes one in no time; more than these have lost their meaning.
const REQUESTS_MAX: usize = 8;

/// What our names for calls begin with.
pub(super) const ID_PREFIX: &str = "call_";

/// What the names that agents know calls by begin with. Bots check it, and that 32 hex digits follow.
const SID_PREFIX: &str = "CA";

/// The name that its agent knows a call by.
pub(super) fn sid(id: &str) -> String {
    id.replacen(ID_PREFIX, SID_PREFIX, 1)
}

/// Our name for a call that an agent names.
pub(super) fn id_of(sid: &str) -> Option<String> {
    sid.strip_prefix(SID_PREFIX).map(|digits| format!("{ID_PREFIX}{digits}"))
}

/// A call as it was at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSnapshot {
    /// Our name for it.
    pub id: String,
    /// Its SIP Call-ID.
    pub sip_call_id: String,
    /// Who called, as the caller stated it.
    pub from: String,
    /// Who called, as rooms and agents may see it.
    pub shown_from: String,
    /// What was dialled.
    pub to: String,
    /// Where its INVITE came from.
    pub source: SocketAddr,
    /// How it came.
    pub transport: Transport,
    /// The rule that took it, or came nearest to taking it.
    pub rule: Option<RuleId>,
    /// The room that it was put into last.
    pub room: Option<String>,
    /// When it reached each of its states; the last one is where it stands.
    pub timelog: Timelog,
    /// How it was decided, in words.
    pub trace: String,
    /// How it ended, in words; none while it lasts.
    pub end: Option<String>,
}

impl CallSnapshot {
    /// Where it stands.
    pub fn status(&self) -> Status {
        self.timelog.last().map_or(Status::Incoming, |(status, _)| *status)
    }

    /// When it came in.
    pub fn started(&self) -> Option<Timestamp> {
        self.timelog.first().map(|(_, at)| *at)
    }

    /// When it ended.
    pub fn ended(&self) -> Option<Timestamp> {
        self.end.as_ref()?;
        self.timelog.last().map(|(_, at)| *at)
    }
}

/// The calls of a switch.
#[derive(Default)]
pub(super) struct Calls {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    live: HashMap<String, Live>,
    ended: VecDeque<Arc<CallSnapshot>>,
}

struct Live {
    state: watch::Sender<Arc<CallSnapshot>>,
    requests: mpsc::Sender<Input>,
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists a call that came in. What is asked of it comes out of the receiver.
    pub fn list(self: &Arc<Self>, call: CallSnapshot) -> (Listed, mpsc::Receiver<Input>) {
        let (requests, asked) = mpsc::channel(REQUESTS_MAX);
        let listed = Listed { calls: Arc::clone(self), id: call.id.clone() };
        let (state, _) = watch::channel(Arc::new(call));
        self.lock().live.insert(listed.id.clone(), Live { state, requests });
        (listed, asked)
    }

    /// Every call, the newest first.
    pub fn all(&self) -> Vec<Arc<CallSnapshot>> {
        let inner = self.lock();
        let live = inner.live.values().map(|live| Arc::clone(&live.state.borrow()));
        let mut all: Vec<_> = live.chain(inner.ended.iter().cloned()).collect();
        drop(inner);
        all.sort_by(|one, other| (other.started(), &other.id).cmp(&(one.started(), &one.id)));
        all
    }

    /// One call.
    pub fn find(&self, id: &str) -> Option<Arc<CallSnapshot>> {
        let inner = self.lock();
        match inner.live.get(id) {
            Some(live) => Some(Arc::clone(&live.state.borrow())),
            None => inner.ended.iter().rev().find(|call| call.id == id).cloned(),
        }
    }

    /// Asks something of a call that lasts, and gives a way to see what becomes of it; none where there is no such
    /// call, or where it is asked too much already.
    pub fn ask(&self, id: &str, request: Input) -> Option<watch::Receiver<Arc<CallSnapshot>>> {
        let inner = self.lock();
        let live = inner.live.get(id)?;
        let seen = live.state.subscribe();
        live.requests.try_send(request).ok()?;
        Some(seen)
    }
}

/// A call's place in the list. Dropping it says that the call is over.
pub(super) struct Listed {
    calls: Arc<Calls>,
    id: String,
}

impl Listed {
    fn change(&self, change: impl FnOnce(&mut CallSnapshot)) {
        if let Some(live) = self.calls.lock().live.get(&self.id) {
            live.state.send_modify(|state| change(Arc::make_mut(state)));
        }
    }

    /// Shows where the call stands.
    pub fn show(&self, call: &Call) {
        self.change(|state| {
            state.timelog = call.timelog().to_vec();
            state.rule = call.rule().cloned();
            state.trace = call.trace().to_owned();
        });
    }

    /// Shows which room the call is put into.
    pub fn put_into(&self, room: &str) {
        self.change(|state| state.room = Some(room.to_owned()));
    }

    /// Shows how the call ended.
    pub fn over(&self, record: &Record) {
        self.change(|state| {
            state.rule = record.rule.clone();
            state.trace = record.trace.clone();
            state.timelog = record.timelog.clone();
            state.end = Some(record.end.to_string());
        });
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        // A task that broke off wrote no record.
        self.change(|state| {
            state.end.get_or_insert_with(|| "the call broke off, by a fault of this daemon".to_owned());
        });
        let mut inner = self.calls.lock();
        if let Some(live) = inner.live.remove(&self.id) {
            if inner.ended.len() >= ENDED_MAX {
                inner.ended.pop_front();
            }
            let last = Arc::clone(&live.state.borrow());
            inner.ended.push_back(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: usize) -> CallSnapshot {
        CallSnapshot {
            id: format!("call_{id}"),
            sip_call_id: "a@b".into(),
            from: "+12125550123".into(),
            shown_from: "+12125550123".into(),
            to: "+14155550100".into(),
            source: ([192, 0, 2, 1], 5060).into(),
            transport: Transport::Udp,
            rule: None,
            room: None,
            timelog: vec![(Status::Incoming, Timestamp::from_second(id as i64).unwrap())],
            trace: String::new(),
            end: None,
        }
    }

    #[test]
    fn a_call_is_listed_while_it_lasts_and_afterwards() {
        let calls = Arc::new(Calls::default());
        let (first, mut asked) = calls.list(call(1));
        let (_second, _) = calls.list(call(2));
        let ids: Vec<String> = calls.all().iter().map(|call| call.id.clone()).collect();
        assert_eq!(ids, ["call_2", "call_1"]);
        let seen = calls.ask("call_1", Input::HangUp).unwrap();
        assert_eq!(asked.try_recv().unwrap(), Input::HangUp);
        first.put_into("lobby");
        assert_eq!(calls.find("call_1").unwrap().room.as_deref(), Some("lobby"));
        drop(first);
        assert!(seen.borrow().end.is_some() && calls.find("call_1").unwrap().end.is_some());
        assert!(calls.ask("call_1", Input::HangUp).is_none());
        assert_eq!(calls.all().len(), 2);
    }

    #[test]
    fn calls_that_are_over_are_forgotten_in_the_end() {
        let calls = Arc::new(Calls::default());
        for id in 0..ENDED_MAX + 3 {
            drop(calls.list(call(id)));
        }
        assert_eq!(calls.all().len(), ENDED_MAX);
        assert!(calls.find("call_2").is_none() && calls.find("call_3").is_some());
    }
}
