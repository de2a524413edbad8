//! Who carries out what a call asks for?
//!
//! The one place where SIP, media and rooms meet. A call is a task here: it feeds what happens on the wire to the
//! call's state machine and performs what comes out. The table is swapped whole; a call keeps the decision that it
//! was given.

mod leg;
mod media;

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::media::{PortError, Ports};
use crate::model::HidingKey;
use crate::room::{RoomSnapshot, Rooms};
use crate::route::Table;
use crate::sip::Incoming;

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

/// Takes calls, by the table of the moment. A clone is another handle to the same switch.
#[derive(Clone)]
pub struct Switch {
    shared: Arc<Shared>,
}

struct Shared {
    table: RwLock<Arc<Table>>,
    rooms: Rooms,
    ports: Ports,
    advertised: Option<IpAddr>,
    hiding: HidingKey,
    calls: TaskTracker,
    stop: CancellationToken,
}

impl Switch {
    /// A switch with a table that refuses every call.
    ///
    /// # Errors
    /// When the range of ports has no even port.
    pub fn new(config: SwitchConfig) -> Result<Self, PortError> {
        let shared = Shared {
            table: RwLock::default(),
            rooms: Rooms::new(),
            ports: Ports::new(config.ports)?,
            advertised: config.advertised,
            hiding: config.hiding,
            calls: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Decides new calls by this table from now on. Calls in progress keep their decision.
    pub fn swap(&self, table: Table) {
        *self.shared.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }

    /// The table that new calls are decided by.
    pub fn table(&self) -> Arc<Table> {
        Arc::clone(&self.shared.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The rooms that are going on.
    pub fn rooms(&self) -> Vec<RoomSnapshot> {
        self.shared.rooms.list()
    }

    /// How many calls there are.
    pub fn calls(&self) -> usize {
        self.shared.calls.len()
    }

    /// Takes calls until the SIP edge has no more, or the switch stops.
    pub async fn serve(&self, mut incoming: mpsc::Receiver<Incoming>) {
        loop {
            let next = tokio::select! {
                next = incoming.recv() => next,
                () = self.shared.stop.cancelled() => return,
            };
            let Some(call) = next else { return };
            self.shared.calls.spawn(leg::run(Arc::clone(&self.shared), self.table(), call));
        }
    }

    /// Ends every call, and returns when they are over.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.calls.close();
        if tokio::time::timeout(STOP_TIME, self.shared.calls.wait()).await.is_err() {
            tracing::warn!(calls = self.shared.calls.len(), "some calls did not end in time and are dropped");
        }
    }
}
