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

/// Keys whose plain text is a secret, whatever else is wrong with it.
const SECRET_KEYS: &[&str] = &["password", "secret", "pin", "api_key", "token", "signing_secret", "authorization"];

/// A text of a file as it may be shown: acting characters replaced, and what stands in clear where a secret belongs
/// covered with `*`, character by character. A report goes into CI logs, and a mistake must not carry a password there.
pub fn covered(text: &str) -> Cow<'_, str> {
    let text = clean(text);
    let mut out: Option<String> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        for (from, to) in secrets(line) {
            let whole = out.get_or_insert_with(|| text.clone().into_owned());
            let cover = "*".repeat(to - from);
            whole.replace_range(start + from..start + to, &cover);
        }
        start += line.len();
    }
    out.map_or(text, Cow::Owned)
}

/// Where in a line plain secrets stand: values of keys that take one, and passwords inside URLs.
fn secrets(line: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let lower = line.to_ascii_lowercase();
    for key in SECRET_KEYS {
        for (at, _) in lower.match_indices(key) {
            let rest = &line[at + key.len()..];
            let value = rest.trim_start_matches(['"', '\'', ' ', '\t']);
            let Some(value) = value.strip_prefix('=') else { continue };
            let value = value.trim_start();
            let from = line.len() - value.len();
            match value.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let inside = value[1..].find(quote).unwrap_or(value.trim_end().len().saturating_sub(1));
                    found.push((from + 1, from + 1 + inside));
                }
                Some(c) if c.is_ascii_digit() => {
                    let digits = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
                    found.push((from, from + digits));
                }
                _ => {}
            }
        }
    }
    for (at, mark) in line.match_indices("://") {
        let from = at + mark.len();
        let authority = line[from..].split(['/', '"', '\'', ' ', '?']).next().unwrap_or_default();
        if let Some(end) = authority.rfind('@') {
            found.push((from, from + end));
        }
    }
    // Only whole characters are covered, and each byte is there once.
    found.retain(|(from, to)| from < to && line.is_char_boundary(*from) && line.is_char_boundary(*to));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_clear_is_covered_wherever_it_stands() {
        let text = "auth = { username = \"u\", password = \"PLANTED-é\" }\npin = 4711\nurl = \"wss://u:PLANTED@h/x\"\n\
                    secret = { env = \"NAME\" }\nAuthorization = 'PLANTED'\npassword = \"PLANTED";
        let shown = covered(text);
        assert_eq!(shown.len(), text.len());
        assert!(!shown.contains("PLANTED") && !shown.contains("4711"), "{shown}");
        assert!(shown.contains("NAME") && shown.contains("@h/x") && shown.contains("username = \"u\""), "{shown}");
    }

    #[test]
    fn what_acts_on_a_terminal_is_shown_and_keeps_its_length() {
        for text in ["a\u{1b}[31m", "\u{9b}2J", "x\u{202e}y", "plain ü\t\n", "\u{7f}"] {
            let shown = clean(text);
            assert_eq!(shown.len(), text.len());
            assert!(!shown.chars().any(acts), "{shown:?}");
        }
    }
}
