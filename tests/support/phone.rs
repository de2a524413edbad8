//! The sound side of a caller: a UDP socket that talks, presses keys, and measures what it hears.

use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use strowger::media::{Codec, FRAME_PERIOD, Frame, SILENCE};

use super::DEADLINE;

/// The payload type of digits in the scenarios' SDP.
const DIGITS: u8 = 101;
/// Samples of a frame, and so the step of an RTP timestamp.
const SAMPLES: u32 = 160;
/// Packets that report a digit while it is pressed, and packets that report its end (RFC 4733 section 2.5.1.4).
const PRESSED: u16 = 3;
const RELEASED: u16 = 3;
/// Packets of silence after a digit.
const APART: u16 = 2;

/// Peak of a tone that is sent.
const PEAK: f64 = 8_000.0;
/// The least amplitude of a tone that counts as heard: half of what was sent.
pub const HEARD: f64 = PEAK / 2.0;
/// The most amplitude at a pitch that counts as silence there: a twentieth of what counts as heard.
pub const UNHEARD: f64 = HEARD / 20.0;

/// How much is listened to for one measurement.
const MEASURED: Duration = Duration::from_secs(1);

/// A phone without signalling: `sipp` does that, and tells the daemon this port.
pub struct Phone {
    /// What it speaks.
    pub codec: Codec,
    socket: Arc<UdpSocket>,
    mouth: Arc<Mutex<Mouth>>,
    ear: Arc<Ear>,
    hung_up: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// What is sent.
struct Mouth {
    to: Option<SocketAddr>,
    /// The pitch of the tone; silence without one.
    hertz: Option<f64>,
    /// The reports of keys that are left to send.
    reports: VecDeque<Report>,
    digit_began: u32,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
}

/// One packet of pressing a key, or a pause between two.
enum Report {
    Digit { code: u8, ended: bool, duration: u16, first: bool },
    Pause,
}

/// What is heard.
#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<Packet>>,
    news: Condvar,
}

#[derive(Clone)]
struct Packet {
    at: Instant,
    from: SocketAddr,
    payload_type: u8,
    sequence: u16,
    payload: Vec<u8>,
}

/// A second or so of what a phone heard.
pub struct Sound(Vec<i16>);

impl Phone {
    pub fn new(codec: Codec) -> Self {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        socket.set_read_timeout(Some(FRAME_PERIOD)).unwrap();
        let ssrc = u32::from(socket.local_addr().unwrap().port()) << 8 | 0x5a;
        let mouth = Arc::new(Mutex::new(Mouth {
            to: None,
            hertz: None,
            reports: VecDeque::new(),
            digit_began: 0,
            sequence: 1,
            timestamp: 160,
            ssrc,
        }));
        let ear = Arc::new(Ear::default());
        let hung_up = Arc::new(AtomicBool::new(false));
        let listening = {
            let (socket, ear, hung_up) = (Arc::clone(&socket), Arc::clone(&ear), Arc::clone(&hung_up));
            thread::spawn(move || listen(&socket, &ear, &hung_up))
        };
        let talking = {
            let (socket, mouth, hung_up) = (Arc::clone(&socket), Arc::clone(&mouth), Arc::clone(&hung_up));
            thread::spawn(move || talk(&socket, &mouth, codec, &hung_up))
        };
        Self { codec, socket, mouth, ear, hung_up, threads: vec![listening, talking] }
    }

    /// The port that the SDP is to name.
    pub fn port(&self) -> u16 {
        self.socket.local_addr().unwrap().port()
    }

    /// The formats that the SDP is to offer.
    pub fn formats(&self) -> String {
        format!("{} {DIGITS}", self.codec.payload_type())
    }

    /// Sends a tone from now on.
    pub fn talk(&self, to: SocketAddr, hertz: f64) {
        let mut mouth = self.mouth.lock().unwrap();
        mouth.to = Some(to);
        mouth.hertz = Some(hertz);
    }

    /// Presses keys, one after another, between packets of silence.
    pub fn press(&self, to: SocketAddr, keys: &str) {
        let mut mouth = self.mouth.lock().unwrap();
        mouth.to = Some(to);
        for key in keys.chars() {
            let code = "0123456789*#".find(key).unwrap_or_else(|| panic!("{key} is no key")) as u8;
            for packet in 0..PRESSED + RELEASED {
                let duration = (packet + 1).min(PRESSED) * SAMPLES as u16;
                mouth.reports.push_back(Report::Digit { code, ended: packet >= PRESSED, duration, first: packet == 0 });
            }
            mouth.reports.extend((0..APART).map(|_| Report::Pause));
        }
    }

    /// Waits for a packet that arrives after now, and gives where it came from.
    #[track_caller]
    pub fn rings(&self) -> SocketAddr {
        self.await_packets(1, Instant::now())[0].from
    }

    /// Waits until nothing has arrived for as long as this.
    #[track_caller]
    pub fn falls_silent(&self, length: Duration) {
        let end = Instant::now() + DEADLINE;
        let began = Instant::now();
        loop {
            let last = self.ear.heard.lock().unwrap().last().map_or(began, |packet| packet.at.max(began));
            let rest = length.saturating_sub(last.elapsed());
            if rest.is_zero() {
                return;
            }
            assert!(Instant::now() < end, "packets still arrive, the last one {:?} ago", last.elapsed());
            thread::sleep(rest);
        }
    }

    /// Listens from now on.
    #[track_caller]
    pub fn listen(&self, length: Duration) -> Sound {
        self.listen_since(length, Instant::now())
    }

