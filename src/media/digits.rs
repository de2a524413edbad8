//! Which digits were pressed?
//!
//! The receiving side of RFC 4733: one digit for each event, however many packets report it. A digit
//! is given at the first packet seen, so it is quick and a lost end does not matter.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

/// How far back a timestamp may lie and still be a late copy of an event already over: 10 s of an
/// 8 kHz clock, more than the 8.2 s one report can last (RFC 4733 section 2.3.5). Further back the
/// sender's clock has jumped.
const LATE: u32 = 80_000;

/// Turns reports of events into digits.
#[derive(Clone, Debug, Default)]
pub struct DigitReceiver {
    event: Option<Event>,
}

/// The newest event reported.
#[derive(Clone, Copy, Debug)]
struct Event {
    code: u8,
    timestamp: u32,
    duration: u16,
    ended: bool,
}

impl DigitReceiver {
    /// Reads the payload of a telephone-event packet; gives the digit when this is its first report.
    ///
    /// The timestamp names the event: all its packets carry the same one (RFC 4733 section 2.5.1.2).
    /// Payloads that are too short, and events that are no digits, give nothing.
    pub fn receive(&mut self, timestamp: u32, payload: &[u8]) -> Option<char> {
        let report = payload.first_chunk::<4>()?;
        let event = Event {
            code: report[0],
            timestamp,
            duration: u16::from_be_bytes([report[2], report[3]]),
            ended: report[1] & 0x80 != 0,
        };
        let digit = digit(event.code)?;

        if let Some(last) = &mut self.event {
            if timestamp == last.timestamp && event.code == last.code {
                last.duration = last.duration.max(event.duration);
                last.ended |= event.ended;
                return None;
            }
            if (1..LATE).contains(&last.timestamp.wrapping_sub(timestamp)) {
                return None;
            }
            // A long press is reported in segments, each beginning where the last one ended
            // (RFC 4733 section 2.5.1.3). Some senders move the timestamp with every packet; their
            // segments meet the same way.
            let gap = timestamp.wrapping_sub(last.timestamp);
            let joined = gap == u32::from(last.duration) || gap == u32::from(u16::MAX);
            if joined && event.code == last.code && !last.ended {
                *last = event;
                return None;
            }
        }
        self.event = Some(event);
        Some(digit)
    }

    /// Forgets the newest event; another sender's clock says nothing about it.
    pub fn reset(&mut self) {
        self.event = None;
    }
}

/// Gives the digit of an event code (RFC 4733 section 3.2, table 3).
fn digit(code: u8) -> Option<char> {
    const DIGITS: &[u8; 16] = b"0123456789*#ABCD";
    DIGITS.get(usize::from(code)).map(|digit| char::from(*digit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const END: u8 = 0x80;

    fn report(code: u8, flags: u8, duration: u16) -> [u8; 4] {
        let [high, low] = duration.to_be_bytes();
        [code, flags | 10, high, low]
    }

    /// Feeds reports of (timestamp, code, flags, duration) and collects the digits.
    fn digits(reports: &[(u32, u8, u8, u16)]) -> String {
        let mut receiver = DigitReceiver::default();
        reports
            .iter()
            .filter_map(|&(timestamp, code, flags, duration)| {
                receiver.receive(timestamp, &report(code, flags, duration))
            })
            .collect()
    }

    #[test]
    fn one_digit_for_an_event_however_many_packets() {
        let press =
            [(1000, 5, 0, 160), (1000, 5, 0, 320), (1000, 5, END, 480), (1000, 5, END, 480), (1000, 5, END, 480)];
        assert_eq!(digits(&press), "5");
    }

    #[test]
    fn the_same_digit_twice_is_two_digits_even_when_ends_are_lost() {
        assert_eq!(digits(&[(1000, 1, 0, 160), (3000, 1, 0, 160)]), "11");
        assert_eq!(digits(&[(1000, 1, END, 800), (1800, 1, 0, 160)]), "11");
    }

    #[test]
    fn an_event_known_only_by_its_end_is_a_digit() {
        assert_eq!(digits(&[(1000, 11, END, 800)]), "#");
    }

    #[test]
    fn a_long_press_in_segments_is_one_digit() {
        let press = [(1000, 9, 0, 160), (1000, 9, 0, 65_535), (66_535, 9, 0, 160), (66_535, 9, END, 800)];
        assert_eq!(digits(&press), "9");
        // The report that filled the first segment was lost.
        assert_eq!(digits(&[(1000, 9, 0, 65_400), (66_535, 9, END, 160)]), "9");
    }

    #[test]
    fn a_sender_that_moves_the_timestamp_reports_one_digit() {
        let press = [(1000, 2, 0, 160), (1160, 2, 0, 160), (1320, 2, END, 160)];
        assert_eq!(digits(&press), "2");
    }

    #[test]
    fn a_late_copy_of_the_event_before_is_not_a_digit() {
        let presses = [(1000, 1, END, 800), (4000, 2, 0, 160), (1000, 1, END, 800)];
        assert_eq!(digits(&presses), "12");
    }

    #[test]
    fn timestamps_wrap_and_clocks_jump() {
        assert_eq!(digits(&[(u32::MAX - 10, 1, END, 800), (2000, 2, 0, 160)]), "12");
        assert_eq!(digits(&[(900_000, 1, END, 800), (5, 2, 0, 160)]), "12");
    }

    #[test]
    fn every_key_has_its_name_and_other_events_have_none() {
        let keys: Vec<_> = (0..=16u8).map(|code| (u32::from(code) * 9000, code, END, 1)).collect();
        assert_eq!(digits(&keys), "0123456789*#ABCD");
    }

    proptest! {
        #[test]
        fn any_payload_is_a_digit_or_nothing(packets: Vec<(u32, Vec<u8>)>) {
            let mut receiver = DigitReceiver::default();
            for (timestamp, payload) in packets {
                receiver.receive(timestamp, &payload);
                prop_assert_eq!(receiver.receive(timestamp, &payload), None);
            }
        }
    }
}
