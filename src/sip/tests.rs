//! An edge on a free port, driven by plain sockets.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;

/// Longer than anything here takes, so that only a fault runs into it.
const PATIENCE: Duration = Duration::from_secs(10);

async fn edge(transport: Transport) -> (Edge, mpsc::Receiver<Incoming>, SocketAddr) {
    let config = EdgeConfig {
        listeners: vec![Listener { transport, addr: "127.0.0.1:0".parse().unwrap() }],
        advertised: None,
        user_agent: "strowger/test".to_owned(),
    };
    let (edge, incoming) = Edge::bind(config).await.unwrap();
    let addr = edge.local()[0].addr;
    assert_ne!(addr.port(), 0);
    (edge, incoming, addr)
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it took too long")
}

/// Waits until the edge holds no call.
async fn empty(edge: &Edge) {
    soon(async {
        while edge.calls() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// A caller over either transport.
enum Wire {
    Udp(UdpSocket),
    Tcp(TcpStream, Vec<u8>),
}

struct Peer {
    wire: Wire,
    local: SocketAddr,
    to_tag: String,
    branch: u32,
}

impl Peer {
    async fn udp(edge: SocketAddr) -> Peer {
        let socket = UdpSocket::bind(SocketAddr::new(edge.ip(), 0)).await.unwrap();
        socket.connect(edge).await.unwrap();
        let local = socket.local_addr().unwrap();
        Peer::over(Wire::Udp(socket), local)
    }

    async fn tcp(edge: SocketAddr) -> Peer {
        let stream = TcpStream::connect(edge).await.unwrap();
        let local = stream.local_addr().unwrap();
        Peer::over(Wire::Tcp(stream, Vec::new()), local)
    }

    fn over(wire: Wire, local: SocketAddr) -> Peer {
        Peer { wire, local, to_tag: String::new(), branch: 0 }
    }

    async fn send(&mut self, text: &str) {
        match &mut self.wire {
            Wire::Udp(socket) => {
                socket.send(text.as_bytes()).await.unwrap();
            }
            Wire::Tcp(stream, _) => stream.write_all(text.as_bytes()).await.unwrap(),
        }
    }

    /// Sends a request of the one call this peer makes. ACK to a failure and CANCEL share the INVITE's branch.
    async fn request(&mut self, method: &str, number: u32, same_branch: bool, body: &str) {
        self.branch += u32::from(!same_branch);
        let (name, local, tag) = (self.name(), self.local, &self.to_tag);
        let branch = self.branch;
        let kind = match body {
            "" => "",
            _ => "Content-Type: application/sdp\r\n",
        };
        let text = format!(
            "{method} sip:+14155550100@edge SIP/2.0\r\n\
             Via: SIP/2.0/{name} {local};branch=z9hG4bK{branch};rport\r\n\
             From: \"Alice\" <sip:+15551234567@{local}>;tag=a1\r\n\
             To: <sip:+14155550100@edge>{tag}\r\n\
             Call-ID: call-{local}\r\nCSeq: {number} {method}\r\n\
             Contact: <sip:alice@{local};transport={}>\r\nMax-Forwards: 70\r\n{kind}\
             Content-Length: {}\r\n\r\n{body}",
            name.to_lowercase(),
            body.len()
        );
        self.send(&text).await;
    }

    fn name(&self) -> &'static str {
        match self.wire {
            Wire::Udp(_) => "UDP",
            Wire::Tcp(..) => "TCP",
        }
    }

    async fn next(&mut self) -> String {
        soon(async {
            match &mut self.wire {
                Wire::Udp(socket) => {
                    let mut buffer = vec![0; 4096];
                    let length = socket.recv(&mut buffer).await.unwrap();
                    String::from_utf8(buffer[..length].to_vec()).unwrap()
                }
                Wire::Tcp(stream, buffer) => loop {
                    if let Some(raw) = raw::Raw::read(buffer) {
                        let length = raw.head_len + raw.first("Content-Length").unwrap().parse::<usize>().unwrap();
                        if buffer.len() >= length {
                            return String::from_utf8(buffer.drain(..length).collect()).unwrap();
                        }
                    }
                    assert_ne!(stream.read_buf(buffer).await.unwrap(), 0, "the connection was closed");
                },
            }
        })
        .await
    }

    /// Waits for a response of this status and method, past retransmissions of others.
    async fn expect(&mut self, status: u16, method: &str) -> String {
        loop {
            let text = self.next().await;
            if text.starts_with(&format!("SIP/2.0 {status} ")) && text.contains(&format!(" {method}\r\n")) {
                if let Some(to) = text.lines().find(|line| line.starts_with("To:"))
                    && let Some((_, tag)) = to.split_once(";tag=")
                {
                    self.to_tag = format!(";tag={tag}");
                }
                return text;
            }
            assert!(text.starts_with("SIP/2.0 "), "no response: {text}");
        }
    }
}

/// Takes a call up and answers it; the peer has acknowledged when this returns.
async fn established(peer: &mut Peer, incoming: &mut mpsc::Receiver<Incoming>) -> Incoming {
    peer.request("INVITE", 1, false, "offer").await;
    let mut call = soon(incoming.recv()).await.unwrap();
    peer.expect(100, "INVITE").await;
    call.leg.respond(200, None, &[], Some(b"answer".to_vec())).await.unwrap();
    let ok = peer.expect(200, "INVITE").await;
    assert!(ok.ends_with("\r\n\r\nanswer"), "{ok}");
    peer.request("ACK", 1, false, "").await;
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Acked { body }) if body.is_empty()));
    call
}

