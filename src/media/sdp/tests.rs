use super::*;
use proptest::prelude::*;

/// As Twilio's Elastic SIP Trunking sends it.
const TWILIO: &str = "v=0\r\n\
    o=- 1693412048 1693412048 IN IP4 168.86.150.12\r\n\
    s=SIP Media Capabilities\r\n\
    c=IN IP4 168.86.150.12\r\n\
    t=0 0\r\n\
    m=audio 15294 RTP/AVP 0 8 101\r\n\
    a=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-15\r\n\
    a=sendrecv\r\n\
    a=rtcp:15295\r\n\
    a=ptime:20\r\n";

/// As Telnyx (FreeSWITCH) sends it: many codecs, two telephone-events, media-level address.
const TELNYX: &str = "v=0\r\n\
    o=FreeSWITCH 1700000000 1700000001 IN IP4 64.16.250.10\r\n\
    s=FreeSWITCH\r\n\
    c=IN IP4 64.16.250.10\r\n\
    t=0 0\r\n\
    m=audio 21834 RTP/AVP 102 9 8 0 103 101 13\r\n\
    c=IN IP4 64.16.250.99\r\n\
    a=rtpmap:102 opus/48000/2\r\n\
    a=fmtp:102 useinbandfec=1; maxaveragebitrate=30000\r\n\
    a=rtpmap:9 G722/8000\r\n\
    a=rtpmap:103 telephone-event/48000\r\n\
    a=fmtp:103 0-16\r\n\
    a=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-16\r\n\
    a=rtpmap:13 CN/8000\r\n\
    a=ptime:20\r\n";

/// A softphone behind a NAT, with video first and bare line feeds.
const SOFTPHONE: &str = "v=0\n\
    o=bob 3414 1 IN IP4 192.168.1.23\n\
    s=Talk\n\
    b=AS:380\n\
    t=0 0\n\
    m=video 9078 RTP/AVP 96 97\n\
    c=IN IP4 192.168.1.23\n\
    a=rtpmap:96 VP8/90000\n\
    a=rtpmap:97 H264/90000\n\
    a=fmtp:97 profile-level-id=42801F\n\
    m=audio 7078 RTP/AVP 110 98 99\n\
    c=IN IP4 192.168.1.23\n\
    a=rtpmap:110 speex/16000\n\
    a=rtpmap:98 pcma/8000/1\n\
    a=rtpmap:99 TELEPHONE-EVENT/8000\n\
    m=application 0 udp wb\n";

const LOCAL: ([u8; 4], u16) = ([203, 0, 113, 5], 10_000);

fn negotiate(text: &str) -> Result<Negotiated, SdpError> {
    SdpOffer::parse(text.as_bytes())?.negotiate(&Codec::ALL)
}

fn minimal(rest: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n{rest}")
}

#[test]
fn twilio_is_answered() {
    let negotiated = negotiate(TWILIO).unwrap();
    assert_eq!(negotiated.codec, Codec::Pcmu);
    assert_eq!(negotiated.digits, Some(101));
    assert_eq!(negotiated.remote, "168.86.150.12:15294".parse().unwrap());
    assert_eq!(negotiated.direction, Direction::SendRecv);
    assert_eq!(negotiated.ptime, Some(20));
    assert!(!negotiated.is_held());
    assert_eq!(
        answer(&negotiated, LOCAL.into(), 77, 1),
        "v=0\r\n\
         o=strowger 77 1 IN IP4 203.0.113.5\r\n\
         s=-\r\n\
         c=IN IP4 203.0.113.5\r\n\
         t=0 0\r\n\
         m=audio 10000 RTP/AVP 0 101\r\n\
         a=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\n\
         a=fmtp:101 0-15\r\n\
         a=ptime:20\r\n\
         a=sendrecv\r\n"
    );
}

#[test]
fn telnyx_is_understood_by_static_types_and_its_own_address() {
    let negotiated = negotiate(TELNYX).unwrap();
    assert_eq!(negotiated.codec, Codec::Pcmu, "our order decides");
    assert_eq!(negotiated.digits, Some(101), "on the codec's clock");
    assert_eq!(negotiated.remote, "64.16.250.99:21834".parse().unwrap());
    let offer = SdpOffer::parse(TELNYX.as_bytes()).unwrap();
    let preferred = offer.negotiate(&[Codec::Pcma, Codec::Pcmu]).unwrap();
    assert_eq!((preferred.codec, preferred.payload_type), (Codec::Pcma, 8));
}

