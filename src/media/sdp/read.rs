//! What does the text of an SDP say?
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::net::IpAddr;

use super::{Direction, Map, Media, SdpError, SdpOffer};

/// Longest text read: what a UDP datagram, and so a SIP message over UDP, can hold.
const MAX_LENGTH: usize = 65_535;

/// Most streams read. A browser's conference offers a dozen; a call has one or two.
const MAX_STREAMS: usize = 32;

/// What holds for every stream that does not say otherwise (RFC 8866 section 5.7 and 6.7).
#[derive(Default)]
struct Session {
    connection: Option<IpAddr>,
    direction: Option<Direction>,
    ptime: Option<u16>,
}

/// A stream whose gaps are not yet filled from the session.
struct Stream {
    media: Media,
    /// Whether the stream has its own `c=`, usable or not.
    connected: bool,
    direction: Option<Direction>,
}

pub(super) fn read(text: &[u8]) -> Result<SdpOffer, SdpError> {
    if text.len() > MAX_LENGTH {
        return Err(SdpError::TooLong { limit: MAX_LENGTH });
    }
    // Names may be in any charset; everything that matters here is ASCII.
    let text = String::from_utf8_lossy(text);
    // RFC 8866 section 5 asks for CRLF and has parsers accept a bare LF.
    let mut lines = text
        .split('\n')
        .map(str::trim_ascii)
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.is_empty());
    if lines.next().map(|(_, line)| line) != Some("v=0") {
        return Err(SdpError::NotSdp);
    }

    let mut session = Session::default();
    let mut timing = None;
    let mut streams: Vec<Stream> = Vec::new();
    for (number, line) in lines {
        let malformed = SdpError::Malformed { line: number };
        let (letter, value) = line.split_once('=').ok_or(malformed.clone())?;
        match letter {
            "m" => {
                if streams.len() == MAX_STREAMS {
                    return Err(SdpError::TooManyStreams { limit: MAX_STREAMS });
                }
                streams.push(stream(value).ok_or(malformed)?);
            }
            "c" => {
                let connection = connection(value).ok_or(malformed)?;
                match streams.last_mut() {
                    Some(stream) => {
                        stream.media.connection = connection;
                        stream.connected = true;
                    }
                    None => session.connection = connection,
                }
            }
            "t" => timing = timing.or(Some(times(value).ok_or(malformed)?)),
            "a" => attribute(value, &mut session, streams.last_mut()).ok_or(malformed)?,
            letter if letter.len() == 1 => {}
            _ => return Err(malformed),
        }
    }

    let media = streams
        .into_iter()
        .map(|mut stream| {
            if !stream.connected {
                stream.media.connection = session.connection;
            }
            stream.media.direction = stream.direction.or(session.direction).unwrap_or_default();
            stream.media.ptime = stream.media.ptime.or(session.ptime);
            stream.media
        })
        .collect();
    Ok(SdpOffer { timing: timing.unwrap_or_default(), media })
}

/// Reads `<media> <port>[/<count>] <proto> <fmt> ...` (RFC 8866 section 5.14).
fn stream(value: &str) -> Option<Stream> {
    let mut words = value.split_ascii_whitespace();
    let mut word = || words.next().filter(|word| is_token(word));
    let kind = word()?.to_ascii_lowercase();
    let port = word()?;
    let port = port.split_once('/').map_or(port, |(port, _)| port);
    let port = port.parse().ok()?;
    let protocol = word()?.to_owned();
    let formats: Vec<String> = words.map(str::to_owned).collect();
    // They go back in the answer, which must stay one line of plain text.
    if formats.is_empty() || !formats.iter().all(|format| is_token(format)) {
        return None;
    }
    Some(Stream {
        media: Media {
            kind,
            port,
            protocol,
            formats,
            connection: None,
            direction: Direction::default(),
            maps: Vec::new(),
            ptime: None,
        },
        connected: false,
        direction: None,
    })
}

fn is_token(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Reads `IN IP4 <address>[/<ttl>]`; a host name or another network gives no address (RFC 8866 section 5.7).
fn connection(value: &str) -> Option<Option<IpAddr>> {
    let mut words = value.split_ascii_whitespace();
    let network = words.next()?;
    let family = words.next()?;
    let address = words.next()?;
    let address = address.split_once('/').map_or(address, |(address, _)| address);
    if !network.eq_ignore_ascii_case("IN") {
        return Some(None);
    }
    let parsed: Option<IpAddr> = address.parse().ok();
    Some(parsed.filter(|address| match address {
        IpAddr::V4(_) => family.eq_ignore_ascii_case("IP4"),
        IpAddr::V6(_) => family.eq_ignore_ascii_case("IP6"),
    }))
}

fn times(value: &str) -> Option<(u64, u64)> {
    let mut words = value.split_ascii_whitespace();
    let start = words.next()?.parse().ok()?;
    let stop = words.next()?.parse().ok()?;
    Some((start, stop))
}

/// Reads the attributes that matter; nothing when one of them is malformed.
fn attribute(value: &str, session: &mut Session, stream: Option<&mut Stream>) -> Option<()> {
    let (name, value) = value.split_once(':').unwrap_or((value, ""));
    let direction = match name.trim_ascii() {
        "sendrecv" => Direction::SendRecv,
        "sendonly" => Direction::SendOnly,
        "recvonly" => Direction::RecvOnly,
        "inactive" => Direction::Inactive,
        "ptime" => {
            // Some peers write fractions or nothing; a wish that cannot be read is no wish.
            let ptime = value.trim_ascii().parse().ok().filter(|ptime| *ptime > 0);
            match stream {
                Some(stream) => stream.media.ptime = ptime,
                None => session.ptime = ptime,
            }
            return Some(());
        }
        "rtpmap" => {
            if let Some(stream) = stream {
                stream.media.maps.push(map(value)?);
            }
            return Some(());
        }
        _ => return Some(()),
    };
    match stream {
        Some(stream) => stream.direction = Some(direction),
        None => session.direction = Some(direction),
    }
    Some(())
}

/// Reads `<payload type> <name>/<clock rate>[/<channels>]` (RFC 8866 section 6.6).
fn map(value: &str) -> Option<Map> {
    let (payload_type, encoding) = value.trim_ascii().split_once(|letter: char| letter.is_ascii_whitespace())?;
    let mut parts = encoding.trim_ascii().split('/');
    Some(Map {
        payload_type: payload_type.parse().ok()?,
        name: parts.next()?.to_owned(),
        clock_rate: parts.next()?.parse().ok()?,
        channels: match parts.next() {
            Some(channels) => channels.parse().ok()?,
            None => 1,
        },
    })
}
