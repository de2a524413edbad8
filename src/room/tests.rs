//! Rooms with real sockets and real sound.

use std::f64::consts::TAU;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use tokio::net::UdpSocket;
use tokio::time::{interval, sleep, timeout};

use super::*;
use crate::media::rtp::{Header, Packet};
use crate::media::{Codec, FRAME_PERIOD, Frame, Ports, SdpOffer, Stream, Voice};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PATIENCE: Duration = Duration::from_secs(20);

fn participant(id: &str) -> Participant {
    Participant { id: ParticipantId::new(id), name: id.to_owned(), joined_at: SystemTime::UNIX_EPOCH }
}

fn configured(ports: &Ports, codec: Codec, remote: SocketAddr) -> Arc<Stream> {
    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP {payload_type}\r\n",
        ip = remote.ip(),
        port = remote.port(),
        payload_type = codec.payload_type(),
    );
    let negotiated = SdpOffer::parse(text.as_bytes()).unwrap().negotiate(&[codec]).unwrap();
    let stream = Stream::open(ports, LOCALHOST).unwrap();
    stream.configure(&negotiated);
    Arc::new(stream)
}

/// The strength of one pitch, as a share of full scale (Goertzel).
fn strength(samples: &[i16], hertz: f64) -> f64 {
    let coefficient = 2.0 * (TAU * hertz / 8_000.0).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in samples {
        (one, two) = (f64::from(*sample) / 32_768.0 + coefficient * one - two, one);
    }
    let power = one * one + two * two - coefficient * one * two;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64
}

/// A phone that sings one pitch and keeps what it hears, until it heard `wanted` samples of sound.
async fn sing(phone: &UdpSocket, to: SocketAddr, codec: Codec, hertz: f64, wanted: usize) -> Vec<i16> {
    let mut pace = interval(FRAME_PERIOD);
    let mut heard = Vec::new();
    let mut buffer = [0; 2_000];
    let mut header = Header {
        marker: true,
        payload_type: codec.payload_type(),
        sequence: 65_500,
        timestamp: u32::MAX - 4_000,
        ssrc: hertz as u32,
    };
    let mut sung = 0usize;
    while heard.len() < wanted {
        tokio::select! {
            _ = pace.tick() => {
                let frame: Frame = std::array::from_fn(|place| {
                    let index = (sung + place) as f64;
                    (8_000.0 * (TAU * hertz * index / 8_000.0).sin()) as i16
                });
                let mut packet = header.print().to_vec();
                codec.encode(&frame, &mut packet);
                phone.send_to(&packet, to).await.unwrap();
                sung += frame.len();
                header.marker = false;
                header.sequence = header.sequence.wrapping_add(1);
                header.timestamp = header.timestamp.wrapping_add(frame.len() as u32);
            }
            received = phone.recv_from(&mut buffer) => {
                let (length, from) = received.unwrap();
                assert_eq!(from, to);
                let packet = Packet::parse(&buffer[..length]).unwrap();
                assert_eq!(packet.header.payload_type, codec.payload_type());
                let mut samples = Vec::new();
                codec.decode(packet.payload, &mut samples);
                if samples.iter().any(|sample| sample.abs() > 1_000) {
                    heard.extend(samples);
                }
            }
        }
    }
    heard
}

#[tokio::test]
async fn two_callers_hear_each_other_and_not_themselves() {
    let ports = Ports::new(38_200..=38_220).unwrap();
    let rooms = Rooms::new();
    let low_phone = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let high_phone = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    // The high phone is behind a NAT: its SDP names a port where nobody is.
    let low = configured(&ports, Codec::Pcmu, low_phone.local_addr().unwrap());
    let high = configured(&ports, Codec::Pcma, "127.0.0.1:9".parse().unwrap());
    let _low_seat = rooms.join("support", participant("low"), low.clone()).unwrap();
    let _high_seat = rooms.join("support", participant("high"), high.clone()).unwrap();

    const SECOND: usize = 8_000;
    let (low_heard, high_heard) = timeout(PATIENCE, async {
        tokio::join!(
            sing(&low_phone, low.local_addr(), Codec::Pcmu, 440.0, SECOND),
            sing(&high_phone, high.local_addr(), Codec::Pcma, 1_000.0, SECOND),
        )
    })
    .await
    .expect("a phone heard nothing");

    // Sung at 8000 of 32768: 0.24 of full scale.
    let (at_low, at_high) = (
        (strength(&low_heard, 440.0), strength(&low_heard, 1_000.0)),
        (strength(&high_heard, 440.0), strength(&high_heard, 1_000.0)),
    );
    println!("low phone (440 Hz, 1000 Hz) heard {at_low:?}; high phone heard {at_high:?}");
    assert!(at_low.1 > 0.15 && at_low.0 < 0.01, "the low phone heard {at_low:?}");
    assert!(at_high.0 > 0.15 && at_high.1 < 0.01, "the high phone heard {at_high:?}");
}

