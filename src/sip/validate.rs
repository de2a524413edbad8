//! Is this request one we may look at, and if not, what does its sender deserve to hear?
//!
//! Pure: a message goes in, a verdict comes out. The checks stand in the order in which the sender is told.

use super::raw::Raw;
use super::uri::{self, NameAddr};

/// The methods this edge answers.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO";
/// The bodies this edge reads.
pub(super) const ACCEPT: &str = "application/sdp";
/// The largest message taken: what fits one UDP datagram.
pub(super) const MAX_MESSAGE: usize = 65_535;

/// Methods that exist but are not ours to answer: 405. Any other unknown word is 501 (RFC 3261 section 21.5.2).
const FOREIGN: [&str; 8] = ["REGISTER", "SUBSCRIBE", "MESSAGE", "PUBLISH", "NOTIFY", "REFER", "UPDATE", "PRACK"];
/// Headers that may stand once only, and whether they must stand at all (RFC 3261 section 8.1.1).
const SINGLE: [(&str, bool); 8] = [
    ("From", true),
    ("To", true),
    ("Call-ID", true),
    ("CSeq", true),
    ("Content-Length", false),
    ("Max-Forwards", false),
    ("Content-Type", false),
    ("Content-Encoding", false),
];

/// What is to be done with a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may go on to the transaction layer.
    Pass,
    /// It gets no answer: it is an ACK or a response, or there is no address to answer to.
    Drop(&'static str),
    /// It is answered at once, without state (RFC 3261 section 8.2.7).
    Refuse(Refusal),
}

