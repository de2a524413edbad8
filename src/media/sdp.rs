//! What sound do two sides agree on?
//!
//! Offer and answer of RFC 3264 in the text of RFC 8866, as far as one audio stream over RTP/AVP needs.
//! [`SdpOffer::parse`] reads what the peer says, [`SdpOffer::negotiate`] finds what both can do, and
//! [`answer`] says so. For a peer that invites without an offer, [`offer`] comes first and
//! [`SdpOffer::accept`] reads what its ACK answers.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::net::SocketAddr;

use super::codec::Codec;

mod read;
mod write;

pub use write::{answer, offer};

/// Says which way sound flows, seen from the side that speaks (RFC 3264 section 5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both ways; what is meant when nothing is said (RFC 8866 section 6.7).
    #[default]
    SendRecv,
    /// This side only sends: the other one is on hold.
    SendOnly,
    /// This side only listens.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    /// Gives the attribute's name.
    pub const fn name(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// Tells whether this side sends.
    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Tells whether this side listens.
    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// Gives the same flow seen from the other side, which is also its widest answer (RFC 3264 section 6.1).
    pub const fn mirrored(self) -> Direction {
        Direction::of(self.receives(), self.sends())
    }

    const fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }
}

/// Says why an SDP cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// The text is longer than any SIP message.
    #[error("the SDP is longer than {limit} bytes")]
    TooLong {
        /// The longest text read.
        limit: usize,
    },
    /// The text does not begin with `v=0`.
    #[error("the SDP does not begin with v=0")]
    NotSdp,
    /// A line is not what its letter promises.
    #[error("line {line} of the SDP is malformed")]
    Malformed {
        /// The line, counted from one.
        line: usize,
    },
    /// More streams are described than any call has.
    #[error("the SDP describes more than {limit} streams")]
    TooManyStreams {
        /// The most streams read.
        limit: usize,
    },
    /// No audio stream is described.
    #[error("the SDP offers no audio")]
    NoAudio,
    /// Audio is described with port 0.
    #[error("the SDP refuses audio with port 0")]
    AudioRefused,
    /// Audio is offered only over other transports, such as SRTP.
    #[error("the SDP offers audio only over {protocol}, not over RTP/AVP")]
    Transport {
        /// The transport of the first audio stream.
        protocol: String,
    },
    /// Nothing says where to send audio, or it is no unicast IP address.
    #[error("the SDP names no unicast address for audio")]
    Address,
    /// The sides have no codec in common.
    #[error("the SDP offers none of {wanted}")]
    NoCommonCodec {
        /// The codecs looked for.
        wanted: String,
    },
}

impl SdpError {
    /// Tells text that is no SDP (400 Bad Request) from an SDP this side cannot meet
    /// (488 Not Acceptable Here, RFC 3261 section 21.4.26).
    pub const fn is_malformed(&self) -> bool {
        matches!(
            self,
            SdpError::TooLong { .. } | SdpError::NotSdp | SdpError::Malformed { .. } | SdpError::TooManyStreams { .. }
        )
    }
}

/// Holds what a peer's SDP says about its streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdpOffer {
    /// The `t=` line, which an answer repeats (RFC 3264 section 6).
    timing: (u64, u64),
    media: Vec<Media>,
}

/// Holds one `m=` line and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Media {
    kind: String,
    port: u16,
    protocol: String,
    formats: Vec<String>,
    /// The address of the stream, of the session where it has none; nothing when it is no IP address.
    connection: Option<std::net::IpAddr>,
    direction: Direction,
    maps: Vec<Map>,
    ptime: Option<u16>,
}

/// Holds one `a=rtpmap`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Map {
    payload_type: u8,
    name: String,
    clock_rate: u32,
    channels: u8,
}

/// Holds what both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The codec both ways.
    pub codec: Codec,
    /// The payload type of that codec, as the peer numbers it.
    pub payload_type: u8,
    /// The payload type of digits (RFC 4733), when the peer has them.
    pub digits: Option<u8>,
    /// Where the peer wants its sound. On an old-style hold the address is `0.0.0.0`.
    pub remote: SocketAddr,
    /// Which way sound flows, seen from this side.
    pub direction: Direction,
    /// The packet time the peer would like, in milliseconds. This side always sends 20 ms.
    pub ptime: Option<u16>,
    offer: SdpOffer,
    /// The place of the audio stream among the offer's streams.
    stream: usize,
}

