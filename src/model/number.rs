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
pub(super) const DIGITS_MAX: usize = 15;
/// The shortest international numbers in use have seven digits with their country code.
pub(super) const DIGITS_MIN: usize = 7;
/// The least and the greatest number as integers; no integer between them has fewer or more digits than a number.
pub(crate) const VALUE_MIN: u64 = 10_u64.pow(DIGITS_MIN as u32 - 1);
pub(crate) const VALUE_MAX: u64 = 10_u64.pow(DIGITS_MAX as u32) - 1;

impl E164 {
    /// Reads a number as a carrier may have written it on the wire, with no hint of the country. See [`super::Country`].
    ///
    /// # Errors
    /// When what is left is not an E.164 number.
    pub fn from_wire(text: &str) -> Result<Self, Malformed> {
        super::normalise::normalise(text, None)
    }

    /// The digits after the `+`, as one integer.
    pub(crate) fn digits(self) -> u64 {
        self.digits
    }

    /// The number that comes so many later in a row, where that is one.
    pub(crate) fn plus(self, count: u64) -> Option<Self> {
        Self::from_digits(&self.digits.checked_add(count)?.to_string()).ok()
    }

    /// How many digits the number has.
    pub(crate) fn length(self) -> u32 {
        self.digits.ilog10() + 1
    }

    /// The number of an integer, where it is one.
    pub(crate) fn from_value(value: u64) -> Option<Self> {
        (VALUE_MIN..=VALUE_MAX).contains(&value).then_some(Self { digits: value })
    }

    pub(super) fn from_digits(digits: &str) -> Result<Self, Malformed> {
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
}
