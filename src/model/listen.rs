//! Where does a daemon listen?

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::{Malformed, Transport};

/// Where SIP listens: `127.0.0.1:5060` for UDP and TCP, `udp:…` or `tcp:…` for one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipListen {
    /// The transport; both UDP and TCP when none is named.
    pub transport: Option<Transport>,
    /// The address.
    pub addr: SocketAddr,
}

impl SipListen {
    /// The transports to listen on.
    pub fn transports(&self) -> &'static [Transport] {
        match self.transport {
            None => &[Transport::Udp, Transport::Tcp],
            Some(Transport::Udp) => &[Transport::Udp],
            Some(Transport::Tcp) => &[Transport::Tcp],
            Some(Transport::Tls) => &[Transport::Tls],
        }
    }
}

impl FromStr for SipListen {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (transport, addr) = match text.split_once(':') {
            Some(("udp", addr)) => (Some(Transport::Udp), addr),
            Some(("tcp", addr)) => (Some(Transport::Tcp), addr),
            Some(("tls", _)) => return Err(Malformed::new("SIP over TLS is not served yet; use udp or tcp")),
            _ => (None, text),
        };
        let addr = addr
            .parse()
            .map_err(|_| Malformed::new("write an address and a port, such as 127.0.0.1:5060 or udp:0.0.0.0:5060"))?;
        Ok(Self { transport, addr })
    }
}

impl fmt::Display for SipListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transport {
            Some(transport) => write!(f, "{transport}:{}", self.addr),
            None => self.addr.fmt(f),
        }
    }
}

/// Ports from one to another, both included: `10000-20000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortRange(pub RangeInclusive<u16>);

impl FromStr for PortRange {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let range = text.split_once('-').and_then(|(first, last)| {
            let (first, last) = (first.trim().parse::<u16>().ok()?, last.trim().parse::<u16>().ok()?);
            (first > 0 && first <= last).then_some(first..=last)
        });
        range
            .map(Self)
            .ok_or_else(|| Malformed::new("write two ports, the first not above the last, such as 10000-20000"))
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.start(), self.0.end())
    }
}

/// What `[daemon]` says; the command line wins over each of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DaemonSettings {
    /// Where the REST API listens.
    pub api: Option<SocketAddr>,
    /// Where SIP listens; empty when nothing is said.
    pub sip: Vec<SipListen>,
    /// The address that peers reach the machine at.
    pub advertise: Option<IpAddr>,
    /// The ports for media.
    pub media_ports: Option<PortRange>,
}
