//! `number-malformed`: a phone number is not in E.164 form.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::{E164, Malformed};

pub(crate) static RULE: Rule = Rule {
    name: "number-malformed",
    severity: Severity::Error,
    summary: "a phone number is not in E.164 form",
    explanation: "A number is `+`, the country code and the rest, digits only: `+14155550100`. No spaces, no national `0`, no `00` for `+`. It is the number's identity, so it has one spelling.",
};

/// Numbers for emergencies, which are dialled as they are and have no international form.
const EMERGENCY: &[&str] = &["000", "108", "110", "111", "112", "113", "117", "118", "119", "911", "995", "999"];

/// `literal` says that the text can be replaced where it stands.
pub(crate) fn finding(text: &str, why: &Malformed, span: &Span, literal: bool) -> Finding {
    let finding =
        Finding::new(&RULE, format!("`{text}` is not a phone number in E.164 form"), span.clone(), "not E.164");
    let bare: String = text.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' ' | '/')).collect();
    if EMERGENCY.contains(&bare.trim_start_matches('+')) {
        return finding.help("an emergency number is nobody's own: it has no international form, and cannot be routed");
    }
    let Ok(number) = E164::from_wire(&bare) else {
        return match bare.starts_with('0') && !bare.starts_with("00") {
            true => finding.help(
                "this is how the number is dialled inside its country: write `+`, the country code, and the rest \
                 without the 0 it begins with",
            ),
            false => finding.help(why.to_string()),
        };
    };
    // Digits alone may also be a national number without its country code.
    let international = bare.starts_with('+') || bare.starts_with("00");
    let finding = finding.help(match international {
        true => format!("did you mean `{number}`?"),
        false => format!("did you mean `{number}`? If the country code is missing, add it"),
    });
    if literal {
        return finding.fix(format!("write `{number}`"), international, span.clone(), format!("\"{number}\""));
    }
    finding
}
