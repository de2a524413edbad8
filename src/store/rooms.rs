//! How are rooms kept: those that were made over the contract, and those that were closed?
//!
//! Calls make rooms by joining them, without asking here. What is kept is who was promised a room, and which rooms
//! take no more calls.

use rand::Rng;
use rusqlite::{OptionalExtension, Row};

use super::error::{Fault, StoreError};
use super::{Access, Store, Work, now};
use crate::api::{ApiError, Call, Caller, CreateRoom, Handle, MeetingRoom, NewRoom};
use crate::model::RoomId;

/// The columns that rows of rooms are read by.
const COLUMNS: &str = "id, custom_id, key, disabled, settings, created_at, updated_at";

impl Handle<CreateRoom> for Store {
    type Error = ApiError;

    async fn handle(&self, call: Call<CreateRoom>) -> Result<MeetingRoom, ApiError> {
        self.write(call.by.clone(), move |work| create(work, &call.by, call.body)).await
    }
}

impl Store {
    /// The rooms that are kept, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn rooms(&self) -> Result<Vec<MeetingRoom>, ApiError> {
        self.read(|work| {
            let mut statement = work.prepare_cached(&format!("SELECT {COLUMNS} FROM room ORDER BY sequence"))?;
            statement.query_map([], |row| Ok(from_row(row)))?.collect::<Result<Result<_, _>, _>>()?
        })
        .await
    }

    /// A room by either of its ids.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn room(&self, id: &str) -> Result<Option<MeetingRoom>, ApiError> {
        let id = id.to_owned();
        self.read(move |work| find(work, &id)).await
    }

    /// Closes a room. One that is not kept is kept from now on, as closed, if `known` says that there is such a room.
    ///
    /// # Errors
    /// When there is no such room, or the store cannot be written.
    pub async fn close_room(&self, by: Caller, id: &str, known: bool) -> Result<MeetingRoom, ApiError> {
        let id = id.to_owned();
        self.write(by.clone(), move |work| {
            let before = find(work, &id)?;
            let room = match before.clone() {
                Some(room) => room,
                None if known => named(&by, id.clone(), Some(id)),
                None => return Err(unknown(&id).into()),
            };
            let room = MeetingRoom { disabled: true, updated_at: Some(now()), ..room };
            write(work, before.as_ref(), &room)?;
            Ok(room)
        })
        .await
    }

    /// The ids of the rooms that take no calls, both of each. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn closed_rooms(&self) -> Result<Vec<String>, StoreError> {
        self.administer(Access::Read, |work| {
            let read = "SELECT id FROM room WHERE disabled = 1
                        UNION SELECT custom_id FROM room WHERE disabled = 1 AND custom_id IS NOT NULL";
            let mut statement = work.prepare_cached(read)?;
            Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })
    }
}

/// The refusal of a room that nobody knows.
pub(crate) fn unknown(id: &str) -> ApiError {
    ApiError::not_found(format!("Room {id} not found"))
}

fn create(work: &Work<'_>, by: &Caller, body: NewRoom) -> Result<MeetingRoom, Fault> {
    if !body.settings.allowed_participant_ids.is_empty() {
        // A list that is kept and not enforced would admit everybody.
        return Err(
            ApiError::missing("allowedParticipantIds is not enforced here, so that no room is made with it").into()
        );
    }
    let custom = body.custom_room_id.filter(|id| !id.is_empty());
    if let Some(id) = &custom {
        id.parse::<RoomId>().map_err(|why| ApiError::invalid(format!("customRoomId: {why}")))?;
        if let Some(before) = find(work, id)? {
            // The same room again (contract section 7.1); one that was closed is open again, for there is no other
            // way to say so.
            if !before.disabled {
                return Ok(before);
            }
            let room = MeetingRoom { disabled: false, updated_at: Some(now()), ..before.clone() };
            write(work, Some(&before), &room)?;
            return Ok(room);
        }
    }
    // A custom id is also the id that calls use, so that a rule and the API mean one room by it.
    let id = custom.clone().unwrap_or_else(fresh_room_id);
    let room = MeetingRoom { settings: body.settings, ..named(by, id, custom) };
    write(work, None, &room)?;
    Ok(room)
}

fn named(by: &Caller, id: String, custom: Option<String>) -> MeetingRoom {
    let at = now();
    let user_id = match by {
        Caller::Operator => None,
        Caller::Key(key) => Some(key.clone()),
    };
    MeetingRoom {
        room_id: id.clone(),
        id,
        custom_room_id: custom,
        user_id,
        created_at: Some(at.clone()),
        updated_at: Some(at),
        ..MeetingRoom::default()
    }
}

/// A random room id of the form that the contract shows: `abcd-efgh-ijkl`.
pub(crate) fn fresh_room_id() -> String {
    let mut rng = rand::rng();
    let mut part = || (0..4).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect::<String>();
    format!("{}-{}-{}", part(), part(), part())
}

fn find(work: &Work<'_>, id: &str) -> Result<Option<MeetingRoom>, Fault> {
    let read = format!("SELECT {COLUMNS} FROM room WHERE id = ?1 OR custom_id = ?1");
    work.prepare_cached(&read)?.query_row([id], |row| Ok(from_row(row))).optional()?.transpose()
}

fn from_row(row: &Row<'_>) -> Result<MeetingRoom, Fault> {
    let id: String = row.get(0)?;
    let settings = serde_json::from_str(&row.get::<_, String>(4)?)
        .map_err(|why| Fault::Damaged(format!("the settings of the room {id}: {why}")))?;
    Ok(MeetingRoom {
        room_id: id.clone(),
        id,
        custom_room_id: row.get(1)?,
        user_id: row.get(2)?,
        disabled: row.get(3)?,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
        links: None,
        participants: None,
        settings,
    })
}

fn write(work: &Work<'_>, before: Option<&MeetingRoom>, room: &MeetingRoom) -> Result<(), Fault> {
    let settings = serde_json::to_string(&room.settings)
        .map_err(|why| Fault::Damaged(format!("a room cannot be written: {why}")))?;
    work.execute(
        "INSERT INTO room (id, custom_id, key, disabled, settings, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET disabled = ?4, updated_at = ?7",
        (
            &room.room_id,
            &room.custom_room_id,
            &room.user_id,
            room.disabled,
            settings,
            &room.created_at,
            &room.updated_at,
        ),
    )?;
    work.audit("room", &room.room_id, before, Some(room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_room_has_the_form_of_the_contract() {
        let id = fresh_room_id();
        assert!(id.len() == 14 && id.split('-').all(|part| part.len() == 4), "{id}");
        assert_ne!(id, fresh_room_id());
    }
}
