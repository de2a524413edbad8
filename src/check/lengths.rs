//! Which lengths have the numbers of a country?

use std::cell::RefCell;
use std::collections::BTreeMap;

use phonenumber::metadata::DATABASE;

use crate::model::E164;

/// Lengths of national numbers by country code, looked up once each. `None` for a code that nobody has.
#[derive(Default)]
pub(super) struct Lengths(RefCell<BTreeMap<u16, Option<Vec<u16>>>>);

/// The longest country codes have three digits (ITU-T E.164 section 6.2.1).
const CODE_MAX: usize = 3;

impl Lengths {
    /// Whether a number may be one of its country's; the error says why not.
    pub fn check(&self, number: E164) -> Result<(), String> {
        let text = number.to_string();
        let digits = &text[1..];
        let mut known = self.0.borrow_mut();
        // No code is the beginning of another one, so the first that is one is the only one.
        for length in 1..=CODE_MAX {
            let Some(code) = digits.get(..length).and_then(|code| code.parse::<u16>().ok()) else { break };
            let Some(lengths) = known.entry(code).or_insert_with(|| of(code)) else { continue };
            let national = u16::try_from(digits.len() - length).unwrap_or(u16::MAX);
            if lengths.is_empty() || lengths.contains(&national) {
                return Ok(());
            }
            let lengths: Vec<String> = lengths.iter().map(u16::to_string).collect();
            return Err(format!("{national} digits after +{code}, where there are {}", list(&lengths)));
        }
        Err("no country has this code".to_owned())
    }
}

fn of(code: u16) -> Option<Vec<u16>> {
    let plans = DATABASE.by_code(&code)?;
    let lengths = plans.iter().flat_map(|plan| plan.descriptors().general().possible_length().iter().copied());
    let mut lengths: Vec<u16> = lengths.collect();
    lengths.sort_unstable();
    lengths.dedup();
    Some(lengths)
}

fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first, .., last] if words.len() > 2 => format!("{first} to {last}"),
        [first, last, ..] => format!("{first} or {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_too_many_is_found() {
        let lengths = Lengths::default();
        let check = |text: &str| lengths.check(text.parse().unwrap());
        for good in ["+14155550100", "+4930901820", "+442079460018", "+919876543210", "+390612345678", "+6580000000"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(check("+1415555010").unwrap_err(), "9 digits after +1, where there are 10");
        assert_eq!(check("+141555501000").unwrap_err(), "11 digits after +1, where there are 10");
        assert_eq!(check("+2101234567").unwrap_err(), "no country has this code");
    }
}
