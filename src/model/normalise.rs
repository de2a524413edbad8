//! Which number does a carrier mean?
//!
//! Every number of a call comes through here, the dialled one and the caller's, so both sides of each comparison are
//! normalised equally.

use std::str::FromStr;

use super::Malformed;
use super::number::{DIGITS_MAX, E164};

/// How a country's networks write numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    code: &'static str,
    /// What is dialled before a number of another country.
    international: &'static str,
    national: National,
}

/// How a number of the country itself is written without its country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum National {
    /// With a prefix that falls away (`030…` in Germany).
    Prefix(&'static str),
    /// With a zero that stays (`06…` in Italy is `+3906…`).
    Zero,
    /// With no prefix, but always of one length.
    Length(usize),
}

/// Countries by code, with the international and national prefixes that ITU-T operational bulletin 994 lists.
const COUNTRIES: &[(&str, &str, National)] = &[
    ("1", "011", National::Length(10)),
    ("7", "810", National::Prefix("8")),
    ("30", "00", National::Length(10)),
    ("31", "00", National::Prefix("0")),
    ("32", "00", National::Prefix("0")),
    ("33", "00", National::Prefix("0")),
    ("34", "00", National::Length(9)),
    ("36", "00", National::Prefix("06")),
    ("39", "00", National::Zero),
    ("41", "00", National::Prefix("0")),
    ("43", "00", National::Prefix("0")),
    ("44", "00", National::Prefix("0")),
    ("45", "00", National::Length(8)),
    ("46", "00", National::Prefix("0")),
    ("47", "00", National::Length(8)),
    ("48", "00", National::Length(9)),
    ("49", "00", National::Prefix("0")),
    ("55", "00", National::Prefix("0")),
    ("61", "0011", National::Prefix("0")),
    ("64", "00", National::Prefix("0")),
    ("81", "010", National::Prefix("0")),
    ("86", "00", National::Prefix("0")),
    ("91", "00", National::Prefix("0")),
    ("351", "00", National::Length(9)),
    ("353", "00", National::Prefix("0")),
    ("358", "00", National::Prefix("0")),
    ("420", "00", National::Length(9)),
];

impl FromStr for Country {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let found = COUNTRIES.iter().find(|(code, ..)| *code == digits);
        let found = found.map(|(code, international, national)| Self { code, international, national: *national });
        found.ok_or_else(|| {
            let codes: Vec<String> = COUNTRIES.iter().map(|(code, ..)| format!("+{code}")).collect();
            Malformed::new(format!("the habits of these countries are known: {}", codes.join(", ")))
        })
    }
}

/// Longest text that can be a number with its separators; what is longer is none.
const TEXT_MAX: usize = 2 * DIGITS_MAX + 4;

/// Numbers that Twilio shows for a caller who shows none: `ANONYMOUS`, `RESTRICTED`, `BLOCKED`, `UNKNOWN` and
/// `UNAVAILABLE` as they are spelled on a telephone's keys.
const SHOWN_FOR_NONE: &[u64] = &[266_696_687, 7_378_742_833, 2_562_533, 8_656_696, 86_282_452_253];

/// Reads a number in any form that networks use: with or without `+` (some carriers lose it), after the international
/// prefix, in national form where the country is known, as a `tel:` or `sip:` URI with its parameters (RFC 3966,
/// RFC 3261 section 19.1), with the visual separators of RFC 3966 section 5.1.1.
///
/// Does not allocate where it succeeds.
pub(super) fn normalise(text: &str, country: Option<Country>) -> Result<E164, Malformed> {
    let (user, context) = user_of(text.trim());
    // A `tel:` URI may bring the country of its local number along (RFC 3966 section 5.1.5).
    let country = context.and_then(|context| context.parse().ok()).or(country);
    let mut kept = [0_u8; TEXT_MAX];
    let mut length = 0;
    for byte in user.bytes().filter(|byte| !matches!(byte, b'-' | b'.' | b'(' | b')' | b' ')) {
        match kept.get_mut(length) {
            Some(slot) => *slot = byte,
            None => return Err(Malformed::new("this is too long for a phone number")),
        }
        length += 1;
    }
    let bare = kept.get(..length).and_then(|kept| std::str::from_utf8(kept).ok()).unwrap_or_default();
    if let Some(digits) = bare.strip_prefix('+') {
        return E164::from_digits(digits);
    }
    if let Some(country) = country {
        if let Some(digits) = bare.strip_prefix(country.international) {
            return E164::from_digits(digits);
        }
        let national = match country.national {
            National::Prefix(prefix) => bare.strip_prefix(prefix),
            National::Zero => bare.starts_with('0').then_some(bare),
            National::Length(digits) => (bare.len() == digits).then_some(bare),
        };
        if let Some(national) = national {
            return joined(country.code, national);
        }
    }
    E164::from_digits(bare.strip_prefix("00").unwrap_or(bare))
}

