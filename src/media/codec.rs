//! How does a sample look on the wire?
//!
//! G.711 by arithmetic and table, equal to the ITU-T reference (G.191 software tools library,
//! `g711.c`): negative samples are compressed from their ones' complement. Both laws are memoryless,
//! so payloads of any length decode in any order.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use super::frame::{Frame, SAMPLE_RATE};

/// Names a way to write sound into RTP payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    /// G.711 with the µ-law of North America and Japan.
    Pcmu,
    /// G.711 with the A-law of the rest of the world.
    Pcma,
}

impl Codec {
    /// Lists every codec, in the order preferred when nobody says otherwise.
    pub const ALL: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

    /// Gives the static payload type (RFC 3551 section 6, table 4).
    pub const fn payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }

    /// Gives the encoding name written in `a=rtpmap`.
    pub const fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }

    /// Gives the RTP clock rate written in `a=rtpmap`.
    pub const fn clock_rate(self) -> u32 {
        SAMPLE_RATE
    }

    /// Finds the codec of an `a=rtpmap` line; encoding names compare without case (RFC 8866 section 6.6).
    pub fn from_rtpmap(name: &str, clock_rate: u32, channels: u8) -> Option<Codec> {
        Codec::ALL
            .into_iter()
            .find(|codec| codec.name().eq_ignore_ascii_case(name) && codec.clock_rate() == clock_rate && channels == 1)
    }

    /// Finds the codec a payload type means when no `a=rtpmap` says so.
    pub fn from_static(payload_type: u8) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| codec.payload_type() == payload_type)
    }

    /// Appends the encoded frame to `payload`.
    pub fn encode(self, frame: &Frame, payload: &mut Vec<u8>) {
        match self {
            Codec::Pcmu => payload.extend(frame.iter().map(|&sample| compress_mu(sample))),
            Codec::Pcma => payload.extend(frame.iter().map(|&sample| compress_a(sample))),
        }
    }

    /// Appends the samples of a payload of any length to `samples`.
    pub fn decode(self, payload: &[u8], samples: &mut Vec<i16>) {
        let table = match self {
            Codec::Pcmu => &MU_LAW,
            Codec::Pcma => &A_LAW,
        };
        samples.extend(payload.iter().map(|&byte| table[usize::from(byte)]));
    }
}

static MU_LAW: [i16; 256] = mu_law();
static A_LAW: [i16; 256] = a_law();

const fn mu_law() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = expand_mu(byte as u8);
        byte += 1;
    }
    table
}

const fn a_law() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = expand_a(byte as u8);
        byte += 1;
    }
    table
}

/// Added to the 14-bit magnitude so that every µ-law segment begins at a power of two (G.711, table 2).
const MU_BIAS: i32 = 33;

const fn expand_mu(byte: u8) -> i16 {
    let bits = !byte;
    let segment = (bits >> 4) & 0x07;
    let step = ((bits & 0x0f) as i32) << 1;
    // The middle of the decision interval, in 14 bits, then moved to the top of 16.
    let magnitude = (((step + MU_BIAS) << segment) - MU_BIAS) << 2;
    if byte & 0x80 == 0 { -magnitude as i16 } else { magnitude as i16 }
}

fn compress_mu(sample: i16) -> u8 {
    let (magnitude, sign) = if sample < 0 { (!sample >> 2, 0x00) } else { (sample >> 2, 0x80) };
    // 0x1fff is the virtual decision value that ends the eighth segment.
    let biased = (i32::from(magnitude) + MU_BIAS).min(0x1fff) as u16;
    // Bias makes bit 5 the lowest leading bit, so at most ten zeros stand before it.
    let segment = 10 - biased.leading_zeros() as u16;
    let step = (biased >> (segment + 1)) & 0x0f;
    sign | (0x7f - ((segment << 4) | step)) as u8
}

/// A-law inverts every even bit, which keeps the line busy in silence (G.711, table 1 note 2).
const A_INVERT: u8 = 0x55;

const fn expand_a(byte: u8) -> i16 {
    let bits = (byte ^ A_INVERT) & 0x7f;
    let segment = bits >> 4;
    let step = (bits & 0x0f) as i32;
    let magnitude = if segment == 0 { (step << 4) + 8 } else { (((step + 16) << 4) + 8) << (segment - 1) };
    if byte & 0x80 == 0 { -magnitude as i16 } else { magnitude as i16 }
}

