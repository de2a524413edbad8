//! What can happen to a call, and what can it ask for?

use std::time::Duration;

use crate::model::{AgentId, Fallback, OnClose, RoomId};
use crate::route::{Decision, Permit};

use super::Record;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// An INVITE came, and was decided.
    Invited(Decision),
    /// The media that was asked for is open.
    MediaOpened,
    /// The media that was asked for cannot be had.
    MediaRefused(MediaRefusal),
    /// The call is in its room.
    Joined,
    /// The caller acknowledged the answer.
    Acked,
    /// The caller pressed a key.
    Digit(char),
    /// The caller gave up before the answer. The SIP side has answered 487, so no other answer was sent, nor will be.
    Cancelled,
    /// The caller hung up.
    Bye,
    /// The SIP side lost the call, for the reason given: no ACK came, or the connection is gone.
    Lost(String),
    /// No sound came from the caller, though it was due, for as long as is waited.
    Silent(Duration),
    /// The caller wants other media, by a re-INVITE.
    Reinvited,
    /// The new media is in use.
    MediaChanged,
    /// The new media cannot be had; the old stays.
    MediaUnchanged(MediaRefusal),
    /// Whoever runs this side wants the call to end.
    HangUp,
    /// The room takes no calls: the one that was asked for, or the one that the call is in.
    RoomClosed,
    /// Whoever runs this side wants the call in another room.
    SwitchRoom(String),
    /// The call is in the other room.
    RoomSwitched,
    /// The other room cannot be joined, for the reason given; the call stays where it is.
    RoomNotSwitched(String),
    /// The agent that was asked for is connected.
    AgentReady(OnClose),
    /// The agent that was asked for could not be reached, for the reason given.
    AgentFailed(String),
    /// The agent closed, or its connection was lost.
    AgentClosed(String),
    /// A timer ran out.
    TimedOut(Timer),
    /// The daemon ends the call, because it stops.
    Stopped,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Answer the INVITE with a refusal.
    Refuse {
        /// The SIP status.
        status: u16,
        /// Its reason phrase.
        reason: &'static str,
        /// Seconds after which to try again, for a refusal that will pass.
        retry_after: Option<u32>,
    },
    /// Open media for the caller's offer; ends in `MediaOpened` or `MediaRefused`.
    OpenMedia,
    /// Answer the INVITE with the open media.
    Answer,
    /// Play the tone that asks for a PIN.
    AskPin,
    /// Join the room of the permit; ends in `Joined` or `RoomClosed`.
    JoinRoom(Permit),
    /// Leave the room, if there is one, and join this one instead; ends in `Joined`.
    JoinOther(Permit, RoomId),
    /// Tell the caller that it rings.
    Ring,
    /// Connect to an agent; ends in `AgentReady` or `AgentFailed`.
    DispatchAgent(Permit, AgentId),
    /// Let the agent that is connected into the room that the call is in; it leaves the one before.
    JoinAgent,
    /// Tell the agent of a key that was pressed.
    TellAgent(char),
    /// Let the agent go, or stop connecting to it. Each that was dispatched is let go once.
    DismissAgent,
    /// Leave the room for this one; ends in `RoomSwitched` or `RoomNotSwitched`.
    SwitchRoom(String),
    /// Try the media of the re-INVITE; ends in `MediaChanged` or `MediaUnchanged`.
    ChangeMedia,
    /// Answer the re-INVITE with the media in use.
    AnswerReinvite,
    /// Refuse the re-INVITE.
    RefuseReinvite {
        /// The SIP status.
        status: u16,
    },
    /// Start a timer.
    Start(Timer),
    /// Leave the room.
    LeaveRoom,
    /// Close the media.
    CloseMedia,
    /// Hang up.
    Bye,
    /// Write the record. The last output of a call.
    Record(Box<Record>),
}

/// How a call comes to the agent of its rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summons {
    /// Whether the caller hears ringing until the agent is there.
    pub ring_until_ready: bool,
    /// What to do when it cannot be reached, in order.
    pub fallback: Vec<Fallback>,
}

/// A timer of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// The caller has to enter the PIN by then.
    Pin,
}

/// Why media cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaRefusal {
    /// The caller offers no codec that is spoken here.
    NoCommonCodec(String),
    /// The caller's description is not SDP.
    Malformed(String),
    /// No port is free, or the system gives no socket.
    Exhausted(String),
}

impl MediaRefusal {
    /// The SIP status that says so (RFC 3261 section 21), with its reason phrase.
    pub fn status(&self) -> (u16, &'static str) {
        match self {
            Self::NoCommonCodec(_) => (488, "Not Acceptable Here"),
            Self::Malformed(_) => (400, "Bad Request"),
            Self::Exhausted(_) => (503, "Service Unavailable"),
        }
    }
}

impl std::fmt::Display for MediaRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoCommonCodec(why) => write!(f, "no codec in common: {why}"),
            Self::Malformed(why) => write!(f, "the SDP cannot be read: {why}"),
            Self::Exhausted(why) => write!(f, "no media port: {why}"),
        }
    }
}
