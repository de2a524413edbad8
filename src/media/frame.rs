//! How is sound cut into pieces, and what gives and takes the pieces?
//!
//! Inside the program sound is 8 kHz linear PCM in frames of 20 ms, the packet time every SIP trunk
//! offers by default (RFC 3551 section 4.2). Legs, mixing and prompts all speak in frames.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::Duration;

/// Samples per second of narrow-band telephony (RFC 3551 section 4.5.14).
pub const SAMPLE_RATE: u32 = 8_000;

/// Samples in one frame: 20 ms at 8 kHz.
pub const FRAME_SAMPLES: usize = 160;

/// The time one frame lasts, and so the pace of everything that gives or takes frames.
pub const FRAME_PERIOD: Duration = Duration::from_millis(20);

/// Holds 20 ms of sound as signed 16-bit samples.
pub type Frame = [i16; FRAME_SAMPLES];

/// Is a frame in which nothing sounds.
pub const SILENCE: Frame = [0; FRAME_SAMPLES];

/// Anything that speaks and listens in frames: an RTP stream today; an agent or a recorder later.
///
/// Both functions are called once every [`FRAME_PERIOD`] from a room's one task, so neither may block.
pub trait Voice: Send + Sync {
    /// Gives what this party said in the last 20 ms, or nothing when it was silent or not heard.
    fn take(&self) -> Option<Frame>;

    /// Lets this party hear a frame.
    fn send(&self, frame: &Frame);
}
