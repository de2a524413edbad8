//! When is a call tried again, and after how long?

use std::time::Duration;

use rand::Rng;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::ClientError;

/// How often a call is tried in all.
const ATTEMPTS: u32 = 4;
/// The wait before the second attempt; it doubles before each further one.
const BASE: Duration = Duration::from_millis(250);
/// The longest wait of our own choice.
const LONGEST: Duration = Duration::from_secs(10);
/// The longest wait that the far side may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// What came of one attempt.
pub(super) enum Outcome {
    /// Nothing was sent: the call has certainly not been carried out.
    NotSent(ClientError),
    /// It was sent, or a part of it, and no whole answer came: the call may have been carried out.
    Lost(ClientError),
    /// Trying again would fail in the same way.
    Failed(ClientError),
    /// There is an answer.
    Answered {
        /// Its status.
        status: StatusCode,
        /// Its headers.
        headers: HeaderMap,
        /// Its body.
        body: Vec<u8>,
    },
}

/// How long to wait between attempts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The wait before the second attempt.
    pub base: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { base: BASE }
    }
}

impl Pace {
    /// The wait before the next attempt, if there is to be one.
    ///
    /// | outcome | tried again |
    /// | --- | --- |
    /// | not sent, or 429 | every call |
    /// | lost, or 5xx | only a call that does no more when it is repeated |
    pub(super) fn again(&self, outcome: &Outcome, attempt: u32, idempotent: bool) -> Option<Duration> {
        if attempt >= ATTEMPTS {
            return None;
        }
        let own = self.jittered(attempt);
        match outcome {
            Outcome::Failed(_) => None,
            Outcome::NotSent(_) => Some(own),
            Outcome::Lost(_) => idempotent.then_some(own),
            Outcome::Answered { status, headers, .. } => {
                let repeat = *status == StatusCode::TOO_MANY_REQUESTS || (status.is_server_error() && idempotent);
                repeat.then(|| asked(headers).unwrap_or(own))
            }
        }
    }

    /// Between half and the whole of the doubled base, so that clients that failed together come apart.
    fn jittered(&self, attempt: u32) -> Duration {
        let whole = self.base.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST);
        whole.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

/// The wait that the far side asks for, in seconds; its other form, a date, is not documented and not read.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, after: Option<&str>) -> Outcome {
        let mut headers = HeaderMap::new();
        if let Some(after) = after {
            headers.insert(RETRY_AFTER, after.parse().unwrap());
        }
        Outcome::Answered { status: StatusCode::from_u16(status).unwrap(), headers, body: Vec::new() }
    }

    fn failure() -> ClientError {
        ClientError::BadToken { why: String::new() }
    }

    #[test]
    fn only_what_is_safe_is_repeated() {
        let pace = Pace::default();
        let again = |outcome: Outcome, idempotent| pace.again(&outcome, 1, idempotent).is_some();
        for idempotent in [false, true] {
            assert!(again(Outcome::NotSent(failure()), idempotent));
            assert!(again(answered(429, None), idempotent));
            assert!(!again(Outcome::Failed(failure()), idempotent));
            assert!(!again(answered(400, None), idempotent));
            assert!(!again(answered(200, None), idempotent));
            assert_eq!(again(Outcome::Lost(failure()), idempotent), idempotent);
            assert_eq!(again(answered(503, None), idempotent), idempotent);
        }
        assert!(pace.again(&answered(429, None), ATTEMPTS, true).is_none());
    }

    #[test]
    fn the_far_side_may_ask_for_a_wait_up_to_a_minute() {
        let wait = |after| Pace::default().again(&answered(429, Some(after)), 1, false).unwrap();
        assert_eq!(wait("7"), Duration::from_secs(7));
        assert_eq!(wait("9999"), RETRY_AFTER_MAX);
        assert!(wait("Wed, 21 Oct 2015 07:28:00 GMT") <= BASE);
    }

    #[test]
    fn waits_grow_within_their_limits() {
        for attempt in 1..=40 {
            let wait = Pace::default().jittered(attempt);
            assert!(wait >= BASE / 2 && wait <= LONGEST);
        }
    }
}
