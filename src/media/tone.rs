//! What does a prompt sound like?
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::f64::consts::TAU;
use std::time::Duration;

use super::frame::{FRAME_PERIOD, FRAME_SAMPLES, Frame, SAMPLE_RATE};

/// Pitch of the beep that asks for a PIN: the A above middle C, well inside the telephone band.
pub const BEEP_HERTZ: f64 = 440.0;

/// Length of the beep that asks for a PIN.
pub const BEEP_LENGTH: Duration = Duration::from_millis(200);

/// Peak of generated tones: a quarter of full scale, about as loud as speech at -12 dBFS.
pub const TONE_PEAK: f64 = 8_192.0;

/// Samples over which a tone rises and falls (5 ms), so that it does not click.
const RAMP: usize = 40;

/// Makes the frames of a sine tone; a length between two frames is rounded up.
pub fn sine(hertz: f64, length: Duration) -> Vec<Frame> {
    let frames = length.as_millis().div_ceil(FRAME_PERIOD.as_millis()) as usize;
    let samples = frames * FRAME_SAMPLES;
    (0..frames)
        .map(|frame| {
            std::array::from_fn(|place| {
                let index = frame * FRAME_SAMPLES + place;
                let edge = index.min(samples - 1 - index).min(RAMP);
                let gain = edge as f64 / RAMP as f64;
                let phase = TAU * hertz * index as f64 / f64::from(SAMPLE_RATE);
                (TONE_PEAK * gain * phase.sin()) as i16
            })
        })
        .collect()
}

/// Makes the beep that asks for a PIN.
pub fn beep() -> Vec<Frame> {
    sine(BEEP_HERTZ, BEEP_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beep_lasts_200_ms_and_sounds_at_440_hertz() {
        let beep = beep();
        assert_eq!(beep.len(), 10);
        let samples = beep.concat();
        let crossings = samples.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
        assert!((86..=88).contains(&crossings), "{crossings} periods");
        assert!(samples.iter().all(|sample| sample.abs() <= 8_192));
        assert!(samples.iter().any(|sample| *sample > 8_000));
    }

    #[test]
    fn a_tone_begins_and_ends_quietly() {
        let samples = sine(1_000.0, Duration::from_millis(30)).concat();
        assert_eq!(samples.len(), 320);
        assert!(samples[..4].iter().chain(&samples[316..]).all(|sample| sample.abs() < 1_000));
        assert!(sine(440.0, Duration::ZERO).is_empty());
    }
}
