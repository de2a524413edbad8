//! Who carries out what a call asks for?
//!
//! The one place where SIP, media and rooms meet. A call is a task here: it feeds what happens on the wire to the
//! call's state machine and performs what comes out. The table is swapped whole; a call keeps the decision that it
//! was given.

mod agent;
mod calls;
mod leg;
mod media;
mod silence;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::agent::{Dialler, Directory, HealthBook, HealthReport};
use crate::call::{Input, Status};
use crate::media::{PortError, Ports};
use crate::model::{AgentId, HidingKey, RuleId};
use crate::room::{RoomSnapshot, Rooms};
use crate::route::Table;
use crate::sip::Incoming;

use calls::Calls;
pub use calls::{CallSnapshot, ENDED_MAX};

/// How long a call has to do what is asked of it. It takes no time, unless the machine is far behind.
const REQUEST_TIME: Duration = Duration::from_secs(3);

/// How long calls have to end once the switch stops: a BYE and its answer, with one retransmission to spare.
const STOP_TIME: Duration = Duration::from_secs(3);

/// What a switch needs to know.
#[derive(Debug, Clone)]
pub struct SwitchConfig {
    /// The address that peers send media to, where it is not the one that this machine has towards them.
    pub advertised: Option<IpAddr>,
    /// The ports for media.
    pub ports: RangeInclusive<u16>,
    /// The key that callers' numbers are hidden with.
    pub hiding: HidingKey,
}

/// By what calls are taken: swapped as one, so that a call never meets a rule of one moment and an agent of another.
#[derive(Debug, Default)]
pub struct Routing {
    /// Where calls go.
    pub table: Table,
    /// Where agents are.
    pub agents: Arc<Directory>,
    /// The rules whose calls are answered before their agent is there.
    pub answer_first: BTreeSet<RuleId>,
}

/// Takes calls, by the table of the moment. A clone is another handle to the same switch.
#[derive(Clone)]
pub struct Switch {
    shared: Arc<Shared>,
}

struct Shared {
    routing: RwLock<Arc<Routing>>,
    rooms: Rooms,
    dialler: Dialler,
    health: HealthBook,
    /// The account that agents are told of.
    account: OnceLock<String>,
    ports: Ports,
    advertised: Option<IpAddr>,
    hiding: HidingKey,
    calls: TaskTracker,
    /// Conversations with agents; they end a moment after their calls.
    agents: TaskTracker,
    listed: Arc<Calls>,
    /// The rooms that take no calls.
    closed: RwLock<BTreeSet<String>>,
    stop: CancellationToken,
}

impl Shared {
    fn is_closed(&self, room: &str) -> bool {
        self.closed.read().unwrap_or_else(PoisonError::into_inner).contains(room)
    }
}

