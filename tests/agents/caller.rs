//! A caller for tests: SIP and RTP over plain UDP sockets, as the RFCs spell them.

use std::f64::consts::TAU;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use strowger::media::{Codec, Frame};
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

use super::DEADLINE;

/// Peak of a tone that is sent.
const PEAK: f64 = 8_000.0;

pub struct Caller {
    sip: UdpSocket,
    rtp: Arc<UdpSocket>,
    daemon: SocketAddr,
    number: String,
    call_id: String,
    /// The tag of the daemon, and where it takes RTP, once it answered.
    to: String,
    peer: Option<SocketAddr>,
    codec: Codec,
    talking: Option<AbortHandle>,
    headers: String,
    sequence: u32,
}

impl Caller {
    pub async fn new(daemon: SocketAddr, codec: Codec) -> Self {
        let sip = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let rtp = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let call_id = uuid::Uuid::new_v4().simple().to_string();
        let number = "+14155550100".to_owned();
        let to = format!("<sip:{number}@127.0.0.1>");
        Self {
            sip,
            rtp,
            daemon,
            number,
            call_id,
            to,
            peer: None,
            codec,
            talking: None,
            headers: String::new(),
            sequence: 1,
        }
    }

    /// Sends this header with the INVITE.
    pub fn header(&mut self, name: &str, value: &str) {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
    }

    /// Dials another number.
    pub fn dial(&mut self, number: &str) {
        number.clone_into(&mut self.number);
        self.to = format!("<sip:{number}@127.0.0.1>");
    }

    /// Acknowledges the answer.
    pub async fn acknowledge(&self) {
        self.send("ACK", 1, "", "", "").await;
    }