#[tokio::test]
async fn a_call_over_udp_from_invite_to_bye() {
    let (edge, mut incoming, addr) = edge(Transport::Udp).await;
    let mut peer = Peer::udp(addr).await;
    peer.request("INVITE", 1, false, "offer").await;
    let mut call = soon(incoming.recv()).await.unwrap();
    assert_eq!(call.invite.dialled, "+14155550100");
    assert_eq!(call.invite.dialled_host, "edge");
    assert_eq!(call.invite.calling, "+15551234567");
    assert_eq!(call.invite.display_name.as_deref(), Some("Alice"));
    assert_eq!(call.invite.source, peer.local);
    assert_eq!(call.invite.transport, Transport::Udp);
    assert_eq!(call.invite.body, b"offer");
    assert_eq!(call.invite.header("max-forwards"), Some("70"));
    assert_eq!(edge.calls(), 1);

    let extra = [("X-Room".to_owned(), "lobby".to_owned())];
    call.leg.respond(180, None, &[], None).await.unwrap();
    let ringing = peer.expect(180, "INVITE").await;
    assert!(ringing.contains(&format!("Contact: <sip:{addr}>\r\n")), "{ringing}");
    call.leg.respond(200, Some("Come In"), &extra, Some(b"answer".to_vec())).await.unwrap();
    let ok = peer.expect(200, "INVITE").await;
    for line in [
        "SIP/2.0 200 Come In\r\n",
        "X-Room: lobby\r\n",
        "Content-Type: application/sdp\r\n",
        "Server: strowger/test\r\n",
    ] {
        assert!(ok.contains(line), "{line} is missing in {ok}");
    }
    assert!(matches!(call.leg.respond(200, None, &[], None).await, Err(SipError::Answered { .. })));
    peer.request("ACK", 1, false, "").await;
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Acked { .. })));

    peer.request("INFO", 2, false, "5").await;
    peer.expect(200, "INFO").await;
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Info { body, .. }) if body == b"5"));
    // A number that was used before is out of order.
    peer.request("INFO", 1, false, "").await;
    peer.expect(500, "INFO").await;

    peer.request("BYE", 7, false, "").await;
    peer.expect(200, "BYE").await;
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Bye)));
    assert!(soon(call.events.recv()).await.is_none());
    assert!(call.leg.bye().await.is_ok());
    assert!(matches!(call.leg.respond(200, None, &[], None).await, Err(SipError::Over { .. })));
    empty(&edge).await;
    peer.request("INFO", 8, false, "").await;
    peer.expect(481, "INFO").await;
    soon(edge.shutdown()).await;
    assert!(std::net::UdpSocket::bind(addr).is_ok(), "the port was not given back");
}

