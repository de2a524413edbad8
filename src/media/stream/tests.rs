use super::*;
use crate::media::codec::Codec;
use crate::media::rtp::{Header, Packet};
use crate::media::sdp::SdpOffer;
use std::net::Ipv4Addr;
use tokio::net::UdpSocket;
use tokio::time::timeout;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PATIENCE: Duration = Duration::from_secs(10);

fn agreed(remote: SocketAddr, attribute: &str) -> Negotiated {
    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n{attribute}\r\n",
        ip = remote.ip(),
        port = remote.port(),
    );
    SdpOffer::parse(text.as_bytes()).unwrap().negotiate(&Codec::ALL).unwrap()
}

/// A stream and a peer's socket; the SDP names a port where nobody is.
async fn pair(first_port: u16) -> (Stream, UdpSocket) {
    let ports = Ports::new(first_port..=first_port + 8).unwrap();
    let stream = Stream::open(&ports, LOCALHOST).unwrap();
    stream.configure(&agreed("127.0.0.1:9".parse().unwrap(), "a=sendrecv"));
    let peer = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    peer.connect(stream.local_addr()).await.unwrap();
    (stream, peer)
}

fn packet(payload_type: u8, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let header = Header { marker: false, payload_type, sequence, timestamp: u32::from(sequence) * 160, ssrc: 5 };
    [&header.print()[..], payload].concat()
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

/// Receives the next packet and gives its header and the length of its payload.
async fn next(peer: &UdpSocket) -> (Header, usize) {
    let mut buffer = [0; 2_000];
    let length = timeout(PATIENCE, peer.recv(&mut buffer)).await.unwrap().unwrap();
    let packet = Packet::parse(&buffer[..length]).unwrap();
    (packet.header, packet.payload.len())
}

#[tokio::test]
async fn sound_is_sent_to_where_the_peer_is_found() {
    let (stream, peer) = pair(38_100).await;
    peer.send(&packet(8, 1, &[0xd5; 160])).await.unwrap();
    until(|| stream.stats().packets_in == 1).await;
    assert_eq!(stream.stats().remote, Some(peer.local_addr().unwrap()));

    let mut headers = Vec::new();
    for _ in 0..3 {
        stream.send(&[1_000; 160]);
        let (header, length) = next(&peer).await;
        assert_eq!(length, 160);
        headers.push(header);
    }
    assert!(headers[0].marker && !headers[1].marker);
    for pair in headers.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
        assert_eq!(pair[1].timestamp, pair[0].timestamp.wrapping_add(160));
        assert_eq!((pair[1].ssrc, pair[1].payload_type), (pair[0].ssrc, 8));
    }
    let stats = stream.stats();
    assert_eq!((stats.packets_out, stats.bytes_out), (3, 3 * 172));
}

#[tokio::test]
async fn strangers_and_noise_are_ignored_and_counted() {
    let (stream, peer) = pair(38_110).await;
    peer.send(&packet(8, 1, &[0xd5; 160])).await.unwrap();
    until(|| stream.stats().packets_in == 1).await;

    let stranger = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    stranger.send_to(&packet(8, 2, &[0; 160]), stream.local_addr()).await.unwrap();
    for noise in [&b""[..], b"noise", &[0; 40], &packet(77, 2, b"x"), &packet(0, 2, b"x")] {
        peer.send(noise).await.unwrap();
    }
    until(|| stream.stats().ignored == 6).await;
    peer.send(&packet(8, 3, &[0xd5; 160])).await.unwrap();
    peer.send(&packet(8, 3, &[0xd5; 160])).await.unwrap();
    until(|| stream.stats().duplicates == 1).await;
    let stats = stream.stats();
    assert_eq!((stats.packets_in, stats.lost), (2, 1));
    assert_eq!(stats.remote, Some(peer.local_addr().unwrap()));
    assert!(stats.last_packet_age.unwrap() < PATIENCE);
}

#[tokio::test]
async fn digits_arrive_once_each_and_end_with_the_stream() {
    let (stream, peer) = pair(38_120).await;
    let mut digits = stream.digits().unwrap();
    assert!(stream.digits().is_none(), "only one reader");
    for (sequence, event, timestamp) in [(1, 1, 100), (2, 1, 100), (3, 1, 100), (4, 11, 2_000)] {
        let header = Header { marker: false, payload_type: 101, sequence, timestamp, ssrc: 5 };
        peer.send(&[&header.print()[..], &[event, 0x8a, 3, 32]].concat()).await.unwrap();
    }
    assert_eq!(timeout(PATIENCE, digits.recv()).await.unwrap(), Some('1'));
    assert_eq!(timeout(PATIENCE, digits.recv()).await.unwrap(), Some('#'));
    stream.close();
    assert_eq!(timeout(PATIENCE, digits.recv()).await.unwrap(), None);
}

