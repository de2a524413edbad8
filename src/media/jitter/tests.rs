use super::*;
use proptest::prelude::*;

/// A packet of `length` samples, each telling its own timestamp (never zero).
fn packet(sequence: u16, timestamp: u32, length: usize) -> (u16, u32, Vec<i16>) {
    let samples = (0..length as u32).map(|place| mark(timestamp.wrapping_add(place))).collect();
    (sequence, timestamp, samples)
}

fn mark(timestamp: u32) -> i16 {
    (timestamp % 10_000) as i16 + 1
}

fn frame_at(timestamp: u32) -> Frame {
    std::array::from_fn(|place| mark(timestamp.wrapping_add(place as u32)))
}

fn push(buffer: &mut JitterBuffer, (sequence, timestamp, samples): (u16, u32, Vec<i16>)) {
    buffer.push(Chunk { ssrc: 1, sequence, timestamp, samples: &samples });
}

/// A buffer that has just given the frame before `timestamp` and holds the two from there.
fn playing(timestamp: u32) -> JitterBuffer {
    let mut buffer = JitterBuffer::default();
    let first = timestamp.wrapping_sub(160);
    push(&mut buffer, packet(0, first, 160));
    assert_eq!(buffer.pop(), None);
    push(&mut buffer, packet(1, timestamp, 160));
    assert_eq!(buffer.pop(), None);
    push(&mut buffer, packet(2, timestamp.wrapping_add(160), 160));
    assert_eq!(buffer.pop(), Some(frame_at(first)));
    buffer
}

#[test]
fn the_first_frame_is_played_after_the_delay() {
    playing(1_000);
}

#[test]
fn timestamps_and_sequence_numbers_wrap() {
    let start = u32::MAX - 500;
    let mut buffer = playing(start);
    for step in 0..10u32 {
        let ahead = start.wrapping_add((step + 2) * 160);
        push(&mut buffer, packet(65_534u16.wrapping_add(step as u16), ahead, 160));
        assert_eq!(buffer.pop(), Some(frame_at(start.wrapping_add(step * 160))));
    }
}

#[test]
fn reordered_and_repeated_packets_play_once_and_in_order() {
    let mut buffer = playing(1_000);
    push(&mut buffer, packet(4, 1_480, 160));
    push(&mut buffer, packet(3, 1_320, 160));
    push(&mut buffer, packet(3, 1_320, 160));
    for timestamp in [1_000, 1_160, 1_320, 1_480] {
        assert_eq!(buffer.pop(), Some(frame_at(timestamp)));
    }
    assert_eq!(buffer.stats().late, 0);
}

#[test]
fn a_loss_repeats_the_last_frame_fades_and_falls_silent() {
    let mut buffer = playing(1_000);
    buffer.pop();
    let last = buffer.pop().unwrap();
    let mut before = i32::MAX;
    for _ in 0..3 {
        let frame = buffer.pop().unwrap();
        assert!(frame.iter().zip(&last).all(|(now, was)| now.abs() <= was.abs()));
        let loudness = frame.iter().map(|sample| i32::from(*sample)).sum::<i32>();
        assert!(loudness < before);
        before = loudness;
    }
    assert_eq!(buffer.pop(), None);
    assert_eq!(buffer.pop(), None);
    assert_eq!(buffer.stats().concealed, 3);
}

#[test]
fn one_lost_packet_is_concealed_and_the_next_plays_on_time() {
    let mut buffer = playing(1_000);
    push(&mut buffer, packet(4, 1_480, 160));
    buffer.pop();
    buffer.pop();
    assert!(buffer.pop().is_some_and(|frame| frame != frame_at(1_320)));
    assert_eq!(buffer.pop(), Some(frame_at(1_480)));
}

#[test]
fn a_late_packet_is_counted_and_not_played() {
    let mut buffer = playing(1_000);
    buffer.pop();
    buffer.pop();
    buffer.pop();
    push(&mut buffer, packet(3, 1_320, 160));
    push(&mut buffer, packet(4, 1_480, 160));
    assert_eq!(buffer.stats().late, 1);
    assert_eq!(buffer.pop(), Some(frame_at(1_480)));
}

