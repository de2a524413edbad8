//! Which number does a SIP URI name?
//!
//! rsipstack splits a URI at its first `;`, also inside the user part, and does not undo `%` escapes,
//! so `sip:+1;npdi@host` and `sip:%2B1@host` would come out wrong. These few functions read the text.

use rsipstack::sip::{Auth, Uri, parse_uri};

/// A `From`, `To` or `Contact` value: who, where, and the parameters behind it (RFC 3261 section 20.10).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NameAddr {
    pub display_name: Option<String>,
    pub uri: String,
    params: String,
}

impl NameAddr {
    /// Reads one name-addr or addr-spec; `None` when it has no URI or its brackets do not close.
    pub fn read(text: &str) -> Option<NameAddr> {
        let text = text.trim();
        let (display, rest) = display_name(text)?;
        if let Some(rest) = rest.strip_prefix('<') {
            let (uri, params) = rest.split_once('>')?;
            let uri = uri.trim();
            return (!uri.is_empty()).then(|| NameAddr {
                display_name: display,
                uri: uri.to_owned(),
                params: params.to_owned(),
            });
        }
        // Without angle brackets every parameter belongs to the header, not to the URI.
        let (uri, params) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
        let uri = uri.trim();
        (uri.contains(':') && display.is_none()).then(|| NameAddr {
            display_name: None,
            uri: uri.to_owned(),
            params: params.to_owned(),
        })
    }

    /// The tag parameter, if there is one and it is not empty.
    pub fn tag(&self) -> Option<&str> {
        param(&self.params, "tag").filter(|tag| !tag.is_empty())
    }

    /// Whether there is a tag parameter without a value.
    pub fn has_empty_tag(&self) -> bool {
        param(&self.params, "tag").is_some_and(str::is_empty)
    }
}

/// Splits the display name off the front; gives the rest, which begins at the URI.
fn display_name(text: &str) -> Option<(Option<String>, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut name = String::new();
        let mut chars = quoted.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => name.push(chars.next()?.1),
                '"' => return Some((Some(name), quoted[at + 1..].trim_start())),
                c => name.push(c),
            }
        }
        return None;
    }
    match text.find('<') {
        Some(at) => {
            let name = text[..at].trim();
            Some(((!name.is_empty()).then(|| name.to_owned()), &text[at..]))
        }
        None => Some((None, text)),
    }
}