/// A final response to a request that goes no further.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    pub reason: String,
    pub headers: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal without further headers.
    pub fn new(status: u16, reason: impl Into<String>) -> Refusal {
        Refusal { status, reason: reason.into(), headers: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Refusal {
        self.headers.push((name, value.into()));
        self
    }
}

/// Judges one message; `body` is the number of bytes that follow its head.
pub(super) fn examine(raw: &Raw, body: usize) -> Verdict {
    if raw.is_response() {
        return match raw.flaw {
            Some(flaw) => Verdict::Drop(flaw),
            None => Verdict::Pass,
        };
    }
    // Nothing can be answered that does not look like SIP or does not say where it came from.
    if !raw.start.contains(" SIP/") {
        return Verdict::Drop("not a SIP message");
    }
    if !raw.first("Via").is_some_and(via_is_usable) {
        return Verdict::Drop("no usable Via header");
    }
    match judge(raw, body) {
        Ok(()) => Verdict::Pass,
        // An ACK is never answered (RFC 3261 section 17.1.1.3).
        Err(_) if raw.method() == "ACK" => Verdict::Drop("malformed ACK"),
        Err(refusal) => Verdict::Refuse(refusal),
    }
}

/// Whether a message is a request that may be answered: it says where from, and is no ACK.
pub(super) fn answerable(raw: &Raw) -> bool {
    let request = raw.start.contains(" SIP/") && !raw.is_response() && raw.method() != "ACK";
    request && raw.first("Via").is_some_and(via_is_usable)
}

fn judge(raw: &Raw, body: usize) -> Result<(), Refusal> {
    let bad = |reason: &str| Refusal::new(400, reason);
    let words: Vec<&str> = raw.start.split(' ').collect();
    let [method, request_uri, version] = words[..] else {
        return Err(bad("Malformed Request-Line"));
    };
    if method.is_empty() || request_uri.is_empty() {
        return Err(bad("Malformed Request-Line"));
    }
    if version != "SIP/2.0" {
        return Err(Refusal::new(505, "Version Not Supported"));
    }
    if let Some(flaw) = raw.flaw {
        return Err(bad(flaw));
    }
    for (name, required) in SINGLE {
        match raw.all(name).count() {
            0 if required => return Err(bad(&format!("Missing {name} Header"))),
            0 | 1 => {}
            _ => return Err(bad(&format!("More Than One {name} Header"))),
        }
    }
    sequence(raw, method)?;
    identity(raw)?;
    length(raw, body)?;
    known_method(method)?;
    if raw.first("Max-Forwards").is_some_and(|hops| hops.parse::<u8>().is_err()) {
        return Err(bad("Malformed Max-Forwards Header"));
    }
    // RFC 3261 section 16.3: an OPTIONS that has run out of hops may be answered where it is.
    if raw.first("Max-Forwards") == Some("0") && method != "OPTIONS" {
        return Err(Refusal::new(483, "Too Many Hops"));
    }
    match uri::scheme(request_uri).as_deref() {
        Some("sip" | "sips" | "tel") => {}
        _ => return Err(Refusal::new(416, "Unsupported URI Scheme")),
    }
    required_extensions(raw, method)?;
    if method == "INVITE" {
        offer(raw, body)?;
        contact(raw)?;
    }
    Ok(())
}

/// RFC 3261 section 8.1.1.5: a number below 2^31 and the method of the request itself.
fn sequence(raw: &Raw, method: &str) -> Result<(), Refusal> {
    let mut words = raw.first("CSeq").unwrap_or_default().split_whitespace();
    let (Some(number), Some(named), None) = (words.next(), words.next(), words.next()) else {
        return Err(Refusal::new(400, "Malformed CSeq Header"));
    };
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    if !digits || !number.parse::<u32>().is_ok_and(|n| n < 1 << 31) {
        return Err(Refusal::new(400, "CSeq Number Out Of Range"));
    }
    if named != method {
        return Err(Refusal::new(400, "CSeq Method Differs From Request"));
    }
    Ok(())
}

/// Who calls whom, in which call: `From` with a tag, a `To` that can be read, a `Call-ID` of one word.
fn identity(raw: &Raw) -> Result<(), Refusal> {
    let from = NameAddr::read(raw.first("From").unwrap_or_default());
    match from {
        None => return Err(Refusal::new(400, "Malformed From Header")),
        Some(from) if from.tag().is_none() => {
            return Err(Refusal::new(400, "Missing Tag In From Header"));
        }
        Some(_) => {}
    }
    // An empty tag would be neither inside a dialog nor outside one.
    let to = NameAddr::read(raw.first("To").unwrap_or_default());
    if to.is_none_or(|to| to.has_empty_tag()) {
        return Err(Refusal::new(400, "Malformed To Header"));
    }
    let call_id = raw.first("Call-ID").unwrap_or_default();
    if call_id.is_empty() || call_id.contains(char::is_whitespace) {
        return Err(Refusal::new(400, "Malformed Call-ID Header"));
    }
    Ok(())
}

/// RFC 3261 section 18.3: a body shorter than announced is an error, and one longer is cut.
fn length(raw: &Raw, body: usize) -> Result<(), Refusal> {
    let Some(text) = raw.first("Content-Length") else {
        return Ok(());
    };
    match content_length(text) {
        Some(announced) if announced <= body => Ok(()),
        Some(_) => Err(Refusal::new(400, "Content-Length Exceeds Message")),
        None => Err(Refusal::new(400, "Malformed Content-Length Header")),
    }
}

/// Reads a Content-Length of a size that a message can have.
pub(super) fn content_length(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|length| digits && *length <= MAX_MESSAGE)
}

fn known_method(method: &str) -> Result<(), Refusal> {
    if ALLOW.split(", ").any(|ours| ours == method) {
        return Ok(());
    }
    let refusal = if FOREIGN.contains(&method) {
        Refusal::new(405, "Method Not Allowed")
    } else {
        Refusal::new(501, "Not Implemented")
    };
    Err(refusal.with("Allow", ALLOW))
}