#[test]
fn a_path_that_became_longer_is_followed() {
    let mut buffer = playing(1_000);
    let mut heard = 0;
    // From here every packet comes 100 ms after its frame was due at the latest.
    for _ in 0..5 {
        buffer.pop();
    }
    for step in 0..40u32 {
        push(&mut buffer, packet(3 + step as u16, 1_320 + step * 160, 160));
        if buffer.pop() == Some(frame_at((1_320 + step * 160).wrapping_sub(320))) {
            heard += 1;
        }
    }
    assert!(heard >= 30, "{heard} frames heard");
}

#[test]
fn a_pause_counts_the_delay_anew_whether_the_clock_ran_or_stood() {
    for resumed in [1_320, 1_320 + 8_000 * 60, 1_320 + 4_000] {
        let mut buffer = playing(1_000);
        for _ in 0..50 {
            buffer.pop();
        }
        push(&mut buffer, packet(3, resumed, 160));
        push(&mut buffer, packet(4, resumed + 160, 160));
        assert_eq!(buffer.pop(), None);
        assert_eq!(buffer.pop(), None);
        assert_eq!(buffer.pop(), Some(frame_at(resumed)), "{resumed}");
        assert_eq!(buffer.stats().late, 0);
    }
}

#[test]
fn a_jump_of_the_clock_is_believed_when_confirmed() {
    for jump in [5_000_000, u32::MAX / 2 + 5_000] {
        let mut buffer = playing(1_000);
        push(&mut buffer, packet(3, jump, 160));
        assert_eq!(buffer.pop(), Some(frame_at(1_000)), "one stray changes nothing");
        push(&mut buffer, packet(4, jump + 160, 160));
        buffer.pop();
        buffer.pop();
        assert_eq!(buffer.pop(), Some(frame_at(jump + 160)));
    }
}

#[test]
fn another_sender_begins_anew() {
    let mut buffer = playing(1_000);
    buffer.push(Chunk { ssrc: 2, sequence: 77, timestamp: 9_000, samples: &packet(77, 9_000, 160).2 });
    assert_eq!(buffer.pop(), None);
    assert_eq!(buffer.pop(), None);
    assert_eq!(buffer.pop(), Some(frame_at(9_000)));
}

#[test]
fn packets_of_any_length_become_frames_of_20_ms() {
    for length in [80usize, 240, 320, 480] {
        let mut buffer = JitterBuffer::default();
        let mut sent = 1_000u32;
        let mut expected = 1_000u32;
        let mut sequence = 0;
        for tick in 1..200u32 {
            while sent + length as u32 <= 1_000 + tick * 160 + length as u32 - 160 {
                push(&mut buffer, packet(sequence, sent, length));
                sequence += 1;
                sent += length as u32;
            }
            match buffer.pop() {
                None => assert!(tick <= 4, "{length} samples: silent at tick {tick}"),
                Some(frame) => {
                    assert_eq!(frame, frame_at(expected), "{length} samples, tick {tick}");
                    expected += 160;
                }
            }
        }
        assert!(expected > 1_000 + 190 * 160);
    }
}

#[test]
fn when_nobody_takes_the_oldest_goes_and_the_delay_stays_bounded() {
    let mut buffer = JitterBuffer::default();
    for step in 0..500u32 {
        push(&mut buffer, packet(step as u16, step * 160, 160));
    }
    let newest = 499 * 160u32;
    let frame = std::iter::repeat_with(|| buffer.pop()).take(3).flatten().next().unwrap();
    // Marks repeat; the newest frame that looks so is the one.
    let first = (0..500u32).rev().map(|step| step * 160).find(|start| frame_at(*start) == frame);
    let waiting = newest + 160 - first.unwrap();
    assert!(waiting <= MAX_DEPTH, "{waiting} samples wait");
    assert!(buffer.stats().dropped > 0);
}