#[test]
fn a_softphone_with_video_gets_its_dynamic_numbers_and_refusals_in_place() {
    let negotiated = negotiate(SOFTPHONE).unwrap();
    assert_eq!(negotiated.codec, Codec::Pcma);
    assert_eq!(negotiated.payload_type, 98);
    assert_eq!(negotiated.digits, Some(99));
    let answer = answer(&negotiated, LOCAL.into(), 1, 1);
    let streams: Vec<_> = answer.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(streams, ["m=video 0 RTP/AVP 96 97", "m=audio 10000 RTP/AVP 98 99", "m=application 0 udp wb"]);
    assert!(answer.contains("a=rtpmap:98 PCMA/8000\r\n"));
}

#[test]
fn every_way_of_holding_is_answered_by_its_mirror() {
    let cases = [
        ("192.0.2.9", "a=sendrecv", Direction::SendRecv),
        ("192.0.2.9", "a=sendonly", Direction::RecvOnly),
        ("192.0.2.9", "a=recvonly", Direction::SendOnly),
        ("192.0.2.9", "a=inactive", Direction::Inactive),
        ("0.0.0.0", "a=sendrecv", Direction::RecvOnly),
        ("0.0.0.0", "a=sendonly", Direction::RecvOnly),
        ("0.0.0.0", "a=recvonly", Direction::Inactive),
    ];
    for (address, attribute, expected) in cases {
        let text = minimal(&format!("c=IN IP4 {address}\r\nm=audio 4000 RTP/AVP 0\r\n{attribute}\r\n"));
        let negotiated = negotiate(&text).unwrap();
        assert_eq!(negotiated.direction, expected, "{address} {attribute}");
        assert_eq!(negotiated.is_held(), !expected.sends());
        let answer = answer(&negotiated, LOCAL.into(), 1, 2);
        assert!(answer.contains(&format!("a={}\r\n", expected.name())));
        assert!(!answer.contains("telephone-event"), "not offered, so not answered");
    }
}

#[test]
fn the_session_speaks_for_streams_that_say_nothing() {
    let text = minimal("c=IN IP6 2001:db8::7\r\na=sendonly\r\na=ptime:30\r\nm=audio 4000/2 RTP/AVP 8\r\n");
    let negotiated = negotiate(&text).unwrap();
    assert_eq!(negotiated.remote, "[2001:db8::7]:4000".parse().unwrap());
    assert_eq!(negotiated.direction, Direction::RecvOnly);
    assert_eq!(negotiated.ptime, Some(30));
    let local = "[2001:db8::1]:10000".parse().unwrap();
    assert!(answer(&negotiated, local, 1, 1).contains("c=IN IP6 2001:db8::1\r\n"));
}

#[test]
fn the_answer_repeats_the_offers_time() {
    let text = minimal("c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n").replace("t=0 0", "t=3034423619 3042462419");
    let answer = answer(&negotiate(&text).unwrap(), LOCAL.into(), 1, 1);
    assert!(answer.contains("t=3034423619 3042462419\r\n"));
}

