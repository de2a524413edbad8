//! Whom does an allow-list admit?

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::number::{DIGITS_MAX, DIGITS_MIN, VALUE_MAX, VALUE_MIN};
use super::{E164, Malformed};

/// A caller, callers whose number begins with some digits, or a range: `+14155550100`, `+1415*`, `*`,
/// `+14155550100..+14155550199`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallerPattern {
    /// One caller.
    Exact(E164),
    /// Every caller whose number begins with some digits.
    Prefix(Prefix),
    /// Every caller from one number to another, both included and of one length.
    Range(E164, E164),
}

/// The digits after the `+` that a number begins with; none for every number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    value: u64,
    length: u32,
}

/// The longest prefix that can be held; one of more than 15 digits admits nobody.
const PREFIX_MAX: usize = 19;

impl Prefix {
    /// Whether it begins with 0, as no number does.
    pub(crate) fn begins_with_zero(self) -> bool {
        self.length > 0 && self.value < 10_u64.pow(self.length - 1)
    }

    /// Whether it has more digits than a number can have.
    pub(crate) fn is_too_long(self) -> bool {
        self.length as usize > DIGITS_MAX
    }
}

impl CallerPattern {
    /// Whether a pattern admits everybody whom another one admits.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (*self, *other) {
            (_, Self::Exact(number)) => self.admits(number),
            (Self::Exact(_), _) | (Self::Range(..), Self::Prefix(_)) => false,
            (Self::Prefix(wider), Self::Prefix(narrower)) => narrower
                .length
                .checked_sub(wider.length)
                .is_some_and(|more| narrower.value / 10_u64.pow(more) == wider.value),
            // What lies between two numbers of one length under a prefix is under it too.
            (Self::Prefix(_), Self::Range(first, last)) => self.admits(first) && self.admits(last),
            (Self::Range(from, to), Self::Range(first, last)) => from <= first && last <= to,
        }
    }

    /// Whether a caller falls under the pattern. Does not allocate.
    pub fn admits(&self, caller: E164) -> bool {
        match *self {
            Self::Exact(number) => number == caller,
            Self::Prefix(Prefix { value, length }) => {
                caller.length().checked_sub(length).is_some_and(|rest| caller.digits() / 10_u64.pow(rest) == value)
            }
            Self::Range(first, last) => (first..=last).contains(&caller),
        }
    }

    /// The numbers under the pattern, as stretches of their integers, both ends included.
    pub(crate) fn stretches(&self) -> Vec<(u64, u64)> {
        match *self {
            Self::Exact(number) => vec![(number.digits(), number.digits())],
            Self::Range(first, last) => vec![(first.digits(), last.digits())],
            Self::Prefix(Prefix { length: 0, .. }) => vec![(VALUE_MIN, VALUE_MAX)],
            // No number begins with 0.
            Self::Prefix(prefix) if prefix.begins_with_zero() => Vec::new(),
            Self::Prefix(Prefix { value, length }) => (length.max(DIGITS_MIN as u32)..=DIGITS_MAX as u32)
                .map(|digits| 10_u64.pow(digits - length))
                .map(|scale| (value * scale, value * scale + scale - 1))
                .collect(),
        }
    }
}

impl FromStr for CallerPattern {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Some((first, last)) = text.split_once("..") {
            let (first, last): (E164, E164) = (first.trim().parse()?, last.trim().parse()?);
            if first > last || first.length() != last.length() {
                return Err(Malformed::new(
                    "a range goes from a number to a greater one of the same length, such as \
                     `+14155550100..+14155550199`",
                ));
            }
            return Ok(if first == last { Self::Exact(first) } else { Self::Range(first, last) });
        }
        let Some(prefix) = text.strip_suffix('*') else {
            return text.parse().map(Self::Exact);
        };
        let digits = prefix.strip_prefix('+').unwrap_or(prefix);
        let legal = prefix.is_empty() || prefix.starts_with('+');
        if legal && digits.len() <= PREFIX_MAX && digits.bytes().all(|b| b.is_ascii_digit()) {
            let value = if digits.is_empty() { Ok(0) } else { digits.parse() };
            return value
                .map(|value| Self::Prefix(Prefix { value, length: digits.len() as u32 }))
                .map_err(|_| Malformed::new("a prefix is digits"));
        }
        Err(Malformed::new(
            "a caller is a number such as `+14155550100`, a prefix such as `+1415*`, or a range such as \
             `+14155550100..+14155550199`",
        ))
    }
}

impl fmt::Display for CallerPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(number) => number.fmt(f),
            Self::Prefix(Prefix { length: 0, .. }) => f.write_str("*"),
            Self::Prefix(Prefix { value, length }) => write!(f, "+{value:0width$}*", width = *length as usize),
            Self::Range(first, last) => write!(f, "{first}..{last}"),
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

impl SourceNet {
    /// The addresses in the network as one stretch of integers, IPv4 in its mapped form (RFC 4291 section 2.5.5.2),
    /// and whether it is of IPv4.
    pub(crate) fn stretch(&self) -> (u128, u128, bool) {
        let value = |address: IpAddr| match address {
            IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
            IpAddr::V6(address) => u128::from(address),
        };
        (value(self.0.network()), value(self.0.broadcast()), matches!(self.0, IpNet::V4(_)))
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

    /// The entries that can be read.
    pub fn entries(&self) -> &[T] {
        &self.entries
    }

    /// Whether the list has entries and none of them can be read, so that it admits nobody.
    pub fn admits_nobody(&self) -> bool {
        self.entries.is_empty() && !self.malformed.is_empty()
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
    fn a_range_admits_what_lies_in_it() {
        let range: CallerPattern = "+14155550100..+14155550199".parse().unwrap();
        assert!(range.admits("+14155550100".parse().unwrap()) && range.admits("+14155550199".parse().unwrap()));
        assert!(!range.admits("+14155550200".parse().unwrap()) && !range.admits("+141555501000".parse().unwrap()));
        assert_eq!(range.to_string(), "+14155550100..+14155550199");
        for bad in ["+14155550199..+14155550100", "+1415555010..+14155550199", "+14155550100..", "..", "+1*..+2*"] {
            assert!(bad.parse::<CallerPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn stretches_hold_what_a_pattern_admits() {
        for pattern in ["*", "+1*", "+1415555*", "+14155550100", "+14155550100..+14155550199", "+123456789012345*"] {
            let pattern: CallerPattern = pattern.parse().unwrap();
            for (first, last) in pattern.stretches() {
                for inside in [first, last] {
                    assert!(pattern.admits(E164::from_value(inside).unwrap()), "{pattern} {inside}");
                }
            }
            let all = pattern.stretches();
            for (first, last) in &all {
                for outside in [first - 1, last + 1] {
                    let held = all.iter().any(|(first, last)| (*first..=*last).contains(&outside));
                    let Some(number) = E164::from_value(outside).filter(|_| !held) else { continue };
                    assert!(!pattern.admits(number), "{pattern} {number}");
                }
            }
        }
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
