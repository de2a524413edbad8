//! Calls that are answered, and what their callers hear.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use strowger::media::Codec;

use crate::support::{Call, DEADLINE, Daemon, Dial, Phone, Site, Wire};

/// The number of the quickstart whose callers all meet in one room.
const LOBBY: &str = "+14155550100";
/// The number of the quickstart whose callers get a room each.
const SUPPORT: &str = "+14155550101";

/// Pitches without a common harmonic below 4 kHz that could be taken for the other.
const A4: f64 = 440.0;
const HIGH: f64 = 1_000.0;
const MIDDLE: f64 = 700.0;

/// Long enough for fifty packets to be missed.
const A_SECOND: Duration = Duration::from_secs(1);

fn one_call(wire: Wire) {
    let site = Site::quickstart();
    let daemon = site.start();
    let phone = Phone::new(Codec::Pcmu);
    let call = Dial::new(&daemon, &phone, LOBBY).over(wire).answered();
    assert_eq!(call.formats, "0 101", "the answer is to have what the caller offered");
    assert_eq!(phone.rings(), call.media, "sound is to come from where the SDP says");
    let status = daemon.status();
    assert_eq!((&status["calls"], &status["rooms"], &status["participants"]), (&1.into(), &1.into(), &1.into()));
    daemon.log.expect(&["a participant joined a room", "room=\"lobby\""]);
    call.hang_up();
    let status = daemon.reaches("calls", 0);
    assert_eq!((&status["rooms"], &status["participants"]), (&0.into(), &0.into()));
    daemon.log.expect(&["a call is over", "rule lobby", "the caller hung up"]);
}

#[test]
fn a_call_over_udp_reaches_its_room() {
    one_call(Wire::Udp);
}

#[test]
fn a_call_over_tcp_reaches_its_room() {
    one_call(Wire::Tcp);
}

#[test]
fn a_call_without_an_offer_is_made_one() {
    let site = Site::quickstart();
    let daemon = site.start();
    let phone = Phone::new(Codec::Pcma);
    let call = Dial::new(&daemon, &phone, LOBBY).begin("late_offer");
    assert_eq!(call.formats, "0 8 101", "everything is to be offered");
    // Only what the ACK answered says where to send, and in which codec.
    assert_eq!(phone.rings(), call.media);
    phone.listen(Duration::from_millis(100));
    call.hang_up();
    daemon.reaches("calls", 0);
}

/// Two callers in the lobby, of other codecs and transports, each with a tone of his own.
fn two_in_the_lobby<'a>(daemon: &'a Daemon, low: &'a Phone, high: &'a Phone) -> (Call, Call) {
    let first = Dial::new(daemon, low, LOBBY).answered();
    let second = Dial::new(daemon, high, LOBBY).over(Wire::Tcp).answered();
    low.talk(first.media, A4);
    high.talk(second.media, HIGH);
    low.hears(HIGH);
    high.hears(A4);
    (first, second)
}

#[test]
fn two_callers_in_one_room_hear_each_other_and_not_themselves() {
    let site = Site::quickstart();
    let daemon = site.start();
    let (low, high) = (Phone::new(Codec::Pcmu), Phone::new(Codec::Pcma));
    let (first, second) = two_in_the_lobby(&daemon, &low, &high);
    low.listen(A_SECOND).has_and_has_not(HIGH, A4);
    high.listen(A_SECOND).has_and_has_not(A4, HIGH);
    let status = daemon.status();
    assert_eq!((&status["calls"], &status["rooms"], &status["participants"]), (&2.into(), &1.into(), &2.into()));
    // Who stays behind hears nobody any more, and still gets packets.
    first.hang_up();
    daemon.reaches("participants", 1);
    high.listen(A_SECOND);
    let alone = high.listen(A_SECOND);
    assert!(alone.peak() < 16, "{} is heard of nobody", alone.peak());
    second.hang_up();
    daemon.reaches("rooms", 0);
}

#[test]
fn a_third_caller_in_another_room_hears_nobody() {
    let site = Site::quickstart();
    let daemon = site.start();
    let (low, high) = (Phone::new(Codec::Pcmu), Phone::new(Codec::Pcma));
    let (first, second) = two_in_the_lobby(&daemon, &low, &high);
    let apart = Phone::new(Codec::Pcmu);
    let third = Dial::new(&daemon, &apart, SUPPORT).from("+12125550123").answered();
    apart.talk(third.media, MIDDLE);
    daemon.log.expect(&["a participant joined a room", "room=\"14155550101-"]);
    let status = daemon.status();
    assert_eq!((&status["rooms"], &status["participants"]), (&2.into(), &3.into()));
    apart.rings();
    let heard = apart.listen(2 * A_SECOND);
    assert!(heard.peak() < 16, "{} is heard of nobody", heard.peak());
    // The two have gone on hearing each other, and nothing of him.
    low.listen(A_SECOND).has_and_has_not(HIGH, MIDDLE);
    high.listen(A_SECOND).has_and_has_not(A4, MIDDLE);
    for call in [first, second, third] {
        call.hang_up();
    }
    daemon.reaches("calls", 0);
}

