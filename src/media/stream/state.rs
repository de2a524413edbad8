//! What does a stream do with a packet, and with a frame?

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::Rng;

use super::StreamStats;
use crate::media::codec::Codec;
use crate::media::digits::DigitReceiver;
use crate::media::frame::{FRAME_PERIOD, FRAME_SAMPLES, Frame};
use crate::media::jitter::{Chunk, JitterBuffer};
use crate::media::latch::{Admission, Latch};
use crate::media::reception::{Arrival, Reception};
use crate::media::rtp::{HEADER_LENGTH, Header, Packet};
use crate::media::sdp::Negotiated;
use crate::media::socket::LeasedSocket;

/// Payload type of comfort noise (RFC 3389): not played, but part of the peer's count of packets.
const COMFORT_NOISE: u8 = 13;

/// A gap between two frames to send that is a pause and no mere delay. The RTP clock runs on through
/// it (RFC 3550 section 5.1). It is longer than the stalls a room makes up for with a burst.
const PAUSE: Duration = Duration::from_millis(400);

/// What a stream remembers between packets.
#[derive(Debug)]
pub(super) struct State {
    /// Nothing once closed.
    socket: Option<Arc<LeasedSocket>>,
    agreed: Option<Agreed>,
    reception: Reception,
    jitter: JitterBuffer,
    digits: DigitReceiver,
    /// Kept between packets to spare an allocation.
    samples: Vec<i16>,
    sender: Sender,
    counts: StreamStats,
    heard: Option<Instant>,
}

/// What the two sides agreed on.
#[derive(Debug)]
struct Agreed {
    codec: Codec,
    payload_type: u8,
    digits: Option<u8>,
    sends: bool,
    latch: Latch,
}

/// Where this side stands in its own stream.
#[derive(Debug)]
struct Sender {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// Whether the frame before this one was sent too.
    talking: bool,
    last: Option<Instant>,
    /// Kept between packets to spare an allocation.
    packet: Vec<u8>,
}

/// What a packet brought that others must know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) digit: Option<char>,
    /// Whether its source is new.
    pub(super) accepted: bool,
}

impl State {
    pub(super) fn new(socket: Arc<LeasedSocket>, random: &mut impl Rng) -> State {
        State {
            socket: Some(socket),
            agreed: None,
            reception: Reception::default(),
            jitter: JitterBuffer::default(),
            digits: DigitReceiver::default(),
            samples: Vec::new(),
            sender: Sender {
                // All three are random, so that a stranger cannot guess them (RFC 3550 section 5.1).
                ssrc: random.random(),
                sequence: random.random(),
                timestamp: random.random(),
                talking: false,
                last: None,
                packet: Vec::with_capacity(HEADER_LENGTH + FRAME_SAMPLES),
            },
            counts: StreamStats::default(),
            heard: None,
        }
    }

    pub(super) fn configure(&mut self, negotiated: &Negotiated) {
        let latch = match self.agreed.take() {
            Some(mut before) => {
                // An old-style hold names no address; the source stays for the music it may play.
                if !negotiated.remote.ip().is_unspecified() {
                    before.latch.signal(negotiated.remote);
                }
                before.latch
            }
            None => Latch::new(negotiated.remote),
        };
        self.agreed = Some(Agreed {
            codec: negotiated.codec,
            payload_type: negotiated.payload_type,
            digits: negotiated.digits,
            sends: negotiated.direction.sends(),
            latch,
        });
    }

    pub(super) fn receive(&mut self, bytes: &[u8], from: SocketAddr, now: Instant) -> Received {
        let received = self.accept(bytes, from, now);
        if received.is_none() {
            self.counts.ignored += 1;
        }
        received.unwrap_or_default()
    }