    /// Listens to what arrived since then, and waits for the rest.
    #[track_caller]
    pub fn listen_since(&self, length: Duration, since: Instant) -> Sound {
        let wanted = length.as_millis().div_ceil(FRAME_PERIOD.as_millis()) as usize;
        let mut packets = self.await_packets(wanted, since);
        let first = packets[0].sequence;
        packets.sort_by_key(|packet| packet.sequence.wrapping_sub(first).cast_signed());
        packets.dedup_by_key(|packet| packet.sequence);
        let mut samples = Vec::new();
        for packet in &packets {
            assert_eq!(packet.payload_type, self.codec.payload_type(), "of another codec than was agreed on");
            assert_eq!(packet.payload.len(), SAMPLES as usize, "not 20 ms");
            self.codec.decode(&packet.payload, &mut samples);
        }
        Sound(samples)
    }

    /// Waits until a tone is heard through a whole measurement, and gives that.
    #[track_caller]
    pub fn hears(&self, hertz: f64) -> Sound {
        let end = Instant::now() + DEADLINE;
        loop {
            let sound = self.listen(MEASURED);
            if sound.level(hertz) > HEARD {
                return sound;
            }
            assert!(Instant::now() < end, "{hertz} Hz is not heard: {:.0} of {PEAK}", sound.level(hertz));
        }
    }

    #[track_caller]
    fn await_packets(&self, wanted: usize, since: Instant) -> Vec<Packet> {
        let end = Instant::now() + DEADLINE;
        let mut heard = self.ear.heard.lock().unwrap();
        loop {
            let fresh = heard.iter().rev().take_while(|packet| packet.at >= since).count();
            if fresh >= wanted {
                return heard[heard.len() - fresh..][..wanted].to_vec();
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{fresh} of {wanted} packets arrived");
            heard = self.ear.news.wait_timeout(heard, left).unwrap().0;
        }
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.hung_up.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Sound {
    /// The amplitude at one pitch, by Goertzel's algorithm.
    pub fn level(&self, hertz: f64) -> f64 {
        let length = self.0.len() as f64;
        let turn = 2.0 * (TAU * hertz / 8_000.0).cos();
        let (mut last, mut before) = (0.0, 0.0);
        for sample in &self.0 {
            let next = f64::from(*sample) + turn * last - before;
            before = last;
            last = next;
        }
        let power = last * last + before * before - turn * last * before;
        2.0 * power.max(0.0).sqrt() / length
    }

    /// The loudest sample.
    pub fn peak(&self) -> i16 {
        self.0.iter().map(|sample| sample.saturating_abs()).max().unwrap_or(0)
    }

    /// Asserts that a tone is in it, twenty times as strong as another.
    #[track_caller]
    pub fn has_and_has_not(&self, hertz: f64, other: f64) {
        let (level, unwanted) = (self.level(hertz), self.level(other));
        assert!(
            level > HEARD && unwanted < UNHEARD && level > 20.0 * unwanted,
            "{hertz} Hz at {level:.0}, {other} Hz at {unwanted:.0}"
        );
    }
}

fn listen(socket: &UdpSocket, ear: &Ear, hung_up: &AtomicBool) {
    let mut buffer = [0; 2_048];
    while !hung_up.load(Ordering::Relaxed) {
        // A reading that timed out is a look at whether to go on.
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let packet = &buffer[..length];
        assert!(length >= 12 && packet[0] == 0x80, "not a plain RTP packet: {packet:?}");
        ear.heard.lock().unwrap().push(Packet {
            at: Instant::now(),
            from,
            payload_type: packet[1] & 0x7f,
            sequence: u16::from_be_bytes([packet[2], packet[3]]),
            payload: packet[12..].to_vec(),
        });
        ear.news.notify_all();
    }
}

fn talk(socket: &UdpSocket, mouth: &Mutex<Mouth>, codec: Codec, hung_up: &AtomicBool) {
    let mut due = Instant::now();
    while !hung_up.load(Ordering::Relaxed) {
        let next = mouth.lock().unwrap().next(codec);
        if let Some((packet, to)) = next {
            let _ = socket.send_to(&packet, to);
        }
        due += FRAME_PERIOD;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

impl Mouth {
    /// The next packet, and where it goes; none while there is nobody to talk to.
    fn next(&mut self, codec: Codec) -> Option<(Vec<u8>, SocketAddr)> {
        let to = self.to?;
        let report = self.reports.pop_front();
        let mut payload = Vec::new();
        let (kind, marker, timestamp) = match report {
            Some(Report::Digit { code, ended, duration, first }) => {
                if first {
                    self.digit_began = self.timestamp;
                }
                let [high, low] = duration.to_be_bytes();
                payload.extend([code, if ended { 0x8a } else { 0x0a }, high, low]);
                (DIGITS, first, self.digit_began)
            }
            Some(Report::Pause) | None => {
                codec.encode(&self.frame(), &mut payload);
                (codec.payload_type(), false, self.timestamp)
            }
        };
        let mut packet = vec![0x80, kind | if marker { 0x80 } else { 0 }];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.append(&mut payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(SAMPLES);
        Some((packet, to))
    }

    fn frame(&self) -> Frame {
        let Some(hertz) = self.hertz else { return SILENCE };
        std::array::from_fn(|place| {
            let time = f64::from(self.timestamp.wrapping_add(place as u32)) / 8_000.0;
            (PEAK * (TAU * hertz * time).sin()) as i16
        })
    }
}