#[tokio::test]
async fn a_call_over_tcp_and_our_bye_on_the_same_connection() {
    let (edge, mut incoming, addr) = edge(Transport::Tcp).await;
    let mut peer = Peer::tcp(addr).await;
    peer.send("\r\n\r\n").await;
    peer.request("INVITE", 1, false, "").await;
    let mut call = soon(incoming.recv()).await.unwrap();
    assert_eq!(call.invite.source, peer.local);
    assert_eq!(call.invite.transport, Transport::Tcp);
    call.leg.respond(200, None, &[], Some(b"offer".to_vec())).await.unwrap();
    // The answer to the keep-alive stands in front.
    let pong = soon(async {
        let Wire::Tcp(stream, buffer) = &mut peer.wire else { panic!("not TCP") };
        while buffer.len() < 2 {
            stream.read_buf(buffer).await.unwrap();
        }
        buffer.drain(..2).collect::<Vec<u8>>()
    });
    assert_eq!(pong.await, b"\r\n");
    let ok = peer.expect(200, "INVITE").await;
    assert!(ok.contains(&format!("Contact: <sip:{addr};transport=tcp>\r\n")), "{ok}");
    peer.request("ACK", 1, false, "answer").await;
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Acked { body }) if body == b"answer"));

    let leg = call.leg.clone();
    let hanging = tokio::spawn(async move { leg.bye().await });
    let bye = peer.next().await;
    assert!(bye.starts_with("BYE sip:alice@"), "{bye}");
    assert!(bye.contains("Via: SIP/2.0/TCP 127.0.0.1:"), "{bye}");
    let headers: String =
        bye.lines().filter(|l| !l.starts_with("BYE") && !l.is_empty()).map(|l| format!("{l}\r\n")).collect();
    peer.send(&format!("SIP/2.0 200 OK\r\n{headers}\r\n")).await;
    soon(hanging).await.unwrap().unwrap();
    assert!(soon(call.events.recv()).await.is_none());
    empty(&edge).await;

    // A new call of the peer on the same connection, which the peer ends.
    peer.to_tag.clear();
    let local = peer.local;
    peer.local = "192.0.2.9:5060".parse().unwrap();
    let mut call = established(&mut peer, &mut incoming).await;
    assert_eq!(call.invite.source, local);
    peer.request("BYE", 2, false, "").await;
    peer.expect(200, "BYE").await;
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Bye)));
    empty(&edge).await;
    soon(edge.shutdown()).await;
    assert!(std::net::TcpListener::bind(addr).is_ok(), "the port was not given back");
}

#[tokio::test]
async fn a_cancel_before_the_answer_gives_487() {
    let (edge, mut incoming, addr) = edge(Transport::Udp).await;
    let mut peer = Peer::udp(addr).await;
    peer.request("INVITE", 1, false, "offer").await;
    let mut call = soon(incoming.recv()).await.unwrap();
    call.leg.respond(180, None, &[], None).await.unwrap();
    peer.expect(180, "INVITE").await;
    peer.to_tag.clear();
    peer.request("CANCEL", 1, true, "").await;
    peer.expect(200, "CANCEL").await;
    peer.expect(487, "INVITE").await;
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Cancelled)));
    assert!(matches!(call.leg.respond(200, None, &[], None).await, Err(SipError::Over { .. })));
    peer.request("ACK", 1, true, "").await;
    empty(&edge).await;
}

#[tokio::test]
async fn a_cancel_that_crosses_the_answer_changes_nothing() {
    let (edge, mut incoming, addr) = edge(Transport::Udp).await;
    let mut peer = Peer::udp(addr).await;
    peer.request("INVITE", 1, false, "offer").await;
    let mut call = soon(incoming.recv()).await.unwrap();
    call.leg.respond(200, None, &[], None).await.unwrap();
    peer.expect(200, "INVITE").await;
    let tag = std::mem::take(&mut peer.to_tag);
    peer.request("CANCEL", 1, true, "").await;
    peer.expect(200, "CANCEL").await;
    peer.to_tag = tag;
    peer.request("ACK", 1, false, "").await;
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Acked { .. })));
    peer.request("BYE", 2, false, "").await;
    peer.expect(200, "BYE").await;
    empty(&edge).await;
}

#[tokio::test]
async fn a_bye_before_the_ack_ends_the_call() {
    let (edge, mut incoming, addr) = edge(Transport::Udp).await;
    let mut peer = Peer::udp(addr).await;
    peer.request("INVITE", 1, false, "offer").await;
    let mut call = soon(incoming.recv()).await.unwrap();
    call.leg.respond(200, None, &[], None).await.unwrap();
    peer.expect(200, "INVITE").await;
    peer.request("BYE", 2, false, "").await;
    peer.expect(200, "BYE").await;
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Bye)));
    assert!(call.leg.bye().await.is_ok());
    empty(&edge).await;
}

