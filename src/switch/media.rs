//! How does a call get its media?

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use crate::call::MediaRefusal;
use crate::media::{Codec, Direction, Negotiated, Ports, SdpError, SdpOffer, Stream, sdp};

/// The media of one call: its stream, and what was agreed on.
pub(super) struct Media {
    pub stream: Arc<Stream>,
    advertised: Option<IpAddr>,
    negotiated: Option<Negotiated>,
    /// The session's id in our SDP, and the version, which grows with each description (RFC 4566 section 5.2).
    session: u64,
    version: u64,
    /// Whether our description of now was an offer, so that the next ACK carries its answer.
    offered: bool,
}

impl From<SdpError> for MediaRefusal {
    fn from(error: SdpError) -> Self {
        match error.is_malformed() {
            true => Self::Malformed(error.to_string()),
            false => Self::NoCommonCodec(error.to_string()),
        }
    }
}

impl Media {
    /// Opens media for an offer; an empty body is a call that wants our offer (RFC 3261 section 13.2.1).
    pub fn open(
        ports: &Ports,
        advertised: Option<IpAddr>,
        peer: SocketAddr,
        body: &[u8],
    ) -> Result<Self, MediaRefusal> {
        // What cannot be agreed on needs no port.
        let negotiated = negotiate(body)?;
        // Sound goes where the offer says, which may be of the other address family than the signalling.
        let local = match negotiated.as_ref().map(|negotiated| negotiated.remote) {
            Some(remote) if remote.is_ipv4() != peer.is_ipv4() => local_towards(remote).map_err(|error| {
                MediaRefusal::NoCommonCodec(format!("this machine has no address towards {}: {error}", remote.ip()))
            })?,
            _ => local_towards(peer).map_err(|error| MediaRefusal::Exhausted(error.to_string()))?,
        };
        let stream = Stream::open(ports, local).map_err(|error| MediaRefusal::Exhausted(error.to_string()))?;
        if let Some(negotiated) = &negotiated {
            stream.configure(negotiated);
        }
        let session = u64::from(rand::random::<u32>());
        Ok(Self { stream: Arc::new(stream), advertised, negotiated, session, version: 0, offered: false })
    }

    /// Our description: an answer where there is an offer, else an offer.
    pub fn describe(&mut self) -> String {
        let bound = self.stream.local_addr();
        let advertised = self.advertised.filter(|advertised| advertised.is_ipv4() == bound.is_ipv4());
        let local = SocketAddr::new(advertised.unwrap_or(bound.ip()), bound.port());
        self.version += 1;
        self.offered = self.negotiated.is_none();
        match &self.negotiated {
            Some(negotiated) => sdp::answer(negotiated, local, self.session, self.version),
            None => sdp::offer(local, &Codec::ALL, self.session, self.version),
        }
    }

    /// Which ways sound goes, as seen from this side; none before it is agreed on.
    pub fn direction(&self) -> Option<Direction> {
        self.negotiated.as_ref().map(|negotiated| negotiated.direction)
    }

    /// Takes the offer of a re-INVITE. A refused one leaves everything as it was.
    pub fn change(&mut self, body: &[u8]) -> Result<(), MediaRefusal> {
        let negotiated = negotiate(body)?;
        if let Some(negotiated) = &negotiated {
            if negotiated.remote.is_ipv4() != self.stream.local_addr().is_ipv4() {
                return Err(MediaRefusal::NoCommonCodec("the call's socket is of the other address family".to_owned()));
            }
            self.stream.reconfigure(negotiated);
        }
        self.negotiated = negotiated;
        Ok(())
    }

    /// Takes the body of an ACK, which is the answer if we made the offer.
    pub fn acked(&mut self, body: &[u8]) -> Result<(), MediaRefusal> {
        if !std::mem::take(&mut self.offered) {
            return Ok(());
        }
        let negotiated = SdpOffer::parse(body)?.accept(&Codec::ALL)?;
        self.stream.configure(&negotiated);
        self.negotiated = Some(negotiated);
        Ok(())
    }
}

fn negotiate(body: &[u8]) -> Result<Option<Negotiated>, MediaRefusal> {
    if body.is_empty() {
        return Ok(None);
    }
    Ok(Some(SdpOffer::parse(body)?.negotiate(&Codec::ALL)?))
}

/// The address that this machine has towards a peer. Nothing is sent to find it out.
fn local_towards(peer: SocketAddr) -> std::io::Result<IpAddr> {
    let any: SocketAddr = match peer {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0u16; 8], 0).into(),
    };
    let probe = UdpSocket::bind(any)?;
    probe.connect(peer)?;
    Ok(probe.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(address: &str) -> Vec<u8> {
        format!("v=0\r\no=- 1 1 IN {address}\r\ns=-\r\nc=IN {address}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n")
            .into_bytes()
    }

    #[tokio::test]
    async fn the_answer_is_of_the_family_of_the_offer() {
        let ports = Ports::new(43_000..=43_100).unwrap();
        let peer: SocketAddr = "127.0.0.1:5060".parse().unwrap();
        let mut four = Media::open(&ports, None, peer, &offer("IP4 127.0.0.1")).unwrap();
        assert!(four.describe().contains("c=IN IP4 "));
        assert!(four.change(&offer("IP6 ::1")).is_err(), "a socket keeps its family");
        // A machine without IPv6 refuses; what never happens is an answer that nobody can send to.
        match Media::open(&ports, None, peer, &offer("IP6 ::1")) {
            Ok(mut six) => assert!(six.describe().contains("c=IN IP6 ")),
            Err(refusal) => assert_eq!(refusal.status().0, 488),
        }
    }
}
