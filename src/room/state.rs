//! Who is in a room?
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fmt;
use std::time::SystemTime;

/// Names a participant within its room.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParticipantId(String);

impl ParticipantId {
    /// Takes any text as an id; the caller sees to it that it is nobody else's.
    pub fn new(id: impl Into<String>) -> ParticipantId {
        ParticipantId(id.into())
    }

    /// Gives the id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ParticipantId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Holds what a room knows of one party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Tells the party from all others in the room.
    pub id: ParticipantId,
    /// What the others see: a name or a number.
    pub name: String,
    /// When the party joined.
    pub joined_at: SystemTime,
}

/// Says that a participant of this id is in the room already.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("participant {participant} is already in room {room}")]
pub struct AlreadyJoined {
    /// The room.
    pub room: String,
    /// The id that is taken.
    pub participant: ParticipantId,
}

/// Holds who is in a room, in the order of joining.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomState {
    id: String,
    participants: Vec<Participant>,
}

impl RoomState {
    /// Makes an empty room.
    pub fn new(id: impl Into<String>) -> RoomState {
        RoomState { id: id.into(), participants: Vec::new() }
    }

    /// Gives the room's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Lists who is here, in the order of joining.
    pub fn participants(&self) -> &[Participant] {
        &self.participants
    }

    /// Adds a participant, unless one of the same id is here.
    pub fn join(&mut self, participant: Participant) -> Result<(), AlreadyJoined> {
        if self.place(&participant.id).is_some() {
            return Err(AlreadyJoined { room: self.id.clone(), participant: participant.id });
        }
        self.participants.push(participant);
        Ok(())
    }

    /// Removes a participant and gives the place it had.
    pub fn leave(&mut self, id: &ParticipantId) -> Option<usize> {
        let place = self.place(id)?;
        self.participants.remove(place);
        Some(place)
    }

    /// Tells whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.participants.is_empty()
    }

    fn place(&self, id: &ParticipantId) -> Option<usize> {
        self.participants.iter().position(|participant| participant.id == *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn participant(id: &str) -> Participant {
        Participant { id: ParticipantId::new(id), name: format!("{id}'s phone"), joined_at: SystemTime::UNIX_EPOCH }
    }

    #[test]
    fn participants_keep_the_order_of_joining() {
        let mut room = RoomState::new("support");
        for id in ["c", "a", "b"] {
            room.join(participant(id)).unwrap();
        }
        assert_eq!(room.leave(&ParticipantId::new("a")), Some(1));
        assert_eq!(room.leave(&ParticipantId::new("a")), None);
        room.join(participant("a")).unwrap();
        let ids: Vec<_> = room.participants().iter().map(|here| here.id.as_str()).collect();
        assert_eq!(ids, ["c", "b", "a"]);
    }

    #[test]
    fn the_same_id_cannot_join_twice() {
        let mut room = RoomState::new("support");
        room.join(participant("a")).unwrap();
        let error = room.join(participant("a")).unwrap_err();
        assert_eq!(error.to_string(), "participant a is already in room support");
        assert_eq!(room.participants().len(), 1);
    }

    proptest! {
        #[test]
        fn no_two_share_an_id_and_empty_means_all_have_left(moves in proptest::collection::vec((0..4u8, any::<bool>()), 0..40)) {
            let mut room = RoomState::new("r");
            let mut here = BTreeSet::new();
            for (who, joins) in moves {
                let id = who.to_string();
                if joins {
                    prop_assert_eq!(room.join(participant(&id)).is_ok(), here.insert(id));
                } else {
                    prop_assert_eq!(room.leave(&ParticipantId::new(id.clone())).is_some(), here.remove(&id));
                }
                prop_assert_eq!(room.is_empty(), here.is_empty());
                prop_assert_eq!(room.participants().len(), here.len());
            }
        }
    }
}
