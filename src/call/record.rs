//! What is kept of a call?

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::RuleId;
use crate::route::Cause;

use super::MediaRefusal;

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It was refused by decision.
    Refused(Cause),
    /// Its rule leads to an agent alone, and nobody says where that is.
    AgentUnreachable,
    /// Its agent could not be reached, and nothing stood in for it.
    AgentFailed(String),
    /// Its agent ended it.
    AgentClosed(String),
    /// Its media could not be had.
    NoMedia(MediaRefusal),
    /// The caller gave up before the answer.
    Cancelled,
    /// The caller hung up.
    HungUp,
    /// The PIN was wrong too often.
    WrongPin,
    /// No PIN was entered in time.
    NoPin,
    /// Whoever runs this side ended it.
    Requested,
    /// Its room takes no calls.
    RoomClosed,
    /// The SIP side lost the call.
    Lost(String),
    /// No sound came from the caller for so long that nobody is believed to be there.
    Silent(Duration),
    /// The daemon stopped.
    Stopped,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(cause) => cause.fmt(f),
            Self::AgentUnreachable => f.write_str(
                "its rule leads to an agent alone, and no `[agent]` table says where that is; add its `url`",
            ),
            Self::AgentFailed(why) => write!(f, "nobody was there to take it: {why}"),
            Self::AgentClosed(why) => write!(f, "its agent ended it: {why}"),
            Self::NoMedia(why) => why.fmt(f),
            Self::Cancelled => f.write_str("the caller gave up before the answer"),
            Self::HungUp => f.write_str("the caller hung up"),
            Self::WrongPin => f.write_str("the PIN was wrong too often"),
            Self::NoPin => f.write_str("no PIN was entered in time"),
            Self::Requested => f.write_str("it was ended over the API"),
            Self::RoomClosed => f.write_str("its room is deactivated"),
            Self::Lost(why) => write!(f, "the call was lost: {why}"),
            Self::Silent(time) => write!(f, "no sound came for {} seconds", time.as_secs()),
            Self::Stopped => f.write_str("the daemon stopped"),
        }
    }
}

/// The states of a call, in the words of the REST contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It came in.
    Incoming,
    /// It was answered.
    Answered,
    /// It was refused.
    Rejected,
    /// The caller gave up before the answer.
    Abandoned,
    /// It is to be moved into another room.
    SwitchRoomInitiated,
    /// It was moved into another room.
    SwitchRoomCompleted,
    /// It could not be moved, and is where it was.
    SwitchRoomFailed,
    /// It could not be set up.
    Failed,
    /// It is over.
    Ended,
}

impl Status {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Answered => "answered",
            Self::Rejected => "rejected",
            Self::Abandoned => "abandoned",
            Self::SwitchRoomInitiated => "switch-room-initiated",
            Self::SwitchRoomCompleted => "switch-room-completed",
            Self::SwitchRoomFailed => "switch-room-failed",
            Self::Failed => "failed",
            Self::Ended => "ended",
        }
    }
}

/// When a call reached each of its states.
pub type Timelog = Vec<(Status, Timestamp)>;

/// What is kept of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The rule that took it, or came nearest to taking it.
    pub rule: Option<RuleId>,
    /// How it was decided, in words.
    pub trace: String,
    /// When it reached each state.
    pub timelog: Timelog,
    /// How it ended.
    pub end: End,
}
