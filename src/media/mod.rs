//! How does sound travel?
//!
//! A call's sound arrives as RTP on a [`Stream`]'s socket, is put in order ([`jitter`]), decoded
//! ([`codec`]) and taken in frames of 20 ms ([`frame`]); frames sent to the stream go the other way.
//! What both sides agree on beforehand is [`sdp`]; what everybody in a room hears is [`mix`].
//! Only [`stream`] and [`socket`] touch the outside; everything else is a value or a function.

pub mod codec;
pub mod digits;
pub mod frame;
pub mod jitter;
pub mod latch;
pub mod mix;
pub mod port;
pub mod reception;
pub mod rtp;
pub mod sdp;
pub mod socket;
pub mod stream;
pub mod tone;

pub use codec::Codec;
pub use frame::{FRAME_PERIOD, Frame, SILENCE, Voice};
pub use mix::mix_minus;
pub use port::{DEFAULT_PORTS, PortError};
pub use sdp::{Direction, Negotiated, SdpError, SdpOffer};
pub use socket::Ports;
pub use stream::{Stream, StreamError, StreamStats};
