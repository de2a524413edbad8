//! Which words are spoken on the wire?
//!
//! The dialect of Twilio's Media Streams, bidirectional. Numbers travel as text, for that is how bots read them;
//! only the numbers of the media format are numbers.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD as BASE64};
use serde::{Deserialize, Serialize, Serializer};

use crate::media::frame::{FRAME_SAMPLES, SAMPLE_RATE};

/// Bytes of µ-law in 20 ms: one a sample.
pub const FRAME_BYTES: usize = FRAME_SAMPLES;

/// Longest message that is read; a longer one is ignored. Ten minutes of audio come in many.
pub const MAX_MESSAGE: usize = 1 << 20;

/// Longest name of a mark that is kept. Real ones are a word or a UUID.
pub const MAX_MARK_NAME: usize = 1_024;

/// Bots pad base64 or do not; both are understood.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A number that is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal(pub u64);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What the agent is told.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Told<'a> {
    /// The first message. It has no number.
    Connected {
        /// Always `Call`.
        protocol: &'static str,
        /// The version of the protocol.
        version: &'static str,
    },
    /// The second message: whose call this is.
    Start {
        /// 1.
        sequence_number: Decimal,
        /// The stream.
        stream_sid: &'a str,
        /// The call.
        start: Start<'a>,
    },
    /// 20 ms of what the agent hears.
    Media {
        /// One more than before.
        sequence_number: Decimal,
        /// The stream.
        stream_sid: &'a str,
        /// The audio.
        media: Media<'a>,
    },
    /// A key that the caller pressed.
    Dtmf {
        /// One more than before.
        sequence_number: Decimal,
        /// The stream.
        stream_sid: &'a str,
        /// The key.
        dtmf: Dtmf,
    },
    /// A mark of the agent was reached, or thrown away by `clear`.
    Mark {
        /// One more than before.
        sequence_number: Decimal,
        /// The stream.
        stream_sid: &'a str,
        /// The mark.
        mark: Mark<'a>,
    },
    /// The last message.
    Stop {
        /// One more than before.
        sequence_number: Decimal,
        /// The stream.
        stream_sid: &'a str,
        /// The call.
        stop: Stop<'a>,
    },
}

/// Whose call it is. Both ids stand inside it too: bots tell this dialect from its sisters by that.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Start<'a> {
    /// The stream.
    pub stream_sid: &'a str,
    /// The account.
    pub account_sid: &'a str,
    /// The call.
    pub call_sid: &'a str,
    /// What is heard: `inbound`.
    pub tracks: [&'static str; 1],
    /// How it sounds.
    pub media_format: MediaFormat,
    /// What else is known of the call.
    pub custom_parameters: &'a BTreeMap<String, String>,
}

/// How media is written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaFormat {
    encoding: &'static str,
    sample_rate: u32,
    channels: u8,
}

impl MediaFormat {
    /// µ-law, 8 kHz, mono: the only format of the dialect.
    pub const MU_LAW: Self = Self { encoding: "audio/x-mulaw", sample_rate: SAMPLE_RATE, channels: 1 };
}

/// A piece of audio.
#[derive(Debug, Serialize)]
pub struct Media<'a> {
    /// Always `inbound`.
    pub track: &'static str,
    /// Which piece, from 1.
    pub chunk: Decimal,
    /// Milliseconds from the start of the stream to the end of this piece, by the media clock.
    pub timestamp: Decimal,
    /// Base64 of µ-law.
    pub payload: &'a str,
}

/// A key.
#[derive(Debug, Serialize)]
pub struct Dtmf {
    /// Always `inbound_track`.
    pub track: &'static str,
    /// `0`-`9`, `*`, `#`, `A`-`D`.
    pub digit: char,
}

/// A mark.
#[derive(Debug, Serialize)]
pub struct Mark<'a> {
    /// As the agent named it.
    pub name: &'a str,
}

/// What ended.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop<'a> {
    /// The account.
    pub account_sid: &'a str,
    /// The call.
    pub call_sid: &'a str,
}

impl Told<'_> {
    /// The message as it travels.
    pub fn text(&self) -> String {
        // Strings and numbers alone: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The payload of a piece of audio.
pub fn payload(audio: &[u8]) -> String {
    BASE64.encode(audio)
}

/// What the agent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// µ-law to be played after what is queued.
    Media(Vec<u8>),
    /// To be told when what is queued has been played.
    Mark(String),
    /// What is queued shall not be played.
    Clear,
}

