//! How does an agent hear and speak?
//!
//! An agent is a WebSocket server that speaks Twilio's Media Streams; we are its client, one socket a call. What
//! is said lies in values: [`message`] has the words, [`playout`] what the agent wants played, [`session`] the
//! whole conversation without I/O or clock. [`dial`] opens the socket, signed by [`sign`], and [`leg`] joins the
//! two: an [`AgentLeg`] is a [`Voice`](crate::media::Voice), so an agent is in a room like everybody else.
//! [`directory`] knows where each agent is, and how it has been doing. [`exam`] grades one.

pub mod dial;
pub mod directory;
pub mod exam;
pub mod leg;
pub mod message;
pub mod playout;
pub mod session;
pub mod sign;

pub use dial::{DialError, Dialler};
pub use directory::{Directory, HealthBook, HealthReport};
pub use exam::{Marks, examine};
pub use leg::{AgentLeg, Closed, Counter};
pub use session::{Counts, Session, Stream};