#[test]
fn a_fast_sender_is_followed_by_dropping() {
    let mut buffer = playing(1_000);
    let mut end = 1_320u32;
    for tick in 0..5_000u32 {
        // One packet in a hundred too many: 1 % fast, far worse than any clock.
        for _ in 0..if tick % 100 == 0 { 2 } else { 1 } {
            push(&mut buffer, packet(0, end, 160));
            end += 160;
        }
        assert!(buffer.pop().is_some(), "tick {tick}");
        let playout = buffer.playout.as_ref().unwrap();
        assert!(end - playout.cursor <= MAX_DEPTH);
    }
    assert_eq!(buffer.stats().concealed, 0);
}

#[test]
fn a_slow_sender_is_followed_by_pausing() {
    let mut buffer = playing(1_000);
    let mut end = 1_320u32;
    let mut whole = 0;
    for tick in 0..5_000u32 {
        if tick % 100 != 0 {
            push(&mut buffer, packet(0, end, 160));
            end += 160;
        }
        whole += u32::from(buffer.pop().is_some_and(|frame| frame[0] > 0));
    }
    assert!(whole > 4_500, "{whole} of 5000 frames");
}

proptest! {
    #[test]
    fn any_packets_in_any_order_never_panic(
        steps in proptest::collection::vec((0..3u32, any::<u16>(), any::<u32>(), 0..2_000usize, 0..4usize), 0..60),
    ) {
        let mut buffer = JitterBuffer::default();
        for (ssrc, sequence, timestamp, length, pops) in steps {
            let samples = vec![i16::MIN; length];
            // Near and far timestamps alike.
            let timestamp = if sequence % 2 == 0 { timestamp } else { timestamp % 3_000 };
            buffer.push(Chunk { ssrc, sequence, timestamp, samples: &samples });
            for _ in 0..pops {
                buffer.pop();
            }
        }
    }

    /// With jitter inside the delay, every frame is played, whole and in order.
    #[test]
    fn jitter_below_the_delay_is_not_heard(late in proptest::collection::vec(0..40u32, 100)) {
        let mut arrivals: Vec<(u32, u32)> = late
            .iter()
            .enumerate()
            .map(|(index, late)| (index as u32 * 20 + if index == 0 { 0 } else { *late }, index as u32))
            .collect();
        arrivals.sort_unstable();
        let mut arrivals = arrivals.into_iter().peekable();
        let mut buffer = JitterBuffer::default();
        let mut played = Vec::new();
        for tick in 0..100u32 {
            while let Some((_, index)) = arrivals.next_if(|(at, _)| *at <= tick * 20) {
                push(&mut buffer, packet(index as u16, 500 + index * 160, 160));
            }
            played.extend(buffer.pop());
        }
        for (index, frame) in played.iter().enumerate() {
            prop_assert_eq!(*frame, frame_at(500 + index as u32 * 160));
        }
        prop_assert!(played.len() >= 97);
    }
}

#[test]
fn delay_left_by_a_burst_is_worked_off() {
    let mut buffer = playing(1_000);
    let mut end = 1_320u32;
    let mut sequence = 3u16;
    let mut send = |buffer: &mut JitterBuffer| {
        push(buffer, packet(sequence, end, 160));
        sequence = sequence.wrapping_add(1);
        end += 160;
        end
    };
    for _ in 0..4 {
        send(&mut buffer);
    }
    for _ in 0..5 * DRIFT_WINDOW {
        send(&mut buffer);
        assert!(buffer.pop().is_some());
    }
    let newest = send(&mut buffer);
    let waiting = newest - buffer.playout.as_ref().unwrap().cursor;
    assert!(waiting < DRIFT_DEPTH, "{waiting} samples wait");
}

/// Too late by half a frame, again and again: no pause to begin anew after, so lateness itself must tell.
#[test]
fn lateness_that_lasts_counts_the_delay_anew() {
    let mut buffer = playing(1_000);
    buffer.pop();
    buffer.pop();
    let mut last = None;
    let mut sent = 1_320 - 80;
    for step in 0..20u16 {
        push(&mut buffer, packet(3 + step, sent, 160));
        last = buffer.pop();
        sent += 160;
    }
    assert_eq!(last, Some(frame_at(sent - 160 - DELAY)));
    assert_eq!(buffer.stats().late, u64::from(LATE_RUN));
}
