//! What is said, and in which order?
//!
//! One conversation with one agent, without I/O or clock: what came in goes to [`Session::heard`], what is to go
//! out comes from [`Session::say`]; a room takes and sends frames in between. The media clock is the count of
//! frames, so a stalled network or a silent caller leaves no gap in the timestamps.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::{BTreeMap, VecDeque};

use super::message::{
    Decimal, Dtmf, FRAME_BYTES, Heard, Mark, Media, MediaFormat, Oddity, Start, Stop, Told, payload, read,
};
use super::playout::Playout;
use crate::media::{Codec, Frame};

/// Most frames that wait to be sent: a second. An agent that reads more slowly than people speak misses the oldest.
pub const MAX_WAITING: usize = 50;

/// Most other messages that wait to be sent: as many as marks may wait.
const MAX_NOTES: usize = super::playout::MAX_MARKS;

/// Milliseconds of a frame.
const FRAME_MS: u64 = 20;

/// Whose stream this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// `MZ` and 32 hex digits, new for each socket.
    pub stream_sid: String,
    /// `AC` and 32 hex digits.
    pub account_sid: String,
    /// `CA` and 32 hex digits.
    pub call_sid: String,
    /// What the agent is told of the call.
    pub parameters: BTreeMap<String, String>,
}

/// Counts what passed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that the agent was to hear.
    pub frames: u64,
    /// Frames among them that it read too slowly to get.
    pub frames_dropped: u64,
    /// Other messages that it read too slowly to get.
    pub notes_dropped: u64,
    /// Pieces of audio that came from the agent.
    pub media: u64,
    /// Marks that came from the agent.
    pub marks: u64,
    /// How often the agent threw away what was queued.
    pub clears: u64,
    /// Frames of the agent that were played.
    pub played: u64,
    /// The count of `frames` when the first of the agent's was played: how long it took to speak.
    pub first_played: Option<u64>,
    /// What was odd, and how often.
    pub oddities: BTreeMap<Oddity, u64>,
}

/// One conversation with an agent.
#[derive(Debug)]
pub struct Session {
    stream: Stream,
    playout: Playout,
    outbox: VecDeque<Note>,
    /// How many frames are in the outbox.
    waiting: usize,
    sequence: u64,
    chunk: u64,
    stopped: bool,
    counts: Counts,
}

/// Something to tell, before it is numbered.
#[derive(Debug)]
enum Note {
    Connected,
    Start,
    Media { timestamp: u64, audio: Vec<u8> },
    Dtmf(char),
    Mark(String),
    Stop,
}

