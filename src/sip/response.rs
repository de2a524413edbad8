//! What do our responses say?

use rsipstack::sip::headers::make_header;
use rsipstack::sip::{Header, Method, Request, Response, StatusCode, Transport, Version};
use rsipstack::transaction::Transaction;
use tracing::debug;

use super::call::Call;
use super::uri::NameAddr;
use super::validate::{ACCEPT, ALLOW};

/// Headers the edge writes itself.
pub(super) const OURS: [&str; 14] = [
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Content-Length",
    "Content-Type",
    "Record-Route",
    "Server",
    "User-Agent",
    "Allow",
    "Max-Forwards",
    "Route",
];

/// What a response says.
pub(super) struct Words<'a> {
    pub status: u16,
    pub reason: Option<&'a str>,
    pub headers: &'a [(String, String)],
    pub body: Option<Vec<u8>>,
}

impl Words<'_> {
    /// A bare status.
    pub fn status(status: u16) -> Words<'static> {
        Words { status, reason: None, headers: &[], body: None }
    }
}

impl Call {
    /// Writes a response to a request of this dialog (RFC 3261 section 8.2.6.2).
    pub fn response(&self, request: &Request, words: Words<'_>) -> Response {
        let status = words.status;
        let mut headers: Vec<Header> = Vec::new();
        for header in request.headers.iter() {
            match header {
                Header::Via(_) | Header::From(_) | Header::CallId(_) | Header::CSeq(_) => {
                    headers.push(header.clone());
                }
                Header::To(to) => {
                    headers.push(Header::To(with_tag(to.value(), &self.id.local_tag).into()));
                }
                // RFC 3261 section 12.1.1.
                Header::RecordRoute(_) if status < 300 => headers.push(header.clone()),
                _ => {}
            }
        }
        if request.method == Method::Invite && status < 300 {
            let transport = match self.address.r#type {
                Some(Transport::Tcp) => ";transport=tcp",
                _ => "",
            };
            let contact = format!("<sip:{}{transport}>", self.address.addr);
            headers.push(Header::Contact(contact.into()));
        }
        if status >= 200 {
            headers.push(Header::Allow(ALLOW.into()));
        }
        if request.method == Method::Options || status == 488 {
            headers.push(Header::Accept(ACCEPT.into()));
        }
        for (name, value) in words.headers {
            headers.push(make_header(name, value.clone()));
        }
        headers.push(Header::Server(self.server.as_str().into()));
        let body = words.body.unwrap_or_default();
        if !body.is_empty() {
            headers.push(Header::ContentType(ACCEPT.into()));
        }
        headers.push(Header::ContentLength(body.len().to_string().into()));
        let status_code = match words.reason {
            Some(reason) => {
                let plain: String = reason.chars().filter(|c| !c.is_control()).collect();
                StatusCode::Other(status, plain)
            }
            None => StatusCode::from(status),
        };
        Response { status_code, wire_reason: None, version: Version::V2, headers: headers.into(), body }
    }

    /// Sends a response without a body on a transaction of this dialog.
    pub async fn reply(&self, transaction: &mut Transaction, status: u16, headers: &[(&str, &str)]) {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let words = Words { status, reason: None, headers: &headers, body: None };
        let response = self.response(&transaction.original, words);
        if let Err(error) = transaction.respond(response).await {
            debug!(call_id = %self.id.call_id, status, %error, "a response could not be sent");
        }
    }
}

/// A To value with our tag, unless it has one.
pub(super) fn with_tag(to: &str, tag: &str) -> String {
    match NameAddr::read(to) {
        Some(name) if name.tag().is_none() => format!("{to};tag={tag}"),
        _ => to.to_owned(),
    }
}
