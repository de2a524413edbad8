//! How many requests may a key make?
//!
//! A token bucket for each API key: so many requests a second for ever, and so many at once after a pause. Only keys
//! that signed a valid token get one, so strangers cannot fill the memory with buckets.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Requests a second that a key may make in the long run. The contract states none; `apply` of ten thousand rules
/// should not have to wait, and one key should not keep the others out.
const PER_SECOND: u32 = 1000;

/// Requests that a key may make at once.
const BURST: u32 = 2000;

/// What each key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second in the long run; 0 for no limit.
    pub per_second: u32,
    /// Requests at once, after a pause.
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_second: PER_SECOND, burst: BURST }
    }
}

/// Counts the requests of each key.
pub(super) struct Limiter {
    limits: Limits,
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Limiter {
    pub fn new(limits: Limits) -> Self {
        Self { limits, buckets: Mutex::default() }
    }

    /// Lets a request of a key pass, or says in how many seconds the next one may.
    pub fn admit(&self, key: &str, now: Instant) -> Result<(), u64> {
        let Limits { per_second: rate @ 1.., burst } = self.limits else { return Ok(()) };
        let (rate, full) = (f64::from(rate), f64::from(burst.max(1)));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(key.to_owned()).or_insert(Bucket { tokens: full, at: now });
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * rate).min(full);
        bucket.at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        // At least a second: the header has no smaller unit.
        Err((((1.0 - bucket.tokens) / rate).ceil() as u64).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_key_may_burst_and_then_has_its_rate() {
        let limiter = Limiter::new(Limits { per_second: 2, burst: 3 });
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(limiter.admit("a", start), Ok(()));
        }
        assert_eq!(limiter.admit("a", start), Err(1));
        // Each key has its own.
        assert_eq!(limiter.admit("b", start), Ok(()));
        let later = start + Duration::from_secs(1);
        assert_eq!([(); 3].map(|()| limiter.admit("a", later)), [Ok(()), Ok(()), Err(1)]);
        let much_later = start + Duration::from_secs(3600);
        assert_eq!((0..4).filter(|_| limiter.admit("a", much_later).is_ok()).count(), 3);
        // A clock that goes back gives nothing and takes nothing.
        assert_eq!(limiter.admit("a", start), Err(1));
    }

    #[test]
    fn no_limit_is_no_limit() {
        let limiter = Limiter::new(Limits { per_second: 0, burst: 0 });
        assert!((0..10_000).all(|_| limiter.admit("a", Instant::now()).is_ok()));
    }
}
