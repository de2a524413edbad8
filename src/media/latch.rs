//! From whom is this stream's sound?
//!
//! Behind a NAT the address in the SDP is not the one packets come from, so the first valid packet
//! tells (symmetric RTP, RFC 4961; latching as in RFC 7362 section 4). That is also how a stranger
//! could take over a call, so once told, the source stays: another may follow only when the first has
//! fallen silent, or when it is the very address the SDP named.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Silence after which another source may take over: long against jitter, short against a phone that
/// changed its network.
const SILENT: Duration = Duration::from_secs(1);

/// Packets in a row with a new SSRC from the same address before it is believed: one could be a stray.
const NEW_SENDER_PACKETS: u8 = 2;

/// Says whether a packet belongs to the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is from the known source.
    Known,
    /// It is from a source or sender just accepted; packets go back to where it came from.
    Accepted,
    /// It is from a stranger and is to be ignored.
    Refused,
}

/// Remembers the one source a stream listens to.
#[derive(Clone, Debug)]
pub struct Latch {
    signalled: SocketAddr,
    source: Option<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    address: SocketAddr,
    ssrc: u32,
    heard: Instant,
    /// A sender that may replace this one, and its packets in a row.
    candidate: Option<(u32, u8)>,
}

impl Latch {
    /// Begins with the address the SDP named.
    pub fn new(signalled: SocketAddr) -> Latch {
        Latch { signalled, source: None }
    }

    /// Decides about a packet.
    pub fn admit(&mut self, from: SocketAddr, ssrc: u32, now: Instant) -> Admission {
        let signalled = self.signalled;
        let Some(source) = &mut self.source else {
            return self.accept(from, ssrc, now);
        };
        let silent = now.saturating_duration_since(source.heard) > SILENT;
        if from != source.address {
            return if silent || from == signalled { self.accept(from, ssrc, now) } else { Admission::Refused };
        }
        if ssrc == source.ssrc {
            source.heard = now;
            source.candidate = None;
            return Admission::Known;
        }
        let packets = match source.candidate {
            Some((candidate, packets)) if candidate == ssrc => packets + 1,
            _ => 1,
        };
        if silent || packets >= NEW_SENDER_PACKETS {
            return self.accept(from, ssrc, now);
        }
        source.candidate = Some((ssrc, packets));
        Admission::Refused
    }

    /// Gives the address to send to: the source once heard, until then what the SDP named.
    pub fn remote(&self) -> SocketAddr {
        self.source.as_ref().map_or(self.signalled, |source| source.address)
    }

    /// Follows a new SDP. The same address keeps its source; another one begins anew.
    pub fn signal(&mut self, signalled: SocketAddr) {
        if signalled != self.signalled {
            *self = Latch::new(signalled);
        }
    }

    fn accept(&mut self, address: SocketAddr, ssrc: u32, now: Instant) -> Admission {
        self.source = Some(Source { address, ssrc, heard: now, candidate: None });
        Admission::Accepted
    }
}

// A test may begin at any moment.
#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    const PHONE: u32 = 1;

    /// A latch that heard the phone from port 2, where the SDP named port 1.
    fn latched(now: Instant) -> Latch {
        let mut latch = Latch::new(address(1));
        assert_eq!(latch.remote(), address(1));
        assert_eq!(latch.admit(address(2), PHONE, now), Admission::Accepted);
        assert_eq!(latch.admit(address(2), PHONE, now), Admission::Known);
        assert_eq!(latch.remote(), address(2));
        latch
    }

    #[test]
    fn a_stranger_is_refused_while_the_source_speaks() {
        let now = Instant::now();
        let mut latch = latched(now);
        let later = now + SILENT;
        assert_eq!(latch.admit(address(3), PHONE, later), Admission::Refused);
        assert_eq!(latch.admit(address(3), 99, later), Admission::Refused);
        assert_eq!(latch.remote(), address(2));
    }

    #[test]
    fn another_source_follows_one_that_fell_silent() {
        let now = Instant::now();
        let mut latch = latched(now);
        let later = now + SILENT + Duration::from_millis(1);
        assert_eq!(latch.admit(address(3), 99, later), Admission::Accepted);
        assert_eq!(latch.remote(), address(3));
        assert_eq!(latch.admit(address(2), PHONE, later), Admission::Refused);
    }

    #[test]
    fn the_signalled_address_takes_over_at_once() {
        let now = Instant::now();
        let mut latch = latched(now);
        assert_eq!(latch.admit(address(1), 5, now), Admission::Accepted);
        assert_eq!(latch.remote(), address(1));
    }

    #[test]
    fn a_new_sender_at_the_same_address_needs_two_packets_in_a_row() {
        let now = Instant::now();
        let mut latch = latched(now);
        assert_eq!(latch.admit(address(2), 7, now), Admission::Refused);
        assert_eq!(latch.admit(address(2), PHONE, now), Admission::Known);
        assert_eq!(latch.admit(address(2), 7, now), Admission::Refused);
        assert_eq!(latch.admit(address(2), 7, now), Admission::Accepted);
        assert_eq!(latch.admit(address(2), 7, now), Admission::Known);
    }

    #[test]
    fn a_new_address_in_the_sdp_begins_anew() {
        let now = Instant::now();
        let mut latch = latched(now);
        latch.signal(address(1));
        assert_eq!(latch.remote(), address(2));
        latch.signal(address(8));
        assert_eq!(latch.remote(), address(8));
        assert_eq!(latch.admit(address(9), 7, now), Admission::Accepted);
    }
}
