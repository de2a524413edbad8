//! How is a text shown that may hold anything?

use std::borrow::Cow;

/// Whether a character would act on a terminal, or on the order of what is read, instead of being seen.
fn acts(c: char) -> bool {
    // Controls, and the bidirectional marks of Unicode's "Trojan Source" (CVE-2021-42574).
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with every acting character replaced by as many bytes that only show, so that places stay true.
pub(in crate::diagnostic) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match (acts(c), c.len_utf8()) {
            (false, _) => out.push(c),
            (true, 3) => out.push('\u{fffd}'),
            (true, bytes) => out.extend(std::iter::repeat_n('?', bytes)),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown_and_keeps_its_length() {
        for text in ["a\u{1b}[31m", "\u{9b}2J", "x\u{202e}y", "plain ü\t\n", "\u{7f}"] {
            let shown = clean(text);
            assert_eq!(shown.len(), text.len());
            assert!(!shown.chars().any(acts), "{shown:?}");
        }
    }
}
