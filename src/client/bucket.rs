//! How fast may the clones of a client call together?
//!
//! A token bucket that nobody has to size. It is open until the far side first says that calls come too fast (429).
//! From then on each call takes a token, and the rate at which tokens come is learned as TCP learns its own
//! (RFC 5681 section 3.1): halved at each refusal, one call a second more for each second without one, until it
//! matters no more and the bucket is open again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The slowest rate, as a multiple of the first wait between two attempts: a call a second where that is 250 ms.
/// What is slower than this, the far side says by `Retry-After`.
const SLOWEST_IN_BACKOFFS: u32 = 4;
/// The rate, in calls a second, from which on nothing is held back: more than one connection carries.
const OPEN: f64 = 1_000.0;
/// How long calls are counted to learn how fast they were.
const WINDOW: Duration = Duration::from_secs(1);

/// The bucket of a client and all its clones.
#[derive(Debug, Clone, Default)]
pub(super) struct Bucket {
    state: Arc<Mutex<State>>,
}

/// When a call was let out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(Instant);

#[derive(Debug, Default)]
struct State {
    /// Calls a second; none while the bucket is open.
    rate: Option<f64>,
    /// Tokens at `filled`; below zero they are promised to calls that wait.
    tokens: f64,
    filled: Option<Instant>,
    /// When it was last made slower.
    slowed: Option<Instant>,
    /// Since when calls are counted, and how many they are; and how many there were in the window before.
    counting: Option<Instant>,
    counted: u32,
    before: u32,
}

impl Bucket {
    /// Takes a token, and says how long to wait before the call goes out.
    pub fn take(&self, now: Instant) -> (Ticket, Duration) {
        let wait = self.with(|state| state.take(now));
        (Ticket(now + wait), wait)
    }

    /// Hears that a call was answered, and not because it came too fast.
    pub fn answered(&self) {
        self.with(State::answered);
    }

    /// Hears that a call was refused for coming too fast, and how long the far side asks to wait. `backoff` is the
    /// first wait between two attempts.
    pub fn refused(&self, ticket: Ticket, now: Instant, asked: Option<Duration>, backoff: Duration) {
        self.with(|state| state.refused(ticket, now, asked, backoff));
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn take(&mut self, now: Instant) -> Duration {
        self.count(now);
        let Some(rate) = self.rate else { return Duration::ZERO };
        self.refill(now);
        self.tokens -= 1.0;
        // Until `filled`, where it lies ahead, nothing comes in at all.
        let closed = self.filled.map_or(Duration::ZERO, |filled| filled.saturating_duration_since(now));
        closed + Duration::from_secs_f64((-self.tokens).max(0.0) / rate)
    }

    /// Puts in what came since the last time.
    fn refill(&mut self, now: Instant) {
        let Some(since) = now.checked_duration_since(self.filled.unwrap_or(now)) else { return };
        if let Some(rate) = self.rate {
            // A second's worth at most, so that a pause is not followed by a flood.
            self.tokens = (self.tokens + since.as_secs_f64() * rate).min(rate.max(1.0));
        }
        self.filled = Some(now);
    }

    fn answered(&mut self) {
        if let Some(rate) = self.rate {
            let faster = rate + 1.0 / rate;
            self.rate = (faster < OPEN).then_some(faster);
        }
    }

    fn refused(&mut self, ticket: Ticket, now: Instant, asked: Option<Duration>, backoff: Duration) {
        self.refill(now);
        // Calls that were under way together are refused together; that is one refusal.
        if self.slowed.is_none_or(|slowed| ticket.0 > slowed) {
            let slowest = 1.0 / (SLOWEST_IN_BACKOFFS * backoff).as_secs_f64().max(1.0 / OPEN);
            let rate = self.rate.unwrap_or_else(|| f64::from(self.before.max(self.counted)));
            self.rate = Some((rate / 2.0).max(slowest));
            // What is promised stays promised.
            self.tokens = self.tokens.min(0.0);
            self.slowed = Some(now);
            tracing::debug!(rate = self.rate, "the far side asks for fewer calls, and gets them");
        }
        let opens = now + asked.unwrap_or_default();
        if self.filled.is_none_or(|filled| filled < opens) {
            self.filled = Some(opens);
        }
    }

    fn count(&mut self, now: Instant) {
        match self.counting {
            Some(since) if now.saturating_duration_since(since) < WINDOW => self.counted += 1,
            since => {
                // A window that ended long ago says nothing of now.
                let recent = since.is_some_and(|since| now.saturating_duration_since(since) < 2 * WINDOW);
                self.before = if recent { self.counted } else { 0 };
                (self.counting, self.counted) = (Some(now), 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Duration = Duration::from_millis(250);

    /// Takes as many tokens as are to be had without waiting in these milliseconds, and answers the last ticket.
    fn rush(bucket: &Bucket, start: Instant, millis: u64) -> (u32, Ticket) {
        let mut done = 0;
        let mut last = Ticket(start);
        for at in 0..millis {
            let (ticket, wait) = bucket.take(start + Duration::from_millis(at));
            if wait.is_zero() {
                (done, last) = (done + 1, ticket);
            }
        }
        (done, last)
    }

    #[test]
    fn an_open_bucket_holds_nothing_back() {
        assert_eq!(rush(&Bucket::default(), Instant::now(), 3_000).0, 3_000);
    }

    #[test]
    fn a_refusal_halves_what_was_sent_and_is_counted_once() {
        let (bucket, start) = (Bucket::default(), Instant::now());
        let (_, ticket) = rush(&bucket, start, 100);
        let now = start + Duration::from_millis(100);
        for _ in 0..5 {
            bucket.refused(ticket, now, None, BACKOFF);
        }
        assert_eq!(bucket.with(|state| state.rate), Some(50.0));
        let waits: Vec<Duration> = (0..3).map(|_| bucket.take(now).1).collect();
        assert_eq!(waits, [20, 40, 60].map(Duration::from_millis));
        // A call that went out after that says something new.
        let (ticket, wait) = bucket.take(now);
        bucket.refused(ticket, now + wait, None, BACKOFF);
        assert_eq!(bucket.with(|state| state.rate), Some(25.0));
    }

    #[test]
    fn every_clone_waits_until_the_far_side_opens() {
        let (bucket, now) = (Bucket::default(), Instant::now());
        let (ticket, _) = bucket.take(now);
        bucket.refused(ticket, now + Duration::from_millis(1), Some(Duration::from_secs(7)), BACKOFF);
        let wait = bucket.clone().take(now + Duration::from_secs(1)).1;
        assert!(wait >= Duration::from_secs(6) && wait < Duration::from_secs(8), "{wait:?}");
    }

    #[test]
    fn it_never_slows_below_its_floor_and_recovers() {
        let (bucket, mut now) = (Bucket::default(), Instant::now());
        for _ in 0..20 {
            let (ticket, wait) = bucket.take(now);
            now += wait + Duration::from_millis(1);
            bucket.refused(ticket, now, None, BACKOFF);
        }
        assert_eq!(bucket.with(|state| state.rate), Some(1.0));
        // One more a second for each second without a refusal, as TCP does.
        let start = now;
        while now < start + Duration::from_secs(10) {
            now += bucket.take(now).1;
            bucket.answered();
        }
        let rate = bucket.with(|state| state.rate).unwrap();
        assert!((9.0..13.0).contains(&rate), "{rate}");
        while bucket.with(|state| state.rate.is_some()) {
            bucket.answered();
        }
        assert_eq!(bucket.take(now).1, Duration::ZERO);
    }
}