/// RFC 3261 section 8.2.2.3. We support no extension yet, so every one asked for is named back.
fn required_extensions(raw: &Raw, method: &str) -> Result<(), Refusal> {
    if matches!(method, "ACK" | "CANCEL") {
        return Ok(());
    }
    let wanted: Vec<&str> =
        raw.all("Require").flat_map(|value| value.split(',')).map(str::trim).filter(|tag| !tag.is_empty()).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(420, "Bad Extension").with("Unsupported", wanted.join(", ")))
}

/// RFC 3261 section 8.2.3: an offer is SDP, and plain.
fn offer(raw: &Raw, body: usize) -> Result<(), Refusal> {
    let announced = raw.first("Content-Length").and_then(content_length);
    if announced.unwrap_or(body) == 0 {
        return Ok(());
    }
    if raw.first("Content-Encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(Refusal::new(415, "Unsupported Media Type").with("Accept-Encoding", "identity"));
    }
    let Some(kind) = raw.first("Content-Type") else {
        return Err(Refusal::new(400, "Missing Content-Type Header"));
    };
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(ACCEPT) {
        return Err(Refusal::new(415, "Unsupported Media Type").with("Accept", ACCEPT));
    }
    Ok(())
}

/// RFC 3261 section 8.1.1.8: an INVITE says in one SIP URI where later requests are to go.
fn contact(raw: &Raw) -> Result<(), Refusal> {
    let mut contacts = raw.all("Contact");
    let Some(contact) = contacts.next() else {
        return Err(Refusal::new(400, "Missing Contact Header"));
    };
    let usable = NameAddr::read(contact).is_some_and(|name| uri::target(&name.uri).is_some());
    if !usable || contacts.next().is_some() {
        return Err(Refusal::new(400, "Malformed Contact Header"));
    }
    Ok(())
}

