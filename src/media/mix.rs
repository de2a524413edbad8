//! What does each participant hear?
//!
//! Everybody else: the sum of all frames less one's own (mix-minus). The sum is exact in 32 bits and
//! then clipped hard at the edges of 16, so two talkers never wrap into noise and one talker alone
//! passes unchanged.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::borrow::Borrow;

use super::frame::{FRAME_SAMPLES, Frame, SILENCE};

/// Writes into `out[i]` the sum of all frames but `frames[i]`.
///
/// A missing frame adds nothing and still hears the others. Places of `out` beyond `frames` hear everybody.
pub fn mix_minus<F: Borrow<Frame>>(frames: &[Option<F>], out: &mut [Frame]) {
    // 65,536 full-scale frames fit, far more than one task could mix in 20 ms.
    let mut sum = [0i32; FRAME_SAMPLES];
    for frame in frames.iter().flatten() {
        for (total, sample) in sum.iter_mut().zip(frame.borrow()) {
            *total += i32::from(*sample);
        }
    }
    for (index, heard) in out.iter_mut().enumerate() {
        let own = match frames.get(index) {
            Some(Some(frame)) => frame.borrow(),
            _ => &SILENCE,
        };
        for ((heard, total), own) in heard.iter_mut().zip(&sum).zip(own) {
            *heard = clip(total - i32::from(*own));
        }
    }
}

fn clip(sample: i32) -> i16 {
    sample.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_parties_hear_exactly_each_other() {
        let (one, two): (Frame, Frame) = ([30_000; 160], [-5; 160]);
        let mut out = [[1; 160]; 2];
        mix_minus(&[Some(&one), Some(&two)], &mut out);
        assert_eq!(out, [two, one]);
    }

    #[test]
    fn one_alone_hears_silence() {
        let mut out = [[1; 160]];
        mix_minus(&[Some([9; 160])], &mut out);
        assert_eq!(out, [SILENCE]);
        mix_minus::<Frame>(&[None], &mut out);
        assert_eq!(out, [SILENCE]);
    }

    #[test]
    fn loud_parties_clip_and_do_not_wrap() {
        let mut out = [SILENCE; 3];
        mix_minus(&[Some([30_000; 160]), Some([30_000; 160]), None], &mut out);
        assert_eq!(out, [[30_000; 160], [30_000; 160], [i16::MAX; 160]]);
        mix_minus(&[Some([i16::MIN; 160]), Some([i16::MIN; 160]), None], &mut out);
        assert_eq!(out[2], [i16::MIN; 160]);
    }

    fn frames() -> impl Strategy<Value = Vec<Option<Frame>>> {
        let frame = proptest::collection::vec(any::<i16>(), FRAME_SAMPLES)
            .prop_map(|samples| std::array::from_fn(|index| samples[index]));
        proptest::collection::vec(proptest::option::of(frame), 0..6)
    }

    proptest! {
        #[test]
        fn each_hears_the_clipped_sum_of_the_others(frames in frames()) {
            let mut out = vec![[77; 160]; frames.len()];
            mix_minus(&frames, &mut out);
            for (listener, heard) in out.iter().enumerate() {
                for (place, sample) in heard.iter().enumerate() {
                    let others: i32 = frames
                        .iter()
                        .enumerate()
                        .filter(|(talker, _)| *talker != listener)
                        .filter_map(|(_, frame)| frame.as_ref())
                        .map(|frame| i32::from(frame[place]))
                        .sum();
                    prop_assert_eq!(i32::from(*sample), others.clamp(-32_768, 32_767));
                }
            }
        }

        #[test]
        fn nobody_hears_himself(mut frames in frames(), own: i16) {
            frames.insert(0, Some(SILENCE));
            let mut quiet = vec![SILENCE; frames.len()];
            mix_minus(&frames, &mut quiet);
            frames[0] = Some([own; 160]);
            let mut loud = vec![SILENCE; frames.len()];
            mix_minus(&frames, &mut loud);
            prop_assert_eq!(quiet[0], loud[0]);
        }
    }
}
