//! Which lengths have the numbers of a country?

use super::plans::PLANS;
use crate::model::E164;

/// The longest country codes have three digits (ITU-T E.164 section 6.2.1).
const CODE_MAX: usize = 3;

/// Whether a number may be one of its country's; the error says why not.
pub(super) fn check(number: E164) -> Result<(), String> {
    let text = number.to_string();
    let digits = &text[1..];
    // No code is the beginning of another one, so the first that is one is the only one.
    for length in 1..=CODE_MAX {
        let Some(code) = digits.get(..length).and_then(|code| code.parse::<u16>().ok()) else { break };
        let Ok(at) = PLANS.binary_search_by_key(&code, |(code, _)| *code) else { continue };
        let (lengths, national) = (PLANS[at].1, digits.len() - length);
        if lengths & (1 << national) != 0 {
            return Ok(());
        }
        let known: Vec<String> =
            (0..u32::BITS).filter(|bit| lengths & (1 << bit) != 0).map(|bit| bit.to_string()).collect();
        return Err(format!("{national} digits after +{code}, where there are {}", list(&known)));
    }
    Err("no country has this code".to_owned())
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
        let check = |text: &str| check(text.parse().unwrap());
        for good in ["+14155550100", "+4930901820", "+442079460018", "+919876543210", "+390612345678", "+6580000000"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(check("+1415555010").unwrap_err(), "9 digits after +1, where there are 7 or 10");
        assert_eq!(check("+141555501000").unwrap_err(), "11 digits after +1, where there are 7 or 10");
        assert_eq!(check("+2101234567").unwrap_err(), "no country has this code");
    }
}