/// The value of a `;name=value` parameter; empty when it has none.
pub(super) fn param<'a>(params: &'a str, name: &str) -> Option<&'a str> {
    params.split(';').find_map(|one| {
        let (key, value) = one.split_once('=').unwrap_or((one, ""));
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The scheme of a URI, in lower case.
pub(super) fn scheme(uri: &str) -> Option<String> {
    let (scheme, _) = uri.split_once(':')?;
    Some(scheme.trim().to_ascii_lowercase())
}

/// The user part without its own parameters and password, with `%` escapes undone (RFC 3261 section 19.1.2),
/// and the host without its port.
pub(super) fn user_and_host(uri: &str) -> (String, String) {
    let Some((scheme, rest)) = uri.split_once(':') else {
        return (String::new(), uri.to_owned());
    };
    let (user, host) = if scheme.eq_ignore_ascii_case("tel") {
        // A tel URI is all number; it has no host.
        (rest, "")
    } else {
        split_user(rest)
    };
    let user = user.split(';').next().unwrap_or_default();
    let user = if scheme.eq_ignore_ascii_case("tel") { user } else { user.split(':').next().unwrap_or_default() };
    let host = host.split([';', '?']).next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    (unescape(user), host.to_ascii_lowercase())
}

/// Splits `user@host`: the user part may hold `;` and `?`, the host never holds `@`.
fn split_user(rest: &str) -> (&str, &str) {
    match rest.rfind('@') {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => ("", rest),
    }
}

/// Undoes `%` escapes; what is not a valid escape, or would not be UTF-8, stays as it is.
pub(super) fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|two| std::str::from_utf8(two).ok())
            .filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// Writes a parsed Request-URI as it stood on the wire (rsipstack's own `Display` escapes `%` once more).
pub(super) fn text_of(uri: &Uri) -> String {
    let mut bare = uri.clone();
    let Some(auth) = bare.auth.take() else {
        return bare.to_string();
    };
    let scheme = bare.scheme.take();
    let scheme = scheme.map_or_else(|| "sip".to_owned(), |scheme| scheme.to_string());
    let password = auth.password.map(|p| format!(":{p}")).unwrap_or_default();
    format!("{scheme}:{}{password}@{bare}", auth.user)
}

/// Reads a URI that requests are to be sent to, so that it is written back as it was.
pub(super) fn target(text: &str) -> Option<Uri> {
    let (scheme, rest) = text.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
        return None;
    }
    let (user, host) = split_user(rest);
    let mut uri = parse_uri(&format!("{scheme}:{host}")).ok()?;
    // Headers of a URI mean nothing in a Request-URI (RFC 3261 section 19.1.1, table 1).
    uri.headers.clear();
    if !user.is_empty() {
        let (user, password) = match user.split_once(':') {
            Some((user, password)) => (user, Some(unescape(password))),
            None => (user, None),
        };
        uri.auth = Some(Auth { user: unescape(user), password });
    }
    Some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_number_out_of_any_uri() {
        let read = |uri: &str| user_and_host(uri);
        let pair = |user: &str, host: &str| (user.to_owned(), host.to_owned());
        assert_eq!(read("sip:+14155550100@Example.com:5060;user=phone"), pair("+14155550100", "example.com"));
        assert_eq!(read("sip:%2B14155550100@[2001:db8::1]:5070"), pair("+14155550100", "2001:db8::1"));
        assert_eq!(read("sip:+1415;npdi;rn=+1@h"), pair("+1415", "h"));
        assert_eq!(read("sips:alice:secret@h?Subject=a"), pair("alice", "h"));
        assert_eq!(read("tel:+14155550100;phone-context=x"), pair("+14155550100", ""));
        assert_eq!(read("sip:example.com"), pair("", "example.com"));
    }

    #[test]
    fn reads_name_addrs() {
        let one = NameAddr::read(r#""A \"B\" <C>" <sip:a@h;x=1>;tag=7;y"#).unwrap();
        assert_eq!(one.display_name.as_deref(), Some("A \"B\" <C>"));
        assert_eq!(one.uri, "sip:a@h;x=1");
        assert_eq!(one.tag(), Some("7"));
        let bare = NameAddr::read("sip:a@h;tag=8").unwrap();
        assert_eq!((bare.uri.as_str(), bare.tag()), ("sip:a@h", Some("8")));
        for broken in ["", "<>", "\"open <sip:a@h>", "<sip:a@h", "alice"] {
            assert_eq!(NameAddr::read(broken), None, "{broken}");
        }
    }

    #[test]
    fn unescapes_only_what_is_an_escape() {
        assert_eq!(unescape("%2b1%zz%"), "+1%zz%");
        assert_eq!(unescape("%ff"), "%ff");
        assert_eq!(unescape("%+1"), "%+1");
    }

    #[test]
    fn writes_a_target_as_it_was() {
        for text in ["sip:a%23b@h:5070;transport=tcp", "sip:10.0.0.1:5061", "sip:+1;x=2@[::1]:5060"] {
            assert_eq!(target(text).unwrap().to_string().to_lowercase(), text, "{text}");
        }
        assert!(target("tel:+1").is_none());
    }

    #[test]
    fn restores_the_text_of_a_request_uri() {
        for text in ["sip:%2B1@h:5060;user=phone", "sip:+1;npdi=yes@h", "sip:h"] {
            assert_eq!(text_of(&parse_uri(text).unwrap()), text);
        }
    }
}