#[test]
fn a_caller_on_hold_gets_nothing_until_he_is_back() {
    let site = Site::quickstart();
    let daemon = site.start();
    let (low, high) = (Phone::new(Codec::Pcmu), Phone::new(Codec::Pcma));
    let mut holding = Dial::new(&daemon, &low, LOBBY).begin("hold");
    let other = Dial::new(&daemon, &high, LOBBY).answered();
    low.talk(holding.media, A4);
    high.talk(other.media, HIGH);
    low.hears(HIGH);

    holding.go_on();
    holding.event("held");
    low.falls_silent(A_SECOND);
    // He only sends: the music that he puts the other on is heard.
    high.hears(A4);
    assert_eq!(daemon.status()["participants"], 2);

    holding.go_on();
    holding.event("resumed");
    low.hears(HIGH);
    high.hears(A4);
    holding.hang_up();
    other.hang_up();
    daemon.reaches("calls", 0);
    daemon.log.expect(&["a call is over", "the caller hung up"]);
}

#[test]
fn a_caller_who_gives_up_at_once_leaves_nothing_behind() {
    const CALLS: u32 = 20;
    let site = Site::quickstart();
    let daemon = site.start();
    let caller = Caller::new(daemon.udp);
    let answered = (0..CALLS).filter(|call| caller.invites_and_gives_up(*call) == 200).count();
    println!("{answered} of {CALLS} calls were answered before they could be given up");
    // The caller may hear of the end of a call before its record is written.
    daemon.log.expect_times(&["a call is over"], CALLS as usize);
    daemon.log.expect_times(&["a call is over", "the caller hung up"], answered);
    daemon.log.expect_times(&["a call is over", "the caller gave up before the answer"], CALLS as usize - answered);
    let status = daemon.reaches("calls", 0);
    assert_eq!((&status["rooms"], &status["participants"]), (&0.into(), &0.into()));
}

/// A caller by hand, for what `sipp` cannot do: two requests in one breath.
struct Caller {
    socket: UdpSocket,
    own: SocketAddr,
    daemon: SocketAddr,
}

impl Caller {
    fn new(daemon: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self { own: socket.local_addr().unwrap(), socket, daemon }
    }

    fn send(&self, method: &str, call: u32, branch: &str, sequence: u32, to: &str, body: &str) {
        let Self { own, daemon, .. } = self;
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let length = body.len();
        let text = format!(
            "{method} sip:{LOBBY}@{daemon} SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bK{branch}{call}\r\n\
             From: <sip:hasty@{own}>;tag=h{call}\r\nTo: {to}\r\nCall-ID: hasty-{call}@{own}\r\n\
             CSeq: {sequence} {method}\r\nContact: <sip:hasty@{own}>\r\nMax-Forwards: 70\r\n{kind}\
             Content-Length: {length}\r\n\r\n{body}"
        );
        self.socket.send_to(text.as_bytes(), daemon).unwrap();
    }

    /// The next final response: its status, its method, and its To.
    fn hears(&self) -> (u16, String, String) {
        let mut buffer = [0; 4_096];
        loop {
            let length = self.socket.recv(&mut buffer).expect("the daemon does not answer");
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let header = |name: &str| {
                let value = text.lines().find_map(|line| line.strip_prefix(name));
                value.unwrap_or_else(|| panic!("no {name} in {text}")).trim().to_owned()
            };
            let status: u16 = text.split(' ').nth(1).and_then(|word| word.parse().ok()).expect(&text);
            let method = header("CSeq:").split(' ').nth(1).unwrap().to_owned();
            if status >= 200 {
                return (status, method, header("To:"));
            }
        }
    }

    /// A call that ends in one of two ways: given up in time, or answered before that and hung up.
    ///
    /// Gives the status of its INVITE.
    fn invites_and_gives_up(&self, call: u32) -> u16 {
        // Nobody is to hear the sound of such a call: port 9 discards.
        let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";
        let to = format!("<sip:{LOBBY}@{}>", self.daemon);
        self.send("INVITE", call, "i", 1, &to, sdp);
        // Branch and number are those of the INVITE that is meant (RFC 3261 section 9.1).
        self.send("CANCEL", call, "i", 1, &to, "");
        let (mut invited, mut cancelled) = (None, None);
        while invited.is_none() || cancelled.is_none() {
            match self.hears() {
                (status, method, to) if method == "INVITE" => invited = Some((status, to)),
                (status, method, _) if method == "CANCEL" => cancelled = Some(status),
                other => panic!("{other:?} answers nothing that was asked"),
            }
        }
        assert!(matches!(cancelled, Some(200 | 481)), "{cancelled:?}");
        let (status, to) = invited.unwrap();
        match status {
            487 => self.send("ACK", call, "i", 1, &to, ""),
            200 => {
                self.send("ACK", call, "a", 1, &to, "");
                self.send("BYE", call, "b", 2, &to, "");
                while !matches!(self.hears(), (200, method, _) if method == "BYE") {}
            }
            other => panic!("the INVITE is answered with {other}"),
        }
        status
    }
}
