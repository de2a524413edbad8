//! For how long is nothing heard of a caller before nobody is believed to be there?
//!
//! A peer that vanished says no BYE; that its sound stays away is all there is to see of it.

use std::time::Duration;

use crate::media::Direction;

/// Without sound that is due, a call ends after this: `rtp-timeout-sec` of FreeSWITCH's SIP profiles.
const SOUND_TIME: Duration = Duration::from_secs(300);

/// Where no sound is due, because the call is held or the peer only listens: `rtp-hold-timeout-sec`, likewise.
const HOLD_TIME: Duration = Duration::from_secs(1800);

/// How long a silence may be, by what was agreed on as seen from this side.
pub(super) fn limit(agreed: Option<Direction>) -> Duration {
    match agreed {
        None | Some(Direction::SendRecv) => SOUND_TIME,
        Some(Direction::SendOnly | Direction::RecvOnly | Direction::Inactive) => HOLD_TIME,
    }
}

/// How much longer a silence may last, if it is waited for since `waited`, and the last packet came `heard` ago.
/// None once it has lasted too long.
pub(super) fn left(limit: Duration, waited: Duration, heard: Option<Duration>) -> Option<Duration> {
    let silent = heard.map_or(waited, |heard| heard.min(waited));
    limit.checked_sub(silent).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_need_not_send_may_be_silent_for_longer() {
        assert_eq!(limit(None), SOUND_TIME);
        assert_eq!(limit(Some(Direction::SendRecv)), SOUND_TIME);
        for quiet in [Direction::SendOnly, Direction::RecvOnly, Direction::Inactive] {
            assert_eq!(limit(Some(quiet)), HOLD_TIME);
        }
    }

    #[test]
    fn a_silence_begins_with_the_last_packet_or_with_the_wait_for_one() {
        let seconds = Duration::from_secs;
        assert_eq!(left(seconds(300), seconds(100), None), Some(seconds(200)));
        assert_eq!(left(seconds(300), seconds(299), Some(seconds(1))), Some(seconds(299)));
        // What was heard before the wait began, as before a hold, does not count against it.
        assert_eq!(left(seconds(300), seconds(10), Some(seconds(900))), Some(seconds(290)));
        assert_eq!(left(seconds(300), seconds(300), None), None);
        assert_eq!(left(seconds(300), seconds(1000), Some(seconds(301))), None);
    }
}
