//! What is played now, of packets that come early, late, twice or never?
//!
//! A fixed-delay buffer. Samples lie on a ring at the place their RTP timestamp gives them; every 20 ms
//! the owner takes the next frame. Order, duplicates and packet length then need no rules of their own:
//! a packet writes its samples where they belong, and a frame is whatever lies under the cursor.
//!
//! It holds samples, not packets, because the codecs are memoryless; a codec with memory (G.722, Opus)
//! needs its packets put in order before it decodes them.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use super::frame::{FRAME_SAMPLES, Frame, SILENCE};

/// How long the first sample waits: 40 ms, and up to one frame more until the owner comes by. It hides
/// the jitter of an ordinary internet path at a delay nobody notices.
const DELAY: u32 = 320;

/// Most that may wait: 160 ms. More is delay without use (a burst, or nobody took), and the oldest goes.
const MAX_DEPTH: u32 = 1_280;

/// Longest packet accepted, 120 ms; with `DELAY` it fits under `MAX_DEPTH`.
const MAX_PACKET: usize = 960;

/// Places on the ring: a power of two, so that the wrapping timestamp stays in step, above `MAX_DEPTH`.
const RING: usize = 2_048;

/// Samples over which a loss fades to silence: 60 ms, as G.711 appendix I does.
const FADE: u32 = 480;

/// Late packets in a row after which the delay is counted anew: the path has become longer.
const LATE_RUN: u32 = 5;

/// A timestamp this far off (1 s) is a jump of the sender's clock, believed when the next packet in
/// sequence agrees (RFC 3550 appendix A.1 asks two packets as well).
const JUMP: i32 = 8_000;

/// Frames over which the least depth is watched for drift: 2 s.
const DRIFT_WINDOW: u32 = 100;

/// Least depth that is too much: the delay, the frame about to be taken, and one frame more.
const DRIFT_DEPTH: u32 = DELAY + 2 * FRAME_SAMPLES as u32;

/// Holds the decoded samples of one packet and its place in the stream.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The sender; another one has another clock.
    pub ssrc: u32,
    /// The packet's number.
    pub sequence: u16,
    /// The place of the first sample on the sender's clock.
    pub timestamp: u32,
    /// The samples.
    pub samples: &'a [i16],
}

/// Counts what the buffer did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterStats {
    /// Packets whose first sample came after its time.
    pub late: u64,
    /// Frames in which something was missing and was concealed.
    pub concealed: u64,
    /// Samples thrown away to shorten the delay.
    pub dropped: u64,
}

/// Puts the sound of one sender in order.
#[derive(Clone, Debug)]
pub struct JitterBuffer {
    ring: Box<[Option<i16>; RING]>,
    playout: Option<Playout>,
    stats: JitterStats,
}

/// Where one sender's playout stands.
#[derive(Clone, Debug)]
struct Playout {
    ssrc: u32,
    /// The next sample to take.
    cursor: u32,
    /// One past the newest sample written.
    end: u32,
    /// False while the sender has nothing to play; its next packet counts the delay anew.
    running: bool,
    /// The frame given last, from which loss is concealed.
    last: Frame,
    /// Samples missing in a row.
    missing: u32,
    late_run: u32,
    /// The number that would confirm a jump of the clock.
    jump: Option<u16>,
    least_depth: u32,
    watched: u32,
}

impl Default for JitterBuffer {
    fn default() -> Self {
        JitterBuffer { ring: Box::new([None; RING]), playout: None, stats: JitterStats::default() }
    }
}

impl JitterBuffer {
    /// Puts a packet's samples in their place.
    ///
    /// Empty packets and those longer than 120 ms are ignored.
    pub fn push(&mut self, chunk: Chunk<'_>) {
        if chunk.samples.is_empty() || chunk.samples.len() > MAX_PACKET {
            return;
        }
        let length = chunk.samples.len() as u32;
        let Some(playout) = self.playout.as_mut().filter(|playout| playout.ssrc == chunk.ssrc) else {
            return self.start(chunk);
        };

        let offset = chunk.timestamp.wrapping_sub(playout.cursor) as i32;
        let jumps = offset < -JUMP || (playout.running && offset > JUMP);
        if jumps {
            if playout.jump == Some(chunk.sequence) {
                return self.start(chunk);
            }
            playout.jump = Some(chunk.sequence.wrapping_add(1));
            return;
        }
        playout.jump = None;

        if offset < 0 {
            self.stats.late += 1;
            playout.late_run += 1;
            if playout.late_run >= LATE_RUN {
                return self.start(chunk);
            }
        } else if !playout.running {
            return self.start(chunk);
        } else {
            playout.late_run = 0;
        }

        let ahead = offset.saturating_add_unsigned(length);
        if ahead > MAX_DEPTH as i32 {
            let excess = ahead.unsigned_abs() - (DELAY + length);
            self.skip(excess);
        }
        self.write(chunk);
    }