/// Whether the topmost Via is of SIP/2.0 and names a sender.
fn via_is_usable(via: &str) -> bool {
    let mut words = via.split(|c: char| c.is_whitespace() || c == ';');
    let protocol = words.next().unwrap_or_default();
    let sent_by = words.find(|word| !word.is_empty());
    protocol.starts_with("SIP/2.0/") && sent_by.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:+14155550100@edge SIP/2.0\r\n\
        Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport\r\n\
        From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\n\
        Contact: <sip:a@192.0.2.1>\r\nMax-Forwards: 70\r\n\
        Content-Type: application/sdp\r\nContent-Length: 4\r\n\r\nv=0\n";

    fn verdict(text: &str) -> Verdict {
        let raw = Raw::read(text.as_bytes()).expect("the message has a head");
        let body = text.len() - raw.head_len;
        examine(&raw, body)
    }

    /// The status and reason given when `from` in the good INVITE is replaced.
    fn refused(from: &str, to: &str) -> (u16, String) {
        assert!(INVITE.contains(from), "{from} is not in the sample");
        match verdict(&INVITE.replacen(from, to, 1)) {
            Verdict::Refuse(refusal) => (refusal.status, refusal.reason),
            other => panic!("{from} -> {to} gave {other:?}"),
        }
    }

    #[test]
    fn a_good_invite_passes() {
        assert_eq!(verdict(INVITE), Verdict::Pass);
        assert_eq!(verdict(&INVITE.replace("sip:+14155550100@edge", "tel:+14155550100")), Verdict::Pass);
    }

    #[test]
    fn the_request_line_is_checked() {
        assert_eq!(refused("edge SIP/2.0", "edge SIP/7.0").0, 505);
        assert_eq!(refused("edge SIP/2.0", "edge  SIP/2.0").0, 400);
        assert_eq!(refused("sip:+14155550100@edge", "ftp:x").0, 416);
        assert_eq!(verdict(&INVITE.replacen("SIP/2.0\r", "HTTP/1.1\r", 1)), Verdict::Drop("not a SIP message"));
    }

    #[test]
    fn doubled_and_missing_headers_are_named() {
        for name in ["From", "To", "Call-ID", "CSeq"] {
            let line = INVITE.lines().find(|l| l.starts_with(&format!("{name}:"))).unwrap();
            let whole = format!("{line}\r\n");
            assert_eq!(refused(&whole, ""), (400, format!("Missing {name} Header")));
            assert_eq!(refused(&whole, &whole.repeat(2)), (400, format!("More Than One {name} Header")));
        }
        assert_eq!(
            refused("Content-Length: 4\r\n", "Content-Length: 4\r\nl: 4\r\n"),
            (400, "More Than One Content-Length Header".into())
        );
        assert_eq!(refused("Max-Forwards: 70\r\n", "Max-Forwards: 70\r\nMax-Forwards: 70\r\n").0, 400);
    }

    #[test]
    fn the_sequence_is_checked() {
        assert_eq!(refused("1 INVITE", "1 OPTIONS").1, "CSeq Method Differs From Request");
        assert_eq!(refused("1 INVITE", "2147483648 INVITE").1, "CSeq Number Out Of Range");
        assert_eq!(refused("1 INVITE", "+1 INVITE").0, 400);
        assert_eq!(refused("1 INVITE", "INVITE").0, 400);
    }

    #[test]
    fn identity_is_checked() {
        assert_eq!(refused(";tag=1", "").1, "Missing Tag In From Header");
        assert_eq!(refused("<sip:a@h>;tag=1", "<sip:a@h;tag=1").1, "Malformed From Header");
        assert_eq!(refused("<sip:b@h>", "<sip:b@h>;tag=").1, "Malformed To Header");
        assert_eq!(refused("Call-ID: c1", "Call-ID: ").0, 400);
    }

    #[test]
    fn lengths_are_checked() {
        for length in ["-1", "18446744073709551615", "5", "four", ""] {
            assert_eq!(refused("Content-Length: 4", &format!("Content-Length: {length}")).0, 400, "{length}");
        }
        assert_eq!(verdict(&INVITE.replace("Content-Length: 4", "Content-Length: 3")), Verdict::Pass);
    }

    #[test]
    fn hops_extensions_and_bodies_are_checked() {
        assert_eq!(refused("Max-Forwards: 70", "Max-Forwards: 0").0, 483);
        assert_eq!(refused("Max-Forwards: 70", "Max-Forwards: x").0, 400);
        let Verdict::Refuse(refusal) = verdict(&INVITE.replace("Max-", "Require: 100rel, x\r\nMax-")) else {
            panic!("an extension was let through");
        };
        assert_eq!((refusal.status, refusal.headers), (420, vec![("Unsupported", "100rel, x".into())]));
        let Verdict::Refuse(refusal) = verdict(&INVITE.replace("application/sdp", "text/plain")) else {
            panic!("a foreign body was let through");
        };
        assert_eq!((refusal.status, refusal.headers), (415, vec![("Accept", ACCEPT.into())]));
        assert_eq!(refused("Contact: <sip:a@192.0.2.1>\r\n", "").0, 400);
        assert_eq!(refused("<sip:a@192.0.2.1>", "*").0, 400);
    }

    #[test]
    fn foreign_and_unknown_methods_learn_what_is_allowed() {
        for (method, status) in [("REGISTER", 405), ("MESSAGE", 405), ("FROB", 501), ("invite", 501)] {
            let Verdict::Refuse(refusal) = verdict(&INVITE.replace("INVITE", method)) else {
                panic!("{method} was let through");
            };
            assert_eq!((refusal.status, &refusal.headers[0]), (status, &("Allow", ALLOW.to_owned())));
        }
    }

    #[test]
    fn an_ack_and_a_message_without_via_get_no_answer() {
        assert!(matches!(verdict(&INVITE.replace("INVITE", "ACK").replace(";tag=1", "")), Verdict::Drop(_)));
        assert!(matches!(verdict(&INVITE.replace("Via:", "Vya:")), Verdict::Drop(_)));
    }
}