#[tokio::test]
async fn a_re_invite_is_answered_or_refused() {
    let (edge, mut incoming, addr) = edge(Transport::Udp).await;
    let mut peer = Peer::udp(addr).await;
    let mut call = established(&mut peer, &mut incoming).await;
    peer.request("INVITE", 2, false, "hold").await;
    let Some(LegEvent::ReInvite { body, reply, .. }) = soon(call.events.recv()).await else {
        panic!("no re-INVITE");
    };
    assert_eq!(body, b"hold");
    reply.respond(200, Some(b"held".to_vec())).await.unwrap();
    assert!(peer.expect(200, "INVITE").await.ends_with("held"));
    peer.request("ACK", 2, false, "").await;
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Acked { .. })));

    peer.request("INVITE", 3, false, "odd").await;
    let unanswered = soon(call.events.recv()).await;
    assert!(matches!(unanswered, Some(LegEvent::ReInvite { .. })));
    drop(unanswered);
    peer.expect(488, "INVITE").await;
    peer.request("ACK", 3, true, "").await;

    peer.request("INVITE", 4, false, "pending").await;
    let pending = soon(call.events.recv()).await;
    peer.request("BYE", 5, false, "").await;
    peer.expect(487, "INVITE").await;
    drop(pending);
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Bye)));
    empty(&edge).await;
}

#[tokio::test]
async fn a_refusal_or_a_dropped_leg_ends_the_call() {
    let (edge, mut incoming, addr) = edge(Transport::Udp).await;
    let mut peer = Peer::udp(addr).await;
    peer.request("INVITE", 1, false, "offer").await;
    let mut call = soon(incoming.recv()).await.unwrap();
    assert!(matches!(call.leg.bye().await, Err(SipError::NotAnswered { .. })));
    let smuggled = [("X-A".to_owned(), "1\r\nX-B: 2".to_owned())];
    assert!(matches!(call.leg.respond(486, None, &smuggled, None).await, Err(SipError::BadHeader { .. })));
    call.leg.respond(486, None, &[], None).await.unwrap();
    peer.expect(486, "INVITE").await;
    peer.request("ACK", 1, true, "").await;
    assert!(soon(call.events.recv()).await.is_none());
    empty(&edge).await;

    peer.to_tag.clear();
    peer.request("INVITE", 2, false, "offer").await;
    drop(soon(incoming.recv()).await.unwrap());
    peer.expect(480, "INVITE").await;
    peer.request("ACK", 2, true, "").await;
    empty(&edge).await;

    peer.to_tag.clear();
    peer.request("INVITE", 3, false, "offer").await;
    let call = soon(incoming.recv()).await.unwrap();
    call.leg.respond(200, None, &[], None).await.unwrap();
    peer.expect(200, "INVITE").await;
    drop(call);
    peer.request("ACK", 3, false, "").await;
    assert!(peer.next().await.starts_with("BYE "));
}

#[tokio::test]
async fn a_merged_invite_is_refused_and_a_retransmission_is_not() {
    let (edge, mut incoming, addr) = edge(Transport::Udp).await;
    let mut peer = Peer::udp(addr).await;
    peer.request("INVITE", 1, false, "offer").await;
    let call = soon(incoming.recv()).await.unwrap();
    peer.request("INVITE", 1, true, "offer").await;
    peer.request("INVITE", 1, false, "offer").await;
    peer.expect(482, "INVITE").await;
    assert_eq!(edge.calls(), 1);
    drop(call);
}

#[tokio::test]
async fn requests_outside_a_dialog_get_their_answer() {
    let (edge, _incoming, addr) = edge(Transport::Udp).await;
    let mut peer = Peer::udp(addr).await;
    peer.request("OPTIONS", 1, false, "").await;
    let ok = peer.expect(200, "OPTIONS").await;
    assert!(ok.contains("Allow: INVITE, ") && ok.contains("Accept: application/sdp"), "{ok}");
    peer.to_tag = ";tag=unknown".to_owned();
    for (method, status) in [("BYE", 481), ("INVITE", 481), ("OPTIONS", 481), ("REGISTER", 405), ("FROB", 501)] {
        peer.request(method, 2, false, "").await;
        peer.expect(status, method).await;
        peer.to_tag = ";tag=unknown".to_owned();
    }
    for garbage in ["", "\0\0", "INVITE", "SIP/2.0 200 OK\r\n\r\n", "INVITE sip:a SIP/2.0\r\n\r\n"] {
        peer.send(garbage).await;
    }
    peer.to_tag.clear();
    peer.request("OPTIONS", 3, false, &"x".repeat(9000)).await;
    peer.expect(513, "OPTIONS").await;
    peer.to_tag.clear();
    peer.request("OPTIONS", 4, false, "").await;
    peer.expect(200, "OPTIONS").await;
    assert_eq!(edge.calls(), 0);
}