    /// Takes the next 20 ms; nothing when there is nothing to play and nothing left to conceal.
    pub fn pop(&mut self) -> Option<Frame> {
        let playout = self.playout.as_mut().filter(|playout| playout.running)?;

        let depth = playout.end.wrapping_sub(playout.cursor) as i32;
        playout.least_depth = playout.least_depth.min(depth.max(0).unsigned_abs());
        playout.watched += 1;
        if playout.watched >= DRIFT_WINDOW {
            let excess = playout.least_depth >= DRIFT_DEPTH;
            playout.watch_anew();
            if excess {
                self.skip(FRAME_SAMPLES as u32);
            }
        }

        let playout = self.playout.as_mut()?;
        let mut frame = SILENCE;
        let mut heard = 0;
        for (place, sample) in frame.iter_mut().enumerate() {
            let index = playout.cursor.wrapping_add(place as u32) as usize % RING;
            if let Some(present) = self.ring[index].take() {
                *sample = present;
                playout.missing = 0;
                heard += 1;
            } else {
                // Repeats the last frame and fades it along a straight line.
                let gain = FADE.saturating_sub(playout.missing) as i32;
                *sample = (i32::from(playout.last[place]) * gain / FADE as i32) as i16;
                playout.missing = playout.missing.saturating_add(1);
            }
        }
        playout.cursor = playout.cursor.wrapping_add(FRAME_SAMPLES as u32);

        if heard > 0 {
            playout.last = frame;
        }
        if heard == FRAME_SAMPLES {
            return Some(frame);
        }
        let faded = heard == 0 && playout.missing > FADE;
        if faded && playout.end.wrapping_sub(playout.cursor) as i32 <= 0 {
            playout.running = false;
            // A sender that stops its clock with its sound goes on from here.
            playout.cursor = playout.end;
        }
        // Before the first sample there is nothing to conceal.
        if faded || (heard == 0 && playout.last == SILENCE) {
            return None;
        }
        self.stats.concealed += 1;
        Some(frame)
    }

    /// Gives the counts so far.
    pub fn stats(&self) -> JitterStats {
        self.stats
    }

    /// Begins a playout that reaches this packet after the delay.
    fn start(&mut self, chunk: Chunk<'_>) {
        self.ring.fill(None);
        let mut playout = Playout {
            ssrc: chunk.ssrc,
            cursor: chunk.timestamp.wrapping_sub(DELAY),
            end: chunk.timestamp,
            running: true,
            last: SILENCE,
            missing: 0,
            late_run: 0,
            jump: None,
            least_depth: 0,
            watched: 0,
        };
        playout.watch_anew();
        self.playout = Some(playout);
        self.write(chunk);
    }

    /// Writes the samples whose time has not passed.
    fn write(&mut self, chunk: Chunk<'_>) {
        let Some(playout) = &mut self.playout else {
            return;
        };
        for (place, sample) in chunk.samples.iter().enumerate() {
            let timestamp = chunk.timestamp.wrapping_add(place as u32);
            if timestamp.wrapping_sub(playout.cursor) as i32 >= 0 {
                self.ring[timestamp as usize % RING] = Some(*sample);
            }
        }
        let end = chunk.timestamp.wrapping_add(chunk.samples.len() as u32);
        if end.wrapping_sub(playout.end) as i32 > 0 {
            playout.end = end;
        }
    }

    /// Moves the cursor over samples that will not be heard.
    fn skip(&mut self, samples: u32) {
        let Some(playout) = &mut self.playout else {
            return;
        };
        for place in 0..samples.min(RING as u32) {
            let index = playout.cursor.wrapping_add(place) as usize % RING;
            if self.ring[index].take().is_some() {
                self.stats.dropped += 1;
            }
        }
        playout.cursor = playout.cursor.wrapping_add(samples);
    }
}

impl Playout {
    fn watch_anew(&mut self) {
        self.least_depth = u32::MAX;
        self.watched = 0;
    }
}

#[cfg(test)]
mod tests;