impl Switch {
    /// A switch with a table that refuses every call.
    ///
    /// # Errors
    /// When the range of ports has no even port.
    pub fn new(config: SwitchConfig) -> Result<Self, PortError> {
        let shared = Shared {
            routing: RwLock::default(),
            rooms: Rooms::new(),
            dialler: Dialler::new(),
            health: HealthBook::default(),
            account: OnceLock::new(),
            ports: Ports::new(config.ports)?,
            advertised: config.advertised,
            hiding: config.hiding,
            calls: TaskTracker::new(),
            agents: TaskTracker::new(),
            listed: Arc::default(),
            closed: RwLock::default(),
            stop: CancellationToken::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Takes new calls by this from now on. Calls in progress keep their decision, and where their agents are.
    pub fn swap(&self, routing: Routing) {
        *self.shared.routing.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(routing);
    }

    /// By what new calls are taken.
    pub fn routing(&self) -> Arc<Routing> {
        Arc::clone(&self.shared.routing.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Names the account (`AC` and 32 hex digits) that agents are told of. It is named once.
    pub fn set_account(&self, sid: String) {
        let _ = self.shared.account.set(sid);
    }

    /// How each agent that can be reached has been doing.
    pub fn agents(&self) -> Vec<(AgentId, HealthReport)> {
        self.routing().agents.ids().map(|id| (id.clone(), self.shared.health.report(id))).collect()
    }

    /// The rooms that are going on.
    pub fn rooms(&self) -> Vec<RoomSnapshot> {
        self.shared.rooms.list()
    }

    /// How many calls there are.
    pub fn calls(&self) -> usize {
        self.shared.calls.len()
    }

    /// The calls that go on, and the last [`ENDED_MAX`] that are over; the newest first.
    pub fn listed(&self) -> Vec<Arc<CallSnapshot>> {
        self.shared.listed.all()
    }

    /// One of these calls.
    pub fn call(&self, id: &str) -> Option<Arc<CallSnapshot>> {
        self.shared.listed.find(id)
    }

    /// One of these calls, by the name that its agent knows it by (`CA` and 32 hex digits).
    pub fn call_of_agent(&self, sid: &str) -> Option<Arc<CallSnapshot>> {
        self.call(&calls::id_of(sid)?)
    }

    /// Ends a call, and gives it as it ended. One that is over already is given as it is; none for an unknown one.
    pub async fn end_call(&self, id: &str) -> Option<Arc<CallSnapshot>> {
        self.ask(id, Input::HangUp, |call| call.end.is_some()).await
    }

    /// Moves a call into another room, and gives it as it stands then; whether it was moved, its status says.
    pub async fn switch_room(&self, id: &str, room: &str) -> Option<Arc<CallSnapshot>> {
        let before = self.call(id)?.timelog.len();
        let settled = move |call: &CallSnapshot| {
            let news = call.timelog.get(before..).unwrap_or_default();
            let done = [Status::SwitchRoomCompleted, Status::SwitchRoomFailed];
            call.end.is_some() || news.iter().any(|(status, _)| done.contains(status))
        };
        self.ask(id, Input::SwitchRoom(room.to_owned()), settled).await
    }

    async fn ask(
        &self,
        id: &str,
        request: Input,
        settled: impl Fn(&CallSnapshot) -> bool,
    ) -> Option<Arc<CallSnapshot>> {
        if let Some(mut seen) = self.shared.listed.ask(id, request) {
            // Whatever becomes of it in time is what is told.
            let _ = tokio::time::timeout(REQUEST_TIME, seen.wait_for(|call| settled(call))).await;
        }
        self.call(id)
    }

    /// Says which rooms take no calls from now on. Calls that are in one of them end.
    pub fn close_rooms(&self, closed: BTreeSet<String>) {
        // In this order: a call shows its room before it looks whether the room is closed, so one of us sees the other.
        *self.shared.closed.write().unwrap_or_else(PoisonError::into_inner) = closed;
        for call in self.listed().iter().filter(|call| call.end.is_none()) {
            if call.room.as_deref().is_some_and(|room| self.shared.is_closed(room)) {
                let _ = self.shared.listed.ask(&call.id, Input::RoomClosed);
            }
        }
    }

    /// Takes calls until the SIP edge has no more, or the switch stops.
    pub async fn serve(&self, mut incoming: mpsc::Receiver<Incoming>) {
        loop {
            let next = tokio::select! {
                next = incoming.recv() => next,
                () = self.shared.stop.cancelled() => return,
            };
            let Some(call) = next else { return };
            self.shared.calls.spawn(leg::run(Arc::clone(&self.shared), self.routing(), call));
        }
    }

    /// Ends every call, and returns when they are over.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.calls.close();
        self.shared.agents.close();
        let over = async {
            self.shared.calls.wait().await;
            self.shared.agents.wait().await;
        };
        if tokio::time::timeout(STOP_TIME, over).await.is_err() {
            tracing::warn!(calls = self.shared.calls.len(), "some calls did not end in time and are dropped");
        }
    }
}
