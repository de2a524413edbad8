//! Which decision does the user expect of a call that nobody makes?

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZoneDatabase;

use super::{Malformed, Place};

/// A call, and the decision that is expected of it: one `[[test]]` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestCase {
    /// What the test shows.
    pub name: String,
    /// Where the files say so.
    pub place: Place,
    /// The number dialled, as it would stand in the Request-URI.
    pub dial: String,
    /// The caller's number, as it would stand in From; none for a caller who shows none.
    pub from: Option<String>,
    /// The address that the call comes from; none for this machine's own.
    pub source: Option<IpAddr>,
    /// When it comes; none for [`TestCase::NOON`].
    pub at: Option<Timestamp>,
    /// Headers of the call.
    pub headers: BTreeMap<String, String>,
    /// What is expected.
    pub expect: Expect,
}

/// What is expected of a decision. What is not said is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect {
    /// The rule that takes the call, by its key; with a status of refusal, the rule that comes nearest to it.
    pub rule: Option<String>,
    /// The room: the name of its table, its id, or `dynamic` for any room made for the call.
    pub room: Option<String>,
    /// The agent: the name of its table, or its id.
    pub agent: Option<String>,
    /// The status of the refusal.
    pub status: Option<u16>,
    /// Whether a PIN is asked for.
    pub pin: Option<bool>,
}

impl TestCase {
    /// When a call comes that says nothing of it: Wednesday, 3 June 2026, 12:00 UTC. Fixed, so that a test which
    /// holds today holds tomorrow.
    pub const NOON: Timestamp = Timestamp::constant(1_780_488_000, 0);
}

/// Reads a moment: with an offset (`2026-12-24T10:00:00+01:00`, `…Z`) or with a zone (`2026-12-24T10:00[Europe/Berlin]`).
///
/// # Errors
/// When it is no date and time, or says neither offset nor zone: which moment is meant would depend on the machine.
pub fn moment(text: &str) -> Result<Timestamp, Malformed> {
    let parser = DateTimeParser::new();
    if let Ok(zoned) = parser.parse_zoned_with(&TimeZoneDatabase::bundled(), text) {
        return Ok(zoned.timestamp());
    }
    parser.parse_timestamp(text).map_err(|_| {
        Malformed::new(
            "a moment is a date and a time with a zone or an offset, such as `2026-12-24T10:00[Europe/Berlin]` or \
             `2026-12-24T10:00:00+01:00`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_says_where_it_is() {
        let one = moment("2026-12-24T10:00[Europe/Berlin]").unwrap();
        assert_eq!(one, moment("2026-12-24T10:00:00+01:00").unwrap());
        assert_eq!(one, moment("2026-12-24T09:00:00Z").unwrap());
        for bad in ["2026-12-24T10:00:00", "2026-12-24", "10:00", "", "2026-12-24T10:00[Europe/Atlantis]"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
        assert_eq!(TestCase::NOON, moment("2026-06-03T12:00:00Z").unwrap());
    }
}