impl Negotiated {
    /// Tells whether the peer has put this side on hold: it wants no sound for now.
    pub fn is_held(&self) -> bool {
        !self.direction.sends()
    }
}

impl SdpOffer {
    /// Reads an SDP.
    pub fn parse(text: &[u8]) -> Result<SdpOffer, SdpError> {
        read::read(text)
    }

    /// Finds what both sides can do; the first codec of `preference` that is offered wins.
    ///
    /// The answerer may choose by its own order (RFC 3264 section 6.1), and here it is what the
    /// operator configured for the trunk.
    pub fn negotiate(&self, preference: &[Codec]) -> Result<Negotiated, SdpError> {
        let stream = self.audio()?;
        let offered = self.media[stream].codecs();
        let chosen = preference.iter().find_map(|wanted| offered.iter().find(|(_, codec)| codec == wanted));
        self.agree(stream, chosen.copied(), preference)
    }

    /// Reads this SDP as the answer to our [`offer`] of `codecs`; the peer's order decides.
    pub fn accept(&self, codecs: &[Codec]) -> Result<Negotiated, SdpError> {
        let stream = self.audio()?;
        let answered = self.media[stream].codecs();
        let chosen = answered.iter().find(|(_, codec)| codecs.contains(codec));
        self.agree(stream, chosen.copied(), codecs)
    }

    fn agree(&self, stream: usize, chosen: Option<(u8, Codec)>, wanted: &[Codec]) -> Result<Negotiated, SdpError> {
        let media = &self.media[stream];
        let (payload_type, codec) = chosen.ok_or_else(|| SdpError::NoCommonCodec {
            wanted: wanted.iter().map(|codec| codec.name()).collect::<Vec<_>>().join(", "),
        })?;
        let address = media.connection.filter(|address| match address {
            std::net::IpAddr::V4(v4) => !v4.is_multicast() && !v4.is_broadcast(),
            std::net::IpAddr::V6(v6) => !v6.is_multicast(),
        });
        let address = address.ok_or(SdpError::Address)?;
        let mut direction = media.direction.mirrored();
        if address.is_unspecified() {
            // The hold of RFC 2543, which RFC 3264 section 8.4 still asks us to understand.
            direction = Direction::of(false, direction.receives());
        }
        Ok(Negotiated {
            codec,
            payload_type,
            digits: media.digits(codec.clock_rate()),
            remote: SocketAddr::new(address, media.port),
            direction,
            ptime: media.ptime,
            offer: self.clone(),
            stream,
        })
    }

    /// Finds the first audio stream this side can carry.
    fn audio(&self) -> Result<usize, SdpError> {
        let mut refusal = SdpError::NoAudio;
        for (index, media) in self.media.iter().enumerate() {
            if media.kind != "audio" {
                continue;
            }
            if media.port != 0 && media.protocol.eq_ignore_ascii_case("RTP/AVP") {
                return Ok(index);
            }
            if refusal == SdpError::NoAudio {
                refusal = if media.port == 0 {
                    SdpError::AudioRefused
                } else {
                    SdpError::Transport { protocol: media.protocol.clone() }
                };
            }
        }
        Err(refusal)
    }
}

impl Media {
    /// Lists the codecs known here with their payload types, in the peer's order.
    fn codecs(&self) -> Vec<(u8, Codec)> {
        self.payload_types()
            .filter_map(|payload_type| {
                let codec = match self.map(payload_type) {
                    Some(map) => Codec::from_rtpmap(&map.name, map.clock_rate, map.channels),
                    None => Codec::from_static(payload_type),
                };
                Some((payload_type, codec?))
            })
            .collect()
    }

    /// Finds the payload type of digits on the codec's clock (RFC 4733 section 2.1 has them share it).
    fn digits(&self, clock_rate: u32) -> Option<u8> {
        self.payload_types().find(|payload_type| {
            self.map(*payload_type)
                .is_some_and(|map| map.name.eq_ignore_ascii_case("telephone-event") && map.clock_rate == clock_rate)
        })
    }

    fn payload_types(&self) -> impl Iterator<Item = u8> {
        self.formats.iter().filter_map(|format| format.parse().ok()).filter(|payload_type| *payload_type < 128)
    }

    fn map(&self, payload_type: u8) -> Option<&Map> {
        self.maps.iter().find(|map| map.payload_type == payload_type)
    }
}

#[cfg(test)]
mod tests;