#[tokio::test]
async fn a_held_stream_sends_nothing_and_its_clock_runs_on() {
    let (stream, peer) = pair(38_130).await;
    peer.send(&packet(8, 1, &[0xd5; 160])).await.unwrap();
    until(|| stream.stats().packets_in == 1).await;
    stream.send(&[1; 160]);
    let (before, _) = next(&peer).await;

    for hold in ["127.0.0.1:9", "0.0.0.0:9"] {
        let attribute = if hold.starts_with('0') { "" } else { "a=sendonly" };
        stream.reconfigure(&agreed(hold.parse().unwrap(), attribute));
        assert!(stream.is_held());
        stream.send(&[1; 160]);
        assert_eq!(stream.stats().packets_out, 1);
    }

    stream.reconfigure(&agreed("127.0.0.1:9".parse().unwrap(), "a=sendrecv"));
    assert!(!stream.is_held());
    stream.send(&[1; 160]);
    let (after, _) = next(&peer).await;
    assert!(after.marker);
    assert_eq!(after.sequence, before.sequence.wrapping_add(1));
    assert_eq!(after.timestamp, before.timestamp.wrapping_add(3 * 160));
}

#[tokio::test]
async fn a_prompt_is_played_at_its_pace() {
    let (stream, peer) = pair(38_140).await;
    peer.send(&packet(8, 1, &[0xd5; 160])).await.unwrap();
    until(|| stream.stats().packets_in == 1).await;
    let begun = Instant::now();
    let beep = crate::media::tone::beep();
    stream.play(&beep).await;
    assert!(begun.elapsed() >= Duration::from_millis(175));
    for _ in &beep {
        next(&peer).await;
    }
}

#[tokio::test]
async fn closing_gives_the_port_back_and_ends_the_task() {
    let ports = Ports::new(38_150..=38_158).unwrap();
    let stream = Stream::open(&ports, LOCALHOST).unwrap();
    let metrics = tokio::runtime::Handle::current().metrics();
    assert_eq!((ports.in_use(), metrics.num_alive_tasks()), (1, 1));
    stream.close();
    stream.close();
    until(|| ports.in_use() == 0 && metrics.num_alive_tasks() == 0).await;
    stream.send(&[0; 160]);
    assert_eq!(stream.take(), None);

    let dropped = Stream::open(&ports, LOCALHOST).unwrap();
    drop(dropped);
    until(|| ports.in_use() == 0 && metrics.num_alive_tasks() == 0).await;
}

#[tokio::test]
async fn the_clock_runs_on_through_a_pause() {
    let (stream, peer) = pair(38_160).await;
    peer.send(&packet(8, 1, &[0xd5; 160])).await.unwrap();
    until(|| stream.stats().packets_in == 1).await;
    let now = Instant::now();
    let mut headers = Vec::new();
    // A late frame is no pause; two seconds are, and 100 frames belong to them.
    for after in [0, 120, 2_120] {
        lock(&stream.state).send(&[1; 160], now + Duration::from_millis(after));
        headers.push(next(&peer).await.0);
    }
    let steps: Vec<_> = headers.windows(2).map(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp)).collect();
    assert_eq!(steps, [160, 100 * 160]);
    assert_eq!(headers.iter().map(|header| header.marker).collect::<Vec<_>>(), [true, false, true]);
}

#[tokio::test]
async fn another_codec_may_be_agreed_on_later() {
    let (stream, peer) = pair(38_170).await;
    peer.send(&packet(8, 1, &[0xd5; 160])).await.unwrap();
    until(|| stream.stats().packets_in == 1).await;
    let text = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";
    let offer = SdpOffer::parse(text.as_bytes()).unwrap();
    stream.reconfigure(&offer.negotiate(&Codec::ALL).unwrap());
    peer.send(&packet(8, 2, &[0xd5; 160])).await.unwrap();
    peer.send(&packet(0, 3, &[0xff; 160])).await.unwrap();
    until(|| stream.stats().packets_in == 2).await;
    assert_eq!(stream.stats().ignored, 1);
    stream.send(&[1; 160]);
    assert_eq!(next(&peer).await.0.payload_type, 0);
}