    pub async fn invite(&self) {
        let port = self.rtp.local_addr().unwrap().port();
        let kind = self.codec.payload_type();
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP {kind} 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        );
        self.send("INVITE", 1, &self.headers, "application/sdp", &sdp).await;
    }

    async fn send(&self, method: &str, sequence: u32, headers: &str, content_type: &str, body: &str) {
        let here = self.sip.local_addr().unwrap();
        let content = if body.is_empty() { String::new() } else { format!("Content-Type: {content_type}\r\n") };
        // The ACK of a 200 and everything later has a branch of its own; CANCEL has that of the INVITE.
        let branch = match method {
            "INVITE" | "CANCEL" => "invite".to_owned(),
            _ => format!("{}{sequence}", method.to_lowercase()),
        };
        let message = format!(
            "{method} sip:{number}@{daemon} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{branch}{id};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:+12125550123@127.0.0.1>;tag=caller\r\nTo: {to}\r\nCall-ID: {id}\r\n\
             CSeq: {sequence} {method}\r\nContact: <sip:caller@{here}>\r\n{headers}{content}Content-Length: {length}\r\n\r\n{body}",
            number = self.number,
            daemon = self.daemon,
            to = self.to,
            id = self.call_id,
            length = body.len(),
        );
        self.sip.send_to(message.as_bytes(), self.daemon).await.unwrap();
    }

    async fn receive(&self) -> String {
        let mut buffer = [0; 4_096];
        let received = tokio::time::timeout(DEADLINE, self.sip.recv_from(&mut buffer)).await;
        let (length, _) = received.expect("the daemon says nothing").unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// The next response that is not 100; repeated ones are skipped.
    pub async fn status(&mut self) -> u16 {
        loop {
            let message = self.receive().await;
            let Some(rest) = message.strip_prefix("SIP/2.0 ") else { continue };
            let status: u16 = rest[..3].parse().unwrap();
            if status == 100 || !message.contains(" INVITE\r\n") {
                continue;
            }
            if let Some(to) = message.lines().find_map(|line| line.strip_prefix("To: ")) {
                to.clone_into(&mut self.to);
            }
            if status >= 300 {
                self.send("ACK", 1, "", "", "").await;
            }
            if let Some(port) = message.lines().find_map(|line| line.strip_prefix("m=audio ")) {
                let port: u16 = port.split(' ').next().unwrap().parse().unwrap();
                self.peer = Some(([127, 0, 0, 1], port).into());
            }
            return status;
        }
    }

    /// Calls, and gives the provisional responses before the answer, which it acknowledges.
    pub async fn answered(&mut self) -> Vec<u16> {
        self.invite().await;
        let mut before = Vec::new();
        loop {
            match self.status().await {
                200 => {
                    self.acknowledge().await;
                    return before;
                }
                status @ 101..200 => before.push(status),
                status => panic!("refused with {status}"),
            }
        }
    }

    /// Calls, and gives the final refusal.
    pub async fn refused(&mut self) -> u16 {
        self.invite().await;
        loop {
            match self.status().await {
                101..200 => {}
                status => return status,
            }
        }
    }

    pub async fn cancel(&self) {
        self.send("CANCEL", 1, "", "", "").await;
    }

    pub async fn bye(&mut self) {
        self.sequence += 1;
        self.send("BYE", self.sequence, "", "", "").await;
    }

    pub async fn info(&mut self, digit: char) {
        self.sequence += 1;
        self.send("INFO", self.sequence, "", "application/dtmf-relay", &format!("Signal={digit}\r\nDuration=160\r\n"))
            .await;
    }

    /// Waits for the daemon's BYE, and answers it.
    pub async fn hung_up_on(&self) {
        loop {
            let message = self.receive().await;
            if !message.starts_with("BYE ") {
                continue;
            }
            let wanted = ["Via", "From", "To", "Call-ID", "CSeq"];
            let kept = message.lines().filter(|line| wanted.iter().any(|name| line.starts_with(&format!("{name}:"))));
            let headers: String = kept.map(|line| format!("{line}\r\n")).collect();
            let response = format!("SIP/2.0 200 OK\r\n{headers}Content-Length: 0\r\n\r\n");
            self.sip.send_to(response.as_bytes(), self.daemon).await.unwrap();
            return;
        }
    }

    /// Sends a tone from now on.
    pub fn talk(&mut self, hertz: f64) {
        let (rtp, codec, peer) = (Arc::clone(&self.rtp), self.codec, self.peer.unwrap());
        let talking = tokio::spawn(async move {
            let mut pace = tokio::time::interval(Duration::from_millis(20));
            for sequence in 1_u32.. {
                pace.tick().await;
                let mut packet = header(codec.payload_type(), sequence, sequence * 160);
                codec.encode(&tone(hertz, sequence), &mut packet);
                let _ = rtp.send_to(&packet, peer).await;
            }
        });
        self.talking = Some(talking.abort_handle());
    }

    /// Presses a key by RFC 4733, with so many of its three last packets lost.
    pub async fn press(&self, code: u8, lost: usize) {
        let packets = [(false, 160), (false, 320), (true, 480), (true, 480), (true, 480)];
        for (place, (end, duration)) in packets.into_iter().enumerate().take(packets.len() - lost) {
            let mut packet = header(101, 1 + place as u32, 160);
            packet.extend([code, if end { 0x8a } else { 0x0a }]);
            packet.extend(u16::to_be_bytes(duration));
            self.rtp.send_to(&packet, self.peer.unwrap()).await.unwrap();
        }
    }

    /// The next 20 ms that arrive.
    pub async fn hear(&self) -> Vec<i16> {
        let mut buffer = [0; 2_048];
        let received = tokio::time::timeout(DEADLINE, self.rtp.recv_from(&mut buffer)).await;
        let (length, _) = received.expect("the daemon sends no sound").unwrap();
        let mut samples = Vec::new();
        self.codec.decode(&buffer[12..length], &mut samples);
        samples
    }

    /// Waits until a tone is heard through half a second; gives its level and how long it took.
    pub async fn hears(&self, hertz: f64) -> (f64, Duration) {
        let began = Instant::now();
        loop {
            let mut samples = Vec::new();
            while samples.len() < 4_000 {
                samples.extend(self.hear().await);
            }
            let level = level(&samples, hertz);
            if level > PEAK / 2.0 {
                return (level, began.elapsed());
            }
            assert!(began.elapsed() < DEADLINE, "{hertz} Hz is not heard: {level:.0} of {PEAK}");
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if let Some(talking) = self.talking.take() {
            talking.abort();
        }
    }
}

fn header(kind: u8, sequence: u32, timestamp: u32) -> Vec<u8> {
    let mut packet = vec![0x80, kind];
    packet.extend((sequence as u16).to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend([0, 0, 0, 1]);
    packet
}

fn tone(hertz: f64, frame: u32) -> Frame {
    std::array::from_fn(|place| {
        let time = (f64::from(frame) * 160.0 + place as f64) / 8_000.0;
        (PEAK * (TAU * hertz * time).sin()) as i16
    })
}

/// The amplitude at one pitch, by Goertzel's algorithm.
pub fn level(samples: &[i16], hertz: f64) -> f64 {
    let turn = 2.0 * (TAU * hertz / 8_000.0).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        let next = f64::from(*sample) + turn * last - before;
        before = last;
        last = next;
    }
    2.0 * (last * last + before * before - turn * last * before).max(0.0).sqrt() / samples.len() as f64
}
