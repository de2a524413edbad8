//! How is an offer or an answer written?
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use super::{Direction, Media, Negotiated};
use crate::media::codec::Codec;
use crate::media::frame::FRAME_PERIOD;

/// The payload type this side gives digits in its own offers; the number nearly everybody uses.
const DIGITS: u8 = 101;

/// The events this side understands: the sixteen keys (RFC 4733 section 3.2).
const DIGIT_EVENTS: &str = "0-15";

/// Writes the answer to an offer: its audio stream accepted, every other one refused in its place.
pub fn answer(negotiated: &Negotiated, local: SocketAddr, session_id: u64, version: u64) -> String {
    let mut text = session(local, session_id, version, negotiated.offer.timing);
    // RFC 3264 section 6: as many streams as were offered, in the same order.
    for (index, media) in negotiated.offer.media.iter().enumerate() {
        if index == negotiated.stream {
            audio(
                &mut text,
                local.port(),
                &[(negotiated.payload_type, negotiated.codec)],
                negotiated.digits,
                negotiated.direction,
            );
        } else {
            refuse(&mut text, media);
        }
    }
    text
}

/// Writes an offer of audio, for a peer that made none or that is being called.
pub fn offer(local: SocketAddr, codecs: &[Codec], session_id: u64, version: u64) -> String {
    let mut text = session(local, session_id, version, (0, 0));
    let formats: Vec<_> = codecs.iter().map(|codec| (codec.payload_type(), *codec)).collect();
    audio(&mut text, local.port(), &formats, Some(DIGITS), Direction::SendRecv);
    text
}

fn session(local: SocketAddr, session_id: u64, version: u64, timing: (u64, u64)) -> String {
    let ip = local.ip();
    let family = match ip {
        IpAddr::V4(_) => "IP4",
        IpAddr::V6(_) => "IP6",
    };
    let (start, stop) = timing;
    format!(
        "v=0\r\n\
         o=strowger {session_id} {version} IN {family} {ip}\r\n\
         s=-\r\n\
         c=IN {family} {ip}\r\n\
         t={start} {stop}\r\n"
    )
}

fn audio(text: &mut String, port: u16, formats: &[(u8, Codec)], digits: Option<u8>, direction: Direction) {
    let mut line = format!("m=audio {port} RTP/AVP");
    let mut maps = String::new();
    for (payload_type, codec) in formats {
        push(&mut line, format_args!(" {payload_type}"));
        let (name, clock_rate) = (codec.name(), codec.clock_rate());
        push(&mut maps, format_args!("a=rtpmap:{payload_type} {name}/{clock_rate}\r\n"));
    }
    if let Some(payload_type) = digits {
        // RFC 4733 section 2.1: on the clock of the codec beside it.
        let clock_rate = formats.first().map_or(8_000, |(_, codec)| codec.clock_rate());
        push(&mut line, format_args!(" {payload_type}"));
        push(
            &mut maps,
            format_args!(
                "a=rtpmap:{payload_type} telephone-event/{clock_rate}\r\n\
                 a=fmtp:{payload_type} {DIGIT_EVENTS}\r\n"
            ),
        );
    }
    let ptime = FRAME_PERIOD.as_millis();
    let direction = direction.name();
    push(text, format_args!("{line}\r\n{maps}a=ptime:{ptime}\r\na={direction}\r\n"));
}

/// Refuses a stream with port 0, leaving its formats as they are (RFC 3264 section 6).
fn refuse(text: &mut String, media: &Media) {
    let (kind, protocol, formats) = (&media.kind, &media.protocol, media.formats.join(" "));
    push(text, format_args!("m={kind} 0 {protocol} {formats}\r\n"));
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(arguments);
}