fn compress_a(sample: i16) -> u8 {
    let (magnitude, sign) = if sample < 0 { ((!sample >> 4) as u16, 0x00) } else { ((sample >> 4) as u16, 0x80) };
    // Eleven bits: below 32 the law is linear, above that each segment doubles.
    let bits = if magnitude < 32 {
        magnitude
    } else {
        let segment = 12 - magnitude.leading_zeros() as u16;
        (segment << 4) + ((magnitude >> (segment - 1)) & 0x0f)
    };
    (sign | bits as u8) ^ A_INVERT
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a, to compare whole tables with values computed elsewhere.
    fn digest(bytes: impl IntoIterator<Item = u8>) -> u64 {
        bytes
            .into_iter()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }

    #[test]
    fn known_vectors_of_the_expansion() {
        for (byte, sample) in [(0x00, -32124), (0x80, 32124), (0x7e, -8), (0xff, 0)] {
            assert_eq!(MU_LAW[byte], sample, "µ-law {byte:#x}");
        }
        for (byte, sample) in [(0xd5, 8), (0x55, -8), (0x00, -5504), (0xff, 848)] {
            assert_eq!(A_LAW[byte], sample, "A-law {byte:#x}");
        }
    }

    #[test]
    fn known_vectors_of_the_compression() {
        let mu = [(0, 0xff), (-1, 0x7f), (1000, 0xce), (-1000, 0x4e), (32767, 0x80), (-32768, 0x00)];
        for (sample, byte) in mu {
            assert_eq!(compress_mu(sample), byte, "µ-law {sample}");
        }
        let a = [(0, 0xd5), (-1, 0x55), (1000, 0xfa), (-1000, 0x7a), (32767, 0xaa), (-32768, 0x2a)];
        for (sample, byte) in a {
            assert_eq!(compress_a(sample), byte, "A-law {sample}");
        }
    }

    /// The expansions equal those of Python's `audioop` in all 256 places.
    #[test]
    fn the_expansions_equal_another_implementation() {
        let bytes = |table: &[i16; 256]| table.map(i16::to_le_bytes).concat();
        assert_eq!(digest(bytes(&MU_LAW)), 0xb91e_65d6_8481_a1a8);
        assert_eq!(digest(bytes(&A_LAW)), 0x693a_40ca_62a3_d2a5);
    }

    /// The compressions equal a literal port of G.191's `ulaw_compress` and `alaw_compress` in all 65,536 places.
    #[test]
    fn the_compressions_equal_the_reference() {
        let mu = (i16::MIN..=i16::MAX).map(compress_mu);
        assert_eq!(digest(mu), 0x04ec_1f08_3fd7_8c2d);
        let a = (i16::MIN..=i16::MAX).map(compress_a);
        assert_eq!(digest(a), 0xf030_666e_b780_cf25);
    }

    #[test]
    fn every_byte_survives_expansion_and_compression() {
        for byte in 0..=255u8 {
            // µ-law has two zeros; the negative one comes back as the positive.
            let expected = if byte == 0x7f { 0xff } else { byte };
            assert_eq!(compress_mu(MU_LAW[usize::from(byte)]), expected);
            assert_eq!(compress_a(A_LAW[usize::from(byte)]), byte);
        }
    }

    #[test]
    fn frames_keep_their_shape() {
        let frame: Frame = std::array::from_fn(|index| (index as i16 - 80) * 200);
        for codec in Codec::ALL {
            let mut payload = Vec::new();
            codec.encode(&frame, &mut payload);
            assert_eq!(payload.len(), frame.len());
            let mut samples = Vec::new();
            codec.decode(&payload, &mut samples);
            for (was, is) in frame.iter().zip(&samples) {
                let error = (i32::from(*was) - i32::from(*is)).abs();
                assert!(error <= i32::from(*was).abs() / 16 + 16, "{codec:?} {was} became {is}");
            }
        }
    }

    #[test]
    fn codecs_are_found_by_name_and_number() {
        assert_eq!(Codec::from_rtpmap("pcmu", 8000, 1), Some(Codec::Pcmu));
        assert_eq!(Codec::from_rtpmap("PCMA", 8000, 1), Some(Codec::Pcma));
        assert_eq!(Codec::from_rtpmap("PCMA", 16000, 1), None);
        assert_eq!(Codec::from_rtpmap("PCMU", 8000, 2), None);
        assert_eq!(Codec::from_static(8), Some(Codec::Pcma));
        assert_eq!(Codec::from_static(9), None);
    }
}
