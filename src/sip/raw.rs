//! What does a message say before any parser has interpreted it?
//!
//! rsipstack forgives what should be refused: it takes the first of two CSeqs, reads a bad Content-Length as 0
//! and drops every header after one that is not UTF-8. The checks in `validate` therefore look at the text itself.

/// A message cut into start line, headers and the length of what follows.
#[derive(Debug)]
pub(super) struct Raw {
    pub start: String,
    /// Names in their long form, values unfolded and trimmed, in order.
    pub headers: Vec<(String, String)>,
    /// Where the body begins.
    pub head_len: usize,
    /// The first thing that is wrong with the text itself.
    pub flaw: Option<&'static str>,
}

impl Raw {
    /// Reads the head of a message; `None` while its blank line has not been seen.
    pub fn read(bytes: &[u8]) -> Option<Raw> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]);
        let mut flaw = None;
        if matches!(head, std::borrow::Cow::Owned(_)) {
            flaw = Some("Header Is Not UTF-8");
        }
        let mut lines = head.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let start = lines.next().unwrap_or_default().to_owned();
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            if line.chars().any(|c| c.is_control() && c != '\t') {
                flaw = flaw.or(Some("Control Character In Header"));
            }
            if line.starts_with([' ', '\t']) {
                // RFC 3261 section 7.3.1: a line that begins with white space continues the value before it.
                match headers.last_mut() {
                    Some((_, value)) => {
                        value.push(' ');
                        value.push_str(line.trim());
                    }
                    None => flaw = flaw.or(Some("Malformed Header")),
                }
                continue;
            }
            match line.split_once(':') {
                Some((name, value)) if !name.trim().is_empty() => {
                    headers.push((long_name(name.trim()), value.trim().to_owned()));
                }
                _ => flaw = flaw.or(Some("Malformed Header")),
            }
        }
        Some(Raw { start, headers, head_len: end + 4, flaw })
    }

    /// Every value of a header, by its long name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first value of a header, by its long name.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first word of the start line: a method, or `SIP/2.0` on a response.
    pub fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    /// Whether the message is a response.
    pub fn is_response(&self) -> bool {
        self.start.starts_with("SIP/")
    }
}

/// Gives the long form of a compact header name (RFC 3261 section 7.3.3 and the IANA registry).
fn long_name(name: &str) -> String {
    let long = match name {
        "a" | "A" => "Accept-Contact",
        "b" | "B" => "Referred-By",
        "c" | "C" => "Content-Type",
        "e" | "E" => "Content-Encoding",
        "f" | "F" => "From",
        "i" | "I" => "Call-ID",
        "k" | "K" => "Supported",
        "l" | "L" => "Content-Length",
        "m" | "M" => "Contact",
        "o" | "O" => "Event",
        "r" | "R" => "Refer-To",
        "s" | "S" => "Subject",
        "t" | "T" => "To",
        "u" | "U" => "Allow-Events",
        "v" | "V" => "Via",
        "x" | "X" => "Session-Expires",
        other => other,
    };
    long.to_owned()
}

#[cfg(test)]
mod tests {
    use super::Raw;

    #[test]
    fn reads_folded_and_compact_headers() {
        let raw = Raw::read(b"BYE sip:a SIP/2.0\r\ni : x\r\nSubject: one\r\n  two\r\n\r\nbody").unwrap();
        assert_eq!(raw.first("call-id"), Some("x"));
        assert_eq!(raw.first("Subject"), Some("one two"));
        assert_eq!(raw.head_len, 49);
        assert_eq!(raw.flaw, None);
    }

    #[test]
    fn names_the_flaw_of_broken_text() {
        let flaw = |bytes: &[u8]| Raw::read(bytes).unwrap().flaw.unwrap();
        assert_eq!(flaw(b"BYE sip:a SIP/2.0\r\nS: \xff\r\n\r\n"), "Header Is Not UTF-8");
        assert_eq!(flaw(b"BYE sip:a SIP/2.0\r\nno colon\r\n\r\n"), "Malformed Header");
        assert_eq!(flaw(b"BYE sip:a SIP/2.0\r\n: x\r\n\r\n"), "Malformed Header");
        assert_eq!(flaw(b"BYE sip:a SIP/2.0\r\nS: a\rb\r\n\r\n"), "Control Character In Header");
        assert!(Raw::read(b"BYE sip:a SIP/2.0\r\n").is_none());
    }
}