/// What an agent does that the dialect does not know. It is ignored and counted; the call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddity {
    /// The text is not such JSON as the dialect has.
    BadJson,
    /// Media without payload, or with one that is not base64.
    NoPayload,
    /// A mark without a name, or with a very long one.
    NoName,
    /// An event that is not known.
    UnknownEvent,
    /// A binary frame.
    Binary,
    /// A message longer than [`MAX_MESSAGE`].
    TooLong,
    /// More audio than the queue holds.
    TooMuchAudio,
    /// More marks than are kept.
    TooManyMarks,
}

impl std::fmt::Display for Oddity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BadJson => "a message is not JSON of the dialect",
            Self::NoPayload => "media came without a payload in base64",
            Self::NoName => "a mark came without a usable name",
            Self::UnknownEvent => "an event is not known",
            Self::Binary => "a binary frame came, which the dialect does not have",
            Self::TooLong => "a message is too long",
            Self::TooMuchAudio => "more audio came than is queued",
            Self::TooManyMarks => "more marks came than are kept",
        })
    }
}

#[derive(Deserialize)]
struct Raw<'a> {
    event: &'a str,
    media: Option<RawMedia>,
    mark: Option<RawMark>,
}

#[derive(Deserialize)]
struct RawMedia {
    payload: Option<String>,
}

#[derive(Deserialize)]
struct RawMark {
    name: Option<String>,
}

/// Reads a text frame. The stream's id in it is not looked at, for some bots get it wrong.
///
/// # Errors
/// What is odd about it.
pub fn read(text: &str) -> Result<Heard, Oddity> {
    if text.len() > MAX_MESSAGE {
        return Err(Oddity::TooLong);
    }
    let raw: Raw<'_> = serde_json::from_str(text).map_err(|_| Oddity::BadJson)?;
    match raw.event {
        "media" => {
            let payload = raw.media.and_then(|media| media.payload).ok_or(Oddity::NoPayload)?;
            LENIENT.decode(payload).map(Heard::Media).map_err(|_| Oddity::NoPayload)
        }
        "mark" => {
            let name = raw.mark.and_then(|mark| mark.name).filter(|name| name.len() <= MAX_MARK_NAME);
            name.map(Heard::Mark).ok_or(Oddity::NoName)
        }
        "clear" => Ok(Heard::Clear),
        _ => Err(Oddity::UnknownEvent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_bots_send_is_read() {
        assert_eq!(
            read(r#"{"event":"media","streamSid":"MZ1","media":{"payload":"/38="}}"#),
            Ok(Heard::Media(vec![255, 127]))
        );
        assert_eq!(read(r#"{"media":{"payload":"/38"},"event":"media"}"#), Ok(Heard::Media(vec![255, 127])));
        assert_eq!(read(r#"{"event":"mark","mark":{"name":"responsePart"}}"#), Ok(Heard::Mark("responsePart".into())));
        assert_eq!(read(r#"{"event":"clear","streamSid":"wrong"}"#), Ok(Heard::Clear));
    }

    #[test]
    fn what_is_odd_is_named() {
        for (text, oddity) in [
            ("", Oddity::BadJson),
            ("[]", Oddity::BadJson),
            (r#"{"event":7}"#, Oddity::BadJson),
            (r#"{"event":"media"}"#, Oddity::NoPayload),
            (r#"{"event":"media","media":{}}"#, Oddity::NoPayload),
            (r#"{"event":"media","media":{"payload":"@"}}"#, Oddity::NoPayload),
            (r#"{"event":"mark","mark":{}}"#, Oddity::NoName),
            (r#"{"event":"hangup"}"#, Oddity::UnknownEvent),
        ] {
            assert_eq!(read(text), Err(oddity), "{text}");
        }
        assert_eq!(read(&" ".repeat(MAX_MESSAGE + 1)), Err(Oddity::TooLong));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_odd(text in ".*") {
            let _ = read(&text);
        }

        #[test]
        fn any_audio_comes_through(audio in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let text = format!(r#"{{"event":"media","media":{{"payload":"{}"}}}}"#, payload(&audio));
            prop_assert_eq!(read(&text), Ok(Heard::Media(audio)));
        }
    }
}
