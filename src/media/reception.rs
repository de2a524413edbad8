//! Which packets arrived, which twice, and how many never?
//!
//! The sequence bookkeeping of RFC 3550 appendix A.1 and A.3, with a window that tells duplicates.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

/// How far a sequence number may leap and still belong to the same run (RFC 3550 appendix A.1, `MAX_DROPOUT`).
const MAX_DROPOUT: i32 = 3_000;

/// How far behind the newest a packet may come and still belong (RFC 3550 appendix A.1, `MAX_MISORDER`).
const MAX_MISORDER: i32 = 100;

/// How many of the newest sequence numbers are remembered one by one; at least `MAX_MISORDER`.
const WINDOW: u32 = u128::BITS;

/// Says whether a packet is the first with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It was not seen before.
    New,
    /// It was seen before and holds nothing new.
    Duplicate,
}

/// Counts the packets of one stream.
#[derive(Clone, Debug, Default)]
pub struct Reception {
    run: Option<Run>,
    /// Loss of runs that have ended.
    lost_before: u64,
}

/// An unbroken count of sequence numbers from one sender.
#[derive(Clone, Debug)]
struct Run {
    ssrc: u32,
    newest: u16,
    /// Bit n is set when `newest - n` arrived.
    seen: u128,
    /// Packets a sender without loss would have delivered.
    expected: u64,
    received: u64,
}

impl Reception {
    /// Counts a packet.
    pub fn note(&mut self, ssrc: u32, sequence: u16) -> Arrival {
        let Some(run) = self.run.as_mut().filter(|run| run.ssrc == ssrc) else {
            return self.start(ssrc, sequence);
        };
        let ahead = i32::from(sequence.wrapping_sub(run.newest) as i16);
        if !(-MAX_MISORDER..=MAX_DROPOUT).contains(&ahead) {
            // The sender began again; the gap is not loss.
            return self.start(ssrc, sequence);
        }
        if ahead > 0 {
            let ahead = ahead.unsigned_abs();
            run.seen = if ahead < WINDOW { run.seen << ahead } else { 0 } | 1;
            run.newest = sequence;
            run.expected += u64::from(ahead);
        } else {
            let bit = 1 << ahead.unsigned_abs();
            if run.seen & bit != 0 {
                return Arrival::Duplicate;
            }
            run.seen |= bit;
        }
        run.received += 1;
        Arrival::New
    }

    /// Counts packets that were sent, by their numbers, and did not arrive.
    pub fn lost(&self) -> u64 {
        self.lost_before + self.run.as_ref().map_or(0, Run::lost)
    }

    fn start(&mut self, ssrc: u32, sequence: u16) -> Arrival {
        self.lost_before = self.lost();
        self.run = Some(Run { ssrc, newest: sequence, seen: 1, expected: 1, received: 1 });
        Arrival::New
    }
}

impl Run {
    fn lost(&self) -> u64 {
        // A packet from before the first can make more arrive than were expected.
        self.expected.saturating_sub(self.received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn loss_is_what_is_missing_between_first_and_newest() {
        let mut reception = Reception::default();
        for sequence in [65_533, 65_534, 0, 1, 4] {
            assert_eq!(reception.note(7, sequence), Arrival::New);
        }
        assert_eq!(reception.lost(), 3);
    }

    #[test]
    fn a_reordered_packet_is_not_lost_and_a_second_copy_is_a_duplicate() {
        let mut reception = Reception::default();
        for sequence in [10, 12, 11] {
            assert_eq!(reception.note(7, sequence), Arrival::New);
        }
        assert_eq!(reception.lost(), 0);
        for sequence in [10, 11, 12] {
            assert_eq!(reception.note(7, sequence), Arrival::Duplicate);
        }
    }

    #[test]
    fn a_new_sender_or_a_leap_begins_a_new_run() {
        let mut reception = Reception::default();
        reception.note(7, 10);
        reception.note(7, 12);
        reception.note(8, 40_000);
        reception.note(8, 10_000);
        assert_eq!(reception.lost(), 1);
    }

    proptest! {
        #[test]
        fn any_packets_can_be_counted(packets: Vec<(bool, u16)>) {
            let mut reception = Reception::default();
            for (ssrc, sequence) in packets {
                reception.note(u32::from(ssrc), sequence);
                prop_assert_eq!(reception.note(u32::from(ssrc), sequence), Arrival::Duplicate);
            }
        }
    }
}
