//! Which RTP port is free?
//!
//! RTP uses even ports; the odd one above is left to RTCP (RFC 3550 section 11). A returned port rests,
//! because the peer of the last call may still send to it, and the next caller must not hear that.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use rand::Rng;
use rand::seq::SliceRandom;

/// The ports used when nothing else is configured: 5,001 calls.
pub const DEFAULT_PORTS: RangeInclusive<u16> = 10_000..=20_000;

/// How long a returned port rests. A peer that missed the BYE's answer repeats it for 32 s at most
/// (RFC 3261, timer F), but its sound ends with the first BYE; 5 s covers a slow path.
pub const QUARANTINE: Duration = Duration::from_secs(5);

/// Says why there is no port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// The range holds no even port.
    #[error("the RTP port range {first}-{last} holds no even port")]
    EmptyRange {
        /// First port of the range.
        first: u16,
        /// Last port of the range.
        last: u16,
    },
    /// Every port is in use or resting.
    #[error("all {total} RTP ports are in use or resting")]
    Exhausted {
        /// How many ports the range holds.
        total: usize,
    },
}

/// Keeps the free and the resting ports of a range.
#[derive(Clone, Debug)]
pub struct PortPool {
    total: usize,
    free: VecDeque<u16>,
    /// Returned ports with the end of their rest, soonest first.
    resting: VecDeque<(Instant, u16)>,
}

impl PortPool {
    /// Takes the even ports of a range, in an order an outsider cannot guess.
    pub fn new(range: RangeInclusive<u16>, random: &mut impl Rng) -> Result<PortPool, PortError> {
        let (first, last) = (*range.start(), *range.end());
        // Port 0 asks the system for any port, and in SDP it refuses a stream.
        let mut ports: Vec<u16> = range.filter(|port| *port != 0 && port % 2 == 0).collect();
        if ports.is_empty() {
            return Err(PortError::EmptyRange { first, last });
        }
        ports.shuffle(random);
        Ok(PortPool { total: ports.len(), free: ports.into(), resting: VecDeque::new() })
    }

    /// Takes the port that has been free for longest.
    pub fn lease(&mut self, now: Instant) -> Result<u16, PortError> {
        while let Some((_, port)) = self.resting.front().filter(|(until, _)| *until <= now) {
            self.free.push_back(*port);
            self.resting.pop_front();
        }
        self.free.pop_front().ok_or(PortError::Exhausted { total: self.total })
    }

    /// Takes a port back and lets it rest.
    pub fn release(&mut self, port: u16, now: Instant) {
        self.resting.push_back((now + QUARANTINE, port));
    }

    /// Counts the ports in use.
    pub fn in_use(&self) -> usize {
        self.total - self.free.len() - self.resting.len()
    }

    /// Counts the ports of the range.
    pub fn total(&self) -> usize {
        self.total
    }
}

// A test may begin at any moment.
#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn pool(range: RangeInclusive<u16>) -> Result<PortPool, PortError> {
        PortPool::new(range, &mut StdRng::seed_from_u64(7))
    }

    #[test]
    fn every_even_port_is_leased_once_and_then_none_is_left() {
        let now = Instant::now();
        let mut pool = pool(20_001..=20_008).unwrap();
        let mut ports: Vec<_> = (0..4).map(|_| pool.lease(now).unwrap()).collect();
        ports.sort_unstable();
        assert_eq!(ports, [20_002, 20_004, 20_006, 20_008]);
        assert_eq!(pool.lease(now), Err(PortError::Exhausted { total: 4 }));
        assert_eq!(pool.in_use(), 4);
    }

    #[test]
    fn a_returned_port_rests() {
        let now = Instant::now();
        let mut pool = pool(20_000..=20_000).unwrap();
        let port = pool.lease(now).unwrap();
        pool.release(port, now);
        assert_eq!(pool.in_use(), 0);
        let early = now + QUARANTINE - Duration::from_millis(1);
        assert_eq!(pool.lease(early), Err(PortError::Exhausted { total: 1 }));
        assert_eq!(pool.lease(now + QUARANTINE), Ok(20_000));
    }

    #[test]
    fn the_edges_of_the_port_space_are_kept() {
        assert_eq!(pool(65_535..=65_535).unwrap_err(), PortError::EmptyRange { first: 65_535, last: 65_535 });
        assert_eq!(pool(0..=2).unwrap().total(), 1);
        assert_eq!(pool(65_530..=65_535).unwrap().total(), 3);
        assert_eq!(pool(DEFAULT_PORTS).unwrap().total(), 5_001);
    }
}