    /// Nothing when the packet is none of ours.
    fn accept(&mut self, bytes: &[u8], from: SocketAddr, now: Instant) -> Option<Received> {
        let agreed = self.agreed.as_mut()?;
        let Packet { header, payload } = Packet::parse(bytes).ok()?;
        let is_sound = header.payload_type == agreed.payload_type;
        let is_digit = Some(header.payload_type) == agreed.digits;
        if !is_sound && !is_digit && header.payload_type != COMFORT_NOISE {
            return None;
        }

        let admission = agreed.latch.admit(from, header.ssrc, now);
        let mut received = Received::default();
        match admission {
            Admission::Known => {}
            Admission::Accepted => {
                self.digits.reset();
                received.accepted = true;
            }
            Admission::Refused => return None,
        }

        self.heard = Some(now);
        if self.reception.note(header.ssrc, header.sequence) == Arrival::Duplicate {
            self.counts.duplicates += 1;
            return Some(received);
        }
        self.counts.packets_in += 1;
        self.counts.bytes_in += bytes.len() as u64;
        if is_sound {
            self.samples.clear();
            agreed.codec.decode(payload, &mut self.samples);
            self.jitter.push(Chunk {
                ssrc: header.ssrc,
                sequence: header.sequence,
                timestamp: header.timestamp,
                samples: &self.samples,
            });
        } else if is_digit {
            received.digit = self.digits.receive(header.timestamp, payload);
        }
        Some(received)
    }

    pub(super) fn take(&mut self) -> Option<Frame> {
        self.jitter.pop()
    }

    pub(super) fn send(&mut self, frame: &Frame, now: Instant) {
        let sender = &mut self.sender;
        if let Some(last) = sender.last
            && let gap = now.saturating_duration_since(last)
            && gap > PAUSE
        {
            // Less the one frame that passes between any two; long pauses wrap, as the clock does.
            let frames = gap.as_millis() / FRAME_PERIOD.as_millis() - 1;
            sender.timestamp = sender.timestamp.wrapping_add(frames as u32 * FRAME_SAMPLES as u32);
            sender.talking = false;
        }
        sender.last = Some(now);
        let timestamp = sender.timestamp;
        sender.timestamp = timestamp.wrapping_add(FRAME_SAMPLES as u32);

        let remote = self
            .agreed
            .as_ref()
            .filter(|agreed| agreed.sends)
            .map(|agreed| (agreed, agreed.latch.remote()))
            .filter(|(_, remote)| !remote.ip().is_unspecified() && remote.port() != 0);
        let (Some(socket), Some((agreed, remote))) = (&self.socket, remote) else {
            sender.talking = false;
            return;
        };

        let header = Header {
            // The first packet after a silence (RFC 3551 section 4.1).
            marker: !sender.talking,
            payload_type: agreed.payload_type,
            sequence: sender.sequence,
            timestamp,
            ssrc: sender.ssrc,
        };
        sender.packet.clear();
        sender.packet.extend(header.print());
        agreed.codec.encode(frame, &mut sender.packet);
        match socket.try_send_to(&sender.packet, remote) {
            Ok(length) => {
                sender.sequence = sender.sequence.wrapping_add(1);
                sender.talking = true;
                self.counts.packets_out += 1;
                self.counts.bytes_out += length as u64;
            }
            // A full queue or an unreachable network: this frame's time is over either way.
            Err(_) => self.counts.unsent += 1,
        }
    }

    pub(super) fn is_held(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| !agreed.sends)
    }

    pub(super) fn stats(&self, now: Instant) -> StreamStats {
        let jitter = self.jitter.stats();
        StreamStats {
            lost: self.reception.lost(),
            late: jitter.late,
            concealed: jitter.concealed,
            last_packet_age: self.heard.map(|heard| now.saturating_duration_since(heard)),
            remote: self.agreed.as_ref().map(|agreed| agreed.latch.remote()),
            ..self.counts
        }
    }

    /// Lets go of the socket; tells whether it was still there.
    pub(super) fn close(&mut self) -> bool {
        self.socket.take().is_some()
    }
}
