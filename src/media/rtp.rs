//! What does an RTP packet say?
//!
//! The fixed header of RFC 3550 section 5.1. Contributing sources, header extensions and padding are
//! stepped over when read and never written.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

/// Length of the header this module writes: no contributing sources, no extension.
pub const HEADER_LENGTH: usize = 12;

/// The one version in use (RFC 3550 section 5.1).
const VERSION: u8 = 2;

/// Holds what a packet's fixed header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Marks the first packet after a silence (RFC 3551 section 4.1) or the start of an event (RFC 4733 section 2.1).
    pub marker: bool,
    /// Says how the payload is written; seven bits.
    pub payload_type: u8,
    /// Counts packets, wrapping.
    pub sequence: u16,
    /// Places the first sample on the sender's clock, wrapping.
    pub timestamp: u32,
    /// Names the sender.
    pub ssrc: u32,
}

/// Holds a header and the payload after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What the fixed header says.
    pub header: Header,
    /// The payload, without padding.
    pub payload: &'a [u8],
}

/// Says why some bytes are no RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtpError {
    /// The header, its sources or its extension go on past the end.
    #[error("the RTP packet ends before its header does")]
    Short,
    /// The version is not 2: STUN, DTLS or noise.
    #[error("the RTP version is {0}, not 2")]
    Version(u8),
    /// The last byte claims more padding than there is, or none at all.
    #[error("the RTP padding does not fit the packet")]
    Padding,
}

impl<'a> Packet<'a> {
    /// Reads a packet.
    pub fn parse(bytes: &'a [u8]) -> Result<Packet<'a>, RtpError> {
        let (fixed, mut rest) = bytes.split_first_chunk::<HEADER_LENGTH>().ok_or(RtpError::Short)?;
        let version = fixed[0] >> 6;
        if version != VERSION {
            return Err(RtpError::Version(version));
        }
        let header = Header {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7f,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
        };

        let sources = usize::from(fixed[0] & 0x0f) * 4;
        rest = rest.get(sources..).ok_or(RtpError::Short)?;

        if fixed[0] & 0x10 != 0 {
            // RFC 3550 section 5.3.1: 16 bits for the profile, 16 bits counting 32-bit words.
            let (extension, after) = rest.split_first_chunk::<4>().ok_or(RtpError::Short)?;
            let words = usize::from(u16::from_be_bytes([extension[2], extension[3]]));
            rest = after.get(words * 4..).ok_or(RtpError::Short)?;
        }

        if fixed[0] & 0x20 != 0 {
            // The last byte counts the padding, itself included.
            let padding = usize::from(*rest.last().ok_or(RtpError::Padding)?);
            if padding == 0 || padding > rest.len() {
                return Err(RtpError::Padding);
            }
            rest = &rest[..rest.len() - padding];
        }

        Ok(Packet { header, payload: rest })
    }
}

impl Header {
    /// Writes the header; the payload follows it.
    pub fn print(&self) -> [u8; HEADER_LENGTH] {
        let mut bytes = [0; HEADER_LENGTH];
        bytes[0] = VERSION << 6;
        bytes[1] = u8::from(self.marker) << 7 | self.payload_type & 0x7f;
        bytes[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: Header =
        Header { marker: true, payload_type: 8, sequence: 0xfffe, timestamp: 0x0102_0304, ssrc: 0xdead_beef };

    #[test]
    fn sources_extension_and_padding_are_stepped_over() {
        let mut bytes = HEADER.print().to_vec();
        bytes[0] |= 0x20 | 0x10 | 2;
        bytes.extend([0; 8]); // two contributing sources
        bytes.extend([0xbe, 0xde, 0, 1, 9, 9, 9, 9]); // one word of extension
        bytes.extend(*b"sound");
        bytes.extend([0, 0, 3]); // padding
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(packet.header, HEADER);
        assert_eq!(packet.payload, b"sound");
    }

    #[test]
    fn malformed_packets_are_errors() {
        let good = HEADER.print();
        assert_eq!(Packet::parse(&good[..11]), Err(RtpError::Short));
        assert_eq!(Packet::parse(&[]), Err(RtpError::Short));

        let with = |bits: u8, tail: &[u8]| {
            let mut bytes = good.to_vec();
            bytes[0] |= bits;
            bytes.extend(tail);
            bytes
        };
        assert_eq!(Packet::parse(&with(0x01, &[0; 3])), Err(RtpError::Short));
        assert_eq!(Packet::parse(&with(0x10, &[0; 3])), Err(RtpError::Short));
        assert_eq!(Packet::parse(&with(0x10, &[0, 0, 0xff, 0xff])), Err(RtpError::Short));
        assert_eq!(Packet::parse(&with(0x20, &[])), Err(RtpError::Padding));
        assert_eq!(Packet::parse(&with(0x20, &[0])), Err(RtpError::Padding));
        assert_eq!(Packet::parse(&with(0x20, &[1, 4])), Err(RtpError::Padding));

        // A STUN binding request.
        assert_eq!(Packet::parse(&[0; 20]), Err(RtpError::Version(0)));
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_back(
            marker: bool, payload_type in 0..128u8, sequence: u16, timestamp: u32, ssrc: u32, payload: Vec<u8>,
        ) {
            let header = Header { marker, payload_type, sequence, timestamp, ssrc };
            let mut bytes = header.print().to_vec();
            bytes.extend(&payload);
            prop_assert_eq!(Packet::parse(&bytes), Ok(Packet { header, payload: &payload }));
        }

        #[test]
        fn any_bytes_are_a_packet_or_an_error(mut bytes: Vec<u8>, rtp: bool) {
            if let (true, Some(first)) = (rtp, bytes.first_mut()) {
                *first = VERSION << 6 | *first & 0x3f;
            }
            if let Ok(packet) = Packet::parse(&bytes) {
                prop_assert!(packet.payload.len() + HEADER_LENGTH <= bytes.len());
            }
        }
    }
}
