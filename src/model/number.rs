//! What is a phone number?

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Malformed;

/// A phone number in E.164 form: `+`, a country code that does not begin with 0, 7 to 15 digits in all.
///
/// It is the identity of a number on every side. Held as digits alone, so that two spellings cannot differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct E164 {
    digits: u64,
}

/// ITU-T E.164 section 6: at most 15 digits, country code included.
const DIGITS_MAX: usize = 15;
/// The shortest international numbers in use have seven digits with their country code.
const DIGITS_MIN: usize = 7;

impl E164 {
    /// Reads a number as a carrier may have written it on the wire.
    ///
    /// Accepts the international form with or without `+`, the `00` prefix, and the visual separators of
    /// RFC 3966 section 5.1.1 (`-`, `.`, `(`, `)`, space). Both sides of every comparison come through here.
    ///
    /// # Errors
    /// When what is left is not an E.164 number.
    pub fn from_wire(text: &str) -> Result<Self, Malformed> {
        let bare: String = text.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' ')).collect();
        let digits = bare.strip_prefix('+').or_else(|| bare.strip_prefix("00")).unwrap_or(&bare);
        Self::from_digits(digits)
    }

    /// The digits after the `+`, as one integer.
    pub(crate) fn digits(self) -> u64 {
        self.digits
    }

    /// The number that comes so many later in a row, where that is one.
    pub(crate) fn plus(self, count: u64) -> Option<Self> {
        Self::from_digits(&self.digits.checked_add(count)?.to_string()).ok()
    }

    fn from_digits(digits: &str) -> Result<Self, Malformed> {
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Malformed::new("a phone number is `+` and digits, for example `+14155550100`"));
        }
        if digits.starts_with('0') {
            return Err(Malformed::new("no country code begins with 0; write the number in international form"));
        }
        if !(DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) {
            return Err(Malformed::new(format!(
                "a phone number has {DIGITS_MIN} to {DIGITS_MAX} digits, this one has {}",
                digits.len()
            )));
        }
        let digits = digits.parse().map_err(|_| Malformed::new("a phone number has digits only"))?;
        Ok(Self { digits })
    }
}

impl FromStr for E164 {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match text.strip_prefix('+') {
            Some(digits) => Self::from_digits(digits),
            None => {
                Err(Malformed::new("a phone number begins with `+` and its country code, for example `+14155550100`"))
            }
        }
    }
}

impl TryFrom<String> for E164 {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<E164> for String {
    fn from(number: E164) -> String {
        number.to_string()
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("+{}", self.digits))
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strict_form_is_one_form() {
        assert_eq!("+14155550100".parse::<E164>().unwrap().to_string(), "+14155550100");
        for bad in
            ["14155550100", "+1 415 555 0100", "+0155550100", "+123456", "+1234567890123456", "+", "", "+1415555o100"]
        {
            assert!(bad.parse::<E164>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_wire_has_many_forms_of_one_number() {
        let number: E164 = "+14155550100".parse().unwrap();
        for wire in ["+14155550100", "14155550100", "0014155550100", "+1 (415) 555-0100", "+1.415.555.0100"] {
            assert_eq!(E164::from_wire(wire).unwrap(), number, "{wire}");
        }
        assert!(E164::from_wire("anonymous").is_err());
    }
}