#[test]
fn what_cannot_be_met_is_told_from_what_is_malformed() {
    let audio = |rest: &str| negotiate(&minimal(&format!("c=IN IP4 192.0.2.1\r\n{rest}\r\n"))).unwrap_err();
    let unmet = [
        audio("m=video 4000 RTP/AVP 96"),
        audio("m=audio 0 RTP/AVP 0"),
        audio("m=audio 4000 RTP/SAVP 0"),
        audio("m=audio 4000 RTP/AVP 9 18"),
        audio("m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 G729/8000"),
        audio("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 phone.example.com"),
        audio("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127"),
        negotiate(&minimal("m=audio 4000 RTP/AVP 0\r\n")).unwrap_err(),
    ];
    let expected = [
        SdpError::NoAudio,
        SdpError::AudioRefused,
        SdpError::Transport { protocol: "RTP/SAVP".to_owned() },
        SdpError::NoCommonCodec { wanted: "PCMU, PCMA".to_owned() },
        SdpError::NoCommonCodec { wanted: "PCMU, PCMA".to_owned() },
        SdpError::Address,
        SdpError::Address,
        SdpError::Address,
    ];
    assert_eq!(unmet, expected);
    assert!(unmet.iter().all(|error| !error.is_malformed()));

    let malformed = [
        audio("m=audio notaport RTP/AVP 0"),
        audio("m=audio 70000 RTP/AVP 0"),
        audio("m=audio 4000"),
        audio("m=audio 4000 RTP/AVP"),
        audio("m=audio 4000 RTP/AVP \u{7}"),
        audio("c=IN"),
        audio("m=audio 4000 RTP/AVP 0\r\na=rtpmap:0"),
        audio("nonsense"),
        negotiate("").unwrap_err(),
        negotiate("INVITE sip:bob@example.com").unwrap_err(),
        SdpOffer::parse(&[b'v'; 70_000]).unwrap_err(),
        audio(&"m=audio 4000 RTP/AVP 0\r\n".repeat(33)),
    ];
    assert!(malformed.iter().all(SdpError::is_malformed), "{malformed:?}");
}

#[test]
fn a_second_audio_stream_is_taken_when_the_first_is_secure_or_refused() {
    let text = minimal("c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/SAVP 0\r\nm=audio 4002 RTP/AVP 0\r\n");
    let negotiated = negotiate(&text).unwrap();
    assert_eq!(negotiated.remote.port(), 4002);
    let answer = answer(&negotiated, LOCAL.into(), 1, 1);
    assert!(answer.contains("m=audio 0 RTP/SAVP 0\r\nm=audio 10000 RTP/AVP 0\r\n"));
}

#[test]
fn our_offer_can_be_negotiated_and_the_answer_accepted() {
    let ours = offer(LOCAL.into(), &Codec::ALL, 5, 1);
    let peer = SdpOffer::parse(ours.as_bytes()).unwrap();
    let theirs = peer.negotiate(&[Codec::Pcma]).unwrap();
    assert_eq!(theirs.remote, LOCAL.into());
    let reply = answer(&theirs, "198.51.100.7:6000".parse().unwrap(), 9, 1);

    let agreed = SdpOffer::parse(reply.as_bytes()).unwrap().accept(&Codec::ALL).unwrap();
    assert_eq!(agreed.codec, Codec::Pcma);
    assert_eq!(agreed.digits, Some(101));
    assert_eq!(agreed.remote, "198.51.100.7:6000".parse().unwrap());
    assert_eq!(agreed.direction, Direction::SendRecv);
}

#[test]
fn in_an_answer_the_peers_order_decides_and_only_what_was_offered_counts() {
    let text = minimal("c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8 0\r\na=recvonly\r\n");
    let answer = SdpOffer::parse(text.as_bytes()).unwrap();
    let agreed = answer.accept(&Codec::ALL).unwrap();
    assert_eq!(agreed.codec, Codec::Pcma);
    assert_eq!(agreed.direction, Direction::SendOnly);
    assert_eq!(answer.accept(&[Codec::Pcmu]).unwrap().codec, Codec::Pcmu);
}

proptest! {
    #[test]
    fn any_bytes_are_an_sdp_or_an_error(bytes: Vec<u8>) {
        let _ = SdpOffer::parse(&bytes);
    }

    /// Real offers with damage: whatever is negotiated is answered in as many lines, and reads back.
    #[test]
    fn a_damaged_offer_is_answered_or_refused(
        which in 0..3usize, damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut bytes = [TWILIO, TELNYX, SOFTPHONE][which].as_bytes().to_vec();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let Ok(offer) = SdpOffer::parse(&bytes) else { return Ok(()) };
        let Ok(negotiated) = offer.negotiate(&Codec::ALL) else { return Ok(()) };
        let text = answer(&negotiated, LOCAL.into(), 1, 1);
        let read = SdpOffer::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(read.media.len(), offer.media.len());
        prop_assert_eq!(read.accept(&Codec::ALL).unwrap().codec, negotiated.codec);
        prop_assert!(text.split("\r\n").all(|line| !line.contains(['\r', '\n'])));
    }
}