fn joined(code: &str, national: &str) -> Result<E164, Malformed> {
    let mut digits = [0_u8; 3 + TEXT_MAX];
    let (head, tail) = digits.split_at_mut(code.len());
    head.copy_from_slice(code.as_bytes());
    tail[..national.len()].copy_from_slice(national.as_bytes());
    E164::from_digits(std::str::from_utf8(&digits[..code.len() + national.len()]).unwrap_or_default())
}

/// The user part of a URI, or the text itself; and the `phone-context` of a `tel:` URI.
fn user_of(text: &str) -> (&str, Option<&str>) {
    let text = text.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')).unwrap_or(text);
    let scheme = text.split_once(':');
    let (rest, is_sip) = match scheme {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel") => (rest, false),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") => {
            (rest, true)
        }
        _ => (text, false),
    };
    let rest = match rest.split_once('@') {
        Some((user, _)) => user,
        // A SIP URI without a user names a machine and no number.
        None if is_sip => "",
        None => rest,
    };
    let (user, parameters) = rest.split_once(';').unwrap_or((rest, ""));
    let context = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("phone-context").then_some(value)
    });
    (user, context)
}

impl E164 {
    /// Reads a number as networks of a country write it.
    ///
    /// # Errors
    /// When it is no number there.
    pub fn from_wire_in(text: &str, country: Option<Country>) -> Result<Self, Malformed> {
        normalise(text, country)
    }

    /// Reads a caller's number; none where the caller shows none, in whatever way the provider says so.
    pub fn of_caller(text: &str, country: Option<Country>) -> Option<Self> {
        normalise(text, country).ok().filter(|number| !SHOWN_FOR_NONE.contains(&number.digits()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, country: &str) -> Option<String> {
        let country = (!country.is_empty()).then(|| country.parse().unwrap());
        normalise(text, country).ok().map(|number| number.to_string())
    }

    #[test]
    fn the_wire_has_many_forms_of_one_number() {
        for text in [
            "+14155550100",
            "14155550100",
            "0014155550100",
            "+1 (415) 555-0100",
            "+1.415.555.0100",
            "tel:+1-415-555-0100",
            "TEL:+14155550100;isub=1",
            "sip:+14155550100@carrier.example.com:5060;user=phone",
            "sips:14155550100@[2001:db8::1]",
            "<sip:+14155550100;npdi@192.0.2.1>",
            "tel:4155550100;phone-context=+1",
        ] {
            assert_eq!(read(text, "").as_deref(), Some("+14155550100"), "{text}");
        }
        for text in
            ["anonymous", "", "sip:carrier.example.com", "tel:", "+0123456789", "123", "+1415555010x", "١٢٣٤٥٦٧"]
        {
            assert_eq!(read(text, ""), None, "{text}");
        }
    }

    #[test]
    fn a_country_reads_its_national_numbers() {
        for (text, country, number) in [
            ("030901820", "+49", "+4930901820"),
            ("0049 30 901820", "49", "+4930901820"),
            ("4930901820", "49", "+4930901820"),
            ("4155550100", "1", "+14155550100"),
            ("14155550100", "1", "+14155550100"),
            ("011493090 1820", "1", "+4930901820"),
            ("0669812345", "39", "+390669812345"),
            ("612345678", "34", "+34612345678"),
            ("06301234567", "36", "+36301234567"),
            ("88001234567", "7", "+78001234567"),
        ] {
            assert_eq!(read(text, country).as_deref(), Some(number), "{text} in +{country}");
        }
        assert!("+999".parse::<Country>().is_err());
    }

    #[test]
    fn a_caller_who_shows_none_has_none() {
        for text in ["anonymous", "+266696687", "+7378742833", "unavailable", ""] {
            assert_eq!(E164::of_caller(text, None), None, "{text}");
        }
    }
}
