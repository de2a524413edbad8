//! What does the agent want played, and how far has it got?
//!
//! Audio and marks in the order in which they came. A mark stands at a place in the audio, counted in bytes from
//! the beginning of the call, and is reached when that many have been played or thrown away.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::VecDeque;

use super::message::FRAME_BYTES;

/// Most audio kept: ten minutes at 8,000 bytes a second. Bots that think ahead send a whole answer at once.
pub const MAX_AUDIO: usize = 10 * 60 * 8_000;

/// Most marks that wait to be reached.
pub const MAX_MARKS: usize = 4_096;

/// µ-law silence.
pub const MU_SILENCE: u8 = 0xff;

/// Room that an empty queue keeps; what a long answer took beyond it is given back.
const KEPT_ROOM: usize = 4_096;

/// The queue of what is to be played.
#[derive(Debug, Default)]
pub struct Playout {
    audio: VecDeque<u8>,
    /// Bytes that were played or thrown away since the beginning.
    passed: u64,
    /// Marks that are not reached, with their places.
    marks: VecDeque<(u64, String)>,
    /// Whether a frame that is not whole has waited for its rest already.
    waited: bool,
}

impl Playout {
    /// Queues audio; gives how many bytes there was no room for.
    pub fn push(&mut self, audio: &[u8]) -> usize {
        let kept = audio.len().min(MAX_AUDIO - self.audio.len());
        self.audio.extend(&audio[..kept]);
        audio.len() - kept
    }

    /// Queues a mark behind the audio that is there; `false` when too many wait.
    pub fn mark(&mut self, name: String) -> bool {
        let room = self.marks.len() < MAX_MARKS;
        if room {
            self.marks.push_back((self.passed + self.audio.len() as u64, name));
        }
        room
    }

    /// Throws the audio away. All marks are reached by it.
    pub fn clear(&mut self) {
        self.passed += self.audio.len() as u64;
        self.audio.clear();
        self.audio.shrink_to(KEPT_ROOM);
        self.waited = false;
    }

    /// The next 20 ms; nothing when there is nothing to play.
    ///
    /// A frame that is not whole waits 20 ms for its rest and is then filled with silence: speech that comes in
    /// odd pieces must not click.
    pub fn take(&mut self) -> Option<[u8; FRAME_BYTES]> {
        let length = self.audio.len().min(FRAME_BYTES);
        if length == 0 || (length < FRAME_BYTES && !self.waited) {
            self.waited = length > 0;
            return None;
        }
        self.waited = false;
        let mut frame = [MU_SILENCE; FRAME_BYTES];
        for (place, byte) in frame.iter_mut().zip(self.audio.drain(..length)) {
            *place = byte;
        }
        self.passed += length as u64;
        if self.audio.is_empty() {
            self.audio.shrink_to(KEPT_ROOM);
        }
        Some(frame)
    }

    /// The next mark that was reached.
    pub fn reached(&mut self) -> Option<String> {
        match self.marks.front() {
            Some((place, _)) if *place <= self.passed => self.marks.pop_front().map(|(_, name)| name),
            _ => None,
        }
    }

    /// Bytes that wait to be played.
    pub fn queued(&self) -> usize {
        self.audio.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reached(playout: &mut Playout) -> Vec<String> {
        std::iter::from_fn(|| playout.reached()).collect()
    }

    #[test]
    fn a_mark_without_audio_is_reached_at_once() {
        let mut playout = Playout::default();
        playout.mark("a".into());
        assert_eq!(reached(&mut playout), ["a"]);
    }

    #[test]
    fn marks_are_reached_in_order_one_for_one() {
        let mut playout = Playout::default();
        playout.push(&[1; 160]);
        playout.mark("part".into());
        playout.push(&[2; 160]);
        playout.mark("part".into());
        playout.mark("end".into());
        assert_eq!(reached(&mut playout), Vec::<String>::new());
        playout.take();
        assert_eq!(reached(&mut playout), ["part"]);
        playout.take();
        assert_eq!(reached(&mut playout), ["part", "end"]);
    }

    #[test]
    fn clear_leaves_no_tail_and_reaches_all() {
        let mut playout = Playout::default();
        playout.push(&[1; 40_000]);
        playout.mark("a".into());
        playout.take();
        playout.clear();
        assert_eq!(playout.take(), None);
        assert_eq!(reached(&mut playout), ["a"]);
        playout.push(&[3; 160]);
        assert_eq!(playout.take(), Some([3; 160]));
    }

    #[test]
    fn a_piece_of_a_frame_waits_once_and_is_filled_up() {
        let mut playout = Playout::default();
        playout.push(&[1; 100]);
        assert_eq!(playout.take(), None);
        let frame = playout.take().unwrap();
        assert_eq!((&frame[..100], &frame[100..]), (&[1; 100][..], &[MU_SILENCE; 60][..]));
        assert_eq!(playout.take(), None);
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut playout = Playout::default();
        assert_eq!(playout.push(&vec![0; MAX_AUDIO + 7]), 7);
        assert_eq!(playout.push(&[0; 5]), 5);
        assert!((0..MAX_MARKS).all(|_| playout.mark("m".into())));
        assert!(!playout.mark("m".into()));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(Vec<u8>),
        Mark,
        Clear,
        Take,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => prop::collection::vec(0..100_u8, 0..400).prop_map(Step::Push),
            2 => Just(Step::Mark),
            1 => Just(Step::Clear),
            6 => Just(Step::Take),
        ]
    }

    proptest! {
        /// What is played is what came, in order, but for what was cleared; every mark comes back once, in order.
        #[test]
        fn nothing_is_lost_or_doubled(steps in prop::collection::vec(step(), 0..60)) {
            let mut playout = Playout::default();
            let (mut wanted, mut played) = (VecDeque::new(), Vec::new());
            let (mut made, mut back) = (0, Vec::new());
            for step in steps {
                match step {
                    Step::Push(audio) => {
                        wanted.extend(audio.iter().copied());
                        playout.push(&audio);
                    }
                    Step::Mark => {
                        playout.mark(made.to_string());
                        made += 1;
                    }
                    Step::Clear => {
                        playout.clear();
                        wanted.clear();
                        back.extend(reached(&mut playout));
                        prop_assert_eq!(back.len(), made);
                    }
                    Step::Take => {
                        if let Some(frame) = playout.take() {
                            // Samples are below 100 here, so silence is told from them.
                            played = frame.into_iter().filter(|byte| *byte != MU_SILENCE).collect();
                            let expected: Vec<u8> = wanted.drain(..played.len()).collect();
                            prop_assert_eq!(&played, &expected);
                        }
                    }
                }
                back.extend(reached(&mut playout));
            }
            while playout.queued() > 0 {
                playout.take();
            }
            back.extend(reached(&mut playout));
            prop_assert_eq!(back, (0..made).map(|mark| mark.to_string()).collect::<Vec<_>>());
            let _ = played;
        }
    }
}
