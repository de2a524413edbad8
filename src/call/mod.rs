//! How does one call live?
//!
//! A call is a state machine without I/O, clock or randomness: [`Call::handle`] takes what happened and gives what
//! to do. `switch` performs it on sockets and rooms and reports back.
//!
//! ```text
//! invited ─▶ opening media ─▶ joining its room ─▶ answered ─▶ in its room ─▶ over
//!                        ├─▶ answered, asking for the PIN ─▶ joining its room ─┤
//!                        └─▶ ringing until its agent is there ─▶ joining its room, answered
//! ```
//!
//! An agent is let into the room once the caller has acknowledged the answer, so that its first words are heard.
//!
//! Whatever the order of inputs, a call ends once: media that was opened is closed, a room that was joined is
//! left, an agent that was dispatched is let go, and one [`Record`] is written.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod machine;
mod record;
mod turn;

pub use machine::Call;
pub use record::{End, Record, Status, Timelog};
pub use turn::{Input, MediaRefusal, Output, Summons, Timer};

use std::time::Duration;

/// How long a caller has to enter a PIN. People read it off a letter; a minute is what conference bridges give.
pub const PIN_TIME: Duration = Duration::from_secs(60);

/// How often a PIN may be wrong before the call ends: three, as at a cash machine.
pub const PIN_TRIES: u32 = 3;

/// Most digits of a PIN that are kept; what is longer is wrong whatever it is.
pub const PIN_DIGITS_MAX: usize = 32;