impl Session {
    /// A conversation that begins: its greeting is ready to be sent.
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            playout: Playout::default(),
            outbox: [Note::Connected, Note::Start].into(),
            waiting: 0,
            sequence: 0,
            chunk: 0,
            stopped: false,
            counts: Counts::default(),
        }
    }

    /// Takes a text frame of the agent. Gives what is odd about it, the first time that it is.
    pub fn heard(&mut self, text: &str) -> Option<Oddity> {
        match read(text) {
            Ok(Heard::Media(audio)) => {
                self.counts.media += 1;
                match self.playout.push(&audio) {
                    0 => None,
                    _ => self.odd(Oddity::TooMuchAudio),
                }
            }
            Ok(Heard::Mark(name)) => {
                self.counts.marks += 1;
                let odd = if self.playout.mark(name) { None } else { self.odd(Oddity::TooManyMarks) };
                self.echo();
                odd
            }
            Ok(Heard::Clear) => {
                self.counts.clears += 1;
                self.playout.clear();
                self.echo();
                None
            }
            Err(oddity) => self.odd(oddity),
        }
    }

    /// Notes something odd that is no text. Gives it back the first time.
    pub fn odd(&mut self, oddity: Oddity) -> Option<Oddity> {
        let count = self.counts.oddities.entry(oddity).or_default();
        *count += 1;
        (*count == 1).then_some(oddity)
    }

    /// The next 20 ms of what the agent says; nothing when it is silent. Marks that are reached by it are told.
    pub fn take(&mut self) -> Option<Frame> {
        let bytes = self.playout.take()?;
        self.echo();
        self.counts.played += 1;
        self.counts.first_played.get_or_insert(self.counts.frames);
        let mut samples = Vec::with_capacity(FRAME_BYTES);
        Codec::Pcmu.decode(&bytes, &mut samples);
        samples.try_into().ok()
    }

    /// Lets the agent hear a frame. The oldest that waits is let go when it does not read.
    pub fn send(&mut self, frame: &Frame) {
        if self.stopped {
            return;
        }
        self.counts.frames += 1;
        if self.waiting == MAX_WAITING
            && let Some(oldest) = self.outbox.iter().position(|note| matches!(note, Note::Media { .. }))
        {
            self.outbox.remove(oldest);
            self.waiting -= 1;
            self.counts.frames_dropped += 1;
        }
        let mut audio = Vec::with_capacity(FRAME_BYTES);
        Codec::Pcmu.encode(frame, &mut audio);
        self.waiting += 1;
        self.outbox.push_back(Note::Media { timestamp: self.counts.frames * FRAME_MS, audio });
    }

    /// Tells the agent of a key that the caller pressed.
    pub fn digit(&mut self, digit: char) {
        self.note(Note::Dtmf(digit));
    }

    /// Ends the conversation: what still waits is let go, and `stop` is the last message.
    pub fn stop(&mut self) {
        if !std::mem::replace(&mut self.stopped, true) {
            self.outbox.retain(|note| matches!(note, Note::Connected | Note::Start));
            self.waiting = 0;
            self.outbox.push_back(Note::Stop);
        }
    }

    /// The next message to send.
    pub fn say(&mut self) -> Option<String> {
        let note = self.outbox.pop_front()?;
        if !matches!(note, Note::Connected) {
            self.sequence += 1;
        }
        let Stream { stream_sid, account_sid, call_sid, parameters } = &self.stream;
        let sequence_number = Decimal(self.sequence);
        let text = match note {
            Note::Connected => Told::Connected { protocol: "Call", version: "1.0.0" }.text(),
            Note::Start => {
                let start = Start {
                    stream_sid,
                    account_sid,
                    call_sid,
                    tracks: ["inbound"],
                    media_format: MediaFormat::MU_LAW,
                    custom_parameters: parameters,
                };
                Told::Start { sequence_number, stream_sid, start }.text()
            }
            Note::Media { timestamp, audio } => {
                self.waiting -= 1;
                self.chunk += 1;
                let (chunk, timestamp) = (Decimal(self.chunk), Decimal(timestamp));
                let media = Media { track: "inbound", chunk, timestamp, payload: &payload(&audio) };
                Told::Media { sequence_number, stream_sid, media }.text()
            }
            Note::Dtmf(digit) => {
                Told::Dtmf { sequence_number, stream_sid, dtmf: Dtmf { track: "inbound_track", digit } }.text()
            }
            Note::Mark(name) => Told::Mark { sequence_number, stream_sid, mark: Mark { name: &name } }.text(),
            Note::Stop => Told::Stop { sequence_number, stream_sid, stop: Stop { account_sid, call_sid } }.text(),
        };
        Some(text)
    }

    /// Whether the conversation was ended and everything about it has been said.
    pub fn is_over(&self) -> bool {
        self.stopped && self.outbox.is_empty()
    }

    /// Whether the conversation was ended.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Whose stream this is.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Counts what passed so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Tells the marks that were reached.
    fn echo(&mut self) {
        while let Some(name) = self.playout.reached() {
            self.note(Note::Mark(name));
        }
    }

    fn note(&mut self, note: Note) {
        if self.stopped {
            return;
        }
        // An agent that floods and does not read must not fill the memory.
        if self.outbox.len() - self.waiting >= MAX_NOTES
            && let Some(oldest) = self.outbox.iter().position(|note| matches!(note, Note::Mark(_) | Note::Dtmf(_)))
        {
            self.outbox.remove(oldest);
            self.counts.notes_dropped += 1;
        }
        self.outbox.push_back(note);
    }
}

#[cfg(test)]
mod tests;
