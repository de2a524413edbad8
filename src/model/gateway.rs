//! What does a number stand on?

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{GatewayName, Malformed};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every word, in the order in which the documentation lists them.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word as it is written in files and on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = super::Malformed;

            fn from_str(text: &str) -> Result<Self, super::Malformed> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(super::Malformed::new(format!("expected one of {}", Self::WORDS.join(", ")))),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(super) use words;

words!(
    /// How SIP messages travel (RFC 3261 section 18).
    Transport {
        /// Datagrams, port 5060.
        Udp = "udp",
        /// A connection in clear, port 5060.
        Tcp = "tcp",
        /// A connection under TLS, port 5061.
        Tls = "tls",
    }
);

words!(
    /// Whether the numbers of a gateway stand on one pair of gateways or on a pair each. Fixed at creation.
    Sharing {
        /// One inbound and one outbound gateway for all its numbers.
        Shared = "shared",
        /// A pair of gateways for each number.
        Dedicated = "dedicated",
    }
);

words!(
    /// Whether media is encrypted (SRTP).
    MediaEncryption {
        /// Encrypted.
        Enable = "enable",
        /// In clear.
        Disable = "disable",
    }
);

words!(
    /// A provider whose documented facts are built in.
    Preset {
        /// Twilio Elastic SIP Trunking.
        Twilio = "twilio",
        /// Plivo Zentrunk.
        Plivo = "plivo",
        /// Telnyx.
        Telnyx = "telnyx",
        /// Vonage.
        Vonage = "vonage",
        /// A provider that brings its own facts.
        Custom = "custom",
    }
);

/// A region code such as `auto`, `us002` or `in002`; codes that are not known here are kept as they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(pub String);

impl Default for Region {
    fn default() -> Self {
        Self("auto".to_owned())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where calls enter and leave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regions {
    /// Where the provider's calls come in.
    pub inbound: Region,
    /// Where calls to the provider go out; `auto` is the region nearest to the number dialled.
    pub outbound: Region,
}

/// A SIP host with an optional port: `sip.example.com`, `sip.example.com:5061`, `192.0.2.7`, `[2001:db8::1]:5060`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SipAddress {
    host: String,
    port: Option<u16>,
}

impl SipAddress {
    /// The host: a domain name or an IP address, IPv6 with its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if one is written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The same host at another port, unless a port is written already.
    pub fn or_port(self, port: Option<u16>) -> Self {
        Self { port: self.port.or(port), ..self }
    }
}

impl FromStr for SipAddress {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let expected = || Malformed::new("an address is a host and perhaps a port, for example `sip.example.com:5061`");
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (inside, after) = rest.split_once(']').ok_or_else(expected)?;
                inside.parse::<Ipv6Addr>().map_err(|_| expected())?;
                (&text[..inside.len() + 2], after.strip_prefix(':'))
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        let named = host.len() <= 253 && host.trim_end_matches('.').split('.').all(label);
        if !(host.starts_with('[') || named) {
            return Err(expected());
        }
        let port = match port {
            None => None,
            Some(text) => Some(text.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(expected)?),
        };
        if text.starts_with('[') && port.is_none() && host.len() != text.len() {
            return Err(expected());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl TryFrom<String> for SipAddress {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<SipAddress> for String {
    fn from(address: SipAddress) -> String {
        address.to_string()
    }
}

impl fmt::Display for SipAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

/// What a provider's gateway asks of us: digest credentials, both or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials<S> {
    /// The user name, which is no secret.
    pub username: String,
    /// The password.
    pub password: S,
}

/// A SIP gateway: how calls come from a provider and go to it.
///
/// `S` is its stage: [`SecretRef`](super::SecretRef) as declared, [`Secret`](super::Secret) once bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway<S> {
    /// The key of its table.
    pub name: GatewayName,
    /// The label that the far side shows; none for the key.
    pub label: Option<String>,
    /// Where outbound calls are sent.
    pub address: SipAddress,
    /// How outbound calls travel.
    pub transport: Transport,
    /// Where calls enter and leave.
    pub regions: Regions,
    /// One pair of gateways for all numbers, or a pair each.
    pub sharing: Sharing,
    /// Whether media is encrypted, both ways.
    pub media_encryption: MediaEncryption,
    /// Credentials for outbound calls.
    pub credentials: Option<Credentials<S>>,
}

impl<S> Gateway<S> {
    /// What the far side calls it.
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(self.name.as_str())
    }

    /// The same gateway with its password in another form.
    ///
    /// # Errors
    /// The first error of `bind`.
    pub fn try_map<T, E>(self, bind: impl FnOnce(S) -> Result<T, E>) -> Result<Gateway<T>, E> {
        let credentials = match self.credentials {
            None => None,
            Some(Credentials { username, password }) => Some(Credentials { username, password: bind(password)? }),
        };
        let Self { name, label, address, transport, regions, sharing, media_encryption, .. } = self;
        Ok(Gateway { name, label, address, transport, regions, sharing, media_encryption, credentials })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_perhaps_a_port() {
        for good in ["sip.example.com", "sip.example.com:5061", "192.0.2.7", "[2001:db8::1]", "[2001:db8::1]:5060"] {
            assert_eq!(good.parse::<SipAddress>().unwrap().to_string(), good);
        }
        for bad in
            ["", "sip:host", "host:0", "host:99999", "2001:db8::1", "[::1", "[::1]x", "a..b", "a b", "sip.example.com:"]
        {
            assert!(bad.parse::<SipAddress>().is_err(), "{bad}");
        }
    }
}