#[tokio::test]
async fn a_call_over_ipv6_reads_its_own_brackets() {
    let config = EdgeConfig {
        listeners: vec![Listener { transport: Transport::Udp, addr: "[::]:0".parse().unwrap() }],
        advertised: None,
        user_agent: "strowger/test".to_owned(),
    };
    let Ok((edge, mut incoming)) = Edge::bind(config).await else {
        // A machine without IPv6 has nothing to show here.
        return;
    };
    let port = edge.local()[0].addr.port();
    let Ok(socket) = UdpSocket::bind("[::1]:0").await else {
        return;
    };
    socket.connect(("::1", port)).await.unwrap();
    let local = socket.local_addr().unwrap();
    let mut peer = Peer::over(Wire::Udp(socket), local);
    // The Via names another port, so that the answer has to find the source.
    peer.local = "[2001:db8::1]:5062".parse().unwrap();
    peer.request("INVITE", 1, false, "offer").await;
    let call = soon(incoming.recv()).await.unwrap();
    assert_eq!(call.invite.source, local);
    call.leg.respond(200, None, &[], None).await.unwrap();
    let ok = peer.expect(200, "INVITE").await;
    assert!(ok.contains(&format!("Contact: <sip:[::1]:{port}>\r\n")), "{ok}");
    assert!(ok.contains("received=::1;"), "{ok}");
}

#[tokio::test]
async fn an_address_in_use_is_an_error_for_both_transports() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let (edge, _incoming, addr) = edge(transport).await;
        let config = EdgeConfig {
            listeners: vec![Listener { transport, addr }],
            advertised: None,
            user_agent: "strowger/test".to_owned(),
        };
        let error = Edge::bind(config).await.err().expect("the address was bound twice");
        assert!(matches!(error, SipError::InUse { addr: at, .. } if at == addr), "{error}");
        assert!(error.to_string().contains("--sip"), "{error}");
        drop(edge);
    }
}

#[tokio::test]
async fn stopping_ends_the_calls_that_are_left() {
    let (edge, mut incoming, addr) = edge(Transport::Udp).await;
    let mut peer = Peer::udp(addr).await;
    let mut call = established(&mut peer, &mut incoming).await;
    let stopping = tokio::spawn(edge.shutdown());
    assert!(peer.next().await.starts_with("BYE "));
    soon(stopping).await.unwrap();
    assert!(soon(call.events.recv()).await.is_none());
}

#[tokio::test]
async fn a_connection_that_closes_ends_a_call_that_does_not_stand_yet() {
    let (edge, mut incoming, addr) = edge(Transport::Tcp).await;
    let mut peer = Peer::tcp(addr).await;
    peer.request("INVITE", 1, false, "offer").await;
    let mut call = soon(incoming.recv()).await.unwrap();
    peer.expect(100, "INVITE").await;
    drop(peer);
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Ended { .. })));
    empty(&edge).await;
}

#[tokio::test]
async fn a_call_outlives_its_connection_and_ends_over_another() {
    let (edge, mut incoming, addr) = edge(Transport::Tcp).await;
    let mut peer = Peer::tcp(addr).await;
    let mut call = established(&mut peer, &mut incoming).await;
    peer.wire = Peer::tcp(addr).await.wire;
    peer.request("OPTIONS", 2, false, "").await;
    peer.expect(200, "OPTIONS").await;
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Options)));
    peer.request("BYE", 3, false, "").await;
    peer.expect(200, "BYE").await;
    assert!(matches!(soon(call.events.recv()).await, Some(LegEvent::Bye)));
    empty(&edge).await;
}

#[test]
fn a_leg_can_be_shared_between_tasks() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Leg>();
}
