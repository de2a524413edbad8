//! Who is together, and what does each hear?
//!
//! A room begins with its first participant and ends with its last ([`state`]). While it lasts, one
//! task mixes: everybody hears everybody else ([`hub`]).

pub mod hub;
pub mod state;

pub use hub::{Membership, RoomSnapshot, Rooms};
pub use state::{AlreadyJoined, Participant, ParticipantId, RoomState};

#[cfg(test)]
mod tests;