/// A party that says one sample value and remembers what it heard last.
struct Puppet {
    says: i16,
    heard: Mutex<Option<i16>>,
    frames: AtomicU32,
}

use std::sync::Mutex;

impl Puppet {
    fn new(says: i16) -> Arc<Puppet> {
        Arc::new(Puppet { says, heard: Mutex::new(None), frames: AtomicU32::new(0) })
    }

    fn heard(&self) -> Option<i16> {
        *self.heard.lock().unwrap()
    }
}

impl Voice for Puppet {
    fn take(&self) -> Option<Frame> {
        (self.says != 0).then_some([self.says; 160])
    }

    fn send(&self, frame: &Frame) {
        *self.heard.lock().unwrap() = Some(frame[0]);
        self.frames.fetch_add(1, Ordering::Relaxed);
    }
}

async fn until(mut condition: impl FnMut() -> bool) {
    timeout(PATIENCE, async {
        while !condition() {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("the condition never held");
}

#[tokio::test]
async fn everybody_hears_the_others_as_they_come_and_go() {
    let rooms = Rooms::new();
    let (one, two, mute) = (Puppet::new(1), Puppet::new(20), Puppet::new(0));
    let one_seat = rooms.join("r", participant("one"), one.clone()).unwrap();
    until(|| one.frames.load(Ordering::Relaxed) >= 2).await;
    assert_eq!(one.heard(), Some(0), "one alone hears silence");

    let two_seat = rooms.join("r", participant("two"), two.clone()).unwrap();
    let mute_seat = rooms.join("r", participant("mute"), mute.clone()).unwrap();
    until(|| one.heard() == Some(20) && two.heard() == Some(1) && mute.heard() == Some(21)).await;

    one_seat.leave();
    let left_at = one.frames.load(Ordering::Relaxed);
    until(|| two.heard() == Some(0) && mute.heard() == Some(20)).await;
    assert_eq!(one.frames.load(Ordering::Relaxed), left_at);

    assert!(rooms.join("r", participant("two"), one.clone()).is_err());
    let other = rooms.join("q", participant("two"), one.clone()).unwrap();
    let list = rooms.list();
    let ids: Vec<Vec<_>> =
        list.iter().map(|room| room.participants.iter().map(|here| here.id.as_str()).collect()).collect();
    assert_eq!(list.iter().map(|room| room.id.as_str()).collect::<Vec<_>>(), ["q", "r"]);
    assert_eq!(ids, [vec!["two"], vec!["two", "mute"]]);

    drop((two_seat, mute_seat, other));
    assert_eq!(rooms.list(), []);
}

#[tokio::test]
async fn a_closed_room_leaves_no_task_and_no_port() {
    let ports = Ports::new(38_230..=38_240).unwrap();
    let rooms = Rooms::new();
    let metrics = tokio::runtime::Handle::current().metrics();
    let remote = "127.0.0.1:9".parse().unwrap();
    for _ in 0..2 {
        let one = configured(&ports, Codec::Pcmu, remote);
        let two = configured(&ports, Codec::Pcma, remote);
        let one_seat = rooms.join("r", participant("one"), one.clone()).unwrap();
        let two_seat = rooms.join("r", participant("two"), two.clone()).unwrap();
        assert_eq!((ports.in_use(), metrics.num_alive_tasks()), (2, 3));
        until(|| one.stats().packets_out > 2 && two.stats().packets_out > 2).await;

        one_seat.leave();
        drop(two_seat);
        until(|| metrics.num_alive_tasks() == 2).await;
        assert_eq!(rooms.list(), []);
        drop((one, two));
        until(|| metrics.num_alive_tasks() == 0 && ports.in_use() == 0).await;
    }
}
