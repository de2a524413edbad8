//! When is a call tried again, and after how long?

use std::time::{Duration, SystemTime};

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
    /// | lost, or 5xx but 501 | only a call that does no more when it is repeated |
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
                // What is not implemented is not implemented a second later either.
                let failed = status.is_server_error() && *status != StatusCode::NOT_IMPLEMENTED;
                let repeat = *status == StatusCode::TOO_MANY_REQUESTS || (failed && idempotent);
                repeat.then(|| asked(headers, SystemTime::now()).map_or(own, |asked| asked.max(own)))
            }
        }
    }

    /// Between half and the whole of the doubled base, so that clients that failed together come apart.
    fn jittered(&self, attempt: u32) -> Duration {
        let whole = self.base.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST);
        whole.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

/// The wait that the far side asks for: in seconds, or until a date (RFC 9110 section 10.2.3).
pub(super) fn asked(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse().ok() {
        Some(seconds) => Duration::from_secs(seconds),
        // A date that has passed asks for no wait.
        None => date(text)?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// A date as HTTP writes it (RFC 9110 section 5.6.7): the form that must be sent today.
pub(super) fn date(text: &str) -> Option<SystemTime> {
    jiff::fmt::rfc2822::parse(text).ok().map(|date| SystemTime::from(date.timestamp()))
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
            assert!(!again(answered(501, None), idempotent));
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
        // Never at once, whatever is asked for.
        for after in ["0", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            assert!((BASE / 2..=BASE).contains(&wait(after)), "{after}");
        }
    }

    #[test]
    fn the_far_side_may_name_a_date() {
        let now = date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        let wait = |after: &str| asked(&HeaderMap::from_iter([(RETRY_AFTER, after.parse().unwrap())]), now);
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:09 GMT"), Some(Duration::from_secs(9)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:27:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("Fri, 21 Oct 2095 07:28:00 GMT"), Some(RETRY_AFTER_MAX));
        assert_eq!(wait("-1"), None);
    }

    #[test]
    fn waits_grow_within_their_limits() {
        for attempt in 1..=40 {
            let wait = Pace::default().jittered(attempt);
            assert!(wait >= BASE / 2 && wait <= LONGEST);
        }
    }
}
