//! Which rooms are there, and what keeps each one sounding?
//!
//! A room is a task: every 20 ms it takes a frame from each participant, mixes, and sends to each what
//! the others said. The task begins when the first participant joins and ends when the last one leaves.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::state::{AlreadyJoined, Participant, ParticipantId, RoomState};
use crate::media::{FRAME_PERIOD, Frame, SILENCE, Voice, mix_minus};

/// Longest stall made up for: as much as jitter buffers, ours and the peers', can hold.
const MAX_CATCH_UP: Duration = Duration::from_millis(160);

/// Holds the rooms that are going on; clones share them.
#[derive(Clone, Default)]
pub struct Rooms {
    /// Locked before any room's floor, never after.
    rooms: Arc<Mutex<BTreeMap<String, Room>>>,
}

struct Room {
    floor: Arc<Mutex<Floor>>,
    task: AbortHandle,
}

/// Shows a room as it was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSnapshot {
    /// The room's id.
    pub id: String,
    /// Who was there, in the order of joining.
    pub participants: Vec<Participant>,
}

/// Is a participant's place in a room. Dropping it leaves.
#[must_use = "dropping a membership leaves the room"]
pub struct Membership {
    rooms: Rooms,
    room: String,
    participant: ParticipantId,
}

impl Rooms {
    /// Makes a house without rooms.
    pub fn new() -> Rooms {
        Rooms::default()
    }

    /// Brings a participant into a room, which begins with its first. It must run inside a Tokio runtime.
    pub fn join(
        &self,
        room_id: &str,
        participant: Participant,
        voice: Arc<dyn Voice>,
    ) -> Result<Membership, AlreadyJoined> {
        let id = participant.id.clone();
        let mut rooms = lock(&self.rooms);
        match rooms.entry(room_id.to_owned()) {
            Entry::Occupied(room) => lock(&room.get().floor).join(participant, voice)?,
            Entry::Vacant(place) => {
                let mut floor = Floor::new(room_id);
                floor.join(participant, voice)?;
                let floor = Arc::new(Mutex::new(floor));
                let task = tokio::spawn(keep(floor.clone())).abort_handle();
                place.insert(Room { floor, task });
                tracing::info!(room = room_id, "a room began");
            }
        }
        drop(rooms);
        tracing::info!(room = room_id, participant = %id, "a participant joined a room");
        Ok(Membership { rooms: self.clone(), room: room_id.to_owned(), participant: id })
    }

    /// Lists the rooms, sorted by id.
    pub fn list(&self) -> Vec<RoomSnapshot> {
        lock(&self.rooms)
            .iter()
            .map(|(id, room)| RoomSnapshot {
                id: id.clone(),
                participants: lock(&room.floor).state.participants().to_vec(),
            })
            .collect()
    }

    fn leave(&self, room_id: &str, participant: &ParticipantId) {
        let mut rooms = lock(&self.rooms);
        let Some(room) = rooms.get(room_id) else {
            return;
        };
        let mut floor = lock(&room.floor);
        let voice = floor.leave(participant);
        let ended = floor.state.is_empty();
        drop(floor);
        if ended && let Some(room) = rooms.remove(room_id) {
            room.task.abort();
        }
        drop(rooms);
        // Outside the locks: this may be the last holder, and what it closes is its own affair.
        drop(voice);
        tracing::info!(room = room_id, %participant, "a participant left a room");
        if ended {
            tracing::info!(room = room_id, "a room ended");
        }
    }
}

impl Membership {
    /// Gives the room's id.
    pub fn room(&self) -> &str {
        &self.room
    }

    /// Gives the participant's id.
    pub fn participant(&self) -> &ParticipantId {
        &self.participant
    }

    /// Leaves the room.
    pub fn leave(self) {}
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.rooms.leave(&self.room, &self.participant);
    }
}

/// The participants and their voices, and the frames of the tick, kept to spare allocations.
struct Floor {
    state: RoomState,
    /// In the order of `state`'s participants, like the two below.
    voices: Vec<Arc<dyn Voice>>,
    said: Vec<Option<Frame>>,
    heard: Vec<Frame>,
}

impl Floor {
    fn new(id: &str) -> Floor {
        Floor { state: RoomState::new(id), voices: Vec::new(), said: Vec::new(), heard: Vec::new() }
    }

    fn join(&mut self, participant: Participant, voice: Arc<dyn Voice>) -> Result<(), AlreadyJoined> {
        self.state.join(participant)?;
        self.voices.push(voice);
        self.said.push(None);
        self.heard.push(SILENCE);
        Ok(())
    }

    fn leave(&mut self, participant: &ParticipantId) -> Option<Arc<dyn Voice>> {
        let place = self.state.leave(participant)?;
        self.said.pop();
        self.heard.pop();
        Some(self.voices.remove(place))
    }

    /// Passes 20 ms between the participants. One alone is sent silence, which keeps the path open.
    fn tick(&mut self) {
        for (said, voice) in self.said.iter_mut().zip(&self.voices) {
            *said = voice.take();
        }
        mix_minus(&self.said, &mut self.heard);
        for (heard, voice) in self.heard.iter().zip(&self.voices) {
            voice.send(heard);
        }
    }
}

/// Keeps a room sounding until aborted.
async fn keep(floor: Arc<Mutex<Floor>>) {
    let mut pace = interval(FRAME_PERIOD);
    // A tick that came late is made up for at once, so that peers get as many frames as time passed and
    // our jitter buffers do not fill; both sides' buffers absorb the burst. Skipping ticks instead would
    // leave every stream of the room later by what was skipped.
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        let due = pace.tick().await;
        // No buffer absorbs seconds: after a long stall (a suspended machine) time begins anew.
        if Instant::now().saturating_duration_since(due) > MAX_CATCH_UP {
            tracing::warn!("a room's mixing stalled and skipped what it missed");
            pace.reset();
        }
        lock(&floor).tick();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic in one room must not end the others.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
