//! Whom does an allow-list admit?

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::{E164, Malformed};

/// A caller, or all callers whose number begins with some digits: `+14155550100`, `+1415*`, `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallerPattern {
    /// One caller.
    Exact(E164),
    /// Every caller whose number begins with these digits (after the `+`); empty for every known caller.
    Prefix(String),
}

impl CallerPattern {
    /// Whether a caller falls under the pattern.
    pub fn admits(&self, caller: E164) -> bool {
        match self {
            Self::Exact(number) => *number == caller,
            Self::Prefix(digits) => caller.to_string()[1..].starts_with(digits.as_str()),
        }
    }
}

impl FromStr for CallerPattern {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let Some(prefix) = text.strip_suffix('*') else {
            return text.parse().map(Self::Exact);
        };
        let digits = prefix.strip_prefix('+').unwrap_or(prefix);
        if (prefix.is_empty() || prefix.starts_with('+')) && digits.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self::Prefix(digits.to_owned()));
        }
        Err(Malformed::new("a caller is a number such as `+14155550100`, or a prefix such as `+1415*`"))
    }
}

impl fmt::Display for CallerPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(number) => number.fmt(f),
            Self::Prefix(digits) if digits.is_empty() => f.write_str("*"),
            Self::Prefix(digits) => write!(f, "+{digits}*"),
        }
    }
}

/// A source of calls: one address or a network, IPv4 or IPv6 (`192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceNet(IpNet);

impl SourceNet {
    /// Whether an address lies in the network. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn admits(&self, source: IpAddr) -> bool {
        self.0.contains(&source.to_canonical())
    }

    /// Whether every address of another network lies in this one.
    pub fn covers(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }

    /// The first address of the network.
    pub fn address(&self) -> IpAddr {
        self.0.addr()
    }

    /// How many bits every address of the network has in common.
    pub fn prefix_length(&self) -> u8 {
        self.0.prefix_len()
    }
}

impl FromStr for SourceNet {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let net = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address.to_canonical()),
            Err(_) => text.parse::<IpNet>().map_err(|_| {
                Malformed::new("a source is an IP address or a network, for example `192.0.2.7` or `192.0.2.0/24`")
            })?,
        };
        Ok(Self(net.trunc()))
    }
}

impl fmt::Display for SourceNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            return self.0.addr().fmt(f);
        }
        self.0.fmt(f)
    }
}

/// An allow-list: who may pass. An empty list admits everybody.
///
/// Entries that cannot be read are kept and admit nobody, so a list whose every entry is malformed admits nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowList<T> {
    entries: Vec<T>,
    malformed: Vec<String>,
}

/// What an allow-list says of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// The list is empty: everybody passes.
    Open,
    /// An entry admits.
    Yes,
    /// The list has entries, and none admits.
    No,
}

impl<T> Default for AllowList<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), malformed: Vec::new() }
    }
}

impl<T: FromStr + fmt::Display + Ord> AllowList<T> {
    /// A list of entries that are known to be legal; sorted, without repetitions.
    pub fn of(entries: impl IntoIterator<Item = T>) -> Self {
        let mut entries: Vec<T> = entries.into_iter().collect();
        entries.sort();
        entries.dedup();
        Self { entries, malformed: Vec::new() }
    }

    /// Reads a list as the far side holds it; what cannot be read is kept as text.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut malformed = Vec::new();
        let mut entries = Vec::new();
        for text in texts {
            match text.trim().parse() {
                Ok(entry) => entries.push(entry),
                Err(_) => malformed.push(text.to_owned()),
            }
        }
        malformed.sort();
        malformed.dedup();
        Self { malformed, ..Self::of(entries) }
    }

    /// Every entry as text, malformed ones included, in a fixed order.
    pub fn texts(&self) -> Vec<String> {
        self.entries.iter().map(T::to_string).chain(self.malformed.iter().cloned()).collect()
    }

    /// Whether the list has no entry at all, and so admits everybody.
    pub fn is_open(&self) -> bool {
        self.entries.is_empty() && self.malformed.is_empty()
    }

    fn listed(&self, admits: impl Fn(&T) -> bool) -> Listed {
        if self.is_open() {
            Listed::Open
        } else if self.entries.iter().any(admits) {
            Listed::Yes
        } else {
            Listed::No
        }
    }
}

impl AllowList<CallerPattern> {
    /// What the list says of a caller; a caller without a number is on no list.
    pub fn caller(&self, caller: Option<E164>) -> Listed {
        self.listed(|pattern| caller.is_some_and(|number| pattern.admits(number)))
    }
}

impl AllowList<SourceNet> {
    /// What the list says of the address a call came from.
    pub fn source(&self, source: IpAddr) -> Listed {
        self.listed(|net| net.admits(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_admits_what_begins_with_it() {
        let pattern: CallerPattern = "+1415*".parse().unwrap();
        assert!(pattern.admits("+14155550100".parse().unwrap()));
        assert!(!pattern.admits("+12125550100".parse().unwrap()));
        assert_eq!(pattern.to_string(), "+1415*");
        assert!("1415*".parse::<CallerPattern>().is_err());
        assert!("+1*5".parse::<CallerPattern>().is_err());
    }

    #[test]
    fn a_malformed_allow_list_admits_nobody() {
        let list: AllowList<SourceNet> = AllowList::read(["not-an-address", "300.1.1.1"]);
        assert_eq!(list.source("127.0.0.1".parse().unwrap()), Listed::No);
        assert_eq!(AllowList::<SourceNet>::default().source("127.0.0.1".parse().unwrap()), Listed::Open);
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_self() {
        let net: SourceNet = "192.0.2.0/24".parse().unwrap();
        assert!(net.admits("::ffff:192.0.2.9".parse().unwrap()));
        assert!(!net.admits("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn a_caller_without_a_number_is_on_no_list() {
        let list = AllowList::of(["*".parse::<CallerPattern>().unwrap()]);
        assert_eq!(list.caller(None), Listed::No);
    }
}
